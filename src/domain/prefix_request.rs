//! Prefix requests: an organization asks for a prefix, and the operator answers.

use crate::domain::names::names;
use crate::domain::organization::OrganizationNumber;
use crate::domain::prefix::PrefixName;

/// Where a request stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PrefixRequestState {
    /// The operator has assigned the prefix.
    Approved,
    /// The operator has refused, or the organization has taken it back; it may ask again.
    Denied,
    /// The organization waits for an answer.
    Requested,
}

names!(PrefixRequestState {
    Approved = "APPROVED",
    Denied = "DENIED",
    Requested = "REQUESTED",
});

/// What an organization has asked for, and what was answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PrefixRequest {
    /// The prefix.
    pub prefix: PrefixName,
    /// The organization that asks.
    pub organization: OrganizationNumber,
    /// Its name, if it is known.
    pub organization_name: Option<String>,
    /// What the prefix is to be used for, in its words.
    pub reason: String,
    /// The user or client who asked.
    pub requested_by: String,
    /// Where the request stands.
    pub state: PrefixRequestState,
    /// Whether the organization has taken it back: it is denied then, and the operator has not decided that.
    pub taken_back: bool,
    /// What the operator has answered, in its words.
    pub answer: Option<String>,
}
