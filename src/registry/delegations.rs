//! Delegations in our own register: a consumer lets a supplier fetch tokens on its behalf.

use crate::clock::Timestamp;
use crate::domain::access::{Delegation, DelegationSummary};
use crate::domain::change::ChangedNoun;
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::{Expected, Page, Recorded, Version};
use crate::domain::right::Right;
use crate::domain::scope::ScopeName;
use crate::registry::change::{Act, check_expected, check_version};
use crate::registry::{Actor, Registry, RegistryError, views};
use crate::store::DelegationFilter;

/// Who lets whom use what, and how long.
#[derive(Clone, Debug)]
pub struct NewDelegation {
    /// The organization that has the access.
    pub consumer: OrganizationNumber,
    /// The organization that may use it.
    pub supplier: OrganizationNumber,
    /// The scope.
    pub scope: ScopeName,
    /// It holds from this moment on; `None` for now.
    pub valid_from: Option<Timestamp>,
    /// From this moment on it no longer holds; `None` means no end.
    pub valid_to: Option<Timestamp>,
}

impl Registry {
    /// Delegates a scope to a supplier, or sets another time for that. Access to the scope may come later.
    pub async fn put_delegation(
        &self,
        actor: &Actor,
        new: NewDelegation,
        expected: Expected,
    ) -> Result<Recorded<Delegation>, RegistryError> {
        let act = on_delegation("grant", new.consumer, new.supplier, &new.scope);
        let change = self.begin(actor, Right::WriteClients, act).await?;
        let mut change = change.of("organization", new.consumer).await?;
        if new.consumer == new.supplier {
            let problem = "an organization cannot delegate to itself";
            return Err(RegistryError::invalid("supplier", problem));
        }
        let scope = change.transaction.scope(&new.scope).await?;
        let access = change.transaction.access_case(&new.scope, new.consumer).await?;
        let scope = scope.map(|found| found.value);
        let scope = scope.filter(|it| change.may_see(it) || access.is_some());
        let scope = scope.ok_or(RegistryError::Absent { noun: "scope" })?;
        if scope.delegation_source.as_ref() != Some(&self.rules.issuer) {
            return Err(RegistryError::conflict(match scope.delegation_source {
                Some(source) => format!("the scope is delegated in another register: {source}"),
                None => "the owner of the scope does not let it be delegated".to_owned(),
            }));
        }
        let valid_from = new.valid_from.unwrap_or(change.now);
        if new.valid_to.is_some_and(|end| end <= valid_from || end <= change.now) {
            let problem = "it must be in the future, and after valid_from";
            return Err(RegistryError::invalid("valid_to", problem));
        }
        let found = change.transaction.delegation(new.consumer, new.supplier, &new.scope).await?;
        let after = Delegation {
            consumer: new.consumer,
            supplier: new.supplier,
            scope: new.scope,
            source: self.rules.issuer.clone(),
            valid_from,
            valid_to: new.valid_to,
            revoked_at: None,
        };
        let seen = found.as_ref().map(|found| found.version);
        check_expected(seen, expected)?;
        change.transaction.put_delegation(&after, seen, change.now).await?;
        let before = found.map(|found| views::delegation(&found.value));
        change.finish(before, Some(views::delegation(&after))).await?;
        self.delegation_again(&after).await
    }

    /// Withdraws a delegation.
    pub async fn withdraw_delegation(
        &self,
        actor: &Actor,
        consumer: OrganizationNumber,
        supplier: OrganizationNumber,
        scope: &ScopeName,
        expected: Option<Version>,
    ) -> Result<Recorded<Delegation>, RegistryError> {
        let act = on_delegation("withdraw", consumer, supplier, scope);
        let change = self.begin(actor, Right::WriteClients, act).await?;
        let mut change = change.of("organization", consumer).await?;
        let found = change.transaction.delegation(consumer, supplier, scope).await?;
        let found = found.ok_or(RegistryError::Absent { noun: "delegation" })?;
        check_version(found.version, expected)?;
        let revoked_at = found.value.revoked_at.unwrap_or(change.now);
        let after = Delegation { revoked_at: Some(revoked_at), ..found.value.clone() };
        change.transaction.put_delegation(&after, Some(found.version), change.now).await?;
        change
            .finish(Some(views::delegation(&found.value)), Some(views::delegation(&after)))
            .await?;
        self.delegation_again(&after).await
    }

    async fn delegation_again(
        &self,
        it: &Delegation,
    ) -> Result<Recorded<Delegation>, RegistryError> {
        let again = self.store.delegation(it.consumer, it.supplier, &it.scope).await?;
        again.ok_or(RegistryError::Stale)
    }

    /// A delegation from or to the actor's organization, or any for the operator.
    pub async fn delegation(
        &self,
        actor: &Actor,
        consumer: OrganizationNumber,
        supplier: OrganizationNumber,
        scope: &ScopeName,
    ) -> Result<Recorded<Delegation>, RegistryError> {
        actor.require(Right::ReadClients)?;
        let absent = RegistryError::Absent { noun: "delegation" };
        if !actor.owns(consumer) && !actor.owns(supplier) {
            return Err(absent);
        }
        self.store.delegation(consumer, supplier, scope).await?.ok_or(absent)
    }

    /// Delegations from and to the actor's organization, or of any for the operator, at most `limit`.
    pub async fn delegations(
        &self,
        actor: &Actor,
        mut filter: DelegationFilter,
        limit: u32,
    ) -> Result<Page<DelegationSummary>, RegistryError> {
        actor.require(Right::ReadClients)?;
        filter.party = actor.organization_to_list(filter.party)?;
        Ok(self.store.delegations(&filter, limit).await?)
    }
}

fn on_delegation(
    verb: &'static str,
    consumer: OrganizationNumber,
    supplier: OrganizationNumber,
    scope: &ScopeName,
) -> Act {
    Act { verb, noun: ChangedNoun::Delegation, key: format!("{consumer} {supplier} {scope}") }
}
