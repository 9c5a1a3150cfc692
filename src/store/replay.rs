//! The log of spent assertions. An append is durable when it returns.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::Timestamp;
use crate::store::database::{Turn, in_time, query};
use crate::store::side_connection::{Durability, SideConnection};
use crate::store::{Store, StoreError, fence};

/// What identifies an assertion among all that can still be used: a SHA-256 hash.
pub type SpentId = [u8; 32];

/// The most rows of the log that are read at once; of fewer, the last is the last that there is.
pub(crate) const ROWS_READ: usize = 1_000;

/// How long PostgreSQL may take for an append or a page of the log, with connecting and with the appends of other nodes
/// before it. Whoever waits for it would rather be told 503 within a second.
const APPEND_TIME_MAX: Duration = Duration::from_millis(800);

/// A row of the log: what one commit has spent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReplayRow {
    /// Its number. Rows with lower numbers were committed before.
    pub seq: i64,
    /// Until when it must be remembered.
    pub keep_until: Timestamp,
    /// What was spent.
    pub ids: Vec<SpentId>,
}

/// Reads and writes the log over a connection of its own: the tests of one from the pool would cost more than the
/// append.
#[derive(Debug)]
pub struct ReplayLog {
    connection: SideConnection,
    /// The table that the connection has appended to last, as PostgreSQL numbers them.
    table: Option<i64>,
    /// Whether numbers have begun again, and the fence has not been set for that.
    owes_fence: bool,
}

/// What an append returns: its number, when the fence was set, and which table it has gone to, which only PostgreSQL can
/// say. A database can become another one under a connection that goes on: a restore fills it anew, and sets the fence;
/// and a dump that is put back makes the table anew.
const APPEND: &str = "insert into replay_log (seq, keep_until, ids) \
     select coalesce(max(seq), 0) + 1, $1, $2 from replay_log \
     returning seq, (select set_at from fence), 0";
const APPEND_POSTGRES: &str = "insert into replay_log (seq, keep_until, ids) \
     select coalesce(max(seq), 0) + 1, $1, $2 from replay_log \
     returning seq, (select set_at from fence), cast(tableoid as bigint)";

/// What has been found when it is another table.
const REPLACED: &str = "its table of spent assertions is another one than before: the database was restored while this \
     node was running, and is looked at anew";

impl Store {
    /// The log of spent assertions; it connects when it is first used.
    pub fn replay_log(&self) -> ReplayLog {
        let connection = SideConnection::new(self, Durability::Full);
        ReplayLog { connection, table: None, owes_fence: false }
    }
}

impl ReplayLog {
    /// Whether it is reached over connections, which can die.
    pub fn is_remote(&self) -> bool {
        self.connection.is_remote()
    }

    /// Appends a row and returns its number, one above that of the row before, whoever wrote that. After an
    /// error nobody knows whether the row is there, and the next use connects afresh.
    pub async fn append(
        &mut self,
        ids: &[SpentId],
        keep_until: Timestamp,
    ) -> Result<i64, StoreError> {
        let is_remote = self.connection.is_remote();
        let appended = self.append_row(ids, keep_until);
        if is_remote { in_time(APPEND_TIME_MAX, appended).await } else { appended.await }
    }

    /// When it became certain that what was spent before may have been forgotten, as of the last append; what was
    /// issued until then cannot be trusted.
    pub fn fenced_at(&self) -> Option<Timestamp> {
        Some(self.connection.fenced_at()).filter(|at| *at > 0).map(Timestamp::from_seconds)
    }

    async fn append_row(
        &mut self,
        ids: &[SpentId],
        keep_until: Timestamp,
    ) -> Result<i64, StoreError> {
        let known = self.table.take().filter(|_| self.connection.is_connected());
        let mut connection = self.connection.take().await?;
        let append = query(if self.connection.is_remote() { APPEND_POSTGRES } else { APPEND })
            .bind(keep_until.seconds())
            .bind(URL_SAFE_NO_PAD.encode(ids.as_flattened()));
        let appended = connection.fetch_alone(Turn::Replay, append).await?;
        let (seq, fenced_at, table): (i64, i64, i64) = appended;
        if known.is_some_and(|known| known != table) {
            // Whoever connects compares the histories, and sets the fence.
            return Err(StoreError::Unsuitable(REPLACED.to_owned()));
        }
        self.connection.note_fence(fenced_at);
        self.connection.put_back(connection);
        self.table = Some(table);
        Ok(seq)
    }

    /// The same for somebody who has read all rows up to `read_to`. Where the new row has such a number, an older copy of the
    /// database is in its place: the fence is set before anything else is appended, because what the copy does not know to be
    /// spent lies before it.
    pub async fn append_after(
        &mut self,
        read_to: i64,
        ids: &[SpentId],
        keep_until: Timestamp,
    ) -> Result<i64, StoreError> {
        let seq = self.append(ids, keep_until).await?;
        self.owes_fence |= seq <= read_to;
        if !self.owes_fence {
            return Ok(seq);
        }
        self.fence_older(read_to).await?;
        self.owes_fence = false;
        self.append(ids, keep_until).await
    }

