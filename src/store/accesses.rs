//! Accesses.

use sqlx::{FromRow, SqliteConnection};

use crate::clock::Timestamp;
use crate::domain::access::{Access, AccessCase, AccessState};
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::{Page, Recorded, Version};
use crate::domain::scope::ScopeName;
use crate::store::{Store, StoreError, Transaction, named};

#[derive(FromRow)]
struct AccessRow {
    scope: String,
    consumer_number: String,
    state: String,
    expires_at: Option<i64>,
}

#[derive(FromRow)]
struct CaseRow {
    #[sqlx(flatten)]
    access: AccessRow,
    owner_number: String,
    owner_name: Option<String>,
    consumer_name: Option<String>,
    note: Option<String>,
    message: Option<String>,
    reason: Option<String>,
    created_at: i64,
    updated_at: i64,
    version: i64,
}

/// Which accesses a list is to show, by scope and consumer.
#[derive(Clone, Debug, Default)]
pub struct AccessFilter {
    /// To scopes of this owner.
    pub owner: Option<OrganizationNumber>,
    /// Of this consumer.
    pub consumer: Option<OrganizationNumber>,
    /// To this scope.
    pub scope: Option<ScopeName>,
    /// In this state; `None` for any.
    pub state: Option<AccessState>,
    /// To deactivated scopes too.
    pub inactive: bool,
    /// After this one.
    pub after: Option<(ScopeName, OrganizationNumber)>,
}

const SELECT_CASE: &str = "select a.scope, a.consumer_number, a.state, a.expires_at, s.owner_number, \
     o.name as owner_name, c.name as consumer_name, a.note, a.message, a.reason, a.created_at, \
     a.updated_at, a.version \
     from scope s join access a on a.scope = s.name \
     left join organization o on o.number = s.owner_number \
     left join organization c on c.number = a.consumer_number";

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

    /// The same with its history and what was said about it.
    pub async fn access_case(
        &self,
        scope: &ScopeName,
        consumer: OrganizationNumber,
    ) -> Result<Option<Recorded<AccessCase>>, StoreError> {
        find(&mut *self.readers.acquire().await?, scope, consumer).await
    }

    /// Accesses by scope and consumer, at most `limit`.
    pub async fn access_cases(
        &self,
        filter: &AccessFilter,
        limit: u32,
    ) -> Result<Page<Recorded<AccessCase>>, StoreError> {
        let (after_scope, after_consumer) = match &filter.after {
            Some((scope, consumer)) => (Some(scope.as_str()), Some(consumer.to_string())),
            None => (None, None),
        };
        // Each way to look has an index: a condition that is not asked for must not stand in the way of it.
        let mut conditions = vec!["($4 is null or a.state = $4)", "($5 or s.active)"];
        if filter.owner.is_some() {
            conditions.push("s.owner_number = $1");
        }
        if filter.consumer.is_some() {
            conditions.push("a.consumer_number = $2");
        }
        if filter.scope.is_some() {
            conditions.push("s.name = $3 and a.scope = $3");
        }
        if filter.after.is_some() {
            conditions.push("(a.scope, a.consumer_number) > ($6, $7) and s.name >= $6");
        }
        let order = if filter.consumer.is_some() { "a.scope" } else { "s.name, a.consumer_number" };
        let sql =
            format!("{SELECT_CASE} where {} order by {order} limit $8", conditions.join(" and "));
        let rows: Vec<CaseRow> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(filter.owner.map(|owner| owner.to_string()))
            .bind(filter.consumer.map(|consumer| consumer.to_string()))
            .bind(filter.scope.as_ref().map(ScopeName::as_str))
            .bind(filter.state.map(AccessState::name))
            .bind(filter.inactive)
            .bind(after_scope)
            .bind(after_consumer)
            .bind(i64::from(limit) + 1)
            .fetch_all(&self.readers)
            .await?;
        let cases = rows.into_iter().map(Recorded::try_from).collect::<Result<_, _>>()?;
        Ok(Page::of(cases, limit))
    }
}

impl Transaction {
    /// The access of that organization to that scope, as this change sees it.
    pub async fn access_case(
        &mut self,
        scope: &ScopeName,
        consumer: OrganizationNumber,
    ) -> Result<Option<Recorded<AccessCase>>, StoreError> {
        find(self.connection(), scope, consumer).await
    }

    /// Adds an access. [`StoreError::Conflict`] when there is one already, or no such scope.
    pub async fn insert_access(
        &mut self,
        case: &AccessCase,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "insert into access (scope, consumer_number, state, expires_at, note, message, reason, \
             created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
        )
        .bind(case.access.scope.as_str())
        .bind(case.access.consumer.as_str())
        .bind(case.access.state.name())
        .bind(case.access.expires_at.map(Timestamp::seconds))
        .bind(&case.note)
        .bind(&case.message)
        .bind(&case.reason)
        .bind(now.seconds())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Writes what may change of an access. [`StoreError::Absent`] when its version is not `seen` any more.
    pub async fn update_access(
        &mut self,
        case: &AccessCase,
        seen: Version,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let done = sqlx::query(
            "update access set state = $3, expires_at = $4, note = $5, message = $6, reason = $7, \
             updated_at = $8, version = version + 1 \
             where scope = $1 and consumer_number = $2 and version = $9",
        )
        .bind(case.access.scope.as_str())
        .bind(case.access.consumer.as_str())
        .bind(case.access.state.name())
        .bind(case.access.expires_at.map(Timestamp::seconds))
        .bind(&case.note)
        .bind(&case.message)
        .bind(&case.reason)
        .bind(now.seconds())
        .bind(seen.0)
        .execute(self.connection())
        .await?;
        Self::met_one_row("access", done.rows_affected())
    }
}

async fn find(
    connection: &mut SqliteConnection,
    scope: &ScopeName,
    consumer: OrganizationNumber,
) -> Result<Option<Recorded<AccessCase>>, StoreError> {
    let sql = format!("{SELECT_CASE} where a.scope = $1 and a.consumer_number = $2");
    let row: Option<CaseRow> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(scope.as_str())
        .bind(consumer.as_str())
        .fetch_optional(connection)
        .await?;
    row.map(Recorded::try_from).transpose()
}

impl TryFrom<AccessRow> for Access {
    type Error = StoreError;

    fn try_from(row: AccessRow) -> Result<Self, StoreError> {
        let corrupt = |problem: &dyn ToString| StoreError::corrupt("access", problem);
        Ok(Self {
            scope: row.scope.parse().map_err(|e| corrupt(&e))?,
            consumer: row.consumer_number.parse().map_err(|e| corrupt(&e))?,
            state: named("access", AccessState::from_name, &row.state)?,
            expires_at: row.expires_at.map(Timestamp::from_seconds),
        })
    }
}

impl TryFrom<CaseRow> for Recorded<AccessCase> {
    type Error = StoreError;

    fn try_from(row: CaseRow) -> Result<Self, StoreError> {
        let owner = row.owner_number.parse().map_err(|e| StoreError::corrupt("scope", &e))?;
        Ok(Self {
            value: AccessCase {
                access: row.access.try_into()?,
                owner,
                owner_name: row.owner_name,
                consumer_name: row.consumer_name,
                note: row.note,
                message: row.message,
                reason: row.reason,
            },
            created_at: Timestamp::from_seconds(row.created_at),
            updated_at: Timestamp::from_seconds(row.updated_at),
            version: Version(row.version),
        })
    }
}
