//! Validated configuration of the listening server and of the embedded service.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use super::{
    access_key::{self, AccessKeys},
    config_file::ConfigFile,
    forwarded::TrustedProxies,
    history,
    host::{Host, HostPolicy},
    origin::OriginPolicy,
    tls::TlsFiles,
    tls_dev::DevelopmentAuthority,
};
use crate::{
    cli::{DEFAULT_MEMORY_LIMIT, ServiceOptions},
    secret,
    usage_error::UsageError,
};
use bytesize::ByteSize;
use webpubsub_hub::{
    ClientLimits, HistoryRule, MIN_MEMORY_LIMIT_BYTES,
    http::{HANDLER_TIMEOUT, Rule},
};
use webpubsub_protocol::endpoint::Endpoint;

/// Configuration of the listening server.
#[derive(Debug, Clone)]
pub(crate) struct ListenConfig {
    pub(crate) address: SocketAddr,
    pub(crate) hosts: HostPolicy,
    pub(crate) origins: OriginPolicy,
    /// Whether only this machine can reach the server, according to its configuration.
    pub(crate) is_private: bool,
    /// Public URL, if configured.
    pub(crate) public: Option<Endpoint>,
    pub(crate) proxies: TrustedProxies,
    pub(crate) tls: Option<TlsFiles>,
    /// Authority that issues the certificate, for development.
    pub(super) development_authority: Option<DevelopmentAuthority>,
    /// Maximum number of sockets of an address; `None` if no stranger can reach the server.
    pub(crate) sockets_per_address: Option<usize>,
}

impl ListenConfig {
    /// Validates the options.
    pub(crate) fn from_options(options: &ServiceOptions) -> Result<Self, UsageError> {
        for origin in &options.allow_origin {
            check_origin(origin)?;
        }
        let mut hosts: Vec<Host> =
            options.allow_host.iter().map(|name| parse_host(name)).collect::<Result<_, _>>()?;
        let public = options.public_url.as_deref().map(public_endpoint).transpose()?;
        let proxies = TrustedProxies::parse(&options.trusted_proxy)?;
        // The server's own page has the origin of the public URL.
        let own_page = public.as_ref().map(|public| public.clone().without_prefix().to_string());
        let allowed: Vec<String> = own_page.into_iter().chain(options.allow_origin.iter().cloned()).collect();
        let is_loopback = options.listen.ip().is_loopback();
        hosts.extend(allowed.iter().filter_map(|origin| Host::of_origin(origin)));
        // An allowed name or origin of another host implies that other hosts can reach the server, through a proxy or a tunnel.
        let is_private = is_loopback
            && proxies.is_empty()
            && hosts.iter().all(Host::is_loopback)
            && allowed.iter().all(|origin| Host::of_origin(origin).is_some());
        let files = options.tls_cert.clone().zip(options.tls_key.clone());
        let tls = files.map(|(certificate, key)| TlsFiles { certificate, key });
        let development_authority = options.tls_dev.as_ref().map(|folder| {
            let authority = DevelopmentAuthority::new(folder.as_deref())?;
            if is_private { Ok(authority) } else { Err(UsageError::TlsDevNotPrivate) }
        });
        let development_authority = development_authority.transpose()?;
        let tls = tls.or_else(|| development_authority.as_ref().map(DevelopmentAuthority::server_files));
        let origins = OriginPolicy { is_loopback, allowed };
        let hosts = HostPolicy::new(is_private, hosts);
        let sockets_per_address = client_limits(options, is_private)
            .map(|limits| limits.connections_per_address.saturating_mul(SOCKETS_PER_CONNECTION));
        let address = options.listen;
        Ok(Self {
            address,
            hosts,
            origins,
            is_private,
            public,
            proxies,
            tls,
            development_authority,
            sockets_per_address,
        })
    }

    /// Returns the endpoint by which clients reach this server: the public URL, or the URL on this machine.
    pub(crate) fn client_endpoint(&self) -> Endpoint {
        let host = match self.address.ip().is_unspecified() {
            true => format!("localhost:{}", self.address.port()),
            false => self.address.to_string(),
        };
        self.public.clone().unwrap_or_else(|| self.endpoint_at(host))
    }

