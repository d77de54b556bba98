//! Pages that are opened late, or cut off.

use anyhow::Context;
use serde_json::Value;
use tailcast_tests::{
    browser::Browser,
    command::run,
    environment::tailcast,
    fault_proxy::FaultProxy,
    streamer::{Streamer, stream},
    viewer::Viewer,
};

use super::{all_lines, expected, numbered, received, server_with_page, texts};

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
