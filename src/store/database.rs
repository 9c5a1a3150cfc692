//! Either database, and statements that run on both.
//!
//! A [`Query`] is a text and the values of its parameters. The text is written once; which database runs it is
//! known where it is run, and nowhere else. Values are of the three types that both databases have by the same name,
//! so what does not run on both cannot be bound. Each database is spoken to by its own driver, with its own types.
//!
//! PostgreSQL is another machine, whose answers can fail to come: whoever asks it waits for a bounded time, and
//! then gives up the connection. SQLite is a file, and a statement that is given up would go on all the same.

use std::borrow::Cow;
use std::pin::Pin;
use std::time::Duration;

use sqlx::postgres::{PgArguments, PgConnection, PgPool, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqlitePool, SqliteRow};
use sqlx::{
    Arguments as _, AssertSqlSafe, Connection as _, FromRow, Postgres, SqlSafeStr, SqlStr, Sqlite,
};

use crate::store::StoreError;
use crate::store::value::Value;

/// How long anybody waits for an answer of PostgreSQL that has no bound of its own. Longer than PostgreSQL itself lets
/// a statement run, so that it is the network that has failed.
pub(super) const ANSWER_TIME_MAX: Duration = Duration::from_secs(6);

/// The first 32 bits of every advisory lock of this program, so that they are nobody else's: "port".
const LOCKS: i64 = 0x706f_7274 << 32;

