//! A stream that an application publishes.

use tokio::sync::{mpsc, oneshot, watch};
use webpubsub_protocol::{payload::Payload, stream::PublisherError};

use super::client::Command;
use crate::failure::{StreamFailure, WriteRefused};

/// Where a stream stands, as its handle sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StreamState {
    Opening,
    /// Open; the number grows each time there is room again.
    Open(u64),
    Closed(Result<(), StreamFailure>),
}

/// An open stream to a group. Dropping it without [`Stream::end`] aborts it.
#[derive(Debug)]
pub struct Stream {
    number: u64,
    state: watch::Receiver<StreamState>,
    commands: mpsc::Sender<Command>,
    has_ended: bool,
}

impl Stream {
    /// Waits until the service takes the stream. Whoever does not wait for the end of that abandons it.
    pub(super) async fn opened(
        number: u64,
        state: watch::Receiver<StreamState>,
        commands: mpsc::Sender<Command>,
    ) -> Result<Self, StreamFailure> {
        let mut stream = Self { number, state, commands, has_ended: false };
        let opened = stream.state.wait_for(|state| *state != StreamState::Opening).await;
        match opened.as_deref() {
            Ok(StreamState::Closed(Err(failure))) => return Err(failure.clone()),
            Ok(_) => {}
            Err(_) => return Err(StreamFailure::Stopped),
        }
        drop(opened);
        Ok(stream)
    }

    /// Appends a fragment. Waits while as much waits for the service as may.
    ///
    /// # Errors
    /// [`WriteRefused`], with the payload inside, when the stream has ended or no service could take the fragment.
    pub async fn write(&mut self, payload: Payload<'static>) -> Result<(), WriteRefused> {
        let mut payload = payload;
        loop {
            // Before asking: what changes from here on is seen.
            self.state.mark_unchanged();
            let (written, outcome) = oneshot::channel();
            let command = Command::WriteStream { stream: self.number, payload, written };
            if let Err(mpsc::error::SendError(command)) = self.commands.send(command).await {
                return Err(WriteRefused::Ended(payload_of(command)));
            }
            payload = match outcome.await {
                Ok(Err(WriteRefused::Full(payload))) => payload,
                Ok(outcome) => return outcome,
                Err(_) => return Err(WriteRefused::Ended(Payload::Text("".into()))),
            };
            if self.state.changed().await.is_err() {
                return Err(WriteRefused::Ended(payload));
            }
        }
    }

    /// Ends the stream, and waits until the service has all of it.
    ///
    /// # Errors
    /// [`StreamFailure`], when it ended before its time.
    pub async fn end(self) -> Result<(), StreamFailure> {
        self.finish(None).await
    }

    /// Ends the stream before its time, and tells its readers why.
    ///
    /// # Errors
    /// [`StreamFailure`], when it had ended before.
    pub async fn abort(self, error: PublisherError) -> Result<(), StreamFailure> {
        self.finish(Some(error)).await
    }

    async fn finish(mut self, error: Option<PublisherError>) -> Result<(), StreamFailure> {
        self.has_ended = true;
        // A client that has stopped has closed the stream.
        drop(self.commands.send(Command::EndStream { stream: self.number, error }).await);
        let closed = self.state.wait_for(|state| matches!(state, StreamState::Closed(_))).await;
        match closed.as_deref() {
            Ok(StreamState::Closed(outcome)) => outcome.clone(),
            _ => Err(StreamFailure::Stopped),
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if !self.has_ended {
            let error = Some(PublisherError { message: Some("abandoned".to_owned()), user_error_code: None });
            // When the queue is full the service ends the stream once it has been silent for long enough.
            self.commands.try_send(Command::EndStream { stream: self.number, error }).unwrap_or_default();
        }
    }
}

fn payload_of(command: Command) -> Payload<'static> {
    match command {
        Command::WriteStream { payload, .. } => payload,
        _ => Payload::Text("".into()),
    }
}
