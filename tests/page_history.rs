//! Earlier lines in the page: of a page that is opened late, reloaded, or cut off.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

use anyhow::Context;
use serde_json::Value;
use tailcast_tests::{
    browser::Browser,
    command::run,
    environment::{site, tailcast},
    fault_proxy::FaultProxy,
    server::Server,
    streamer::Streamer,
    viewer::Viewer,
};

fn numbered(lines: std::ops::RangeInclusive<u32>) -> String {
    lines.map(|number| format!("line {number}\n")).collect()
}

async fn server_with_page(arguments: &[&str]) -> anyhow::Result<Server> {
    let site = site()?;
    let site = site.to_str().context("the path of the site is not UTF-8")?;
    Server::start(&[&["--site", site], arguments].concat()).await
}

/// Publishes lines until all are acknowledged.
async fn stream(server: &Server, arguments: &[&str], input: &str) -> anyhow::Result<()> {
    let negotiate = server.negotiate_url();
    let all = [&["stream", "--negotiate", &negotiate], arguments].concat();
    let ended = run(&tailcast()?, &all, input.as_bytes()).await?;
    anyhow::ensure!(ended.code == Some(0), "{}", ended.stderr);
    Ok(())
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

#[tokio::test]
async fn a_page_that_is_opened_late_shows_what_came_before() -> anyhow::Result<()> {
    let server = server_with_page(&[]).await?;
    let browser = Browser::start().await?;
    stream(&server, &[], &numbered(1..=40)).await?;
    browser.open(&server.url("/")).await?;
    browser.until(&received(40)).await?;
    stream(&server, &[], &numbered(41..=60)).await?;
    browser.until(&received(60)).await?;
    let lines = all_lines(&browser).await?;
    assert_eq!(texts(&lines), expected(1..=60));
    // The same numbers as in a page that saw all of them.
    assert_eq!((lines[0].0.trim(), lines[59].0.trim()), ("1", "60"));
    browser.run("location.reload()").await?;
    browser.until("document.readyState === 'complete'").await?;
    browser.until(&received(60)).await?;
    assert_eq!(texts(&all_lines(&browser).await?), expected(1..=60));
    assert_eq!(browser.console_errors().await?, [""; 0]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_opened_in_a_flood_misses_nothing_and_shows_nothing_twice() -> anyhow::Result<()> {
    const LINES: u64 = 400_000;
    let server = server_with_page(&["--history", "15m,128MiB"]).await?;
    let browser = Browser::start().await?;
    let mut streamer = Streamer::start(&server.negotiate_url(), &[])?;
    let input: String = (0..LINES).map(|number| format!("{number:06}\n")).collect();
    let (first, rest) = input.split_at(input.len() / 4);
    streamer.write(first).await?;
    browser.open(&server.url("/?lines=1000000&mib=256")).await?;
    streamer.write(rest).await?;
    streamer.end_input();
    assert_eq!(streamer.wait_for_exit().await?.0, Some(0));
    browser.until(&received(LINES)).await?;
    let sample = "
        const log = document.querySelector('#log');
        const frame = () => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)));
        const wrong = [];
        (async () => {
            log.dispatchEvent(new WheelEvent('wheel', { deltaY: -2000, bubbles: true }));
            let rows = 0;
            for (let part = 0; part <= 100; part++) {
                log.scrollTop = (log.scrollHeight - log.clientHeight) * part / 100;
                await frame();
                for (const row of log.querySelectorAll('.row:not([hidden])')) {
                    const number = row.querySelector('.gutter').textContent.replaceAll(',', '').trim();
                    rows += 1;
                    if (Number(number) !== Number(row.querySelector('.text').textContent) + 1) wrong.push([number, row.textContent]);
                }
            }
            done({ rows, wrong: wrong.slice(0, 5), notices: log.querySelectorAll('[data-from=notice]').length });
        })();";
    let sample = browser.run_async(sample).await?;
    assert!(sample["rows"].as_u64() > Some(1_000), "{sample}");
    assert_eq!(
        (&sample["wrong"], &sample["notices"]),
        (&Value::from(Vec::<u64>::new()), &Value::from(0)),
        "{sample}"
    );
    Ok(())
}