/// Connections to either database.
#[derive(Clone, Debug)]
pub(super) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// One connection, beside any pool.
#[derive(Debug)]
pub(super) enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// A transaction under way. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub(super) enum Begun<'c> {
    Sqlite(sqlx::Transaction<'c, Sqlite>),
    Postgres(sqlx::Transaction<'c, Postgres>),
}

/// Where a statement is run.
pub(super) enum On<'c> {
    Sqlite(&'c mut SqliteConnection),
    SqlitePool(&'c SqlitePool),
    Postgres(&'c mut PgConnection),
    PostgresPool(&'c PgPool),
}

/// What is written one transaction at a time, whichever node does it.
///
/// SQLite lets one write at a time, and a transaction takes that lock when it begins, because a lock taken later can
/// fail in a way that no waiting mends. PostgreSQL lets many write: there each kind takes an advisory lock when it
/// begins, and PostgreSQL gives it back when the transaction has ended and everybody sees what it did. So whoever has
/// the lock sees all that was written before under it, and a number that is one above the highest leaves no gap,
/// belongs to one transaction, and rises in the order in which numbers become visible. A sequence would not do: it
/// hands out numbers before the commits, and a follower that has seen number 8 would never look for number 7.
#[derive(Clone, Copy, Debug)]
pub(super) enum Turn {
    /// Changes, with their numbers in the feed and the seals of the audit trail.
    Change,
    /// Spent assertions, with their numbers in the log.
    Replay,
    /// Last uses. Here and below the lock is there because two nodes that write the same rows in different orders
    /// would wait for each other.
    LastUse,
    /// Refused requests.
    RefusedRequest,
    /// Figures of usage.
    TokenUse,
}

/// A statement and the values of its parameters.
pub(super) struct Query<'v> {
    text: SqlStr,
    values: Vec<Value<'v>>,
    persistent: bool,
}

/// What can be read from a row of either database.
pub(super) trait Row:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}

impl<T> Row for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{}

/// A statement without values yet.
pub(super) fn query<'v>(text: impl SqlSafeStr) -> Query<'v> {
    Query { text: text.into_sql_str(), values: Vec::new(), persistent: true }
}

/// The same with a text that is put together. Only what this program has written may be in it.
pub(super) fn query_of<'v>(text: String) -> Query<'v> {
    query(AssertSqlSafe(text))
}

/// Rows that a statement writes to SQLite where many are to be written. It looks for a parameter by its name, among those
/// before it: a statement with ten times as many takes a hundred times as long for that. And while it runs, which takes
/// a fraction of a millisecond, nobody else writes.
pub(super) const ROWS_AT_ONCE_SQLITE: usize = 20;

/// The same of PostgreSQL, where all that counts is how often it is spoken to.
pub(super) const ROWS_AT_ONCE_POSTGRES: usize = 200;

/// The places of so many values, the first being that of parameter `first`: `$3, $4`. Only their number varies, never text
/// from outside.
pub(super) fn places(first: usize, count: usize) -> String {
    (first..first + count).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ")
}

/// The places of the values of so many rows: `($3, $4), ($5, $6)`.
pub(super) fn places_of_rows(first: usize, rows: usize, columns: usize) -> String {
    let row = |row: usize| format!("({})", places(first + row * columns, columns));
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// What a database is asked for, until it has answered. In a box, because callers would otherwise be as large as both
/// drivers together; and without its type, because the compiler would otherwise look through both drivers again for
/// each of hundreds of callers, which took a sixth of the time of a build.
type Running<'c, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'c>>;

/// Runs `$body` against whichever database it is, with the text, the driver's arguments and the connection. The
/// types of all three follow from the arm.
macro_rules! run {
    ($query:expr, $on:expr, |$text:ident, $arguments:ident, $connection:ident| $body:expr) => {{
        let (query, on): (Query<'_>, On<'_>) = ($query, $on.into());
        let running: Running<'_, _> = Box::pin(async move {
            match on {
                On::Sqlite($connection) => {
                    let ($text, $arguments) = query.of_sqlite()?;
                    Ok($body.await?)
                }
                On::SqlitePool($connection) => {
                    let ($text, $arguments) = query.of_sqlite()?;
                    Ok($body.await?)
                }
                On::Postgres($connection) => {
                    let ($text, $arguments) = query.of_postgres()?;
                    in_time(ANSWER_TIME_MAX, $body).await
                }
                On::PostgresPool($connection) => {
                    let ($text, $arguments) = query.of_postgres()?;
                    in_time(ANSWER_TIME_MAX, $body).await
                }
            }
        });
        running.await
    }};
}

/// Adds the values to the driver's arguments; `$text` is how a text is handed to it.
macro_rules! arguments {
    ($arguments:ty, $values:expr, $text:expr) => {{
        let mut arguments = <$arguments>::default();
        for value in $values {
            let added = match value {
                Value::Boolean(value) => arguments.add(value),
                Value::Number(value) => arguments.add(value),
                Value::Text(value) => arguments.add(value.map($text)),
            };
            added.map_err(sqlx::Error::Encode)?;
        }
        arguments
    }};
}

impl<'v> Query<'v> {
    /// The value of the next parameter.
    pub(super) fn bind(mut self, value: impl Into<Value<'v>>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Whether the connection keeps it prepared; it does unless it is told not to.
    pub(super) fn persistent(mut self, persistent: bool) -> Self {
        self.persistent = persistent;
        self
    }

    /// Runs it, and returns how many rows it has changed.
    pub(super) async fn execute<'c>(self, on: impl Into<On<'c>>) -> Result<u64, StoreError> {
        let keep = self.persistent;
        run!(self, on, |text, arguments, connection| async {
            let query = sqlx::query_with(text, arguments).persistent(keep);
            Ok::<_, sqlx::Error>(query.execute(connection).await?.rows_affected())
        })
    }

    /// Its rows.
    pub(super) async fn fetch_all<'c, T: Row>(
        self,
        on: impl Into<On<'c>>,
    ) -> Result<Vec<T>, StoreError> {
        let keep = self.persistent;
        run!(self, on, |text, arguments, connection| sqlx::query_as_with(text, arguments)
            .persistent(keep)
            .fetch_all(connection))
    }

    /// Its first row, if it has one.
    pub(super) async fn fetch_optional<'c, T: Row>(
        self,
        on: impl Into<On<'c>>,
    ) -> Result<Option<T>, StoreError> {
        let keep = self.persistent;
        run!(self, on, |text, arguments, connection| sqlx::query_as_with(text, arguments)
            .persistent(keep)
            .fetch_optional(connection))
    }

    /// Its only row.
    pub(super) async fn fetch_one<'c, T: Row>(
        self,
        on: impl Into<On<'c>>,
    ) -> Result<T, StoreError> {
        self.fetch_optional(on).await?.ok_or_else(|| sqlx::Error::RowNotFound.into())
    }

    /// Its text with the values written into it, as PostgreSQL reads them.
    fn with_literals(&self) -> String {
        let mut parts = self.text.as_str().split('$');
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (number, rest) = part.split_at(digits);
            let place = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            match place.and_then(|place| self.values.get(place)) {
                Some(value) => text.push_str(&literal(value)),
                // PostgreSQL will say that there is no such parameter.
                None => text.extend(["$", number]),
            }
            text.push_str(rest);
        }
        text
    }

    fn of_sqlite(self) -> Result<(SqlStr, SqliteArguments), StoreError> {
        Ok((self.text, arguments!(SqliteArguments, self.values, |text| text)))
    }

    fn of_postgres(self) -> Result<(SqlStr, PgArguments), StoreError> {
        Ok((self.text, arguments!(PgArguments, self.values, without_null)))
    }
}

