//! TLS termination, with a certificate and key that are reloaded on SIGHUP.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

#[cfg(unix)]
use crate::terminal::notice;
use crate::{failure::Failure, usage_error::UsageError};

/// Paths of certificate and key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// Error of the certificate or the key. It never contains a part of the key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("cannot read {content} from the PEM file {path}: {error}", path = path.display())]
    File { path: PathBuf, content: &'static str, error: pem::Error },
    #[error("{path} contains no certificate; give a PEM file with the certificate chain, the server's own certificate first", path = path.display())]
    NoCertificate { path: PathBuf },
    #[error("the certificate and the private key do not match, or are unsupported: {0}")]
    Pair(#[from] rustls::Error),
}

/// TLS configuration of new connections.
#[derive(Clone)]
pub(crate) struct Tls(watch::Receiver<Arc<ServerConfig>>);

impl Tls {
    /// Loads the files, and reloads them on SIGHUP. If reloading fails, the error is printed and the previous certificate
    /// stays in use.
    pub(crate) fn from_files(files: TlsFiles) -> Result<Self, Failure> {
        let (newest, config) = watch::channel(read(&files).map_err(UsageError::Tls)?);
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let mut hang_up = signal(SignalKind::hangup())
                .map_err(|error| Failure::runtime(format!("cannot install a handler for SIGHUP: {error}")))?;
            tokio::spawn(async move {
                while hang_up.recv().await.is_some() {
                    match read(&files) {
                        Ok(config) => {
                            newest.send_replace(config);
                            notice!("Reloaded the certificate.");
                        }
                        Err(error) => notice!(
                            "Cannot reload the certificate, so the previous one stays in use: {error}"
                        ),
                    }
                }
            });
        }
        #[cfg(not(unix))]
        drop(newest);
        Ok(Self(config))
    }

    /// Returns an acceptor for one connection.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.0.borrow()))
    }
}

fn read(files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
    let failed = |path: &Path, content| {
        let path = path.to_owned();
        move |error| TlsError::File { path, content, error }
    };
    let chain: Vec<CertificateDer> = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect)
        .map_err(failed(&files.certificate, "certificates"))?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate { path: files.certificate.clone() });
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(failed(&files.key, "a private key"))?;
    let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
    // WebSocket handshakes use HTTP/1.1.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
