//! Server and group of a command: from flags, the environment and the configuration file.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use percent_encoding::percent_decode_str;
use webpubsub_client::{
    Client, ClientBuilder, ClientOptions, ServiceEndpoint,
    native::{RootCertificates, TrustError},
    negotiate::shown_url,
};
use webpubsub_protocol::{endpoint::Endpoint, name::GroupName};

use crate::{
    cli::{DEFAULT_GROUP, DEFAULT_PORT, client_options::ServerOptions},
    secret,
    usage_error::UsageError,
    user_config::UserConfig,
};

/// Default of `--give-up-after`.
const GIVE_UP_AFTER: Duration = Duration::from_secs(30);
/// Default of `--give-up-after` once the input has ended, if there was no connection yet: nobody waits for a server that was never
/// there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Failure to trust the certificates of `--ca-cert`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CaCertError {
    #[error("cannot read the file: {0}")]
    Unreadable(#[from] std::io::Error),
    #[error(transparent)]
    Certificates(#[from] TrustError),
}

/// Server and group, validated.
#[derive(Debug)]
pub(crate) struct Target {
    /// URL of the negotiate endpoint, without the group.
    negotiate: String,
    /// URL of the page, without the group; `None` if only a negotiate endpoint is known.
    page: Option<String>,
    /// Whether a flag, the environment or the configuration file names the server.
    pub(crate) is_server_named: bool,
    pub(crate) group: GroupName,
    pub(crate) publish_key: Option<String>,
    viewer_login: Option<Login>,
    pub(crate) give_up_after: Duration,
    /// Maximum time without any connection after the end of the input.
    pub(crate) connect_timeout: Duration,
    /// Certificates of `--ca-cert`.
    roots: RootCertificates,
    /// Whether the server is on this machine: a proxy would receive its keys.
    ignores_proxies: bool,
}

/// User name and password of a viewer.
#[derive(Clone, PartialEq, Eq)]
struct Login {
    user: String,
    password: String,
}

impl fmt::Debug for Login {
    /// Omits the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Environment variable with the address of the server's page.
const SERVER_VARIABLE: &str = "TAILCAST_SERVER";

/// User name that goes with a password alone. Tailcast accepts every name.
const USER: &str = "viewer";

/// Server, by one of its addresses.
enum Server {
    Page(String),
    Negotiate(String),
}

impl Server {
    /// Removes user name and password from the address (`https://USER:PASSWORD@HOST`), which is printed.
    fn without_login(self) -> (Self, Option<Login>) {
        match self {
            Self::Page(url) => {
                let (url, login) = split_login(&url);
                (Self::Page(url), login)
            }
            Self::Negotiate(url) => {
                let (url, login) = split_login(&url);
                (Self::Negotiate(url), login)
            }
        }
    }
}

/// Returns the URL without user name and password, and both of them.
fn split_login(url: &str) -> (String, Option<Login>) {
    let start = url.find("://").map_or(0, |colon| colon + "://".len());
    let (scheme, rest) = url.split_at(start);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let Some((login, host)) = authority.rsplit_once('@') else { return (url.to_owned(), None) };
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let login = Login { user: decoded(user), password: decoded(password) };
    (format!("{scheme}{host}{path}"), Some(login))
}

impl Target {
    /// Validates the options, completes them from the configuration file of the user, and reads the certificates of `--ca-cert`.
    /// `is_local` selects the server of this machine, whatever is configured.
    pub(crate) fn from_options(options: &ServerOptions, is_local: bool) -> Result<Self, UsageError> {
        let config = UserConfig::load()?;
        let variable = std::env::var(SERVER_VARIABLE).ok();
        let mut target = Self::new(options, variable, &config, is_local)?;
        if let Some(path) = options.ca_cert.as_deref().or(config.ca_cert.as_deref()) {
            target.roots = root_certificates(path)?;
        }
        Ok(target)
    }

    fn new(
        options: &ServerOptions,
        variable: Option<String>,
        config: &UserConfig,
        is_local: bool,
    ) -> Result<Self, UsageError> {
        let given = given_server(options, variable).filter(|_| !is_local);
        let configured = configured_server(config).filter(|_| !is_local && given.is_none());
        // The key of the file belongs to the server of the file, and must not be sent to another one.
        let has_other_server = given.is_some() || (is_local && configured_server(config).is_some());
        let publish_key =
            match secret::select(options.publish_key.as_deref(), options.publish_key_file.as_deref())? {
                None if !has_other_server => config.publish_key()?,
                given => given,
            };
        let viewer_password = match secret::select(
            options.viewer_password.as_deref(),
            options.viewer_password_file.as_deref(),
        )? {
            None if !has_other_server => config.viewer_password()?,
            given => given,
        };
        let (server, login) = given.or(configured).map_or((None, None), |server| {
            let (server, login) = server.without_login();
            (Some(server), login)
        });
        // A server of this command would be open to everyone, although a password was wanted.
        if is_local && viewer_password.as_deref() == Some("") {
            return Err(UsageError::EmptyViewerPassword);
        }
        // Elsewhere a variable that is set to nothing counts as unset.
        let viewer_password = viewer_password.filter(|password| !password.is_empty());
        let viewer_login =
            login.or_else(|| Some(Login { user: USER.to_owned(), password: viewer_password? }));
        let group = options.group.as_deref().filter(|name| !name.is_empty());
        let group = group.or(config.group.as_deref()).unwrap_or(DEFAULT_GROUP);
        let is_server_named = server.is_some();
        let (negotiate, page) = addresses(server)?;
        Ok(Self {
            negotiate,
            page,
            is_server_named,
            group: GroupName::new(group)?,
            publish_key,
            viewer_login,
            give_up_after: options.give_up_after.unwrap_or(GIVE_UP_AFTER),
            connect_timeout: options.give_up_after.unwrap_or(CONNECT_TIMEOUT),
            roots: RootCertificates::default(),
            ignores_proxies: false,
        })
    }

    /// Returns the target with a server of this machine, which no proxy lies in front of.
    pub(crate) fn at_port(self, port: u16) -> Self {
        let page = local_page(port);
        Self { negotiate: format!("{page}/negotiate"), page: Some(page), ignores_proxies: true, ..self }
    }

    /// Returns the client of a publisher. The publish key is accepted in place of the password.
    pub(crate) fn publisher(&self) -> ClientBuilder {
        self.client(self.endpoint())
    }

    /// Returns the client of a viewer, who needs no publish key where there is a password.
    pub(crate) fn viewer(&self) -> ClientBuilder {
        self.client(match &self.viewer_login {
            Some(Login { user, password }) => self.endpoint().with_basic_auth(user, password),
            None => self.endpoint(),
        })
    }

    fn client(&self, endpoint: ServiceEndpoint) -> ClientBuilder {
        let options = ClientOptions::new().give_up_after(self.give_up_after).stop_on_lasting_failure();
        let builder = Client::builder(endpoint).options(options).trust(self.roots.clone());
        if self.ignores_proxies { builder.ignore_proxies() } else { builder }
    }

    fn endpoint(&self) -> ServiceEndpoint {
        let endpoint = ServiceEndpoint::negotiate(with_group(&self.negotiate, &self.group));
        match (&self.publish_key, &self.viewer_login) {
            (Some(key), _) => endpoint.with_bearer_token(key),
            (None, Some(Login { user, password })) => endpoint.with_basic_auth(user, password),
            (None, None) => endpoint,
        }
    }

    /// Returns the password of viewers.
    pub(crate) fn viewer_password(&self) -> Option<&str> {
        self.viewer_login.as_ref().map(|login| login.password.as_str())
    }

    /// Returns the URL of the page that shows the group, if it is known.
    pub(crate) fn page_url(&self) -> Option<String> {
        Some(with_group(&format!("{}/", self.page.as_ref()?), &self.group))
    }

    /// Returns the URL of the negotiate endpoint for messages.
    pub(crate) fn negotiate_url(&self) -> String {
        shown_url(&self.negotiate)
    }
}

/// Returns the server of a flag, or else of the variable. Of two flags, the parser removes the first.
fn given_server(options: &ServerOptions, variable: Option<String>) -> Option<Server> {
    let negotiate = options.negotiate.clone().map(Server::Negotiate);
    // A variable that is set to nothing counts as unset.
    let page = options.server.clone().or(variable).filter(|url| !url.is_empty());
    negotiate.or_else(|| page.map(Server::Page))
}

fn configured_server(config: &UserConfig) -> Option<Server> {
    let negotiate = config.negotiate.clone().map(Server::Negotiate);
    negotiate.or_else(|| config.server.clone().map(Server::Page))
}

fn local_page(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// Returns the URLs of the negotiate endpoint and of the page.
fn addresses(server: Option<Server>) -> Result<(String, Option<String>), UsageError> {
    let page = match server {
        Some(Server::Negotiate(url)) => {
            // The page of Tailcast is beside the endpoint. Other implementations of the endpoint have other paths.
            let page = url.strip_suffix("/negotiate").and_then(Endpoint::parse);
            let page = page.filter(|page| page.prefix().is_empty() && url.contains("://"));
            return Ok((url, page.map(|page| page.to_string())));
        }
        Some(Server::Page(url)) => {
            let endpoint = Endpoint::parse(&url)
                .filter(|endpoint| url.contains("://") && !endpoint.prefix().ends_with("/negotiate"));
            endpoint.ok_or_else(|| not_a_server(&url))?.to_string()
        }
        None => local_page(DEFAULT_PORT),
    };
    Ok((format!("{page}/negotiate"), Some(page)))
}

/// Returns the error of an invalid `--server`, with the complete URL if only the scheme is missing.
fn not_a_server(url: &str) -> UsageError {
    let has_port = url.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let scheme = if has_port || url == "localhost" { "http" } else { "https" };
    let complete = format!("{scheme}://{url}");
    let is_complete =
        !url.contains("://") && !url.contains("/negotiate") && Endpoint::parse(&complete).is_some();
    UsageError::Server { url: shown_url(url), complete: is_complete.then(|| shown_url(&complete)) }
}

/// Adds the group to a URL, unless the URL has a `group` parameter. The default group is not added: other implementations of the
/// negotiate endpoint do not support the parameter. An invalid URL is returned unchanged; the client reports it.
fn with_group(url: &str, group: &GroupName) -> String {
    if group.as_str() == DEFAULT_GROUP {
        return url.to_owned();
    }
    let Ok(mut with_group) = reqwest::Url::parse(url) else { return url.to_owned() };
    if !with_group.query_pairs().any(|(name, _)| name == "group") {
        with_group.query_pairs_mut().append_pair("group", group.as_str());
    }
    with_group.into()
}

/// Reads the certificates of a file.
fn root_certificates(path: &Path) -> Result<RootCertificates, UsageError> {
    let certificates = fs::read(path)
        .map_err(CaCertError::from)
        .and_then(|pem| RootCertificates::from_pem(&pem).map_err(CaCertError::from));
    certificates.map_err(|error| UsageError::CaCert { path: PathBuf::from(path), error })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, CliCommand};

    fn options(arguments: &[&str]) -> ServerOptions {
        let all = ["tailcast", "stream"].iter().chain(arguments);
        match Cli::try_parse_from(all).unwrap().command {
            Some(CliCommand::Stream(options)) => options.target.server,
            _ => panic!("not stream"),
        }
    }

    fn target(arguments: &[&str], config: &UserConfig) -> Target {
        Target::new(&options(arguments), None, config, false).unwrap()
    }

    fn config(server: Option<&str>) -> UserConfig {
        let key = Some("key of the file".to_owned());
        let (server, group) = (server.map(str::to_owned), Some("build".to_owned()));
        UserConfig { server, group, publish_key: key, ..UserConfig::default() }
    }

    #[test]
    fn a_flag_replaces_the_server_and_the_group_of_the_file() {
        let file = config(Some("https://logs.example.com/tail/"));
        let from_file = target(&[], &file);
        assert_eq!(from_file.negotiate_url(), "https://logs.example.com/tail/negotiate");
        assert_eq!(from_file.page_url().unwrap(), "https://logs.example.com/tail/?group=build");
        assert_eq!(from_file.publish_key.as_deref(), Some("key of the file"));
        let from_flags = target(&["--server", "http://h:1", "--group", "stream"], &file);
        assert_eq!(from_flags.page_url().unwrap(), "http://h:1/");
        let last = target(&["--negotiate", "http://a/negotiate", "--server", "http://b"], &file);
        assert_eq!(last.negotiate_url(), "http://b/negotiate");
        let last = target(&["--server", "http://b", "--negotiate", "http://a/negotiate"], &file);
        assert_eq!(last.negotiate_url(), "http://a/negotiate");
    }

    #[test]
    fn a_flag_has_precedence_over_the_variable_and_an_empty_one_counts_as_unset() {
        let file = config(Some("https://logs.example.com"));
        let url = |arguments: &[&str], variable: &str| {
            let target = Target::new(&options(arguments), Some(variable.to_owned()), &file, false).unwrap();
            target.negotiate_url().to_owned()
        };
        assert_eq!(url(&["--group", ""], ""), "https://logs.example.com/negotiate");
        assert_eq!(url(&[], "http://variable"), "http://variable/negotiate");
        assert_eq!(url(&["--server", "http://flag"], "http://variable"), "http://flag/negotiate");
        assert_eq!(url(&["--negotiate", "http://flag/n"], "http://variable"), "http://flag/n");
    }

    #[test]
    fn the_key_of_the_file_is_not_sent_to_another_server() {
        let file = config(Some("https://logs.example.com"));
        for flags in [["--server", "http://other"], ["--negotiate", "http://other/negotiate"]] {
            assert_eq!(target(&flags, &file).publish_key, None, "{flags:?}");
        }
        assert!(target(&[], &config(None)).publish_key.is_some());
        let local = |config: &UserConfig| Target::new(&options(&[]), None, config, true).unwrap().publish_key;
        assert_eq!(local(&file), None);
        assert!(local(&config(None)).is_some());
    }

    #[test]
    fn the_password_of_the_file_is_not_sent_to_another_server() {
        let mut file = config(Some("https://logs.example.com"));
        file.viewer_password = Some("of the file".to_owned());
        assert_eq!(target(&[], &file).viewer_password(), Some("of the file"));
        assert_eq!(target(&["--server", "http://other"], &file).viewer_password(), None);
        let given = target(&["--viewer-password", "given"], &file);
        assert_eq!(given.viewer_password(), Some("given"));
        assert_eq!(target(&["--server", "http://h", "--viewer-password", ""], &file).viewer_password(), None);
    }

    #[test]
    fn a_password_in_an_address_is_used_and_never_printed() {
        for flags in [
            ["--server", "https://ada:s%40cret@h:1/tail"],
            ["--negotiate", "https://ada:s%40cret@h:1/tail/negotiate"],
        ] {
            let target = target(&flags, &UserConfig::default());
            assert_eq!(target.negotiate_url(), "https://h:1/tail/negotiate");
            assert_eq!(target.viewer_password(), Some("s@cret"));
            assert!(!format!("{target:?}").contains("s@cret"), "{target:?}");
        }
        let error = Target::new(&options(&["--server", "ada:s3cret@h"]), None, &UserConfig::default(), false)
            .unwrap_err();
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }

    #[test]
    fn without_a_server_the_default_port_of_this_machine_is_used() {
        let target = target(&[], &UserConfig::default());
        assert!(!target.is_server_named);
        assert_eq!(target.negotiate_url(), "http://127.0.0.1:8080/negotiate");
        assert_eq!(target.at_port(8081).page_url().unwrap(), "http://127.0.0.1:8081/");
    }

    #[test]
    fn the_page_of_a_foreign_negotiate_endpoint_is_unknown() {
        let of = |url| target(&["--negotiate", url], &UserConfig::default()).page_url();
        assert_eq!(of("http://h/negotiate").as_deref(), Some("http://h/"));
        for foreign in ["https://f.example/api/negotiate", "http://h/other", "nonsense"] {
            assert_eq!(of(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn an_empty_password_is_refused_for_a_server_of_the_command_alone() {
        let target = |is_local| {
            Target::new(&options(&["--viewer-password", ""]), None, &UserConfig::default(), is_local)
        };
        assert!(matches!(target(true), Err(UsageError::EmptyViewerPassword)));
        assert_eq!(target(false).unwrap().viewer_password(), None);
    }

    #[test]
    fn an_invalid_server_is_reported() {
        for url in ["logs.example.com", "ftp://h", "https://h/negotiate", "https://h/?a"] {
            let refused = Target::new(&options(&["--server", url]), None, &UserConfig::default(), false);
            assert!(matches!(refused, Err(UsageError::Server { .. })), "{url}");
        }
        let message = |url: &str| {
            Target::new(&options(&["--server", url]), None, &UserConfig::default(), false)
                .unwrap_err()
                .to_string()
        };
        assert!(message("h:21400").ends_with("; did you mean http://h:21400?"));
        assert!(message("logs.example.com").ends_with("; did you mean https://logs.example.com?"));
        assert!(message("http://h:99999").ends_with("without /negotiate"));
        assert!(!message("ftp://ada:s3cret@h").contains("s3cret"));
        assert!(message(&format!("http://{}", "a".repeat(250_000))).len() < 1000);
    }
}
