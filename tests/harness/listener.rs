//! A native client of ours that listens to the group `stream`.

use anyhow::Context;
use webpubsub_client::{
    ClientEvent, ClientOptions,
    native::{self, Client, Events, NegotiateEndpoint},
};
use webpubsub_protocol::{name::GroupName, payload::Payload};

use crate::in_time;

/// The group that everything happens in.
///
/// # Errors
/// Never: the name is a good one.
pub fn group() -> anyhow::Result<GroupName> {
    Ok(GroupName::new("stream")?)
}

/// A client that has joined.
pub struct Listener {
    client: Client,
    events: Events,
    /// How often the connection was taken up again.
    pub recoveries: usize,
}

impl Listener {
    /// Connects and joins.
    ///
    /// # Errors
    /// When it does not get in.
    pub async fn join(negotiate_url: &str, options: ClientOptions) -> anyhow::Result<Self> {
        let endpoint = NegotiateEndpoint::new(negotiate_url.to_owned());
        let (client, events) = native::start(options.join(group()?), endpoint);
        let mut listener = Self { client, events, recoveries: 0 };
        listener.until(|event| matches!(event, ClientEvent::Joined { .. })).await?;
        Ok(listener)
    }

    /// What to ask with.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The next event.
    ///
    /// # Errors
    /// When there is none in time.
    pub async fn event(&mut self) -> anyhow::Result<ClientEvent> {
        in_time("an event of the client", async {
            self.events.next().await.context("the client has stopped")
        })
        .await
    }

    /// The first event that fits.
    ///
    /// # Errors
    /// When none comes in time.
    pub async fn until(&mut self, fits: impl Fn(&ClientEvent) -> bool) -> anyhow::Result<ClientEvent> {
        loop {
            let event = self.event().await?;
            if fits(&event) {
                return Ok(event);
            }
        }
    }

    /// The next text of a group message.
    ///
    /// # Errors
    /// When messages may be missing, or the connection is lost for good.
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
