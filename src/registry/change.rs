//! One change under way: who makes it, by which right, and the transaction that holds it together.

use std::pin::Pin;

use serde_json::Value;

use crate::clock::Timestamp;
use crate::domain::change::ChangedNoun;
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::{Expected, Version};
use crate::domain::right::Right;
use crate::domain::scope::{Scope, ScopeAudience, ScopeName, Visibility};
use crate::registry::{Actor, Registry, RegistryError};
use crate::store::{AuditEntry, Transaction};

/// What is to be done, and to which thing.
#[derive(Clone, Debug)]
pub(super) struct Act {
    /// As a verb: `create`, `change`, `deactivate` and so on.
    pub(super) verb: &'static str,
    pub(super) noun: ChangedNoun,
    /// Which one, in the form that the noun says.
    pub(super) key: String,
}

/// A change under way. Dropped before [`Change::finish`], it leaves nothing behind.
pub(super) struct Change<'a> {
    pub(super) registry: &'a Registry,
    entry: AuditEntry,
    actor: &'a Actor,
    pub(super) transaction: Transaction,
    /// When it happens.
    pub(super) now: Timestamp,
    /// Whether mail goes out with it.
    pub(super) mails: bool,
}

/// A step that every verb takes, in a box and without its type: the compiler would otherwise look through all of it
/// again for each verb and each handler that calls one.
type Step<'c, T> = Pin<Box<dyn Future<Output = T> + Send + 'c>>;

/// What the audit trail says in the place of a right, of changes that need none.
const BY_BEING_ONESELF: &str = "self";

impl Registry {
    /// Begins a change, if the actor has the right. If not, the attempt goes into the audit trail.
    pub(super) async fn begin<'a>(
        &'a self,
        actor: &'a Actor,
        needed: Right,
        act: Act,
    ) -> Result<Change<'a>, RegistryError> {
        let right = actor.require(needed);
        let by_right = right.as_ref().map_or(needed, |right| *right);
        let change = self.open(actor, by_right.name(), act).await?;
        match right {
            Ok(_) => Ok(change),
            Err(refusal) => Err(change.refuse(refusal).await),
        }
    }

    /// Begins a change of what is a person's own, which needs no right: their password, their sessions.
    pub(super) async fn begin_own<'a>(
        &'a self,
        actor: &'a Actor,
        act: Act,
    ) -> Result<Change<'a>, RegistryError> {
        let mut change = self.open(actor, BY_BEING_ONESELF, act).await?;
        change.entry.organization = actor.organization;
        Ok(change)
    }

    fn open<'a>(
        &'a self,
        actor: &'a Actor,
        by_right: &'a str,
        act: Act,
    ) -> Step<'a, Result<Change<'a>, RegistryError>> {
        Box::pin(async move {
            Ok(Change {
                registry: self,
                entry: AuditEntry {
                    actor: actor.name.clone(),
                    actor_organization: actor.organization,
                    by_right: by_right.to_owned(),
                    action: act.verb,
                    noun: act.noun,
                    key: act.key,
                    organization: None,
                    before: None,
                    after: None,
                    trace_id: actor.trace_id.clone(),
                },
                actor,
                transaction: self.store.begin().await?,
                now: self.clock.now(),
                mails: false,
            })
        })
    }
}

impl<'a> Change<'a> {
    /// Says whose thing it is, and holds that it is the actor's. If it is not, the attempt goes into the audit
    /// trail of both.
    pub(super) async fn of(
        mut self,
        noun: &'static str,
        owner: OrganizationNumber,
    ) -> Result<Self, RegistryError> {
        self.entry.organization = Some(owner);
        if self.actor.owns(owner) {
            Ok(self)
        } else {
            Err(self.refuse(RegistryError::NotYours { noun }).await)
        }
    }

    /// The same for a scope: one that not everybody can find looks to others as if it were not there.
    pub(super) async fn of_scope(mut self, scope: &Scope) -> Result<Self, RegistryError> {
        if self.actor.owns(scope.owner) || scope.visibility == Visibility::Public {
            let change = self.of("scope", scope.owner).await?;
            return change.holding(std::slice::from_ref(&scope.name)).await;
        }
        self.entry.organization = Some(scope.owner);
        Err(self.refuse(RegistryError::Absent { noun: "scope" }).await)
    }

    /// Whether the actor may know that a scope is there, not regarding accesses: it is the actor's own or public, or
    /// its owner lets every organization put it on clients.
    pub(super) fn may_see(&self, scope: &Scope) -> bool {
        self.actor.owns(scope.owner)
            || scope.visibility == Visibility::Public
            || scope.audience == ScopeAudience::AnyOrganization
            || scope.delegation_source.is_some()
    }

