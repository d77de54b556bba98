//! Native client that subscribes to the group `stream`.

use anyhow::Context;
use webpubsub_client::{Client, ClientEvent, ClientOptions, Events, GroupName, Payload};

use crate::with_timeout;

/// Returns the group of the tests.
///
/// # Errors
/// Never fails, because the name is valid.
pub fn group() -> anyhow::Result<GroupName> {
    Ok(GroupName::new("stream")?)
}

/// Client that has joined the group.
pub struct Listener {
    client: Client,
    events: Events,
    /// Number of recovered connections.
    pub recoveries: usize,
}

impl Listener {
    /// Connects and joins the group.
    ///
    /// # Errors
    /// Fails if the client does not join.
    pub async fn join(negotiate_url: &str, options: ClientOptions) -> anyhow::Result<Self> {
        let mut builder = Client::builder(negotiate_url).options(options).join(group()?);
        let events = builder.events();
        let client = builder.connect_lazy();
        let mut listener = Self { client, events, recoveries: 0 };
        listener.until(|event| matches!(event, ClientEvent::Joined { .. })).await?;
        Ok(listener)
    }

    /// Returns the client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Waits for the next event.
    ///
    /// # Errors
    /// Fails after the timeout.
    pub async fn event(&mut self) -> anyhow::Result<ClientEvent> {
        with_timeout("an event of the client", async {
            self.events.next().await.context("the client has stopped")
        })
        .await
    }

    /// Waits for the first event that matches.
    ///
    /// # Errors
    /// Fails after the timeout.
    pub async fn until(&mut self, is_match: impl Fn(&ClientEvent) -> bool) -> anyhow::Result<ClientEvent> {
        loop {
            let event = self.event().await?;
            if is_match(&event) {
                return Ok(event);
            }
        }
    }

    /// Waits for the next text message of the group.
    ///
    /// # Errors
    /// Fails after a gap, or if the connection is lost and not recovered.
    pub async fn text(&mut self) -> anyhow::Result<String> {
        loop {
            match self.event().await? {
                ClientEvent::GroupMessage { payload: Payload::Text(text), .. } => {
                    return Ok(text.into_owned());
                }
                ClientEvent::Recovered => self.recoveries += 1,
                event @ (ClientEvent::Gap { .. }
                | ClientEvent::Disconnected { .. }
                | ClientEvent::Stopped) => {
                    anyhow::bail!("{event:?}")
                }
                _ => {}
            }
        }
    }
}
