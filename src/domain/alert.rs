//! Alerts: what an organization should know and has not done itself.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::domain::names::names;
use crate::domain::organization::OrganizationNumber;

/// What an alert is about.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// What the organization asked for has been granted or denied.
    AccessDecided,
    /// Somebody asks for access to a scope of the organization.
    AccessRequested,
    /// An access that the organization had has been withdrawn.
    AccessWithdrawn,
    /// An enterprise certificate of the organization ends soon.
    CertificateExpiring,
    /// A key of one of its clients ends soon.
    KeyExpiring,
    /// Somebody asks for a prefix. The operator alone is told.
    PrefixRequested,
    /// A scope that the organization has access to has been deactivated.
    ScopeDeactivated,
}

names!(AlertKind {
    AccessDecided = "access_decided",
    AccessRequested = "access_requested",
    AccessWithdrawn = "access_withdrawn",
    CertificateExpiring = "certificate_expiring",
    KeyExpiring = "key_expiring",
    PrefixRequested = "prefix_requested",
    ScopeDeactivated = "scope_deactivated",
});

/// An alert.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Alert {
    /// Its number; later alerts have higher ones.
    pub id: i64,
    /// Who should know.
    pub organization: OrganizationNumber,
    /// What it is about.
    pub kind: AlertKind,
    /// What there is to say.
    pub details: AlertDetails,
    /// When it happened, or was noticed.
    pub created_at: Timestamp,
}

/// What there is to say in an alert.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum AlertDetails {
    /// A key, or the certificate that a key came with.
    Key {
        /// The client that it is registered on.
        client: String,
        /// The client's name.
        client_name: String,
        /// The key.
        kid: String,
        /// When it ends, in seconds since 1970.
        expires_at: i64,
    },
    /// A prefix that is asked for.
    Prefix {
        /// The prefix.
        prefix: String,
        /// Who asks for it.
        organization: OrganizationNumber,
        /// That organization's name, if it is known.
        organization_name: Option<String>,
        /// What it is to be used for.
        said: String,
    },
    /// A scope, and what has been decided or asked about it.
    Scope {
        /// The scope.
        scope: String,
        /// The organization on the other side: who owns the scope, or who asks for it.
        organization: OrganizationNumber,
        /// That organization's name, if it is known.
        organization_name: Option<String>,
        /// Whether what was asked for is granted, if that was decided.
        granted: Option<bool>,
        /// What the other organization has written.
        said: Option<String>,
    },
}