    /// Returns the endpoint of this server at `authority`, with `https` if TLS is configured.
    pub(crate) fn endpoint_at(&self, authority: impl Into<String>) -> Endpoint {
        let endpoint = Endpoint::plain(authority);
        if self.tls.is_some() { endpoint.secured() } else { endpoint }
    }

    /// Returns the server's name for event handlers if other hosts can reach it: the host of the first allowed origin, or
    /// the address. `None` for a private server, which has several names.
    pub(crate) fn public_name(&self) -> Option<String> {
        if self.is_private {
            return None;
        }
        let host = |origin: &String| {
            let uri: axum::http::Uri = origin.parse().ok()?;
            uri.host().map(str::to_owned)
        };
        let named = self.origins.allowed.iter().find_map(host);
        Some(named.unwrap_or_else(|| self.address.ip().to_string()))
    }
}

/// Event handlers of the embedded service.
#[derive(Debug, Clone)]
pub(crate) struct EventHandlers {
    /// Rules in order of priority: the first match handles an event.
    pub(crate) rules: Vec<Rule>,
    /// Timeout of a handler, retries and their delays included.
    pub(crate) timeout: Duration,
}

/// Source of the event handlers: the command line, then the configuration file.
#[derive(Debug, Clone)]
pub(crate) struct EventHandlerSource {
    command_line: Vec<Rule>,
    pub(super) file: Option<PathBuf>,
}

impl EventHandlerSource {
    fn from_options(options: &ServiceOptions) -> Result<Self, UsageError> {
        let rules = options.event_handler.iter().map(|text| text.parse()).collect::<Result<_, _>>();
        Ok(Self { command_line: rules.map_err(UsageError::EventHandler)?, file: options.config.clone() })
    }

    /// Reads the configuration file, if there is one.
    fn read_file(&self) -> Result<ConfigFile, UsageError> {
        Ok(self.file.as_deref().map(ConfigFile::read).transpose()?.unwrap_or_default())
    }

    fn with_file(&self, file: ConfigFile) -> EventHandlers {
        let rules = self.command_line.iter().cloned().chain(file.event_handlers).collect();
        EventHandlers { rules, timeout: file.handler_timeout.unwrap_or(HANDLER_TIMEOUT) }
    }

    /// Reads the event handlers.
    #[cfg(unix)]
    pub(super) fn read(&self) -> Result<EventHandlers, UsageError> {
        Ok(self.with_file(self.read_file()?))
    }
}

/// Configuration of the embedded service.
#[derive(Debug, Clone)]
pub(crate) struct ServiceConfig {
    pub(crate) access_keys: AccessKeys,
    pub(crate) event_handlers: EventHandlers,
    /// Source of the event handlers, to read them again.
    pub(crate) event_handler_source: EventHandlerSource,
    pub(crate) allows_anonymous: bool,
    pub(crate) allows_unverified_entra_tokens: bool,
    pub(crate) ack_delay: Duration,
    pub(crate) is_inspectable: bool,
    /// Limits on the clients of one address; `None` if no stranger can reach the service.
    pub(crate) client_limits: Option<ClientLimits>,
    /// Memory budget of all clients, in bytes.
    pub(crate) memory_limit: usize,
    /// Retention of group messages.
    pub(crate) history: Vec<HistoryRule>,
}

impl ServiceConfig {
    /// Validates the options.
    pub(crate) fn from_options(options: &ServiceOptions, is_private: bool) -> Result<Self, UsageError> {
        let event_handler_source = EventHandlerSource::from_options(options)?;
        let file = event_handler_source.read_file()?;
        let primary = secret::select(options.access_key.as_deref(), options.access_key_file.as_deref())?;
        let (secondary, secondary_file) = (&options.secondary_access_key, &options.secondary_access_key_file);
        let secondary = secret::select(secondary.as_deref(), secondary_file.as_deref())?;
        let access_keys = access_key::access_keys(primary.as_deref(), secondary.as_deref(), is_private)?;
        let allows_anonymous = options.allow_anonymous || file.allows_anonymous;
        if options.allow_unverified_entra_tokens && !is_private {
            return Err(UsageError::UnverifiedEntraTokens);
        }
        let is_inspectable = options.inspect || is_private;
        let memory_limit = memory_limit(options.memory_limit)?;
        let history = history::rules(&options.history, memory_limit).map_err(UsageError::History)?;
        Ok(Self {
            access_keys,
            event_handlers: event_handler_source.with_file(file),
            event_handler_source,
            allows_anonymous,
            allows_unverified_entra_tokens: options.allow_unverified_entra_tokens,
            ack_delay: Duration::from_millis(options.ack_delay),
            is_inspectable,
            client_limits: client_limits(options, is_private),
            memory_limit,
            history,
        })
    }

