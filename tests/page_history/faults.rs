//! Faults while a page shows earlier lines: a renderer that stands still, clocks that jump, tokens that expire.

use std::{ops::RangeInclusive, time::Duration};

use anyhow::Context;
use serde_json::json;
use tailcast_tests::{
    browser::Browser,
    page_host::PageHost,
    server::{Server, http_client, signal},
    streamer::stream,
    with_timeout,
};
use webpubsub_protocol::token::{CLOCK_SKEW_SECONDS, UnixTime};

use super::{PRESS_HOME, ROWS, all_lines, expected, numbered, received, server_with_page, texts};

/// Lines that arrive while the renderer is stopped, one message each: more than a reliable connection may leave unacknowledged.
const LINES_MISSED: RangeInclusive<u32> = 101..=2_100;
/// Interval between them: they take ten seconds.
const INTERVAL: Duration = Duration::from_millis(5);

#[tokio::test]
async fn a_renderer_that_was_stopped_for_ten_seconds_shows_everything_afterwards() -> anyhow::Result<()> {
    let server = server_with_page(&[]).await?;
    let browser = Browser::start().await?;
    browser.open(&server.url("/")).await?;
    stream(&server, &[], &numbered(1..=100)).await?;
    browser.until(&received(100)).await?;
    let renderers = browser.renderers()?;
    anyhow::ensure!(!renderers.is_empty(), "Chromium has no renderer");
    for renderer in &renderers {
        signal(renderer.0, "STOP").await?;
    }
    let mut publisher = server.connect("publisher").await?;
    let mut interval = tokio::time::interval(INTERVAL);
    for number in LINES_MISSED {
        interval.tick().await;
        let send = json!({"type": "sendToGroup", "group": "stream", "noEcho": true, "dataType": "text", "data": format!("line {number}"), "ackId": number});
        publisher.ask(&send.to_string()).await?;
    }
    for renderer in &renderers {
        signal(renderer.0, "CONT").await?;
    }
    browser.until(&received(2_100)).await?;
    stream(&server, &[], &numbered(2_101..=2_110)).await?;
    browser.until(&received(2_110)).await?;
    assert_eq!(texts(&all_lines(&browser).await?), expected(1..=2_110), "without a notice");
    assert_eq!(browser.console_errors().await?.iter().filter(|line| line.contains("panicked")).count(), 0);
    Ok(())
}

#[tokio::test]
async fn lines_that_arrive_while_the_clock_jumps_are_all_there_and_no_duration_is_negative()
-> anyhow::Result<()> {
    let server = server_with_page(&[]).await?;
    let browser = Browser::start().await?;
    stream(&server, &[], &numbered(1..=10)).await?;
    browser.open(&server.url("/")).await?;
    browser.until(&received(10)).await?;
    browser
        .run(
            "const now = Date.now.bind(Date);
             window.jump = 0;
             Date.now = () => now() + window.jump;",
        )
        .await?;
    for (hours, lines) in [(2, 11..=20), (-3, 21..=30), (0, 31..=40), (-24, 41..=50)] {
        browser.run(&format!("window.jump = {hours} * 3600000")).await?;
        let last = u64::from(*lines.end());
        stream(&server, &[], &numbered(lines)).await?;
        browser.until(&received(last)).await?;
    }
    assert_eq!(texts(&all_lines(&browser).await?), expected(1..=50));
    // Time since the line above, in place of line numbers.
    browser.run("for (const press of [1, 2]) document.dispatchEvent(new KeyboardEvent('keydown', { key: 't', bubbles: true }))").await?;
    browser.until("[...document.querySelectorAll('#log .gutter')].some((gutter) => gutter.textContent.startsWith('+'))").await?;
    let lines = all_lines(&browser).await?;
    assert_eq!(texts(&lines), expected(1..=50));
    let is_elapsed = |gutter: &str| gutter.trim().starts_with('+') && !gutter.contains(['-', '−']);
    for (gutter, text) in lines.iter().skip(1) {
        assert!(is_elapsed(gutter), "{gutter} {text}");
    }
    let negative =
        browser.run("return document.body.innerText.match(/(^|\\s)[-−]\\d.*/)?.[0] ?? null").await?;
    assert!(negative.is_null(), "{negative}");
    // Everything once more after a reload, by the clock of the server.
    browser.run("window.isOld = true; location.reload()").await?;
    browser.until(&format!("!window.isOld && {}", received(50))).await?;
    assert_eq!(texts(&all_lines(&browser).await?), expected(1..=50));
    Ok(())
}

/// Returns a negotiate response with a token that the service accepts for some seconds, and the token.
fn negotiate_response(server: &Server, seconds: u64) -> anyhow::Result<(String, String)> {
    let key = server.connection_string()?.access_key;
    let url = server.client_url(&key, |claims| {
        // The service accepts tokens for a while after they have expired.
        let issued_at = claims.issued_at.map_or(0, |at| at.0);
        claims.expires_at = Some(UnixTime(issued_at + seconds - CLOCK_SKEW_SECONDS));
        claims.roles = vec!["webpubsub.joinLeaveGroup.stream".to_owned()];
    })?;
    let token = url.split_once("access_token=").context("no token")?.1.to_owned();
    let history = server.url("/history/hubs/stream");
    Ok((json!({ "url": url, "history": history }).to_string(), token))
}

#[tokio::test]
async fn an_expired_token_is_renewed_when_earlier_lines_are_loaded() -> anyhow::Result<()> {
    let server = server_with_page(&[]).await?;
    let (browser, host) = (Browser::start().await?, PageHost::start().await?);
    stream(&server, &[], &numbered(1..=20_000)).await?;
    let respond = |body: &str| {
        let headers = [("content-type", "application/json"), ("access-control-allow-origin", "*")];
        host.put_with("/negotiate", &headers, body);
    };
    let (short, token) = negotiate_response(&server, 15)?;
    respond(&short);
    browser.open(&server.url(&format!("/?lines=2000&negotiate={}", host.url("/negotiate")))).await?;
    browser.until(&received(20_000)).await?;
    with_timeout("expiry of the token", async {
        let url = server.url("/history/hubs/stream/groups/stream?last=1");
        while http_client()?.get(&url).bearer_auth(&token).send().await?.status() != 401 {}
        Ok(())
    })
    .await?;
    let requests =
        "performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/negotiate')).length";
    let before = browser.run(&format!("return {requests}")).await?.as_u64().context("no count")?;
    respond(&negotiate_response(&server, 3_600)?.0);
    browser.run(PRESS_HOME).await?;
    let is_first = format!("(() => {{ {ROWS} return rows().some((row) => text(row) === 'line 1'); }})()");
    browser.until(&is_first).await?;
    let after = browser.run(&format!("return {requests}")).await?.as_u64().context("no count")?;
    assert_eq!(after, before + 1, "the new token is used from then on");
    assert_eq!(browser.run("return document.querySelector('#status').dataset.state").await?, "connected");
    Ok(())
}
