//! Earlier lines that are loaded when the user moves up.

use anyhow::Context;
use tailcast_tests::{browser::Browser, server::Server, streamer::stream};

use super::{PRESS_END, PRESS_HOME, ROWS, numbered, received, server_with_page};

#[tokio::test]
async fn scrolling_up_loads_more_and_nothing_moves_under_the_reader() -> anyhow::Result<()> {
    let server = server_with_page(&["--history", "1h,128MiB"]).await?;
    let browser = Browser::start().await?;
    // More than a page loads first.
    let line = |number: u32| format!("line {number} {}\n", "y".repeat(1_000));
    let input: String = (1..=24_000).map(line).collect();
    stream(&server, &[], &input).await?;
    browser.open(&server.url("/")).await?;
    browser.until("document.querySelector('.top-row')?.dataset.state === 'more'").await?;
    let first = browser.run("return Number(document.querySelector('#line-count').dataset.received)").await?;
    let first = first.as_u64().context("no count")?;
    assert!(first < 24_000, "{first} lines were loaded at first");
    // The line at the top stays there while lines are put above it.
    let moved = "
        const log = document.querySelector('#log');
        const frame = () => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)));
        const top = () => {
            const box = log.getBoundingClientRect();
            const rows = [...log.querySelectorAll('.row:not([hidden])')].map(row => [row, row.getBoundingClientRect()]);
            const [row, at] = rows.filter(([, at]) => at.bottom > box.top + 40).sort(([, a], [, b]) => a.top - b.top)[0];
            return [row.dataset.lineId, Math.round(at.top - box.top), row.querySelector('.gutter').textContent];
        };
        (async () => {
            log.dispatchEvent(new WheelEvent('wheel', { deltaY: -2000, bubbles: true }));
            log.scrollTop = 300;
            await frame();
            const before = top();
            const received = () => Number(document.querySelector('#line-count').dataset.received);
            const first = received();
            const until = performance.now() + 20000;
            while (received() === first && performance.now() < until) await frame();
            await frame();
            done([before, top(), received() - first]);
        })();";
    let moved = browser.run_async(moved).await?;
    assert_eq!(moved[0], moved[1], "the line in view, its place and its number");
    assert!(moved[2].as_u64() > Some(0), "{moved}");
    // All of them, in the end.
    let load_all = "
        const log = document.querySelector('#log');
        const frame = () => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)));
        (async () => {
            const until = performance.now() + 30000;
            while (performance.now() < until && ['more', 'loading'].includes(document.querySelector('.top-row').dataset.state)) {
                log.dispatchEvent(new WheelEvent('wheel', { deltaY: -2000, bubbles: true }));
                log.scrollTop = 0;
                await frame();
            }
            done(document.querySelector('#line-count').dataset.received);
        })();";
    assert_eq!(browser.run_async(load_all).await?, "24000");
    let top = browser.run("document.querySelector('#log').scrollTop = 0; return true").await;
    top?;
    browser.until("[...document.querySelectorAll('#log .row .text')].some(row => row.textContent.startsWith('line 1 '))").await?;
    Ok(())
}