#[tokio::test]
async fn lines_missed_by_a_connection_that_was_cut_are_filled_in() -> anyhow::Result<()> {
    let server = server_with_page(&[]).await?;
    let browser = Browser::start().await?;
    let proxy = FaultProxy::to(server.address()).await?;
    browser.open(&proxy.url("/")).await?;
    browser.until("document.querySelector('#status')?.dataset.state === 'connected'").await?;
    stream(&server, &[], &numbered(1..=10)).await?;
    browser.until(&received(10)).await?;
    let connection = "document.querySelector('#status').dataset.connectionId";
    let before = browser.run(&format!("return {connection}")).await?;
    // More messages than a reliable connection may leave unacknowledged: the service gives it up.
    proxy.refuse_handshakes(usize::MAX);
    proxy.drop_connections();
    let mut publisher = server.connect("publisher").await?;
    for number in 11..=1_500 {
        let text = format!("line {number}");
        publisher
            .ask(&serde_json::json!({"type": "sendToGroup", "group": "stream", "noEcho": true, "dataType": "text", "data": text, "ackId": number}).to_string())
            .await?;
    }
    proxy.refuse_handshakes(0);
    browser.until(&received(1_500)).await?;
    assert_ne!(browser.run(&format!("return {connection}")).await?, before, "it is another connection");
    let lines = all_lines(&browser).await?;
    assert_eq!(texts(&lines), expected(1..=1_500), "without a notice");
    Ok(())
}

#[tokio::test]
async fn lines_that_the_server_no_longer_keeps_are_counted() -> anyhow::Result<()> {
    let server = server_with_page(&["--history", "1h,1MiB"]).await?;
    let browser = Browser::start().await?;
    let long: String = (1..=3_000).map(|number| format!("line {number} {}\n", "x".repeat(1_000))).collect();
    stream(&server, &[], &long).await?;
    browser.open(&server.url("/")).await?;
    browser.until("document.querySelector('#status')?.dataset.state === 'connected'").await?;
    browser.until("document.querySelector('.top-row').dataset.state === 'gone'").await?;
    let gone = browser.text(".top-row span").await?;
    let gone: u64 = gone.split(' ').next().context("no count")?.replace(',', "").parse()?;
    let lines = all_lines(&browser).await?;
    assert_eq!(gone + lines.len() as u64, 3_000);
    assert_eq!(lines[0].0.trim().replace(',', ""), (gone + 1).to_string());
    assert!(lines[0].1.starts_with(&format!("line {} ", gone + 1)), "{:?}", lines[0].1.get(..20));
    Ok(())
}

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
async fn the_page_goes_on_when_the_service_ends_in_mid_transfer() -> anyhow::Result<()> {
    let server = server_with_page(&["--history", "1h,128MiB"]).await?;
    let browser = Browser::start().await?;
    let input: String = (1..=30_000).map(|number| format!("line {number} {}\n", "z".repeat(500))).collect();
    stream(&server, &[], &input).await?;
    let proxy = FaultProxy::to(server.address()).await?;
    browser.open(&proxy.url("/")).await?;
    browser.until("document.querySelector('#line-count')?.dataset.received > 0").await?;
    server.kill().await?;
    browser.until("document.querySelector('#status').dataset.state !== 'connected'").await?;
    browser
        .until("['complete', 'incomplete'].some(() => document.querySelector('.top-row').dataset.state !== 'loading')")
        .await?;
    assert_eq!(browser.console_errors().await?.iter().filter(|line| line.contains("panicked")).count(), 0);
    Ok(())
}

#[tokio::test]
async fn without_a_history_the_page_says_so() -> anyhow::Result<()> {
    let server = server_with_page(&["--history", "off"]).await?;
    let browser = Browser::start().await?;
    browser.open(&server.url("/")).await?;
    browser.until("document.querySelector('#status')?.dataset.state === 'connected'").await?;
    stream(&server, &[], "a line\n").await?;
    browser.until(&received(1)).await?;
    browser.until("document.querySelector('.top-row').dataset.state === 'unavailable'").await?;
    let text = browser.text(".top-row span").await?;
    assert!(text.contains("not available"), "{text}");
    Ok(())
}

#[tokio::test]
async fn two_groups_are_in_order_of_time() -> anyhow::Result<()> {
    let viewer = Viewer::open("/").await?;
    for (group, text) in [("a", "first"), ("b", "second"), ("a", "third"), ("b", "fourth")] {
        stream(&viewer.server, &["--group", group], &format!("{text}\n")).await?;
    }
    viewer.browser.open(&viewer.server.url("/?group=a,b")).await?;
    viewer.browser.until(&received(4)).await?;
    assert_eq!(texts(&all_lines(&viewer.browser).await?), ["first", "second", "third", "fourth"]);
    Ok(())
}

