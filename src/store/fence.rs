//! The fence: when a database may have forgotten what was spent, everybody knows from which moment on it can be trusted.
//!
//! A standby that takes over may lack the last moments of the primary, and a copy that is restored lacks more. What was
//! spent then would be worth a second token, and numbers of the feed and of the log would be given out twice, so that
//! nodes which have seen the first would never look for the second. So every connection to PostgreSQL first compares
//! the history of the database with the one that the database itself remembers. Where they differ it sets the fence, in
//! one transaction, before it does anything else; and since every connection of every node does so, nothing is spent
//! and nothing is followed on such a database before the fence stands.
//!
//! A history has three parts. PostgreSQL gives a cluster its identifier when it is made, begins a timeline with every
//! promotion and with every recovery to a point in time, and gives a table that is made anew, as from a dump, another
//! number. A restart, after whatever crash, changes none of them: it forgets nothing that was committed.

use std::io;

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;

use crate::clock::Timestamp;
use crate::domain::change::ChangedNoun;
use crate::store::StoreError;
use crate::store::database::{Begun, Connection, On, advisory_locks, query};
use crate::store::hints::CHANNEL;

/// By how much numbers of the feed and of the log leap at least: more than can have been given out and forgotten.
const LEAP: i64 = 1_000_000_000;

/// Numbers leap to so many a second since 1970, if that is further. What this database has forgotten may hold a leap of
/// which nobody here knows, as when the standby that took over first is lost too; the time goes on all the same. More
/// than are ever given out in a second, and few enough that every number is an exact one in JSON until the year 2255.
const LEAP_PER_SECOND: i64 = 1_000_000;

/// The history of the database, whether it can remember one, and whether it takes no writes; the history is null on a
/// standby.
const HISTORY: &str = "select case when pg_is_in_recovery() then null else \
     (select system_identifier::text from pg_control_system()) || ' ' || \
     substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) || ' ' || \
     coalesce(to_regclass('replay_log')::oid::text, '') end, to_regclass('fence') is not null, \
     current_setting('transaction_read_only') = 'on'";

/// What a database answers that has no such functions (`undefined_function`, `feature_not_supported`).
const WITHOUT_HISTORY: [&str; 2] = ["42883", "0A000"];

/// What a session is told that has come to a standby.
const STANDBY: &str = "it is a standby, which may be behind; the address must lead to the primary";

/// What a session is told that has come to a database that takes no writes, such as a primary that was replaced.
const READ_ONLY: &str =
    "it takes no writes (transaction_read_only is on); the address must lead to the primary";

/// Holds that a connection leads to the database that nodes have used so far, or sets the fence. To be done before
/// anything else. Engines that have no history to show, which are those that never lose a commit, are left alone.
pub(super) async fn join(connection: &mut PgConnection) -> Result<(), StoreError> {
    let found = query(HISTORY).persistent(false).fetch_one(On::Postgres(connection)).await;
    let (history, remembers, is_read_only): (Option<String>, bool, bool) = match found {
        Err(StoreError::Unavailable(sqlx::Error::Database(error)))
            if error.code().is_some_and(|code| WITHOUT_HISTORY.contains(&&*code)) =>
        {
            return Ok(());
        }
        found => found?,
    };
    let Some(history) = history else { return Err(StoreError::Unsuitable(STANDBY.to_owned())) };
    if is_read_only {
        // It may pass, as it does when another takes its place.
        return Err(sqlx::Error::Io(io::Error::other(READ_ONLY)).into());
    }
    if remembers && remembered(On::Postgres(connection)).await? != history {
        set(connection, &history).await?;
    }
    Ok(())
}

async fn remembered(on: On<'_>) -> Result<String, StoreError> {
    let row = query("select history from fence").persistent(false).fetch_one(on).await;
    row.map(|(history,)| history)
}

/// Sets the fence, unless somebody else has been faster, or nobody has looked before.
async fn set(connection: &mut PgConnection, history: &str) -> Result<(), StoreError> {
    let mut transaction = connection.begin().await?;
    // Nobody gives out numbers meanwhile.
    for lock in advisory_locks() {
        lock.execute(On::Postgres(&mut transaction)).await?;
    }
    let before = remembered(On::Postgres(&mut transaction)).await?;
    if before == history {
        return Ok(transaction.rollback().await?);
    }
    let now = clock(&mut transaction).await?.seconds();
    if before.is_empty() {
        let update = query("update fence set history = $1").bind(history);
        update.execute(On::Postgres(&mut transaction)).await?;
        return Ok(transaction.commit().await?);
    }
    query("update fence set history = $1, set_at = $2")
        .bind(history)
        .bind(now)
        .execute(On::Postgres(&mut transaction))
        .await?;
    leap(&mut transaction, now).await?;
    transaction.commit().await?;
    tracing::warn!(
        before,
        now = history,
        "the database has another history than before: it was restored, or a standby has taken over; assertions that \
         were issued until now are refused"
    );
    Ok(())
}

/// Numbers go on where none has been given out, and whoever follows the feed forgets all that it has cached.
async fn leap(connection: &mut PgConnection, now: i64) -> Result<(), StoreError> {
    for (index, noun) in ChangedNoun::names_in_feed().enumerate() {
        // All of them lie behind whatever anybody has seen.
        let leap = if index == 0 { LEAP } else { 1 };
        query(
            "insert into change (seq, noun, key, changed_at) \
             select greatest(coalesce(max(seq), 0) + $1, $4), $2, '', $3 from change",
        )
        .bind(leap)
        .bind(noun)
        .bind(now)
        .bind(now.saturating_mul(LEAP_PER_SECOND))
        .execute(On::Postgres(connection))
        .await?;
    }
    query(
        "insert into replay_log (seq, keep_until, ids) \
         select greatest(coalesce(max(seq), 0) + $1, $3), $2, '' from replay_log",
    )
    .bind(LEAP)
    .bind(now)
    .bind(now.saturating_mul(LEAP_PER_SECOND))
    .execute(On::Postgres(connection))
    .await?;
    query("select pg_notify($1, '')").bind(CHANNEL).execute(On::Postgres(connection)).await?;
    Ok(())
}

