//! Prefix requests.

use sqlx::FromRow;

use crate::clock::Timestamp;
use crate::domain::organization::OrganizationNumber;
use crate::domain::prefix::PrefixName;
use crate::domain::prefix_request::{PrefixRequest, PrefixRequestState};
use crate::domain::record::{Page, Recorded, Version};
use crate::store::database::{query, query_of};
use crate::store::reading::{Reading, kept};
use crate::store::{Store, StoreError, Transaction, named};

#[derive(FromRow)]
struct PrefixRequestRow {
    prefix: String,
    organization_number: String,
    organization_name: Option<String>,
    reason: String,
    requested_by: String,
    state: String,
    taken_back: bool,
    answer: Option<String>,
    created_at: i64,
    updated_at: i64,
    version: i64,
}

kept! {
    PrefixRequestRow: "prefix_request", 2;
}

/// Which prefix requests a list is to show, by prefix and organization.
#[derive(Clone, Debug, Default)]
pub struct PrefixRequestFilter {
    /// Of this organization.
    pub organization: Option<OrganizationNumber>,
    /// In this state; `None` for any.
    pub state: Option<PrefixRequestState>,
    /// After this one.
    pub after: Option<(PrefixName, OrganizationNumber)>,
}

const SELECT: &str = "select r.prefix, r.organization_number, o.name as organization_name, r.reason, \
     r.requested_by, r.state, r.taken_back, r.answer, r.created_at, r.updated_at, r.version from prefix_request r \
     left join organization o on o.number = r.organization_number";

impl PrefixRequestFilter {
    /// The statement that reads a page. A condition that is not asked for does not stand in it, because it would
    /// keep an index from being used.
    fn statement(&self) -> String {
        let mut conditions = vec!["(r.prefix, r.organization_number) > ($3, $4)"];
        if self.organization.is_some() {
            conditions.push("r.organization_number = $1");
            if self.state.is_some() {
                // One organization has few requests. Written so, the state does not tempt SQLite to read those of
                // all organizations that are in it.
                conditions.push("r.state || '' = $2");
            }
        } else if self.state.is_some() {
            conditions.push("r.state = $2");
        }
        format!(
            "{SELECT} where {} order by r.prefix, r.organization_number limit $5",
            conditions.join(" and ")
        )
    }
}

impl Store {
    /// What that organization has asked for.
    pub async fn prefix_request(
        &self,
        prefix: &PrefixName,
        organization: OrganizationNumber,
    ) -> Result<Option<Recorded<PrefixRequest>>, StoreError> {
        find(self.reading(), prefix, organization).await
    }

    /// Prefix requests by prefix and organization, at most `limit`.
    pub async fn prefix_requests(
        &self,
        filter: &PrefixRequestFilter,
        limit: u32,
    ) -> Result<Page<Recorded<PrefixRequest>>, StoreError> {
        let (prefix, organization) = match &filter.after {
            Some((prefix, organization)) => (prefix.as_str(), organization.to_string()),
            None => ("", String::new()),
        };
        let list = |rows: i64| {
            query_of(filter.statement())
                .bind(filter.organization.map(|organization| organization.to_string()))
                .bind(filter.state.map(PrefixRequestState::name))
                .bind(prefix)
                .bind(&organization)
                .bind(rows)
        };
        self.page::<PrefixRequestRow, _>(limit, list).await
    }
}

impl Transaction {
    /// What that organization has asked for, as this change sees it.
    pub async fn prefix_request(
        &mut self,
        prefix: &PrefixName,
        organization: OrganizationNumber,
    ) -> Result<Option<Recorded<PrefixRequest>>, StoreError> {
        find(self.reading(), prefix, organization).await
    }

    /// For how many answers an organization waits.
    pub async fn waiting_prefix_requests(
        &mut self,
        organization: OrganizationNumber,
    ) -> Result<i64, StoreError> {
        let (count,) = query(
            "select count(*) from prefix_request where organization_number = $1 and state || '' = $2",
        )
        .bind(organization.as_str())
        .bind(PrefixRequestState::Requested.name())
        .fetch_one(self.connection())
        .await?;
        Ok(count)
    }

    /// Adds a prefix request. [`StoreError::Conflict`] when there is one of that prefix and organization already.
    pub async fn insert_prefix_request(
        &mut self,
        request: &PrefixRequest,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        query(
            "insert into prefix_request (prefix, organization_number, reason, requested_by, state, \
             answer, created_at, updated_at, taken_back) values ($1, $2, $3, $4, $5, $6, $7, $7, $8)",
        )
        .bind(request.prefix.as_str())
        .bind(request.organization.as_str())
        .bind(&request.reason)
        .bind(&request.requested_by)
        .bind(request.state.name())
        .bind(&request.answer)
        .bind(now.seconds())
        .bind(request.taken_back)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Writes what may change of a prefix request. [`StoreError::Absent`] when its version is not `seen` any more.
    pub async fn update_prefix_request(
        &mut self,
        request: &PrefixRequest,
        seen: Version,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let done = query(
            "update prefix_request set reason = $3, requested_by = $4, state = $5, answer = $6, \
             updated_at = $7, taken_back = $9, version = version + 1 \
             where prefix = $1 and organization_number = $2 and version = $8",
        )
        .bind(request.prefix.as_str())
        .bind(request.organization.as_str())
        .bind(&request.reason)
        .bind(&request.requested_by)
        .bind(request.state.name())
        .bind(&request.answer)
        .bind(now.seconds())
        .bind(seen.0)
        .bind(request.taken_back)
        .execute(self.connection())
        .await?;
        Self::met_one_row("prefix_request", done)
    }
}

async fn find(
    reading: Reading<'_>,
    prefix: &PrefixName,
    organization: OrganizationNumber,
) -> Result<Option<Recorded<PrefixRequest>>, StoreError> {
    let sql = format!("{SELECT} where r.prefix = $1 and r.organization_number = $2");
    let find = query_of(sql).bind(prefix.as_str()).bind(organization.as_str());
    reading.one::<PrefixRequestRow, _>(find).await
}

impl TryFrom<PrefixRequestRow> for Recorded<PrefixRequest> {
    type Error = StoreError;

    fn try_from(row: PrefixRequestRow) -> Result<Self, StoreError> {
        let corrupt = |problem: &dyn ToString| StoreError::corrupt("prefix_request", problem);
        let state = named("prefix_request", PrefixRequestState::from_name, &row.state)?;
        Ok(Self {
            value: PrefixRequest {
                prefix: row.prefix.parse().map_err(|e| corrupt(&e))?,
                organization: row.organization_number.parse().map_err(|e| corrupt(&e))?,
                organization_name: row.organization_name,
                reason: row.reason,
                requested_by: row.requested_by,
                state,
                // A version before this one answers without a word about it.
                taken_back: row.taken_back && state == PrefixRequestState::Denied,
                answer: row.answer,
            },
            created_at: Timestamp::from_seconds(row.created_at),
            updated_at: Timestamp::from_seconds(row.updated_at),
            version: Version(row.version),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{assert_indexed, migrated};

    #[tokio::test]
    async fn no_list_reads_everything_or_sorts() {
        let (store, _folder) = migrated().await;
        for mask in 0..4_u8 {
            let has = |bit: u8| mask & (1 << bit) != 0;
            let filter = PrefixRequestFilter {
                organization: has(0).then(|| "310000108".parse().unwrap()),
                state: has(1).then_some(PrefixRequestState::Requested),
                after: None,
            };
            assert_indexed(&store, &filter.statement(), &format!("{filter:?}")).await;
        }
    }
}
