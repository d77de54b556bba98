//! Client address behind trusted proxies.
//!
//! Any client can send `X-Forwarded-For` or `Forwarded` (RFC 7239). These headers are used if the peer is a trusted proxy, and
//! are always removed before further handling of the request. A trusted proxy must set or remove each of them, and must not
//! forward the values of its own client.

use std::{net::IpAddr, str::FromStr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use ipnet::IpNet;

use webpubsub_hub::{ClientAddress, EncryptedClient};

use super::accept::Peer;
use crate::usage_error::UsageError;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Trusted proxies.
#[derive(Debug, Clone, Default)]
pub(crate) struct TrustedProxies {
    networks: Arc<[IpNet]>,
    /// Header in which they send the id of the user.
    pub(crate) user_header: Option<HeaderName>,
}

/// Client of a request, according to trusted proxies. An extension of each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientInfo {
    pub(crate) address: IpAddr,
    /// Whether the client uses TLS, to this server or to a proxy.
    pub(crate) is_encrypted: bool,
}

impl TrustedProxies {
    /// Parses addresses and networks.
    pub(crate) fn parse(texts: &[String]) -> Result<Self, UsageError> {
        let network = |text: &String| {
            let address = IpAddr::from_str(text).map(IpNet::from);
            address
                .or_else(|_| IpNet::from_str(text))
                .map_err(|_| UsageError::TrustedProxy { text: text.clone() })
        };
        Ok(Self { networks: texts.iter().map(network).collect::<Result<_, _>>()?, user_header: None })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }

    /// Returns whether `address` is that of a trusted proxy.
    pub(super) fn is_trusted(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// Returns the client, and removes untrusted values from `headers`. `Host` becomes the host that the client requested.
    fn resolve_client(&self, peer: Peer, headers: &mut HeaderMap) -> ClientInfo {
        let mut client = ClientInfo { address: peer.address, is_encrypted: peer.is_encrypted };
        if self.is_trusted(peer.address) {
            let forwarded = self.forwarded(headers);
            client.address = forwarded.address.unwrap_or(peer.address);
            if let Some(proto) = forwarded.proto {
                client.is_encrypted =
                    proto.eq_ignore_ascii_case("https") || proto.eq_ignore_ascii_case("wss");
            }
            if let Some(host) = forwarded.host.and_then(|host| HeaderValue::from_str(&host).ok()) {
                headers.insert(header::HOST, host);
            }
        } else if let Some(name) = &self.user_header {
            headers.remove(name);
        }
        for name in [FOR, PROTO, HOST, header::FORWARDED] {
            headers.remove(name);
        }
        client
    }

    fn forwarded(&self, headers: &HeaderMap) -> Forwarded {
        if [FOR, PROTO, HOST].iter().any(|name| headers.contains_key(name)) {
            // Each proxy appends its value, so the last one is that of the nearest proxy.
            let last = |name| list(headers, name).pop().map(str::to_owned);
            let addresses = list(headers, FOR);
            let hops = addresses.iter().map(|text| address(text));
            Forwarded { address: self.client_of(hops.rev()), proto: last(PROTO), host: last(HOST) }
        } else {
            let elements: Vec<ForwardedElement> =
                list(headers, header::FORWARDED).into_iter().map(ForwardedElement::parse).collect();
            let hops = elements.iter().rev().map(|element| element.address);
            let nearest = elements.last();
            Forwarded {
                address: self.client_of(hops),
                proto: nearest.and_then(|element| element.proto.clone()),
                host: nearest.and_then(|element| element.host.clone()),
            }
        }
    }

    /// Returns the first hop that is not a trusted proxy, from the nearest hop outwards. Hops beyond it, or beyond a hop without
    /// an address, are untrusted.
    fn client_of(&self, hops: impl Iterator<Item = Option<IpAddr>>) -> Option<IpAddr> {
        let mut nearest_known = None;
        for hop in hops {
            let Some(address) = hop else { break };
            nearest_known = Some(address);
            if !self.is_trusted(address) {
                break;
            }
        }
        nearest_known
    }
}

/// Forwarded values of a trusted proxy.
struct Forwarded {
    address: Option<IpAddr>,
    proto: Option<String>,
    host: Option<String>,
}

/// Element of the `Forwarded` header.
#[derive(Default)]
struct ForwardedElement {
    address: Option<IpAddr>,
    proto: Option<String>,
    host: Option<String>,
}

impl ForwardedElement {
    fn parse(text: &str) -> Self {
        let mut element = Self::default();
        for pair in text.split(';') {
            let Some((name, value)) = pair.split_once('=') else { continue };
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "for" => element.address = address(value),
                "proto" => element.proto = Some(value.to_owned()),
                "host" => element.host = Some(value.to_owned()),
                _ => {}
            }
        }
        element
    }
}

/// Returns the items of a repeatable header.
fn list(headers: &HeaderMap, name: HeaderName) -> Vec<&str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|item| !item.is_empty()).collect()
}

