//! One public key out of PEM text (RFC 7468): bare, or in a certificate.

use rustls_pki_types::pem::{PemObject, SectionKind};
use thiserror::Error;

use crate::pki::chain::CertificateChain;

/// A public key, and the certificate that it came in.
#[derive(Clone, Debug)]
pub struct PemKey {
    /// The `SubjectPublicKeyInfo`, in DER.
    pub spki: Vec<u8>,
    /// The certificate, in DER.
    pub certificate: Option<Vec<u8>>,
}

/// Why a text is no public key. No variant holds the text: it may be a secret.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum PemKeyError {
    /// There is a private key in it.
    #[error("the text holds a private key")]
    Private,
    /// It is not one certificate or one public key.
    #[error("the text is not one certificate or one public key in PEM")]
    Text,
}

impl PemKey {
    /// Reads a text with one section, a certificate or a public key.
    pub fn parse(text: &[u8]) -> Result<Self, PemKeyError> {
        // Looked for in the text, because a section that cannot be read may hold one all the same.
        if String::from_utf8_lossy(text).to_ascii_uppercase().contains("PRIVATE KEY") {
            return Err(PemKeyError::Private);
        }
        let sections: Result<Vec<(SectionKind, Vec<u8>)>, _> =
            <(SectionKind, Vec<u8>)>::pem_slice_iter(text).collect();
        match sections.map_err(|_| PemKeyError::Text)?.as_slice() {
            [(SectionKind::PublicKey, spki)] => Ok(Self { spki: spki.clone(), certificate: None }),
            [(SectionKind::Certificate, der)] => {
                let chain = CertificateChain::from_der(vec![der.clone()]);
                let chain = chain.map_err(|_| PemKeyError::Text)?;
                let spki = chain.leaf_spki().to_vec();
                Ok(Self { spki, certificate: Some(der.clone()) })
            }
            _ => Err(PemKeyError::Text),
        }
    }
}
