//! Styling of the element by the host page, and isolation from its other styles.

use serde_json::{Value, json};
use tailcast_tests::{axe, browser::Kind, embedding::Embedding};

const ELEMENT: &str = "<tail-cast negotiate=NEGOTIATE publish></tail-cast>";

/// All custom properties with a value, and the affected element and CSS property.
const CUSTOM: [(&str, &str, &str, &str); 10] = [
    ("--tailcast-paper", "rgb(1, 2, 3)", "#log", "background-color"),
    ("--tailcast-ground", "rgb(1, 2, 4)", "header", "background-color"),
    ("--tailcast-ink", "rgb(1, 2, 5)", ".tailcast", "color"),
    ("--tailcast-soft", "rgb(1, 2, 6)", "#line-count", "color"),
    ("--tailcast-edge", "rgb(1, 2, 7)", "header", "border-bottom-color"),
    ("--tailcast-accent", "rgb(1, 2, 8)", "#composer button", "background-color"),
    ("--tailcast-on-accent", "rgb(1, 2, 9)", "#composer button", "color"),
    ("--tailcast-text-font", "\"Test One\"", ".tailcast", "font-family"),
    ("--tailcast-log-font", "\"Test Two\"", "#log", "font-family"),
    ("--tailcast-font-size", "32px", "#log", "font-size"),
];

tailcast_tests::in_every_browser! {
    each_custom_property_is_applied,
    each_part_can_be_styled_by_the_page,
    slots_replace_default_content,
    styles_of_the_page_do_not_apply_inside_the_element,
    axe_finds_no_violations_in_any_state,
}

async fn each_custom_property_is_applied(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::connect(kind, ELEMENT).await?;
    for (name, value, selector, property) in CUSTOM {
        let seen = format!("getComputedStyle(part('{selector}')).getPropertyValue('{property}')");
        let usual = page.value(&seen).await?;
        page.run(&format!("document.documentElement.style.setProperty('{name}', '{value}')")).await?;
        let meant = if property == "font-size" { "26px" } else { value };
        assert_eq!(page.value(&seen).await?, meant, "{name}");
        page.run(&format!("document.documentElement.style.removeProperty('{name}')")).await?;
        assert_eq!(page.value(&seen).await?, usual, "{name}, taken away");
    }
    page.close_without_errors().await
}

async fn each_part_can_be_styled_by_the_page(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::connect(kind, ELEMENT).await?;
    page.run("element().pause()").await?;
    page.stream_to("stream", "new\n").await?;
    page.until("part('#resume')").await?;
    for name in ["header", "status", "toolbar", "lines", "resume", "composer"] {
        page.run(&format!(
            "const style = document.createElement('style');
             style.textContent = 'tail-cast::part({name}) {{ outline: 3px solid rgb(9, 8, 7) }}';
             document.head.append(style)"
        ))
        .await?;
        let outline = page.value(&format!("getComputedStyle(part('[part={name}]')).outlineColor")).await?;
        assert_eq!(outline, "rgb(9, 8, 7)", "{name}");
    }
    page.close_without_errors().await
}

async fn slots_replace_default_content(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::connect(
        kind,
        "<tail-cast negotiate=NEGOTIATE>
             <div slot=header>Build 42 <input id=own> <button id=resume>mine</button></div>
             <p slot=empty>Nothing yet</p>
             <footer slot=footer>Ours</footer>
         </tail-cast>",
    )
    .await?;
    let seen = "['.brand', '.empty h2'].map((one) => part(one).checkVisibility())
        .concat([...element().children].map((one) => one.checkVisibility()))";
    assert_eq!(page.value(seen).await?, json!([false, false, true, true, true]));
    let header = page
        .browser
        .run(
            "const [header, name, lines, footer] = [part('header'), element().children[0], part('.lines'), element().children[2]]
                 .map((one) => one.getBoundingClientRect());
             return header.top <= name.top && name.bottom <= header.bottom && lines.bottom <= footer.top + 1",
        )
        .await?;
    assert_eq!(header, true, "each stands where its name says");
    // Input in a slot belongs to the page.
    let typed = page
        .value(
            "['z', '?', 'End'].map((key) => document.querySelector('#own').dispatchEvent(
                 new KeyboardEvent('keydown', { key, bubbles: true, composed: true, cancelable: true })))",
        )
        .await?;
    assert_eq!(typed, json!([true, true, true]), "no key is taken away");
    page.run("element().pause()").await?;
    page.until("part('button#resume')").await?;
    page.run("document.querySelector('#resume').click()").await?;
    page.stream_to("stream", "a line\n").await?;
    page.until("part('#line-count').dataset.received === '1'").await?;
    page.wait_for_frame().await?;
    assert_eq!(
        page.value("part('button#resume') !== null").await?,
        true,
        "a button of the page resumes nothing"
    );
    page.run("element().resume()").await?;
    page.until("rows().includes('a line')").await?;
    assert_eq!(page.value("element().children[1].checkVisibility()").await?, false, "there is a line now");
    page.close_without_errors().await
}