/// A value as PostgreSQL reads it in a statement, whatever it is told about backslashes.
fn literal(value: &Value<'_>) -> String {
    let null = || "null".to_owned();
    match value {
        Value::Boolean(value) => value.map_or_else(null, |value| value.to_string()),
        Value::Number(value) => value.map_or_else(null, |value| format!("({value})")),
        Value::Text(None) => null(),
        Value::Text(Some(text)) => {
            let text = without_null(Cow::Borrowed(text));
            format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
        }
    }
}

/// A text of PostgreSQL holds no null character. Nothing that is kept has one, and what is looked for would not be
/// found either way.
fn without_null(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text }
}

/// Waits so long for PostgreSQL.
pub(super) async fn in_time<T, E: Into<StoreError>>(
    most: Duration,
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, StoreError> {
    if let Ok(answer) = tokio::time::timeout(most, answer).await {
        return answer.map_err(Into::into);
    }
    let problem = format!("PostgreSQL has not answered within {} ms", most.as_millis());
    Err(sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, problem)).into())
}

impl Pool {
    /// Begins a transaction that writes.
    pub(super) fn begin(&self, turn: Turn) -> Running<'_, Begun<'static>> {
        Box::pin(async move {
            match self {
                Self::Sqlite(pool) => Ok(Begun::Sqlite(pool.begin_with(BEGIN_IMMEDIATE).await?)),
                Self::Postgres(pool) => {
                    let mut begun = Begun::Postgres(in_time(ANSWER_TIME_MAX, pool.begin()).await?);
                    take_turn(&mut begun, turn).await?;
                    Ok(begun)
                }
            }
        })
    }

    /// Begins a transaction that reads everything as of one moment.
    pub(super) fn snapshot(&self) -> Running<'_, Begun<'static>> {
        Box::pin(async move {
            match self {
                Self::Sqlite(pool) => Ok(Begun::Sqlite(pool.begin().await?)),
                Self::Postgres(pool) => {
                    let begin = pool.begin_with("begin isolation level repeatable read, read only");
                    Ok(Begun::Postgres(in_time(ANSWER_TIME_MAX, begin).await?))
                }
            }
        })
    }

    pub(super) fn is_closed(&self) -> bool {
        match self {
            Self::Sqlite(pool) => pool.is_closed(),
            Self::Postgres(pool) => pool.is_closed(),
        }
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

const BEGIN_IMMEDIATE: &str = "begin immediate";

impl Turn {
    /// The number of its advisory lock.
    fn lock(self) -> i64 {
        LOCKS
            + match self {
                Self::Change => 1,
                Self::Replay => 2,
                Self::LastUse => 3,
                Self::RefusedRequest => 4,
                Self::TokenUse => 5,
            }
    }
}

async fn take_turn(begun: &mut Begun<'_>, turn: Turn) -> Result<(), StoreError> {
    advisory_lock(turn).execute(begun.on()).await.map(|_| ())
}

fn advisory_lock<'v>(turn: Turn) -> Query<'v> {
    query("select pg_advisory_xact_lock($1)").bind(turn.lock())
}

/// Takes, on PostgreSQL, the turn of everything that is numbered.
pub(super) fn advisory_locks<'v>() -> [Query<'v>; 2] {
    [Turn::Change, Turn::Replay].map(advisory_lock)
}

/// Runs statements on PostgreSQL as one message, as each further one would be as long on its way again, and returns the
/// rows of all.
pub(super) async fn at_once<'v>(
    connection: &mut PgConnection,
    statements: impl IntoIterator<Item = Query<'v>>,
) -> Result<Vec<PgRow>, StoreError> {
    let texts = statements.into_iter().map(|statement| statement.with_literals());
    let text = texts.collect::<Vec<_>>().join("; ");
    in_time(ANSWER_TIME_MAX, sqlx::raw_sql(AssertSqlSafe(text)).fetch_all(connection)).await
}

