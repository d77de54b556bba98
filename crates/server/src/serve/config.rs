//! What `tailcast serve` was asked to do, checked.

use std::{num::NonZeroU32, path::PathBuf};

use axum::http::HeaderName;
use webpubsub_protocol::{
    connection_string::ConnectionString,
    endpoint::Endpoint,
    name::{GroupName, HubName},
    pattern::Pattern,
};

use super::site::Site;
use crate::{
    cli::ServeOptions,
    failure::Failure,
    service::{
        access_key::is_development_key,
        config::{ListenConfig, ServiceConfig},
    },
};

/// Who carries the messages.
#[derive(Debug)]
pub(crate) enum Backend {
    /// The service in this process.
    Embedded(ServiceConfig),
    /// Azure, or whatever else the connection string leads to.
    Azure { connection_string: ConnectionString },
}

/// A checked configuration.
#[derive(Debug)]
pub(crate) struct ServeConfig {
    pub(crate) backend: Backend,
    pub(crate) hub: HubName,
    pub(crate) group: GroupName,
    /// Further groups that clients may ask for.
    pub(crate) open_groups: Vec<Pattern>,
    pub(crate) site: Site,
    pub(crate) publish_key: Option<String>,
    pub(crate) token_lifetime_seconds: u64,
    /// How often one address may negotiate in a minute; `None` where it does not matter.
    pub(crate) negotiate_limit: Option<NonZeroU32>,
    pub(crate) listen: ListenConfig,
}

impl ServeConfig {
    /// Checks what was typed.
    pub(crate) fn from_options(options: ServeOptions) -> Result<Self, Failure> {
        let usage = |error: &dyn std::error::Error| Failure::usage(error.to_string());
        let mut listen = ListenConfig::from_options(&options.service)?;
        listen.proxies.user_header = options.user_header.as_deref().map(user_header).transpose()?;
        let backend = match &options.connection_string {
            Some(text) => {
                if let Some(flag) = ServiceConfig::is_asked_for_by(&options.service) {
                    return Err(Failure::usage(format!(
                        "{flag} is for the embedded service, which a connection string takes the place of: set this \
                         up where that service is"
                    )));
                }
                let connection_string = ConnectionString::parse(text).map_err(|error| usage(&error))?;
                Backend::Azure { connection_string }
            }
            None => Backend::Embedded(ServiceConfig::from_options(&options.service, listen.is_private)?),
        };
        if options.publish_key.as_deref() == Some("") {
            return Err(Failure::usage(
                "the publish key is empty: give --publish-key a secret, or leave it out",
            ));
        }
        Ok(Self {
            backend,
            hub: HubName::new(&options.hub).map_err(|error| usage(&error))?,
            group: GroupName::new(&options.group).map_err(|error| usage(&error))?,
            open_groups: options.allow_group.iter().map(|text| pattern(text)).collect::<Result<_, _>>()?,
            site: find_site(options.site)?,
            publish_key: options.publish_key,
            token_lifetime_seconds: options.token_lifetime,
            negotiate_limit: NonZeroU32::new(options.negotiate_limit).filter(|_| !listen.is_private),
            listen,
        })
    }

    /// Whether `/negotiate` gives everyone permission to publish.
    pub(crate) fn may_publish_without_key(&self) -> bool {
        self.listen.is_private && self.publish_key.is_none()
    }

    /// Whether clients may ask `/negotiate` for any group: where everybody on this machine knows the key that signs, and
    /// could write a token for it themselves. Patterns that were given say otherwise.
    pub(crate) fn gives_every_group(&self) -> bool {
        let Backend::Embedded(service) = &self.backend else { return false };
        self.listen.is_private
            && self.open_groups.is_empty()
            && is_development_key(&service.access_keys.first)
    }

    /// What to open in a browser: the public name, or else what this machine knows the server by.
    pub(crate) fn page(&self) -> Endpoint {
        let address = self.listen.address;
        let host = match address.ip().is_unspecified() {
            true => format!("localhost:{}", address.port()),
            false => address.to_string(),
        };
        self.listen.public.clone().unwrap_or_else(|| self.listen.endpoint_at(host))
    }

