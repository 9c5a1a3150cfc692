//! Why the server cannot be built, and what of it may be otherwise another time.

use std::path::PathBuf;

use thiserror::Error;

use crate::app::settings::Difference;
use crate::keys::KeyKeeperError;
use crate::pki::trust_set::TrustSetError;
use crate::registry::RegistryError;
use crate::remote::delegation_register::RemoteRegisterError;
use crate::store::StoreError;

/// Why the server cannot be built.
#[derive(Debug, Error)]
pub enum AppError {
    /// A register of delegations cannot be asked.
    #[error("delegation register {name}: {problem}")]
    DelegationRegister {
        /// Its name in the configuration.
        name: String,
        /// What is wrong with it.
        problem: RemoteRegisterError,
    },
    /// A file that the configuration names cannot be read.
    #[error("{file} cannot be read: {problem}", file = file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        problem: std::io::Error,
    },
    /// The URL of the database cannot be read.
    #[error("database: {0}")]
    DatabaseUrl(String),
    /// Mail cannot be sent.
    #[error("mail: {0}")]
    Mail(String),
    /// An OpenID provider cannot be asked.
    #[error("OpenID provider {name}: {problem}")]
    OpenId {
        /// Its name in the configuration.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A node of another server is running on the database.
    #[error(
        "a node with another issuer, {other}, is running on this database; a database is one server's, so use another, \
         or stop the nodes of that one first"
    )]
    OtherIssuer {
        /// Its issuer.
        other: String,
    },
    /// A node with other settings is running on the database.
    #[error(
        "{0}, and must be the same on all; make it so, or stop the other nodes first. To change it node by node, set \
         nodes.differing_settings = \"warn\" on the nodes that have it changed"
    )]
    OtherSettings(Difference),
    /// What the operator needs cannot be made.
    #[error("the operator's organization, scopes or client cannot be made: {0}")]
    Operator(#[from] RegistryError),
    /// The signing keys cannot be read or made.
    #[error(transparent)]
    Keys(#[from] KeyKeeperError),
    /// Migrations are missing.
    #[error("the database lacks {0} migrations; run: portvakt migrate --config FILE")]
    Migrations(usize),
    /// Revocation lists cannot be fetched at all, mostly because the system has no certificate authorities.
    #[error("revocation lists cannot be fetched: {0}")]
    RevocationLists(String),
    /// Responders cannot be asked at all, mostly because the system has no certificate authorities.
    #[error("responders (OCSP) cannot be asked: {0}")]
    Responders(String),
    /// The database is at fault.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Trust sets that must not stand beside each other.
    #[error(transparent)]
    TrustSets(TrustSetError),
    /// A trust set cannot be loaded.
    #[error("trust set {name}: {problem}")]
    Trust {
        /// The name of the set.
        name: String,
        /// What is wrong with it.
        problem: TrustSetError,
    },
}

impl AppError {
    /// Whether the server may be built another time without anybody mending anything here: the database could not
    /// be reached, or was not ready. What is wrong with the settings does not pass.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Store(error)
            | Self::Keys(KeyKeeperError::Store(error))
            | Self::Operator(RegistryError::Store(error)) => error.may_pass(),
            _ => false,
        }
    }
}
