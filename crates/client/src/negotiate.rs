//! Response of a negotiate endpoint: `{"url": "wss://…/client/hubs/HUB?access_token=…"}`.

use std::{fmt, time::Duration};

use webpubsub_protocol::json::reader::Members;

pub use crate::refusal::MAX_REASON_CHARS;
use crate::{failure::ConnectFailure, history::HistoryAccess, refusal};

/// Longest answer that is read, in bytes: an answer is one URL, and a wrong address may answer anything.
pub const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// URL of a service, token included. Shown without its query.
#[derive(Clone, PartialEq, Eq)]
pub struct ServiceUrl {
    url: String,
    /// URL of the history, on the same host.
    history: Option<String>,
}

impl ServiceUrl {
    /// A URL that was come by in another way than from a negotiate endpoint; `None` when it is no `ws(s)://HOST/…`.
    /// The history is at the path of Tailcast's own service, which alone reports a run (see [`Self::history_access`]).
    #[must_use]
    pub fn new(url: String) -> Option<Self> {
        let history = history_beside(&url);
        is_websocket_url(&url).then_some(Self { url, history })
    }

    /// As [`ServiceUrl::new`], and says what is wrong.
    ///
    /// # Errors
    /// [`ConnectFailure::NotAServiceUrl`].
    pub fn given(url: &str) -> Result<Self, ConnectFailure> {
        Self::new(url.to_owned())
            .ok_or_else(|| ConnectFailure::NotAServiceUrl { found: describe_no_url(url) })
    }

    /// The whole URL, token included.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.url
    }

    /// The URL for messages, as of [`shown_url`].
    #[must_use]
    pub fn shown(&self) -> String {
        shown_url(&self.url)
    }

    /// The same with what the service needs to recover a connection (client specification, "Recovery").
    pub(crate) fn for_recovery(&self, connection_id: &str, reconnection_token: &str) -> Self {
        let mark = if self.url.contains('?') { '&' } else { '?' };
        let (id, token) = (encoded(connection_id), encoded(reconnection_token));
        let url = format!("{}{mark}awps_connection_id={id}&awps_reconnection_token={token}", self.url);
        Self { url, history: self.history.clone() }
    }

    /// Returns the access to the history in the run `run_id` of the service; `None` if it has none.
    #[must_use]
    pub fn history_access(&self, run_id: String) -> Option<HistoryAccess> {
        let url = self.history.clone()?;
        let query = self.url.split_once('?').map_or("", |(_, query)| query);
        let token = query.split('&').find_map(|pair| pair.strip_prefix("access_token="))?;
        Some(HistoryAccess::new(url, token.to_owned(), run_id))
    }

    /// Sets the URL of the history. A URL on another host is ignored: it would receive the token.
    pub(crate) fn with_history(mut self, history: Option<&str>) -> Self {
        let origin = |url: &str| {
            let (scheme, rest) = url.split_once("://")?;
            let is_encrypted = match scheme {
                "ws" | "http" => false,
                "wss" | "https" => true,
                _ => return None,
            };
            let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
            Some((is_encrypted, authority.to_ascii_lowercase()))
        };
        let is_same = |url: &&str| origin(url).is_some_and(|other| Some(other) == origin(&self.url));
        let history = history.filter(is_same);
        self.history = history.map(|url| without_query(url).trim_end_matches('/').to_owned());
        self
    }
}

/// Returns the URL of the history of the hub that a client access URL names: `http(s)://HOST/PREFIX/history/hubs/HUB`.
fn history_beside(url: &str) -> Option<String> {
    let place = without_query(url);
    let (prefix, hub) = place.strip_prefix("ws")?.rsplit_once("/client/hubs/")?;
    (!hub.is_empty() && !hub.contains('/')).then(|| format!("http{prefix}/history/hubs/{hub}"))
}

/// Percent-encodes a query's value: all but the unreserved characters of RFC 3986, section 2.3.
pub(crate) fn encoded(value: &str) -> String {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.extend([byte >> 4, byte & 15].into_iter().filter_map(|digit| HEX.get(usize::from(digit))));
        }
    }
    out
}

impl fmt::Debug for ServiceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}?…", self.shown())
    }
}

/// A URL cut before its query, which may hold a token.
#[must_use]
pub fn without_query(url: &str) -> &str {
    url.split_once('?').map_or(url, |(place, _)| place)
}

/// A URL for messages: without its query and the user before its host, which may hold secrets, and shortened.
#[must_use]
pub fn shown_url(url: &str) -> String {
    const SHOWN_CHARS: usize = 200;
    let place = without_query(url);
    let (scheme, rest) = place.split_once("://").map_or(("", place), |(scheme, rest)| (scheme, rest));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let separator = if scheme.is_empty() { "" } else { "://" };
    let shown = match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}{separator}…@{host}{path}"),
        None => place.to_owned(),
    };
    match shown.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", shown.get(..end).unwrap_or_default()),
        None => shown,
    }
}

