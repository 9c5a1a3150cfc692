//! Looks at how many tokens were issued. What each shows is bounded by what it is asked for; who may ask is decided
//! by whoever calls.

use std::collections::BTreeMap;
use std::str::FromStr;

use sqlx::FromRow;

use crate::domain::client::ClientId;
use crate::domain::organization::OrganizationNumber;
use crate::domain::scope::ScopeName;
use crate::domain::usage::{Consumer, ConsumerTokens, Day, DayTokens, ScopeTokens};
use crate::store::database::{places, places_of_rows, query, query_of};
use crate::store::{Store, StoreError};

/// The most things whose tokens are counted in one statement: those of the longest page.
const COUNTED_MAX: usize = 500;

// A sum is cast because PostgreSQL gives that of a bigint another type.

const DAYS_OF_SCOPE_BY_BUSINESSES: &str = "select day, cast(sum(tokens) as bigint) as tokens from business_token_use \
     where scope = $1 and day >= $2 group by day order by day";

/// The same sort as of organizations; nobody is registered here whose name could be looked up.
const BUSINESSES_OF_SCOPE: &str = "select organization_identifier, cast(sum(tokens) as bigint) as tokens \
     from business_token_use where scope = $1 and day >= $2 group by organization_identifier \
     order by tokens desc, organization_identifier limit $3";

const OF_OWNER_BY_BUSINESSES: &str = "select s.name as scope, cast(sum(u.tokens) as bigint) as tokens \
     from scope s cross join business_token_use u where u.scope = s.name and u.day >= $2 and s.owner_number = $1 \
     group by s.name";

const DAYS_OF_SCOPE: &str = "select day, cast(sum(tokens) as bigint) as tokens from token_use \
     where scope = $1 and day >= $2 group by day order by day";

/// The one look that sorts: by how many tokens the consumers of one scope have, once the sums are made.
const CONSUMERS_OF_SCOPE: &str = "select u.consumer_number, o.name, u.tokens from \
     (select consumer_number, cast(sum(tokens) as bigint) as tokens from token_use \
     where scope = $1 and day >= $2 group by consumer_number \
     order by tokens desc, consumer_number limit $3) u \
     left join organization o on o.number = u.consumer_number \
     order by u.tokens desc, u.consumer_number";

const OF_CLIENT: &str = "select day, scope, cast(sum(tokens) as bigint) as tokens from token_use \
     where client_id = $1 and day >= $2 group by day, scope order by day, scope";

const OF_CONSUMER: &str = "select scope, cast(sum(tokens) as bigint) as tokens from token_use \
     where consumer_number = $1 and day >= $2 group by scope";

/// A cross join is a join whose order SQLite does not change: scope by scope, as they are grouped.
const OF_OWNER: &str = "select s.name as scope, cast(sum(u.tokens) as bigint) as tokens \
     from scope s cross join token_use u where u.scope = s.name and u.day >= $2 and s.owner_number = $1 \
     group by s.name";

#[derive(FromRow)]
struct DayRow {
    day: i64,
    tokens: i64,
}

#[derive(FromRow)]
struct ConsumerRow {
    consumer_number: String,
    name: Option<String>,
    tokens: i64,
}

#[derive(FromRow)]
struct ScopeRow {
    scope: String,
    tokens: i64,
}

#[derive(FromRow)]
struct ScopeDayRow {
    day: i64,
    #[sqlx(flatten)]
    of_scope: ScopeRow,
}

impl Store {
    /// Tokens with a scope, day by day from `first` on, without the days that had none.
    pub async fn usage_of_scope_by_day(
        &self,
        scope: &ScopeName,
        first: Day,
    ) -> Result<Vec<DayTokens>, StoreError> {
        let mut days = BTreeMap::new();
        for select in [DAYS_OF_SCOPE, DAYS_OF_SCOPE_BY_BUSINESSES] {
            let rows: Vec<DayRow> = query(select)
                .bind(scope.as_str())
                .bind(first.number())
                .fetch_all(&self.readers)
                .await?;
            for row in rows {
                *days.entry(row.day).or_insert(0) += count(row.tokens)?;
            }
        }
        let days = days.into_iter();
        Ok(days.map(|(day, tokens)| DayTokens { day: Day::from_number(day), tokens }).collect())
    }

