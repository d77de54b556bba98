//! Messages of the application that embeds the service.

use std::time::SystemTime;

use serde_json::value::RawValue;
use tokio::time::Instant;
use webpubsub_protocol::{
    message::{Metadata, Response},
    name::{GroupName, NameError},
    payload::Payload,
};

use super::{Audience, Hub};
use crate::broadcast::Broadcast;

/// Maximum payload of a message, in bytes (limit of the cloud service).
pub const MAX_PAYLOAD_BYTES: usize = 1024 * 1024;

/// Failure to send a message. Nobody has received it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The name of the group is invalid.
    #[error("cannot publish: {0}")]
    Group(#[from] NameError),
    /// The payload is declared as JSON, but is not valid JSON.
    #[error("cannot send a payload that is not valid JSON ({0}); send it as text, or correct it")]
    Json(String),
    /// The payload is too long.
    #[error("cannot send a payload of {bytes} bytes; the limit is {MAX_PAYLOAD_BYTES}: split it")]
    TooLong {
        /// Length of the payload, in bytes.
        bytes: usize,
    },
}

/// Sends of an application. Each queues its message for all receivers before it first waits. Then it waits for receivers that
/// read more slowly than the application sends, if they are the majority, but at most for 2 seconds a minute for receivers that
/// do not read: a receiver whose queue is full is disconnected.
impl Hub {
    /// Publishes a message to the members of a group.
    ///
    /// # Errors
    /// [`SendError`] if the name or the payload is invalid.
    pub async fn publish(&self, group: &str, payload: Payload<'_>) -> Result<(), SendError> {
        let group = GroupName::new(group)?;
        let message = Response::GroupMessage {
            group: group.as_str().into(),
            from_user_id: None,
            payload: checked(payload)?,
            sequence: None,
            metadata: Metadata::new(),
            stream: None,
        };
        self.send(Audience::Group(group.as_str()), message).await;
        Ok(())
    }

    /// Sends a message to all connections of the hub.
    ///
    /// # Errors
    /// [`SendError`] if the payload is invalid.
    pub async fn send_to_all(&self, payload: Payload<'_>) -> Result<(), SendError> {
        self.send(Audience::Everyone, server_message(payload)?).await;
        Ok(())
    }

    /// Sends a message to all connections of a user. Does nothing if there are none.
    ///
    /// # Errors
    /// [`SendError`] if the payload is invalid.
    pub async fn send_to_user(&self, user_id: &str, payload: Payload<'_>) -> Result<(), SendError> {
        self.send(Audience::User(user_id), server_message(payload)?).await;
        Ok(())
    }

    /// Sends a message to one connection. Does nothing if it has ended.
    ///
    /// # Errors
    /// [`SendError`] if the payload is invalid.
    pub async fn send_to_connection(
        &self,
        connection_id: &str,
        payload: Payload<'_>,
    ) -> Result<(), SendError> {
        self.send(Audience::Connection(connection_id), server_message(payload)?).await;
        Ok(())
    }

    async fn send(&self, audience: Audience<'_>, message: Response<'_>) {
        // The driver of these sends: the embedding application has no socket whose time could be used.
        let now = Instant::now();
        if let Some(history) = self.history() {
            history.service().clock().synchronize(now, SystemTime::now());
        }
        let slow_receivers = self.fan_out(audience, None, |_| false, &mut Broadcast::new(&message, now));
        if !slow_receivers.is_empty() {
            self.stall_allowance.lock().await.wait_for(slow_receivers).await;
        }
    }
}

