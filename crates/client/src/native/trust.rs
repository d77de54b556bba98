//! Certificates that are trusted besides those of the system, and the failures of those that are not.

use std::{
    error::Error,
    io,
    sync::{Arc, OnceLock},
};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio_tungstenite::Connector;

/// Additional root certificates of the process. The first connection fixes them.
static ADDITIONAL: OnceLock<Vec<CertificateDer<'static>>> = OnceLock::new();

/// Failure to trust further certificates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The text is not a valid PEM file.
    #[error("the certificates are not valid PEM: {detail}")]
    Invalid {
        /// Description of the error.
        detail: String,
    },
    /// The text contains no certificate.
    #[error("there is no certificate in PEM form (`-----BEGIN CERTIFICATE-----`)")]
    NoCertificate,
    /// Certificates were given before, or a connection was opened.
    #[error("the trusted certificates cannot be changed after the first connection")]
    TooLate,
}

/// Trusts the root certificates of a PEM file in all connections of this process, besides those of the system or of
/// `SSL_CERT_FILE`. Call it once, before the first client is started.
///
/// # Errors
/// [`TrustError`]. Nothing is changed then.
pub fn trust_certificates(pem: &[u8]) -> Result<(), TrustError> {
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| TrustError::Invalid { detail: error.to_string() })?;
    if certificates.is_empty() {
        return Err(TrustError::NoCertificate);
    }
    let mut store = RootCertStore::empty();
    for certificate in &certificates {
        store.add(certificate.clone()).map_err(|error| TrustError::Invalid { detail: error.to_string() })?;
    }
    ADDITIONAL.set(certificates).map_err(|_| TrustError::TooLate)
}

/// Returns the additional certificates, which cannot change any more.
pub(super) fn additional() -> &'static [CertificateDer<'static>] {
    ADDITIONAL.get_or_init(Vec::new)
}

/// Returns the TLS connector of WebSockets; `None` for the default, which trusts the certificates of the system.
pub(super) fn connector() -> Option<Connector> {
    let additional = additional();
    if additional.is_empty() {
        return None;
    }
    let mut store = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs().certs;
    // Stores of systems contain certificates that rustls does not support.
    store.add_parsable_certificates(system.into_iter().chain(additional.iter().cloned()));
    let config = ClientConfig::builder().with_root_certificates(store).with_no_client_auth();
    Some(Connector::Rustls(Arc::new(config)))
}

/// Whether a connection failed because the certificate of the server is not trusted.
pub(super) fn is_certificate_error(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if matches!(error.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))) {
            return true;
        }
        // The source of an I/O error is that of the error in it, so that one would be passed over.
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        cause = inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source());
    }
    false
}

#[cfg(test)]
mod tests {
    use rustls::CertificateError;

    use super::*;

    #[test]
    fn text_without_a_certificate_is_refused() {
        assert_eq!(trust_certificates(b"nonsense"), Err(TrustError::NoCertificate));
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(trust_certificates(broken), Err(TrustError::Invalid { .. })));
    }

    #[test]
    fn a_certificate_error_is_found_inside_others() {
        let untrusted = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        assert!(is_certificate_error(&io::Error::other(io::Error::other(untrusted.clone()))));
        assert!(is_certificate_error(&untrusted));
        assert!(!is_certificate_error(&io::Error::other("refused")));
    }
}
