//! Scopes.

use serde_json::json;

use crate::domain::change::ChangedNoun;
use crate::domain::scope::{Scope, ScopeAudience, ScopeName, ScopeStatus};
use crate::registry::{Actor, Deed, Registry, RegistryError};

impl Registry {
    /// Defines a scope.
    pub async fn define_scope(&self, actor: &Actor, scope: &Scope) -> Result<(), RegistryError> {
        let mut transaction = self.store.begin().await?;
        transaction.insert_scope(scope, self.clock.now()).await?;
        let deed = Deed {
            action: "create",
            noun: ChangedNoun::Scope,
            key: scope.name.to_string(),
            before: None,
            after: Some(json!({
                "description": scope.description,
                "accessible_for_all": scope.audience == ScopeAudience::AnyOrganization,
                "delegation_source": scope.delegation_source,
            })),
        };
        self.finish(transaction, actor, deed).await
    }

    /// Closes a scope, or opens it again.
    pub async fn set_scope_status(
        &self,
        actor: &Actor,
        name: &ScopeName,
        status: ScopeStatus,
    ) -> Result<(), RegistryError> {
        let mut transaction = self.store.begin().await?;
        transaction.set_scope_status(name, status, self.clock.now()).await?;
        let deed = Deed {
            action: match status {
                ScopeStatus::Active => "restore",
                ScopeStatus::Deactivated => "deactivate",
            },
            noun: ChangedNoun::Scope,
            key: name.to_string(),
            before: None,
            after: None,
        };
        self.finish(transaction, actor, deed).await
    }
}
