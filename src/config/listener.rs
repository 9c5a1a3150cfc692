//! One listener: where, with or without TLS, and for how many.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::config::raw::RawListener;
use crate::config::{ConfigError, positive, required};

/// Where one of the three APIs listens.
#[derive(Clone, Debug)]
pub struct Listener {
    /// The address and port.
    pub address: SocketAddr,
    /// The files for TLS; `None` is plain http, on loopback or behind a proxy.
    pub tls: Option<TlsFiles>,
    /// Whether a proxy stands in front.
    pub behind_proxy: bool,
    /// The header in which that proxy says where a request comes from.
    pub source_address_header: Option<String>,
    /// Connections served at the same time.
    pub connections_max: u32,
}

/// The PEM files of a TLS listener.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The certificate chain, leaf first.
    pub certificate: PathBuf,
    /// The private key of the leaf.
    pub key: PathBuf,
}

impl Listener {
    pub(super) fn check(
        section: &str,
        raw: RawListener,
        folder: &Path,
    ) -> Result<Self, ConfigError> {
        let key = |name: &str| format!("{section}.{name}");
        let address = required(&key("address"), raw.address)?;
        let address: SocketAddr = address.parse().map_err(|_| {
            ConfigError::key(key("address"), format!("{address:?} is not an IP address and port"))
        })?;
        let tls = match (raw.tls_certificate_file, raw.tls_key_file) {
            (Some(certificate), Some(key)) => {
                Some(TlsFiles { certificate: folder.join(certificate), key: folder.join(key) })
            }
            (None, None) => None,
            (Some(_), None) => return Err(ConfigError::Missing { key: key("tls_key_file") }),
            (None, Some(_)) => {
                return Err(ConfigError::Missing { key: key("tls_certificate_file") });
            }
        };
        let behind_proxy = raw.behind_proxy == Some(true);
        let plain_is_safe = address.ip().is_loopback() || behind_proxy;
        if tls.is_none() && !plain_is_safe {
            let problem = format!(
                "{address} is not loopback, so it needs tls_certificate_file and tls_key_file, or \
                 behind_proxy = true where a proxy terminates TLS"
            );
            return Err(ConfigError::key(key("address"), problem));
        }
        let header = raw.source_address_header;
        let source_address_header =
            check_header(&key("source_address_header"), header, behind_proxy)?;
        let connections_max = positive(&key("connections_max"), raw.connections_max)?;
        Ok(Self { address, tls, behind_proxy, source_address_header, connections_max })
    }
}

/// A header that anybody may send says nothing unless a proxy stands in front that sets it.
fn check_header(
    key: &str,
    name: Option<String>,
    behind_proxy: bool,
) -> Result<Option<String>, ConfigError> {
    let Some(name) = name else { return Ok(None) };
    let of_name = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    if name.is_empty() || !name.bytes().all(of_name) {
        let problem = format!("{name:?} is no name of a header, such as X-Forwarded-For");
        return Err(ConfigError::key(key, problem));
    }
    if !behind_proxy {
        let problem =
            "anybody can send this header; it needs behind_proxy = true, and a proxy that sets it";
        return Err(ConfigError::key(key, problem));
    }
    Ok(Some(name))
}
