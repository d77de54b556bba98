//! Controls of the page, by pointer and keyboard, at the widths of desktops and phones.

use anyhow::Context;
use fantoccini::Locator;
use serde_json::{Value, json};
use tailcast_tests::{browser::Kind, server::Server, viewer::Viewer};

/// Window sizes of the tests.
const WINDOWS: [(u32, u32); 3] = [(1440, 900), (1280, 800), (390, 844)];

/// Lines of several levels.
const LEVELS: &str = "ERROR one\nWARN two\nINFO three\nDEBUG four\nplain five\n";

/// Boxes of all visible controls of header and toolbar, by control.
const CONTROLS: &str = "[...document.querySelectorAll('header button, #find button, #find input')]
    .map(one => [one.id || one.title || one.textContent, one.getBoundingClientRect()])
    .filter(([, box]) => box.width > 0).map(([name, box]) => [name.replace(/: .*/, ''), box.x, box.y, box.width, box.height])";

/// Types into the focused element.
async fn keys(viewer: &Viewer, keys: &str) -> anyhow::Result<()> {
    viewer.browser.client().active_element().await?.send_keys(keys).await?;
    viewer.wait_for_frame().await
}

async fn click(viewer: &Viewer, selector: &str) -> anyhow::Result<()> {
    viewer.browser.client().find(Locator::Css(selector)).await?.click().await?;
    viewer.wait_for_frame().await
}

/// Returns the texts of the rows, from top to bottom.
async fn texts(viewer: &Viewer) -> anyhow::Result<Value> {
    viewer.value("[...document.querySelectorAll('#log .row .text')].map(text => text.textContent)").await
}

async fn search(viewer: &Viewer, pattern: &str) -> anyhow::Result<()> {
    let field = viewer.browser.client().find(Locator::Css("#find input")).await?;
    field.clear().await?;
    field.send_keys(pattern).await?;
    viewer.browser.until("document.querySelector('#find').dataset.counting === 'false'").await
}

tailcast_tests::in_every_browser! {
    escape_closes_every_dialog_and_nothing_else,
    scroll_keys_work_after_a_click_on_any_button,
    a_filter_without_matches_is_reported_with_a_reset_button,
    cleared_lines_are_restored_by_undo,
}

/// Id of the first line of a page whose service has a history: as many earlier ones can come before it.
const FIRST_LINE_ID: u64 = 1 << 40;

async fn escape_closes_every_dialog_and_nothing_else(kind: Kind) -> anyhow::Result<()> {
    let viewer = Viewer::open_in(kind, "/?find=o").await?;
    viewer.stream(LEVELS, 5).await?;
    let dialogs = [
        ("d", "details"),
        ("?", "keys"),
        ("S", "save"),
        ("g", "goto"),
        ("h", "highlights"),
        ("c", "columns"),
        ("G", "groups"),
    ];
    for (key, id) in dialogs {
        let is_open = format!("document.querySelector('#{id}').matches(':popover-open')");
        click(&viewer, "#log").await?;
        keys(&viewer, key).await?;
        viewer.browser.until(&is_open).await?;
        keys(&viewer, "\u{e00c}").await?;
        viewer.browser.until(&format!("!{is_open}")).await.context(id)?;
    }
    for (button, id) in [("#menu-button", "menu"), ("#details-button", "details")] {
        let is_open = format!("document.querySelector('#{id}').matches(':popover-open')");
        click(&viewer, button).await?;
        viewer.browser.until(&is_open).await?;
        keys(&viewer, "\u{e00c}").await?;
        viewer.browser.until(&format!("!{is_open}")).await.context(id)?;
    }
    assert_eq!(viewer.value("document.querySelector('#find input').value").await?, "o");
    viewer.browser.close().await
}