/// Parses the address of a hop: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`. `None` for an
/// obfuscated one (`unknown`, `_x`).
fn address(text: &str) -> Option<IpAddr> {
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => match text.split_once(':') {
            Some((host, port)) if !port.contains(':') => host,
            _ => text,
        },
    };
    bare.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// Outermost middleware: adds [`ClientInfo`] to the request.
pub(super) async fn resolve_client(
    State(proxies): State<TrustedProxies>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(peer) = request.extensions().get::<Peer>().copied() {
        let client = proxies.resolve_client(peer, request.headers_mut());
        request.extensions_mut().insert(ClientAddress(client.address));
        if client.is_encrypted {
            request.extensions_mut().insert(EncryptedClient);
        }
        request.extensions_mut().insert(client);
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn resolve(
        proxies: &[&str],
        peer: &str,
        headers: &[(&'static str, &str)],
    ) -> (String, bool, String, usize) {
        let proxies: Vec<String> = proxies.iter().map(ToString::to_string).collect();
        let mut proxies = TrustedProxies::parse(&proxies).unwrap();
        proxies.user_header = Some(HeaderName::from_static("x-user"));
        let mut map: HeaderMap =
            [(header::HOST, HeaderValue::from_static("inside:8080"))].into_iter().collect();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let client =
            proxies.resolve_client(Peer { address: peer.parse().unwrap(), is_encrypted: false }, &mut map);
        let host = map.get(header::HOST).unwrap().to_str().unwrap().to_owned();
        (client.address.to_string(), client.is_encrypted, host, map.len() - 1)
    }

    const ALL: [(&str, &str); 4] = [
        ("x-forwarded-for", "203.0.113.9"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "logs.example"),
        ("x-user", "ada"),
    ];

    #[test]
    fn only_trusted_proxies_can_set_forwarded_values() {
        let trusted = resolve(&["10.0.0.0/8"], "10.1.2.3", &ALL);
        assert_eq!(trusted, ("203.0.113.9".into(), true, "logs.example".into(), 1));
        let forged = resolve(&["10.0.0.0/8"], "11.1.2.3", &ALL);
        assert_eq!(forged, ("11.1.2.3".into(), false, "inside:8080".into(), 0));
        assert_eq!(resolve(&[], "127.0.0.1", &ALL).0, "127.0.0.1");
    }

    #[test]
    fn the_client_is_the_nearest_hop_that_is_not_trusted() {
        let chain = [("x-forwarded-for", "1.1.1.1, 203.0.113.9"), ("x-forwarded-for", "10.0.0.2")];
        assert_eq!(resolve(&["10.0.0.0/8"], "10.0.0.1", &chain).0, "203.0.113.9");
        assert_eq!(resolve(&["10.0.0.1"], "10.0.0.1", &chain).0, "10.0.0.2");
        assert_eq!(resolve(&["10.0.0.1"], "10.0.0.1", &[("x-forwarded-for", "unknown")]).0, "10.0.0.1");
    }

    #[test]
    fn the_standard_header_is_supported() {
        let standard =
            [("forwarded", "for=1.1.1.1, For=\"[2001:db8::1]:4711\";proto=https;host=\"logs.example:444\"")];
        let client = resolve(&["10.0.0.1"], "10.0.0.1", &standard);
        assert_eq!(client, ("2001:db8::1".into(), true, "logs.example:444".into(), 0));
    }

    #[test]
    fn an_invalid_network_is_reported() {
        let parsed = TrustedProxies::parse(&["everybody".to_owned()]);
        assert!(matches!(parsed, Err(UsageError::TrustedProxy { text }) if text == "everybody"));
    }

    fn any_forwarded() -> impl Strategy<Value = Vec<(&'static str, String)>> {
        let name = prop::sample::select(vec![
            "x-forwarded-for",
            "x-forwarded-proto",
            "x-forwarded-host",
            "forwarded",
            "x-user",
        ]);
        prop::collection::vec(
            (name, "[ -~]{0,40}|(for=)?\"?\\[?[0-9a-f:.]{1,20}\\]?(:80)?\"?(;proto=http)?"),
            0..6,
        )
    }

    proptest! {
        #[test]
        fn values_of_an_untrusted_peer_are_ignored(sent in any_forwarded()) {
            let headers: Vec<(&'static str, &str)> = sent.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let client = resolve(&["10.0.0.0/8"], "192.0.2.1", &headers);
            prop_assert_eq!(client, ("192.0.2.1".to_owned(), false, "inside:8080".to_owned(), 0));
        }

        #[test]
        fn forwarded_headers_of_a_trusted_proxy_are_removed(sent in any_forwarded()) {
            let headers: Vec<(&'static str, &str)> = sent.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let users = sent.iter().filter(|(name, _)| *name == "x-user").count();
            prop_assert_eq!(resolve(&["10.0.0.0/8"], "10.0.0.1", &headers).3, users);
        }
    }
}
