//! What the embedded service was asked to do, checked.

use std::{net::SocketAddr, time::Duration};

use super::{
    access_key::{self, AccessKeys},
    config_file::ConfigFile,
    forwarded::TrustedProxies,
    tls::TlsFiles,
};
use crate::{cli::ServiceOptions, failure::Failure};
use webpubsub_hub::{
    event_handler::http::{delivery::HANDLER_TIMEOUT, rule::Rule},
    origin::{OriginPolicy, is_loopback_host},
};
use webpubsub_protocol::endpoint::Endpoint;

/// Where the server listens, and to whom.
#[derive(Debug, Clone)]
pub(crate) struct ListenConfig {
    pub(crate) address: SocketAddr,
    pub(crate) origins: OriginPolicy,
    /// Whether nobody but this machine can reach the server, as far as its configuration tells.
    pub(crate) is_private: bool,
    /// Where clients reach it, where that was said.
    pub(crate) public: Option<Endpoint>,
    pub(crate) proxies: TrustedProxies,
    pub(crate) tls: Option<TlsFiles>,
}

impl ListenConfig {
    /// Checks what was typed.
    pub(crate) fn from_options(options: &ServiceOptions) -> Result<Self, Failure> {
        for origin in &options.allow_origin {
            check_origin(origin)?;
        }
        let public = options.public_url.as_deref().map(public_endpoint).transpose()?;
        let proxies = TrustedProxies::parse(&options.trusted_proxy)?;
        // The page that is served by the public name is one of ours.
        let own_page = public.as_ref().map(|public| public.clone().without_prefix().to_string());
        let allowed: Vec<String> = own_page.into_iter().chain(options.allow_origin.iter().cloned()).collect();
        let is_loopback = options.listen.ip().is_loopback();
        // A page of another host that may use this server means that others can reach it, by a proxy or a tunnel.
        let is_private =
            is_loopback && proxies.is_empty() && allowed.iter().all(|origin| is_loopback_origin(origin));
        let files = options.tls_cert.clone().zip(options.tls_key.clone());
        let tls = files.map(|(certificate, key)| TlsFiles { certificate, key });
        let origins = OriginPolicy { is_loopback, allowed };
        Ok(Self { address: options.listen, origins, is_private, public, proxies, tls })
    }

    /// The server at `authority`, by the scheme that it speaks itself.
    pub(crate) fn endpoint_at(&self, authority: impl Into<String>) -> Endpoint {
        let endpoint = Endpoint::plain(authority);
        if self.tls.is_some() { endpoint.secured() } else { endpoint }
    }

    /// What event handlers know the server by when others can reach it: the host of the first allowed page, or else the
    /// address. On a private server, any name that it is called is its own.
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

/// How the embedded service behaves.
#[derive(Debug, Clone)]
pub(crate) struct ServiceConfig {
    pub(crate) access_keys: AccessKeys,
    /// The first that matches counts.
    pub(crate) event_handlers: Vec<Rule>,
    pub(crate) handler_timeout: Duration,
    pub(crate) allows_anonymous: bool,
    pub(crate) is_inspectable: bool,
}

impl ServiceConfig {
    /// Checks what was typed.
    pub(crate) fn from_options(options: &ServiceOptions, is_private: bool) -> Result<Self, Failure> {
        let file = options.config.as_deref().map(ConfigFile::read).transpose()?.unwrap_or_default();
        let (first, second) = (options.access_key.as_deref(), options.secondary_access_key.as_deref());
        let access_keys = access_key::keys(first, second, is_private)?;
        let mut event_handlers: Vec<Rule> = options
            .event_handler
            .iter()
            .map(|text| text.parse())
            .collect::<Result<_, _>>()
            .map_err(|error| Failure::usage(format!("--event-handler: {error}")))?;
        event_handlers.extend(file.event_handlers);
        let allows_anonymous = options.allow_anonymous || file.allows_anonymous;
        let is_inspectable = options.inspect || is_private;
        let handler_timeout = file.handler_timeout.unwrap_or(HANDLER_TIMEOUT);
        Ok(Self { access_keys, event_handlers, handler_timeout, allows_anonymous, is_inspectable })
    }

