//! Validated configuration of `tailcast serve`.

use std::{num::NonZeroU32, path::PathBuf};

use axum::http::HeaderName;
use webpubsub_protocol::{
    connection_string::ConnectionString,
    name::{GroupName, HubName},
    pattern::Pattern,
};

use super::site::Site;
use crate::{
    cli::{DEFAULT_PORT, ServeOptions},
    secret,
    service::{
        access_key::{is_development_key, random_key},
        config::{ListenConfig, ServiceConfig},
    },
    usage_error::UsageError,
};

/// Service that delivers the messages.
#[derive(Debug)]
pub(crate) enum Backend {
    /// Service in this process.
    Embedded(ServiceConfig),
    /// Azure Web PubSub, or another service with a connection string.
    Azure { connection_string: ConnectionString },
}

/// Validated configuration.
#[derive(Debug)]
pub(crate) struct ServeConfig {
    pub(crate) backend: Backend,
    pub(crate) hub: HubName,
    pub(crate) group: GroupName,
    /// Patterns of further groups that clients can request.
    pub(crate) open_groups: Vec<Pattern>,
    pub(crate) site: Site,
    pub(crate) publish_key: Option<String>,
    /// Password of viewers; `None` if everyone who can reach the server can view.
    pub(crate) viewer_password: Option<String>,
    pub(crate) token_lifetime_seconds: u64,
    /// Maximum requests per minute and client address; `None` for no limit.
    pub(crate) negotiate_limit: Option<NonZeroU32>,
    pub(crate) listen: ListenConfig,
}

impl ServeConfig {
    /// Validates the options.
    pub(crate) fn from_options(options: ServeOptions) -> Result<Self, UsageError> {
        let mut listen = ListenConfig::from_options(&options.service)?;
        listen.proxies.user_header = options.user_header.as_deref().map(user_header).transpose()?;
        let (connection_string, file) = (&options.connection_string, &options.connection_string_file);
        let backend = match &secret::select(connection_string.as_deref(), file.as_deref())? {
            Some(text) => {
                if let Some(flag) = ServiceConfig::first_flag(&options.service) {
                    return Err(UsageError::EmbeddedServiceOnly { flag });
                }
                Backend::Azure { connection_string: ConnectionString::parse(text)? }
            }
            None => Backend::Embedded(ServiceConfig::from_options(&options.service, listen.is_private)?),
        };
        let publish_key =
            secret::select(options.publish_key.as_deref(), options.publish_key_file.as_deref())?;
        if publish_key.as_deref() == Some("") {
            return Err(UsageError::EmptyPublishKey);
        }
        let viewer_password =
            secret::select(options.viewer_password.as_deref(), options.viewer_password_file.as_deref())?;
        check_viewer_password(viewer_password.as_deref(), &backend)?;
        Ok(Self {
            backend,
            hub: HubName::new(&options.hub)?,
            group: GroupName::new(&options.group)?,
            open_groups: options.allow_group.iter().map(|text| pattern(text)).collect::<Result<_, _>>()?,
            site: select_site(options.site)?,
            publish_key,
            viewer_password,
            token_lifetime_seconds: options.token_lifetime,
            negotiate_limit: NonZeroU32::new(options.negotiate_limit).filter(|_| !listen.is_private),
            listen,
        })
    }

    /// Whether all clients get permission to publish.
    pub(crate) fn is_publishing_open(&self) -> bool {
        self.listen.is_private && self.publish_key.is_none()
    }

    /// Whether clients can request any group. This is the default with the well-known development key, with which any
    /// local program can sign a token itself.
    pub(crate) fn is_every_group_open(&self) -> bool {
        let Backend::Embedded(service) = &self.backend else { return false };
        self.listen.is_private
            && self.open_groups.is_empty()
            && is_development_key(&service.access_keys.primary)
    }

    /// Whether the server has a page.
    pub(crate) fn has_page(&self) -> bool {
        self.site != Site::Missing
    }

    /// Returns the arguments that `tailcast stream` requires to reach this server; empty if the defaults suffice.
    pub(crate) fn stream_arguments(&self) -> String {
        let key = match (&self.publish_key, &self.viewer_password) {
            (Some(_), _) => " --publish-key-file FILE",
            (None, Some(_)) => " --viewer-password-file FILE",
            (None, None) => "",
        };
        let listen = self.listen.address;
        let is_default = self.listen.tls.is_none()
            && self.listen.public.is_none()
            && listen.ip().is_loopback()
            && listen.is_ipv4()
            && listen.port() == DEFAULT_PORT;
        if is_default { key.to_owned() } else { format!(" --server {}{key}", self.listen.client_endpoint()) }
    }
}

/// Checks that the password protects something: with the development key, everyone can sign a token.
fn check_viewer_password(password: Option<&str>, backend: &Backend) -> Result<(), UsageError> {
    match (password, backend) {
        (Some(""), _) => Err(UsageError::EmptyViewerPassword),
        (Some(_), Backend::Embedded(service)) if service.access_keys.all().iter().any(is_development_key) => {
            Err(UsageError::ViewerPasswordNeedsAccessKey { suggestion: random_key() })
        }
        _ => Ok(()),
    }
}