    /// The consumers that have the most tokens with a scope from `first` on, the most first, at most `limit`.
    pub async fn usage_of_scope_by_consumer(
        &self,
        scope: &ScopeName,
        first: Day,
        limit: u32,
    ) -> Result<Vec<ConsumerTokens>, StoreError> {
        let rows: Vec<ConsumerRow> = query(CONSUMERS_OF_SCOPE)
            .bind(scope.as_str())
            .bind(first.number())
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await?;
        let businesses: Vec<(String, i64)> = query(BUSINESSES_OF_SCOPE)
            .bind(scope.as_str())
            .bind(first.number())
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await?;
        let organizations = rows.into_iter().map(ConsumerTokens::try_from);
        let businesses = businesses.into_iter().map(|(identifier, tokens)| {
            let consumer = Consumer::Business(read(&identifier)?);
            Ok(ConsumerTokens { consumer, name: None, tokens: count(tokens)? })
        });
        let mut most = organizations.chain(businesses).collect::<Result<Vec<_>, _>>()?;
        most.sort_by(|a, b| b.tokens.cmp(&a.tokens).then_with(|| a.consumer.cmp(&b.consumer)));
        most.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(most)
    }

    /// Tokens of a client by day and scope, from `first` on.
    pub async fn usage_of_client(
        &self,
        client: &ClientId,
        first: Day,
    ) -> Result<Vec<(ScopeName, DayTokens)>, StoreError> {
        let rows: Vec<ScopeDayRow> = query(OF_CLIENT)
            .bind(client.as_str())
            .bind(first.number())
            .fetch_all(&self.readers)
            .await?;
        let of_day = |row: ScopeDayRow| {
            let ScopeTokens { scope, tokens, .. } = row.of_scope.try_into()?;
            Ok((scope, DayTokens { day: Day::from_number(row.day), tokens }))
        };
        rows.into_iter().map(of_day).collect()
    }

    /// Tokens that stand for a consumer, by scope, from `first` on.
    pub async fn usage_of_consumer(
        &self,
        consumer: OrganizationNumber,
        first: Day,
    ) -> Result<Vec<ScopeTokens>, StoreError> {
        self.by_scope(OF_CONSUMER, consumer, first).await
    }

    /// Tokens with the scopes of an owner, by scope, from `first` on.
    pub async fn usage_of_owner(
        &self,
        owner: OrganizationNumber,
        first: Day,
    ) -> Result<Vec<ScopeTokens>, StoreError> {
        let mut scopes = self.by_scope(OF_OWNER, owner, first).await?;
        for of in self.by_scope(OF_OWNER_BY_BUSINESSES, owner, first).await? {
            match scopes.iter_mut().find(|it| it.scope == of.scope) {
                Some(scope) => scope.tokens += of.tokens,
                None => scopes.push(of),
            }
        }
        Ok(scopes)
    }

    async fn by_scope(
        &self,
        select: &'static str,
        organization: OrganizationNumber,
        first: Day,
    ) -> Result<Vec<ScopeTokens>, StoreError> {
        let rows: Vec<ScopeRow> = query(select)
            .bind(organization.as_str())
            .bind(first.number())
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter().map(ScopeTokens::try_from).collect()
    }

    /// How many tokens there were from `first` on for each of these clients that `organization` has, or anybody.
    pub async fn tokens_of_clients(
        &self,
        clients: &[ClientId],
        organization: Option<OrganizationNumber>,
        first: Day,
    ) -> Result<BTreeMap<ClientId, u64>, StoreError> {
        let organization = organization.map(String::from);
        let mut counts = BTreeMap::new();
        for clients in clients.chunks(COUNTED_MAX) {
            let select = of_clients(clients.len(), organization.is_some());
            let mut select =
                query_of(select).persistent(false).bind(first.number()).bind(&organization);
            for client in clients {
                select = select.bind(client.as_str());
            }
            let rows: Vec<(String, i64)> = select.fetch_all(&self.readers).await?;
            for (client, tokens) in rows {
                counts.insert(read(&client)?, count(tokens)?);
            }
        }
        Ok(counts)
    }

    /// How many tokens there were from `first` on with each scope for the consumer beside it, if `party` is that
    /// consumer or owns the scope, or whoever it is.
    pub async fn tokens_of_accesses(
        &self,
        accesses: &[(ScopeName, OrganizationNumber)],
        party: Option<OrganizationNumber>,
        first: Day,
    ) -> Result<BTreeMap<(ScopeName, OrganizationNumber), u64>, StoreError> {
        let party = party.map(String::from);
        let mut counts = BTreeMap::new();
        for accesses in accesses.chunks(COUNTED_MAX) {
            let select = of_accesses(accesses.len(), party.is_some());
            let mut select = query_of(select).persistent(false).bind(first.number()).bind(&party);
            for (scope, consumer) in accesses {
                select = select.bind(scope.as_str()).bind(consumer.as_str());
            }
            let rows: Vec<(String, String, i64)> = select.fetch_all(&self.readers).await?;
            for (scope, consumer, tokens) in rows {
                counts.insert((read(&scope)?, read(&consumer)?), count(tokens)?);
            }
        }
        Ok(counts)
    }
}

