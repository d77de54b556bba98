//! Page in a browser, with the real server and the real streamer.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

use std::path::PathBuf;

use anyhow::Context;
use fantoccini::actions::{InputSource, WheelAction, WheelActions};
use serde_json::Value;
use tailcast_tests::{
    browser::Browser,
    command::run,
    environment::{site, tailcast},
    fixed_response::FixedResponse,
    server::Server,
    streamer::Streamer,
};

/// Starts a server with the page.
async fn server_with_page(arguments: &[&str]) -> anyhow::Result<Server> {
    server_with_page_on("127.0.0.1:0", arguments).await
}

async fn server_with_page_on(listen: &str, arguments: &[&str]) -> anyhow::Result<Server> {
    let site = site()?;
    let site = site.to_str().context("the path of the site is not UTF-8")?;
    Server::start_on(listen, &[&["--site", site], arguments].concat()).await
}

/// Opens the page of `server`, and waits until it is connected.
async fn open_connected(browser: &Browser, server: &Server) -> anyhow::Result<()> {
    browser.open(&server.url("/?id=ada")).await?;
    browser.until(&state_is("connected")).await
}

fn state_is(state: &str) -> String {
    format!("document.querySelector('#status')?.dataset.state === '{state}'")
}

fn received(count: usize) -> String {
    format!("document.querySelector('#line-count')?.dataset.received === '{count}'")
}

/// Returns a condition: a visible row has exactly this text.
fn shows(text: &str) -> String {
    let text = Value::from(text);
    format!("[...document.querySelectorAll('#log .row .text')].some(row => row.textContent === {text})")
}

/// Returns the visible rows from top to bottom: line id, origin and text.
async fn rows(browser: &Browser) -> anyhow::Result<Vec<(u64, String, String)>> {
    let rows = browser
        .run(
            "const log = document.querySelector('#log').getBoundingClientRect();
             return [...document.querySelectorAll('#log .row')]
                 .map(row => ({ row, box: row.getBoundingClientRect() }))
                 .filter(({ row, box }) => row.dataset.lineId && box.height > 0
                     && box.top >= log.top - 1 && box.bottom <= log.bottom + 1)
                 .sort((a, b) => a.box.top - b.box.top)
                 .map(({ row }) => [Number(row.dataset.lineId), row.dataset.from, row.querySelector('.text').textContent])",
        )
        .await?;
    Ok(serde_json::from_value(rows)?)
}

async fn stream(server: &Server, input: &str) -> anyhow::Result<()> {
    let arguments = ["stream", "--negotiate", &server.negotiate_url()];
    let ended = run(&tailcast()?, &arguments, input.as_bytes()).await?;
    anyhow::ensure!(ended.code == Some(0), "{}", ended.stderr);
    Ok(())
}

/// Returns the last error in the connection details.
async fn last_error(browser: &Browser) -> anyhow::Result<String> {
    let shown = browser.run("return document.querySelector('#details .last-error').textContent").await?;
    Ok(shown.as_str().context("no last error")?.to_owned())
}

fn numbered(from: usize, to: usize) -> String {
    (from..to).map(|number| format!("line {number}\n")).collect()
}

/// Sends wheel events over the middle of the log.
async fn turn_wheel(browser: &Browser, pixels: i64) -> anyhow::Result<()> {
    let scroll = WheelAction::Scroll { duration: None, x: 600, y: 400, delta_x: 0, delta_y: pixels };
    let wheel = WheelActions::new("wheel".to_owned()).then(scroll);
    tailcast_tests::with_timeout("the wheel", async { Ok(browser.client().perform_actions(wheel).await?) })
        .await
}

#[tokio::test]
async fn the_page_shows_its_connection_state_user_and_id() -> anyhow::Result<()> {
    let (server, browser) = (server_with_page(&[]).await?, Browser::start().await?);
    open_connected(&browser, &server).await?;
    let id = browser.run("return document.querySelector('#status').dataset.connectionId").await?;
    let id = id.as_str().context("no connection id")?;
    assert_eq!(id.len(), 32);
    assert_eq!(browser.text("#status").await?, "Connected as ada");
    let details = "return document.querySelector('#details .connection').textContent";
    assert_eq!(browser.run(details).await?, id);
    assert_eq!(browser.run("return document.querySelector('#status').dataset.userId").await?, "ada");
    assert_eq!(browser.console_errors().await?, [""; 0]);
    browser.close().await
}

