//! Certificates that are trusted besides those of the system, and the failures of those that are not.

use std::{error::Error, io, sync::Arc};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

/// Root certificates that a client trusts besides those of the system or of `SSL_CERT_FILE`.
#[derive(Debug, Clone, Default)]
pub struct RootCertificates(Arc<[CertificateDer<'static>]>);

/// Failure to read root certificates.
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
}

impl RootCertificates {
    /// Reads a PEM file.
    ///
    /// # Errors
    /// [`TrustError`].
    pub fn from_pem(pem: &[u8]) -> Result<Self, TrustError> {
        let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(|error| TrustError::Invalid { detail: error.to_string() })?;
        if certificates.is_empty() {
            return Err(TrustError::NoCertificate);
        }
        let mut store = RootCertStore::empty();
        for certificate in &certificates {
            store
                .add(certificate.clone())
                .map_err(|error| TrustError::Invalid { detail: error.to_string() })?;
        }
        Ok(Self(certificates.into()))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &CertificateDer<'static>> {
        self.0.iter()
    }
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
        assert!(matches!(RootCertificates::from_pem(b"nonsense"), Err(TrustError::NoCertificate)));
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(RootCertificates::from_pem(broken), Err(TrustError::Invalid { .. })));
    }

    #[test]
    fn a_certificate_error_is_found_inside_others() {
        let untrusted = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        assert!(is_certificate_error(&io::Error::other(io::Error::other(untrusted.clone()))));
        assert!(is_certificate_error(&untrusted));
        assert!(!is_certificate_error(&io::Error::other("refused")));
    }
}