/// All computed styles in the element, except those that depend on time.
const ALL_STYLES: &str = "parts('*').filter((one) => !one.closest('.boxes, #details, #timeline')).map((one) => {
    const style = getComputedStyle(one);
    return one.tagName + '.' + (one.id || one.className.baseVal || one.className) + ' ' +
        [...style].filter((name) => !name.startsWith('--')).map((name) => `${name}:${style.getPropertyValue(name)}`).join(';');
})";

async fn styles_of_the_page_do_not_apply_inside_the_element(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::connect(kind, ELEMENT).await?;
    page.stream("INFO one\n\u{1b}[32mgreen\u{1b}[0m\nERROR two\n").await?;
    page.run("element().style.width = '900px'; element().search('two')").await?;
    page.wait_for_frame().await?;
    let before = page.value(ALL_STYLES).await?;
    // Inherited properties, custom properties of the style sheet, and rules for its selectors.
    let own: Value = page
        .value(
            "[...new Set([...element().shadowRoot.adoptedStyleSheets[0].cssRules].map((rule) => rule.cssText).join()
                 .match(/var\\(--[a-z0-9-]+/g).map((found) => found.slice(4)))].filter((name) => !name.startsWith('--tailcast'))",
        )
        .await?;
    let own: Vec<String> = serde_json::from_value(own)?;
    assert!(own.len() > 30, "{own:?}");
    let custom: String = own.iter().map(|name| format!("{name}: rgb(255, 0, 0) !important;")).collect();
    page.run(&format!(
        "const style = document.createElement('style');
         style.textContent = `
             :root, body, main, tail-cast {{
                 {custom} color: red; font: italic 900 40px/3 cursive; letter-spacing: 9px; word-spacing: 9px; text-align: right;
                 text-transform: uppercase; text-indent: 50px; text-shadow: 2px 2px red; white-space: pre; direction: rtl;
                 visibility: visible; cursor: wait; list-style: square; quotes: none; tab-size: 1; hyphens: auto;
                 word-break: break-all; writing-mode: horizontal-tb; border-collapse: collapse; caret-color: red;
                 accent-color: red; color-scheme: dark; user-select: none; pointer-events: auto; line-break: anywhere;
             }}
             *, ::before, ::after {{ box-sizing: content-box; margin: 3px; padding: 3px; border: 5px solid red; }}
             tail-cast {{ margin: 0; padding: 0; border: 0; width: 900px !important; box-sizing: border-box }}
             #log, .row, .text, header, button, input, h1 {{ background: red; display: none }}`;
         document.head.append(style)"
    ))
    .await?;
    page.wait_for_frame().await?;
    let after = page.value(ALL_STYLES).await?;
    let (Value::Array(before), Value::Array(after)) = (before, after) else { anyhow::bail!("no styles") };
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(&after) {
        let set = |text: &Value| {
            text.as_str().unwrap_or_default().split(';').map(str::to_owned).collect::<Vec<_>>()
        };
        let (before, after) = (set(before), set(after));
        let changed: Vec<_> = before.iter().zip(&after).filter(|(before, after)| before != after).collect();
        anyhow::ensure!(changed.is_empty(), "{:?}: {changed:?}", before.first());
    }
    page.close_without_errors().await
}

async fn axe_finds_no_violations_in_any_state(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::open(kind, "").await?;
    for (theme, rows) in [("light", 3), ("dark", 6)] {
        page.show(&format!(
            "<tail-cast negotiate=NEGOTIATE group=a theme={theme} publish></tail-cast>
             <tail-cast negotiate=NEGOTIATE group=b theme={theme}></tail-cast>
             <tail-cast></tail-cast>"
        ))
        .await?;
        page.run("for (const one of document.querySelectorAll('tail-cast')) one.style.height = '12rem'")
            .await?;
        page.connected(0).await?;
        page.connected(1).await?;
        page.stream_to("a", "INFO one\n\u{1b}[31mred\u{1b}[0m\nERROR two\n").await?;
        // The second page shows the lines of the first, too.
        page.until(&format!("part('#line-count').dataset.received === '{rows}' && rows(0).length >= 3"))
            .await?;
        axe::check(&page.browser, &format!("{theme}: lines, none, and words in place of them")).await?;
        page.run("element().search('o', { show: 'hits' }); element().pause(); part('#menu-button').click()")
            .await?;
        page.until("part('#menu').matches(':popover-open') && part('#resume')").await?;
        axe::check(&page.browser, &format!("{theme}: the menu of one")).await?;
        page.run("part('#menu').hidePopover(); element().toolbar = 'none'; element().style.width = '20rem'")
            .await?;
        page.wait_for_frame().await?;
        axe::check(&page.browser, &format!("{theme}: a narrow one without toolbar")).await?;
    }
    page.close_without_errors().await
}
