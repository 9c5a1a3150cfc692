//! Accesses.

use sqlx::FromRow;

use crate::clock::Timestamp;
use crate::domain::access::{Access, AccessCase, AccessState, UsedAccess};
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::{Page, Recorded, Version};
use crate::domain::scope::ScopeName;
use crate::store::database::{places, query, query_of};
use crate::store::reading::{Reading, kept};
use crate::store::{Store, StoreError, Transaction, named, small};

#[derive(FromRow)]
struct AccessRow {
    scope: String,
    consumer_number: String,
    state: String,
    expires_at: Option<i64>,
}

#[derive(FromRow)]
struct UsedRow {
    #[sqlx(flatten)]
    access: AccessRow,
    used_at: Option<i64>,
}

#[derive(FromRow)]
struct CaseRow {
    #[sqlx(flatten)]
    access: AccessRow,
    owner_number: String,
    owner_name: Option<String>,
    description: String,
    consumer_name: Option<String>,
    note: Option<String>,
    message: Option<String>,
    taken_back: bool,
    reason: Option<String>,
    created_at: i64,
    updated_at: i64,
    version: i64,
    used_at: Option<i64>,
}

kept! {
    AccessRow: "access", 2;
    UsedRow: "access", 2;
    CaseRow: "access", 2;
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
    /// With this text in the number or the name of the consumer, letter case aside.
    pub text: Option<String>,
    /// After this one.
    pub after: Option<(ScopeName, OrganizationNumber)>,
}

/// Who would notice if a scope were closed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ScopeReach {
    /// Organizations that have access to it.
    pub consumers: u64,
    /// Active clients that have it, whosever they are.
    pub clients: u64,
}

const CASE_COLUMNS: &str = "a.scope, a.consumer_number, a.state, a.expires_at, s.owner_number, \
     o.name as owner_name, s.description, c.name as consumer_name, a.note, a.message, a.taken_back, a.reason, \
     a.created_at, a.updated_at, a.version, u.used_at";

/// What stands beside a scope and its access: each at most one row, as the last use of that.
const CASE_JOINS: &str = "left join organization o on o.number = s.owner_number \
     left join organization c on c.number = a.consumer_number";
const USE_JOIN: &str =
    "left join last_use u on u.noun = 'access' and u.key = a.scope || ' ' || a.consumer_number";

impl AccessFilter {
    /// The statement that reads a page. A condition that is not asked for does not stand in it, because it would
    /// keep an index from being used. A cross join is a join whose order SQLite does not change: what comes first
    /// is read in the order of the list, so that nothing has to be sorted and nothing is read before the page.
    fn statement(&self) -> String {
        let text = small("a.consumer_number || ' ' || coalesce(c.name, '')");
        let text = format!("{text} like $8 escape '\\'");
        let mut conditions = vec!["a.scope = s.name"];
        if self.owner.is_some() {
            conditions.push("s.owner_number = $1");
        }
        if self.consumer.is_some() {
            conditions.push("a.consumer_number = $2");
        }
        if self.scope.is_some() {
            conditions.push("s.name = $3");
        }
        if !self.inactive {
            conditions.push("s.active");
        }
        if self.text.is_some() {
            conditions.push(&text);
        }
        let (tables, order) = if self.consumer.is_some() && self.scope.is_none() {
            conditions.push("a.scope > $6");
            if self.state.is_some() {
                // One organization has at most as many accesses as there are scopes. Written so, the state does
                // not tempt SQLite to read those of all organizations that are in it.
                conditions.push("a.state || '' = $4");
            }
            ("access a cross join scope s", "a.scope")
        } else {
            conditions.push("s.name >= $6");
            conditions.push("a.consumer_number > case when s.name = $6 then $7 else '' end");
            if self.state.is_some() {
                conditions.push("a.state = $4");
            }
            ("scope s cross join access a", "s.name, a.consumer_number")
        };
        format!(
            "select {CASE_COLUMNS} from {tables} {CASE_JOINS} {USE_JOIN} where {} order by {order} limit $5",
            conditions.join(" and ")
        )
    }
}

impl Store {
    /// The access of that organization to that scope, whatever its state.
    pub async fn access(
        &self,
        scope: &ScopeName,
        consumer: OrganizationNumber,
    ) -> Result<Option<UsedAccess>, StoreError> {
        let sql = format!(
            "select a.scope, a.consumer_number, a.state, a.expires_at, u.used_at from access a \
             {USE_JOIN} where a.scope = $1 and a.consumer_number = $2"
        );
        let find = query_of(sql).bind(scope.as_str()).bind(consumer.as_str());
        self.reading().one::<UsedRow, _>(find).await
    }

    /// The same with its history and what was said about it.
    pub async fn access_case(
        &self,
        scope: &ScopeName,
        consumer: OrganizationNumber,
    ) -> Result<Option<Recorded<AccessCase>>, StoreError> {
        find(self.reading(), scope, consumer).await
    }

    /// Accesses by scope and consumer, at most `limit`.
    pub async fn access_cases(
        &self,
        filter: &AccessFilter,
        limit: u32,
    ) -> Result<Page<Recorded<AccessCase>>, StoreError> {
        let (after_scope, after_consumer) = match &filter.after {
            Some((scope, consumer)) => (scope.as_str(), consumer.to_string()),
            None => ("", String::new()),
        };
        let list = |rows: i64| {
            query_of(filter.statement())
                .bind(filter.owner.map(|owner| owner.to_string()))
                .bind(filter.consumer.map(|consumer| consumer.to_string()))
                .bind(filter.scope.as_ref().map(ScopeName::as_str))
                .bind(filter.state.map(AccessState::name))
                .bind(rows)
                .bind(after_scope)
                .bind(&after_consumer)
                .bind(filter.text.as_deref().map(super::like))
        };
        self.page::<CaseRow, _>(limit, list).await
    }