#[tokio::test]
async fn a_full_page_shows_earlier_lines_in_place_of_the_newest_and_returns_to_the_end() -> anyhow::Result<()>
{
    let server = server_with_page(&[]).await?;
    let browser = Browser::start().await?;
    // Messages of many lines, so that one of them is dropped in part.
    stream(&server, &[], &numbered(1..=20_000)).await?;
    browser.open(&server.url("/?lines=2000")).await?;
    browser.until(&received(20_000)).await?;
    let first_lines = browser
        .run_async(&format!(
            "{ROWS}
        (async () => {{
            const wrong = [];
            while (!rows().some((row) => text(row) === 'line 1')) {{
                up(log.scrollTop);
                await frame();
                wrong.push(...misnumbered());
            }}
            done(wrong);
        }})();"
        ))
        .await?;
    assert_eq!(first_lines, serde_json::json!([]));
    // What arrives meanwhile is counted, and not lost.
    let newer = "Number(document.querySelector('#resume').dataset.new)";
    let before = browser.run(&format!("return {newer}")).await?;
    let before = before.as_u64().context("no count of new lines")?;
    assert!(before > 17_000, "{before}");
    stream(&server, &[], &numbered(20_001..=20_050)).await?;
    browser.until(&format!("{newer} === {}", before + 50)).await?;
    browser.run("document.querySelector('#resume').click()").await?;
    let last = format!("(() => {{ {ROWS} return rows().some((row) => text(row) === 'line 20050'); }})()");
    browser.until(&last).await?;
    let last_lines = browser
        .run_async(&format!(
            "{ROWS}
        (async () => {{
            const wrong = [];
            for (let screen = 0; screen < 20; screen++) {{
                wrong.push(...misnumbered());
                up(log.clientHeight / 2);
                await frame();
            }}
            done([wrong, document.querySelectorAll('#log .row[data-from=notice]').length]);
        }})();"
        ))
        .await?;
    assert_eq!(last_lines, serde_json::json!([[], 0]));
    assert_eq!(browser.console_errors().await?, [""; 0]);
    Ok(())
}

/// Lines of a kilobyte: several loads more than a page loads first.
const LONG_LINES: u32 = 28_000;

async fn page_with_many_earlier_lines() -> anyhow::Result<(Server, Browser)> {
    let server = server_with_page(&["--history", "1h,128MiB"]).await?;
    let browser = Browser::start().await?;
    let input: String =
        (1..=LONG_LINES).map(|number| format!("line {number} {}\n", "y".repeat(1_000))).collect();
    stream(&server, &[], &input).await?;
    browser.open(&server.url("/")).await?;
    browser.until("document.querySelector('.top-row')?.dataset.state === 'more'").await?;
    browser
        .run(
            "window.rowTexts = [];
             const row = document.querySelector('.top-row span');
             new MutationObserver(() => rowTexts.push(row.textContent))
                 .observe(row, { subtree: true, childList: true, characterData: true });",
        )
        .await?;
    Ok((server, browser))
}

const PROGRESS: &str = "rowTexts.filter((text) => text.startsWith('Loading earlier lines: '))";

