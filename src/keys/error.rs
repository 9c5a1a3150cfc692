//! What can be wrong with a key of ours.

use thiserror::Error;

use crate::pki::public_key::PublicKeyError;
use crate::store::StoreError;

/// Why a key cannot be made, read or used.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum KeyError {
    /// The library could not make a key.
    #[error("a key could not be made")]
    Generation,
    /// The private half is not a PKCS#8 document of the kind its algorithm needs.
    #[error("the private half of a signing key cannot be read")]
    Pkcs8,
    /// The private half does not open with this sealing key.
    #[error(
        "a signing key in the database does not open with this sealing key; start with the sealing \
         key it was made under"
    )]
    Sealed,
    /// The sealing key is not 32 bytes of base64.
    #[error(
        "the sealing key is not 32 bytes in base64; make one with: head -c 32 /dev/urandom | base64"
    )]
    SealingKey,
    /// The library could not make the address of an authenticator.
    #[error("the address of an authenticator could not be made")]
    SecondFactor,
    /// The library could not sign.
    #[error("a token could not be signed")]
    Signing,
    /// We make no keys of this algorithm or size.
    #[error("signing keys are RS256, PS256 (2048, 3072 or 4096 bits), ES256 or EdDSA")]
    Unsupported,
    /// It is not as strong as every key here must be.
    #[error("a signing key of this server is refused: {0}; retire it, so that a new one is made")]
    Weak(#[from] PublicKeyError),
}

/// Why the keys in use cannot be read or made.
#[derive(Debug, Error)]
pub enum KeyKeeperError {
    /// A key is at fault.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The database is at fault.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl KeyKeeperError {
    /// Whether it may be another time without anybody mending anything here.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Key(_) => false,
            Self::Store(error) => error.may_pass(),
        }
    }
}
