//! Organizations and their prefixes.

use serde_json::json;

use crate::domain::change::ChangedNoun;
use crate::domain::organization::{Organization, OrganizationNumber};
use crate::registry::{Actor, Deed, Registry, RegistryError};

impl Registry {
    /// Admits an organization.
    pub async fn create_organization(
        &self,
        actor: &Actor,
        organization: &Organization,
    ) -> Result<(), RegistryError> {
        let mut transaction = self.store.begin().await?;
        transaction.insert_organization(organization, self.clock.now()).await?;
        let deed = Deed {
            action: "create",
            noun: ChangedNoun::Organization,
            key: organization.number.to_string(),
            before: None,
            after: Some(json!({ "name": organization.name })),
        };
        self.finish(transaction, actor, deed).await
    }

    /// Assigns a prefix to an organization, which alone may then define scopes under it.
    pub async fn assign_prefix(
        &self,
        actor: &Actor,
        prefix: &str,
        owner: OrganizationNumber,
    ) -> Result<(), RegistryError> {
        let mut transaction = self.store.begin().await?;
        transaction.insert_prefix(prefix, owner, self.clock.now()).await?;
        let deed = Deed {
            action: "create",
            noun: ChangedNoun::Prefix,
            key: prefix.to_owned(),
            before: None,
            after: Some(json!({ "owner": owner })),
        };
        self.finish(transaction, actor, deed).await
    }
}