#[tokio::test]
async fn one_press_of_home_goes_to_the_first_line_of_the_group() -> anyhow::Result<()> {
    let (_server, browser) = page_with_many_earlier_lines().await?;
    // A key of the keyboard: the browser scrolls as well.
    browser.client().active_element().await?.send_keys("\u{e011}").await?;
    let first =
        format!("(() => {{ {ROWS} return rows().some((row) => text(row).startsWith('line 1 ')); }})()");
    browser.until(&first).await?;
    browser.until(&received(LONG_LINES.into())).await?;
    browser.until("document.querySelector('#log').scrollTop === 0").await?;
    let progress: Vec<String> = serde_json::from_value(browser.run(&format!("return {PROGRESS}")).await?)?;
    let left = |text: &String| {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        digits.parse::<u64>()
    };
    let left = progress.iter().map(left).collect::<Result<Vec<_>, _>>()?;
    assert!(left.len() > 2 && left.is_sorted_by(|one, next| one >= next), "{progress:?}");
    assert!(left[0] > 8_000 && left[left.len() - 1] > 0, "{progress:?}");
    assert_eq!(browser.console_errors().await?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn the_way_to_the_first_line_ends_when_the_user_goes_elsewhere() -> anyhow::Result<()> {
    let (_server, browser) = page_with_many_earlier_lines().await?;
    browser.run(PRESS_HOME).await?;
    browser.until(&format!("{PROGRESS}.length > 0")).await?;
    browser.run(PRESS_END).await?;
    browser.until("document.querySelector('.top-row').dataset.state === 'more'").await?;
    let last = format!(
        "(() => {{ {ROWS} return rows().some((row) => text(row).startsWith('line {LONG_LINES} ')); }})()"
    );
    browser.until(&last).await?;
    let count = browser.run("return Number(document.querySelector('#line-count').dataset.received)").await?;
    assert!(count.as_u64() < Some(LONG_LINES.into()), "all of {count} lines were loaded");
    Ok(())
}

#[tokio::test]
async fn a_line_behind_those_that_a_full_page_holds_is_loaded_and_end_goes_to_the_end_at_once()
-> anyhow::Result<()> {
    let server = server_with_page(&[]).await?;
    let browser = Browser::start().await?;
    stream(&server, &[], &numbered(1..=20_000)).await?;
    browser.open(&server.url("/?lines=2000")).await?;
    browser.until(&received(20_000)).await?;
    let shown = |number: u32| {
        format!("(() => {{ {ROWS} return rows().some((row) => text(row) === 'line {number}'); }})()")
    };
    for number in [15_000, 12_000] {
        browser.run(PRESS_HOME).await?;
        browser.until(&shown(1)).await?;
        browser.run(&format!("location.hash = '#L{number}'")).await?;
        browser.until(&shown(number)).await?;
        let wrong = browser.run(&format!("{ROWS} return misnumbered()")).await?;
        assert_eq!(wrong, serde_json::json!([]));
        assert_eq!(browser.text("#said").await?, "");
    }
    // While a line is still to come, too.
    browser.run("location.hash = '#L30000'").await?;
    browser.until("document.querySelector('#said').textContent.includes('not been received yet')").await?;
    browser.run(PRESS_HOME).await?;
    browser.until(&shown(1)).await?;
    browser.run("location.hash = '#L15000'").await?;
    browser.run(PRESS_END).await?;
    browser.until(&shown(20_000)).await?;
    browser.until("!document.querySelector('#resume')").await?;
    stream(&server, &[], &numbered(20_001..=20_050)).await?;
    browser.until(&shown(20_050)).await
}

#[tokio::test]
async fn a_message_of_the_page_does_not_lie_under_the_follow_button() -> anyhow::Result<()> {
    let server = server_with_page(&[]).await?;
    let browser = Browser::start().await?;
    stream(&server, &[], &numbered(1..=500)).await?;
    browser.open(&server.url("/")).await?;
    browser.until(&received(500)).await?;
    browser.run(&format!("{ROWS} up(1000)")).await?;
    browser.until("document.querySelector('#resume')").await?;
    browser.run("location.hash = '#L99999'").await?;
    browser.until("document.querySelector('#said.shown')").await?;
    for (width, height) in [(390, 700), (800, 600), (1200, 800), (1440, 900)] {
        let size =
            serde_json::json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        browser.devtools("Emulation.setDeviceMetricsOverride", size).await?;
        let overlap = "
            const [one, other] = ['#said', '#resume'].map((name) => document.querySelector(name).getBoundingClientRect());
            return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;";
        assert_eq!(browser.run(overlap).await?, false, "at {width} by {height}");
    }
    Ok(())
}

#[tokio::test]
async fn home_in_a_full_page_goes_to_the_first_line_within_the_limits_of_the_page() -> anyhow::Result<()> {
    let server = server_with_page(&[]).await?;
    let browser = Browser::start().await?;
    stream(&server, &[], &numbered(1..=20_000)).await?;
    browser.open(&server.url("/?lines=2000")).await?;
    browser.until(&received(20_000)).await?;
    browser.run(PRESS_HOME).await?;
    let first = format!("(() => {{ {ROWS} return rows().some((row) => text(row) === 'line 1'); }})()");
    browser.until(&first).await?;
    let wrong = browser.run(&format!("{ROWS} return misnumbered()")).await?;
    assert_eq!(wrong, serde_json::json!([]));
    let held = browser.run("return Number(document.querySelector('#line-count').dataset.held)").await?;
    assert!(held.as_u64() <= Some(2_000), "{held}");
    browser.run("document.querySelector('#resume').click()").await?;
    let last = format!("(() => {{ {ROWS} return rows().some((row) => text(row) === 'line 20000'); }})()");
    browser.until(&last).await
}
