//! Long lines: matches within them are scrolled into view, and they can be read whole. Links in lines.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

use anyhow::Context;
use fantoccini::Locator;
use serde_json::json;
use tailcast_tests::{browser::Kind, viewer::Viewer};

/// Whether a match is within the view of the log, both ways.
const IS_IN_VIEW: &str = "(() => {
    const view = document.querySelector('#log').getBoundingClientRect();
    return [...document.querySelectorAll('#log .row[data-current] .hit')].some((hit) => {
        const box = hit.getBoundingClientRect();
        return box.width > 0 && box.left >= view.left && box.right <= view.right && box.top >= view.top && box.bottom <= view.bottom;
    });
})()";
const ENTER: &str = "\u{e007}";

async fn keys(viewer: &Viewer, keys: &str) -> anyhow::Result<()> {
    viewer.browser.client().active_element().await?.send_keys(keys).await?;
    viewer.wait_for_frame().await
}

async fn search(viewer: &Viewer, pattern: &str) -> anyhow::Result<()> {
    let field = viewer.browser.client().find(Locator::Css("#find input")).await?;
    field.clear().await?;
    field.send_keys(pattern).await?;
    viewer.browser.until("document.querySelector('#find').dataset.counting === 'false'").await
}

tailcast_tests::in_every_browser! {
    a_match_beside_the_view_is_scrolled_into_view,
    a_match_in_a_wrapped_line_that_is_higher_than_the_view_is_scrolled_into_view,
    a_match_beyond_what_is_shown_of_a_long_line_is_shown,
}

async fn a_match_beside_the_view_is_scrolled_into_view(kind: Kind) -> anyhow::Result<()> {
    let viewer = Viewer::open_in(kind, "/").await?;
    let line =
        format!("short\n{} needle {} needle {}\nend\n", "z".repeat(600), "y".repeat(900), "x".repeat(600));
    viewer.stream(&line, 3).await?;
    search(&viewer, "needle").await?;
    let left = "Math.round(document.querySelector('#log').scrollLeft)";
    keys(&viewer, ENTER).await?;
    viewer.browser.until(IS_IN_VIEW).await?;
    let first = viewer.value(left).await?.as_u64().context("no position")?;
    assert!(first > 0);
    // The second match of the line is too far away to be seen together with the first.
    keys(&viewer, ENTER).await?;
    viewer.browser.until(&format!("{left} > {first}")).await?;
    viewer.browser.until(IS_IN_VIEW).await?;
    viewer.stream(&format!("{}needle at the start\n", "\n".repeat(200)), 204).await?;
    search(&viewer, "at the start").await?;
    keys(&viewer, ENTER).await?;
    viewer.browser.until(&format!("{left} === 0")).await?;
    viewer.browser.until(IS_IN_VIEW).await?;
    viewer.browser.close().await
}

async fn a_match_in_a_wrapped_line_that_is_higher_than_the_view_is_scrolled_into_view(
    kind: Kind,
) -> anyhow::Result<()> {
    let viewer = Viewer::open_in(kind, "/?wrap=1").await?;
    if kind == Kind::Chromium {
        viewer.resize(390, 600).await?;
    }
    let line = format!("short\n{} needle {}\n", "z ".repeat(1_700), "y ".repeat(200));
    let before: String = (0..100).map(|number| format!("before {number}\n")).collect();
    viewer.stream(&(before + &line), 102).await?;
    search(&viewer, "needle").await?;
    keys(&viewer, ENTER).await?;
    viewer.browser.until(IS_IN_VIEW).await?;
    viewer.browser.close().await
}

async fn a_match_beyond_what_is_shown_of_a_long_line_is_shown(kind: Kind) -> anyhow::Result<()> {
    let viewer = Viewer::open_in(kind, "/").await?;
    let line = format!("short\n{}needle{}\nend\n", "z".repeat(15_000), "y".repeat(5_000));
    viewer.stream(&line, 3).await?;
    let more = "document.querySelector('#log button.more')";
    assert_eq!(viewer.value(&format!("{more}.textContent")).await?, "… 16,006 more characters");
    search(&viewer, "needle").await?;
    keys(&viewer, ENTER).await?;
    viewer.browser.until(IS_IN_VIEW).await?;
    let length = "document.querySelector('#log .row:nth-child(2) .text').textContent.length";
    assert_eq!(viewer.value(length).await?, 20_006);
    // It wraps within the view.
    assert_eq!(viewer.value("document.querySelector('#log').scrollLeft").await?, 0);
    // Shortened, and shown whole again, by the key and by the button.
    let log = viewer.browser.client().find(Locator::Css("#log")).await?;
    log.send_keys("w").await?;
    viewer.browser.until(&format!("{length} === 4000")).await?;
    viewer.browser.client().find(Locator::Css("#log button.more")).await?.click().await?;
    viewer.browser.until(&format!("{length} === 20006")).await?;
    // The rows below follow the line without a gap.
    log.send_keys("\u{e010}").await?;
    let gap = "(() => {
        const rows = [...document.querySelectorAll('#log .row:not([hidden])')];
        const [one, next] = rows.slice(-2).map((row) => row.getBoundingClientRect());
        return rows.at(-1).textContent.endsWith('end') ? Math.round(next.top - one.bottom) : null;
    })()";
    viewer.browser.until(&format!("{gap} === 0")).await?;
    viewer.browser.close().await
}

#[tokio::test]
async fn urls_in_the_text_are_links_that_pass_nothing_on() -> anyhow::Result<()> {
    let viewer = Viewer::open("/").await?;
    viewer
        .stream("see https://example.org/a_(b)?x=1&y=2. and (https://example.org/p) not javascript://x\n", 1)
        .await?;
    let links = "[...document.querySelectorAll('#log a')].map((a) => [a.textContent, a.getAttribute('href'), a.target, a.rel])";
    let link = |url: &str| json!([url, url, "_blank", "noopener noreferrer"]);
    assert_eq!(
        viewer.value(links).await?,
        json!([link("https://example.org/a_(b)?x=1&y=2"), link("https://example.org/p")])
    );
    assert_eq!(viewer.browser.console_errors().await?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn ctrl_f_opens_the_search_and_once_more_the_one_of_the_browser() -> anyhow::Result<()> {
    let viewer = Viewer::open("/?publish").await?;
    viewer.stream("one\n", 1).await?;
    let press = "(() => {
        const event = new KeyboardEvent('keydown', { key: 'f', ctrlKey: true, bubbles: true, cancelable: true, composed: true });
        document.activeElement.dispatchEvent(event);
        return [event.defaultPrevented, document.activeElement === document.querySelector('#find input')];
    })()";
    for focus in ["#log", "#composer input", "#menu-button"] {
        viewer.browser.run(&format!("document.querySelector('{focus}').focus()")).await?;
        assert_eq!(viewer.value(press).await?, json!([true, true]), "{focus}");
        assert_eq!(viewer.value(press).await?, json!([false, true]), "the browser's own");
    }
    Ok(())
}
