//! Many readers of a history and a page that reloads, beside a publisher.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use anyhow::Context;
use futures_util::future::try_join_all;
use tailcast_tests::{browser::Browser, process::Process, server::Server, streamer::Streamer};
use webpubsub_client::{
    Client, GroupName, HistoryAccess, HistoryRange, HistoryStart, history::HistoryRecord,
};

use super::{metric, server_with_page};

/// Readers, all at once.
const READERS: usize = 1_000;
/// Messages that each of them asks for.
const LAST: u64 = 1_000;
/// Maximum size of the messages that each of them asks for, in bytes: the messages of `tailcast stream` have up to 64 KiB, and a
/// thousand of them are more than the history holds.
const MAX_BYTES: u64 = 1024 * 1024;
/// Published lines per second.
const LINES_PER_SECOND: usize = 200_000;
/// Published lines of one measurement.
const LINES: usize = 10 * LINES_PER_SECOND;
/// Parts of a second in which lines are written.
const PARTS: usize = 10;

/// Prints how fast lines are published alone and beside the readers, and the memory of the server.
pub async fn beside_a_publisher() -> anyhow::Result<()> {
    let server = server_with_page().await?;
    println!("lines_per_second_alone {:.0}", publish(&server).await?);
    let has_ended = AtomicBool::new(false);
    let publishing = async {
        let rate = publish(&server).await;
        has_ended.store(true, Ordering::Relaxed);
        rate
    };
    let (rate, (complete, with_gaps), reloads) =
        tokio::try_join!(publishing, read_in_rounds(&server, &has_ended), reload(&server, &has_ended))?;
    println!("lines_per_second_beside_readers {rate:.0}");
    println!("complete_histories {complete}");
    println!("histories_with_a_gap {with_gaps}");
    println!("complete_reloads {reloads}");
    println!("peak_resident_memory_kib {}", Process(server.process_id()?).peak_resident_kib()?);
    println!("bytes_in_the_budget {}", metric(&server, "webpubsub_memory_used_bytes").await?);
    Ok(())
}

/// Publishes at a steady rate, and returns the lines per second that were acknowledged.
async fn publish(server: &Server) -> anyhow::Result<f64> {
    let part: String =
        (0..LINES_PER_SECOND / PARTS).map(|number| format!("{number:06} a line of a log\n")).collect();
    let start = Instant::now();
    let mut streamer = Streamer::start(&server.negotiate_url(), &[])?;
    let mut interval = tokio::time::interval(Duration::from_secs(1) / u32::try_from(PARTS)?);
    for _ in 0..LINES * PARTS / LINES_PER_SECOND {
        interval.tick().await;
        streamer.write(&part).await?;
    }
    streamer.end_input();
    let (code, stderr) = streamer.wait_for_exit().await?;
    anyhow::ensure!(code == Some(0), "{code:?}: {stderr}");
    #[allow(clippy::cast_precision_loss, reason = "fewer lines than an f64 counts")]
    Ok(LINES as f64 / start.elapsed().as_secs_f64())
}

/// Lets all readers read at once, again and again. Returns the numbers of histories that were read without and with a gap.
async fn read_in_rounds(server: &Server, has_ended: &AtomicBool) -> anyhow::Result<(usize, usize)> {
    let (client, access) = connect(server).await?;
    let (mut complete, mut with_gaps) = (0, 0);
    while !has_ended.load(Ordering::Relaxed) {
        let are_complete = try_join_all((0..READERS).map(|_| read(&client, &access))).await?;
        let count = are_complete.into_iter().filter(|is_complete| *is_complete).count();
        (complete, with_gaps) = (complete + count, with_gaps + READERS - count);
    }
    Ok((complete, with_gaps))
}

/// Reads the last messages. Returns whether none is missing between them: the service can drop messages that a reader has not reached.
///
/// # Errors
/// When the response is cut off, or empty.
async fn read(client: &Client, access: &HistoryAccess) -> anyhow::Result<bool> {
    let range = HistoryRange { start: HistoryStart::Last(LAST), before: None, max_bytes: Some(MAX_BYTES) };
    let (mut next, mut has_gap) = (None, false);
    let reading = client.read_history(access.request(&GroupName::new("stream")?, &range), |record| {
        if let HistoryRecord::Message(message) = record {
            has_gap |= next.is_some_and(|next| next != message.number.message);
            next = Some(message.number.message + 1);
        }
    });
    reading.await?;
    anyhow::ensure!(next.is_some(), "a history is empty");
    Ok(!has_gap)
}

/// Connects a client, which learns where the history is.
async fn connect(server: &Server) -> anyhow::Result<(Client, HistoryAccess)> {
    let client = Client::builder(server.negotiate_url()).connect().await?;
    let history = client.connection().and_then(|connection| connection.history);
    Ok((client, history.context("the service has no history")?))
}

/// Opens a page, and reloads it again and again. Returns how many times it showed the newest lines and no gap.
async fn reload(server: &Server, has_ended: &AtomicBool) -> anyhow::Result<usize> {
    let browser = Browser::start().await?;
    browser.open(&server.url("/")).await?;
    let mut complete = 0;
    while !has_ended.load(Ordering::Relaxed) {
        browser.until("document.querySelectorAll('#log .row[data-from=group]').length > 10").await?;
        complete += 1;
        browser.run("location.reload()").await?;
        browser.until("document.readyState === 'complete'").await?;
    }
    browser.close().await?;
    Ok(complete)
}
