//! Why a person is not let in, or cannot have what they ask for.

use thiserror::Error;

use crate::clock::Timestamp;
use crate::domain::organization::EmailDomain;
use crate::keys::KeyError;
use crate::keys::password::PasswordHashError;
use crate::registry::RegistryError;
use crate::store::StoreError;

/// What is wrong with a password that somebody chooses.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum PasswordProblem {
    /// It is one of the first that anybody would try.
    #[error(
        "this password is easy to guess; take some words that have nothing to do with each other"
    )]
    Easy,
    /// It is too long.
    #[error("a password has at most {most} characters")]
    Long {
        /// Characters, at most.
        most: usize,
    },
    /// It is too short.
    #[error(
        "a password has at least {least} characters; some words with spaces between them will do"
    )]
    Short {
        /// Characters, at least.
        least: usize,
    },
}

/// Why a person is not let in, or cannot have what they ask for.
#[derive(Debug, Error)]
pub enum PeopleError {
    /// Too many people sign in at this moment.
    #[error("too many sign in at this moment; try again in a few seconds")]
    Busy,
    /// The code of the second factor is wrong, or has been used.
    #[error(
        "the code is wrong or has been used already; wait for the next one, and see whether the clock of the \
         telephone is right"
    )]
    Code,
    /// Whoever has just shown that they are this user has been switched off.
    #[error("this user has been deactivated; ask an administrator of your organization")]
    Deactivated,
    /// A secret of the user cannot be sealed or opened.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The link has been used, has expired or never was.
    #[error("the link has been used, has expired, or is not whole; ask for another")]
    Link,
    /// The user's organization does not take part.
    #[error("your organization has been deactivated here; ask whoever runs this server")]
    OrganizationDeactivated,
    /// What an OpenID provider says of a person is not enough.
    #[error("{0}")]
    OpenId(&'static str),
    /// The password that somebody chooses cannot be one.
    #[error(transparent)]
    Password(#[from] PasswordProblem),
    /// The control plane refuses, or the database does not do its part.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The address, the password or both are wrong. Which one is nobody's business.
    #[error("the e-mail address or the password is wrong")]
    Refused,
    /// The session is gone.
    #[error("you have been signed out; sign in again")]
    SignedOut,
    /// No organization here has that domain.
    #[error(
        "no organization here has the e-mail domain {domain}; use the address that you have at work, or ask whoever \
         runs this server to add the domain to your organization"
    )]
    UnknownDomain {
        /// The domain of the address.
        domain: EmailDomain,
    },
    /// Too many attempts have failed.
    #[error("too many attempts have failed; the next one counts at {until}")]
    Wait {
        /// When the next attempt counts.
        until: Timestamp,
    },
    /// People do not sign in this way here.
    #[error("people do not sign in this way here; go back to the page where one signs in")]
    Way,
}

impl From<StoreError> for PeopleError {
    fn from(error: StoreError) -> Self {
        Self::Registry(error.into())
    }
}

impl From<PasswordHashError> for PeopleError {
    fn from(_: PasswordHashError) -> Self {
        Self::Busy
    }
}
