//! Accesses: the owner of a scope grants and withdraws, approves and denies. How a consumer asks stands in
//! [`super::access_requests`].

use crate::clock::Timestamp;
use crate::domain::access::{Access, AccessCase, AccessState};
use crate::domain::change::ChangedNoun;
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::{Expected, Page, Recorded, Version};
use crate::domain::right::Right;
use crate::domain::scope::{Scope, ScopeName, ScopeStatus};
use crate::registry::caps::count_access;
use crate::registry::change::{Act, Change, check_expected};
use crate::registry::rules::check_text;
use crate::registry::{Actor, Registry, RegistryError, views};
use crate::store::{AccessFilter, ScopeReach};

/// On what terms an access is granted.
#[derive(Clone, Debug, Default)]
pub struct AccessTerms {
    /// From this moment on it no longer holds; `None` means no end.
    pub expires_at: Option<Timestamp>,
    /// The owner's own note.
    pub note: Option<String>,
}

/// Whose accesses a list shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AccessSide {
    /// Those that the organization has been given.
    Given,
    /// Those to scopes that it owns.
    Owned,
}

/// Which accesses a decision is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Decides {
    /// Any, whatever its state.
    Any,
    /// One that the consumer has asked for and waits for.
    Requested,
}

impl Registry {
    /// Grants an organization access to a scope, or approves what it has asked for.
    pub async fn grant_access(
        &self,
        actor: &Actor,
        scope: &ScopeName,
        consumer: OrganizationNumber,
        terms: AccessTerms,
        expected: Expected,
    ) -> Result<Recorded<AccessCase>, RegistryError> {
        let act = on_access("grant", scope, consumer);
        let met = (Decides::Any, expected);
        self.grant(actor, act, (scope, consumer), met, |_, _| terms).await
    }

    /// Grants an organization access to a scope, on the terms that it has it on if it has it already.
    pub async fn keep_access(
        &self,
        actor: &Actor,
        scope: &ScopeName,
        consumer: OrganizationNumber,
    ) -> Result<Recorded<AccessCase>, RegistryError> {
        let terms = |found: Option<&AccessCase>, now| {
            let holding = found.filter(|case| case.access.holds_at(now));
            AccessTerms {
                expires_at: holding.and_then(|case| case.access.expires_at),
                note: found.and_then(|case| case.note.clone()),
            }
        };
        let act = on_access("grant", scope, consumer);
        let met = (Decides::Any, Expected::Anything);
        self.grant(actor, act, (scope, consumer), met, terms).await
    }

    /// Approves what an organization has asked for.
    pub async fn approve_request(
        &self,
        actor: &Actor,
        scope: &ScopeName,
        consumer: OrganizationNumber,
        terms: AccessTerms,
        expected: Option<Version>,
    ) -> Result<Recorded<AccessCase>, RegistryError> {
        let act = on_access("approve", scope, consumer);
        let met = (Decides::Requested, at(expected));
        self.grant(actor, act, (scope, consumer), met, |_, _| terms).await
    }

    async fn grant(
        &self,
        actor: &Actor,
        act: Act,
        (scope, consumer): (&ScopeName, OrganizationNumber),
        (decides, expected): (Decides, Expected),
        terms: impl FnOnce(Option<&AccessCase>, Timestamp) -> AccessTerms + Send,
    ) -> Result<Recorded<AccessCase>, RegistryError> {
        let change = self.begin(actor, Right::WriteScopes, act);
        let (mut change, owned, found) = own_scope(change.await?, scope, consumer).await?;
        check_requested(decides, found.as_ref())?;
        let terms = terms(found.as_ref().map(|found| &found.value), change.now);
        let after = granted(&owned, consumer, found.as_ref(), terms, change.now)?;
        put(&mut change, found.as_ref(), &after, expected).await?;
        self.finish_access(change, found, after).await
    }

    /// Withdraws the access of an organization to a scope, or denies what it has asked for.
    pub async fn withdraw_access(
        &self,
        actor: &Actor,
        scope: &ScopeName,
        consumer: OrganizationNumber,
        reason: Option<String>,
        expected: Option<Version>,
    ) -> Result<Recorded<AccessCase>, RegistryError> {
        let act = on_access("withdraw", scope, consumer);
        self.withdraw(actor, act, (scope, consumer), reason, (Decides::Any, expected)).await
    }