// Statements for so many keys.

fn of_clients(keys: usize, is_owned: bool) -> String {
    let owned = if is_owned { "and c.organization_number = $2" } else { "" };
    format!(
        "select c.id, (select cast(coalesce(sum(u.tokens), 0) as bigint) from token_use u \
         where u.client_id = c.id and u.day >= $1) from client c where c.id in ({}) {owned}",
        places(3, keys)
    )
}

fn of_accesses(keys: usize, is_between: bool) -> String {
    let party = if is_between { "and (w.consumer = $2 or s.owner_number = $2)" } else { "" };
    format!(
        "with wanted (scope, consumer) as (values {}) \
         select w.scope, w.consumer, (select cast(coalesce(sum(u.tokens), 0) as bigint) from token_use u \
         where u.consumer_number = w.consumer and u.scope = w.scope and u.day >= $1) \
         from wanted w cross join scope s where s.name = w.scope {party}",
        places_of_rows(3, keys, 2)
    )
}

fn count(tokens: i64) -> Result<u64, StoreError> {
    u64::try_from(tokens).map_err(|error| StoreError::corrupt("token_use", &error))
}

fn read<T: FromStr<Err: ToString>>(text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|error: T::Err| StoreError::corrupt("token_use", &error))
}

impl TryFrom<ConsumerRow> for ConsumerTokens {
    type Error = StoreError;

    fn try_from(row: ConsumerRow) -> Result<Self, StoreError> {
        let (number, tokens) = (read(&row.consumer_number)?, count(row.tokens)?);
        Ok(Self { consumer: Consumer::Organization(number), name: row.name, tokens })
    }
}

impl TryFrom<ScopeRow> for ScopeTokens {
    type Error = StoreError;

    fn try_from(row: ScopeRow) -> Result<Self, StoreError> {
        Ok(Self { scope: read(&row.scope)?, tokens: count(row.tokens)?, days: Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{assert_indexed, migrated, plan_of};

    #[tokio::test]
    async fn no_look_reads_everything_or_sorts() {
        let (store, _folder) = migrated().await;
        for (what, statement, index) in [
            ("days of a scope", DAYS_OF_SCOPE.to_owned(), "(scope=? AND day>?)"),
            (
                "days of a scope, by businesses",
                DAYS_OF_SCOPE_BY_BUSINESSES.to_owned(),
                "(scope=? AND day>?)",
            ),
            ("owner, by businesses", OF_OWNER_BY_BUSINESSES.to_owned(), "(scope=? AND day>?)"),
            ("client", OF_CLIENT.to_owned(), "token_use_client (client_id=? AND day>?)"),
            ("consumer", OF_CONSUMER.to_owned(), "token_use_consumer (consumer_number=?)"),
            ("owner", OF_OWNER.to_owned(), "(scope=? AND day>?)"),
            ("clients", of_clients(50, false), "token_use_client (client_id=? AND day>?)"),
            ("own clients", of_clients(50, true), "token_use_client (client_id=? AND day>?)"),
        ] {
            let plan = assert_indexed(&store, &statement, what).await;
            assert!(plan.iter().any(|line| line.ends_with(index)), "{what}: {plan:#?}");
        }
    }

    #[tokio::test]
    async fn a_look_that_sorts_its_sums_or_has_a_list_of_its_own_reads_tables_by_index_all_the_same()
     {
        let (store, _folder) = migrated().await;
        for (what, statement, index) in [
            ("consumers of a scope", CONSUMERS_OF_SCOPE.to_owned(), "(scope=? AND day>?)"),
            ("businesses of a scope", BUSINESSES_OF_SCOPE.to_owned(), "(scope=? AND day>?)"),
            ("accesses", of_accesses(50, false), "(consumer_number=? AND scope=? AND day>?)"),
            ("own accesses", of_accesses(50, true), "(consumer_number=? AND scope=? AND day>?)"),
        ] {
            let plan = plan_of(&store, &statement).await;
            assert!(plan.iter().any(|line| line.ends_with(index)), "{what}: {plan:#?}");
            // The sums, the list, and the values that it is made of.
            let own = |line: &String| {
                ["SCAN u", "SCAN w"].contains(&line.as_str()) || line.ends_with("CONSTANT ROWS")
            };
            let bad = plan.iter().any(|line| line.contains("SCAN") && !own(line));
            assert!(!bad, "{what}: {plan:#?}");
        }
    }
}
