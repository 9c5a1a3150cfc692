//! Accesses and delegations.

use sqlx::FromRow;

use crate::clock::Timestamp;
use crate::domain::access::{Access, AccessState, Delegation};
use crate::domain::organization::OrganizationNumber;
use crate::domain::scope::ScopeName;
use crate::store::{Store, StoreError, Transaction};

#[derive(FromRow)]
struct AccessRow {
    scope: String,
    consumer_number: String,
    state: String,
    expires_at: Option<i64>,
}

#[derive(FromRow)]
struct DelegationRow {
    consumer_number: String,
    supplier_number: String,
    scope: String,
    source: String,
    valid_from: i64,
    valid_to: Option<i64>,
    revoked_at: Option<i64>,
}

impl Store {
    /// The access of that organization to that scope, whatever its state.
    pub async fn access(
        &self,
        scope: &ScopeName,
        consumer: OrganizationNumber,
    ) -> Result<Option<Access>, StoreError> {
        let row: Option<AccessRow> = sqlx::query_as(
            "select scope, consumer_number, state, expires_at from access \
             where scope = $1 and consumer_number = $2",
        )
        .bind(scope.as_str())
        .bind(consumer.as_str())
        .fetch_optional(&self.readers)
        .await?;
        row.map(Access::try_from).transpose()
    }

    /// The delegation of that scope between those organizations, whether or not it still holds.
    pub async fn delegation(
        &self,
        consumer: OrganizationNumber,
        supplier: OrganizationNumber,
        scope: &ScopeName,
    ) -> Result<Option<Delegation>, StoreError> {
        let row: Option<DelegationRow> = sqlx::query_as(
            "select consumer_number, supplier_number, scope, source, valid_from, valid_to, revoked_at \
             from delegation where consumer_number = $1 and supplier_number = $2 and scope = $3",
        )
        .bind(consumer.as_str())
        .bind(supplier.as_str())
        .bind(scope.as_str())
        .fetch_optional(&self.readers)
        .await?;
        row.map(Delegation::try_from).transpose()
    }
}

impl Transaction {
    /// Sets the access of an organization to a scope.
    pub async fn put_access(&mut self, access: &Access, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "insert into access (scope, consumer_number, state, expires_at, created_at, updated_at) \
             values ($1, $2, $3, $4, $5, $5) on conflict (scope, consumer_number) \
             do update set state = excluded.state, expires_at = excluded.expires_at, \
             updated_at = excluded.updated_at",
        )
        .bind(access.scope.as_str())
        .bind(access.consumer.as_str())
        .bind(state_name(access.state))
        .bind(access.expires_at.map(Timestamp::seconds))
        .bind(now.seconds())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Sets the delegation of a scope between two organizations.
    pub async fn put_delegation(
        &mut self,
        delegation: &Delegation,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "insert into delegation (consumer_number, supplier_number, scope, source, valid_from, \
             valid_to, revoked_at, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8) \
             on conflict (consumer_number, supplier_number, scope) do update set \
             source = excluded.source, valid_from = excluded.valid_from, \
             valid_to = excluded.valid_to, revoked_at = excluded.revoked_at",
        )
        .bind(delegation.consumer.as_str())
        .bind(delegation.supplier.as_str())
        .bind(delegation.scope.as_str())
        .bind(&delegation.source)
        .bind(delegation.valid_from.seconds())
        .bind(delegation.valid_to.map(Timestamp::seconds))
        .bind(delegation.revoked_at.map(Timestamp::seconds))
        .bind(now.seconds())
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

const STATE_NAMES: [(AccessState, &str); 3] = [
    (AccessState::Approved, "APPROVED"),
    (AccessState::Denied, "DENIED"),
    (AccessState::Requested, "REQUESTED"),
];

fn state_name(state: AccessState) -> &'static str {
    STATE_NAMES.iter().find(|(known, _)| *known == state).map_or("", |(_, name)| name)
}

impl TryFrom<AccessRow> for Access {
    type Error = StoreError;

    fn try_from(row: AccessRow) -> Result<Self, StoreError> {
        let corrupt = |problem: &dyn ToString| StoreError::corrupt("access", problem);
        let state = STATE_NAMES.iter().find(|(_, name)| *name == row.state);
        Ok(Self {
            scope: row.scope.parse().map_err(|e| corrupt(&e))?,
            consumer: row.consumer_number.parse().map_err(|e| corrupt(&e))?,
            state: state.map(|(state, _)| *state).ok_or_else(|| corrupt(&row.state))?,
            expires_at: row.expires_at.map(Timestamp::from_seconds),
        })
    }
}

impl TryFrom<DelegationRow> for Delegation {
    type Error = StoreError;

    fn try_from(row: DelegationRow) -> Result<Self, StoreError> {
        let corrupt = |problem: &dyn ToString| StoreError::corrupt("delegation", problem);
        Ok(Self {
            consumer: row.consumer_number.parse().map_err(|e| corrupt(&e))?,
            supplier: row.supplier_number.parse().map_err(|e| corrupt(&e))?,
            scope: row.scope.parse().map_err(|e| corrupt(&e))?,
            source: row.source,
            valid_from: Timestamp::from_seconds(row.valid_from),
            valid_to: row.valid_to.map(Timestamp::from_seconds),
            revoked_at: row.revoked_at.map(Timestamp::from_seconds),
        })
    }
}
