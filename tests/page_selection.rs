//! Selection by pointer and keyboard while lines arrive.

use anyhow::Context;
use fantoccini::{
    actions::{InputSource, KeyAction, KeyActions, MouseActions, PointerAction},
    key::Key,
};
use serde_json::Value;
use tailcast_tests::{viewer::Viewer, with_timeout};

fn numbered(from: usize, to: usize) -> String {
    (from..to).map(|number| format!("line {number}\n")).collect()
}

/// Records the clipboard data of a copy, after the handlers of the page.
const WATCH_COPIES: &str =
    "addEventListener('copy', event => { window.copied = event.clipboardData.getData('text/plain') })";

async fn point(viewer: &Viewer, actions: Vec<PointerAction>) -> anyhow::Result<()> {
    let pointer = actions.into_iter().fold(MouseActions::new("mouse".to_owned()), InputSource::then);
    with_timeout("the pointer", async { Ok(viewer.browser.client().perform_actions(pointer).await?) }).await
}

fn to(x: i64, y: i64) -> PointerAction {
    PointerAction::MoveTo { duration: None, x: x as f64, y: y as f64 }
}

async fn press_with_control(viewer: &Viewer, key: char) -> anyhow::Result<()> {
    let control: char = Key::Control.into();
    let keys = KeyActions::new("keys".to_owned())
        .then(KeyAction::Down { value: control })
        .then(KeyAction::Down { value: key })
        .then(KeyAction::Up { value: key })
        .then(KeyAction::Up { value: control });
    with_timeout("keys", async { Ok(viewer.browser.client().perform_actions(keys).await?) }).await
}

async fn copied(viewer: &Viewer) -> anyhow::Result<String> {
    viewer.browser.run("window.copied = undefined").await?;
    press_with_control(viewer, 'c').await?;
    viewer.browser.until("window.copied !== undefined").await?;
    let copied = viewer.value("window.copied").await?;
    Ok(copied.as_str().context("no text")?.to_owned())
}

/// Returns the position of a row: the start of its text, vertically centered.
async fn place_of(viewer: &Viewer, text: &str) -> anyhow::Result<(i64, i64)> {
    let place = viewer
        .browser
        .run(&format!(
            "const text = [...document.querySelectorAll('#log .text')].find(text => text.textContent === {});
             const box = text.getBoundingClientRect();
             return [Math.round(box.left), Math.round(box.top + box.height / 2)]",
            Value::from(text)
        ))
        .await?;
    Ok(serde_json::from_value(place)?)
}

#[tokio::test]
async fn a_drag_beyond_the_edge_scrolls_and_copies_all_lines() -> anyhow::Result<()> {
    let viewer = Viewer::open("/?id=ada").await?;
    viewer.browser.run(WATCH_COPIES).await?;
    viewer.stream(&numbered(0, 5_000), 5_000).await?;
    let (x, y) = place_of(&viewer, "line 4990").await?;
    point(
        &viewer,
        vec![to(x + 1, y), PointerAction::Down { button: 0 }, to(x + 1, y - 40), to(x + 1, 60), to(x, 20)],
    )
    .await?;
    // The pointer stays on the header while the log scrolls, until much more than a screen is selected.
    viewer.browser.until("Number(document.querySelector('#selected').dataset.lines) > 300").await?;
    // Lines that arrive meanwhile do not change the selection.
    viewer.stream(&numbered(5_000, 6_000), 6_000).await?;
    point(&viewer, vec![PointerAction::Up { button: 0 }]).await?;
    viewer.wait_for_frame().await?;
    let text = copied(&viewer).await?;
    let lines: Vec<&str> = text.split('\n').collect();
    assert!(lines.len() > 300, "{}", lines.len());
    let first: usize =
        lines.get(1).and_then(|line| line.strip_prefix("line ")).context("no line")?.parse()?;
    let expected = numbered(first, 4_990);
    assert_eq!(lines.get(1..lines.len() - 1).unwrap_or_default().join("\n") + "\n", expected);
    viewer.browser.close().await
}

#[tokio::test]
async fn select_all_and_copy_work_while_lines_arrive() -> anyhow::Result<()> {
    let viewer = Viewer::open("/?id=ada").await?;
    viewer.browser.run(WATCH_COPIES).await?;
    viewer.stream(&numbered(0, 20_000), 20_000).await?;
    press_with_control(&viewer, 'a').await?;
    viewer.browser.until("document.querySelector('#selected').dataset.lines === '20000'").await?;
    viewer.stream(&numbered(20_000, 30_000), 30_000).await?;
    assert_eq!(copied(&viewer).await? + "\n", numbered(0, 20_000));
    // Following does not change the selection.
    viewer.browser.run("document.querySelector('#resume').click()").await?;
    viewer.browser.until("!document.querySelector('#resume')").await?;
    assert_eq!(copied(&viewer).await? + "\n", numbered(0, 20_000));
    // A click in the text clears the selection.
    let (x, y) = place_of(&viewer, "line 29990").await?;
    point(&viewer, vec![to(x + 3, y), PointerAction::Down { button: 0 }, PointerAction::Up { button: 0 }])
        .await?;
    viewer.browser.until("document.querySelector('#selected').hidden").await?;
    viewer.browser.close().await
}

#[tokio::test]
async fn copy_with_colors_includes_escape_sequences() -> anyhow::Result<()> {
    let viewer = Viewer::open("/?id=ada").await?;
    viewer.browser.run(WATCH_COPIES).await?;
    viewer.stream("\u{1b}[31mred\u{1b}[0m and plain\n", 1).await?;
    press_with_control(&viewer, 'a').await?;
    viewer.browser.until("document.querySelector('#selected').dataset.lines === '1'").await?;
    let key = KeyActions::new("keys".to_owned())
        .then(KeyAction::Down { value: 'C' })
        .then(KeyAction::Up { value: 'C' });
    with_timeout("the key", async { Ok(viewer.browser.client().perform_actions(key).await?) }).await?;
    viewer.browser.until("window.copied !== undefined").await?;
    assert_eq!(viewer.value("window.copied").await?, "\u{1b}[0;31mred\u{1b}[0m and plain");
    viewer.browser.close().await
}
