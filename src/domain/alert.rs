//! Alerts: what an organization should know and has not done itself.

use serde::{Deserialize, Serialize};

use crate::domain::names::names;

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
    /// A scope that the organization has access to has been deactivated.
    ScopeDeactivated,
}

names!(AlertKind {
    AccessDecided = "access_decided",
    AccessRequested = "access_requested",
    AccessWithdrawn = "access_withdrawn",
    CertificateExpiring = "certificate_expiring",
    KeyExpiring = "key_expiring",
    ScopeDeactivated = "scope_deactivated",
});