#[tokio::test]
async fn piped_lines_appear_completely_and_in_order() -> anyhow::Result<()> {
    let (server, browser) = (server_with_page(&[]).await?, Browser::start().await?);
    open_connected(&browser, &server).await?;
    let count = 50_000;
    stream(&server, &numbered(0, count)).await?;
    browser.until(&received(count)).await?;
    browser.until(&shows(&format!("line {}", count - 1))).await?;
    assert_eq!(
        browser.run("return document.querySelector('#line-count').dataset.held").await?,
        count.to_string()
    );
    // The number of nodes is independent of the number of lines.
    let nodes = browser.run("return document.querySelectorAll('*').length").await?;
    assert!(nodes.as_u64().context("no number")? < 1500, "{nodes} nodes");
    // Samples screens from the end to the beginning: ids without gaps, each with the text of its line.
    let first_id = rows(&browser).await?[0].0;
    let offset = rows(&browser).await?[0].2.trim_start_matches("line ").parse::<u64>()?;
    let base = first_id - offset;
    for part in 0..=10 {
        let script = format!(
            "const log = document.querySelector('#log');
             log.scrollTop = (log.scrollHeight - log.clientHeight) * {part} / 10;
             return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(log.scrollTop))))"
        );
        browser.run(&script).await?;
        let rows = rows(&browser).await?;
        assert!(rows.len() > 10, "{part}: {rows:?}");
        for (at, (id, _, text)) in rows.iter().enumerate() {
            assert_eq!(*id, rows[0].0 + at as u64);
            assert_eq!(*text, format!("line {}", id - base));
        }
    }
    browser.close().await
}

#[tokio::test]
async fn lines_appear_while_the_streamer_is_running() -> anyhow::Result<()> {
    let (server, browser) = (server_with_page(&[]).await?, Browser::start().await?);
    open_connected(&browser, &server).await?;
    let mut streamer = Streamer::start(&server.negotiate_url(), &[])?;
    for line in ["first", "    four spaces,\ttab,  two spaces", "日本語 — é"] {
        streamer.write(&format!("{line}\n")).await?;
        browser.until(&shows(line)).await?;
    }
    let style = browser
        .run("const s = getComputedStyle(document.querySelector('#log .row .text')); return [s.whiteSpace, s.fontFamily]")
        .await?;
    assert!(
        style[0].as_str().is_some_and(|space| space.starts_with("pre") || space.starts_with("break-spaces")),
        "{style}"
    );
    assert!(style[1].as_str().is_some_and(|family| family.contains("monospace")), "{style}");
    browser.close().await
}

#[tokio::test]
async fn messages_of_the_server_are_distinguished() -> anyhow::Result<()> {
    let (server, browser) = (server_with_page(&[]).await?, Browser::start().await?);
    open_connected(&browser, &server).await?;
    stream(&server, "from the group\n").await?;
    let publish = ["publish", &server.connection_string()?.reveal(), "stream", "from the server"];
    assert_eq!(run(&tailcast()?, &publish, b"").await?.code, Some(0));
    browser.until(&shows("from the server")).await?;
    let shown: Vec<(String, String)> =
        rows(&browser).await?.into_iter().map(|(_, from, text)| (from, text)).collect();
    let expected = [("group", "from the group"), ("server", "from the server")];
    assert_eq!(shown, expected.map(|(from, text)| (from.to_owned(), text.to_owned())));
    let visible = browser.text("#log").await?;
    assert!(visible.to_lowercase().contains("server"), "{visible}");
    browser.close().await
}

