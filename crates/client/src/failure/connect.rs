//! Failures to establish a connection.

use std::{borrow::Cow, time::Duration};

/// Maximum time until the next attempt that a server can ask for. A longer one counts as this.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// Reason why a connection could not be established.
///
/// Never contains a token: URLs have no query, and long runs of letters and digits in the words of a server are left out.
///
/// # Temporary and permanent failures
/// After a temporary failure the client retries; after a permanent one it stops, whatever its options are, because the
/// same request would be refused again:
///
/// | failure | before the first connection | later |
/// | --- | --- | --- |
/// | the negotiate endpoint answers 408, 425, 429 or 5xx | retry | retry |
/// | the negotiate endpoint answers 404 | stop | retry |
/// | the negotiate endpoint answers any other 4xx | stop | stop |
/// | the WebSocket handshake is answered with 401 or 403 | stop | stop |
/// | any other failure | retry, unless [`stop_on_lasting_failure`] | retry |
///
/// Once the client has been connected, a 404 is temporary: a proxy answers it while the server behind it restarts. The
/// status of a WebSocket handshake is known to native clients only, since browsers do not report it. An attempt to
/// recover a lost connection never stops the client: it ends with the recovery window, and then the negotiation decides.
///
/// [`stop_on_lasting_failure`]: crate::ClientOptions::stop_on_lasting_failure
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectFailure {
    /// The negotiate endpoint could not be reached.
    #[error("negotiate failed: {url} cannot be reached ({detail}); is the server running?")]
    NegotiateUnreachable {
        /// The endpoint, without its query.
        url: String,
        /// The transport's words.
        detail: String,
    },
    /// The certificate of the server is not trusted. Browsers do not report it.
    #[error(
        "the certificate of {url} is not trusted ({detail}); if this is the right server, trust its certificate authority: \
         --ca-cert FILE, or SSL_CERT_FILE"
    )]
    UntrustedCertificate {
        /// The server's address, without its query.
        url: String,
        /// The reason.
        detail: String,
    },
    /// The negotiate endpoint answers, but a browser does not let this page read that.
    #[error(
        "negotiate failed: {url} does not answer pages of {origin}; open the page of that server itself, or ask the operator of the server \
         to allow this origin (CORS), as `tailcast serve --allow-origin {origin}` does"
    )]
    NegotiateOrigin {
        /// The endpoint, without its query.
        url: String,
        /// Whose page this is.
        origin: String,
    },
    /// The function of the application that returns the URL failed.
    #[error("negotiate failed: the application's own function failed: {detail}")]
    NegotiateFunction {
        /// The error of the function.
        detail: String,
    },
    /// What was given in place of an answer of a negotiate endpoint is no URL of a service.
    #[error("cannot connect: {found} is no client access URL (wss://HOST/client/hubs/HUB?access_token=…)")]
    NotAServiceUrl {
        /// What it looks like.
        found: String,
    },
    /// The address of the negotiate endpoint is none.
    #[error("negotiate failed: `{url}` is no http(s)://HOST/… address")]
    NegotiateAddress {
        /// The address as given, without its query.
        url: String,
    },
    /// The negotiate endpoint answered with an error status.
    #[error("negotiate failed: {url} answered {}{}", status_text(*status), explanation(*status, reason.as_deref()))]
    NegotiateStatus {
        /// The endpoint, without its query.
        url: String,
        /// The HTTP status code.
        status: u16,
        /// The server's own reason, from the body of its answer: one line of at most
        /// [`MAX_REASON_CHARS`](crate::negotiate::MAX_REASON_CHARS) characters, without control characters.
        reason: Option<String>,
        /// Time until the next attempt that the server asks for (`Retry-After`).
        retry_after: Option<Duration>,
    },
    /// The negotiate endpoint answered something that is no `{"url": "ws…"}`.
    #[error(
        "negotiate failed: {url} answered {found} instead of {{\"url\": \"wss://…\"}}; is this the address of a negotiate endpoint?"
    )]
    NegotiateAnswer {
        /// The endpoint, without its query.
        url: String,
        /// What came instead.
        found: String,
    },
    /// The service did not accept the WebSocket.
    #[error("connection refused: {url} did not accept the WebSocket ({detail})")]
    Refused {
        /// The service's client endpoint, without its query.
        url: String,
        /// The transport's words, or the HTTP status where it is known, with the service's own reason.
        detail: String,
        /// The HTTP status of the refusal. Browsers do not report it.
        status: Option<u16>,
    },
    /// The service opened the WebSocket without choosing a subprotocol that was offered.
    #[error("connection refused: {url} speaks none of {offered}; is this a Web PubSub service?")]
    NoSubprotocol {
        /// The service's client endpoint, without its query.
        url: String,
        /// What was offered.
        offered: String,
    },
    /// Neither acceptance nor refusal came in time.
    #[error("connection timed out: {url} did not answer within {seconds} s")]
    TimedOut {
        /// What was waited for, without its query.
        url: String,
        /// How long was waited.
        seconds: u64,
    },
}

