//! Limits on open sockets: in total, and of one address.
//!
//! Sockets of WebSocket clients count, and so do those of HTTP requests whose client does not read the response.

use std::{
    collections::HashMap,
    io::{self, IoSlice},
    net::IpAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use webpubsub_hub::MAX_CONNECTIONS;

/// Maximum number of open sockets: all clients of the service, and half as many for HTTP requests.
const MAX_SOCKETS: usize = MAX_CONNECTIONS + MAX_CONNECTIONS / 2;
/// Files that the program needs besides sockets: standard streams, the event queue, certificates, files of the page.
const OTHER_FILES: usize = 64;
/// Files of one socket: itself, and the file that is sent on it, or the connection to an event handler that answers it.
const FILES_PER_SOCKET: usize = 2;
/// Part of all sockets that one address may have, as a divisor.
const ADDRESS_SHARE: usize = 4;

/// Table of open sockets.
#[derive(Debug)]
pub(super) struct Sockets {
    permits: Arc<Semaphore>,
    total: usize,
    /// Maximum of one address; `None` if no stranger can reach the server.
    per_address: Option<usize>,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// Permit for one socket, released when dropped.
#[derive(Debug)]
pub(super) struct SocketPermit {
    _permit: OwnedSemaphorePermit,
    held: Option<(Arc<Sockets>, IpAddr)>,
}

impl Sockets {
    /// Creates a table for a process that may open `open_files` files. An address may have `per_address` sockets, and at
    /// most a quarter of all.
    pub(super) fn new(open_files: usize, per_address: Option<usize>) -> Arc<Self> {
        let total = (open_files.saturating_sub(OTHER_FILES) / FILES_PER_SOCKET).clamp(1, MAX_SOCKETS);
        let per_address = per_address.map(|limit| limit.min(total / ADDRESS_SHARE).max(1));
        let permits = Arc::new(Semaphore::new(total));
        Arc::new(Self { permits, total, per_address, open: Mutex::default() })
    }

    /// Returns the maximum number of sockets.
    pub(super) fn total(&self) -> usize {
        self.total
    }

    /// Returns whether the maximum number of sockets is open.
    pub(super) fn is_full(&self) -> bool {
        self.permits.available_permits() == 0
    }

    /// Waits until a socket may be opened.
    pub(super) async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed.
        Arc::clone(&self.permits).acquire_owned().await.ok()
    }

    /// Counts a socket of `address`, or of a peer without a limit of its own. `None` if the address has its maximum.
    pub(super) fn admit(
        self: &Arc<Self>,
        permit: OwnedSemaphorePermit,
        address: Option<IpAddr>,
    ) -> Option<SocketPermit> {
        let Some((limit, address)) = self.per_address.zip(address) else {
            return Some(SocketPermit { _permit: permit, held: None });
        };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_default();
        if *count >= limit {
            return None;
        }
        *count += 1;
        Some(SocketPermit { _permit: permit, held: Some((Arc::clone(self), address)) })
    }
}

impl Drop for SocketPermit {
    fn drop(&mut self) {
        let Some((sockets, address)) = &self.held else { return };
        let mut open = sockets.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(address) {
            *count -= 1;
            if *count == 0 {
                open.remove(address);
            }
        }
    }
}

/// Returns the maximum number of open files of this process.
pub(super) fn max_open_files() -> usize {
    #[cfg(unix)]
    if let Some(limit) = rustix::process::getrlimit(rustix::process::Resource::Nofile).current {
        return usize::try_from(limit).unwrap_or(usize::MAX);
    }
    usize::MAX
}

/// Socket with its permit, which an upgrade to a WebSocket does not release.
pub(super) struct PermittedSocket<S> {
    pub(super) socket: S,
    pub(super) _permit: SocketPermit,
}

impl<S: AsyncRead + Unpin> AsyncRead for PermittedSocket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PermittedSocket<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_has_at_most_a_quarter_of_all_sockets() {
        let sockets = Sockets::new(OTHER_FILES + 8 * FILES_PER_SOCKET, Some(100));
        let (one, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let mut open = Vec::new();
        for address in [one, one, other, other] {
            let permit = sockets.permit().await.unwrap();
            open.push(sockets.admit(permit, Some(address)).unwrap());
        }
        let permit = sockets.permit().await.unwrap();
        assert!(sockets.admit(permit, Some(one)).is_none(), "a third socket of an address was admitted");
        open.remove(0);
        let permit = sockets.permit().await.unwrap();
        assert!(sockets.admit(permit, Some(one)).is_some());
        drop(open);
        assert_eq!(sockets.permits.available_permits(), 8);
        assert!(sockets.open.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_private_server_limits_the_total_only() {
        let sockets = Sockets::new(usize::MAX, None);
        assert_eq!(sockets.permits.available_permits(), MAX_SOCKETS);
        let permit = sockets.permit().await.unwrap();
        assert!(sockets.admit(permit, "127.0.0.1".parse().ok()).unwrap().held.is_none());
    }
}
