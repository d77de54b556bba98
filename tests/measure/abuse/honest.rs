//! Honest publisher and viewer, which may not notice the attacks.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use serde_json::json;
use tokio::{sync::mpsc, time::Instant};

use super::attacks::Target;

/// Address that no attacker has.
const ADDRESS: &str = "198.51.100.1";
/// Time between two lines.
const LINE_INTERVAL: Duration = Duration::from_millis(5);
/// Published lines that the viewer may not have received yet. Bounds the queue of publication times.
const MAX_PENDING_LINES: usize = 10_000;

/// Result of the honest clients.
pub struct Lines {
    /// Number of lines, all received in order.
    pub published: u64,
    /// Longest time from publication to reception.
    pub slowest: Duration,
}

/// Publishes numbered lines to a viewer until `deadline`.
///
/// # Errors
/// Fails if a line is lost, or a connection ends.
pub async fn run(target: Arc<Target>, deadline: Instant) -> anyhow::Result<Lines> {
    let mut viewer = target.open(ADDRESS, &["joinLeaveGroup"]).await?;
    viewer.json().await?;
    let joined = viewer.ask(r#"{"type":"joinGroup","group":"stream","ackId":1}"#).await?;
    ensure!(joined.get("success") == Some(&true.into()), "{joined}");
    let mut publisher = target.open(ADDRESS, &["sendToGroup"]).await?;
    publisher.json().await?;
    let (sender, mut sent_at) = mpsc::channel(MAX_PENDING_LINES);
    let publishing = async move {
        let (mut published, mut lines) = (0_u64, tokio::time::interval(LINE_INTERVAL));
        while Instant::now() < deadline {
            lines.tick().await;
            sender.send(Instant::now()).await?;
            let line = json!({"type": "sendToGroup", "group": "stream", "dataType": "text", "data": published.to_string(), "ackId": published + 1});
            let acknowledged = publisher.ask(&line.to_string()).await?;
            ensure!(acknowledged.get("success") == Some(&true.into()), "{acknowledged}");
            published += 1;
        }
        anyhow::Ok(published)
    };
    let viewing = async {
        let (mut received, mut slowest) = (0_u64, Duration::ZERO);
        while let Some(sent_at) = sent_at.recv().await {
            let message = viewer.json().await.with_context(|| format!("after {received} lines"))?;
            let text = message.get("data").and_then(|data| data.as_str()).unwrap_or_default();
            ensure!(text.parse() == Ok(received), "{message} instead of line {received}");
            slowest = slowest.max(sent_at.elapsed());
            received += 1;
        }
        anyhow::Ok((received, slowest))
    };
    let (published, (received, slowest)) = tokio::try_join!(publishing, viewing)?;
    ensure!(published == received, "{received} of {published} lines arrived");
    Ok(Lines { published, slowest })
}
