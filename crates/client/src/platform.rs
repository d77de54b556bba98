//! Differences between tokio and browsers: threads, tasks, and the drivers.

use std::{future::Future, pin::Pin};

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use crate::native::{Network, NetworkOptions, negotiate, read_history, start};
#[cfg(target_arch = "wasm32")]
pub(crate) use crate::web::platform::{Network, NetworkOptions, negotiate, read_history, start};

#[cfg(not(target_arch = "wasm32"))]
mod bounds {
    pub use std::marker::{Send as SendOnThreads, Sync as SyncOnThreads};
}
#[cfg(target_arch = "wasm32")]
mod bounds {
    pub trait SendOnThreads {}
    impl<T: ?Sized> SendOnThreads for T {}

    pub trait SyncOnThreads {}
    impl<T: ?Sized> SyncOnThreads for T {}
}

/// [`Send`] where clients run on threads, and every type in a browser, which has one thread.
pub trait MaybeSend: bounds::SendOnThreads {}
impl<T: bounds::SendOnThreads + ?Sized> MaybeSend for T {}

/// [`Sync`] where clients run on threads, and every type in a browser, which has one thread.
pub trait MaybeSync: bounds::SyncOnThreads {}
impl<T: bounds::SyncOnThreads + ?Sized> MaybeSync for T {}

/// A boxed future of this platform.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
#[cfg(target_arch = "wasm32")]
pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T>>>;

/// A reference that is counted.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) type Shared<T> = std::sync::Arc<T>;
#[cfg(target_arch = "wasm32")]
pub(crate) type Shared<T> = std::rc::Rc<T>;

/// Whether a client can stop to read from its WebSocket, so that the service notices.
pub(crate) const CAN_BLOCK: bool = cfg!(not(target_arch = "wasm32"));

/// Runs a future as a task.
pub(crate) fn spawn(task: impl Future<Output = ()> + MaybeSend + 'static) {
    #[cfg(not(target_arch = "wasm32"))]
    tokio::spawn(task);
    #[cfg(target_arch = "wasm32")]
    wasm_bindgen_futures::spawn_local(task);
}