fn user_header(name: &str) -> Result<HeaderName, UsageError> {
    name.parse().map_err(|_| UsageError::UserHeader { name: name.to_owned() })
}

fn pattern(text: &str) -> Result<Pattern, UsageError> {
    Pattern::parse(text).ok_or_else(|| UsageError::GroupPattern { pattern: text.to_owned() })
}

/// Selects the page: from the given directory, or embedded in the binary, or from a default directory.
fn select_site(given: Option<PathBuf>) -> Result<Site, UsageError> {
    let has_page = |folder: &PathBuf| folder.join("index.html").is_file();
    match given {
        Some(folder) if has_page(&folder) => Ok(Site::Folder(folder)),
        Some(folder) => Err(UsageError::NoPage { folder }),
        None => Ok(Site::embedded().unwrap_or_else(|| {
            let beside =
                std::env::current_exe().ok().and_then(|program| Some(program.parent()?.join("site")));
            let found = beside.into_iter().chain([PathBuf::from("target/site")]).find(has_page);
            found.map_or(Site::Missing, Site::Folder)
        })),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser;
    use webpubsub_protocol::{connection_string::ConnectionStringError, name::NameError};

    use super::*;
    use crate::cli::{Cli, CliCommand};

    fn configure(arguments: &[&str]) -> Result<ServeConfig, UsageError> {
        let all = ["tailcast", "serve"].iter().chain(arguments);
        let Some(CliCommand::Serve(options)) = Cli::try_parse_from(all).unwrap().command else {
            panic!("not serve")
        };
        ServeConfig::from_options(*options)
    }

    fn error(arguments: &[&str]) -> UsageError {
        configure(arguments).unwrap_err()
    }

    const KEY: &str = "0123456789012345678901234567890123";

    #[test]
    fn publishing_requires_a_key_where_other_hosts_can_reach_the_server() {
        let config = configure(&["--listen", "0.0.0.0:80", "--access-key", KEY]).unwrap();
        assert!(!config.is_publishing_open());
        assert!(!configure(&["--publish-key", "secret"]).unwrap().is_publishing_open());
    }

    #[test]
    fn an_allowed_origin_of_another_host_makes_the_server_public() {
        let proxied = ["--allow-origin", "https://logs.example"];
        assert!(matches!(error(&proxied), UsageError::NoAccessKey { .. }));
        let with_key = configure(&[&proxied[..], &["--access-key", KEY]].concat()).unwrap();
        assert!(!with_key.is_publishing_open());
        let local = configure(&["--allow-origin", "http://localhost:3000"]).unwrap();
        assert!(local.is_publishing_open());
    }

    #[test]
    fn every_group_is_open_only_with_the_development_key() {
        assert!(configure(&[]).unwrap().is_every_group_open());
        assert!(!configure(&["--allow-group", "build-*"]).unwrap().is_every_group_open());
        assert!(!configure(&["--access-key", KEY]).unwrap().is_every_group_open());
        let azure = format!("Endpoint=https://x;AccessKey={KEY}");
        assert!(!configure(&[&azure]).unwrap().is_every_group_open());
    }

    #[test]
    fn invalid_options_are_reported() {
        let without_key = ConnectionStringError::Missing { part: "AccessKey" };
        assert!(
            matches!(error(&["Endpoint=https://x"]), UsageError::ConnectionString(error) if error == without_key)
        );
        assert!(matches!(error(&["--hub", "1"]), UsageError::Name(NameError::Hub { .. })));
        assert!(matches!(error(&["--group", " "]), UsageError::Name(NameError::Group { .. })));
        let through_azure = ["Endpoint=https://x;AccessKey=k", "--event-handler", "http://h"];
        assert!(matches!(error(&through_azure), UsageError::EmbeddedServiceOnly { flag: "--event-handler" }));
        assert!(matches!(
            error(&["--site", "/nonexistent"]),
            UsageError::NoPage { folder } if folder == Path::new("/nonexistent")
        ));
        assert!(matches!(error(&["--allow-group", "a*b*c*d*e*f*"]), UsageError::GroupPattern { .. }));
        assert!(matches!(
            error(&["--trusted-proxy", "127.0.0.1", "--user-header", "a b"]),
            UsageError::UserHeader { .. }
        ));
        assert!(matches!(error(&["--publish-key", ""]), UsageError::EmptyPublishKey));
    }

    #[test]
    fn a_viewer_password_requires_a_key_that_not_everyone_knows() {
        let password = ["--viewer-password", "secret"];
        assert!(matches!(error(&password), UsageError::ViewerPasswordNeedsAccessKey { .. }));
        let with_key = configure(&[&password[..], &["--access-key", KEY]].concat()).unwrap();
        assert_eq!(with_key.stream_arguments(), " --viewer-password-file FILE");
        let azure = format!("Endpoint=https://x;AccessKey={KEY}");
        assert!(configure(&[&password[..], &[&azure]].concat()).is_ok());
        assert!(matches!(error(&["--viewer-password", ""]), UsageError::EmptyViewerPassword));
    }
}
