//! Why a change is refused.

use thiserror::Error;

use crate::keys::KeyKeeperError;
use crate::keys::client_jwk::ClientJwkError;
use crate::store::StoreError;

/// Why a change is refused.
#[derive(Debug, Error)]
pub enum RegistryError {
    /// The thing to be changed, or something it needs, is not there.
    #[error("there is no such {noun}")]
    Absent {
        /// What is not there.
        noun: &'static str,
    },
    /// The thing is there already, or names something that is not.
    #[error("the change conflicts with what is there: {rule}")]
    Conflict {
        /// The rule that it breaks.
        rule: String,
    },
    /// A key cannot be registered.
    #[error(transparent)]
    Key(#[from] ClientJwkError),
    /// The database is at fault. Whether the change was made is unknown.
    #[error(transparent)]
    Store(StoreError),
    /// The change was made, and this node could not follow it.
    #[error("the change was made, but this node cannot see it yet: {0}")]
    Unfollowed(#[from] KeyKeeperError),
}

impl From<StoreError> for RegistryError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Absent { table } => Self::Absent { noun: table },
            StoreError::Conflict { rule } => Self::Conflict { rule },
            other => Self::Store(other),
        }
    }
}