    /// Holds that the actor has every right that these scopes carry. Otherwise somebody with a small right could
    /// make a client with a large one, or take over one by its keys.
    pub(super) async fn holding(self, scopes: &[ScopeName]) -> Result<Self, RegistryError> {
        let carried = scopes.iter().filter_map(|scope| Right::from_name(scope.as_str()));
        let missing = carried.map(|right| self.actor.require(right)).find_map(Result::err);
        match missing {
            Some(refusal) => Err(self.refuse(refusal).await),
            None => Ok(self),
        }
    }

    /// Holds that scopes under the prefixes of this server's own APIs are the operator's: not everybody who provides APIs
    /// for the operator's organization also decides what this server's are.
    pub(super) async fn under(self, scope: &ScopeName) -> Result<Self, RegistryError> {
        if Right::is_prefix(scope.prefix()) { self.also(Right::Operate).await } else { Ok(self) }
    }

    /// Tells that the thing is not there, and records the attempt as if it were somebody else's: else the trail, and
    /// the time that it takes to write it, would tell the two apart. The operator sees everything anyway.
    pub(super) async fn absent(self, noun: &'static str) -> RegistryError {
        let absent = RegistryError::Absent { noun };
        if self.actor.rights.operate() { absent } else { self.refuse(absent).await }
    }

    /// Holds that the actor has this right too.
    pub(super) async fn also(self, needed: Right) -> Result<Self, RegistryError> {
        match self.actor.require(needed) {
            Ok(_) => Ok(self),
            Err(refusal) => Err(self.refuse(refusal).await),
        }
    }

    /// Says whose thing it is, when it has been settled already that the actor may.
    pub(super) fn concerning(&mut self, organization: OrganizationNumber) {
        self.entry.organization = Some(organization);
    }

    /// Records the attempt, changes nothing, and hands the refusal on.
    pub(super) fn refuse(mut self, refusal: RegistryError) -> Step<'a, RegistryError> {
        Box::pin(async move {
            let seal = &self.registry.seal;
            match self.transaction.record_refusal(&self.entry, seal, self.now).await {
                Ok(()) => match self.transaction.commit().await {
                    Ok(()) => refusal,
                    Err(error) => error.into(),
                },
                Err(error) => error.into(),
            }
        })
    }

    /// Records the change, makes it last, and has this node follow it before anybody is told.
    pub(super) async fn finish(
        mut self,
        before: Option<Value>,
        after: Option<Value>,
    ) -> Result<(), RegistryError> {
        self.record(before, after).await?;
        self.commit().await
    }

    /// Records an act of a person on what is their own, which is no news for caches, and makes it last.
    pub(super) async fn finish_own(mut self, after: Option<Value>) -> Result<(), RegistryError> {
        self.entry.after = after.map(|value| value.to_string());
        self.transaction.record_act(&self.entry, &self.registry.seal, self.now).await?;
        self.transaction.commit().await?;
        if let Some(outbox) = self.registry.outbox.as_ref().filter(|_| self.mails) {
            outbox.ring();
        }
        Ok(())
    }

    /// Records one of several changes, as which `act` is to stand in the trail and in the feed.
    pub(super) async fn record_one(
        &mut self,
        act: Act,
        before: Option<Value>,
        after: Option<Value>,
    ) -> Result<(), RegistryError> {
        (self.entry.action, self.entry.noun, self.entry.key) = (act.verb, act.noun, act.key);
        self.record(before, after).await
    }

    fn record(
        &mut self,
        before: Option<Value>,
        after: Option<Value>,
    ) -> Step<'_, Result<(), RegistryError>> {
        Box::pin(async move {
            self.entry.before = before.map(|value| value.to_string());
            self.entry.after = after.map(|value| value.to_string());
            self.transaction.record(&self.entry, &self.registry.seal, self.now).await?;
            Ok(())
        })
    }

    /// Makes what has been recorded last, and has this node follow it before anybody is told.
    pub(super) fn commit(self) -> Step<'a, Result<(), RegistryError>> {
        Box::pin(async move {
            self.transaction.commit().await?;
            if let Some(outbox) = self.registry.outbox.as_ref().filter(|_| self.mails) {
                outbox.ring();
            }
            if let Some(feed) = &self.registry.feed {
                feed.catch_up().await?;
            }
            Ok(())
        })
    }
}

/// Holds that a thing is still at the version that the change is meant for, if it says one.
pub(super) fn check_version(
    current: Version,
    expected: Option<Version>,
) -> Result<(), RegistryError> {
    if expected.is_none_or(|expected| expected == current) {
        Ok(())
    } else {
        Err(RegistryError::Stale)
    }
}

/// The same for a change that may make the thing.
pub(super) fn check_expected(
    current: Option<Version>,
    expected: Expected,
) -> Result<(), RegistryError> {
    match (current, expected) {
        (_, Expected::Anything) | (None, Expected::Nothing) => Ok(()),
        (Some(_), Expected::Nothing) => Err(RegistryError::Unseen),
        (Some(current), Expected::At(expected)) => check_version(current, Some(expected)),
        (None, Expected::At(_)) => Err(RegistryError::Stale),
    }
}