    /// What `tailcast stream` needs to be told to find us, if anything.
    pub(crate) fn stream_hint(&self) -> String {
        const DEFAULT_PORT: u16 = 8080;
        let key = if self.publish_key.is_some() { " --publish-key KEY" } else { "" };
        let listen = self.listen.address;
        let is_default = self.listen.tls.is_none()
            && self.listen.public.is_none()
            && listen.ip().is_loopback()
            && listen.is_ipv4()
            && listen.port() == DEFAULT_PORT;
        if is_default { key.to_owned() } else { format!(" --negotiate {}/negotiate{key}", self.page()) }
    }
}

fn user_header(name: &str) -> Result<HeaderName, Failure> {
    name.parse().map_err(|_| Failure::usage(format!("--user-header `{name}` is no name of a header")))
}

fn pattern(text: &str) -> Result<Pattern, Failure> {
    Pattern::parse(text).ok_or_else(|| {
        Failure::usage(format!(
            "--allow-group `{text}` is no pattern: `?` stands for one character, `*` for several but dots, `**` for any; \
             at most five of them"
        ))
    })
}

/// The page: from the folder that was given, or the one that the program carries, or else from where a folder of it
/// usually is.
fn find_site(given: Option<PathBuf>) -> Result<Site, Failure> {
    let has_page = |folder: &PathBuf| folder.join("index.html").is_file();
    match given {
        Some(folder) if has_page(&folder) => Ok(Site::Folder(folder)),
        Some(folder) => Err(Failure::usage(format!(
            "--site {} holds no index.html; build the page with `cargo xtask build`, which puts it into target/site",
            folder.display()
        ))),
        None => Ok(Site::carried().unwrap_or_else(|| {
            let beside =
                std::env::current_exe().ok().and_then(|program| Some(program.parent()?.join("site")));
            let found = beside.into_iter().chain([PathBuf::from("target/site")]).find(has_page);
            found.map_or(Site::Missing, Site::Folder)
        })),
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

    const KEY: &str = "0123456789012345678901234567890123";

    #[test]
    fn beyond_loopback_nobody_may_publish_without_a_key() {
        let config = configure(&["--listen", "0.0.0.0:80", "--access-key", KEY]).unwrap();
        assert!(!config.may_publish_without_key());
        assert!(!configure(&["--publish-key", "secret"]).unwrap().may_publish_without_key());
    }

    #[test]
    fn who_lets_pages_of_another_host_in_can_be_reached_by_others() {
        let proxied = ["--allow-origin", "https://logs.example"];
        assert!(refusal(&proxied).contains("--access-key "));
        let with_key = configure(&[&proxied[..], &["--access-key", KEY]].concat()).unwrap();
        assert!(!with_key.may_publish_without_key());
        let neighbour = configure(&["--allow-origin", "http://localhost:3000"]).unwrap();
        assert!(neighbour.may_publish_without_key());
    }

    #[test]
    fn any_group_may_be_asked_for_only_where_everybody_knows_the_key() {
        assert!(configure(&[]).unwrap().gives_every_group());
        assert!(!configure(&["--allow-group", "build-*"]).unwrap().gives_every_group());
        assert!(!configure(&["--access-key", KEY]).unwrap().gives_every_group());
        let azure = format!("Endpoint=https://x;AccessKey={KEY}");
        assert!(!configure(&[&azure]).unwrap().gives_every_group());
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        assert!(refusal(&["Endpoint=https://x"]).contains("`AccessKey`"));
        assert!(refusal(&["--hub", "1"]).contains("`1` is no hub name"));
        assert!(refusal(&["--group", " "]).contains("no group name"));
        let through_azure = ["Endpoint=https://x;AccessKey=k", "--event-handler", "http://h"];
        assert!(refusal(&through_azure).contains("--event-handler is for the embedded service"));
        assert!(refusal(&["--site", "/nonexistent"]).contains("/nonexistent holds no index.html"));
        assert!(refusal(&["--allow-group", "a*b*c*d*e*f*"]).contains("is no pattern"));
        assert!(refusal(&["--publish-key", ""]).contains("publish key is empty"));
    }
}
