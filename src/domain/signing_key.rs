//! Our own signing keys, as people see them.

use crate::clock::Timestamp;
use crate::domain::algorithm::Algorithm;
use crate::domain::names::names;

/// Where a signing key stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SigningKeyState {
    /// It is published, and tokens may be signed with it.
    Active,
    /// It is neither any more.
    Retired,
}

names!(SigningKeyState { Active = "ACTIVE", Retired = "RETIRED" });

/// One of our signing keys, without its halves.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SigningKeyRecord {
    /// Its RFC 7638 thumbprint.
    pub kid: String,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// Where it stands.
    pub state: SigningKeyState,
    /// When it was made.
    pub created_at: Timestamp,
}
