//! Access: a scope granted to an organization; delegation: access handed on to a supplier.

use crate::clock::Timestamp;
use crate::domain::names::names;
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::Recorded;
use crate::domain::scope::ScopeName;

/// Where an access stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AccessState {
    /// The owner of the scope has granted it.
    Approved,
    /// The owner has refused or withdrawn it, or the consumer has taken back that it asked; it stays in the list.
    Denied,
    /// The consumer has asked for it and waits.
    Requested,
}

names!(AccessState { Approved = "APPROVED", Denied = "DENIED", Requested = "REQUESTED" });

/// A scope granted, refused or asked for by an organization.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Access {
    /// The scope.
    pub scope: ScopeName,
    /// The organization that gets tokens for it.
    pub consumer: OrganizationNumber,
    /// Where it stands.
    pub state: AccessState,
    /// From this moment on it no longer holds; `None` means no end.
    pub expires_at: Option<Timestamp>,
}

/// An access, and when a token was last issued by it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UsedAccess {
    /// The access.
    pub access: Access,
    /// When; `None` for never.
    pub last_used_at: Option<Timestamp>,
}

impl Access {
    /// Whether the consumer may have a token at `now`.
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.state == AccessState::Approved && self.expires_at.is_none_or(|end| now < end)
    }
}

/// An access with what the two organizations have said to each other about it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccessCase {
    /// The access.
    pub access: Access,
    /// The owner of the scope.
    pub owner: OrganizationNumber,
    /// The owner's name, if it is known.
    pub owner_name: Option<String>,
    /// The consumer's name, if it is known.
    pub consumer_name: Option<String>,
    /// The owner's own note.
    pub note: Option<String>,
    /// What the consumer wrote when it asked.
    pub message: Option<String>,
    /// Whether the consumer has taken back what it asked for: it is denied then, and the owner has not decided that.
    pub taken_back: bool,
    /// What the scope is about.
    pub description: String,
    /// What the owner answered when it refused or withdrew.
    pub reason: Option<String>,
    /// When a token was last issued by it, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// A consumer's decision that a supplier may fetch tokens for one scope on its behalf.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Delegation {
    /// The organization that has the access.
    pub consumer: OrganizationNumber,
    /// The organization that may use it.
    pub supplier: OrganizationNumber,
    /// The scope.
    pub scope: ScopeName,
    /// The issuer of the register in which the delegation stands.
    pub source: String,
    /// It holds from this moment on.
    pub valid_from: Timestamp,
    /// From this moment on it no longer holds; `None` means no end.
    pub valid_to: Option<Timestamp>,
    /// When the consumer withdrew it, if it did.
    pub revoked_at: Option<Timestamp>,
}

/// A delegation as a list shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DelegationSummary {
    /// The delegation.
    pub delegation: Recorded<Delegation>,
    /// The consumer's name, if it is known.
    pub consumer_name: Option<String>,
    /// The supplier's name, if it is known.
    pub supplier_name: Option<String>,
}

impl Delegation {
    /// Whether the supplier may act for the consumer at `now`.
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none()
            && self.valid_from <= now
            && self.valid_to.is_none_or(|end| now < end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_ends_when_it_is_withdrawn_or_expires() {
        let now = Timestamp::from_seconds(1_000);
        let mut access = Access {
            scope: "a:b".parse().unwrap(),
            consumer: "991825827".parse().unwrap(),
            state: AccessState::Approved,
            expires_at: None,
        };
        assert!(access.holds_at(now));
        access.expires_at = Some(now);
        assert!(!access.holds_at(now));
        assert!(access.holds_at(now.minus_seconds(1)));
        access.expires_at = None;
        access.state = AccessState::Denied;
        assert!(!access.holds_at(now));
        access.state = AccessState::Requested;
        assert!(!access.holds_at(now));
    }
}