fn server_message(payload: Payload<'_>) -> Result<Response<'_>, SendError> {
    Ok(Response::ServerMessage { payload: checked(payload)?, sequence: None, metadata: Metadata::new() })
}

fn checked(payload: Payload<'_>) -> Result<Payload<'_>, SendError> {
    if payload.len() > MAX_PAYLOAD_BYTES {
        return Err(SendError::TooLong { bytes: payload.len() });
    }
    check_json(&payload)?;
    Ok(payload)
}

/// Checks that a JSON payload is valid: it becomes part of a frame as it is.
pub(crate) fn check_json(payload: &Payload<'_>) -> Result<(), SendError> {
    let Payload::Json(json) = payload else { return Ok(()) };
    let parsed: Result<&RawValue, _> = serde_json::from_str(json);
    parsed.map(|_| ()).map_err(|error| SendError::Json(error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use webpubsub_protocol::role::Permissions;

    use super::*;
    use crate::connection::{ClientConnection, ConnectionId, WireFormat};

    fn connect(hub: &Hub, user: &str) -> Arc<ClientConnection> {
        let (id, user) = (ConnectionId::random().unwrap(), Some(user.to_owned()));
        let connection =
            Arc::new(ClientConnection::new(id, user, WireFormat::Simple, Permissions::default()));
        hub.add(&connection);
        connection
    }

    async fn received(connection: &ClientConnection) -> Vec<u8> {
        // A marker frame makes the outbox answer at once, even if it is empty otherwise.
        let outbox = connection.attach(Instant::now()).unwrap();
        outbox.push(&b"|".to_vec().into());
        outbox.take_all().await
    }

    #[tokio::test]
    async fn each_send_has_its_receivers() {
        let hub = Hub::default();
        let (ada, bob) = (connect(&hub, "ada"), connect(&hub, "bob"));
        hub.join(&ada.id, &GroupName::new("g").unwrap()).unwrap();
        let text = |text: &'static str| Payload::Text(text.into());
        hub.publish("g", text("1")).await.unwrap();
        hub.send_to_user("bob", text("2")).await.unwrap();
        hub.send_to_connection(ada.id.as_str(), Payload::Binary((&b"3"[..]).into())).await.unwrap();
        hub.send_to_all(Payload::Json("[4]".into())).await.unwrap();
        hub.send_to_user("nobody", text("5")).await.unwrap();
        assert_eq!(received(&ada).await, b"\x81\x011\x82\x013\x81\x03[4]|");
        assert_eq!(received(&bob).await, b"\x81\x012\x81\x03[4]|");
    }

    #[tokio::test]
    async fn invalid_messages_are_rejected() {
        let hub = Hub::default();
        let to_all = async |payload| hub.send_to_all(payload).await;
        assert!(matches!(to_all(Payload::Json("{oops".into())).await, Err(SendError::Json(_))));
        assert!(matches!(to_all(Payload::Json("1} {".into())).await, Err(SendError::Json(_))));
        let bytes = MAX_PAYLOAD_BYTES + 1;
        let long = Payload::Binary(vec![0; bytes].into());
        assert_eq!(to_all(long).await, Err(SendError::TooLong { bytes }));
        assert!(matches!(hub.publish(" ", Payload::Text("x".into())).await, Err(SendError::Group(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn an_application_that_sends_fast_waits_for_a_receiver_that_reads() {
        let hub = Hub::default();
        let receiver = connect(&hub, "ada");
        let outbox = receiver.attach(Instant::now()).unwrap();
        let reading = async {
            loop {
                let mut frames = outbox.take().await;
                while let Some(batch) = frames.take_batch() {
                    // 2 MiB a second.
                    tokio::time::sleep(Duration::from_millis(64)).await;
                    outbox.complete_write(&batch);
                }
            }
        };
        let sending = async {
            let (payload, started) = ("x".repeat(128 * 1024), Instant::now());
            for _ in 0..1024 {
                hub.send_to_all(Payload::Text(payload.as_str().into())).await.unwrap();
            }
            started.elapsed()
        };
        let elapsed = tokio::select! {
            elapsed = sending => elapsed,
            () = reading => unreachable!(),
        };
        assert!(elapsed > Duration::from_secs(50), "the application was not slowed down: {elapsed:?}");
        assert!(!receiver.is_ending(), "the receiver was disconnected");
    }
}