#[tokio::test]
async fn scrolling_stops_following_until_the_button_resumes_it() -> anyhow::Result<()> {
    let (server, browser) = (server_with_page(&[]).await?, Browser::start().await?);
    open_connected(&browser, &server).await?;
    stream(&server, &numbered(0, 2000)).await?;
    browser.until(&shows("line 1999")).await?;
    turn_wheel(&browser, -2000).await?;
    browser.until("document.querySelector('#resume')").await?;
    browser.until(&format!("!({})", shows("line 1999"))).await?;
    let before = rows(&browser).await?;
    stream(&server, &numbered(2000, 7000)).await?;
    browser.until("document.querySelector('#resume')?.dataset.new === '5000'").await?;
    assert_eq!(rows(&browser).await?, before);
    let button = browser.text("#resume").await?;
    assert!(button.contains("5,000 new lines"), "{button}");
    browser.run("document.querySelector('#resume').click()").await?;
    browser.until(&shows("line 6999")).await?;
    browser.until("!document.querySelector('#resume')").await?;
    stream(&server, "followed again\n").await?;
    browser.until(&shows("followed again")).await?;
    browser.close().await
}

#[tokio::test]
async fn a_refused_join_is_reported_and_no_lines_are_shown() -> anyhow::Result<()> {
    let (server, browser) = (server_with_page(&[]).await?, Browser::start().await?);
    // An endpoint that always returns the same token.
    let body = serde_json::json!({ "url": server.negotiate("ada").await? }).to_string();
    let endpoint = FixedResponse::with("200 OK", "application/json", &body).await?;
    browser.open(&server.url(&format!("/?group=secret&negotiate={}", endpoint.url("/negotiate")))).await?;
    browser.until(&state_is("forbidden")).await?;
    let words = browser.text("#status").await?;
    assert!(words.contains("does not have permission to join group 'secret'"), "{words}");
    stream(&server, "not for you\n").await?;
    let publish = ["publish", &server.connection_string()?.reveal(), "stream", "for all"];
    assert_eq!(run(&tailcast()?, &publish, b"").await?.code, Some(0));
    browser.until(&shows("for all")).await?;
    assert!(rows(&browser).await?.iter().all(|(_, _, text)| text != "not for you"));
    browser.close().await
}

#[tokio::test]
async fn a_lost_server_is_reported_and_reconnected_after_a_restart() -> anyhow::Result<()> {
    let (server, browser) = (server_with_page(&[]).await?, Browser::start().await?);
    let address = server.address().to_owned();
    open_connected(&browser, &server).await?;
    stream(&server, "before\n").await?;
    browser.until(&shows("before")).await?;
    let id = "document.querySelector('#status').dataset.connectionId";
    let old_id = browser.run(&format!("return {id}")).await?;
    server.kill().await?;
    browser.until(&state_is("disconnected")).await?;
    let words = browser.text("#status").await?;
    assert!(words.starts_with("Reconnecting") && !words.contains("://"), "{words}");
    assert_ne!(last_error(&browser).await?, "none");
    let server = server_with_page_on(&address, &[]).await?;
    browser.until(&state_is("connected")).await?;
    assert_ne!(browser.run(&format!("return {id}")).await?, old_id);
    stream(&server, "after\n").await?;
    browser.until(&shows("after")).await?;
    let rows = rows(&browser).await?;
    let origins: Vec<&str> = rows.iter().map(|(_, from, _)| from.as_str()).collect();
    assert_eq!(origins, ["group", "notice", "group"], "the gap has a separate row");
    let gap = rows[1].2.as_str();
    assert!(gap.starts_with("Connection lost for ") && gap.ends_with("missing lines is unknown"), "{gap}");
    browser.close().await
}

