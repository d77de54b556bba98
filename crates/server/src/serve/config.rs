//! What `tailcast serve` was asked to do, checked.

use std::{net::SocketAddr, path::PathBuf};

use webpubsub_hub::origin::{OriginPolicy, is_loopback_host};
use webpubsub_protocol::{
    connection_string::{AccessKey, ConnectionString},
    endpoint::Endpoint,
    name::{GroupName, HubName},
};

use crate::{cli::ServeOptions, failure::Failure};

/// The key that the vendor's emulator uses too, so that a connection string copied from its documentation works.
/// Everybody knows it: good on the loopback interface only.
const DEVELOPMENT_KEY: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH";

/// Who carries the messages.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    /// The service in this process.
    Embedded { connection_string: ConnectionString },
    /// Azure, or whatever else the connection string leads to.
    Azure { connection_string: ConnectionString },
}

/// A checked configuration.
#[derive(Debug)]
pub(crate) struct ServeConfig {
    pub(crate) backend: Backend,
    pub(crate) listen: SocketAddr,
    pub(crate) hub: HubName,
    pub(crate) group: GroupName,
    pub(crate) site: Option<PathBuf>,
    pub(crate) origins: OriginPolicy,
    pub(crate) publish_key: Option<String>,
    /// Whether nobody but this machine can reach the server, as far as its configuration tells.
    pub(crate) is_private: bool,
}

impl ServeConfig {
    /// Checks what was typed.
    pub(crate) fn from_options(options: ServeOptions) -> Result<Self, Failure> {
        let usage = |error: &dyn std::error::Error| Failure::usage(error.to_string());
        let is_loopback = options.listen.ip().is_loopback();
        for origin in &options.allow_origin {
            check_origin(origin)?;
        }
        // A page of another host that may use this server means that others can reach it, by a proxy or a tunnel.
        let is_private = is_loopback && options.allow_origin.iter().all(|origin| is_loopback_origin(origin));
        let backend = match &options.connection_string {
            Some(text) => Backend::Azure {
                connection_string: ConnectionString::parse(text).map_err(|error| usage(&error))?,
            },
            None => Backend::Embedded {
                connection_string: ConnectionString {
                    endpoint: Endpoint::plain(options.listen.to_string()),
                    access_key: embedded_key(options.access_key.as_deref(), is_private)?,
                },
            },
        };
        if options.publish_key.as_deref() == Some("") {
            return Err(Failure::usage(
                "the publish key is empty: give --publish-key a secret, or leave it out",
            ));
        }
        Ok(Self {
            backend,
            listen: options.listen,
            hub: HubName::new(&options.hub).map_err(|error| usage(&error))?,
            group: GroupName::new(&options.group).map_err(|error| usage(&error))?,
            site: find_site(options.site)?,
            origins: OriginPolicy { is_loopback, allowed: options.allow_origin },
            publish_key: options.publish_key,
            is_private,
        })
    }

    /// The same, now that the port is known.
    pub(crate) fn bound_to(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        if let Backend::Embedded { connection_string } = &mut self.backend {
            connection_string.endpoint = Endpoint::plain(address.to_string());
        }
        self
    }

    /// Whether `/negotiate` gives everyone permission to publish.
    pub(crate) fn may_publish_without_key(&self) -> bool {
        self.is_private && self.publish_key.is_none()
    }

    /// Host and port to open in a browser on this machine.
    pub(crate) fn page_host(&self) -> String {
        if self.listen.ip().is_unspecified() {
            format!("localhost:{}", self.listen.port())
        } else {
            self.listen.to_string()
        }
    }

    /// Whether the embedded service signs with the key that everybody knows.
    pub(crate) fn has_development_key(&self) -> bool {
        matches!(&self.backend, Backend::Embedded { connection_string }
            if connection_string.access_key.reveal() == DEVELOPMENT_KEY)
    }

    /// What `tailcast stream` needs to be told to find us, if anything.
    pub(crate) fn stream_hint(&self) -> String {
        const DEFAULT_PORT: u16 = 8080;
        let key = if self.publish_key.is_some() { " --publish-key KEY" } else { "" };
        let is_default =
            self.listen.ip().is_loopback() && self.listen.is_ipv4() && self.listen.port() == DEFAULT_PORT;
        if is_default {
            key.to_owned()
        } else {
            format!(" --negotiate http://{}/negotiate{key}", self.page_host())
        }
    }
}