async fn scroll_keys_work_after_a_click_on_any_button(kind: Kind) -> anyhow::Result<()> {
    let viewer = Viewer::open_in(kind, "/").await?;
    let lines: String = (1..=2_000).map(|number| format!("ERROR line {number}\n")).collect();
    viewer.stream(&lines, 2_000).await?;
    let top = "document.querySelector('#log').scrollTop";
    for button in ["#case", "#regex", "#wrap", ".level[data-level=error]", "#filter [data-value=all]"] {
        click(&viewer, button).await?;
        keys(&viewer, "\u{e011}").await?;
        viewer
            .browser
            .until(&format!("{top} === 0"))
            .await
            .with_context(|| format!("Home after {button}"))?;
        click(&viewer, button).await?;
        keys(&viewer, "\u{e015}").await?;
        viewer.browser.until(&format!("{top} > 0")).await.with_context(|| format!("Down after {button}"))?;
        let before = viewer.value(top).await?;
        click(&viewer, button).await?;
        keys(&viewer, "\u{e00f}").await?;
        viewer
            .browser
            .until(&format!("{top} > {before}"))
            .await
            .with_context(|| format!("PageDown after {button}"))?;
        click(&viewer, button).await?;
        keys(&viewer, "\u{e010}").await?;
        viewer.browser.until("!document.querySelector('#resume')").await?;
    }
    viewer.browser.close().await
}

async fn a_filter_without_matches_is_reported_with_a_reset_button(kind: Kind) -> anyhow::Result<()> {
    let viewer = Viewer::open_in(kind, "/").await?;
    viewer.stream(LEVELS, 5).await?;
    search(&viewer, "nowhere").await?;
    assert_eq!(viewer.value("document.querySelector('#no-matches')").await?, Value::Null);
    click(&viewer, "#filter [data-value=matching]").await?;
    viewer.browser.until("document.querySelector('#no-matches')").await?;
    assert!(viewer.browser.text("#no-matches").await?.contains("No lines match “nowhere”"));
    click(&viewer, "#no-matches button").await?;
    viewer.browser.until("!document.querySelector('#no-matches')").await?;
    assert_eq!(texts(&viewer).await?.as_array().map(Vec::len), Some(5));
    search(&viewer, "").await?;
    click(&viewer, ".level[data-level=trace]").await?;
    viewer.browser.until("document.querySelector('#no-matches')").await?;
    assert!(viewer.browser.text("#no-matches").await?.contains("No lines of level trace"));
    click(&viewer, "#no-matches button").await?;
    viewer.browser.until("!document.querySelector('#no-matches')").await?;
    assert_eq!(texts(&viewer).await?.as_array().map(Vec::len), Some(5));
    viewer.browser.close().await
}

async fn cleared_lines_are_restored_by_undo(kind: Kind) -> anyhow::Result<()> {
    let viewer = Viewer::open_in(kind, "/").await?;
    viewer.stream("one\ntwo\n", 2).await?;
    click(&viewer, "#log").await?;
    keys(&viewer, "x").await?;
    viewer.browser.until("document.querySelector('#line-count').dataset.held === '0'").await?;
    viewer.stream("three\n", 3).await?;
    assert_eq!(texts(&viewer).await?, json!(["three"]));
    assert!(viewer.browser.text("#said").await?.contains("Cleared 2 lines"));
    click(&viewer, "#said button").await?;
    viewer.browser.until("document.querySelector('#line-count').dataset.held === '3'").await?;
    viewer.wait_for_frame().await?;
    assert_eq!(texts(&viewer).await?, json!(["one", "two", "three"]));
    viewer.browser.close().await
}

