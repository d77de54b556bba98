//! Earlier lines in a page: from the connection to the last line on the screen.

use anyhow::Context;
use serde_json::json;
use tailcast_tests::{browser::Browser, server::Server, socket::Socket, streamer::stream};

use super::server_with_page;

/// Number of measured loads.
const LOADS: usize = 5;
/// Lines that were published before the page was opened.
const LINES: usize = 100_000;
/// Messages of one line that were published before the page was opened.
const MESSAGES: usize = 2_000;

/// Runs before the page's own scripts. Marks the first frame in which the page has as many lines as were published.
const WATCH: &str = "
    const watch = () => {
        const count = document.querySelector('#line-count')?.dataset.received;
        const isRendered = [...document.querySelectorAll('#log .row .text')].some((text) => text.textContent);
        if (count === 'LINES' && isRendered) {
            performance.mark('measured-lines');
        } else {
            requestAnimationFrame(watch);
        }
    };
    requestAnimationFrame(watch);";

/// Prints the times until a page shows 100,000 lines that came before it.
pub async fn earlier_lines() -> anyhow::Result<()> {
    let server = server_with_page().await?;
    let lines: String =
        (0..LINES).map(|number| format!("{number:06} a line of a log that came before\n")).collect();
    stream(&server, &[], &lines).await?;
    measure(&server, "lines_ms", LINES).await
}

/// Prints the times until a page shows 2,000 messages of one line each that came before it.
pub async fn small_messages() -> anyhow::Result<()> {
    let server = server_with_page().await?;
    let url = server.negotiate("publisher").await?;
    let mut socket = Socket::open(&url, &["json.webpubsub.azure.v1"]).await?;
    socket.json().await?;
    for number in 1..=MESSAGES {
        let message = json!({
            "type": "sendToGroup", "group": "stream", "noEcho": true, "dataType": "text", "ackId": number,
            "data": format!("message {number:06}"),
        });
        socket.ask(&message.to_string()).await?;
    }
    measure(&server, "small_messages_ms", MESSAGES).await
}

/// Opens the page a number of times, each in a fresh browser.
async fn measure(server: &Server, name: &str, lines: usize) -> anyhow::Result<()> {
    for _ in 0..LOADS {
        let browser = Browser::start().await?;
        let script = json!({ "source": WATCH.replace("LINES", &lines.to_string()) });
        browser.devtools("Page.addScriptToEvaluateOnNewDocument", script).await?;
        browser.open(&server.url("/")).await?;
        browser.until("performance.getEntriesByName('measured-lines').length > 0").await?;
        let time = |mark| format!("performance.getEntriesByName('{mark}')[0].startTime");
        let (shown, connected) = (time("measured-lines"), time("tailcast-connected"));
        let elapsed = browser.run(&format!("return {shown} - {connected}")).await?;
        println!("{name} {:.0}", elapsed.as_f64().context("no time")?);
        browser.close().await?;
    }
    Ok(())
}
