//! Accesses and delegations.

use serde_json::json;

use crate::clock::Timestamp;
use crate::domain::access::{Access, AccessState, Delegation};
use crate::domain::change::ChangedNoun;
use crate::domain::organization::OrganizationNumber;
use crate::domain::scope::ScopeName;
use crate::registry::{Actor, Deed, Registry, RegistryError};

impl Registry {
    /// Grants an organization access to a scope, until `expires_at` if that is said.
    pub async fn grant_access(
        &self,
        actor: &Actor,
        scope: &ScopeName,
        consumer: OrganizationNumber,
        expires_at: Option<Timestamp>,
    ) -> Result<(), RegistryError> {
        let state = AccessState::Approved;
        let access = Access { scope: scope.clone(), consumer, state, expires_at };
        self.put_access(actor, "grant", access).await
    }

    /// Withdraws the access of an organization to a scope.
    pub async fn withdraw_access(
        &self,
        actor: &Actor,
        scope: &ScopeName,
        consumer: OrganizationNumber,
    ) -> Result<(), RegistryError> {
        let state = AccessState::Denied;
        let access = Access { scope: scope.clone(), consumer, state, expires_at: None };
        self.put_access(actor, "withdraw", access).await
    }

    async fn put_access(
        &self,
        actor: &Actor,
        action: &'static str,
        access: Access,
    ) -> Result<(), RegistryError> {
        let mut transaction = self.store.begin().await?;
        transaction.put_access(&access, self.clock.now()).await?;
        let deed = Deed {
            action,
            noun: ChangedNoun::Access,
            key: format!("{} {}", access.scope, access.consumer),
            before: None,
            after: Some(json!({ "expires_at": access.expires_at.map(|end| end.to_string()) })),
        };
        self.finish(transaction, actor, deed).await
    }

    /// Sets a delegation from a consumer to a supplier.
    pub async fn put_delegation(
        &self,
        actor: &Actor,
        delegation: &Delegation,
    ) -> Result<(), RegistryError> {
        let mut transaction = self.store.begin().await?;
        transaction.put_delegation(delegation, self.clock.now()).await?;
        let deed = Deed {
            action: if delegation.revoked_at.is_some() { "withdraw" } else { "grant" },
            noun: ChangedNoun::Delegation,
            key: format!("{} {} {}", delegation.consumer, delegation.supplier, delegation.scope),
            before: None,
            after: Some(json!({ "source": delegation.source })),
        };
        self.finish(transaction, actor, deed).await
    }
}
