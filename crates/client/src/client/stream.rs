//! Streams that an application publishes.

use tokio::sync::{oneshot, watch};
use webpubsub_protocol::{payload::Payload, stream::PublisherError};

use super::{
    Client,
    command::Command,
    error::{GroupStreamError, StreamWriteError},
};
use crate::failure::{StreamFailure, WriteRefused};

/// State of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StreamState {
    Opening,
    /// Open; the number grows each time there is capacity again.
    Open(u64),
    Closed(Result<(), StreamFailure>),
}

/// Open stream to a group. Dropping it without [`StreamWriter::end`] aborts it.
#[derive(Debug)]
pub struct StreamWriter {
    number: u64,
    state: watch::Receiver<StreamState>,
    client: Client,
    has_ended: bool,
}

impl StreamWriter {
    /// Waits until the service accepts the stream. Dropping the future aborts the stream.
    pub(super) async fn opened(
        number: u64,
        state: watch::Receiver<StreamState>,
        client: Client,
    ) -> Result<Self, StreamFailure> {
        let mut stream = Self { number, state, client, has_ended: false };
        let opened = stream.state.wait_for(|state| *state != StreamState::Opening).await;
        match opened.as_deref() {
            Ok(StreamState::Closed(Err(failure))) => return Err(failure.clone()),
            Ok(_) => {}
            Err(_) => return Err(StreamFailure::Stopped),
        }
        drop(opened);
        Ok(stream)
    }

    /// Appends a fragment. Waits while the buffer of the stream is full.
    ///
    /// # Errors
    /// [`StreamWriteError`], with the payload inside, if the stream has ended or the fragment is invalid.
    pub async fn write(&mut self, payload: impl Into<Payload<'static>>) -> Result<(), StreamWriteError> {
        let mut payload = payload.into();
        loop {
            // Before the request: later changes are noticed.
            self.state.mark_unchanged();
            let (written, outcome) = oneshot::channel();
            let command = Command::WriteStream { stream: self.number, payload, written };
            if let Err(Command::WriteStream { payload, .. }) = self.client.request(command).await {
                return Err(WriteRefused::Ended(payload).into());
            }
            payload = match outcome.await {
                Ok(Err(WriteRefused::Full(payload))) => payload,
                Ok(outcome) => return outcome.map_err(StreamWriteError::from),
                Err(_) => return Err(WriteRefused::Ended(Payload::Text("".into())).into()),
            };
            if self.state.changed().await.is_err() {
                return Err(WriteRefused::Ended(payload).into());
            }
        }
    }

    /// Ends the stream, and waits until the service has all of it.
    ///
    /// # Errors
    /// [`GroupStreamError`] if it ended early.
    pub async fn end(self) -> Result<(), GroupStreamError> {
        self.finish(None).await
    }

    /// Ends the stream early, and reports the reason to its subscribers.
    ///
    /// # Errors
    /// [`GroupStreamError`] if it had ended before.
    pub async fn abort(self, error: PublisherError) -> Result<(), GroupStreamError> {
        self.finish(Some(error)).await
    }

    async fn finish(mut self, error: Option<PublisherError>) -> Result<(), GroupStreamError> {
        self.has_ended = true;
        // A client that has stopped has closed the stream.
        drop(self.client.request(Command::EndStream { stream: self.number, error }).await);
        let closed = self.state.wait_for(|state| matches!(state, StreamState::Closed(_))).await;
        let outcome = match closed.as_deref() {
            Ok(StreamState::Closed(outcome)) => outcome.clone(),
            _ => Err(StreamFailure::Stopped),
        };
        outcome.map_err(GroupStreamError::from)
    }
}

impl Drop for StreamWriter {
    fn drop(&mut self) {
        if !self.has_ended {
            let error = Some(PublisherError { message: Some("abandoned".to_owned()), user_error_code: None });
            // If the queue is full, the service ends the stream once it has been silent for long enough.
            drop(self.client.try_request(Command::EndStream { stream: self.number, error }));
        }
    }
}
