//! Host names by which clients can request this server.
//!
//! The owner of a web page can point its host name to the address of this server (DNS rebinding). Browsers then consider page
//! and server to be of the same origin, so that the page can read and send everything that the server's own page can. The `Host`
//! header still has the foreign name. So a request must name the server by an IP address, which cannot be rebound, or by a name
//! that belongs to the server.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::HEALTH_PATH;

/// Maximum length of a host name (RFC 1035, section 2.3.4).
const MAX_NAME_BYTES: usize = 253;

/// Host of an authority, without the port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    Address(IpAddr),
    /// Name in lower case, without a trailing dot.
    Name(String),
}

impl Host {
    /// Parses `host[:port]`; `None` if it is invalid.
    pub(super) fn parse(authority: &str) -> Option<Self> {
        if let Some(rest) = authority.strip_prefix('[') {
            let (address, port) = rest.split_once(']')?;
            let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
            let address = address.parse::<Ipv6Addr>().ok().filter(|_| is_port)?;
            return Some(Self::Address(IpAddr::from(address).to_canonical()));
        }
        let name = match authority.split_once(':') {
            Some((name, port)) if is_port(port) => name,
            Some(_) => return None,
            None => authority,
        };
        let name = name.strip_suffix('.').unwrap_or(name);
        if let Ok(address) = name.parse::<Ipv4Addr>() {
            return Some(Self::Address(address.into()));
        }
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        let is_name = (1..=MAX_NAME_BYTES).contains(&name.len()) && name.bytes().all(is_letter);
        is_name.then(|| Self::Name(name.to_ascii_lowercase()))
    }

    /// Returns the host of `scheme://host[:port]`.
    pub(super) fn of_origin(origin: &str) -> Option<Self> {
        Self::parse(origin.split_once("://")?.1.trim_end_matches('/'))
    }

    /// Whether the host is `localhost`, a name below it, or a loopback address. Browsers resolve these names themselves.
    pub(super) fn is_loopback(&self) -> bool {
        match self {
            Self::Address(address) => address.is_loopback(),
            Self::Name(name) => name == "localhost" || name.ends_with(".localhost"),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

fn is_port(text: &str) -> bool {
    // A number also parses with a sign.
    text.is_empty() || (text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok())
}

/// Violation of the host policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum HostError {
    #[error("the request must have one `Host` header, but it has {count}")]
    Count { count: usize },
    #[error("the host of the request is not a host name or an IP address with an optional port")]
    Invalid,
    #[error(
        "`{host}` is not a name of this server; the operator of the server can allow it with `--allow-host {host}`"
    )]
    Unknown { host: Host },
}

impl HostError {
    fn status(&self) -> StatusCode {
        match self {
            // RFC 9112, section 3.2.
            Self::Count { .. } | Self::Invalid => StatusCode::BAD_REQUEST,
            // RFC 9110, section 15.5.20.
            Self::Unknown { .. } => StatusCode::MISDIRECTED_REQUEST,
        }
    }
}

/// Hosts that requests can name.
#[derive(Debug, Clone)]
pub(crate) struct HostPolicy {
    /// Whether only this machine can reach the server. Other IP addresses and the name of the machine are then refused, because
    /// a request by them was forwarded from another machine, which the configuration does not expect.
    is_private: bool,
    known: Arc<[Host]>,
}

impl HostPolicy {
    /// Creates the policy of a server on this machine with the given hosts.
    pub(super) fn new(is_private: bool, known: Vec<Host>) -> Self {
        Self::on_machine(&machine_name().unwrap_or_default(), is_private, known)
    }

    fn on_machine(name: &str, is_private: bool, mut known: Vec<Host>) -> Self {
        if !is_private {
            known.extend(machine_hosts(name));
        }
        Self { is_private, known: known.into() }
    }

    /// Checks the host of a request: of the `Host` header, and of the request target if it has one.
    fn check(&self, headers: &HeaderMap, target: &Uri) -> Result<(), HostError> {
        let mut values = headers.get_all(header::HOST).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(HostError::Count { count: headers.get_all(header::HOST).iter().count() });
        };
        let sent = value.to_str().map_err(|_| HostError::Invalid)?;
        for authority in [sent].into_iter().chain(target.authority().map(|authority| authority.as_str())) {
            let host = Host::parse(authority).ok_or(HostError::Invalid)?;
            if !self.allows(&host) {
                return Err(HostError::Unknown { host });
            }
        }
        Ok(())
    }

    fn allows(&self, host: &Host) -> bool {
        let is_address = matches!(host, Host::Address(_));
        host.is_loopback() || (is_address && !self.is_private) || self.known.contains(host)
    }
}

/// Returns the hosts of a machine: its name, the first label of the name, and the label in the domain of multicast DNS.
fn machine_hosts(name: &str) -> Vec<Host> {
    let Some(Host::Name(name)) = Host::parse(name) else { return vec![] };
    let label = name.split('.').next().unwrap_or_default().to_owned();
    let local = format!("{label}.local");
    [name, label, local].map(Host::Name).into()
}

#[cfg(unix)]
fn machine_name() -> Option<String> {
    rustix::system::uname().nodename().to_str().ok().map(str::to_owned)
}

#[cfg(not(unix))]
fn machine_name() -> Option<String> {
    std::env::var("COMPUTERNAME").ok()
}

