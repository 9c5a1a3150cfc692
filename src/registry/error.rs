//! Why a change or a look is refused.

use thiserror::Error;

use crate::domain::right::Right;
use crate::keys::KeyKeeperError;
use crate::keys::client_jwk::ClientJwkError;
use crate::store::StoreError;

/// Why a change or a look is refused.
#[derive(Debug, Error)]
pub enum RegistryError {
    /// The thing to be changed, or something it needs, is not there.
    #[error("there is no such {noun}")]
    Absent {
        /// What is not there.
        noun: &'static str,
    },
    /// The change does not fit what is there: a name that is taken, a thing that is deactivated.
    #[error("{rule}")]
    Conflict {
        /// The rule that it breaks, and what to do.
        rule: String,
    },
    /// The right that the act needs is missing.
    #[error("the scope {} is needed for this, and the token does not have it", needed.name())]
    Forbidden {
        /// The right that is needed.
        needed: Right,
    },
    /// A value cannot be accepted.
    #[error("{field}: {problem}")]
    Invalid {
        /// The member that holds it, as the APIs name it.
        field: &'static str,
        /// What is wrong, and what is accepted.
        problem: String,
    },
    /// A key cannot be registered.
    #[error(transparent)]
    Key(#[from] ClientJwkError),
    /// A mail would have to be sent, and the server cannot send any.
    #[error("e-mail is not set up on this server, and this needs it; its operator can set it up")]
    NoMail,
    /// The thing belongs to another organization.
    #[error("the {noun} does not belong to your organization")]
    NotYours {
        /// What kind of thing it is.
        noun: &'static str,
    },
    /// The thing has been changed since the version that the change was meant for.
    #[error(
        "it has been changed by somebody else since; read it again, and change what you then see"
    )]
    Stale,
    /// The thing is there, and the change was meant to make it.
    #[error("it is there already; read it, and say in If-Match which version you have seen")]
    Unseen,
    /// The database is at fault. Whether the change was made is unknown.
    #[error(transparent)]
    Store(StoreError),
    /// The change was made, and this node could not follow it.
    #[error("the change was made, but this node cannot see it yet: {0}")]
    Unfollowed(#[from] KeyKeeperError),
}

impl RegistryError {
    /// A value that cannot be accepted.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "errors and texts are made where they are passed"
    )]
    pub(super) fn invalid(field: &'static str, problem: impl ToString) -> Self {
        Self::Invalid { field, problem: problem.to_string() }
    }

    /// A change that does not fit what is there.
    pub(super) fn conflict(rule: impl Into<String>) -> Self {
        Self::Conflict { rule: rule.into() }
    }
}

impl From<StoreError> for RegistryError {
    fn from(error: StoreError) -> Self {
        match error {
            // What a change was based on has been read in the same transaction: somebody else was faster.
            StoreError::Absent { .. } => Self::Stale,
            StoreError::Conflict { .. } => {
                Self::conflict("it is there already, or names something that is not there")
            }
            other => Self::Store(other),
        }
    }
}
