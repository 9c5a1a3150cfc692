//! Scopes: their names, and what their owner has decided about them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::domain::integration::IntegrationType;
use crate::domain::names::names;
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::Recorded;

/// The longest scope name, in characters; none seen in use is longer than 120.
pub const SCOPE_NAME_CHARACTERS_MAX: usize = 255;

/// The most scopes one token may carry; the field's advice is one scope a token.
pub const REQUESTED_SCOPES_MAX: usize = 100;

/// The name of a scope: `prefix:subscope`, split at the first colon.
///
/// The prefix is lower-case letters, digits, `_`, `.` and `-`; the subscope may also hold upper-case
/// letters, `/` and further colons. This is a subset of `scope-token` in RFC 6749 section 3.3.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ScopeName(String);

/// The text is not a scope name.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("a scope is named prefix:subscope, at most 255 letters, digits and characters of _.-/:")]
pub struct ScopeNameError;

impl ScopeName {
    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the first colon.
    pub fn prefix(&self) -> &str {
        self.0.split_once(':').map_or("", |(prefix, _)| prefix)
    }

    /// The part after the first colon.
    pub fn subscope(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, subscope)| subscope)
    }
}

impl FromStr for ScopeName {
    type Err = ScopeNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (prefix, subscope) = text.split_once(':').ok_or(ScopeNameError)?;
        let in_prefix = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.-".contains(&b);
        let in_subscope = |b: u8| b.is_ascii_alphanumeric() || b"_.-/:".contains(&b);
        let starts_well =
            |part: &str| part.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        let fits = text.len() <= SCOPE_NAME_CHARACTERS_MAX
            && starts_well(prefix)
            && starts_well(subscope)
            && prefix.bytes().all(in_prefix)
            && subscope.bytes().all(in_subscope);
        if fits { Ok(Self(text.to_owned())) } else { Err(ScopeNameError) }
    }
}

impl fmt::Display for ScopeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The scopes that an assertion asks for: at least one, each once, in the order asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RequestedScopes(Vec<ScopeName>);

/// Why a `scope` value is refused.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum RequestedScopesError {
    /// There is no scope in it.
    #[error("it names no scope")]
    Empty,
    /// It is not tokens with one space between them, or a token is no scope name.
    #[error("it must be scope names with one space between them")]
    Malformed,
    /// It names more scopes than one token may carry.
    #[error("it names more than {REQUESTED_SCOPES_MAX} scopes")]
    TooMany,
}

impl RequestedScopes {
    /// The scopes, in the order asked.
    pub fn names(&self) -> &[ScopeName] {
        &self.0
    }
}

impl FromStr for RequestedScopes {
    type Err = RequestedScopesError;

    /// Reads `scope-token *( SP scope-token )` (RFC 6749 section 3.3); a repeated scope counts once.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.bytes().all(|b| b == b' ') {
            return Err(RequestedScopesError::Empty);
        }
        let mut names: Vec<ScopeName> = Vec::new();
        for token in text.split(' ') {
            let name: ScopeName = token.parse().map_err(|_| RequestedScopesError::Malformed)?;
            if names.contains(&name) {
                continue;
            }
            if names.len() == REQUESTED_SCOPES_MAX {
                return Err(RequestedScopesError::TooMany);
            }
            names.push(name);
        }
        Ok(Self(names))
    }
}

impl fmt::Display for RequestedScopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(name.as_str())?;
        }
        Ok(())
    }
}

/// Whether a scope can be asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ScopeStatus {
    /// Tokens are issued for it.
    Active,
    /// Its owner has closed it; nobody gets tokens for it until it is restored.
    Deactivated,
}

/// Who may be given tokens for a scope.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ScopeAudience {
    /// Any organization, without being granted access.
    AnyOrganization,
    /// Organizations that the owner has granted access.
    GrantedOrganizations,
}

/// What becomes of a scope while the database cannot be reached.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum OutagePolicy {
    /// No token is issued for it.
    #[default]
    Refuse,
    /// Tokens are issued by what is in memory, for as long as the installation allows: what was withdrawn meanwhile may
    /// still be used, and an assertion is worth one token at each node.
    Issue,
}

impl OutagePolicy {
    /// The policy of a scope that is issued in an outage, or is not.
    pub fn new(issued: bool) -> Self {
        if issued { Self::Issue } else { Self::Refuse }
    }

    /// Whether it is issued in an outage.
    pub fn issues(self) -> bool {
        self == Self::Issue
    }
}

/// Whether European businesses get tokens for a scope, by their certificates for electronic seals alone.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum EuropeanBusinesses {
    /// They do not.
    #[default]
    Unsupported,
    /// They do, all of them: it is the API that decides what each may.
    Supported,
}

impl EuropeanBusinesses {
    /// That of a scope which supports them, or does not.
    pub const fn of(supported: bool) -> Self {
        if supported { Self::Supported } else { Self::Unsupported }
    }

    /// Whether they are supported.
    pub fn are_supported(self) -> bool {
        self == Self::Supported
    }
}

/// Who can find a scope.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Visibility {
    /// Only the operator's own staff.
    Internal,
    /// Its owner, and the organizations that it is granted to.
    Private,
    /// Everybody: it stands in the public list.
    #[default]
    Public,
}

names!(Visibility { Internal = "INTERNAL", Private = "PRIVATE", Public = "PUBLIC" });

