//! The audit trail: who did what, by which right, and what it was before and after.

use crate::clock::Timestamp;
use crate::domain::names::names;
use crate::domain::organization::OrganizationNumber;
use crate::domain::scope::ScopeName;

/// Whether an act was done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It was.
    Done,
    /// The one who tried was not allowed to.
    Refused,
}

names!(Outcome { Done = "done", Refused = "refused" });

/// One row of the audit trail.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditRow {
    /// Its number; rows are numbered without gaps.
    pub seq: i64,
    /// When it happened.
    pub at: Timestamp,
    /// Who acted: a client, a user or the server itself.
    pub actor: String,
    /// The organization they acted for; `None` for the server itself.
    pub actor_organization: Option<OrganizationNumber>,
    /// The right they acted by, or would have needed.
    pub by_right: String,
    /// What was done, as a verb: `create`, `change`, `deactivate` and so on.
    pub action: String,
    /// Whether it was done.
    pub outcome: Outcome,
    /// What kind of thing it was done to.
    pub noun: String,
    /// Which one.
    pub key: String,
    /// The organization that the thing belongs to, if one does.
    pub organization: Option<OrganizationNumber>,
    /// The thing before, as JSON.
    pub before: Option<String>,
    /// The thing after, as JSON.
    pub after: Option<String>,
    /// The request that did it.
    pub trace_id: Option<String>,
    /// What seals this row and every row before it; empty in rows older than the seal.
    pub hash: String,
}

/// What is asked of the audit trail; what is `None` does not matter.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// What belongs to this organization, or was done by it.
    pub organization: Option<OrganizationNumber>,
    /// What was done to this kind of thing.
    pub noun: Option<String>,
    /// What was done to this one.
    pub key: Option<String>,
    /// What was done by this client or user.
    pub actor: Option<String>,
    /// What was done to this scope, or to an access to it.
    pub scope: Option<ScopeName>,
}