    /// The accesses to a scope that these organizations have, by consumer; whoever has none is left out. At most as
    /// many as one batch changes.
    pub async fn accesses_of(
        &self,
        scope: &ScopeName,
        consumers: &[OrganizationNumber],
    ) -> Result<Vec<Access>, StoreError> {
        if consumers.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "select scope, consumer_number, state, expires_at from access \
             where scope = $1 and consumer_number in ({})",
            places(2, consumers.len())
        );
        let mut query = query_of(sql).bind(scope.as_str());
        for consumer in consumers {
            query = query.bind(consumer.to_string());
        }
        self.reading().all::<AccessRow, _>(query.persistent(false)).await
    }

    /// How many organizations have access to a scope at `now`, and how many active clients have it.
    pub async fn scope_reach(
        &self,
        scope: &ScopeName,
        now: Timestamp,
    ) -> Result<ScopeReach, StoreError> {
        let (consumers, clients): (i64, i64) = query(
            "select (select count(*) from access where scope = $1 and state = 'APPROVED' \
             and (expires_at is null or expires_at > $2)), \
             (select count(*) from client_scope x join client c on c.id = x.client_id \
             where x.scope = $1 and c.active)",
        )
        .bind(scope.as_str())
        .bind(now.seconds())
        .fetch_one(&self.readers)
        .await?;
        let read = |count: i64| count.try_into().map_err(|e| StoreError::corrupt("access", &e));
        Ok(ScopeReach { consumers: read(consumers)?, clients: read(clients)? })
    }
}

impl Transaction {
    /// The access of that organization to that scope, as this change sees it.
    pub async fn access_case(
        &mut self,
        scope: &ScopeName,
        consumer: OrganizationNumber,
    ) -> Result<Option<Recorded<AccessCase>>, StoreError> {
        find(self.reading(), scope, consumer).await
    }

    /// Adds an access. [`StoreError::Conflict`] when there is one already, or no such scope.
    pub async fn insert_access(
        &mut self,
        case: &AccessCase,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        query(
            "insert into access (scope, consumer_number, state, expires_at, note, message, reason, \
             created_at, updated_at, taken_back) values ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)",
        )
        .bind(case.access.scope.as_str())
        .bind(case.access.consumer.as_str())
        .bind(case.access.state.name())
        .bind(case.access.expires_at.map(Timestamp::seconds))
        .bind(&case.note)
        .bind(&case.message)
        .bind(&case.reason)
        .bind(now.seconds())
        .bind(case.taken_back)
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
        let done = query(
            "update access set state = $3, expires_at = $4, note = $5, message = $6, reason = $7, \
             updated_at = $8, taken_back = $10, version = version + 1 \
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
        .bind(case.taken_back)
        .execute(self.connection())
        .await?;
        Self::met_one_row("access", done)
    }
}

async fn find(
    reading: Reading<'_>,
    scope: &ScopeName,
    consumer: OrganizationNumber,
) -> Result<Option<Recorded<AccessCase>>, StoreError> {
    let sql = format!(
        "select {CASE_COLUMNS} from scope s join access a on a.scope = s.name {CASE_JOINS} {USE_JOIN} \
         where a.scope = $1 and a.consumer_number = $2"
    );
    let find = query_of(sql).bind(scope.as_str()).bind(consumer.as_str());
    reading.one::<CaseRow, _>(find).await
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

impl TryFrom<UsedRow> for UsedAccess {
    type Error = StoreError;

    fn try_from(row: UsedRow) -> Result<Self, StoreError> {
        let last_used_at = row.used_at.map(Timestamp::from_seconds);
        Ok(Self { access: row.access.try_into()?, last_used_at })
    }
}

impl TryFrom<CaseRow> for Recorded<AccessCase> {
    type Error = StoreError;

    fn try_from(row: CaseRow) -> Result<Self, StoreError> {
        let owner = row.owner_number.parse().map_err(|e| StoreError::corrupt("scope", &e))?;
        let access = Access::try_from(row.access)?;
        Ok(Self {
            value: AccessCase {
                owner,
                owner_name: row.owner_name,
                description: row.description,
                consumer_name: row.consumer_name,
                note: row.note,
                message: row.message,
                // A version before this one decides without a word about it.
                taken_back: row.taken_back && access.state == AccessState::Denied,
                access,
                reason: row.reason,
                last_used_at: row.used_at.map(Timestamp::from_seconds),
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
        for mask in 0..64_u8 {
            let has = |bit: u8| mask & (1 << bit) != 0;
            let number: OrganizationNumber = "310000108".parse().unwrap();
            let filter = AccessFilter {
                owner: has(0).then_some(number),
                consumer: has(1).then_some(number),
                scope: has(2).then(|| "a:b".parse().unwrap()),
                state: has(3).then_some(AccessState::Requested),
                inactive: has(4),
                text: has(5).then(|| "c".to_owned()),
                after: None,
            };
            let plan = assert_indexed(&store, &filter.statement(), &format!("{filter:?}")).await;
            let by_consumer = has(1) && !has(2);
            let first =
                if by_consumer { "SEARCH a USING INDEX access_consumer" } else { "SEARCH s" };
            assert!(plan[0].starts_with(first), "{filter:?}: {plan:#?}");
            if !has(1) {
                assert_eq!(has(3), plan[1].contains("access_state"), "{filter:?}: {plan:#?}");
            }
        }
    }
}
