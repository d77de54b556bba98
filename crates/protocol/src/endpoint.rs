//! The URLs of a service.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::name::HubName;

/// The REST data plane version that we speak (the newest stable one).
pub const API_VERSION: &str = "2024-12-01";

/// What stays as it is in a path segment (RFC 3986, unreserved characters).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Maximum length of a host and port, in bytes (RFC 1035, section 2.3.4: 255 for a name).
const MAX_AUTHORITY_BYTES: usize = 261;

/// Where a service is: scheme, host with optional port, and optional path prefix.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    secure: bool,
    authority: String,
    prefix: String,
}

impl Endpoint {
    /// An endpoint reached without TLS at `authority` (`host` or `host:port`).
    #[must_use]
    pub fn plain(authority: impl Into<String>) -> Self {
        Self { secure: false, authority: authority.into(), prefix: String::new() }
    }

    /// The same endpoint, reached with TLS.
    #[must_use]
    pub fn secured(self) -> Self {
        Self { secure: true, ..self }
    }

    /// Reads `http(s)://host[:port][/prefix]`; `None` when it is anything else. Without a scheme, `https` is meant.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (secure, rest) = match text.split_once("://") {
            None => (true, text),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
            Some(_) => return None,
        };
        let (authority, prefix) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        let strange = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#' | '@' | '\\');
        let (host, port) = split_port(authority);
        let port_is_good = port.is_none_or(|port| port.parse::<u16>().is_ok());
        if host.is_empty() || authority.len() > MAX_AUTHORITY_BYTES || !port_is_good || rest.contains(strange)
        {
            return None;
        }
        Some(Self {
            secure,
            authority: authority.to_ascii_lowercase(),
            prefix: prefix.trim_end_matches('/').to_owned(),
        })
    }

    /// The same endpoint at another port.
    #[must_use]
    pub fn with_port(self, port: u16) -> Self {
        let (host, _) = split_port(&self.authority);
        Self { authority: format!("{host}:{port}"), ..self }
    }

    /// The same endpoint without the path: what a proxy that takes the path away leaves.
    #[must_use]
    pub fn without_prefix(self) -> Self {
        Self { prefix: String::new(), ..self }
    }

    /// Host, with the port if there is one.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Returns the path before that of the service, without a slash at its end; often empty.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Where a client's WebSocket goes: `ws(s)://…/client/hubs/{hub}`.
    #[must_use]
    pub fn client_url(&self, hub: &HubName) -> String {
        format!("{}://{}{}", if self.secure { "wss" } else { "ws" }, self.authority, self.client_path(hub))
    }

    /// What a client's token must be for: the client URL with an HTTP scheme.
    #[must_use]
    pub fn client_audience(&self, hub: &HubName) -> String {
        format!("{}://{}{}", self.http_scheme(), self.authority, self.client_path(hub))
    }

    /// The REST operation that sends to every connection of `hub`. Also the audience of its token.
    #[must_use]
    pub fn send_to_all_url(&self, hub: &HubName) -> String {
        let hub = utf8_percent_encode(hub.as_str(), SEGMENT);
        let (scheme, authority, prefix) = (self.http_scheme(), &self.authority, &self.prefix);
        format!("{scheme}://{authority}{prefix}/api/hubs/{hub}/:send?api-version={API_VERSION}")
    }

    fn client_path(&self, hub: &HubName) -> String {
        format!("{}/client/hubs/{}", self.prefix, utf8_percent_encode(hub.as_str(), SEGMENT))
    }

    fn http_scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }
}

/// Host and port of an authority. The colons of a bracketed IPv6 address belong to the host.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.http_scheme(), self.authority, self.prefix)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub() -> HubName {
        HubName::new("stream").unwrap()
    }

    #[test]
    fn a_cloud_endpoint_gives_secure_urls() {
        let endpoint = Endpoint::parse("https://Me.webpubsub.azure.com/").unwrap();
        assert_eq!(endpoint.client_url(&hub()), "wss://me.webpubsub.azure.com/client/hubs/stream");
        assert_eq!(endpoint.client_audience(&hub()), "https://me.webpubsub.azure.com/client/hubs/stream");
        assert_eq!(
            endpoint.send_to_all_url(&hub()),
            "https://me.webpubsub.azure.com/api/hubs/stream/:send?api-version=2024-12-01"
        );
    }

    #[test]
    fn a_port_given_apart_replaces_the_one_in_the_endpoint() {
        let endpoint = Endpoint::parse("http://[::1]:80").unwrap().with_port(8080);
        assert_eq!(endpoint.to_string(), "http://[::1]:8080");
        assert_eq!(Endpoint::parse("http://[::1]").unwrap().with_port(1).to_string(), "http://[::1]:1");
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        for text in [
            "",
            "http://",
            "ftp://host",
            "http://a b",
            "http://h?x",
            "http://u@h",
            "http://h:port",
            "http://h:65536",
            "http:///x",
            &format!("http://{}", "a".repeat(300)),
        ] {
            assert_eq!(Endpoint::parse(text), None, "{text}");
        }
    }
}