/// Middleware that refuses requests that violate the policy. The health check accepts every name: the probes of load balancers
/// use any, and its response contains nothing that a web page must not read.
pub(super) async fn guard(State(policy): State<HostPolicy>, request: Request, next: Next) -> Response {
    let checked = match request.uri().path() {
        HEALTH_PATH => Ok(()),
        _ => policy.check(request.headers(), request.uri()),
    };
    match checked {
        Ok(()) => next.run(request).await,
        Err(error) => (error.status(), format!("{error}\n")).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn check_all(policy: &HostPolicy, hosts: &[&str], target: &str) -> Result<(), HostError> {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, HeaderValue::from_str(host).unwrap());
        }
        policy.check(&headers, &target.parse().unwrap())
    }

    fn check(policy: &HostPolicy, host: &str) -> Result<(), HostError> {
        check_all(policy, &[host], "/negotiate")
    }

    fn policy(is_private: bool, known: &[&str]) -> HostPolicy {
        let known = known.iter().map(|host| Host::parse(host).unwrap()).collect();
        HostPolicy::on_machine("Web1.corp.example", is_private, known)
    }

    #[test]
    fn a_public_server_has_addresses_and_the_known_names() {
        let policy = policy(false, &["Logs.Example:443"]);
        for host in [
            "192.0.2.7",
            "192.0.2.7:8080",
            "[2001:db8::1]:8080",
            "[::1]",
            "localhost:8080",
            "LOCALHOST.",
            "logs.example",
            "LOGS.example.:8080",
            "web1:8080",
            "web1.local",
            "web1.corp.example",
        ] {
            assert_eq!(check(&policy, host), Ok(()), "{host}");
        }
        for (host, name) in [
            ("evil.example:8080", "evil.example"),
            ("logs.example.evil.example", "logs.example.evil.example"),
            ("evil.logs.example", "evil.logs.example"),
            ("127.0.0.1.evil.example", "127.0.0.1.evil.example"),
            ("evil-localhost", "evil-localhost"),
            ("localhost.evil.example", "localhost.evil.example"),
        ] {
            let unknown = HostError::Unknown { host: Host::Name(name.into()) };
            assert_eq!(check(&policy, host), Err(unknown), "{host}");
        }
    }

    #[test]
    fn a_private_server_has_loopback_names_only() {
        let private = policy(true, &[]);
        for host in ["localhost:1", "app.localhost", "127.0.0.1:8080", "[::1]:8080", "[::ffff:127.0.0.1]"] {
            assert_eq!(check(&private, host), Ok(()), "{host}");
        }
        for host in ["192.0.2.7:8080", "[2001:db8::1]", "evil.example", "web1"] {
            assert!(matches!(check(&private, host), Err(HostError::Unknown { .. })), "{host}");
        }
    }

    #[test]
    fn an_invalid_machine_name_is_ignored() {
        for name in ["", "(none)", "10.0.0.1"] {
            assert_eq!(machine_hosts(name), [], "{name}");
        }
    }

    #[test]
    fn a_request_must_have_one_valid_host() {
        let policy = policy(false, &[]);
        assert_eq!(check_all(&policy, &[], "/"), Err(HostError::Count { count: 0 }));
        let both = ["localhost", "localhost"];
        assert_eq!(check_all(&policy, &both, "/"), Err(HostError::Count { count: 2 }));
        let long = "a".repeat(MAX_NAME_BYTES + 1);
        for host in [
            "",
            ":80",
            ".",
            "a b",
            "user@localhost",
            "localhost:80@evil",
            "::1",
            "[::1",
            "[::1]x",
            "[x]",
            "a:b",
            "127.0.0.1:99999",
            "[::1]:65536",
            "localhost:+80",
            "<p>",
            &long,
        ] {
            assert_eq!(check(&policy, host), Err(HostError::Invalid), "{host}");
        }
    }

    #[test]
    fn the_host_of_an_absolute_request_target_is_checked_too() {
        let policy = policy(false, &[]);
        assert_eq!(check_all(&policy, &["localhost"], "http://localhost:80/x"), Ok(()));
        let refused = check_all(&policy, &["localhost"], "http://evil.example/x");
        assert!(matches!(refused, Err(HostError::Unknown { .. })), "{refused:?}");
    }

    #[test]
    fn errors_name_the_host_and_the_option() {
        let error = check(&policy(false, &[]), "evil.example:80").unwrap_err();
        assert_eq!(error.status(), StatusCode::MISDIRECTED_REQUEST);
        assert!(error.to_string().contains("`--allow-host evil.example`"), "{error}");
        assert_eq!(HostError::Invalid.status(), StatusCode::BAD_REQUEST);
    }

    proptest! {
        #[test]
        fn only_known_names_are_accepted(host in "[!-~]{0,40}|([a-z.-]{0,9}localhost[a-z.:0-9-]{0,9})") {
            let policy = HostPolicy { is_private: false, known: Arc::new([Host::Name("logs.example".into())]) };
            if check(&policy, &host).is_ok() {
                let host = Host::parse(&host).unwrap();
                let is_known = host == Host::Name("logs.example".into());
                prop_assert!(host.is_loopback() || is_known || matches!(host, Host::Address(_)), "{host:?}");
            }
        }
    }
}
