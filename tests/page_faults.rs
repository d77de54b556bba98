//! Page over a faulty network: every line is shown once, in order, without a gap.

use std::path::Path;

use anyhow::Context;
use tailcast_tests::{
    browser::Browser,
    environment::{node_modules, site},
    fault_proxy::FaultProxy,
    server::Server,
    streamer::Streamer,
};

const LINES: u64 = 100_000;
const CUTS: u64 = 12;

async fn server_with_page() -> anyhow::Result<Server> {
    let site = site()?;
    Server::start(&["--site", site.to_str().context("the path of the site is not UTF-8")?]).await
}

#[tokio::test]
async fn the_page_receives_all_lines_despite_dropped_connections() -> anyhow::Result<()> {
    let (server, browser) = (server_with_page().await?, Browser::start().await?);
    let proxy = FaultProxy::to(server.address()).await?;
    browser.open(&proxy.url("/?id=ada")).await?;
    browser.until("document.querySelector('#status')?.dataset.state === 'connected'").await?;
    let id = "return document.querySelector('#status').dataset.connectionId";
    let connection = browser.run(id).await?;
    let mut streamer = Streamer::start(&server.negotiate_url(), &[])?;
    for part in 0..CUTS {
        let (from, to) = (LINES * part / CUTS, LINES * (part + 1) / CUTS);
        // The fault occurs in the middle of a part.
        let middle = from.midpoint(to);
        let lines = |from, to| (from..to).map(|number| format!("line {number}\n")).collect::<String>();
        streamer.write(&lines(from, middle)).await?;
        if part % 2 == 0 {
            proxy.drop_connections();
        } else {
            proxy.reset_connections();
        }
        streamer.write(&lines(middle, to)).await?;
        browser.until(&format!("document.querySelector('#line-count').dataset.received === '{to}'")).await?;
    }
    streamer.end_input();
    assert_eq!(streamer.wait_for_exit().await?.0, Some(0));
    assert_eq!(browser.run(id).await?, connection, "it is the same connection");
    assert_eq!(
        browser.run("return document.querySelectorAll('#log [data-from=notice]').length").await?,
        0,
        "no gap is told"
    );
    // Samples rows: each text has the number of its row, so no earlier line is missing or duplicated.
    let mut rows: Vec<(u64, String)> = Vec::new();
    for part in 0..=20 {
        let look = format!(
            "const log = document.querySelector('#log');
             // Only input of the user stops following.
             log.dispatchEvent(new WheelEvent('wheel', {{ deltaY: -2000, bubbles: true }}));
             log.scrollTop = (log.scrollHeight - log.clientHeight) * {part} / 20;
             return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() =>
                 done([...log.querySelectorAll('.row')].filter(row => row.dataset.lineId)
                     .map(row => [Number(row.dataset.lineId), row.querySelector('.text').textContent])))))"
        );
        rows.extend(serde_json::from_value::<Vec<(u64, String)>>(browser.run(&look).await?)?);
    }
    let (first_id, first_text) = rows.first().context("no rows")?;
    let first_number: u64 = first_text.trim_start_matches("line ").parse()?;
    let mut numbers = std::collections::BTreeSet::new();
    for (id, text) in &rows {
        assert_eq!(*text, format!("line {}", id + first_number - first_id));
        numbers.insert(text);
    }
    assert!(numbers.len() > 500, "only {} different lines were looked at", numbers.len());
    assert_eq!(browser.console_errors().await?, [""; 0]);
    browser.close().await
}

#[tokio::test]
async fn official_client_page_and_streamer_share_a_group() -> anyhow::Result<()> {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    let (server, browser) = (server_with_page().await?, Browser::start().await?);
    browser.open(&server.url("/?id=ada")).await?;
    browser.until("document.querySelector('#status')?.dataset.state === 'connected'").await?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("strangers/client_sdk.js");
    let mut node = tailcast_tests::command::command(Path::new("node"));
    node.env("NODE_PATH", node_modules()?).arg(script).args([&server.negotiate_url(), "reliable"]);
    let mut node = node.stdin(std::process::Stdio::piped()).spawn()?;
    let mut told = BufReader::new(node.stdout.take().context("no standard output")?).lines();
    let mut until = async |words: &str| {
        tailcast_tests::with_timeout(words, async {
            while !told.next_line().await?.context("the SDK ended")?.contains(words) {}
            Ok(())
        })
        .await
    };
    until("joined").await?;
    let mut streamer = Streamer::start(&server.negotiate_url(), &[])?;
    streamer.write("from ours\n").await?;
    until("from ours").await?;
    node.stdin.as_mut().context("no standard input")?.write_all(b"from theirs\n").await?;
    let shown =
        "[...document.querySelectorAll('#log .row .text')].some(row => row.textContent === 'from theirs')";
    browser.until(shown).await?;
    browser.close().await
}

#[tokio::test]
async fn a_page_that_is_opened_after_restarts_of_the_server_connects_at_once() -> anyhow::Result<()> {
    let site = site()?;
    let site = site.to_str().context("the path of the site is not UTF-8")?;
    let (mut server, browser) = (server_with_page().await?, Browser::start().await?);
    let connected = "document.querySelector('#status')?.dataset.state === 'connected'";
    browser.open(&server.url("/")).await?;
    browser.until(connected).await?;
    for number in 0..8 {
        // The page before goes into the browser's cache of pages while it tries to connect again.
        let address = server.address().to_string();
        server.kill().await?;
        server = Server::start_on(&address, &["--site", site]).await?;
        browser.open(&server.url(&format!("/?restart={number}"))).await?;
        browser.until(connected).await.with_context(|| format!("after restart {number}"))?;
    }
    Ok(())
}