impl Connection {
    /// Begins a transaction that writes. Dropped before it has ended, it takes the connection with it.
    pub(super) async fn begin(&mut self, turn: Turn) -> Result<Begun<'_>, StoreError> {
        match self {
            Self::Sqlite(connection) => {
                Ok(Begun::Sqlite(connection.begin_with(BEGIN_IMMEDIATE).await?))
            }
            Self::Postgres(connection) => {
                let mut begun =
                    Begun::Postgres(in_time(ANSWER_TIME_MAX, connection.begin()).await?);
                take_turn(&mut begun, turn).await?;
                Ok(begun)
            }
        }
    }
}

impl Connection {
    /// Runs one statement that writes, as a transaction of its own, and returns its only row. When this returns, what
    /// was written lasts.
    pub(super) async fn fetch_alone<T: Row>(
        &mut self,
        turn: Turn,
        statement: Query<'_>,
    ) -> Result<T, StoreError> {
        let rows = match self {
            // All rows are asked for, because it is the end of the statement that commits.
            Self::Sqlite(connection) => statement.fetch_all(On::Sqlite(connection)).await?,
            Self::Postgres(connection) => {
                let (begin, commit) = (query("BEGIN"), query("COMMIT"));
                let all =
                    at_once(connection, [begin, advisory_lock(turn), statement, commit]).await?;
                // The first row is that of the lock.
                all.iter().skip(1).map(T::from_row).collect::<Result<_, _>>()?
            }
        };
        rows.into_iter().next().ok_or_else(|| sqlx::Error::RowNotFound.into())
    }

    /// Runs one statement that writes, as a transaction of its own, and returns how many rows it has changed.
    pub(super) async fn execute_alone(
        &mut self,
        turn: Turn,
        statement: Query<'_>,
    ) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(connection) => statement.execute(On::Sqlite(connection)).await,
            Self::Postgres(_) => {
                let mut begun = self.begin(turn).await?;
                let rows = statement.execute(begun.on()).await?;
                begun.commit().await?;
                Ok(rows)
            }
        }
    }
}

impl<'c> Begun<'c> {
    /// To run a statement in it.
    pub(super) fn on(&mut self) -> On<'_> {
        match self {
            Self::Sqlite(transaction) => On::Sqlite(transaction),
            Self::Postgres(transaction) => On::Postgres(transaction),
        }
    }

    /// Has it bear that nobody asks anything for up to a minute: where a backup is written to or read from a disk or a network
    /// may stand still.
    pub(super) async fn bear_pauses(&mut self) -> Result<(), StoreError> {
        if let Self::Postgres(transaction) = self {
            let idle = sqlx::raw_sql("set local idle_in_transaction_session_timeout = 60000");
            in_time(ANSWER_TIME_MAX, idle.execute(&mut **transaction)).await?;
        }
        Ok(())
    }

    /// Makes what was done last. An error leaves it unknown whether it did.
    pub(super) fn commit(self) -> Running<'c, ()> {
        Box::pin(async move {
            match self {
                Self::Sqlite(transaction) => Ok(transaction.commit().await?),
                Self::Postgres(transaction) => in_time(ANSWER_TIME_MAX, transaction.commit()).await,
            }
        })
    }
}

impl On<'_> {
    /// The same, for the first of two statements.
    pub(super) fn again(&mut self) -> On<'_> {
        match self {
            Self::Sqlite(connection) => On::Sqlite(connection),
            Self::SqlitePool(pool) => On::SqlitePool(pool),
            Self::Postgres(connection) => On::Postgres(connection),
            Self::PostgresPool(pool) => On::PostgresPool(pool),
        }
    }
}

impl<'c> From<&'c Pool> for On<'c> {
    fn from(pool: &'c Pool) -> Self {
        match pool {
            Pool::Sqlite(pool) => Self::SqlitePool(pool),
            Pool::Postgres(pool) => Self::PostgresPool(pool),
        }
    }
}

impl<'c> From<&'c mut Connection> for On<'c> {
    fn from(connection: &'c mut Connection) -> Self {
        match connection {
            Connection::Sqlite(connection) => Self::Sqlite(connection),
            Connection::Postgres(connection) => Self::Postgres(connection),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_a_text_are_what_they_are_and_nothing_else() {
        let hostile = "a'; drop table client; -- \\' $1 \0";
        let text = query("values ($2, $1, $3, $4, '$', $5)")
            .bind(hostile)
            .bind(-7)
            .bind(true)
            .bind(None::<i64>)
            .with_literals();
        assert_eq!(
            text,
            "values ((-7), E'a''; drop table client; -- \\\\'' $1 \u{fffd}', true, null, '$', $5)"
        );
    }
}
