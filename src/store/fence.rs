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

use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, FromRow};

use crate::clock::Timestamp;
use crate::domain::change::{Change, ChangeSeq, ChangedNoun};
use crate::store::changes::change_at;
use crate::store::database::{
    ANSWER_TIME_MAX, Begun, Connection, On, Pool, Query, advisory_locks, at_once, in_time, query,
};
use crate::store::hints::CHANNEL;
use crate::store::{Store, StoreError};

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

/// What is wrong when numbers of a file begin again.
const OVERWRITTEN: &str = "it has begun again below a number that was seen: its file was written over while this server \
     was running; stop it, put the file back, and start it again";

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
    if remembers && remembered(connection).await? != history {
        let mut transaction = connection.begin().await?;
        let before = set(&mut transaction, Sign::History(&history)).await?;
        transaction.commit().await?;
        if let Some(before) = before {
            tracing::warn!(
                before,
                now = history,
                "the database has another history than before: it was restored, or a standby has taken over; \
                 assertions that were issued until now are refused"
            );
        }
    }
    Ok(())
}

async fn remembered(connection: &mut PgConnection) -> Result<String, StoreError> {
    let row = query("select history from fence").persistent(false);
    row.fetch_one(On::Postgres(connection)).await.map(|(history,)| history)
}

/// What shows that a database may have forgotten something.
#[derive(Clone, Copy)]
enum Sign<'a> {
    /// It has this history.
    History(&'a str),
    /// A change up to this number has been seen, and the feed has begun again there or below.
    Change(i64),
    /// The same of the log of spent assertions.
    Replay(i64),
}

/// What a database says of itself when nobody gives out numbers.
#[derive(FromRow)]
struct Said {
    history: String,
    /// The last number of the change feed.
    change: i64,
    /// The last number of the log of spent assertions.
    replay: i64,
    /// What its clock shows, in seconds since 1970.
    now: i64,
}

const SAID: &str = "select history, (select coalesce(max(seq), 0) from change) as change, \
     (select coalesce(max(seq), 0) from replay_log) as replay, \
     cast(floor(extract(epoch from clock_timestamp())) as bigint) as now from fence";

impl Store {
    /// Sets the fence because the feed has begun again at `seen` or below it, unless somebody else has been faster. A copy of
    /// the database that was put back just as it was made shows no other history: the feed alone tells that it is older
    /// than what was there. Where it is `last` that has the number `seen`, or any change if that is not known, all is well.
    pub async fn fence_older(
        &self,
        seen: ChangeSeq,
        last: Option<&Change>,
    ) -> Result<(), StoreError> {
        let Pool::Postgres(pool) = &self.readers else { return Err(overwritten()) };
        in_time(ANSWER_TIME_MAX, async {
            let mut connection = pool.acquire().await?;
            // It may lead elsewhere than the one by which that was found.
            match (change_at(seen, &mut connection).await?, last) {
                (Some(_), None) => Ok(()),
                (Some(found), Some(last)) if found == *last => Ok(()),
                _ => set_older(&mut connection, Sign::Change(seen.0)).await,
            }
        })
        .await
    }
}

/// The same where the log of spent assertions has begun again.
pub(super) async fn older_log(connection: &mut Connection, seen: i64) -> Result<(), StoreError> {
    match connection {
        Connection::Sqlite(_) => Err(overwritten()),
        Connection::Postgres(connection) => set_older(connection, Sign::Replay(seen)).await,
    }
}

async fn set_older(connection: &mut PgConnection, sign: Sign<'_>) -> Result<(), StoreError> {
    let mut transaction = connection.begin().await?;
    let is_set = set(&mut transaction, sign).await?.is_some();
    transaction.commit().await?;
    if is_set {
        tracing::warn!(
            "numbers of the database have begun again below those that were seen: an older copy of it was put back; \
             assertions that were issued until now are refused"
        );
    }
    Ok(())
}

fn overwritten() -> StoreError {
    StoreError::Unsuitable(OVERWRITTEN.to_owned())
}

/// Sets the fence, unless somebody else has been faster, or nobody has looked before. Returns the history that was
/// remembered if it has been set. Whoever connects waits for this, so it takes few messages, wherever the database is.
async fn set(transaction: &mut PgConnection, sign: Sign<'_>) -> Result<Option<String>, StoreError> {
    let mut said = hear(transaction).await?;
    let before = said.history.clone();
    match sign {
        Sign::History(history) if before == history => return Ok(None),
        Sign::History(history) if before.is_empty() => {
            at_once(transaction, [query("update fence set history = $1").bind(history)]).await?;
            return Ok(None);
        }
        Sign::History(history) => history.clone_into(&mut said.history),
        Sign::Change(seen) if has_leapt(said.change, seen) => return Ok(None),
        Sign::Change(seen) => said.change = said.change.max(seen),
        Sign::Replay(seen) if has_leapt(said.replay, seen) => return Ok(None),
        Sign::Replay(seen) => said.replay = said.replay.max(seen),
    }
    let update = query("update fence set history = $1, set_at = $2");
    let update = update.bind(&said.history).bind(said.now);
    at_once(transaction, [update].into_iter().chain(leap(&said))).await?;
    Ok(Some(before))
}

/// Has nobody give out numbers until the end of the transaction, and asks what there is.
async fn hear(transaction: &mut PgConnection) -> Result<Said, StoreError> {
    let ask = advisory_locks().into_iter().chain([query(SAID)]);
    let answers = at_once(transaction, ask).await?;
    Ok(Said::from_row(answers.last().ok_or(sqlx::Error::RowNotFound)?)?)
}

/// Whether somebody has set the fence since `seen` was the last number: nothing else takes numbers so far.
fn has_leapt(last: i64, seen: i64) -> bool {
    last >= seen.saturating_add(LEAP / 2)
}

/// Numbers go on where none has been given out, and whoever follows the feed forgets all that it has cached.
fn leap<'v>(said: &Said) -> impl Iterator<Item = Query<'v>> {
    let now = said.now;
    let first = |last: i64| last.saturating_add(LEAP).max(now.saturating_mul(LEAP_PER_SECOND));
    // All of them lie behind whatever anybody has seen.
    let changes = (first(said.change)..).zip(ChangedNoun::names_in_feed());
    let changes = changes.map(move |(seq, noun)| {
        let insert = "insert into change (seq, noun, key, changed_at) values ($1, $2, '', $3)";
        query(insert).bind(seq).bind(noun).bind(now)
    });
    let row = query("insert into replay_log (seq, keep_until, ids) values ($1, $2, '')");
    let notify = query("select pg_notify($1, '')").bind(CHANNEL);
    changes.chain([row.bind(first(said.replay)).bind(now), notify])
}

#[cfg(test)]
impl Store {
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
    let said = hear(transaction).await?;
    set_by_hand(On::Postgres(transaction), Timestamp::from_seconds(said.now)).await?;
    at_once(transaction, leap(&said)).await.map(|_| ())
}

/// When the fence was set, in seconds since 1970; zero if it never was.
pub(super) async fn set_at(connection: &mut Connection) -> Result<i64, StoreError> {
    let row = query("select set_at from fence").persistent(false).fetch_one(connection).await;
    row.map(|(set_at,)| set_at)
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let changes = again.changes_from(ChangeSeq(0)).await.unwrap();
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
