//! Benchmark of the native client: sends messages with acknowledgements and receives each of them.
//!
//! usage: measure-client NEGOTIATE_URL json|protobuf MESSAGES
//!
//! `cargo xtask bench client` builds everything and runs this program beside other clients. Prints
//! `measured SECONDS CPU_SECONDS`.

use std::{collections::VecDeque, time::Instant};

use anyhow::Context;
use webpubsub_client::{Client, GroupName, MAX_IN_FLIGHT_MESSAGES, Subprotocol, SubscriptionEvent};

/// Size of a message's text, like a log line.
const MESSAGE_BYTES: usize = 100;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [negotiate, form, messages] = &arguments[..] else {
        anyhow::bail!("usage: measure-client NEGOTIATE_URL json|protobuf MESSAGES")
    };
    let subprotocol =
        if form == "protobuf" { Subprotocol::ReliableProtobuf } else { Subprotocol::ReliableJson };
    let messages: usize = messages.parse()?;
    let group = GroupName::new("stream")?;
    let client = Client::builder(negotiate.as_str()).only(subprotocol).connect().await?;
    let mut subscription = client.subscribe(&group).await?;
    let (cpu_before, began) = (cpu_seconds()?, Instant::now());
    let sending = async {
        let mut receipts = VecDeque::new();
        for _ in 0..messages {
            receipts.push_back(client.publish(&group, "x".repeat(MESSAGE_BYTES)).await?);
            if receipts.len() > MAX_IN_FLIGHT_MESSAGES
                && let Some(oldest) = receipts.pop_front()
            {
                oldest.await?;
            }
        }
        for receipt in receipts {
            receipt.await?;
        }
        anyhow::Ok(())
    };
    let hearing = async {
        let mut heard = 0;
        while heard < messages {
            match subscription.next().await.context("the client stopped")? {
                SubscriptionEvent::Message(_) => heard += 1,
                other => anyhow::bail!("{other:?}"),
            }
        }
        Ok(())
    };
    let (sent, heard) = tokio::join!(sending, hearing);
    sent?;
    heard?;
    println!("measured {} {}", began.elapsed().as_secs_f64(), cpu_seconds()? - cpu_before);
    client.close().await;
    Ok(())
}

/// Returns the processor time of this process, from `/proc`, in units of 10 ms.
fn cpu_seconds() -> anyhow::Result<f64> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // After the name, which can contain spaces: state is field 3, user and system time are 14 and 15.
    let fields = stat.rsplit_once(')').context("no name")?.1.split_whitespace();
    let ticks: Vec<f64> = fields.skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / TICKS_PER_SECOND)
}