    /// Returns the first given flag that applies only to the embedded service.
    pub(crate) fn first_flag(options: &ServiceOptions) -> Option<&'static str> {
        let flags = [
            ("--event-handler", !options.event_handler.is_empty()),
            ("--config", options.config.is_some()),
            ("--allow-anonymous", options.allow_anonymous),
            ("--allow-unverified-entra-tokens", options.allow_unverified_entra_tokens),
            ("--ack-delay", options.ack_delay != 0),
            ("--inspect", options.inspect),
            ("--memory-limit", options.memory_limit != DEFAULT_MEMORY_LIMIT),
            ("--history", !options.history.is_empty()),
        ];
        flags.into_iter().find_map(|(flag, is_given)| is_given.then_some(flag))
    }
}

/// Sockets of an address for each of its connections: a page also loads files.
const SOCKETS_PER_CONNECTION: usize = 2;

fn client_limits(options: &ServiceOptions, is_private: bool) -> Option<ClientLimits> {
    let unlimited_at_0 = |limit: u32| if limit == 0 { usize::MAX } else { limit as usize };
    (!is_private).then(|| ClientLimits {
        connections_per_address: unlimited_at_0(options.connections_per_address),
        connections_per_token: unlimited_at_0(options.connections_per_token),
        ..ClientLimits::default()
    })
}

fn memory_limit(size: ByteSize) -> Result<usize, UsageError> {
    let bytes = usize::try_from(size.as_u64()).ok().filter(|bytes| *bytes >= MIN_MEMORY_LIMIT_BYTES);
    bytes.ok_or(UsageError::MemoryLimit { given: size, minimum: ByteSize(MIN_MEMORY_LIMIT_BYTES as u64) })
}

fn parse_host(name: &str) -> Result<Host, UsageError> {
    let address = name.parse::<IpAddr>().map(|address| Host::Address(address.to_canonical()));
    address.ok().or_else(|| Host::parse(name)).ok_or_else(|| UsageError::Host { name: name.to_owned() })
}

fn public_endpoint(url: &str) -> Result<Endpoint, UsageError> {
    let endpoint = Endpoint::parse(url).filter(|_| url.contains("://"));
    endpoint.ok_or_else(|| UsageError::PublicUrl { url: url.to_owned() })
}