#[tokio::test]
async fn a_reload_keeps_the_place_the_search_and_the_filter() -> anyhow::Result<()> {
    let server = server_with_page(&[]).await?;
    let browser = Browser::start().await?;
    let lines: String = (1..=2_000)
        .map(|number| format!("{} line {number}\n", if number % 2 == 0 { "ERROR even" } else { "info odd" }))
        .collect();
    stream(&server, &[], &lines).await?;
    browser.open(&server.url("/")).await?;
    browser.until(&received(2_000)).await?;
    browser
        .run(
            "const field = document.querySelector('[aria-label=Find]');
             field.value = 'even line 1';
             field.dispatchEvent(new Event('input', { bubbles: true }));
             document.querySelector('button[data-level=error]').click();
             return field.value",
        )
        .await?;
    browser.until("document.querySelector('#line-count').textContent.includes('1,000 of 2,000')").await?;
    browser
        .run(
            "const log = document.querySelector('#log');
             log.dispatchEvent(new WheelEvent('wheel', { deltaY: -2000, bubbles: true }));
             log.scrollTop = 4000;",
        )
        .await?;
    browser
        .until("['find=even', 'levels=error', 'top='].every(part => location.hash.includes(part))")
        .await?;
    let top = "(() => {
            const log = document.querySelector('#log');
            const box = log.getBoundingClientRect();
            const rows = [...log.querySelectorAll('.row:not([hidden])')].map(row => [row, row.getBoundingClientRect()]);
            const visible = rows.filter(([, at]) => at.bottom > box.top + 2 && at.height > 0).sort(([, a], [, b]) => a.top - b.top);
            return visible[0]?.[0].querySelector('.text').textContent;
        })()";
    let hash = browser.run("return location.hash").await?;
    let before = browser.run(&format!("return {top}")).await?;
    browser.run("window.isOld = true; location.reload()").await?;
    browser.until(&format!("!window.isOld && {}", received(2_000))).await?;
    browser.until(&format!("{top} === {before}")).await?;
    assert_eq!(browser.run("return location.hash").await?, hash);
    Ok(())
}

#[tokio::test]
async fn a_copied_link_shows_the_same_line_in_another_page() -> anyhow::Result<()> {
    let server = server_with_page(&[]).await?;
    let (one, other) = (Browser::start().await?, Browser::start().await?);
    one.open(&server.url("/")).await?;
    one.until("document.querySelector('#status')?.dataset.state === 'connected'").await?;
    stream(&server, &[], &numbered(1..=3_000)).await?;
    one.until(&received(3_000)).await?;
    one.run(
        "const log = document.querySelector('#log');
         log.dispatchEvent(new WheelEvent('wheel', { deltaY: -2000, bubbles: true }));
         log.scrollTop = 10000;
         log.focus();",
    )
    .await?;
    one.until("location.hash.includes('top=')").await?;
    one.run("document.dispatchEvent(new KeyboardEvent('keydown', { key: 'l', bubbles: true }))").await?;
    one.until("location.hash.includes('at=')").await?;
    let linked =
        "document.querySelector('#log .row[data-linked]:not([data-linked=false]) .text')?.textContent";
    one.until(&format!("{linked}?.startsWith('line ')")).await?;
    let text = one.run(&format!("return {linked}")).await?;
    let hash = one.run("return location.hash").await?;
    let hash = hash.as_str().context("no fragment")?.to_owned();
    // A page that has seen none of the lines, while more arrive.
    stream(&server, &[], &numbered(3_001..=3_100)).await?;
    other.open(&server.url(&format!("/{hash}"))).await?;
    other.until(&format!("{linked} === {text}")).await?;
    // Another run of the server has no such line.
    let elsewhere = server_with_page(&[]).await?;
    stream(&elsewhere, &[], &numbered(1..=10)).await?;
    other.open(&elsewhere.url(&format!("/{hash}"))).await?;
    other.until("document.querySelector('#said')?.textContent.includes('restarted')").await?;
    Ok(())
}

