//! Spent assertions. The insert is the lock, and it is durable when it returns.

use std::collections::HashSet;

use sqlx::{AssertSqlSafe, ConnectOptions as _, SqliteConnection, SqlitePool};

use crate::clock::Timestamp;
use crate::store::{Store, StoreError};

/// The most rows of one insert. More would make a request wait longer for its neighbours than a
/// commit takes; every size has its own prepared statement.
pub const REPLAY_ROWS_MAX: usize = 128;

/// An assertion to be spent.
#[derive(Clone, Debug)]
pub struct ReplayRow {
    /// What identifies it; two of the same in one batch are a mistake of the caller.
    pub id: String,
    /// Until when its use must be remembered.
    pub keep_until: Timestamp,
}

/// Writes spent assertions over a connection of its own. A connection from the pool would be tested before
/// and after each use, and the two tests cost more than the insert.
#[derive(Debug)]
pub struct ReplayWriter {
    pool: SqlitePool,
    connection: Option<SqliteConnection>,
}

impl Store {
    /// A writer of spent assertions; it connects when it is first used.
    pub fn replay_writer(&self) -> ReplayWriter {
        ReplayWriter { pool: self.writer.clone(), connection: None }
    }
}

impl ReplayWriter {
    /// Spends assertions, all in one durable commit, and returns for each whether this was its first
    /// use. At most [`REPLAY_ROWS_MAX`] rows, and a number for the batch that no other batch has.
    ///
    /// After an error nobody knows which of them have been spent, and the next use connects afresh.
    pub async fn spend(&mut self, rows: &[ReplayRow], batch: i64) -> Result<Vec<bool>, StoreError> {
        let mut connection = self.connect().await?;
        let spent = spend(&mut connection, rows, batch).await?;
        self.connection = Some(connection);
        Ok(spent)
    }

    /// Forgets assertions that had to be remembered until before `now`, a slice at a time, and
    /// returns how many.
    pub async fn forget(&mut self, now: Timestamp, rows_max: u32) -> Result<u64, StoreError> {
        let mut connection = self.connect().await?;
        let done = sqlx::query(
            "delete from replay where id in \
             (select id from replay where keep_until < $1 order by keep_until limit $2)",
        )
        .bind(now.seconds())
        .bind(i64::from(rows_max))
        .execute(&mut connection)
        .await?;
        self.connection = Some(connection);
        Ok(done.rows_affected())
    }

    /// The connection, taken out: whoever ends well puts it back. Nothing is written once the store is
    /// closed.
    async fn connect(&mut self) -> Result<SqliteConnection, StoreError> {
        if self.pool.is_closed() {
            return Err(sqlx::Error::PoolClosed.into());
        }
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => Ok(self.pool.connect_options().connect().await?),
        }
    }
}

async fn spend(
    connection: &mut SqliteConnection,
    rows: &[ReplayRow],
    batch: i64,
) -> Result<Vec<bool>, StoreError> {
    let mut insert = sqlx::query(AssertSqlSafe(insert_of(rows.len()))).bind(batch);
    for row in rows {
        insert = insert.bind(row.id.as_str()).bind(row.keep_until.seconds());
    }
    let inserted = insert.execute(&mut *connection).await?.rows_affected();
    if usize::try_from(inserted) == Ok(rows.len()) {
        // The common case costs no second statement: handing rows back is dearer than writing them.
        return Ok(vec![true; rows.len()]);
    }
    let mut select = sqlx::query_scalar(AssertSqlSafe(select_of(rows.len()))).bind(batch);
    for row in rows {
        select = select.bind(row.id.as_str());
    }
    let fresh: Vec<String> = select.fetch_all(connection).await?;
    let fresh: HashSet<&str> = fresh.iter().map(String::as_str).collect();
    Ok(rows.iter().map(|row| fresh.contains(row.id.as_str())).collect())
}

/// The insert of `rows` rows. Only the number of placeholders varies, never text from outside.
fn insert_of(rows: usize) -> String {
    let values = |row| format!("(${}, ${}, $1)", 2 * row + 2, 2 * row + 3);
    let values: Vec<String> = (0..rows).map(values).collect();
    let values = values.join(", ");
    format!("insert into replay (id, keep_until, batch) values {values} on conflict do nothing")
}

/// The select that tells which of `rows` rows a batch has inserted.
fn select_of(rows: usize) -> String {
    let ids: Vec<String> = (0..rows).map(|row| format!("${}", row + 2)).collect();
    format!("select id from replay where batch = $1 and id in ({})", ids.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, keep_until: i64) -> ReplayRow {
        ReplayRow { id: id.to_owned(), keep_until: Timestamp::from_seconds(keep_until) }
    }

    #[tokio::test]
    async fn an_assertion_is_fresh_once_until_it_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("a.db")).await.unwrap();
        store.migrate().await.unwrap();
        let mut writer = store.replay_writer();
        assert_eq!(writer.spend(&[row("a", 10), row("b", 20)], 1).await.unwrap(), [true, true]);
        assert_eq!(writer.spend(&[row("c", 30), row("a", 10)], 2).await.unwrap(), [true, false]);
        assert_eq!(writer.forget(Timestamp::from_seconds(20), 100).await.unwrap(), 1);
        assert_eq!(writer.spend(&[row("a", 40), row("b", 40)], 3).await.unwrap(), [true, false]);
    }
}
