//! Publisher of the test lines, at maximum speed or at a fixed rate.

use std::{collections::VecDeque, time::Duration};

use anyhow::Context;
use tokio::time::{Instant, sleep_until};
use webpubsub_client::{
    ClientEvent, ClientOptions,
    native::{self, Client, NegotiateEndpoint},
};
use webpubsub_protocol::{name::GroupName, payload::Payload, subprotocol::Subprotocol};

use super::corpus;

/// In-flight window in bytes: large enough for maximum throughput, small enough to avoid queueing in the service.
const WINDOW_BYTES: usize = 1 << 20;
/// In-flight window in messages: below the limit of the client.
const WINDOW_MESSAGES: usize = 200;
/// Interval of messages in a paced load.
const PACE: Duration = Duration::from_millis(10);

/// Client with permission to publish.
pub struct Publisher {
    client: Client,
    group: GroupName,
}

impl Publisher {
    /// Connects the client.
    pub async fn connect(negotiate: &str) -> anyhow::Result<Self> {
        let options = ClientOptions::new().only(Subprotocol::Protobuf);
        let (client, mut events) = native::start(options, NegotiateEndpoint::new(negotiate.to_owned()));
        loop {
            match events.next().await.context("the publisher stopped")? {
                ClientEvent::Connected { .. } => break,
                ClientEvent::ConnectFailed { failure } => return Err(failure.into()),
                _ => {}
            }
        }
        tokio::spawn(async move { while events.next().await.is_some() {} });
        Ok(Self { client, group: GroupName::new("stream")? })
    }

    /// Sends lines at maximum speed.
    pub async fn flood(&self, lines: u64, is_batched: bool) -> anyhow::Result<()> {
        let (mut receipts, mut waiting_bytes) = (VecDeque::new(), 0);
        for message in corpus::messages(lines, is_batched) {
            while receipts.len() >= WINDOW_MESSAGES || waiting_bytes > WINDOW_BYTES {
                let Some((receipt, bytes)) = receipts.pop_front() else { break };
                let receipt: native::Receipt = receipt;
                receipt.await?;
                waiting_bytes -= bytes;
            }
            let bytes = message.len();
            let receipt = self.client.send_to_group(&self.group, Payload::Text(message.into())).await?;
            waiting_bytes += bytes;
            receipts.push_back((receipt, bytes));
        }
        for (receipt, _) in receipts {
            receipt.await?;
        }
        Ok(())
    }

    /// Sends lines evenly over `duration`.
    pub async fn pace(&self, lines_per_second: u64, duration: Duration) -> anyhow::Result<u64> {
        let a_message = lines_per_second * PACE.as_millis() as u64 / 1000;
        let (began, mut next) = (Instant::now(), 0);
        while began.elapsed() < duration {
            let lines: Vec<String> = (next..next + a_message).map(corpus::line).collect();
            next += a_message;
            let text = lines.join("\n");
            self.client.send_to_group(&self.group, Payload::Text(text.into())).await?.await?;
            sleep_until(began + PACE * u32::try_from(next / a_message)?).await;
        }
        Ok(next)
    }
}
