//! Earlier lines in the page: of a page that is opened late, reloaded, or cut off.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

mod faults;
mod groups;
mod links;
mod opening;
mod scrolling;

use anyhow::Context;
use tailcast_tests::{browser::Browser, environment::site, server::Server};

fn numbered(lines: std::ops::RangeInclusive<u32>) -> String {
    lines.map(|number| format!("line {number}\n")).collect()
}

async fn server_with_page(arguments: &[&str]) -> anyhow::Result<Server> {
    let site = site()?;
    let site = site.to_str().context("the path of the site is not UTF-8")?;
    Server::start(&[&["--site", site], arguments].concat()).await
}

fn received(count: u64) -> String {
    format!("document.querySelector('#line-count')?.dataset.received === '{count}'")
}

/// Scrolls through the whole log, and returns the number and the text of each line.
const READ_ALL: &str = "
    const log = document.querySelector('#log');
    const frame = () => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    const lines = new Map();
    const read = () => {
        for (const row of log.querySelectorAll('.row:not([hidden])')) {
            if (row.dataset.from === 'group' || row.dataset.from === 'notice') {
                lines.set(Number(row.dataset.lineId), [row.querySelector('.gutter')?.textContent ?? '', row.querySelector('.text').textContent]);
            }
        }
    };
    (async () => {
        log.dispatchEvent(new WheelEvent('wheel', { deltaY: -2000, bubbles: true }));
        log.scrollTop = 0;
        await frame();
        for (let top = 0; ; top += log.clientHeight / 2) {
            log.scrollTop = top;
            await frame();
            read();
            if (top >= log.scrollHeight - log.clientHeight) break;
        }
        done([...lines].sort(([a], [b]) => a - b).map(([, line]) => line));
    })();";

async fn all_lines(browser: &Browser) -> anyhow::Result<Vec<(String, String)>> {
    Ok(serde_json::from_value(browser.run_async(READ_ALL).await?)?)
}

fn texts(lines: &[(String, String)]) -> Vec<&str> {
    lines.iter().map(|(_, text)| text.as_str()).collect()
}

fn expected(lines: std::ops::RangeInclusive<u32>) -> Vec<String> {
    lines.map(|number| format!("line {number}")).collect()
}

/// Reads the rows in view. Line n of these tests is `line n`.
const ROWS: &str = "
    const log = document.querySelector('#log');
    const frame = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    const rows = () => [...log?.querySelectorAll('.row[data-from=group]:not([hidden])') ?? []];
    const text = (row) => row.querySelector('.text').textContent;
    const number = (row) => row.querySelector('.gutter').textContent.trim();
    const misnumbered = () => rows().filter((row) => text(row) !== `line ${number(row)}`).map((row) => row.textContent);
    const up = (pixels) => {
        log.dispatchEvent(new WheelEvent('wheel', { deltaY: -2000, bubbles: true }));
        log.scrollTop -= pixels;
    };";

/// Presses Home.
const PRESS_HOME: &str =
    "document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'Home', bubbles: true }))";

/// Presses End.
const PRESS_END: &str =
    "document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'End', bubbles: true }))";