impl ConnectFailure {
    /// Whether another attempt can succeed although nobody changes anything.
    ///
    /// A wrong address stays wrong; a server that is down, overloaded or restarting recovers.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::NegotiateUnreachable { .. } | Self::NegotiateFunction { .. } | Self::TimedOut { .. } => {
                true
            }
            Self::NegotiateStatus { status, .. } => is_temporary(*status),
            Self::UntrustedCertificate { .. }
            | Self::NegotiateOrigin { .. }
            | Self::NegotiateAnswer { .. }
            | Self::NegotiateAddress { .. }
            | Self::NotAServiceUrl { .. }
            | Self::NoSubprotocol { .. } => false,
            Self::Refused { status, .. } => status.is_none_or(is_temporary),
        }
    }

    /// Whether the client stops instead of retrying: see [the table](Self#temporary-and-permanent-failures).
    pub(crate) fn is_permanent(&self, was_ever_connected: bool) -> bool {
        match self {
            Self::NegotiateStatus { status: 404, .. } => !was_ever_connected,
            Self::NegotiateStatus { status, .. } => (400..500).contains(status) && !is_temporary(*status),
            Self::Refused { status: Some(401 | 403), .. } => true,
            _ => false,
        }
    }

    /// Returns the time until the next attempt that the server asks for, at most [`MAX_RETRY_AFTER`].
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::NegotiateStatus { retry_after, .. } => retry_after.map(|wait| wait.min(MAX_RETRY_AFTER)),
            _ => None,
        }
    }

    /// Returns the failure in a few words and without an address, for a status line: the server's own reason if it gave
    /// one.
    #[must_use]
    pub fn summary(&self) -> Cow<'_, str> {
        match self {
            Self::NegotiateUnreachable { .. } => "the server cannot be reached".into(),
            Self::UntrustedCertificate { .. } => "the certificate of the server is not trusted".into(),
            Self::NegotiateOrigin { .. } => "the server does not allow pages of this origin".into(),
            Self::NegotiateFunction { detail } => detail.into(),
            Self::NotAServiceUrl { .. } => "no client access URL was given".into(),
            Self::NegotiateAddress { .. } => "the address of the negotiate endpoint is invalid".into(),
            Self::NegotiateStatus { reason: Some(reason), .. } => reason.into(),
            Self::NegotiateStatus { status, reason: None, .. } => {
                format!("the server answered {}{}", status_text(*status), explanation(*status, None)).into()
            }
            Self::NegotiateAnswer { .. } => "the server did not answer with the URL of a service".into(),
            Self::Refused { .. } => "the service did not accept the connection".into(),
            Self::NoSubprotocol { .. } => "the service speaks no subprotocol that was offered".into(),
            Self::TimedOut { seconds, .. } => format!("no answer within {seconds} s").into(),
        }
    }
}

/// Returns what follows the status of a negotiate endpoint: the server's own reason, or else what to check.
fn explanation(status: u16, reason: Option<&str>) -> String {
    match reason {
        Some(reason) => format!(": {reason}"),
        None => format!("; {}", negotiate_hint(status)),
    }
}

/// Returns what to check when a negotiate endpoint answers `status` without a reason.
fn negotiate_hint(status: u16) -> &'static str {
    match status {
        401 | 403 => "check the group, and the key or password",
        429 => "too many ask from this address",
        _ => "is this the address of a negotiate endpoint?",
    }
}

