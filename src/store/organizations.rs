//! Organizations and prefixes.

use crate::clock::Timestamp;
use crate::domain::organization::{Organization, OrganizationNumber};
use crate::store::{StoreError, Transaction};

impl Transaction {
    /// Adds an organization. [`StoreError::Conflict`] when its number is taken.
    pub async fn insert_organization(
        &mut self,
        organization: &Organization,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query("insert into organization (number, name, created_at) values ($1, $2, $3)")
            .bind(organization.number.as_str())
            .bind(&organization.name)
            .bind(now.seconds())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Assigns a prefix. [`StoreError::Conflict`] when it is taken or its owner is not there.
    pub async fn insert_prefix(
        &mut self,
        prefix: &str,
        owner: OrganizationNumber,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query("insert into prefix (prefix, owner_number, created_at) values ($1, $2, $3)")
            .bind(prefix)
            .bind(owner.as_str())
            .bind(now.seconds())
            .execute(self.connection())
            .await?;
        Ok(())
    }
}
