//! TLS that ends here: a certificate and its key, read again at SIGHUP.

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

use crate::failure::Failure;

/// Where certificate and key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// Why TLS cannot be spoken with these files. Never holds any of the key.
#[derive(Debug, thiserror::Error)]
enum TlsError {
    #[error("{path} cannot be read as a PEM file of {what}: {error}", path = path.display())]
    File { path: PathBuf, what: &'static str, error: pem::Error },
    #[error("{path} holds no certificate; it must hold `-----BEGIN CERTIFICATE-----`, the server's own first", path = path.display())]
    NoCertificate { path: PathBuf },
    #[error("the certificate and the key do not go together, or cannot be used: {0}")]
    Pair(#[from] rustls::Error),
}

/// The configuration for the next connection. Those that are open keep theirs.
#[derive(Clone)]
pub(crate) struct Tls(watch::Receiver<Arc<ServerConfig>>);

impl Tls {
    /// Reads the files, and again at each SIGHUP; what cannot be used then is told, and changes nothing.
    pub(crate) fn from_files(files: TlsFiles) -> Result<Self, Failure> {
        let words = |error: TlsError| Failure::usage(format!("TLS (--tls-cert, --tls-key): {error}"));
        let (newest, config) = watch::channel(read(&files).map_err(words)?);
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let mut hang_up = signal(SignalKind::hangup())
                .map_err(|error| Failure::at_run_time(format!("SIGHUP cannot be heard: {error}")))?;
            tokio::spawn(async move {
                while hang_up.recv().await.is_some() {
                    match read(&files) {
                        Ok(config) => {
                            newest.send_replace(config);
                            eprintln!("The certificate was read again.");
                        }
                        Err(error) => eprintln!("The certificate stays as it was: {error}"),
                    }
                }
            });
        }
        #[cfg(not(unix))]
        drop(newest);
        Ok(Self(config))
    }

    /// For one connection.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.0.borrow()))
    }
}

fn read(files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
    let failed = |path: &Path, what| {
        let path = path.to_owned();
        move |error| TlsError::File { path, what, error }
    };
    let chain: Vec<CertificateDer> = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect)
        .map_err(failed(&files.certificate, "certificates"))?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate { path: files.certificate.clone() });
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(failed(&files.key, "a private key"))?;
    let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
    // WebSockets begin in HTTP/1.1.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
