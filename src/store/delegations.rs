//! Delegations that stand in our own register.

use sqlx::FromRow;

use crate::clock::Timestamp;
use crate::domain::access::{Delegation, DelegationSummary};
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::{Page, Recorded, Version};
use crate::domain::scope::ScopeName;
use crate::store::database::{query, query_of};
use crate::store::reading::{Reading, kept};
use crate::store::{Store, StoreError, Transaction};

#[derive(FromRow)]
struct DelegationRow {
    consumer_number: String,
    supplier_number: String,
    scope: String,
    source: String,
    valid_from: i64,
    valid_to: Option<i64>,
    revoked_at: Option<i64>,
    created_at: i64,
    updated_at: i64,
    version: i64,
}

#[derive(FromRow)]
struct SummaryRow {
    #[sqlx(flatten)]
    delegation: DelegationRow,
    consumer_name: Option<String>,
    supplier_name: Option<String>,
}

kept! {
    DelegationRow: "delegation", 3;
    SummaryRow: "delegation", 3;
}

/// Which delegations a list is to show, by consumer, supplier and scope.
#[derive(Clone, Debug, Default)]
pub struct DelegationFilter {
    /// From or to this organization.
    pub party: Option<OrganizationNumber>,
    /// From this consumer.
    pub consumer: Option<OrganizationNumber>,
    /// To this supplier.
    pub supplier: Option<OrganizationNumber>,
    /// Of this scope.
    pub scope: Option<ScopeName>,
    /// Withdrawn ones too.
    pub inactive: bool,
    /// After this one.
    pub after: Option<(OrganizationNumber, OrganizationNumber, ScopeName)>,
}

const COLUMNS: &str = "d.consumer_number, d.supplier_number, d.scope, d.source, d.valid_from, d.valid_to, \
     d.revoked_at, d.created_at, d.updated_at, d.version";

impl Store {
    /// The delegation of that scope between those organizations, whether or not it still holds.
    pub async fn delegation(
        &self,
        consumer: OrganizationNumber,
        supplier: OrganizationNumber,
        scope: &ScopeName,
    ) -> Result<Option<Recorded<Delegation>>, StoreError> {
        find(self.reading(), consumer, supplier, scope).await
    }

    /// Delegations by consumer, supplier and scope, at most `limit`.
    pub async fn delegations(
        &self,
        filter: &DelegationFilter,
        limit: u32,
    ) -> Result<Page<DelegationSummary>, StoreError> {
        let sql = format!(
            "select {COLUMNS}, c.name as consumer_name, s.name as supplier_name from delegation d \
             left join organization c on c.number = d.consumer_number \
             left join organization s on s.number = d.supplier_number \
             where ($1 is null or d.consumer_number = $1 or d.supplier_number = $1) \
             and ($2 is null or d.consumer_number = $2) and ($3 is null or d.supplier_number = $3) \
             and ($4 is null or d.scope = $4) and ($5 or d.revoked_at is null) \
             and ($6 is null or (d.consumer_number, d.supplier_number, d.scope) > ($6, $7, $8)) \
             order by d.consumer_number, d.supplier_number, d.scope limit $9"
        );
        let after = filter.after.as_ref();
        let text = |number: OrganizationNumber| number.to_string();
        let list = |rows: i64| {
            query_of(sql.clone())
                .bind(filter.party.map(text))
                .bind(filter.consumer.map(text))
                .bind(filter.supplier.map(text))
                .bind(filter.scope.as_ref().map(ScopeName::as_str))
                .bind(filter.inactive)
                .bind(after.map(|(consumer, ..)| text(*consumer)))
                .bind(after.map(|(_, supplier, _)| text(*supplier)))
                .bind(after.map(|(_, _, scope)| scope.as_str()))
                .bind(rows)
        };
        self.page::<SummaryRow, _>(limit, list).await
    }
}

impl Transaction {
    /// The delegation of that scope between those organizations, as this change sees it.
    pub async fn delegation(
        &mut self,
        consumer: OrganizationNumber,
        supplier: OrganizationNumber,
        scope: &ScopeName,
    ) -> Result<Option<Recorded<Delegation>>, StoreError> {
        find(self.reading(), consumer, supplier, scope).await
    }

    /// Sets the delegation of a scope between two organizations. With `seen`, [`StoreError::Absent`] when its
    /// version is another by now.
    pub async fn put_delegation(
        &mut self,
        delegation: &Delegation,
        seen: Option<Version>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let done = query(
            "insert into delegation (consumer_number, supplier_number, scope, source, valid_from, \
             valid_to, revoked_at, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $8) \
             on conflict (consumer_number, supplier_number, scope) do update set \
             source = excluded.source, valid_from = excluded.valid_from, valid_to = excluded.valid_to, \
             revoked_at = excluded.revoked_at, updated_at = excluded.updated_at, \
             version = delegation.version + 1 where $9 is null or delegation.version = $9",
        )
        .bind(delegation.consumer.as_str())
        .bind(delegation.supplier.as_str())
        .bind(delegation.scope.as_str())
        .bind(&delegation.source)
        .bind(delegation.valid_from.seconds())
        .bind(delegation.valid_to.map(Timestamp::seconds))
        .bind(delegation.revoked_at.map(Timestamp::seconds))
        .bind(now.seconds())
        .bind(seen.map(|version| version.0))
        .execute(self.connection())
        .await?;
        Self::met_one_row("delegation", done)
    }
}

async fn find(
    reading: Reading<'_>,
    consumer: OrganizationNumber,
    supplier: OrganizationNumber,
    scope: &ScopeName,
) -> Result<Option<Recorded<Delegation>>, StoreError> {
    let sql = format!(
        "select {COLUMNS} from delegation d \
         where d.consumer_number = $1 and d.supplier_number = $2 and d.scope = $3"
    );
    let find = query_of(sql).bind(consumer.as_str()).bind(supplier.as_str()).bind(scope.as_str());
    reading.one::<DelegationRow, _>(find).await
}

impl TryFrom<SummaryRow> for DelegationSummary {
    type Error = StoreError;

    fn try_from(row: SummaryRow) -> Result<Self, StoreError> {
        let SummaryRow { delegation, consumer_name, supplier_name } = row;
        Ok(Self { delegation: delegation.try_into()?, consumer_name, supplier_name })
    }
}

impl TryFrom<DelegationRow> for Recorded<Delegation> {
    type Error = StoreError;

    fn try_from(row: DelegationRow) -> Result<Self, StoreError> {
        let corrupt = |problem: &dyn ToString| StoreError::corrupt("delegation", problem);
        Ok(Self {
            value: Delegation {
                consumer: row.consumer_number.parse().map_err(|e| corrupt(&e))?,
                supplier: row.supplier_number.parse().map_err(|e| corrupt(&e))?,
                scope: row.scope.parse().map_err(|e| corrupt(&e))?,
                source: row.source,
                valid_from: Timestamp::from_seconds(row.valid_from),
                valid_to: row.valid_to.map(Timestamp::from_seconds),
                revoked_at: row.revoked_at.map(Timestamp::from_seconds),
            },
            created_at: Timestamp::from_seconds(row.created_at),
            updated_at: Timestamp::from_seconds(row.updated_at.max(row.created_at)),
            version: Version(row.version),
        })
    }
}
