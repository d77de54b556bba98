//! Accessibility of the page: axe in all states, phones, zoom, keyboard and reduced motion.

use serde_json::{Value, json};
use tailcast_tests::{axe, browser::Browser, command::run, environment::tailcast, viewer::Viewer};

const OUTPUT: &str = "plain output of a build\n\u{1b}[31mred\u{1b}[0m \u{1b}[1;32mbold green\u{1b}[0m \u{1b}[2mdim\u{1b}[0m \u{1b}[2;33mdim yellow\u{1b}[0m \u{1b}[7minverse\u{1b}[0m \u{1b}[38;5;208morange\u{1b}[0m \u{1b}[97;44mwhite on blue\u{1b}[0m \u{1b}[90mgrey\u{1b}[0m\nERROR timeout after 503 ms\nWARN slow\nINFO {\"level\":\"info\",\"msg\":\"json\"}\nDEBUG a\u{202e}b \u{1b}]8;;https://example.com/\u{7}link\u{1b}]8;;\u{7}\n";

async fn press(viewer: &Viewer, key: &str) -> anyhow::Result<()> {
    let press = format!(
        "document.querySelector('#log').dispatchEvent(new KeyboardEvent('keydown', {{ key: {}, bubbles: true }}))",
        Value::from(key)
    );
    viewer.browser.run(&press).await?;
    viewer.wait_for_frame().await
}

/// Checks all states of the page in one theme.
async fn walk(theme: &str) -> anyhow::Result<()> {
    let viewer = Viewer::open(&format!("/?theme={theme}&marks=timeout%0Ared:+json")).await?;
    let check =
        async |browser: &Browser, state: &str| axe::check(browser, &format!("{theme}, {state}")).await;
    check(&viewer.browser, "empty").await?;
    viewer.stream(OUTPUT, 6).await?;
    let connection = viewer.server.connection_string()?.reveal();
    let publish = ["publish", &connection, "stream", "from the server"];
    run(&tailcast()?, &publish, b"").await?;
    check(&viewer.browser, "lines").await?;
    viewer.browser.run(
        "const field = document.querySelector('#find input'); field.value = 'e'; field.dispatchEvent(new Event('input', { bubbles: true }))",
    ).await?;
    for key in ["n", "m", "l"] {
        press(&viewer, key).await?;
    }
    check(&viewer.browser, "a search, a bookmark, a linked line").await?;
    let middle = "(({ x, y, height }) => [x + height, y + height / 2])(document.querySelectorAll('#log .row')[2].getBoundingClientRect())";
    let [x, y]: [f64; 2] = serde_json::from_value(viewer.value(middle).await?)?;
    let over = json!({ "type": "mouseMoved", "x": x, "y": y });
    viewer.browser.devtools("Input.dispatchMouseEvent", over).await?;
    viewer.wait_for_frame().await?;
    assert_eq!(viewer.value("document.querySelectorAll('#log .row')[2].matches(':hover')").await?, true);
    check(&viewer.browser, "a row under the pointer").await?;
    for (state, prepare) in [
        (
            "a selected line",
            "getSelection().selectAllChildren(document.querySelectorAll('#log .row .text')[1])",
        ),
        ("a current line", "getSelection().collapse(document.querySelectorAll('#log .row .text')[0], 0)"),
    ] {
        viewer.browser.run(prepare).await?;
        viewer.wait_for_frame().await?;
        check(&viewer.browser, state).await?;
    }
    press(&viewer, "&").await?;
    check(&viewer.browser, "a filter").await?;
    press(&viewer, "5").await?;
    viewer.browser.until("document.querySelector('#no-matches')").await?;
    check(&viewer.browser, "a filter without a match").await?;
    press(&viewer, "5").await?;
    for (key, id) in [("?", "keys"), ("g", "goto"), ("h", "highlights"), ("S", "save"), ("d", "details")] {
        press(&viewer, key).await?;
        anyhow::ensure!(
            viewer.value(&format!("document.querySelector('#{id}').matches(':popover-open')")).await? == true,
            "{key} opens #{id}"
        );
        check(&viewer.browser, id).await?;
        viewer.browser.run(&format!("document.querySelector('#{id}').hidePopover()")).await?;
    }
    viewer.browser.run("document.querySelector('#menu-button').click()").await?;
    check(&viewer.browser, "the menu").await?;
    viewer.browser.run("document.querySelector('#menu').hidePopover()").await?;
    viewer.resize(360, 640).await?;
    check(&viewer.browser, "on a phone").await?;
    let Viewer { server, browser } = viewer;
    server.kill().await?;
    browser.until("document.querySelector('#status').dataset.state === 'disconnected'").await?;
    check(&browser, "disconnected").await?;
    browser.close().await
}

#[tokio::test]
async fn axe_finds_no_violations_in_the_light_theme() -> anyhow::Result<()> {
    walk("light").await
}

#[tokio::test]
async fn axe_finds_no_violations_in_the_dark_theme() -> anyhow::Result<()> {
    walk("dark").await
}

#[tokio::test]
async fn the_page_fits_a_phone_and_a_zoom_of_200_percent() -> anyhow::Result<()> {
    let viewer = Viewer::open("/").await?;
    viewer.stream(&OUTPUT.repeat(20), 120).await?;
    // A zoom of 200 % halves the viewport: 1280 × 800 becomes 640 × 400.
    for (width, height) in [(360, 640), (640, 400)] {
        viewer.resize(width, height).await?;
        let overflow = "document.documentElement.scrollWidth - innerWidth";
        assert!(viewer.value(overflow).await?.as_i64() <= Some(0), "{width}: wider than the screen");
        let log = viewer.value("document.querySelector('#log').getBoundingClientRect().height").await?;
        assert!(
            log.as_f64() >= Some(f64::from(height) * 0.5),
            "{width} × {height}: {log} px are left for lines"
        );
        let unreachable = viewer
            .value(
                "[...document.querySelectorAll('header button, #find button, #find input')].filter(one => {
                     // The filters scroll sideways.
                     if (getComputedStyle(one.closest('.facets') ?? one).overflowX === 'auto') return false;
                     const box = one.getBoundingClientRect();
                     return box.width > 0 && (box.left < 0 || box.right > innerWidth + 1);
                 }).map(one => one.textContent)",
            )
            .await?;
        assert_eq!(unreachable, Value::Array(Vec::new()), "{width}: beyond the edge");
    }
    viewer.browser.close().await
}

#[tokio::test]
async fn reduced_motion_disables_animations() -> anyhow::Result<()> {
    let viewer = Viewer::open("/").await?;
    let features =
        serde_json::json!({ "features": [{ "name": "prefers-reduced-motion", "value": "reduce" }] });
    viewer.browser.devtools("Emulation.setEmulatedMedia", features).await?;
    viewer.wait_for_frame().await?;
    assert_eq!(viewer.value("document.getAnimations().length").await?, 0);
    viewer.browser.close().await
}
