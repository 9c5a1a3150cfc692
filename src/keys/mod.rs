//! Our own signing keys, and the public keys that clients register.
//!
//! The private half of a signing key exists in two places: sealed in the database, under a key that is
//! not in the database, and parsed in memory. Its `kid` is its RFC 7638 thumbprint, so a key cannot be
//! published under two names. The ring of keys in use is immutable; rotation puts another in its place,
//! and a request under way finishes with the ring it began with.
//!
//! What people prove themselves with is made and checked here too: passwords, codes of a second factor, and the tokens
//! of sessions and links.
//!
//! A key that a client registers is read in [`client_jwk`]; what it may be used with is decided there,
//! once, and held in the type.

mod backup_seal;
pub mod client_jwk;
mod cursor;
mod error;
mod keeper;
pub mod password;
mod ring;
mod sealing;
pub mod second_factor;
pub mod secret_token;
mod signing_key;

pub use backup_seal::{BackupSeal, SealedReader, SealedWriter};
pub use cursor::CursorSeal;
pub use error::{KeyError, KeyKeeperError};
pub use keeper::{KeyKeeper, KeyRules};
pub use ring::{KeyRing, PublishedDocument, SharedKeyRing};
pub use sealing::SealingKey;
pub use signing_key::{SigningKey, TokenType};
