//! The control plane: everything that can be changed is changed here, by whichever face asks.
//!
//! Each verb takes an [`Actor`], holds that it has the right and that the thing is its own, and makes one
//! transaction: the change, its row in the change feed and its row in the audit trail. An attempt that is not
//! allowed leaves a row in the audit trail and nothing else. Before a verb returns, this node has followed the
//! change, so the next token request sees it. Nothing is deleted that an auditor may ask for.
//!
//! A look shows an organization what is its own, and the operator everything. No face of the server has another
//! way to the database, so none can show or change more than this.

mod access_batch;
mod access_requests;
mod accesses;
mod actor;
mod alerts;
mod audit;
mod business;
mod caps;
mod change;
mod client_keys;
mod clients;
mod delegations;
mod error;
mod first_start;
mod idempotency;
mod mail;
mod on_behalf_of;
mod organizations;
mod outages;
mod people;
mod prefix_requests;
mod refused_requests;
mod rules;
mod scopes;
mod signing_keys;
mod trust_sets;
mod usage;
mod views;

use std::sync::Arc;

use crate::clock::{Clock, Random};
use crate::keys::KeyKeeper;
use crate::keys::second_factor::SecretSeal;
use crate::store::{AuditSeal, Store};
use crate::token::client_key::EnterpriseCertificates;
use crate::token::delegation::DelegationSource;
use crate::token::feed::Feed;

pub use crate::keys::secret_token::{LinkToken, SecretTokenError, SessionToken};
pub use crate::store::{
    AccessFilter, ClientFilter, DelegationFilter, KeptAnswer, PrefixFilter, PrefixRequestFilter,
    ScopeFilter, ScopeOfClient, ScopeReach, ScopeUse, StoreError, UserFilter,
};
pub use access_batch::{ACCESS_BATCH_MAX, AccessWish, BatchMode, WishOutcome};
pub use accesses::{AccessSide, AccessTerms};
pub use actor::Actor;
pub use audit::{AuditVerdict, verify_audit};
pub use client_keys::KEY_DAYS;
pub use clients::NewClient;
pub use delegations::NewDelegation;
pub use error::RegistryError;
pub use first_start::Operator;
pub use idempotency::{FirstTime, Once};
pub use mail::Outbox;
pub use people::{
    Enrolment, KnownLink, NewUser, OpenIdIdentity, PasswordProblem, PeopleError, PeopleRules,
    SecondFactorState, Session, SignInPlace, SignedIn,
};
pub use prefix_requests::PREFIX_REQUESTS_WAITING_MAX;
pub use signing_keys::{OtherAlgorithms, SIGNING_KEYS_MAX, SigningKey, SigningStart};
pub use trust_sets::ChainReport;

/// The verbs of the control plane, and the looks. What it is made of is nobody else's to reach.
#[derive(Clone)]
pub struct Registry {
    store: Store,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    seal: AuditSeal,
    /// The feed that the token path of this process follows, if there is one.
    feed: Option<Arc<Feed>>,
    /// Our own signing keys, in a process that issues tokens.
    keys: Option<Arc<KeyKeeper>>,
    /// What judges the certificates of keys.
    certificates: Arc<EnterpriseCertificates>,
    /// What the secrets of second factors are sealed with, in a process that people sign in to.
    secrets: Option<SecretSeal>,
    passwords: Arc<people::Passwords>,
    /// Where mail goes, if it is set up.
    outbox: Option<Outbox>,
    rules: RegistryRules,
}

/// What the operator has decided about everything that can be registered.
#[derive(Clone, Debug)]
pub struct RegistryRules {
    /// Who we are; also the name of our own register of delegations.
    pub issuer: String,
    /// The registers of delegations that scopes may name, our own included.
    pub delegation_sources: Vec<DelegationSource>,
    /// Seconds that tokens live at most.
    pub token_lifetime_seconds_max: u32,
    /// What holds for people.
    pub people: PeopleRules,
}

impl RegistryRules {
    /// The rules of a server that is told nothing but who it is.
    pub fn new(issuer: &str, token_lifetime_seconds_max: u32) -> Self {
        let own = DelegationSource { issuer: issuer.to_owned(), name: "Portvakt".to_owned() };
        Self {
            issuer: issuer.to_owned(),
            delegation_sources: vec![own],
            token_lifetime_seconds_max,
            people: PeopleRules::default(),
        }
    }
}

impl Registry {
    /// A registry in a process that issues no tokens. It knows no authority, so it takes no key with a
    /// certificate.
    pub fn alone(
        store: Store,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        seal: AuditSeal,
        rules: RegistryRules,
    ) -> Self {
        let certificates = Arc::new(EnterpriseCertificates::new(Vec::new()));
        Self {
            store,
            clock,
            random,
            seal,
            feed: None,
            keys: None,
            certificates,
            secrets: None,
            passwords: Arc::default(),
            outbox: None,
            rules,
        }
    }

    /// The same beside a token path, which then follows each change before anybody is told of it, and whose
    /// authorities judge the certificates of keys.
    #[must_use]
    pub fn beside(self, feed: Arc<Feed>, certificates: Arc<EnterpriseCertificates>) -> Self {
        Self { feed: Some(feed), certificates, ..self }
    }

    /// The same in a process that signs with these keys.
    #[must_use]
    pub fn with_signing_keys(self, keys: Arc<KeyKeeper>) -> Self {
        Self { keys: Some(keys), ..self }
    }

    /// The same in a process that people sign in to, whose secrets it keeps under that seal.
    #[must_use]
    pub fn keeping_secrets(self, secrets: SecretSeal) -> Self {
        Self { secrets: Some(secrets), ..self }
    }

    /// What holds for people here.
    pub fn people_rules(&self) -> &PeopleRules {
        &self.rules.people
    }

    /// The registers of delegations that scopes may name, our own first.
    pub fn delegation_sources(&self) -> &[DelegationSource] {
        &self.rules.delegation_sources
    }
}

#[cfg(test)]
mod tests;