#[tokio::test]
async fn controls_keep_their_positions() -> anyhow::Result<()> {
    let viewer = Viewer::open("/").await?;
    viewer.stream(LEVELS, 5).await?;
    let mut count = 5;
    for (width, height) in WINDOWS {
        viewer.resize(width, height).await?;
        let before = viewer.value(CONTROLS).await?;
        assert!(before.as_array().is_some_and(|controls| controls.len() > 10), "{before}");
        for level in ["error", "warning", "trace"] {
            viewer
                .browser
                .run(&format!("document.querySelector('.level[data-level={level}]').click()"))
                .await?;
            viewer.wait_for_frame().await?;
            assert_eq!(viewer.value(CONTROLS).await?, before, "{width} px, {level} pressed");
        }
        let more: String = (0..5_000).map(|number| format!("ERROR {number}\nWARN {number}\n")).collect();
        count += 10_000;
        viewer.stream(&more, count).await?;
        assert_eq!(viewer.value(CONTROLS).await?, before, "{width} px, after many lines");
        let steps = "for (const one of document.querySelectorAll('.search button')) one.disabled = false";
        for pattern in ["1", "12", "nowhere"] {
            let input = format!(
                "const field = document.querySelector('#find input'); field.value = '{pattern}';
                 field.dispatchEvent(new Event('input', {{ bubbles: true }})); {steps}"
            );
            viewer.browser.run(&input).await?;
            viewer.wait_for_frame().await?;
            assert_eq!(viewer.value(CONTROLS).await?, before, "{width} px, search for {pattern}");
        }
        viewer
            .browser
            .run("for (const one of document.querySelectorAll('.level[aria-pressed=true]')) one.click()")
            .await?;
        viewer.wait_for_frame().await?;
    }
    viewer.browser.close().await
}

#[tokio::test]
async fn o_expands_the_json_line_that_was_clicked() -> anyhow::Result<()> {
    let viewer = Viewer::open("/").await?;
    let lines: String = (0..6).map(|number| format!("{{\"number\":{number}}}\n")).collect();
    viewer.stream(&lines, 6).await?;
    for number in [4, 1, 5].map(|line| FIRST_LINE_ID + line) {
        click(&viewer, &format!("#log .row[data-line-id='{number}'] .text")).await?;
        viewer
            .browser
            .until(&format!("document.querySelector('[data-line-id=\"{number}\"][data-current]')"))
            .await?;
        keys(&viewer, "o").await?;
        viewer
            .browser
            .until(&format!("document.querySelector('.row.open[data-line-id=\"{number}\"]')"))
            .await?;
        keys(&viewer, "o").await?;
        viewer.browser.until("!document.querySelector('.row.open')").await?;
    }
    viewer.browser.close().await
}

#[tokio::test]
async fn the_keyboard_shortcuts_fit_and_can_be_searched() -> anyhow::Result<()> {
    let viewer = Viewer::open("/").await?;
    for (width, height) in WINDOWS {
        viewer.resize(width, height).await?;
        viewer.browser.run("document.querySelector('#keys').showPopover()").await?;
        viewer.wait_for_frame().await?;
        let overlaps = viewer
            .value(
                "(() => { const boxes = [...document.querySelectorAll('#keys dt, #keys kbd')].map(one => [one.textContent, one.getBoundingClientRect()]);
                    return boxes.flatMap(([one, a], at) => boxes.slice(at + 1)
                        .filter(([, b]) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)
                        .map(([other]) => `${one} overlaps ${other}`)) })()",
            )
            .await?;
        assert_eq!(overlaps, json!([]), "{width} px");
        let outside = "(() => { const box = document.querySelector('#keys').getBoundingClientRect();
            return box.left < 0 || box.top < 0 || box.right > innerWidth || box.bottom > innerHeight })()";
        assert_eq!(viewer.value(outside).await?, false, "{width} px");
        viewer.browser.run("document.querySelector('#keys').hidePopover()").await?;
    }
    click(&viewer, "#find input").await?;
    viewer.browser.run("document.activeElement.blur()").await?;
    viewer.browser.client().find(Locator::Css("body")).await?.send_keys("?").await?;
    viewer.browser.until("document.querySelector('#keys').matches(':popover-open')").await?;
    keys(&viewer, "bookmark").await?;
    let found = "[...document.querySelectorAll('#keys dt')].map(one => one.textContent)";
    assert_eq!(
        viewer.value(found).await?,
        json!(["Bookmark the current line", "Next bookmark", "Previous bookmark"])
    );
    viewer.browser.close().await
}