fn embedded_key(given: Option<&str>, is_private: bool) -> Result<AccessKey, Failure> {
    match given {
        Some(key) if key == DEVELOPMENT_KEY && !is_private => Err(Failure::usage(
            "everybody knows the development key, so it is refused where others can reach the server \
             (by --listen or --allow-origin); use a key of your own",
        )),
        Some(key) => AccessKey::new(key).map_err(|error| {
            Failure::usage(error.to_string().replace("`AccessKey`", "the key given with --access-key"))
        }),
        None if is_private => {
            AccessKey::new(DEVELOPMENT_KEY).map_err(|error| Failure::usage(error.to_string()))
        }
        None => Err(Failure::usage(format!(
            "others can reach the server (by --listen or --allow-origin), so the embedded service needs a key of its \
             own: --access-key {}",
            fresh_key()
        ))),
    }
}

fn is_loopback_origin(origin: &str) -> bool {
    origin.split_once("://").is_some_and(|(_, host)| is_loopback_host(host.trim_end_matches('/')))
}

/// A key to suggest: 43 characters that nobody can guess.
fn fresh_key() -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = [0_u8; 43];
    if getrandom::fill(&mut bytes).is_err() {
        return "KEY".to_owned();
    }
    bytes
        .iter()
        .filter_map(|byte| ALPHABET.get(usize::from(byte % 64)))
        .map(|letter| char::from(*letter))
        .collect()
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

/// The folder of the page: as given, or where it usually is; `None` when it is nowhere.
fn find_site(given: Option<PathBuf>) -> Result<Option<PathBuf>, Failure> {
    let has_page = |folder: &PathBuf| folder.join("index.html").is_file();
    match given {
        Some(folder) if has_page(&folder) => Ok(Some(folder)),
        Some(folder) => Err(Failure::usage(format!(
            "--site {} holds no index.html; build the page with `cargo xtask build`, which puts it into dist",
            folder.display()
        ))),
        None => {
            let beside =
                std::env::current_exe().ok().and_then(|program| Some(program.parent()?.join("site")));
            Ok(beside.into_iter().chain([PathBuf::from("dist")]).find(has_page))
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn configure(arguments: &[&str]) -> Result<ServeConfig, Failure> {
        let all = ["tailcast", "serve"].iter().chain(arguments);
        let Command::Serve(options) = Cli::try_parse_from(all).unwrap().command else { panic!("not serve") };
        ServeConfig::from_options(options)
    }

    fn refusal(arguments: &[&str]) -> String {
        match configure(arguments) {
            Err(Failure::Usage(words)) => words,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_development_key_serves_on_loopback_and_is_refused_beyond() {
        let config = configure(&[]).unwrap();
        assert!(config.may_publish_without_key());
        assert!(refusal(&["--listen", "0.0.0.0:80"]).contains("--access-key "));
        assert!(
            refusal(&["--listen", "[::]:80", "--access-key", DEVELOPMENT_KEY]).contains("everybody knows")
        );
    }

    #[test]
    fn beyond_loopback_nobody_may_publish_without_a_key() {
        let key = fresh_key();
        let config = configure(&["--listen", "0.0.0.0:80", "--access-key", &key]).unwrap();
        assert!(!config.may_publish_without_key());
        assert!(!configure(&["--publish-key", "secret"]).unwrap().may_publish_without_key());
    }

    #[test]
    fn who_lets_pages_of_another_host_in_can_be_reached_by_others() {
        let proxied = ["--allow-origin", "https://logs.example"];
        assert!(refusal(&proxied).contains("--access-key "));
        let key = fresh_key();
        let with_key = configure(&[&proxied[..], &["--access-key", &key]].concat()).unwrap();
        assert!(!with_key.may_publish_without_key());
        let neighbour = configure(&["--allow-origin", "http://localhost:3000"]).unwrap();
        assert!(neighbour.may_publish_without_key());
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        assert!(refusal(&["--access-key", "short"]).contains("--access-key has 5 bytes"));
        assert!(refusal(&["Endpoint=https://x"]).contains("`AccessKey`"));
        assert!(refusal(&["--hub", "1"]).contains("`1` is no hub name"));
        assert!(refusal(&["--group", " "]).contains("no group name"));
        assert!(refusal(&["--allow-origin", "*"]).contains("`*` is no origin"));
        assert!(refusal(&["--site", "/nonexistent"]).contains("/nonexistent holds no index.html"));
        assert!(refusal(&["--publish-key", ""]).contains("publish key is empty"));
    }

    #[test]
    fn suggested_keys_are_good_and_differ() {
        assert!(AccessKey::new(&fresh_key()).is_ok());
        assert_ne!(fresh_key(), fresh_key());
    }
}
