//! How much there is of what one organization may only make so much of, counted on the row of the owner.

use crate::domain::organization::OrganizationNumber;
use crate::domain::scope::ScopeName;
use crate::store::database::query;
use crate::store::{StoreError, Transaction};

impl Transaction {
    /// Counts one more client of that organization. False, and not counted, when it has `most` already.
    pub async fn count_client(
        &mut self,
        organization: OrganizationNumber,
        most: u32,
    ) -> Result<bool, StoreError> {
        let counted = query(
            "update organization set client_count = client_count + 1 \
             where number = $1 and client_count < $2",
        )
        .bind(organization.as_str())
        .bind(i64::from(most))
        .execute(self.connection())
        .await?;
        Ok(counted == 1)
    }

    /// Counts one more access to that scope. False, and not counted, when it has `most` already.
    pub async fn count_access(&mut self, scope: &ScopeName, most: u32) -> Result<bool, StoreError> {
        let counted = query(
            "update scope set access_count = access_count + 1 where name = $1 and access_count < $2",
        )
        .bind(scope.as_str())
        .bind(i64::from(most))
        .execute(self.connection())
        .await?;
        Ok(counted == 1)
    }
}
