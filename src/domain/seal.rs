//! Electronic seals: whether a certificate for them is a qualified one.

use crate::domain::names::names;

/// What kind of certificate for electronic seals it is (Regulation (EU) 910/2014, articles 36 to 38). Its word is the
/// `client_amr` of tokens for European businesses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SealKind {
    /// It is not qualified.
    Advanced,
    /// It is a qualified certificate for electronic seals.
    Qualified,
}

names!(SealKind { Advanced = "CForESeal", Qualified = "QCForESeal" });
