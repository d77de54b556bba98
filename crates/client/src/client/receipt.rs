//! Receipts of what was sent.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::sync::oneshot;

use super::error::PublishError;
use crate::failure::SendFailure;

/// Sender of the outcome of a request.
pub(crate) type Settled = oneshot::Sender<Result<(), SendFailure>>;

/// Receipt of a message: a future that resolves when the service has acknowledged it, however often the connection is lost until
/// then. A receipt may be dropped: the message is sent nevertheless, but a refusal is not noticed.
///
/// # Errors
/// [`PublishError`], when the service refuses the message, the message is invalid, or the client stops before.
#[derive(Debug)]
pub struct Receipt(pub(super) oneshot::Receiver<Result<(), SendFailure>>);

impl Future for Receipt {
    type Output = Result<(), PublishError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = std::task::ready!(Pin::new(&mut self.0).poll(context));
        Poll::Ready(outcome.unwrap_or(Err(SendFailure::Stopped)).map_err(PublishError::from))
    }
}