#[tokio::test]
async fn menu_choices_show_their_state() -> anyhow::Result<()> {
    let viewer = Viewer::open("/").await?;
    // More lines than fit into the view: those that are in view are not new.
    viewer.stream(&LEVELS.repeat(40), 200).await?;
    let choices = "[...document.querySelectorAll('#filter button')].map(one => one.textContent)";
    assert_eq!(viewer.value(choices).await?, json!(["All lines", "Matches", "Non-matches"]));
    click(&viewer, "#menu-button").await?;
    click(&viewer, "#gutter [data-value=clock]").await?;
    viewer
        .browser
        .until("/^\\d\\d:\\d\\d:\\d\\d$/.test(document.querySelector('#log .gutter').textContent)")
        .await?;
    keys(&viewer, "\u{e00c}").await?;
    click(&viewer, "#log").await?;
    keys(&viewer, "p").await?;
    assert_eq!(viewer.browser.text("#resume .new").await?, "Follow");
    viewer.stream("six\nseven\n", 202).await?;
    viewer
        .browser
        .until("document.querySelector('#resume .new').textContent === 'Follow · 2 new lines'")
        .await?;
    viewer.browser.close().await
}

#[tokio::test]
async fn a_command_of_the_empty_page_is_copied() -> anyhow::Result<()> {
    let viewer = Viewer::open("/?publish&group=a%1Bb").await?;
    let command = viewer.browser.text("#log ~ * .command code, .empty .command code").await?;
    assert!(command.ends_with(r"--group $'a\033b'"), "{command}");
    click(&viewer, ".empty .command button").await?;
    viewer.browser.until("document.querySelector('#said.shown')?.textContent.includes('Copied')").await?;
    assert_eq!(viewer.value("String(getSelection())").await?, "", "nothing stays selected");
    click(&viewer, "#composer input").await?;
    keys(&viewer, "\u{e009}v").await?;
    viewer.browser.until("document.querySelector('#composer input').value !== ''").await?;
    assert_eq!(viewer.value("document.querySelector('#composer input').value").await?, command);
    viewer.browser.close().await
}

#[tokio::test]
async fn publishing_to_a_host_of_the_url_requires_confirmation() -> anyhow::Result<()> {
    let viewer = Viewer::open("/").await?;
    let elsewhere =
        Server::start(&["--allow-origin", &format!("http://{}", viewer.server.address())]).await?;
    let negotiate = elsewhere.negotiate_url();
    let host = negotiate.trim_start_matches("http://").trim_end_matches("/negotiate").to_owned();
    viewer.go(&format!("/?publish&negotiate={negotiate}")).await?;
    assert!(viewer.browser.text("header .host").await?.contains(&host));
    click(&viewer, "#composer input").await?;
    keys(&viewer, "secret\n").await?;
    viewer.browser.until("document.querySelector('#composer .confirm')").await?;
    assert!(viewer.browser.text("#composer .confirm").await?.contains(&host));
    assert_eq!(viewer.value("document.querySelector('#line-count').dataset.received").await?, "0");
    click(&viewer, "#composer .confirm button").await?;
    viewer.browser.until("document.querySelector('#line-count').dataset.received === '1'").await?;
    click(&viewer, "#composer input").await?;
    keys(&viewer, "another\n").await?;
    viewer.browser.until("document.querySelector('#line-count').dataset.received === '2'").await?;
    viewer.go("/?publish").await?;
    assert_eq!(viewer.value("document.querySelector('header .host')").await?, Value::Null);
    viewer.browser.close().await
}

