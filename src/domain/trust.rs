//! Trust sets, as people see them: whose certificates count, and whether their revocation lists are fresh.

use crate::clock::Timestamp;
use crate::domain::names::names;

/// Where an authority stands in a trust set.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AuthorityRole {
    /// It is trusted by itself.
    Anchor,
    /// It is trusted because an anchor has certified it.
    Intermediate,
}

names!(AuthorityRole { Anchor = "anchor", Intermediate = "intermediate" });

/// What the certificates below a set's authorities are for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TrustEnvironment {
    /// For real.
    Production,
    /// For tests.
    Test,
}

names!(TrustEnvironment { Production = "production", Test = "test" });

/// What is asked of revocation lists.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RevocationRule {
    /// A certificate that may be revoked is refused.
    HardFail,
    /// Lists are not looked at.
    NotChecked,
    /// A certificate that may be revoked passes, one that is revoked does not.
    SoftFail,
}

names!(RevocationRule { HardFail = "hard-fail", NotChecked = "not-checked", SoftFail = "soft-fail" });

/// What responders (OCSP) are asked about certificates that name one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum OcspRule {
    /// Everything: their word counts beside that of the lists, and either one's is enough.
    Alternative,
    /// What no list can tell.
    Fallback,
    /// Nothing.
    #[default]
    NotUsed,
}

names!(OcspRule { Alternative = "alternative", Fallback = "fallback", NotUsed = "not-used" });

/// A responder that a trust set asks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OcspResponder {
    /// Its address, as it is configured.
    pub url: String,
    /// When it was asked last, and what came of it: taken, unchanged, failed, refused, or the status that came in place of
    /// an answer, such as tryLater.
    pub last: Option<(Timestamp, &'static str)>,
    /// What was wrong, if something was.
    pub problem: Option<String>,
    /// Since when nothing good has come.
    pub failing_since: Option<Timestamp>,
}

/// A revocation list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RevocationList {
    /// When it was issued.
    pub this_update: Timestamp,
    /// When the next one is due; one that does not say clears nobody.
    pub next_update: Option<Timestamp>,
}

/// An authority whose certificates count.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TrustedAuthority {
    /// Where it stands.
    pub role: AuthorityRole,
    /// Its name, as its certificate has it.
    pub subject: String,
    /// SHA-256 over its certificate, in hexadecimal: what tells it from others of its name.
    pub fingerprint: String,
    /// The first moment of its certificate.
    pub not_before: Timestamp,
    /// The last moment of its certificate.
    pub not_after: Timestamp,
    /// The revocation lists in its name.
    pub lists: Vec<RevocationList>,
}

/// A trust set.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TrustSetSummary {
    /// The name by which the configuration calls it.
    pub name: String,
    /// What its certificates are for.
    pub environment: TrustEnvironment,
    /// What it asks of revocation lists.
    pub revocation: RevocationRule,
    /// What it asks responders.
    pub ocsp: OcspRule,
    /// The responders that it asks, none if it asks nothing.
    pub responders: Vec<OcspResponder>,
    /// Of how many certificates it knows by an answer whether they are revoked.
    pub ocsp_certificates: usize,
    /// Its anchors, and then its intermediates. An anchor that had ended when it was read is among them, and trusted
    /// for nothing.
    pub authorities: Vec<TrustedAuthority>,
    /// What will refuse good clients, in English.
    pub warnings: Vec<String>,
}

impl TrustSetSummary {
    /// When the first of its authorities ends.
    pub fn first_not_after(&self) -> Option<Timestamp> {
        self.authorities.iter().map(|authority| authority.not_after).min()
    }
}