/// What a scope's owner says about it that no decision of this server depends on: texts in other languages,
/// and settings of log-in products, kept and returned for the tools that set them.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct ScopeDetails {
    /// A longer description, in simple Markdown.
    pub long_description: Option<String>,
    /// Descriptions in other languages, by the name of their member: `description#en`.
    pub translations: BTreeMap<String, String>,
    /// Seconds a log-in may last; 0 leaves it to the product.
    pub authorization_max_lifetime: u32,
    /// Log-in products ask the person for consent.
    pub requires_user_consent: bool,
    /// Log-in products ask the person to log in again.
    pub requires_user_authentication: bool,
    /// Log-in products hide who the person is.
    pub requires_pseudonymous_tokens: bool,
}

/// A scope as its owner has defined it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Scope {
    /// Its name, which never changes.
    pub name: ScopeName,
    /// The organization that owns its prefix.
    pub owner: OrganizationNumber,
    /// What it lets the caller do, for people.
    pub description: String,
    /// Whether it can be asked for.
    pub status: ScopeStatus,
    /// Who may be given tokens for it.
    pub audience: ScopeAudience,
    /// Who can find it.
    pub visibility: Visibility,
    /// Which products it is meant for (`allowed_integration_types`); none means every product.
    pub integration_types: Vec<IntegrationType>,
    /// The longest life of a token that carries it (`at_max_age`); `None` leaves it to the client.
    pub token_lifetime_seconds_max: Option<u32>,
    /// The register of delegations that the owner accepts; `None` means the scope cannot be
    /// delegated.
    pub delegation_source: Option<String>,
    /// What becomes of it while the database cannot be reached (`issued_in_outage`).
    pub outage_policy: OutagePolicy,
    /// Whether European businesses get tokens for it (`supports_european_businesses`).
    pub european_businesses: EuropeanBusinesses,
    /// What nothing here depends on.
    pub details: ScopeDetails,
}

/// A scope as a list shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScopeSummary {
    /// The scope.
    pub scope: Recorded<Scope>,
    /// The owner's name, if it is known.
    pub owner_name: Option<String>,
    /// How many tokens were issued with it, from the day that the list is asked about; `None` if it is asked about none.
    pub tokens: Option<u64>,
}

impl Scope {
    /// An active scope that organizations must be granted, for any product, without delegation.
    pub fn new(name: ScopeName, owner: OrganizationNumber, description: &str) -> Self {
        Self {
            name,
            owner,
            description: description.to_owned(),
            status: ScopeStatus::Active,
            audience: ScopeAudience::GrantedOrganizations,
            visibility: Visibility::Public,
            integration_types: Vec::new(),
            token_lifetime_seconds_max: None,
            delegation_source: None,
            outage_policy: OutagePolicy::default(),
            european_businesses: EuropeanBusinesses::default(),
            details: ScopeDetails::default(),
        }
    }

    /// Whether clients of that product may ask for it.
    pub fn is_for(&self, product: IntegrationType) -> bool {
        self.integration_types.is_empty() || self.integration_types.contains(&product)
    }

    /// Whether tokens between machines, which is what this server issues, may carry it. It refuses others
    /// with MP-201.
    pub fn is_for_machines(&self) -> bool {
        self.is_for(IntegrationType::Maskinporten)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_names_in_use() {
        for text in [
            "altinn:serviceowners/read",
            "krr:global/kontaktinformasjon.read",
            "altinn:accessmanagement/enduser:connections:fromothers.read",
            "991825827:a",
            "difitest:test2",
        ] {
            let name: ScopeName = text.parse().unwrap();
            assert_eq!(name.as_str(), text);
            assert_eq!(name.prefix(), text.split(':').next().unwrap());
        }
    }

    #[test]
    fn refuses_what_is_no_scope_name() {
        for text in [
            "",
            "nav",
            ":",
            "nav:",
            ":x",
            "NAV:x",
            "nav:*",
            "nav:a b",
            "nav:\u{e5}",
            "n\u{430}v:x",
            "nav:a%20b",
            "nav:x\"",
            "nav:x\\",
            "nav:.x",
            "-nav:x",
        ] {
            assert_eq!(text.parse::<ScopeName>(), Err(ScopeNameError), "{text:?}");
        }
        assert!(format!("a:{}", "b".repeat(253)).parse::<ScopeName>().is_ok());
        assert!(format!("a:{}", "b".repeat(254)).parse::<ScopeName>().is_err());
    }

    #[test]
    fn reads_a_request_and_drops_repeats() {
        let scopes: RequestedScopes = "a:b a:c a:b".parse().unwrap();
        assert_eq!(scopes.to_string(), "a:b a:c");
    }

    #[test]
    fn refuses_requests_that_are_not_rfc_6749() {
        use RequestedScopesError::{Empty, Malformed, TooMany};
        for (text, reason) in [
            ("", Empty),
            ("   ", Empty),
            ("a:b  a:c", Malformed),
            (" a:b", Malformed),
            ("a:b ", Malformed),
            ("a:b\ta:c", Malformed),
            ("a:b\n", Malformed),
            ("a", Malformed),
        ] {
            assert_eq!(text.parse::<RequestedScopes>(), Err(reason), "{text:?}");
        }
        let many: Vec<String> = (0..=REQUESTED_SCOPES_MAX).map(|i| format!("a:{i}")).collect();
        assert_eq!(many.join(" ").parse::<RequestedScopes>(), Err(TooMany));
    }
}