    /// Whether something was asked for that only the embedded service has.
    pub(crate) fn is_asked_for_by(options: &ServiceOptions) -> Option<&'static str> {
        let asked = [
            ("--event-handler", !options.event_handler.is_empty()),
            ("--config", options.config.is_some()),
            ("--allow-anonymous", options.allow_anonymous),
            ("--inspect", options.inspect),
        ];
        asked.into_iter().find_map(|(flag, is_given)| is_given.then_some(flag))
    }
}

fn is_loopback_origin(origin: &str) -> bool {
    origin.split_once("://").is_some_and(|(_, host)| is_loopback_host(host.trim_end_matches('/')))
}

fn public_endpoint(url: &str) -> Result<Endpoint, Failure> {
    Endpoint::parse(url).filter(|_| url.contains("://")).ok_or_else(|| {
        Failure::usage(format!(
            "--public-url `{url}` is no address of a server: https://logs.example.com would be, with a path or without"
        ))
    })
}

fn check_origin(origin: &str) -> Result<(), Failure> {
    let is_origin = origin.split_once("://").is_some_and(|(scheme, host)| {
        matches!(scheme, "http" | "https") && !host.is_empty() && !host.contains(['/', '*', '?', '#', ' '])
    });
    if is_origin {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "--allow-origin `{origin}` is no origin: give scheme and host, such as https://example.com, without a path or `*`"
    )))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn configure(arguments: &[&str]) -> Result<ServiceConfig, Failure> {
        let all = ["tailcast", "hub"].iter().chain(arguments);
        let Command::Hub(options) = Cli::try_parse_from(all).unwrap().command else { panic!("not hub") };
        let listen = ListenConfig::from_options(&options.service)?;
        ServiceConfig::from_options(&options.service, listen.is_private)
    }

    #[test]
    fn others_look_inside_only_when_asked_for() {
        const KEY: [&str; 2] = ["--access-key", "0123456789012345678901234567890123"];
        assert!(configure(&[]).unwrap().is_inspectable);
        let public = ["--listen", "0.0.0.0:80", KEY[0], KEY[1]];
        assert!(!configure(&public).unwrap().is_inspectable);
        assert!(configure(&[&public[..], &["--inspect"]].concat()).unwrap().is_inspectable);
    }

    #[test]
    fn clients_do_not_choose_what_handlers_know_a_public_server_by() {
        let name = |arguments: &[&str]| {
            let all = ["tailcast", "hub"].iter().chain(arguments);
            let Command::Hub(options) = Cli::try_parse_from(all).unwrap().command else { panic!("not hub") };
            ListenConfig::from_options(&options.service).unwrap().public_name()
        };
        assert_eq!(name(&[]), None);
        assert_eq!(name(&["--listen", "0.0.0.0:80"]).as_deref(), Some("0.0.0.0"));
        assert_eq!(name(&["--allow-origin", "https://app.example:8443"]).as_deref(), Some("app.example"));
    }

    #[test]
    fn whoever_has_a_proxy_or_a_public_name_can_be_reached_by_others() {
        let listen = |arguments: &[&str]| {
            let all = ["tailcast", "hub"].iter().chain(arguments);
            let Command::Hub(options) = Cli::try_parse_from(all).unwrap().command else { panic!("not hub") };
            ListenConfig::from_options(&options.service)
        };
        assert!(listen(&[]).unwrap().is_private);
        assert!(!listen(&["--trusted-proxy", "127.0.0.1"]).unwrap().is_private);
        let public = listen(&["--public-url", "https://logs.example/tail/"]).unwrap();
        assert!(!public.is_private);
        assert_eq!(public.origins.allowed, ["https://logs.example"]);
        assert!(listen(&["--public-url", "http://localhost:8080"]).unwrap().is_private);
        assert!(listen(&["--public-url", "logs.example"]).unwrap_err().to_string().contains("--public-url"));
    }

    #[test]
    fn handlers_and_origins_that_make_no_sense_are_named() {
        let refusal = |arguments: &[&str]| configure(arguments).unwrap_err().to_string();
        assert!(refusal(&["--event-handler", "nowhere"]).contains("--event-handler: `nowhere`"));
        assert!(refusal(&["--allow-origin", "*"]).contains("`*` is no origin"));
        assert!(configure(&["--event-handler", "http://localhost:3000/{hub}"]).is_ok());
    }
}