#[tokio::test]
async fn phones_have_a_compact_header_and_large_touch_targets() -> anyhow::Result<()> {
    let viewer = Viewer::open("/?group=stream,other").await?;
    let phone = json!({ "width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true });
    viewer.browser.devtools("Emulation.setDeviceMetricsOverride", phone).await?;
    let touch = json!({ "enabled": true, "maxTouchPoints": 1 });
    viewer.browser.devtools("Emulation.setTouchEmulationEnabled", touch).await?;
    viewer.browser.until("matchMedia('(pointer: coarse)').matches").await?;
    viewer.stream("ERROR one\n{\"two\":2}\n{\"three\":3}\n", 3).await?;
    let top = viewer.value("document.querySelector('#log').getBoundingClientRect().top").await?;
    assert!(top.as_f64() <= Some(130.0), "the log begins at {top} px");
    let wide = viewer.value("document.documentElement.scrollWidth").await?;
    assert_eq!(wide, 390, "nothing is wider than the screen");
    let small = "[...document.querySelectorAll('button, input')].filter(one => one.checkVisibility() && getComputedStyle(one).pointerEvents !== 'none')
        .map(one => [one.id || one.title || one.textContent, one.getBoundingClientRect()])
        .filter(([, box]) => box.width < 44 || box.height < 44).map(([name, box]) => `${name}: ${box.width} × ${box.height}`)";
    assert_eq!(viewer.value(small).await?, json!([]));
    let tap = |selector: &str| {
        format!(
            "const box = document.querySelector(`{selector}`).getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]"
        )
    };
    let row = format!("[data-line-id='{}']", FIRST_LINE_ID + 2);
    for selector in ["text", "fold"].map(|part| format!("{row} .{part}")) {
        let at = viewer.browser.run(&tap(&selector)).await?;
        for (name, points) in [("touchStart", json!([{ "x": at[0], "y": at[1] }])), ("touchEnd", json!([]))] {
            let event = json!({ "type": name, "touchPoints": points });
            viewer.browser.devtools("Input.dispatchTouchEvent", event).await?;
        }
        viewer
            .browser
            .until(&format!("document.querySelector(`{row}[data-current]`)"))
            .await
            .context(selector)?;
        viewer.wait_for_frame().await?;
        assert_eq!(viewer.value(small).await?, json!([]));
    }
    viewer.browser.until(&format!("document.querySelector(`.row.open{row}`)")).await?;
    viewer.browser.run("document.querySelector('#menu').showPopover()").await?;
    viewer.wait_for_frame().await?;
    assert_eq!(viewer.value(small).await?, json!([]), "the menu");
    viewer.browser.close().await
}

#[tokio::test]
async fn the_header_shows_source_state_and_line_count() -> anyhow::Result<()> {
    let viewer = Viewer::open("/").await?;
    viewer.resize(1440, 900).await?;
    viewer.stream(LEVELS, 5).await?;
    let header = viewer.browser.text("header").await?;
    let id = viewer.value("document.querySelector('#status').dataset.connectionId").await?;
    let id = id.as_str().context("no connection id")?;
    for words in ["stream", "Connected", "5 lines", "/s"] {
        assert!(header.contains(words), "{words}: {header}");
    }
    assert!(!header.contains(id), "{header}");
    click(&viewer, "#details-button").await?;
    assert!(viewer.browser.text("#details").await?.contains(id));
    let axis = "[...document.querySelectorAll('#timeline .axis span')].map(one => one.textContent)";
    let axis = viewer.value(axis).await?;
    assert!(axis.as_array().is_some_and(|ends| ends.len() == 2 && ends[0] != ends[1]), "{axis}");
    // The newest bar is at the right end, for any number of bars.
    let bars = "(() => { const strip = document.querySelector('.strip').getBoundingClientRect();
        const bars = [...document.querySelectorAll('.strip .bars')].map(one => one.getBoundingClientRect()).filter(box => box.width > 0);
        return [strip.right - Math.max(...bars.map(box => box.right)), Math.min(...bars.map(box => box.left)) - strip.left, strip.width] })()";
    let bars: [f64; 3] = serde_json::from_value(viewer.value(bars).await?)?;
    assert!(bars[0] < bars[2] / 20.0 && bars[1] > bars[2] / 2.0, "{bars:?}");
    viewer.browser.close().await
}
