//! TLS of a listener: PEM files, read again when they change.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use thiserror::Error;

/// The certificate and key of a listener. Every handshake takes the pair that is current then.
#[derive(Debug)]
pub struct TlsKeys {
    certificate: PathBuf,
    key: PathBuf,
    current: RwLock<(Stamp, Arc<CertifiedKey>)>,
}

/// When the two files were last changed.
type Stamp = [Option<SystemTime>; 2];

/// Why a listener cannot speak TLS.
#[derive(Debug, Error)]
pub enum TlsError {
    /// The key is not that of the certificate, or is of a kind that TLS does not use.
    #[error("{certificate} and {key} do not belong together: {problem}", certificate = certificate.display(), key = key.display())]
    Pair {
        /// The file of the certificate chain.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// What the library says.
        problem: rustls::Error,
    },
    /// A file is not PEM, or holds nothing of the kind it should.
    #[error("{file} cannot be read as PEM: {problem}", file = file.display())]
    Pem {
        /// The file.
        file: PathBuf,
        /// What the reader says; never its content.
        problem: rustls::pki_types::pem::Error,
    },
    /// The library knows no protocol version to speak.
    #[error("TLS cannot be set up: {0}")]
    Settings(#[source] rustls::Error),
}

impl TlsKeys {
    /// Reads the files.
    pub fn load(certificate: PathBuf, key: PathBuf) -> Result<Arc<Self>, TlsError> {
        let stamp = stamp(&certificate, &key);
        let pair = read_pair(&certificate, &key)?;
        Ok(Arc::new(Self { certificate, key, current: RwLock::new((stamp, pair)) }))
    }

    /// Reads the files again if they have changed. When they cannot be read, or do not belong together yet
    /// because one of them is still being replaced, the old pair stays in use.
    pub fn reload_if_changed(&self) -> Result<bool, TlsError> {
        let stamp = stamp(&self.certificate, &self.key);
        if self.current.read().unwrap_or_else(PoisonError::into_inner).0 == stamp {
            return Ok(false);
        }
        let pair = read_pair(&self.certificate, &self.key)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = (stamp, pair);
        Ok(true)
    }

    /// The settings of the listener: TLS 1.2 and 1.3 with the suites of rustls, HTTP/1.1, no early data.
    pub(super) fn server_config(self: &Arc<Self>) -> Result<ServerConfig, TlsError> {
        let resolver: Arc<dyn ResolvesServerCert> = Arc::<Self>::clone(self);
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Settings)?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

impl ResolvesServerCert for TlsKeys {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).1))
    }
}

fn stamp(certificate: &PathBuf, key: &PathBuf) -> Stamp {
    [certificate, key].map(|file| std::fs::metadata(file).and_then(|file| file.modified()).ok())
}

fn read_pair(certificate: &PathBuf, key: &PathBuf) -> Result<Arc<CertifiedKey>, TlsError> {
    let pem = |file: &PathBuf, problem| TlsError::Pem { file: file.clone(), problem };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|problem| pem(certificate, problem))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|problem| pem(key, problem))?;
    let pair = CertifiedKey::from_der(chain, private, &default_provider());
    pair.map(Arc::new).map_err(|problem| TlsError::Pair {
        certificate: certificate.clone(),
        key: key.clone(),
        problem,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::time::Duration;

    use super::*;

    /// Writes a new pair, and a time of change that no file system is too coarse to tell apart.
    fn write_pair(folder: &Path, age_seconds: u64) -> Vec<u8> {
        let pair = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        for (name, text) in
            [("chain.pem", pair.cert.pem()), ("key.pem", pair.signing_key.serialize_pem())]
        {
            fs::write(folder.join(name), text).unwrap();
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + age_seconds);
            fs::File::options()
                .write(true)
                .open(folder.join(name))
                .unwrap()
                .set_modified(time)
                .unwrap();
        }
        pair.cert.der().to_vec()
    }

    #[test]
    fn a_new_pair_is_taken_into_use_and_half_of_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let current = |keys: &TlsKeys| keys.current.read().unwrap().1.cert[0].to_vec();
        let first = write_pair(folder.path(), 0);
        let keys =
            TlsKeys::load(folder.path().join("chain.pem"), folder.path().join("key.pem")).unwrap();
        assert!(!keys.reload_if_changed().unwrap());
        assert_eq!(current(&keys), first);
        let second = write_pair(folder.path(), 1);
        assert!(keys.reload_if_changed().unwrap());
        assert_eq!(current(&keys), second);
        let key = fs::read(folder.path().join("key.pem")).unwrap();
        write_pair(folder.path(), 2);
        fs::write(folder.path().join("key.pem"), key).unwrap();
        assert!(keys.reload_if_changed().is_err());
        assert_eq!(current(&keys), second);
        fs::write(folder.path().join("chain.pem"), "not PEM").unwrap();
        assert!(keys.reload_if_changed().is_err());
        assert_eq!(current(&keys), second);
    }
}
