//! TLS for development: a local certificate authority, and a certificate for the loopback names of this machine.
//!
//! The authority is created once and kept, so that clients need to trust it only once. Its certificate is restricted to loopback
//! names: somebody who gets hold of its key can impersonate nobody else. The server certificate is new at each start.

use std::{
    fs, io,
    net::{Ipv4Addr, Ipv6Addr},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, NameConstraints, SanType,
};

use super::tls::TlsFiles;

/// Lifetime of a server certificate; browsers accept no longer one.
const SERVER_LIFETIME: Duration = Duration::from_secs(397 * 24 * 60 * 60);
/// Time before the creation of a certificate from which on it is valid, for clients whose clock is late.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(24 * 60 * 60);
/// Name of the server besides its addresses. Not `*.localhost`: rustls rejects wildcards below an authority with constraints.
const DNS_NAME: &str = "localhost";

/// Failure to create a certificate.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsDevError {
    #[error(
        "there is no folder for the certificate authority, since neither XDG_DATA_HOME nor HOME is set; name one with --tls-dev=DIR"
    )]
    NoFolder,
    #[error("cannot access {path}: {error}; choose another folder with --tls-dev=DIR", path = path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("the certificate authority in {path} is invalid: {error}; remove the folder to create another one", path = path.display())]
    Authority { path: PathBuf, error: rcgen::Error },
    #[error("cannot create a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
}

/// Certificate authority in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DevelopmentAuthority {
    folder: PathBuf,
}

impl DevelopmentAuthority {
    /// Creates an authority in `folder`, or in the folder for data of the user.
    pub(super) fn new(folder: Option<&Path>) -> Result<Self, TlsDevError> {
        let folder = match folder {
            Some(folder) => std::path::absolute(folder)
                .map_err(|error| TlsDevError::File { path: folder.to_owned(), error })?,
            None => data_folder().ok_or(TlsDevError::NoFolder)?.join("tailcast").join("tls"),
        };
        Ok(Self { folder })
    }

    /// Returns the path of the certificate that clients must trust.
    pub(super) fn certificate(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// Returns the files of the server, which [`prepare`](Self::prepare) creates: one with certificate and key, so that both are
    /// replaced at once.
    pub(super) fn server_files(&self) -> TlsFiles {
        let file = self.folder.join("server.pem");
        TlsFiles { certificate: file.clone(), key: file }
    }

    /// Creates the authority unless it exists, and a certificate for the server.
    pub(super) fn prepare(&self, now: SystemTime) -> Result<(), TlsDevError> {
        fs::create_dir_all(&self.folder).map_err(self.failed(&self.folder))?;
        let issuer = Issuer::new(authority_parameters(), self.authority_key()?);
        let key = KeyPair::generate()?;
        let certificate = server_parameters(now)?.signed_by(&key, &issuer)?;
        self.write_secret(&self.server_files().key, &format!("{}{}", certificate.pem(), key.serialize_pem()))
    }

    /// Reads the key of the authority, or creates it with its certificate.
    fn authority_key(&self) -> Result<KeyPair, TlsDevError> {
        let (path, certificate) = (self.folder.join("ca-key.pem"), self.certificate());
        let key = match fs::read_to_string(&path) {
            Ok(pem) => KeyPair::from_pem(&pem)
                .map_err(|error| TlsDevError::Authority { path: self.folder.clone(), error })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = KeyPair::generate()?;
                self.write_secret(&path, &key.serialize_pem())?;
                // The certificate of an earlier key would not match.
                drop(fs::remove_file(&certificate));
                key
            }
            Err(error) => return Err(self.failed(&path)(error)),
        };
        if !certificate.is_file() {
            let pem = authority_parameters().self_signed(&key)?.pem();
            fs::write(&certificate, pem).map_err(self.failed(&certificate))?;
        }
        Ok(key)
    }

    /// Replaces a file that only the user can read.
    fn write_secret(&self, path: &Path, content: &str) -> Result<(), TlsDevError> {
        let new = path.with_extension("new");
        let written = (|| {
            drop(fs::remove_file(&new));
            let mut options = fs::OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            io::Write::write_all(&mut options.open(&new)?, content.as_bytes())?;
            fs::rename(&new, path)
        })();
        written.map_err(self.failed(path))
    }

    #[expect(clippy::unused_self, reason = "reads as a part of the authority")]
    fn failed(&self, path: &Path) -> impl FnOnce(io::Error) -> TlsDevError {
        let path = path.to_owned();
        move |error| TlsDevError::File { path, error }
    }
}

/// Returns the folder for data of the user.
fn data_folder() -> Option<PathBuf> {
    let folder =
        |variable: &str| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    if cfg!(windows) {
        return folder("LOCALAPPDATA");
    }
    folder("XDG_DATA_HOME").or_else(|| Some(folder("HOME")?.join(".local").join("share")))
}

/// Returns the contents of the authority's certificate: always the same, so that the key alone determines its issuer.
fn authority_parameters() -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters
        .distinguished_name
        .push(DnType::CommonName, "Tailcast development authority (this machine only)");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters.not_before = rcgen::date_time_ymd(2025, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(2045, 1, 1);
    parameters.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName(DNS_NAME.to_owned()),
            GeneralSubtree::IpAddress(CidrSubnet::V4([127, 0, 0, 0], [255, 0, 0, 0])),
            GeneralSubtree::IpAddress(CidrSubnet::V6(Ipv6Addr::LOCALHOST.octets(), [255; 16])),
        ],
        excluded_subtrees: vec![],
    });
    parameters
}

fn server_parameters(now: SystemTime) -> Result<CertificateParams, rcgen::Error> {
    let mut parameters = CertificateParams::new(vec![DNS_NAME.to_owned()])?;
    let addresses = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    parameters.subject_alt_names.extend(addresses.map(SanType::IpAddress));
    parameters.distinguished_name.push(DnType::CommonName, DNS_NAME);
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.use_authority_key_identifier_extension = true;
    parameters.not_before = (now - CLOCK_TOLERANCE).into();
    parameters.not_after = (now + SERVER_LIFETIME).into();
    Ok(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_is_kept_and_its_key_is_secret() {
        let folder = std::env::temp_dir().join(format!("tailcast-tls-dev-{}", std::process::id()));
        let authority = DevelopmentAuthority::new(Some(&folder)).unwrap();
        let now = SystemTime::now();
        authority.prepare(now).unwrap();
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        let (certificate, server) = (read("ca.pem"), read("server.pem"));
        authority.prepare(now).unwrap();
        assert_eq!(read("ca.pem"), certificate);
        assert_ne!(read("server.pem"), server);
        #[cfg(unix)]
        for name in ["ca-key.pem", "server.pem"] {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(folder.join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        fs::write(folder.join("ca-key.pem"), "nonsense").unwrap();
        assert!(matches!(authority.prepare(now), Err(TlsDevError::Authority { .. })));
        fs::remove_dir_all(&folder).unwrap();
    }
}