#[cfg(test)]
impl crate::store::Store {
    /// Sets the fence at `now`, for tests of those who keep to it.
    pub(crate) async fn set_fence(&self, now: Timestamp) -> Result<(), StoreError> {
        set_by_hand(On::from(&self.writer), now).await
    }
}

/// Sets the fence at `now`, because what is in the database is older. Nobody may be using it. Whoever connects next
/// remembers the history as it is then.
pub(super) async fn set_by_hand(on: On<'_>, now: Timestamp) -> Result<(), StoreError> {
    let set = query("update fence set history = '', set_at = $1").bind(now.seconds());
    set.execute(on).await.map(|_| ())
}

/// The same in a database that takes the place of another one, whose nodes may have been cut off and not stopped: what
/// they have seen of the feed and of the log was of the other, so numbers leap here as well. The time is the database's, by
/// which nodes go; `now` is that of a file, which has none.
pub(super) async fn set_restored(begun: &mut Begun<'_>, now: Timestamp) -> Result<(), StoreError> {
    let Begun::Postgres(transaction) = begun else { return set_by_hand(begun.on(), now).await };
    let now = clock(transaction).await?;
    set_by_hand(On::Postgres(transaction), now).await?;
    leap(transaction, now.seconds()).await
}

async fn clock(connection: &mut PgConnection) -> Result<Timestamp, StoreError> {
    let row = query("select floor(extract(epoch from clock_timestamp()))::bigint")
        .persistent(false)
        .fetch_one(On::Postgres(connection))
        .await;
    row.map(|(seconds,)| Timestamp::from_seconds(seconds))
}

/// When the fence was set, in seconds since 1970; zero if it never was.
pub(super) async fn set_at(connection: &mut Connection) -> Result<i64, StoreError> {
    let row = query("select set_at from fence").persistent(false).fetch_one(connection).await;
    row.map(|(set_at,)| set_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::change::ChangeSeq;
    use crate::store::Store;
    use crate::store::test_postgres::TestDatabase;

    /// A database of PostgreSQL, if there is one.
    async fn database() -> Option<(Store, TestDatabase)> {
        let database = TestDatabase::create()?;
        let store = Store::connect(&database.url()).await.unwrap();
        store.migrate().await.unwrap();
        store.close().await;
        Some((Store::connect(&database.url()).await.unwrap(), database))
    }

    #[tokio::test]
    async fn the_first_connection_remembers_the_history_and_sets_no_fence() {
        let Some((store, _kept)) = database().await else { return };
        let mut log = store.replay_log();
        assert_eq!(log.append(&[[1; 32]], Timestamp::from_seconds(9)).await.unwrap(), 1);
        assert_eq!(log.fenced_at(), None);
        let (history,): (String,) =
            query("select history from fence").fetch_one(&store.readers).await.unwrap();
        assert_eq!(history.split(' ').count(), 3, "{history}");
    }

    #[tokio::test]
    async fn whoever_finds_another_history_sets_the_fence_once_and_all_numbers_leap() {
        let Some((store, kept)) = database().await else { return };
        let mut log = store.replay_log();
        log.append(&[[1; 32]], Timestamp::from_seconds(9)).await.unwrap();
        let other = query("update fence set history = '1 00000001 2'").execute(&store.writer);
        assert_eq!(other.await.unwrap(), 1);
        // Those who are connected stay so: their session has seen no other database.
        log.append(&[[2; 32]], Timestamp::from_seconds(9)).await.unwrap();
        assert_eq!(log.fenced_at(), None);
        let again = Store::connect(&kept.url()).await.unwrap();
        let mut log = again.replay_log();
        let seq = log.append(&[[3; 32]], Timestamp::from_seconds(9)).await.unwrap();
        let fenced_at = log.fenced_at().unwrap();
        let leapt_to = fenced_at.seconds() * LEAP_PER_SECOND;
        assert_eq!(seq, leapt_to + 1);
        let changes = again.changes_after(ChangeSeq(0)).await.unwrap();
        assert!(changes.iter().all(|change| change.key.is_empty() && change.seq.0 >= leapt_to));
        assert_eq!(changes.len(), ChangedNoun::names_in_feed().count());
        let third = Store::connect(&kept.url()).await.unwrap();
        let mut log = third.replay_log();
        assert_eq!(log.fenced_at(), None, "it has not connected yet");
        assert_eq!(log.append(&[[4; 32]], fenced_at).await.unwrap(), leapt_to + 2);
        assert_eq!(log.fenced_at(), Some(fenced_at));

        // Who stays connected learns of it with the next append.
        let later = Timestamp::from_seconds(fenced_at.seconds() + 9);
        store.set_fence(later).await.unwrap();
        log.append(&[[4; 32]], fenced_at).await.unwrap();
        assert_eq!(log.fenced_at(), Some(later));

        // Where the numbers are ahead of the time they leap all the same.
        for history in ["1 00000001 3", "1 00000001 4"] {
            let other = query("update fence set history = $1").bind(history);
            other.execute(&store.writer).await.unwrap();
            let next = Store::connect(&kept.url()).await.unwrap();
            next.latest_change().await.unwrap();
        }
        let seq = log.append(&[[5; 32]], fenced_at).await.unwrap();
        assert!(seq > leapt_to + 2 * LEAP, "{seq}");
    }
}
