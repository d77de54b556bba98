//! Who really asks, when a proxy stands in between.
//!
//! Anybody can write `X-Forwarded-For` or `Forwarded` (RFC 7239). They count from a proxy that is trusted; from anybody else
//! they are dropped before anything else sees them. A proxy that is trusted must set or drop each of them itself, and not pass
//! on what its own client wrote.

use std::{net::IpAddr, str::FromStr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use ipnet::IpNet;

use super::accept::Peer;
use crate::failure::Failure;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Which proxies are trusted, and what only they may say.
#[derive(Debug, Clone, Default)]
pub(crate) struct TrustedProxies {
    networks: Arc<[IpNet]>,
    /// The header in which they name the user.
    pub(crate) user_header: Option<HeaderName>,
}

/// Who asks, as far as trusted parties tell. An extension of each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asker {
    pub(crate) address: IpAddr,
    /// Whether the asker itself speaks TLS, with us or with a proxy.
    pub(crate) is_encrypted: bool,
}

impl TrustedProxies {
    /// Reads addresses and networks.
    pub(crate) fn parse(texts: &[String]) -> Result<Self, Failure> {
        let network = |text: &String| {
            let address = IpAddr::from_str(text).map(IpNet::from);
            address.or_else(|_| IpNet::from_str(text)).map_err(|_| {
                Failure::usage(format!(
                    "--trusted-proxy `{text}` is no address or network; 127.0.0.1 or 10.0.0.0/8 would be"
                ))
            })
        };
        Ok(Self { networks: texts.iter().map(network).collect::<Result<_, _>>()?, user_header: None })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// Finds out who asks, and leaves in `headers` only what may be believed: `Host` becomes the name that the asker used.
    fn admit(&self, peer: Peer, headers: &mut HeaderMap) -> Asker {
        let mut asker = Asker { address: peer.address, is_encrypted: peer.is_encrypted };
        if self.trusts(peer.address) {
            let told = self.told(headers);
            asker.address = told.address.unwrap_or(peer.address);
            if let Some(proto) = told.proto {
                asker.is_encrypted = proto.eq_ignore_ascii_case("https") || proto.eq_ignore_ascii_case("wss");
            }
            if let Some(host) = told.host.and_then(|host| HeaderValue::from_str(&host).ok()) {
                headers.insert(header::HOST, host);
            }
        } else if let Some(name) = &self.user_header {
            headers.remove(name);
        }
        for name in [FOR, PROTO, HOST, header::FORWARDED] {
            headers.remove(name);
        }
        asker
    }

    fn told(&self, headers: &HeaderMap) -> Told {
        if [FOR, PROTO, HOST].iter().any(|name| headers.contains_key(name)) {
            // Each proxy appends; the last value is what the nearest one saw.
            let last = |name| list(headers, name).pop().map(str::to_owned);
            let addresses = list(headers, FOR);
            let hops = addresses.iter().map(|text| address(text));
            Told { address: self.asker_of(hops.rev()), proto: last(PROTO), host: last(HOST) }
        } else {
            let elements: Vec<Element> =
                list(headers, header::FORWARDED).into_iter().map(Element::read).collect();
            let hops = elements.iter().rev().map(|element| element.address);
            let nearest = elements.last();
            Told {
                address: self.asker_of(hops),
                proto: nearest.and_then(|element| element.proto.clone()),
                host: nearest.and_then(|element| element.host.clone()),
            }
        }
    }

    /// From the nearest hop outwards: the first that is not a trusted proxy itself. What stands beyond it, or beyond a hop that
    /// hides its address, is hearsay.
    fn asker_of(&self, hops: impl Iterator<Item = Option<IpAddr>>) -> Option<IpAddr> {
        let mut nearest_known = None;
        for hop in hops {
            let Some(address) = hop else { break };
            nearest_known = Some(address);
            if !self.trusts(address) {
                break;
            }
        }
        nearest_known
    }
}

/// What a trusted proxy tells.
struct Told {
    address: Option<IpAddr>,
    proto: Option<String>,
    host: Option<String>,
}

/// One element of `Forwarded`.
#[derive(Default)]
struct Element {
    address: Option<IpAddr>,
    proto: Option<String>,
    host: Option<String>,
}

impl Element {
    fn read(text: &str) -> Self {
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

/// The items of a header that may be repeated.
fn list(headers: &HeaderMap, name: HeaderName) -> Vec<&str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|item| !item.is_empty()).collect()
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`; `None` for a hidden one (`unknown`, `_x`).
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

/// Middleware, the outermost: everything further in sees the asker, not the proxy.
pub(super) async fn admit(
    State(proxies): State<TrustedProxies>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(peer) = request.extensions().get::<Peer>().copied() {
        let asker = proxies.admit(peer, request.headers_mut());
        request.extensions_mut().insert(asker);
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asked(
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
        let asker = proxies.admit(Peer { address: peer.parse().unwrap(), is_encrypted: false }, &mut map);
        let host = map.get(header::HOST).unwrap().to_str().unwrap().to_owned();
        (asker.address.to_string(), asker.is_encrypted, host, map.len() - 1)
    }

    const ALL: [(&str, &str); 4] = [
        ("x-forwarded-for", "203.0.113.9"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "logs.example"),
        ("x-user", "ada"),
    ];

    #[test]
    fn a_trusted_proxy_is_believed_and_nobody_else() {
        let believed = asked(&["10.0.0.0/8"], "10.1.2.3", &ALL);
        assert_eq!(believed, ("203.0.113.9".into(), true, "logs.example".into(), 1));
        let forged = asked(&["10.0.0.0/8"], "11.1.2.3", &ALL);
        assert_eq!(forged, ("11.1.2.3".into(), false, "inside:8080".into(), 0));
        assert_eq!(asked(&[], "127.0.0.1", &ALL).0, "127.0.0.1");
    }

    #[test]
    fn who_asks_is_the_first_that_no_trusted_proxy_is() {
        let chain = [("x-forwarded-for", "1.1.1.1, 203.0.113.9"), ("x-forwarded-for", "10.0.0.2")];
        assert_eq!(asked(&["10.0.0.0/8"], "10.0.0.1", &chain).0, "203.0.113.9");
        assert_eq!(asked(&["10.0.0.1"], "10.0.0.1", &chain).0, "10.0.0.2");
        assert_eq!(asked(&["10.0.0.1"], "10.0.0.1", &[("x-forwarded-for", "unknown")]).0, "10.0.0.1");
    }

    #[test]
    fn the_standard_header_says_the_same() {
        let standard =
            [("forwarded", "for=1.1.1.1, For=\"[2001:db8::1]:4711\";proto=https;host=\"logs.example:444\"")];
        let told = asked(&["10.0.0.1"], "10.0.0.1", &standard);
        assert_eq!(told, ("2001:db8::1".into(), true, "logs.example:444".into(), 0));
    }

    #[test]
    fn what_is_no_network_is_named() {
        let refused = TrustedProxies::parse(&["everybody".to_owned()]).unwrap_err().to_string();
        assert!(refused.contains("`everybody`"), "{refused}");
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
        fn nothing_that_a_stranger_writes_is_believed(written in any_forwarded()) {
            let headers: Vec<(&'static str, &str)> = written.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let told = asked(&["10.0.0.0/8"], "192.0.2.1", &headers);
            prop_assert_eq!(told, ("192.0.2.1".to_owned(), false, "inside:8080".to_owned(), 0));
        }

        #[test]
        fn whatever_a_proxy_writes_only_what_it_stands_for_is_left(written in any_forwarded()) {
            let headers: Vec<(&'static str, &str)> = written.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let users = written.iter().filter(|(name, _)| *name == "x-user").count();
            prop_assert_eq!(asked(&["10.0.0.0/8"], "10.0.0.1", &headers).3, users);
        }
    }
}
