//! Business data of organizations: one document each.

use sqlx::FromRow;

use crate::clock::Timestamp;
use crate::domain::business::BusinessData;
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::{Recorded, Version};
use crate::store::database::{On, query};
use crate::store::{Store, StoreError, Transaction, as_json, from_json};

#[derive(FromRow)]
struct Row {
    document: String,
    created_at: i64,
    updated_at: i64,
    version: i64,
}

impl Store {
    /// The business data of an organization, if it has said anything.
    pub async fn business_data(
        &self,
        organization: OrganizationNumber,
    ) -> Result<Option<Recorded<BusinessData>>, StoreError> {
        find((&self.readers).into(), organization).await
    }
}

impl Transaction {
    /// The same, as this change sees it.
    pub async fn business_data(
        &mut self,
        organization: OrganizationNumber,
    ) -> Result<Option<Recorded<BusinessData>>, StoreError> {
        find(self.connection(), organization).await
    }

    /// Writes the business data of an organization for the first time. [`StoreError::Conflict`] when there is some, or
    /// no such organization.
    pub async fn insert_business_data(
        &mut self,
        organization: OrganizationNumber,
        data: &BusinessData,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        query(
            "insert into business_data (organization_number, document, created_at, updated_at) \
             values ($1, $2, $3, $3)",
        )
        .bind(organization.as_str())
        .bind(as_json(data))
        .bind(now.seconds())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Writes it again. [`StoreError::Absent`] when its version is not `seen` any more.
    pub async fn update_business_data(
        &mut self,
        organization: OrganizationNumber,
        data: &BusinessData,
        seen: Version,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let done = query(
            "update business_data set document = $2, updated_at = $3, version = version + 1 \
             where organization_number = $1 and version = $4",
        )
        .bind(organization.as_str())
        .bind(as_json(data))
        .bind(now.seconds())
        .bind(seen.0)
        .execute(self.connection())
        .await?;
        Self::met_one_row("business_data", done)
    }
}

async fn find(
    connection: On<'_>,
    organization: OrganizationNumber,
) -> Result<Option<Recorded<BusinessData>>, StoreError> {
    let row: Option<Row> = query(
        "select document, created_at, updated_at, version from business_data \
         where organization_number = $1",
    )
    .bind(organization.as_str())
    .fetch_optional(connection)
    .await?;
    row.map(Recorded::try_from).transpose()
}

impl TryFrom<Row> for Recorded<BusinessData> {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            value: from_json("business_data", &row.document)?,
            created_at: Timestamp::from_seconds(row.created_at),
            updated_at: Timestamp::from_seconds(row.updated_at),
            version: Version(row.version),
        })
    }
}