fn check_origin(origin: &str) -> Result<(), UsageError> {
    let is_origin = origin.split_once("://").is_some_and(|(scheme, host)| {
        matches!(scheme, "http" | "https") && !host.is_empty() && !host.contains(['/', '*', '?', '#', ' '])
    });
    if is_origin { Ok(()) } else { Err(UsageError::Origin { origin: origin.to_owned() }) }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use webpubsub_hub::http::RuleError;

    use super::*;
    use crate::cli::{Cli, CliCommand};

    fn configure(arguments: &[&str]) -> Result<ServiceConfig, UsageError> {
        let all = ["tailcast", "hub"].iter().chain(arguments);
        let Some(CliCommand::Hub(options)) = Cli::try_parse_from(all).unwrap().command else {
            panic!("not hub")
        };
        let listen = ListenConfig::from_options(&options.service)?;
        ServiceConfig::from_options(&options.service, listen.is_private)
    }

    #[test]
    fn inspection_by_other_hosts_requires_a_flag() {
        const KEY: [&str; 2] = ["--access-key", "0123456789012345678901234567890123"];
        assert!(configure(&[]).unwrap().is_inspectable);
        let public = ["--listen", "0.0.0.0:80", KEY[0], KEY[1]];
        assert!(!configure(&public).unwrap().is_inspectable);
        assert!(configure(&[&public[..], &["--inspect"]].concat()).unwrap().is_inspectable);
    }

    #[test]
    fn unverified_entra_tokens_are_refused_where_other_hosts_can_reach_the_server() {
        const FLAGS: [&str; 3] =
            ["--allow-unverified-entra-tokens", "--access-key", "0123456789012345678901234567890123"];
        assert!(configure(&FLAGS).unwrap().allows_unverified_entra_tokens);
        assert!(!configure(&[]).unwrap().allows_unverified_entra_tokens);
        for public in [["--listen", "0.0.0.0:80"], ["--allow-host", "hub.example.com"]] {
            let refused = configure(&[&FLAGS[..], &public].concat());
            assert!(matches!(refused, Err(UsageError::UnverifiedEntraTokens)), "{public:?}");
        }
    }

    #[test]
    fn a_development_certificate_is_refused_where_other_hosts_can_reach_the_server() {
        const KEY: [&str; 2] = ["--access-key", "0123456789012345678901234567890123"];
        assert!(configure(&["--tls-dev=/tmp/tls"]).is_ok());
        let public = [&["--tls-dev=/tmp/tls", "--allow-host", "hub.example.com"], &KEY[..]].concat();
        assert!(matches!(configure(&public), Err(UsageError::TlsDevNotPrivate)));
    }

    #[test]
    fn event_handlers_get_the_configured_name_of_a_public_server() {
        let name = |arguments: &[&str]| {
            let all = ["tailcast", "hub"].iter().chain(arguments);
            let Some(CliCommand::Hub(options)) = Cli::try_parse_from(all).unwrap().command else {
                panic!("not hub")
            };
            ListenConfig::from_options(&options.service).unwrap().public_name()
        };
        assert_eq!(name(&[]), None);
        assert_eq!(name(&["--listen", "0.0.0.0:80"]).as_deref(), Some("0.0.0.0"));
        assert_eq!(name(&["--allow-origin", "https://app.example:8443"]).as_deref(), Some("app.example"));
    }

    #[test]
    fn a_server_with_a_proxy_or_a_public_url_is_not_private() {
        let listen = |arguments: &[&str]| {
            let all = ["tailcast", "hub"].iter().chain(arguments);
            let Some(CliCommand::Hub(options)) = Cli::try_parse_from(all).unwrap().command else {
                panic!("not hub")
            };
            ListenConfig::from_options(&options.service)
        };
        assert!(listen(&[]).unwrap().is_private);
        assert!(!listen(&["--trusted-proxy", "127.0.0.1"]).unwrap().is_private);
        let public = listen(&["--public-url", "https://logs.example/tail/"]).unwrap();
        assert!(!public.is_private);
        assert_eq!(public.origins.allowed, ["https://logs.example"]);
        assert!(listen(&["--public-url", "http://localhost:8080"]).unwrap().is_private);
        let without_scheme = listen(&["--public-url", "logs.example"]);
        assert!(matches!(without_scheme, Err(UsageError::PublicUrl { .. })), "{without_scheme:?}");
        assert!(!listen(&["--allow-host", "logs.example"]).unwrap().is_private);
        assert!(!listen(&["--allow-origin", "http://bücher.example"]).unwrap().is_private);
        assert!(listen(&["--allow-host", "app.localhost", "--allow-host", "::1"]).unwrap().is_private);
    }

    #[test]
    fn invalid_handlers_and_origins_are_reported() {
        let error = |arguments: &[&str]| configure(arguments).unwrap_err();
        let handler = error(&["--event-handler", "nowhere"]);
        assert!(matches!(handler, UsageError::EventHandler(RuleError::Setting(_))), "{handler:?}");
        assert!(matches!(error(&["--allow-origin", "*"]), UsageError::Origin { .. }));
        for name in ["*.example", "http://logs.example", "logs.example/tail", "bücher.example", ""] {
            assert!(matches!(error(&["--allow-host", name]), UsageError::Host { .. }), "{name}");
        }
        assert!(configure(&["--event-handler", "http://localhost:3000/{hub}"]).is_ok());
    }
}
