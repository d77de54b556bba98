//! From `tailcast stream` to a subscriber over networks on which everything goes wrong: every line arrives, once, and
//! in order.

use std::time::Duration;

use tailcast_tests::{
    fault_proxy::FaultProxy, listener::Listener, server::Server, streamer::Streamer, with_timeout,
};
use webpubsub_client::ClientOptions;
use webpubsub_protocol::subprotocol::Subprotocol;

/// A small generator, seeded: a failure can be run again.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Something that passes soon: what the service keeps for a lost connection outlasts it, however fast the lines come.
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

/// Lines `from..to`, as the streamer reads them.
fn numbered(from: u64, to: u64) -> String {
    (from..to).map(|number| format!("{number}\n")).collect()
}

/// Reads on until line `to - 1`, each in its place; calls `each` with the number of lines read so far.
async fn follow(
    listener: &mut Listener,
    from: u64,
    to: u64,
    mut each: impl FnMut(u64),
) -> anyhow::Result<()> {
    let mut next = from;
    while next < to {
        for line in listener.text().await?.split('\n') {
            anyhow::ensure!(line == next.to_string(), "line {line} in place of {next}");
            next += 1;
        }
        each(next);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_lines_arrive_once_and_in_order_over_cuts_resets_delays_and_narrow_ways()
-> anyhow::Result<()> {
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
    let (code, said) = streamer.wait_for_exit().await?;
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("twice"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_gateways_refusals_and_a_network_that_goes_silent_are_waited_out() -> anyhow::Result<()> {
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
    // Half open at both ends: only a ping that nobody answers tells. Nothing that is sent meanwhile gets lost.
    publisher_proxy.stall_connections();
    subscriber_proxy.stall_connections();
    streamer.write(&numbered(20, 30)).await?;
    follow(&mut listener, 20, 30, |_| {}).await?;
    assert_eq!(listener.recoveries, 2);
    streamer.end_input();
    let (code, said) = streamer.wait_for_exit().await?;
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("twice"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_restart_of_the_service_is_survived_and_every_line_acknowledged() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let address = server.address().to_owned();
    let mut streamer = Streamer::start(&server.negotiate_url(), &[])?;
    streamer.write(&numbered(0, 1)).await?;
    server.kill().await?;
    streamer.wait_for_stderr("retrying in").await?;
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
async fn a_binary_subscriber_that_reads_slowly_misses_nothing() -> anyhow::Result<()> {
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
