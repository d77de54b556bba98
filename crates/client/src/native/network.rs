//! TLS, proxies and HTTP of one client.

use std::sync::{Arc, OnceLock};

use rustls::{ClientConfig, RootCertStore, crypto::CryptoProvider};

use super::trust::RootCertificates;
use crate::{
    limits::{Limits, Timeouts},
    options::ClientOptions,
};

/// Settings that only native clients have.
#[derive(Debug, Clone, Default)]
pub(crate) struct NetworkOptions {
    pub(crate) roots: RootCertificates,
    pub(crate) ignores_proxies: bool,
}

/// Network of one client. TLS and HTTP are set up when they are needed.
#[derive(Debug)]
pub(crate) struct Network {
    options: NetworkOptions,
    pub(super) limits: Limits,
    pub(super) timeouts: Timeouts,
    tls: OnceLock<Arc<ClientConfig>>,
    http: OnceLock<reqwest::Client>,
}

impl Network {
    pub(crate) fn new(options: NetworkOptions, client: &ClientOptions) -> Self {
        let (limits, timeouts) = (client.limits.clone(), client.timeouts.clone());
        Self { options, limits, timeouts, tls: OnceLock::new(), http: OnceLock::new() }
    }

    pub(super) fn ignores_proxies(&self) -> bool {
        self.options.ignores_proxies
    }

    /// Returns the TLS settings. They use the crypto provider of the process if the application has installed one; none is installed
    /// here.
    pub(super) fn tls(&self) -> Result<Arc<ClientConfig>, rustls::Error> {
        if let Some(tls) = self.tls.get() {
            return Ok(Arc::clone(tls));
        }
        let provider = CryptoProvider::get_default()
            .map_or_else(|| Arc::new(rustls::crypto::ring::default_provider()), Arc::clone);
        let mut store = RootCertStore::empty();
        let system = rustls_native_certs::load_native_certs().certs;
        // Stores of systems contain certificates that rustls does not support.
        store.add_parsable_certificates(system.into_iter().chain(self.options.roots.iter().cloned()));
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(store)
            .with_no_client_auth();
        Ok(Arc::clone(self.tls.get_or_init(|| Arc::new(config))))
    }

    /// Returns the HTTP client, which keeps its connections.
    pub(super) fn http(&self) -> Result<&reqwest::Client, HttpSetupError> {
        if let Some(client) = self.http.get() {
            return Ok(client);
        }
        let mut builder = reqwest::Client::builder().tls_backend_preconfigured((*self.tls()?).clone());
        if self.options.ignores_proxies {
            builder = builder.no_proxy();
        }
        let client = builder.build()?;
        Ok(self.http.get_or_init(|| client))
    }
}

/// Failure to set up HTTP.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpSetupError {
    #[error(transparent)]
    Tls(#[from] rustls::Error),
    #[error(transparent)]
    Http(#[from] reqwest::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_crypto_provider_is_installed_in_the_process() {
        let network = Network::new(NetworkOptions::default(), &ClientOptions::new());
        network.tls().unwrap();
        network.http().unwrap();
        assert!(CryptoProvider::get_default().is_none());
    }
}
