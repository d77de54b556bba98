//! Errors of arguments and configuration.

use std::path::PathBuf;

use bytesize::ByteSize;
use webpubsub_hub::http::RuleError;
use webpubsub_protocol::{connection_string::ConnectionStringError, name::NameError};

use crate::{
    secret::SecretFileError,
    service::{config_file::ConfigFileError, history::HistoryError, tls::TlsError, tls_dev::TlsDevError},
    target::CaCertError,
    user_config::UserConfigError,
};

/// Error of arguments or configuration, found before anything is served or published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UsageError {
    #[error(transparent)]
    ConnectionString(#[from] ConnectionStringError),
    #[error(transparent)]
    Name(#[from] NameError),
    #[error(transparent)]
    SecretFile(#[from] SecretFileError),
    #[error(
        "--server `{url}` is not the URL of a server; {}",
        complete.as_ref().map_or_else(
            || "give scheme and host, such as https://logs.example.com, without /negotiate".to_owned(),
            |url| format!("did you mean {url}?"),
        )
    )]
    Server { url: String, complete: Option<String> },
    #[error("the configuration file {}: {error}", path.display())]
    UserConfig { path: PathBuf, error: UserConfigError },
    #[error("--ca-cert {}: {error}", path.display())]
    CaCert { path: PathBuf, error: CaCertError },
    #[error(
        "`tailcast watch` prints one group, and `{given}` names several; run it once for each group, or open them in the page with ?group={given}"
    )]
    SeveralGroups { given: String },
    #[error(
        "no connection string was given; pass it as the first argument, in WEBPUBSUB_CONNECTION_STRING, or with \
         --connection-string-file"
    )]
    NoConnectionString,
    #[error(
        "the name of the hub is missing; give it after the connection string: tailcast token \"$CONNECTION_STRING\" HUB"
    )]
    NoHub,
    #[error(
        "the message is missing; give it after the hub: tailcast publish \"$CONNECTION_STRING\" HUB MESSAGE"
    )]
    NoMessage,
    #[error(
        "the role `{role}` is unknown; the roles begin with `webpubsub.`, such as webpubsub.joinLeaveGroup"
    )]
    Role { role: String },
    #[error(
        "{flag} configures the embedded service, which a connection string replaces; remove the flag, or configure the \
         service of the connection string"
    )]
    EmbeddedServiceOnly { flag: &'static str },
    #[error(
        "the publish key is empty; set TAILCAST_PUBLISH_KEY or --publish-key-file to a secret, or omit it"
    )]
    EmptyPublishKey,
    #[error(
        "the viewer password is empty; set TAILCAST_VIEWER_PASSWORD or --viewer-password-file to a secret, or omit it"
    )]
    EmptyViewerPassword,
    #[error(
        "the development key is well known, so that everyone could sign a token without the viewer password; set another one in the environment: TAILCAST_ACCESS_KEY={suggestion}"
    )]
    ViewerPasswordNeedsAccessKey { suggestion: String },
    #[error("--user-header `{name}` is not a valid header name")]
    UserHeader { name: String },
    #[error(
        "--allow-group `{pattern}` is not a valid pattern; use at most five of `?` (one character), `*` (any characters \
         but dots) and `**` (any characters)"
    )]
    GroupPattern { pattern: String },
    #[error(
        "--site {} contains no index.html; build the page with `cargo xtask build`, which writes it to target/site",
        folder.display()
    )]
    NoPage { folder: PathBuf },
    #[error(
        "other hosts can reach the server (by --listen, --allow-host, --allow-origin, --public-url or --trusted-proxy), so the embedded \
         service requires its own access key, and publishers need a publish key; set them in the environment, where other users of this \
         machine cannot read them: TAILCAST_ACCESS_KEY={suggestion} TAILCAST_PUBLISH_KEY={publish_key}"
    )]
    NoAccessKey { suggestion: String, publish_key: String },
    #[error(
        "the development key is well known, so it is refused where other hosts can reach the server (by --listen, \
         --allow-origin, --public-url or --trusted-proxy); choose another key"
    )]
    DevelopmentKey,
    #[error(
        "--allow-unverified-entra-tokens accepts tokens that anybody can create, so it is refused where other hosts can reach the \
         server (by --listen, --allow-host, --allow-origin, --public-url or --trusted-proxy); use an access key there"
    )]
    UnverifiedEntraTokens,
    #[error("{}", error.to_string().replace("`AccessKey`", &format!("the value of {flag}")))]
    AccessKey { flag: &'static str, error: ConnectionStringError },
    #[error(
        "--trusted-proxy `{text}` is not an IP address or network; give one such as 127.0.0.1 or 10.0.0.0/8"
    )]
    TrustedProxy { text: String },
    #[error(
        "--public-url `{url}` is not a valid URL; give scheme and host, such as https://logs.example.com, and a path if needed"
    )]
    PublicUrl { url: String },
    #[error(
        "--allow-origin `{origin}` is not an origin; give scheme and host, such as https://example.com, without a path or `*`"
    )]
    Origin { origin: String },
    #[error(
        "--allow-host `{name}` is not a host name; give a name such as logs.example.com, without a scheme, a path or `*`"
    )]
    Host { name: String },
    #[error("--memory-limit {given} is too small; give at least {minimum}")]
    MemoryLimit { given: ByteSize, minimum: ByteSize },
    #[error("--history: {0}")]
    History(HistoryError),
    #[error("--event-handler: {0}")]
    EventHandler(RuleError),
    #[error("--config {}: {error}", path.display())]
    ConfigFile { path: PathBuf, error: ConfigFileError },
    #[error("TLS (--tls-cert, --tls-key): {0}")]
    Tls(TlsError),
    #[error("--tls-dev: {0}")]
    TlsDev(#[from] TlsDevError),
    #[error(
        "--tls-dev makes a certificate for this machine only, so it is refused where other hosts can reach the server (by --listen, \
         --allow-host, --allow-origin, --public-url or --trusted-proxy); give a certificate with --tls-cert and --tls-key there"
    )]
    TlsDevNotPrivate,
    #[error(
        "--exit ends the server of this command, and it has none; add --serve, or omit --exit: the command ends with its input"
    )]
    ExitWithoutServer,
    #[error("no command was given; pass it after `--`")]
    NoCommand,
    #[error(
        "{} is not a regular file; pass the paths of files, or pipe the input to `tailcast stream`",
        path.display()
    )]
    NotAFile { path: PathBuf },
}