/// Returns a status with its standard phrase: `403 Forbidden`. Only for those that negotiate endpoints and proxies in
/// front of them commonly answer: a table of all would be downloaded with every page.
pub(crate) fn status_text(status: u16) -> String {
    let phrase = match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        410 => "Gone",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => return status.to_string(),
    };
    format!("{status} {phrase}")
}

/// Whether a status describes the present state of the server, and not the request.
fn is_temporary(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, reason: Option<&str>) -> ConnectFailure {
        let (url, reason) = ("http://h/negotiate".to_owned(), reason.map(str::to_owned));
        ConnectFailure::NegotiateStatus { url, status, reason, retry_after: None }
    }

    fn refused(status: Option<u16>) -> ConnectFailure {
        ConnectFailure::Refused { url: "ws://h/client".into(), detail: "close code 1006".into(), status }
    }

    #[test]
    fn a_status_decides_whether_the_client_stops() {
        for status in [400, 401, 403, 405, 410, 418] {
            assert!(answered(status, None).is_permanent(false), "{status} at first");
            assert!(answered(status, None).is_permanent(true), "{status} later");
        }
        for status in [302, 408, 425, 429, 500, 502, 503, 504] {
            assert!(!answered(status, None).is_permanent(false), "{status} at first");
            assert!(!answered(status, None).is_permanent(true), "{status} later");
        }
        assert!(answered(404, None).is_permanent(false));
        assert!(!answered(404, None).is_permanent(true), "the server behind a proxy may be restarting");
        for (status, stops) in
            [(Some(401), true), (Some(403), true), (Some(404), false), (Some(503), false), (None, false)]
        {
            assert_eq!(refused(status).is_permanent(true), stops, "{status:?}");
        }
    }

    #[test]
    fn the_reason_of_the_server_takes_the_place_of_the_hint() {
        let words = |status, reason| answered(status, reason).to_string();
        assert_eq!(
            words(403, Some("the group is closed")),
            "negotiate failed: http://h/negotiate answered 403 Forbidden: the group is closed"
        );
        assert_eq!(
            words(403, None),
            "negotiate failed: http://h/negotiate answered 403 Forbidden; check the group, and the key or password"
        );
        assert_eq!(
            words(418, None),
            "negotiate failed: http://h/negotiate answered 418; is this the address of a negotiate endpoint?"
        );
    }

    #[test]
    fn a_message_says_what_failed_and_what_to_check() {
        let url = || "http://h/negotiate".to_owned();
        for (failure, words) in [
            (
                ConnectFailure::NegotiateUnreachable { url: url(), detail: "cut off".into() },
                "negotiate failed: http://h/negotiate cannot be reached (cut off); is the server running?",
            ),
            (
                ConnectFailure::NegotiateOrigin { url: url(), origin: "http://o".into() },
                "negotiate failed: http://h/negotiate does not answer pages of http://o; open the page of that server itself, or ask \
                 the operator of the server to allow this origin (CORS), as `tailcast serve --allow-origin http://o` does",
            ),
            (
                ConnectFailure::NegotiateAnswer { url: url(), found: "nothing".into() },
                "negotiate failed: http://h/negotiate answered nothing instead of {\"url\": \"wss://…\"}; is this the address \
                 of a negotiate endpoint?",
            ),
            (
                ConnectFailure::NotAServiceUrl { found: "nothing".into() },
                "cannot connect: nothing is no client access URL (wss://HOST/client/hubs/HUB?access_token=…)",
            ),
        ] {
            assert_eq!(failure.to_string(), words);
        }
    }

    #[test]
    fn a_summary_has_neither_address_nor_close_code() {
        let unreachable = ConnectFailure::NegotiateUnreachable { url: "http://h".into(), detail: "1".into() };
        for (failure, summary) in [
            (answered(403, Some("the group is closed")), "the group is closed"),
            (
                answered(403, None),
                "the server answered 403 Forbidden; check the group, and the key or password",
            ),
            (refused(None), "the service did not accept the connection"),
            (unreachable, "the server cannot be reached"),
        ] {
            assert_eq!(failure.summary(), summary);
        }
    }
}