#[tokio::test]
async fn the_groups_that_a_viewer_may_join_are_listed_with_their_last_lines() -> anyhow::Result<()> {
    let server = server_with_page(&[]).await?;
    let browser = Browser::start().await?;
    stream(&server, &["--group", "build"], "compiling\ndone\n").await?;
    stream(&server, &["--group", "deploy"], "waiting\n").await?;
    browser.open(&server.url("/")).await?;
    browser.until("document.querySelector('#status')?.dataset.state === 'connected'").await?;
    browser.run("document.dispatchEvent(new KeyboardEvent('keydown', { key: 'G', shiftKey: true, bubbles: true }))").await?;
    let names = "[...document.querySelectorAll('#groups li')].map(group => group.querySelector('.name').textContent + ': ' + group.querySelector('.last').textContent)";
    browser.until(&format!("{names}.includes('build: done') && {names}.includes('deploy: waiting')")).await?;
    browser.run("[...document.querySelectorAll('#groups a')].find(link => link.textContent.includes('build')).click()").await?;
    browser.until("location.search === '?group=build'").await?;
    browser.until(&received(2)).await?;
    assert_eq!(texts(&all_lines(&browser).await?), ["compiling", "done"]);
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

/// Reads the rows in view. Line n of these tests is `line n`.
const ROWS: &str = "
    const log = document.querySelector('#log');
    const frame = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    const rows = () => [...log.querySelectorAll('.row[data-from=group]:not([hidden])')];
    const text = (row) => row.querySelector('.text').textContent;
    const number = (row) => row.querySelector('.gutter').textContent.trim();
    const misnumbered = () => rows().filter((row) => text(row) !== `line ${number(row)}`).map((row) => row.textContent);
    const up = (pixels) => {
        log.dispatchEvent(new WheelEvent('wheel', { deltaY: -2000, bubbles: true }));
        log.scrollTop -= pixels;
    };";

#[tokio::test]
async fn a_line_number_in_the_address_loads_an_earlier_line() -> anyhow::Result<()> {
    let server = server_with_page(&[]).await?;
    let browser = Browser::start().await?;
    stream(&server, &[], &numbered(1..=20_000)).await?;
    browser.open(&server.url("/?lines=2000#L57")).await?;
    let shown = format!(
        "(() => {{ {ROWS} return rows().some((row) => number(row) === '57' && text(row) === 'line 57'); }})()"
    );
    browser.until(&shown).await?;
    assert_eq!(
        browser.run("return document.querySelector('div.shown > [role=status]')?.textContent ?? ''").await?,
        ""
    );
    Ok(())
}

#[tokio::test]
async fn states_of_an_unfinished_line_do_not_shift_the_line_numbers() -> anyhow::Result<()> {
    let server = server_with_page(&[]).await?;
    let browser = Browser::start().await?;
    let mut subscriber = server.subscribe().await?;
    let mut streamer = Streamer::start(&server.negotiate_url(), &[])?;
    // The line feed comes only when the unfinished line is published, and so once more.
    streamer.write(&(numbered(1..=10_000) + "line")).await?;
    while !subscriber.message_text().await?.ends_with("line") {}
    streamer.write(" 10001 at").await?;
    while !subscriber.message_text().await?.ends_with("line 10001 at") {}
    streamer.write(&format!(" last\n{}", numbered(10_002..=20_000))).await?;
    streamer.end_input();
    assert_eq!(streamer.wait_for_exit().await?.0, Some(0));
    browser.open(&server.url("/?lines=2000#L10001")).await?;
    let shown = format!(
        "(() => {{ {ROWS} return rows().some((row) => number(row) === '10001' && text(row) === 'line 10001 at last'); }})()"
    );
    browser.until(&shown).await?;
    Ok(())
}

#[tokio::test]
async fn a_group_that_begins_with_a_mark_has_no_earlier_lines() -> anyhow::Result<()> {
    let server = server_with_page(&[]).await?;
    let browser = Browser::start().await?;
    let negotiate = server.negotiate_url();
    let ended = run(&tailcast()?, &["run", "--negotiate", &negotiate, "--", "echo", "one"], b"").await?;
    anyhow::ensure!(ended.code == Some(0), "{}", ended.stderr);
    browser.open(&server.url("/")).await?;
    browser.until(&received(1)).await?;
    browser.until("document.querySelector('.top-row').dataset.state === 'empty'").await?;
    Ok(())
}

#[tokio::test]
async fn settings_in_the_address_apply_where_the_fragment_names_nothing() -> anyhow::Result<()> {
    let server = server_with_page(&[]).await?;
    let browser = Browser::start().await?;
    stream(&server, &[], "ERROR one\nINFO two\nERROR three\n").await?;
    browser.open(&server.url("/?levels=error&find=one")).await?;
    let lines = |count: usize| {
        format!("document.querySelectorAll('#log .row[data-from=group]:not([hidden])').length === {count}")
    };
    browser.until(&lines(2)).await?;
    assert_eq!(browser.run("return document.querySelector('#find input').value").await?, "one");
    // The fragment goes before the query.
    browser.run("location.hash = 'levels=info'").await?;
    browser.until(&lines(1)).await?;
    assert_eq!(browser.run("return document.querySelector('#find input').value").await?, "");
    Ok(())
}