    /// Denies what an organization has asked for.
    pub async fn deny_request(
        &self,
        actor: &Actor,
        scope: &ScopeName,
        consumer: OrganizationNumber,
        reason: Option<String>,
        expected: Option<Version>,
    ) -> Result<Recorded<AccessCase>, RegistryError> {
        let act = on_access("deny", scope, consumer);
        self.withdraw(actor, act, (scope, consumer), reason, (Decides::Requested, expected)).await
    }

    async fn withdraw(
        &self,
        actor: &Actor,
        act: Act,
        (scope, consumer): (&ScopeName, OrganizationNumber),
        reason: Option<String>,
        (decides, expected): (Decides, Option<Version>),
    ) -> Result<Recorded<AccessCase>, RegistryError> {
        let change = self.begin(actor, Right::WriteScopes, act);
        let (mut change, _, found) = own_scope(change.await?, scope, consumer).await?;
        let after = withdrawn(found.as_ref(), reason)?;
        check_requested(decides, found.as_ref())?;
        put(&mut change, found.as_ref(), &after, at(expected)).await?;
        self.finish_access(change, found, after).await
    }

    pub(super) async fn finish_access(
        &self,
        change: Change<'_>,
        before: Option<Recorded<AccessCase>>,
        after: AccessCase,
    ) -> Result<Recorded<AccessCase>, RegistryError> {
        let before = before.map(|found| views::access(&found.value));
        change.finish(before, Some(views::access(&after))).await?;
        let again = self.store.access_case(&after.access.scope, after.access.consumer).await?;
        again.ok_or(RegistryError::Stale)
    }

    /// An access that the actor's organization has granted or been granted, or any for the operator.
    pub async fn access(
        &self,
        actor: &Actor,
        scope: &ScopeName,
        consumer: OrganizationNumber,
    ) -> Result<Recorded<AccessCase>, RegistryError> {
        actor.require(Right::ReadScopes)?;
        let found = self.store.access_case(scope, consumer).await?;
        let mut found = found
            .filter(|found| actor.owns(found.value.owner) || actor.owns(consumer))
            .ok_or(RegistryError::Absent { noun: "access" })?;
        hide_note(actor, &mut found.value);
        Ok(found)
    }

    /// Accesses of the actor's organization, or of any for the operator, at most `limit`.
    pub async fn accesses(
        &self,
        actor: &Actor,
        side: AccessSide,
        mut filter: AccessFilter,
        limit: u32,
    ) -> Result<Page<Recorded<AccessCase>>, RegistryError> {
        actor.require(Right::ReadScopes)?;
        match side {
            AccessSide::Given => filter.consumer = actor.organization_to_list(filter.consumer)?,
            AccessSide::Owned => filter.owner = actor.organization_to_list(filter.owner)?,
        }
        let mut page = self.store.access_cases(&filter, limit).await?;
        for found in &mut page.items {
            hide_note(actor, &mut found.value);
        }
        Ok(page)
    }
}

impl Registry {
    /// The accesses to a scope of the actor's own organization that these organizations have, whatever their state.
    pub async fn accesses_of(
        &self,
        actor: &Actor,
        scope: &ScopeName,
        consumers: &[OrganizationNumber],
    ) -> Result<Vec<Access>, RegistryError> {
        self.scope(actor, scope).await?;
        Ok(self.store.accesses_of(scope, consumers).await?)
    }

    /// Who would notice if a scope of the actor's own organization were closed, in numbers.
    pub async fn scope_reach(
        &self,
        actor: &Actor,
        scope: &ScopeName,
    ) -> Result<ScopeReach, RegistryError> {
        self.scope(actor, scope).await?;
        Ok(self.store.scope_reach(scope, self.clock.now()).await?)
    }
}

/// The owner's note is for the owner.
pub(super) fn hide_note(actor: &Actor, case: &mut AccessCase) {
    if !actor.owns(case.owner) {
        case.note = None;
    }
}

