//! Arguments of the listening server.

use std::{net::SocketAddr, path::PathBuf};

use bytesize::ByteSize;
use clap::{Args, value_parser};
use webpubsub_hub::DEFAULT_MEMORY_LIMIT_BYTES;

/// Default of `--memory-limit`.
pub(crate) const DEFAULT_MEMORY_LIMIT: ByteSize = ByteSize(DEFAULT_MEMORY_LIMIT_BYTES as u64);

/// Options of the listening server and of the embedded service.
#[derive(Debug, Args)]
pub(crate) struct ServiceOptions {
    /// Address to listen on; port 0 selects a free port. An address beyond the loopback interface requires --access-key
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080", value_parser = listen_address)]
    pub(crate) listen: SocketAddr,
    /// Origin of a further web page that can use this server, such as https://example.com; repeatable
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) allow_origin: Vec<String>,
    /// Further host name of this server in requests (`Host`), such as logs.example.com; repeatable. IP addresses, localhost,
    /// the name of this machine, and the hosts of --public-url and --allow-origin need no flag
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,
    /// Certificate chain for TLS (PEM); reloaded on SIGHUP. Requires --tls-key
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Private key (PEM) of the certificate
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Use TLS with a certificate of a local authority, which is created once and kept in DIR, or among the data of the user. Only
    /// if no other machine can reach the server
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true, conflicts_with = "tls_cert")]
    pub(crate) tls_dev: Option<Option<PathBuf>>,
    /// Address or network (10.0.0.0/8) of a reverse proxy whose `X-Forwarded-For`, `-Proto`, `-Host` and `Forwarded`
    /// headers are trusted; repeatable. They are removed from requests of other peers
    #[arg(long, value_name = "CIDR")]
    pub(crate) trusted_proxy: Vec<String>,
    /// Public URL of this server, such as https://logs.example.com, if it differs from the URL of a request. It includes
    /// the path prefix if the proxy removes one
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// Key that signs tokens of the embedded service, 32 characters or more
    /// [default if only this machine can reach the server: the well-known development key]
    #[arg(long, value_name = "KEY", env = "TAILCAST_ACCESS_KEY", hide_env_values = true)]
    pub(crate) access_key: Option<String>,
    /// File with the access key, in place of --access-key
    #[arg(long, value_name = "FILE")]
    pub(crate) access_key_file: Option<PathBuf>,
    /// Second key whose tokens are accepted too, for key rotation
    #[arg(long, value_name = "KEY", env = "TAILCAST_SECONDARY_ACCESS_KEY", hide_env_values = true)]
    pub(crate) secondary_access_key: Option<String>,
    /// File with the second key, in place of --secondary-access-key
    #[arg(long, value_name = "FILE")]
    pub(crate) secondary_access_key_file: Option<PathBuf>,
    /// Upstream event handler (webhook): a URL for all user and system events, in which {hub} and {event} are replaced; or
    /// `url-template=URL user-event-pattern=NAMES system-event=NAME hub=HUB`. Repeatable: the first match handles an event
    #[arg(long, value_name = "HANDLER")]
    pub(crate) event_handler: Vec<String>,
    /// Accept clients without a token. They have only the permissions that a `connect` event handler grants
    #[arg(long)]
    pub(crate) allow_anonymous: bool,
    /// Accept tokens of Microsoft Entra ID for the REST API without verifying their signature, if only this machine can reach
    /// the server: issuer, audience and expiry are checked
    #[arg(long)]
    pub(crate) allow_unverified_entra_tokens: bool,
    /// Delay of each ack in milliseconds, for the official Python client: it loses an ack that arrives before it waits for it
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0, value_parser = value_parser!(u64).range(..=1000))]
    pub(crate) ack_delay: u64,
    /// Serve /_hub and /metrics to other hosts. They are always served if only this machine can reach the server
    #[arg(long)]
    pub(crate) inspect: bool,
    /// Memory for the messages of all clients, such as 512MiB. When it runs short, the slowest clients are disconnected
    #[arg(long, value_name = "SIZE", default_value_t = DEFAULT_MEMORY_LIMIT)]
    pub(crate) memory_limit: ByteSize,
    /// Earlier messages that a page can still read: AGE,SIZE such as 1h,256MiB, or off; PATTERN=… for the groups that match.
    /// Repeatable: the first match applies [default: 15m,32MiB for every group]
    #[arg(long, value_name = "[PATTERN=]AGE,SIZE|off")]
    pub(crate) history: Vec<String>,
    /// Maximum connections of a client address if other hosts can reach the server; 0 for no limit
    #[arg(long, value_name = "COUNT", default_value_t = 500)]
    pub(crate) connections_per_address: u32,
    /// Maximum connections with the same token if other hosts can reach the server; 0 for no limit
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    pub(crate) connections_per_token: u32,
    /// Configuration file in TOML, for event handlers and timeouts; see docs/configuration.md
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// Parses an address with a port. An error suggests a complete address.
fn listen_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
        let port = port.parse::<u16>().map_or_else(|_| "8080".to_owned(), |port| port.to_string());
        let loopback = ["", "localhost", "127.0.0.1"].contains(&host);
        let meant = if loopback { "127.0.0.1" } else { "0.0.0.0" };
        format!("expected an IP address and a port, such as {meant}:{port}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incomplete_address_is_answered_with_a_complete_one() {
        for (text, suggestion) in [
            ("21401", "127.0.0.1:21401"),
            (":21401", "127.0.0.1:21401"),
            ("localhost:21401", "127.0.0.1:21401"),
            ("localhost", "127.0.0.1:8080"),
            ("web-1:21401", "0.0.0.0:21401"),
            ("127.0.0.1:99999", "127.0.0.1:8080"),
        ] {
            let error = listen_address(text).unwrap_err();
            assert!(error.ends_with(suggestion), "{text}: {error}");
        }
        assert!(listen_address("[::1]:0").is_ok());
    }
}
