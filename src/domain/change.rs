//! The change feed: what has been changed, in order, so that every cache can follow.

use crate::clock::Timestamp;

/// The number of a change; later changes have higher numbers.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct ChangeSeq(pub i64);

/// The kind of thing that was changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ChangedNoun {
    /// A scope granted to an organization; the key is `scope consumer`.
    Access,
    /// A client, its scopes or its keys; the key is the client id.
    Client,
    /// A delegation; the key is `consumer supplier scope`.
    Delegation,
    /// A node of this server; the key is its identifier. What it tells is no news for caches.
    Node,
    /// An organization; the key is its number.
    Organization,
    /// A prefix; the key is the prefix.
    Prefix,
    /// What an organization has asked the operator for; the key is `prefix organization`.
    PrefixRequest,
    /// A scope; the key is its name.
    Scope,
    /// One of our signing keys; the key is its `kid`.
    SigningKey,
    /// A user of the portal; the key is their e-mail address.
    User,
}

impl ChangedNoun {
    /// Every noun, with the name under which the feed stores it.
    const NAMES: [(Self, &'static str); 10] = [
        (Self::Access, "access"),
        (Self::Client, "client"),
        (Self::Delegation, "delegation"),
        (Self::Node, "node"),
        (Self::Organization, "organization"),
        (Self::Prefix, "prefix"),
        (Self::PrefixRequest, "prefix_request"),
        (Self::Scope, "scope"),
        (Self::SigningKey, "signing_key"),
        (Self::User, "user"),
    ];

    /// The name under which the feed and the audit trail store the noun.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(noun, _)| *noun == self).map_or("", |(_, name)| name)
    }

    /// The names of all nouns.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::NAMES.iter().map(|(_, name)| *name)
    }

    /// The names of all nouns of which the feed tells.
    pub fn names_in_feed() -> impl Iterator<Item = &'static str> {
        Self::NAMES.iter().filter(|(noun, _)| *noun != Self::Node).map(|(_, name)| *name)
    }

    /// The noun of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(noun, _)| *noun)
    }
}

/// One change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// Its number.
    pub seq: ChangeSeq,
    /// The kind of thing that was changed; `None` for one that this version does not know, which is for whoever follows
    /// to take for any: a later version may have written it, or nobody that should have.
    pub noun: Option<ChangedNoun>,
    /// Which one, in the form that the noun says; empty for all of that kind.
    pub key: String,
    /// When.
    pub changed_at: Timestamp,
}