/// HTTP response of a negotiate endpoint.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// Status code.
    pub status: u16,
    /// Value of the header `Content-Type`; empty without one.
    pub content_type: &'a str,
    /// Value of the header `Retry-After`, if there is one.
    pub retry_after: Option<&'a str>,
    /// The body; `None` if it was not read, or is longer than [`MAX_ANSWER_BYTES`].
    pub body: Option<&'a str>,
}

impl Answer<'_> {
    fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the body matters: it contains the URL, or may contain the reason of a refusal.
    #[must_use]
    pub fn needs_body(&self) -> bool {
        self.is_success() || refusal::may_contain_reason(self.content_type)
    }
}

/// Reads the answer of the negotiate endpoint at `url`.
///
/// # Errors
/// [`ConnectFailure::NegotiateStatus`] for an error status, [`ConnectFailure::NegotiateAnswer`] for a body that holds
/// no WebSocket URL.
pub fn read_answer(url: &str, answer: Answer<'_>) -> Result<ServiceUrl, ConnectFailure> {
    let (url, status) = (shown_url(url), answer.status);
    if !answer.is_success() {
        let reason = answer.body.and_then(|body| refusal::reason(status, answer.content_type, body));
        let retry_after = answer.retry_after.and_then(retry_delay);
        return Err(ConnectFailure::NegotiateStatus { url, status, reason, retry_after });
    }
    let Some(body) = answer.body else {
        let found = format!("more than {MAX_ANSWER_BYTES} bytes");
        return Err(ConnectFailure::NegotiateAnswer { url, found });
    };
    // `fetch` would drop a byte order mark from a text.
    let body = body.strip_prefix('\u{feff}').unwrap_or(body);
    let is_encrypted = url.starts_with("https://");
    let given = Members::read(body).ok().and_then(|answer| answer.text("url").ok()?);
    match given {
        // Who asked in private does not answer in public.
        Some(given) if is_encrypted && given.starts_with("ws://") => {
            let found = "an unencrypted URL (ws://) to an encrypted request".to_owned();
            Err(ConnectFailure::NegotiateAnswer { url, found })
        }
        Some(given) if is_websocket_url(&given) => {
            let history = Members::read(body).ok().and_then(|answer| answer.text("history").ok()?);
            let url = ServiceUrl { url: given.into_owned(), history: None };
            Ok(url.with_history(history.as_deref()))
        }
        Some(given) => {
            let given = excerpt(&shown_url(&given));
            Err(ConnectFailure::NegotiateAnswer {
                url,
                found: format!("the URL `{given}`, which is no ws(s)://…"),
            })
        }
        None => Err(ConnectFailure::NegotiateAnswer { url, found: describe(body) }),
    }
}

/// Reads a `Retry-After` in seconds. The form with a date is ignored: it depends on the clocks of both sides.
fn retry_delay(value: &str) -> Option<Duration> {
    value.trim().parse().ok().map(Duration::from_secs)
}

fn is_websocket_url(url: &str) -> bool {
    let host = url.strip_prefix("ws://").or_else(|| url.strip_prefix("wss://"));
    host.is_some_and(|rest| {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        // A fragment means nothing to a server (RFC 6455, section 3), and parameters added behind it would be lost.
        has_host_and_port(authority)
            && !rest.contains(|c: char| c.is_whitespace() || c.is_control() || c == '#')
    })
}

/// Whether there is a host, and a port that exists, if any: HTTP libraries replace one that does not by the default port.
fn has_host_and_port(authority: &str) -> bool {
    let host_and_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    // The colons of an IPv6 address are in brackets.
    match host_and_port.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')) {
        Some((host, port)) => !host.is_empty() && (port.is_empty() || port.parse::<u16>().is_ok()),
        None => !host_and_port.is_empty(),
    }
}

/// Describes a body that is no answer.
fn describe(body: &str) -> String {
    let body = body.trim_start();
    if body.is_empty() {
        "nothing".to_owned()
    } else if body.starts_with('<') {
        "a web page (HTML)".to_owned()
    } else {
        format!("`{}`", excerpt(body))
    }
}

/// Describes a text that was given as a URL. A text that is no address at all is not shown: it may be a token.
fn describe_no_url(text: &str) -> String {
    if text.is_empty() {
        "nothing".to_owned()
    } else if ["ws://", "wss://", "http://", "https://"].iter().any(|scheme| text.starts_with(scheme)) {
        format!("`{}`", excerpt(&shown_url(text)))
    } else {
        format!("a text of {} bytes", text.len())
    }
}

