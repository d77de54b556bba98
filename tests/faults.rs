//! `tailcast stream` and a subscriber over a faulty network: every line arrives once,
//! in order.

use std::time::Duration;

use tailcast_tests::{
    fault_proxy::FaultProxy, listener::Listener, server::Server, streamer::Streamer, with_timeout,
};
use webpubsub_client::ClientOptions;
use webpubsub_protocol::subprotocol::Subprotocol;

/// Seeded random number generator, so that failures are reproducible.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Applies a short fault. It ends before the service discards the queue of a lost connection.
fn disturb(proxy: &FaultProxy, random: &mut Random) {
    match random.below(5) {
        0 => proxy.drop_connections(),
        1 => proxy.reset_connections(),
        2 => proxy.set_delay(Duration::from_millis(random.below(4))),
        3 => proxy.set_chunk_limit(1 + usize::try_from(random.below(20_000)).unwrap_or(0)),
        _ => {
            proxy.set_delay(Duration::ZERO);
            proxy.set_chunk_limit(0);
        }
    }
}

/// Returns the lines `from..to` as input of the streamer.
fn numbered(from: u64, to: u64) -> String {
    (from..to).map(|number| format!("{number}\n")).collect()
}

/// Receives lines until line `to - 1` and checks their order. Calls `each` with the number of lines so far.
async fn follow(
    listener: &mut Listener,
    from: u64,
    to: u64,
    mut each: impl FnMut(u64),
) -> anyhow::Result<()> {
    let mut next = from;
    while next < to {
        for line in listener.text().await?.split('\n') {
            anyhow::ensure!(line == next.to_string(), "expected line {next}, received {line}");
            next += 1;
        }
        each(next);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_lines_arrive_once_and_in_order_despite_network_faults() -> anyhow::Result<()> {
    const LINES: u64 = 1_000_000;
    const BETWEEN_FAULTS: u64 = 2_000;
    const FED_AT_ONCE: u64 = 2_000;
    let server = Server::start(&[]).await?;
    let (publisher_proxy, subscriber_proxy) =
        (FaultProxy::to(server.address()).await?, FaultProxy::to(server.address()).await?);
    let mut listener = Listener::join(&subscriber_proxy.url("/negotiate"), ClientOptions::new()).await?;
    let mut streamer = Streamer::start(&publisher_proxy.url("/negotiate"), &[])?;
    let feeding = async {
        for from in (0..LINES).step_by(usize::try_from(FED_AT_ONCE)?) {
            streamer.write(&numbered(from, from + FED_AT_ONCE)).await?;
        }
        streamer.end_input();
        anyhow::Ok(())
    };
    let mut random = Random(7);
    let mut last_fault = 0;
    let reading = follow(&mut listener, 0, LINES, |read| {
        if read >= last_fault + BETWEEN_FAULTS {
            last_fault = read;
            let proxy = if random.below(2) == 0 { &publisher_proxy } else { &subscriber_proxy };
            disturb(proxy, &mut random);
        }
    });
    let (fed, read) = tokio::join!(feeding, reading);
    fed?;
    read?;
    assert!(listener.recoveries > 5, "only {} recoveries", listener.recoveries);
    let (code, stderr) = streamer.wait_for_exit().await?;
    assert_eq!(code, Some(0), "{stderr}");
    assert!(!stderr.contains("twice"), "{stderr}");
    Ok(())
}

#[tokio::test]
async fn refused_handshakes_and_half_open_connections_are_recovered() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let (publisher_proxy, subscriber_proxy) =
        (FaultProxy::to(server.address()).await?, FaultProxy::to(server.address()).await?);
    let mut listener = Listener::join(&subscriber_proxy.url("/negotiate"), ClientOptions::new()).await?;
    let mut streamer = Streamer::start(&publisher_proxy.url("/negotiate"), &["--give-up-after", "120"])?;
    streamer.write(&numbered(0, 10)).await?;
    follow(&mut listener, 0, 10, |_| {}).await?;
    for proxy in [&publisher_proxy, &subscriber_proxy] {
        proxy.refuse_handshakes(2);
        proxy.drop_connections();
    }
    streamer.write(&numbered(10, 20)).await?;
    follow(&mut listener, 10, 20, |_| {}).await?;
    // Half-open connections are detected only by a missing pong. Lines sent meanwhile must not be lost.
    publisher_proxy.stall_connections();
    subscriber_proxy.stall_connections();
    streamer.write(&numbered(20, 30)).await?;
    follow(&mut listener, 20, 30, |_| {}).await?;
    assert_eq!(listener.recoveries, 2);
    streamer.end_input();
    let (code, stderr) = streamer.wait_for_exit().await?;
    assert_eq!(code, Some(0), "{stderr}");
    assert!(!stderr.contains("twice"), "{stderr}");
    Ok(())
}

#[tokio::test]
async fn every_line_is_acknowledged_after_a_restart_of_the_service() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let address = server.address().to_owned();
    let mut streamer = Streamer::start(&server.negotiate_url(), &[])?;
    streamer.write(&numbered(0, 1)).await?;
    server.kill().await?;
    streamer.wait_for_stderr("; retrying").await?;
    streamer.write(&numbered(1, 50_000)).await?;
    let server = Server::start_on(&address, &[]).await?;
    streamer.wait_for_stderr("reconnected").await?;
    let mut listener = Listener::join(&server.negotiate_url(), ClientOptions::new()).await?;
    streamer.write("end\n").await?;
    streamer.end_input();
    with_timeout("the last line", async {
        while !listener.text().await?.ends_with("end") {}
        Ok(())
    })
    .await?;
    assert_eq!(streamer.wait_for_exit().await?.0, Some(0));
    Ok(())
}

#[tokio::test]
async fn a_slow_protobuf_subscriber_misses_no_lines() -> anyhow::Result<()> {
    const LINES: u64 = 100_000;
    let server = Server::start(&[]).await?;
    let proxy = FaultProxy::to(server.address()).await?;
    let options = ClientOptions::new().prefer(Subprotocol::ReliableProtobuf);
    let mut listener = Listener::join(&proxy.url("/negotiate"), options).await?;
    proxy.set_chunk_limit(4_096);
    proxy.set_delay(Duration::from_millis(1));
    let mut streamer = Streamer::start(&server.negotiate_url(), &[])?;
    let feeding = async {
        streamer.write(&numbered(0, LINES)).await?;
        streamer.end_input();
        anyhow::Ok(())
    };
    let (fed, read) = tokio::join!(feeding, follow(&mut listener, 0, LINES, |_| {}));
    fed?;
    read?;
    assert_eq!(streamer.wait_for_exit().await?.0, Some(0));
    Ok(())
}
