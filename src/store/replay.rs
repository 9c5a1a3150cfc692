//! Spent assertions. The insert is the lock, and it is durable when it returns.

use std::collections::HashSet;
use std::fmt::Write as _;

use sqlx::AssertSqlSafe;

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

impl Store {
    /// Spends assertions, all in one durable commit, and returns for each whether this was its first
    /// use. At most [`REPLAY_ROWS_MAX`] rows.
    pub async fn spend(&self, rows: &[ReplayRow]) -> Result<Vec<bool>, StoreError> {
        let mut insert = sqlx::query_scalar(AssertSqlSafe(insert_of(rows.len())));
        for row in rows {
            insert = insert.bind(row.id.as_str()).bind(row.keep_until.seconds());
        }
        let fresh: Vec<String> = insert.fetch_all(&self.writer).await?;
        let fresh: HashSet<&str> = fresh.iter().map(String::as_str).collect();
        Ok(rows.iter().map(|row| fresh.contains(row.id.as_str())).collect())
    }

    /// Forgets assertions that had to be remembered until before `now`, a slice at a time, and
    /// returns how many.
    pub async fn forget_spent(&self, now: Timestamp, rows_max: u32) -> Result<u64, StoreError> {
        let done = sqlx::query(
            "delete from replay where id in \
             (select id from replay where keep_until < $1 order by keep_until limit $2)",
        )
        .bind(now.seconds())
        .bind(i64::from(rows_max))
        .execute(&self.writer)
        .await?;
        Ok(done.rows_affected())
    }
}

/// The insert of `rows` rows. Only the number of placeholders varies, never text from outside.
fn insert_of(rows: usize) -> String {
    let mut sql = String::with_capacity(96 + rows * 12);
    sql.push_str("insert into replay (id, keep_until) values ");
    for row in 0..rows {
        let comma = if row == 0 { "" } else { "," };
        let _ = write!(sql, "{comma}(${},${})", 2 * row + 1, 2 * row + 2);
    }
    sql.push_str(" on conflict do nothing returning id");
    sql
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
        assert_eq!(store.spend(&[row("a", 10), row("b", 20)]).await.unwrap(), [true, true]);
        assert_eq!(store.spend(&[row("c", 30), row("a", 10)]).await.unwrap(), [true, false]);
        assert_eq!(store.forget_spent(Timestamp::from_seconds(20), 100).await.unwrap(), 1);
        assert_eq!(store.spend(&[row("a", 40), row("b", 40)]).await.unwrap(), [true, false]);
    }
}