#[tokio::test]
async fn an_invalid_negotiate_endpoint_is_reported_by_the_page() -> anyhow::Result<()> {
    let (server, browser) = (server_with_page(&[]).await?, Browser::start().await?);
    let missing = FixedResponse::with("404 Not Found", "text/plain", "").await?;
    let page = FixedResponse::with("200 OK", "text/html", "<!doctype html><title>hi</title>").await?;
    let wrong_url =
        FixedResponse::with("200 OK", "application/json", r#"{"url":"https://h/x?access_token=s3cret"}"#)
            .await?;
    let refusing =
        FixedResponse::with("200 OK", "application/json", r#"{"url":"ws://127.0.0.1:1/client/hubs/h"}"#)
            .await?;
    for (endpoint, headline, words) in [
        (missing.url("/negotiate"), "the server answered 404 Not Found", "answered 404 Not Found"),
        (page.url("/negotiate"), "did not answer with the URL of a service", "a web page (HTML)"),
        (wrong_url.url("/negotiate"), "did not answer with the URL of a service", "https://h/x"),
        (
            "http://127.0.0.1:1/negotiate".to_owned(),
            "cannot be reached",
            "127.0.0.1:1/negotiate cannot be reached",
        ),
        (
            refusing.url("/negotiate"),
            "did not accept the connection",
            "hubs/h did not accept the WebSocket (close code 1006",
        ),
    ] {
        browser.open(&server.url(&format!("/?negotiate={endpoint}"))).await?;
        browser.until(&state_is("failed")).await?;
        let shown = browser.run("return document.querySelector('#status').textContent").await?.to_string();
        assert!(shown.contains(headline) && !shown.contains("://"), "{endpoint}: {shown}");
        let last_error = last_error(&browser).await?;
        assert!(last_error.contains(words), "{endpoint}: {last_error}");
        assert!(!shown.contains("s3cret") && !last_error.contains("s3cret"), "{shown}, {last_error}");
    }
    browser.open(&server.url("/?group=%20")).await?;
    browser.until(&state_is("failed")).await?;
    assert!(browser.text("#status").await?.contains("group name"));
    browser.close().await
}

#[tokio::test]
async fn markup_is_shown_as_text_and_nul_as_a_symbol() -> anyhow::Result<()> {
    let (server, browser) = (server_with_page(&[]).await?, Browser::start().await?);
    open_connected(&browser, &server).await?;
    let markup = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"> &amp; <b>bold</b>";
    stream(&server, &format!("{markup}\nnul \0 here\n")).await?;
    browser.until(&shows(markup)).await?;
    browser.until(&shows("nul ␀ here")).await?;
    assert_eq!(
        browser.run("return document.querySelectorAll('#log script, #log img, #log b').length").await?,
        0
    );
    assert_ne!(browser.run("return document.title").await?, "owned");
    browser.close().await
}

/// Saves the screenshot of the README beside the build.
#[tokio::test]
async fn the_screenshot_of_the_readme_shows_the_running_page() -> anyhow::Result<()> {
    let (server, browser) = (server_with_page(&[]).await?, Browser::start().await?);
    open_connected(&browser, &server).await?;
    let build = "$ cargo build --release\n   Compiling proc-macro2 v1.0.106\n   Compiling unicode-ident v1.0.24\n   Compiling serde v1.0.229\n   Compiling tokio v1.54.1\n   Compiling webpubsub-protocol v0.1.0\n   Compiling webpubsub-client v0.1.0\n   Compiling webpubsub-hub v0.1.0\nwarning: unused variable: `answer`\n  --> src/deep_thought.rs:42:9\n   |\n42 |     let answer = 6 * 7;\n   |         ^^^^^^ help: if this is intentional, prefix it with an underscore: `_answer`\n\n   Compiling tailcast-server v0.1.0\n    Finished `release` profile [optimized] target(s) in 58.38s\n$ cargo test\nrunning 48 tests\ntest outbox::tests::what_piled_up_during_a_write_leaves_together_and_in_order ... ok\ntest session::tests::a_member_gets_its_own_message_before_the_ack_unless_it_wants_no_echo ... ok\n";
    stream(&server, build).await?;
    let publish =
        ["publish", &server.connection_string()?.reveal(), "stream", "Deploy of 0.1.0 begins at 14:00"];
    assert_eq!(run(&tailcast()?, &publish, b"").await?.code, Some(0));
    stream(&server, "test result: ok. 48 passed; 0 failed; 0 ignored; finished in 0.20s\n").await?;
    browser.until(&shows("test result: ok. 48 passed; 0 failed; 0 ignored; finished in 0.20s")).await?;
    let picture = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("page.png");
    browser.save_screenshot(&picture).await?;
    assert!(std::fs::metadata(&picture)?.len() > 10_000);
    browser.close().await
}