/// The begin of a text, as far as it may be shown.
fn excerpt(text: &str) -> String {
    const EXCERPT_CHARS: usize = 60;
    // Longer than most names of hosts, shorter than what is hard to guess.
    const LONGEST_SHOWN_RUN: usize = 32;
    let shown = without_tokens(text, LONGEST_SHOWN_RUN);
    let cut: String =
        shown.chars().take(EXCERPT_CHARS).map(|c| if refusal::is_invisible(c) { ' ' } else { c }).collect();
    if cut.len() < shown.len() { format!("{cut}…") } else { cut }
}

/// A text in which no run of letters and digits is longer than `longest_run`, as tokens and keys are.
pub(crate) fn without_tokens(text: &str, longest_run: usize) -> String {
    let is_of_run = |c: char| c.is_ascii_alphanumeric() || "-_+=".contains(c);
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| is_of_run(c) != is_of_run(first)).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        out.push_str(if is_of_run(first) && piece.len() > longest_run { "…" } else { piece });
        rest = after;
    }
    out
}

/// A text without the queries of the URLs in it.
pub(crate) fn without_queries(text: &str) -> String {
    let mut pieces = text.split('?');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find(|c: char| c.is_whitespace() || "'\"`".contains(c)).unwrap_or(piece.len());
        out.push_str(if end == 0 { "?" } else { "?…" });
        out.push_str(piece.get(end..).unwrap_or_default());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MAX_RETRY_AFTER;

    const URL: &str = "http://h/negotiate?id=me";
    const ENDPOINT: &str = "http://h/negotiate";

    fn read(url: &str, status: u16, body: &str) -> Result<ServiceUrl, ConnectFailure> {
        read_answer(url, Answer { status, content_type: "text/plain", retry_after: None, body: Some(body) })
    }

    fn failure(status: u16, body: &str) -> ConnectFailure {
        read(URL, status, body).unwrap_err()
    }

    /// The failure of an answer that is not what was asked for.
    fn wrong_answer(found: &str) -> ConnectFailure {
        ConnectFailure::NegotiateAnswer { url: ENDPOINT.to_owned(), found: found.to_owned() }
    }

    #[test]
    fn an_answer_with_a_websocket_url_is_taken() {
        let answer = r#"{"url":"ws://h/client/hubs/stream?access_token=secret","more":1}"#;
        let url = read(URL, 200, answer).unwrap();
        assert_eq!(url.reveal(), "ws://h/client/hubs/stream?access_token=secret");
        assert!(!format!("{url:?}").contains("secret"));
    }

    #[test]
    fn the_history_of_a_service_is_on_its_own_host() {
        let access = |history: &str| {
            let answer =
                format!(r#"{{"url":"wss://h:1/client/hubs/s?a=b&access_token=t","history":"{history}"}}"#);
            read(URL, 200, &answer).unwrap().history_access("r".into())
        };
        let expected = HistoryAccess::new("https://h:1/x/history/hubs/s".into(), "t".into(), "r".into());
        assert_eq!(access("https://h:1/x/history/hubs/s/"), Some(expected));
        for other in ["http://h:1/x", "https://h/x", "https://evil/x", "javascript:alert(1)", ""] {
            assert_eq!(access(other), None, "{other}");
        }
    }

    #[test]
    fn the_history_of_a_given_url_is_beside_its_hub() {
        let access = |url: &str| ServiceUrl::given(url).unwrap().history_access("r".into());
        let expected = HistoryAccess::new("https://h:1/x/history/hubs/s".into(), "t".into(), "r".into());
        assert_eq!(access("wss://h:1/x/client/hubs/s?access_token=t"), Some(expected));
        for other in ["ws://h/x?access_token=t", "ws://h/client/hubs/?access_token=t", "ws://h/client/hubs/s"]
        {
            assert_eq!(access(other), None, "{other}");
        }
    }

    #[test]
    fn an_error_status_is_a_failure_with_the_reason_of_the_server() {
        for (body, reason) in [("", None), ("no hub\n", Some("no hub".to_owned()))] {
            let url = ENDPOINT.to_owned();
            let expected = ConnectFailure::NegotiateStatus { url, status: 404, reason, retry_after: None };
            assert_eq!(failure(404, body), expected);
        }
    }

    #[test]
    fn a_delay_in_seconds_is_read_and_bounded() {
        let delay = |value: &str| {
            let answer = Answer { status: 429, content_type: "", retry_after: Some(value), body: None };
            read_answer(URL, answer).unwrap_err().retry_after()
        };
        assert_eq!(delay(" 6 "), Some(Duration::from_secs(6)));
        assert_eq!(delay("86400"), Some(MAX_RETRY_AFTER));
        for value in ["", "-1", "soon", "Wed, 21 Oct 2026 07:28:00 GMT"] {
            assert_eq!(delay(value), None, "{value}");
        }
    }

    #[test]
    fn a_wrong_answer_is_described() {
        for (body, found) in [
            (" <!doctype html><p>hi", "a web page (HTML)"),
            ("", "nothing"),
            (r#"{"url":"https://h/x?access_token=secret"}"#, "the URL `https://h/x`, which is no ws(s)://…"),
            (r#"{"url":"ws://"}"#, "the URL `ws://`, which is no ws(s)://…"),
            (r#"{"url":5}"#, r#"`{"url":5}`"#),
        ] {
            assert_eq!(failure(200, body), wrong_answer(found));
        }
    }

    #[test]
    fn a_body_that_was_not_read_is_too_long_for_a_url_and_no_reason() {
        let failure = |status| {
            let answer = Answer { status, content_type: "text/plain", retry_after: None, body: None };
            read_answer(URL, answer).unwrap_err()
        };
        assert_eq!(failure(200), wrong_answer("more than 262144 bytes"));
        assert!(matches!(failure(403), ConnectFailure::NegotiateStatus { reason: None, .. }));
    }

    #[test]
    fn an_encrypted_endpoint_does_not_lead_to_an_unencrypted_service() {
        let refused = read("https://h/negotiate", 200, r#"{"url":"ws://h/x?access_token=secret"}"#);
        assert!(matches!(refused, Err(ConnectFailure::NegotiateAnswer { .. })), "{refused:?}");
        assert!(!format!("{refused:?}").contains("secret"), "{refused:?}");
        assert!(read("https://h/negotiate", 200, r#"{"url":"wss://h/x"}"#).is_ok());
    }

    #[test]
    fn a_recovery_url_keeps_what_there_was_and_encodes_what_is_added() {
        let url =
            |text: &str| ServiceUrl::given(text).unwrap().for_recovery("c/1", "a.b-c+=").reveal().to_owned();
        let added = "awps_connection_id=c%2F1&awps_reconnection_token=a.b-c%2B%3D";
        assert_eq!(url("ws://h/x?access_token=t"), format!("ws://h/x?access_token=t&{added}"));
        assert_eq!(url("ws://h/x"), format!("ws://h/x?{added}"));
    }

    #[test]
    fn no_message_shows_a_token() {
        for body in
            [r#"{"url":"https://h/x?access_token=secret"}"#, r#"{"url":"ws:// ?access_token=secret"}"#]
        {
            assert!(!failure(200, body).to_string().contains("secret"), "{body}");
        }
        let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";
        for answer in [format!(r#"{{"token":"{token}"}}"#), token.to_owned()] {
            assert!(!failure(200, &answer).to_string().contains("eyJ"), "{answer}");
        }
        for given in [token.to_owned(), format!("https://h/x?access_token={token}"), format!("ws:///{token}")]
        {
            let words = ServiceUrl::given(&given).unwrap_err().to_string();
            assert!(!words.contains("eyJ"), "{words}");
        }
        let browser =
            without_queries("The URL 'wss://h:99999/?access_token=secret' is invalid. Is it? See 'a?b'");
        assert_eq!(browser, "The URL 'wss://h:99999/?…' is invalid. Is it? See 'a?…'");
    }

    #[test]
    fn a_url_in_a_message_has_no_secrets_and_a_limited_length() {
        for (url, shown) in [
            ("https://ada:s3cret@h:1/negotiate?code=s3cret", "https://…@h:1/negotiate"),
            ("ada:s3cret@h", "…@h"),
            ("http://h/a@b", "http://h/a@b"),
            ("h:80", "h:80"),
        ] {
            assert_eq!(shown_url(url), shown);
        }
        let long = shown_url(&format!("http://{}/", "é".repeat(250_000)));
        assert!(long.chars().count() == 201 && long.ends_with("é…"), "{long}");
    }

    #[test]
    fn a_port_that_does_not_exist_is_not_replaced_by_the_default_port() {
        for url in ["ws://h:99999/x", "ws://h:x/", "ws://:80/", "wss://[::1]:65536/", "ws://u:p@h:-1/"] {
            assert!(ServiceUrl::new(url.to_owned()).is_none(), "{url}");
        }
        for url in ["ws://h:65535/x", "ws://[::1]/", "ws://[::1]:80/", "ws://u:p@h/", "ws://h:/"] {
            assert!(ServiceUrl::new(url.to_owned()).is_some(), "{url}");
        }
    }

    #[test]
    fn what_is_no_url_of_a_service_is_described() {
        for (given, found) in
            [("", "nothing"), ("https://h/x?y=z", "`https://h/x`"), ("Endpoint=…", "a text of 12 bytes")]
        {
            let refused = ServiceUrl::given(given).unwrap_err();
            assert_eq!(refused, ConnectFailure::NotAServiceUrl { found: found.to_owned() });
        }
        assert!(ServiceUrl::given("wss://h/client/hubs/x").is_ok());
    }
}
