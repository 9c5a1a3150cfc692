//! Scopes.

use sqlx::FromRow;

use crate::clock::Timestamp;
use crate::domain::scope::{Scope, ScopeAudience, ScopeName, ScopeProduct, ScopeStatus};
use crate::store::{Store, StoreError, Transaction};

/// The product that this server issues tokens for, as `allowed_integration_types` names it.
const MACHINES: &str = "maskinporten";

#[derive(FromRow)]
struct ScopeRow {
    name: String,
    owner_number: String,
    description: String,
    active: bool,
    accessible_for_all: bool,
    allowed_integration_types: String,
    token_lifetime_seconds_max: i64,
    delegation_source: Option<String>,
}

impl Store {
    /// The scope of that name.
    pub async fn scope_by_name(&self, name: &ScopeName) -> Result<Option<Scope>, StoreError> {
        let row: Option<ScopeRow> = sqlx::query_as(
            "select name, owner_number, description, active, accessible_for_all, \
             allowed_integration_types, token_lifetime_seconds_max, delegation_source \
             from scope where name = $1",
        )
        .bind(name.as_str())
        .fetch_optional(&self.readers)
        .await?;
        row.map(Scope::try_from).transpose()
    }
}

impl Transaction {
    /// Adds a scope. [`StoreError::Conflict`] when its name is taken, [`StoreError::Absent`] when its owner
    /// has no such prefix.
    pub async fn insert_scope(&mut self, scope: &Scope, now: Timestamp) -> Result<(), StoreError> {
        let done = sqlx::query(
            "insert into scope (name, prefix, owner_number, description, active, \
             accessible_for_all, allowed_integration_types, token_lifetime_seconds_max, \
             delegation_source, created_at, updated_at) \
             select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10 \
             from prefix where prefix = $2 and owner_number = $3",
        )
        .bind(scope.name.as_str())
        .bind(scope.name.prefix())
        .bind(scope.owner.as_str())
        .bind(&scope.description)
        .bind(scope.status == ScopeStatus::Active)
        .bind(scope.audience == ScopeAudience::AnyOrganization)
        .bind(match scope.product {
            ScopeProduct::Machines => MACHINES,
            ScopeProduct::LoginOnly => "idporten",
        })
        .bind(i64::from(scope.token_lifetime_seconds_max.unwrap_or(0)))
        .bind(&scope.delegation_source)
        .bind(now.seconds())
        .execute(self.connection())
        .await?;
        Self::met_one_row("prefix", done.rows_affected())
    }

    /// Opens or closes a scope. [`StoreError::Absent`] when there is none.
    pub async fn set_scope_status(
        &mut self,
        name: &ScopeName,
        status: ScopeStatus,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let done = sqlx::query("update scope set active = $2, updated_at = $3 where name = $1")
            .bind(name.as_str())
            .bind(status == ScopeStatus::Active)
            .bind(now.seconds())
            .execute(self.connection())
            .await?;
        Self::met_one_row("scope", done.rows_affected())
    }
}

impl TryFrom<ScopeRow> for Scope {
    type Error = StoreError;

    fn try_from(row: ScopeRow) -> Result<Self, StoreError> {
        let corrupt = |problem: &dyn ToString| StoreError::corrupt("scope", problem);
        let mut products = row.allowed_integration_types.split_ascii_whitespace().peekable();
        let for_machines = products.peek().is_none() || products.any(|product| product == MACHINES);
        let lifetime = u32::try_from(row.token_lifetime_seconds_max).map_err(|e| corrupt(&e))?;
        Ok(Self {
            name: row.name.parse().map_err(|e| corrupt(&e))?,
            owner: row.owner_number.parse().map_err(|e| corrupt(&e))?,
            description: row.description,
            status: if row.active { ScopeStatus::Active } else { ScopeStatus::Deactivated },
            audience: if row.accessible_for_all {
                ScopeAudience::AnyOrganization
            } else {
                ScopeAudience::GrantedOrganizations
            },
            product: if for_machines { ScopeProduct::Machines } else { ScopeProduct::LoginOnly },
            token_lifetime_seconds_max: (lifetime > 0).then_some(lifetime),
            delegation_source: row.delegation_source,
        })
    }
}