/// The change, once it is settled that the scope is the actor's, with the scope and the access as they are.
async fn own_scope<'a>(
    mut change: Change<'a>,
    scope: &ScopeName,
    consumer: OrganizationNumber,
) -> Result<(Change<'a>, Scope, Option<Recorded<AccessCase>>), RegistryError> {
    let Some(owned) = change.transaction.scope(scope).await? else {
        return Err(change.absent("scope").await);
    };
    let owned = owned.value;
    let mut change = change.of_scope(&owned).await?;
    let found = change.transaction.access_case(scope, consumer).await?;
    Ok((change, owned, found))
}

/// Holds that what is to be decided about has been asked for, if that is what the decision is about.
fn check_requested(
    decides: Decides,
    found: Option<&Recorded<AccessCase>>,
) -> Result<(), RegistryError> {
    let state = found.map(|found| found.value.access.state);
    match (decides, state) {
        (Decides::Any, _) | (Decides::Requested, Some(AccessState::Requested)) => Ok(()),
        (Decides::Requested, None) => Err(RegistryError::Absent { noun: "access" }),
        (Decides::Requested, Some(state)) => Err(RegistryError::conflict(format!(
            "nobody waits for an answer: the access is {}; grant or withdraw it instead",
            state.name()
        ))),
    }
}

/// The access once it is granted on these terms, if it can be.
pub(super) fn granted(
    scope: &Scope,
    consumer: OrganizationNumber,
    found: Option<&Recorded<AccessCase>>,
    terms: AccessTerms,
    now: Timestamp,
) -> Result<AccessCase, RegistryError> {
    if scope.status == ScopeStatus::Deactivated {
        return Err(RegistryError::conflict(
            "the scope is deactivated, so nobody can be granted it; restore it first",
        ));
    }
    if let Some(note) = &terms.note {
        check_text("note", note)?;
    }
    if terms.expires_at.is_some_and(|end| end <= now) {
        return Err(RegistryError::invalid("expires_at", "it must be in the future"));
    }
    let mut after = found.map_or_else(
        || new_case(scope, consumer, AccessState::Approved),
        |found| found.value.clone(),
    );
    after.access.state = AccessState::Approved;
    after.access.expires_at = terms.expires_at;
    after.note = terms.note;
    after.reason = None;
    after.taken_back = false;
    Ok(after)
}

/// The access once it is withdrawn or denied, if there is one.
pub(super) fn withdrawn(
    found: Option<&Recorded<AccessCase>>,
    reason: Option<String>,
) -> Result<AccessCase, RegistryError> {
    let found = found.ok_or(RegistryError::Absent { noun: "access" })?;
    if let Some(reason) = &reason {
        check_text("reason", reason)?;
    }
    let mut after = found.value.clone();
    // Its end is kept beside the note, so that giving it again can begin from what was agreed.
    after.access.state = AccessState::Denied;
    after.taken_back = false;
    after.reason = reason;
    Ok(after)
}

pub(super) fn at(expected: Option<Version>) -> Expected {
    expected.map_or(Expected::Anything, Expected::At)
}

/// Writes an access, and tells the organization on the other side what has become of it.
pub(super) async fn put(
    change: &mut Change<'_>,
    found: Option<&Recorded<AccessCase>>,
    after: &AccessCase,
    expected: Expected,
) -> Result<(), RegistryError> {
    check_expected(found.map(|found| found.version), expected)?;
    change.alert_of_access(found, after).await?;
    if let Some(found) = found {
        return Ok(change.transaction.update_access(after, found.version, change.now).await?);
    }
    count_access(&mut change.transaction, &after.access.scope).await?;
    Ok(change.transaction.insert_access(after, change.now).await?)
}

pub(super) fn new_case(
    scope: &Scope,
    consumer: OrganizationNumber,
    state: AccessState,
) -> AccessCase {
    AccessCase {
        access: Access { scope: scope.name.clone(), consumer, state, expires_at: None },
        owner: scope.owner,
        owner_name: None,
        description: scope.description.clone(),
        consumer_name: None,
        note: None,
        message: None,
        taken_back: false,
        reason: None,
        last_used_at: None,
    }
}

pub(super) fn on_access(
    verb: &'static str,
    scope: &ScopeName,
    consumer: OrganizationNumber,
) -> Act {
    Act { verb, noun: ChangedNoun::Access, key: format!("{scope} {consumer}") }
}
