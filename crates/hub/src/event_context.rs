//! State sent with every event of a connection.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use axum::http::HeaderValue;

/// Maximum number of cookies per connection; further ones are ignored.
const MAX_COOKIES: usize = 32;
/// Maximum size of all cookies of a connection, in bytes.
const MAX_COOKIE_BYTES: usize = 8 * 1024;

/// State of a connection for its event handlers.
#[derive(Debug, Default)]
pub(crate) struct EventContext {
    /// Name of the hub.
    pub(crate) hub: String,
    /// Host by which the handlers know the service, without a port (`WebHook-Request-Origin`).
    pub(crate) origin: String,
    state: Mutex<State>,
    last_id: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    connection_state: Option<HeaderValue>,
    /// Host that set the cookie, and `name=value`.
    cookies: Vec<(String, String)>,
}

impl EventContext {
    /// Creates the context of a connection that has raised no event yet.
    #[must_use]
    pub(crate) fn new(hub: String, origin: String) -> Self {
        Self { hub, origin, ..Self::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of the next event, from 1 on: 0 is that of the `connect` event, with or without a handler for it.
    pub(crate) fn next_id(&self) -> u64 {
        self.last_id.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Returns the connection state that a handler has set.
    #[must_use]
    pub(crate) fn connection_state(&self) -> Option<HeaderValue> {
        self.state().connection_state.clone()
    }

    /// Sets the connection state, sent with every event (`ce-connectionState`).
    pub(crate) fn set_connection_state(&self, value: HeaderValue) {
        self.state().connection_state = Some(value);
    }

    /// Returns the cookies that `host` has set for this connection, as one header value; `None` if there are none.
    #[must_use]
    pub(crate) fn cookies(&self, host: &str) -> Option<HeaderValue> {
        let state = self.state();
        let of_host = state.cookies.iter().filter(|(from, _)| from == host);
        let pairs: Vec<&str> = of_host.map(|(_, pair)| pair.as_str()).collect();
        (!pairs.is_empty()).then(|| HeaderValue::from_str(&pairs.join("; ")).ok()).flatten()
    }

    /// Stores the cookie of a `Set-Cookie` header of `host`. Its attributes are ignored: the scope is the connection.
    pub(crate) fn set_cookie(&self, host: &str, set_cookie: &str) {
        let pair = set_cookie.split(';').next().unwrap_or_default().trim();
        let Some((name, _)) = pair.split_once('=') else { return };
        let mut state = self.state();
        let is_same = |(from, kept): &(String, String)| {
            from == host && kept.split_once('=').is_some_and(|(kept_name, _)| kept_name == name)
        };
        state.cookies.retain(|cookie| !is_same(cookie));
        let held: usize = state.cookies.iter().map(|(_, kept)| kept.len()).sum();
        if state.cookies.len() < MAX_COOKIES && held + pair.len() <= MAX_COOKIE_BYTES {
            state.cookies.push((host.to_owned(), pair.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_receives_its_own_cookies_with_the_newest_value() {
        let event_context = EventContext::default();
        event_context.set_cookie("a:1", "session=1; Path=/; HttpOnly");
        event_context.set_cookie("a:1", "session=2");
        event_context.set_cookie("a:1", "theme=dark");
        event_context.set_cookie("b:1", "session=9");
        event_context.set_cookie("a:1", "nonsense");
        assert_eq!(event_context.cookies("a:1").unwrap(), "session=2; theme=dark");
        assert_eq!(event_context.cookies("b:1").unwrap(), "session=9");
        assert_eq!(event_context.cookies("c:1"), None);
    }

    #[test]
    fn events_after_connect_are_numbered_from_one() {
        let event_context = EventContext::default();
        assert_eq!([event_context.next_id(), event_context.next_id(), event_context.next_id()], [1, 2, 3]);
    }
}