    /// The number of the newest row, which is never dropped; zero where there is none.
    pub async fn latest(&mut self) -> Result<i64, StoreError> {
        let mut connection = self.connection.take().await?;
        let latest = query("select coalesce(max(seq), 0) from replay_log");
        let (seq,) = in_time(APPEND_TIME_MAX, latest.fetch_one(&mut *connection)).await?;
        self.connection.put_back(connection);
        Ok(seq)
    }

    /// Sets the fence because rows up to `read_to` have been read, and there are fewer, or new ones have such numbers.
    pub async fn fence_older(&mut self, read_to: i64) -> Result<(), StoreError> {
        let mut connection = self.connection.take().await?;
        in_time(APPEND_TIME_MAX, fence::older_log(&mut connection, read_to)).await?;
        self.connection.put_back(connection);
        Ok(())
    }

    /// Rows after the row `after` and before the row `before`, in their order, at most a thousand.
    pub async fn rows_between(
        &mut self,
        after: i64,
        before: i64,
    ) -> Result<Vec<ReplayRow>, StoreError> {
        let is_remote = self.connection.is_remote();
        let rows = self.rows(after, before);
        let rows = if is_remote { in_time(APPEND_TIME_MAX, rows).await } else { rows.await };
        rows?.into_iter().map(read_row).collect()
    }

    async fn rows(
        &mut self,
        after: i64,
        before: i64,
    ) -> Result<Vec<(i64, i64, String)>, StoreError> {
        let mut connection = self.connection.take().await?;
        let rows = query(
            "select seq, keep_until, ids from replay_log where seq > $1 and seq < $2 \
             order by seq limit $3",
        )
        .bind(after)
        .bind(before)
        .bind(i64::try_from(ROWS_READ).unwrap_or(i64::MAX))
        .fetch_all(&mut *connection)
        .await?;
        self.connection.put_back(connection);
        Ok(rows)
    }

    /// Drops rows that had to be remembered until before `now`, but for the newest row of all. At most
    /// `rows_max` of the oldest are looked at; returns how many were dropped.
    pub async fn forget(&mut self, now: Timestamp, rows_max: u32) -> Result<u64, StoreError> {
        let is_remote = self.connection.is_remote();
        let done = self.delete(now, rows_max);
        if is_remote { in_time(APPEND_TIME_MAX, done).await } else { done.await }
    }

    async fn delete(&mut self, now: Timestamp, rows_max: u32) -> Result<u64, StoreError> {
        let mut connection = self.connection.take().await?;
        let done = query(
            "delete from replay_log where keep_until < $1 \
             and seq < (select min(seq) + $2 from replay_log) and seq < (select max(seq) from replay_log)",
        )
        .bind(now.seconds())
        .bind(i64::from(rows_max))
        .execute(&mut *connection)
        .await?;
        self.connection.put_back(connection);
        Ok(done)
    }
}

fn read_row((seq, keep_until, ids): (i64, i64, String)) -> Result<ReplayRow, StoreError> {
    let corrupt = |problem: &dyn ToString| StoreError::corrupt("replay_log", problem);
    let bytes = URL_SAFE_NO_PAD.decode(ids).map_err(|error| corrupt(&error))?;
    let (ids, rest) = bytes.as_chunks();
    if !rest.is_empty() {
        return Err(corrupt(&"ids are not 32 bytes each"));
    }
    Ok(ReplayRow { seq, keep_until: Timestamp::from_seconds(keep_until), ids: ids.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::stores;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[tokio::test]
    async fn numbers_only_rise_whoever_appends_and_whatever_is_forgotten() {
        for (store, _kept) in stores().await {
            let (mut one, mut other) = (store.replay_log(), store.replay_log());
            assert_eq!(one.append(&[[1; 32], [2; 32]], at(10)).await.unwrap(), 1);
            assert_eq!(other.append(&[[3; 32]], at(10)).await.unwrap(), 2);
            let rows = one.rows_between(0, 3).await.unwrap();
            assert_eq!(rows.len(), 2);
            assert_eq!(rows[0].ids, [[1; 32], [2; 32]]);
            assert_eq!(rows[1], ReplayRow { seq: 2, keep_until: at(10), ids: vec![[3; 32]] });
            assert_eq!(one.rows_between(1, 2).await.unwrap(), []);
            assert_eq!(one.forget(at(10), 100).await.unwrap(), 0);
            assert_eq!(one.forget(at(11), 100).await.unwrap(), 1);
            assert_eq!(one.append(&[[4; 32]], at(20)).await.unwrap(), 3);
        }
    }
}
