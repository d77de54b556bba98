//! Selection and copying in the element, by pointer and keyboard.

use fantoccini::{
    actions::{InputSource, KeyAction, KeyActions, MouseActions, PointerAction},
    key::Key,
};
use serde_json::{Value, json};
use tailcast_tests::{browser::Kind, embedding::Embedding, with_timeout};

const ELEMENTS: &str = "<p id=prose>The page's own words.</p>
    <tail-cast negotiate=NEGOTIATE style='height: 16rem'></tail-cast>
    <tail-cast negotiate=NEGOTIATE style='height: 16rem'></tail-cast>";

tailcast_tests::in_every_browser! {
    dragged_text_is_copied,
    keys_select_and_copy_in_the_focused_element,
}

/// Opens two elements with the same lines, and records copied data after the handlers of the elements.
async fn open(kind: Kind) -> anyhow::Result<Embedding> {
    let page = Embedding::connect(kind, ELEMENTS).await?;
    page.run(
        "addEventListener('copy', (event) => { window.copied = event.clipboardData.getData('text/plain') })",
    )
    .await?;
    page.stream("first line\nsecond \u{1b}[31mline\u{1b}[0m\nthird line\n").await?;
    page.until("rows(1).length === 3").await?;
    Ok(page)
}

async fn press_with_control(page: &Embedding, key: char) -> anyhow::Result<()> {
    let control: char = Key::Control.into();
    let keys = KeyActions::new("keys".to_owned())
        .then(KeyAction::Down { value: control })
        .then(KeyAction::Down { value: key })
        .then(KeyAction::Up { value: key })
        .then(KeyAction::Up { value: control });
    with_timeout("keys", async { Ok(page.browser.client().perform_actions(keys).await?) }).await
}

/// Drags from the start of one element to the start of another.
async fn drag(page: &Embedding, from: &str, to: &str) -> anyhow::Result<()> {
    let mut actions = Vec::new();
    for place in [from, to] {
        let script = format!(
            "const {{ left, top, height }} = {place}.getBoundingClientRect(); return [left, top + height / 2]"
        );
        let (x, y): (f64, f64) = serde_json::from_value(page.browser.run(&script).await?)?;
        actions.push(PointerAction::MoveTo { duration: None, x: x.round() + 1.0, y: y.round() });
    }
    let [start, end] = <[_; 2]>::try_from(actions).map_err(|_| anyhow::anyhow!("two places"))?;
    let pointer = [start, PointerAction::Down { button: 0 }, end, PointerAction::Up { button: 0 }];
    let pointer = pointer.into_iter().fold(MouseActions::new("mouse".to_owned()), InputSource::then);
    with_timeout("the pointer", async { Ok(page.browser.client().perform_actions(pointer).await?) }).await
}

async fn copied(page: &Embedding) -> anyhow::Result<Value> {
    page.run("window.copied = undefined").await?;
    press_with_control(page, 'c').await?;
    page.until("window.copied !== undefined").await?;
    page.value("window.copied").await
}

async fn dragged_text_is_copied(kind: Kind) -> anyhow::Result<()> {
    let page = open(kind).await?;
    drag(&page, "parts('#log .text')[0]", "parts('#log .text')[2]").await?;
    page.until("part('#selected').dataset.lines === '3'").await?;
    assert_eq!(copied(&page).await?, "first line\nsecond line\n");
    assert_eq!(
        page.value("part('#selected', 1).hidden").await?,
        true,
        "nothing is selected in the other one"
    );
    // Lines that arrive do not change the selection.
    page.stream("fourth line\n").await?;
    assert_eq!(copied(&page).await?, "first line\nsecond line\n");
    drag(&page, "parts('#log .text', 1)[1]", "parts('#log .text', 1)[2]").await?;
    page.until("part('#selected', 1).dataset.lines === '2'").await?;
    assert_eq!(copied(&page).await?, "second line\n");
    // Copying a selection elsewhere in the page is not affected by the elements.
    page.run("getSelection().selectAllChildren(document.querySelector('#prose'))").await?;
    assert_eq!(copied(&page).await?, "", "the browser fills it in later");
    page.close_without_errors().await
}

async fn keys_select_and_copy_in_the_focused_element(kind: Kind) -> anyhow::Result<()> {
    let page = open(kind).await?;
    page.run("part('#log', 1).focus()").await?;
    press_with_control(&page, 'a').await?;
    page.until("part('#selected', 1).dataset.lines === '3'").await?;
    assert_eq!(copied(&page).await?, "first line\nsecond line\nthird line");
    assert_eq!(page.value("[0, 1].map((at) => part('#selected', at).hidden)").await?, json!([true, false]));
    page.close_without_errors().await
}
