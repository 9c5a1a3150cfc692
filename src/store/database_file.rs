//! The files of a SQLite database, and whether they are still those that were opened.
//!
//! Files can be moved, deleted and replaced under a program that has them open, and it would go on writing into what
//! nobody finds again; a connection that it makes then would be to another database. So it is remembered which files
//! were opened, names are looked at again and again, and while one leads elsewhere nothing is changed and no new
//! connection counts. Only names are looked at: whoever opens a database beside SQLite and closes it again gives up all
//! locks that this process has on it.
//!
//! What the log holds is moved into the database from here, beside those who write. SQLite would have it done by whose
//! commit makes the log long, and it takes tens of milliseconds, for which a hundred requests for tokens would wait.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::OwnedMutexGuard;

use crate::store::StoreError;
use crate::store::database::{On, query, query_of};
use crate::store::sqlite::BUSY_TIMEOUT;

/// What the name of the write-ahead log adds to that of the database.
const LOG: &str = "-wal";

/// Pages that the log has before it has to begin anew, of 4 KiB each. Those who write stop then until a disk says that it
/// has taken something, so it is to be seldom: on a busy server every quarter of a minute.
pub(super) const LOG_PAGES: i64 = 16_000;

/// How long all of them stop, besides, for somebody who still reads what is in the log, or changes something.
const STOP_TIME_MAX: Duration = Duration::from_millis(5);

/// How long somebody waits in line, which is much longer than it takes those before him to write; afterwards he finds the
/// database taken, as SQLite has it. With the time for that it stays below a second.
const LINE_TIME_MAX: Duration = Duration::from_millis(100);

/// A file, whatever it is called: its device and its number there.
type Identity = (u64, u64);

/// The files of a database that is open.
#[derive(Debug)]
pub(super) struct DatabaseFile {
    database: Opened,
    log: Opened,
    /// Why nothing may be written, if so.
    fault: Mutex<Option<String>>,
    /// Whether there is such a reason, so that those who ask need not wait for each other.
    is_displaced: AtomicBool,
    /// SQLite deletes the log with its last connection. This one stays, so that a log that is not there is missing, and
    /// moves what the log holds.
    keeper: tokio::sync::Mutex<Option<SqliteConnection>>,
    /// Those who write: see [`DatabaseFile::line_up`].
    line: Arc<tokio::sync::Mutex<()>>,
}

/// The first place in the line of those who write, until it is dropped.
pub(super) type FirstPlace = OwnedMutexGuard<()>;

/// A file as it was opened.
#[derive(Debug)]
struct Opened {
    path: PathBuf,
    identity: Identity,
}

impl DatabaseFile {
    /// Opens the database, which must be there.
    pub(super) async fn open(options: &SqliteConnectOptions) -> Result<Self, StoreError> {
        // SQLite puts the log beside the file that a link leads to.
        let path = fs::canonicalize(options.get_filename()).map_err(sqlx::Error::Io)?;
        let mut log = OsString::from(&path);
        log.push(LOG);
        let database = Opened::at(options.get_filename().to_owned())?;
        let mut keeper = options.connect().await?;
        // What reads has the log open from then on.
        let read = query("select count(*) from sqlite_master");
        let (_tables,): (i64,) = read.fetch_one(On::Sqlite(&mut keeper)).await?;
        be_patient(&mut keeper, STOP_TIME_MAX).await?;
        let file = Self {
            database,
            log: Opened::at(log.into())?,
            fault: Mutex::default(),
            is_displaced: AtomicBool::new(false),
            keeper: tokio::sync::Mutex::new(Some(keeper)),
            line: Arc::default(),
        };
        file.require()?;
        Ok(file)
    }

    /// Looks whether the names still lead to what was opened, and says why not.
    pub(super) fn look(&self) -> Option<String> {
        let fault = self.database_fault().or_else(|| self.log_fault());
        let mut known = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        match &fault {
            Some(problem) if known.is_none() => {
                tracing::error!(
                    problem,
                    "the database is not where it was, and nothing is written"
                );
            }
            None if known.is_some() => tracing::info!("the database is where it was again"),
            Some(_) | None => {}
        }
        self.is_displaced.store(fault.is_some(), Ordering::Release);
        known.clone_from(&fault);
        fault
    }

    /// What the last look has found.
    pub(super) fn fault(&self) -> Option<String> {
        if !self.is_displaced.load(Ordering::Acquire) {
            return None;
        }
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks, and refuses when it is not so: [`StoreError::Displaced`].
    pub(super) fn require(&self) -> Result<(), StoreError> {
        self.look().map_or(Ok(()), |fault| Err(StoreError::Displaced(fault)))
    }

    /// Waits until those are done who came before and write beside the pool. SQLite lets one write at a time as well, but
    /// who finds another there looks again after 1, 2, 5, 10 ms and so on, and by then there may be a third. Where somebody
    /// takes long, it is left to SQLite.
    pub(super) async fn line_up(&self) -> Option<FirstPlace> {
        let place = Arc::clone(&self.line).lock_owned();
        tokio::time::timeout(LINE_TIME_MAX, place).await.ok()
    }

    /// Writes what the log holds into the database, while others go on writing. What they add meanwhile stays in the log, so
    /// that it only grows; once it has more than so many pages, they are stopped for the moment in which that is moved too.
    /// Nothing is moved while the names lead elsewhere: another program may have the database by now.
    pub(super) async fn checkpoint(&self, log_pages: i64) -> Result<(), StoreError> {
        let mut keeper = self.keeper.lock().await;
        let Some(keeper) = keeper.as_mut().filter(|_| self.look().is_none()) else { return Ok(()) };
        let (_, pages, _) = checkpoint(keeper, "passive").await?;
        if pages > log_pages {
            // Hardly anything is left to move. If somebody else is not done in time, there is a next time.
            let _place = self.line_up().await;
            if self.look().is_none() {
                checkpoint(keeper, "restart").await?;
            }
        }
        Ok(())
    }

    /// Writes what the log holds into the database, if one of them is not where it was: who starts the server again will
    /// not find this log.
    pub(super) async fn settle(&self) {
        if self.look().is_none() {
            return;
        }
        if let Some(keeper) = &mut *self.keeper.lock().await {
            let done = match be_patient(keeper, BUSY_TIMEOUT).await {
                Ok(()) => checkpoint(keeper, "full").await,
                Err(error) => Err(error),
            };
            match done {
                Ok((0, ..)) => tracing::info!("what the log held is in the database"),
                Ok(_) => tracing::error!("the log is in use, and what it held last may be lost"),
                Err(error) => tracing::error!(%error, "what the log held last may be lost"),
            }
        }
    }

    /// Lets go of the files.
    pub(super) async fn close(&self) {
        if let Some(keeper) = self.keeper.lock().await.take()
            && let Err(error) = keeper.close().await
        {
            tracing::warn!(%error, "a connection to the database could not be closed");
        }
    }

    fn database_fault(&self) -> Option<String> {
        let path = self.database.path.display();
        match self.database.is_there() {
            Some(true) => None,
            Some(false) => Some(format!(
                "{path} is another file than the one that was opened; put that back, or start the server anew on this \
                 one if it is the right one"
            )),
            None => Some(format!(
                "{path}, the file of the database, is not there any more; put it back, or stop the server and restore a \
                 backup"
            )),
        }
    }

    fn log_fault(&self) -> Option<String> {
        if self.log.is_there() == Some(true) {
            return None;
        }
        Some(format!(
            "{}, which holds what was written last, is gone or another file; put it back, or stop the server, which then \
             writes what it holds into the database, and start it again",
            self.log.path.display()
        ))
    }
}

/// Has SQLite write what the log holds into the database: whether somebody was in the way, how many pages the log has, and
/// how many of them are in the database.
async fn checkpoint(
    keeper: &mut SqliteConnection,
    mode: &'static str,
) -> Result<(i64, i64, i64), StoreError> {
    query_of(format!("pragma wal_checkpoint({mode})")).fetch_one(On::Sqlite(keeper)).await
}

/// Has it wait so long for others.
async fn be_patient(keeper: &mut SqliteConnection, most: Duration) -> Result<(), StoreError> {
    let patience = query_of(format!("pragma busy_timeout = {}", most.as_millis()));
    patience.execute(On::Sqlite(keeper)).await.map(|_| ())
}

impl Opened {
    fn at(path: PathBuf) -> Result<Self, StoreError> {
        let identity = identity(&path).map_err(sqlx::Error::Io)?;
        Ok(Self { path, identity })
    }

    /// Whether the name leads to it; `None` if it leads nowhere.
    fn is_there(&self) -> Option<bool> {
        identity(&self.path).ok().map(|found| found == self.identity)
    }
}

fn identity(path: &Path) -> std::io::Result<Identity> {
    let found = fs::metadata(path)?;
    Ok((found.dev(), found.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::store::tests::{migrated, number};
    use crate::store::{ReplayLog, Store};

    /// Pages that the log has.
    async fn pages(store: &Store) -> i64 {
        let mut keeper = store.file.as_ref().unwrap().keeper.lock().await;
        checkpoint(keeper.as_mut().unwrap(), "passive").await.unwrap().1
    }

    /// Spends so many assertions with one commit.
    async fn write(log: &mut ReplayLog, assertions: usize) {
        let ids = vec![[1; 32]; assertions];
        log.append(&ids, Timestamp::from_seconds(1)).await.unwrap();
    }

    /// Pages that the file of the log has room for.
    fn room(folder: &Path) -> u64 {
        fs::metadata(folder.join("a.db-wal")).unwrap().len() / 4096
    }

    #[tokio::test]
    async fn commits_leave_it_to_others_to_move_what_they_have_written() {
        let (store, folder) = migrated().await;
        store.checkpoint().await.unwrap();
        let written_at = || fs::metadata(folder.path().join("a.db")).unwrap().modified().unwrap();
        let before = written_at();
        let mut log = store.replay_log();
        // A page each, beside what leads there.
        for _ in 0..600 {
            write(&mut log, 100).await;
        }
        assert!(room(folder.path()) > 1_200, "{}", room(folder.path()));
        assert_eq!(written_at(), before);
        store.checkpoint().await.unwrap();
        assert_ne!(written_at(), before);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_log_that_is_always_written_to_begins_anew_all_the_same() {
        let (store, folder) = migrated().await;
        let file = store.file.as_ref().unwrap();
        file.checkpoint(0).await.unwrap();
        let mut log = store.replay_log();
        let writing = tokio::spawn(async move {
            for _ in 0..600 {
                write(&mut log, 100).await;
            }
        });
        while !writing.is_finished() {
            file.checkpoint(100).await.unwrap();
        }
        writing.await.unwrap();
        assert!(room(folder.path()) < 900, "{}", room(folder.path()));
        assert_eq!(number(&store, "select count(*) from replay_log").await, 600);
    }

    #[tokio::test]
    async fn what_somebody_still_reads_stays_and_keeps_nobody_from_writing() {
        let (store, _folder) = migrated().await;
        let file = store.file.as_ref().unwrap();
        let mut log = store.replay_log();
        write(&mut log, 50 * 4096 / 32).await;
        let mut reader = store.readers.snapshot().await.unwrap();
        let count = "select count(*) from replay_log";
        let (rows,): (i64,) = query(count).fetch_one(reader.on()).await.unwrap();
        assert_eq!(rows, 1);
        file.checkpoint(0).await.unwrap();
        write(&mut log, 1).await;
        let (rows,): (i64,) = query(count).fetch_one(reader.on()).await.unwrap();
        assert_eq!((rows, number(&store, count).await), (1, 2));
        assert!(pages(&store).await > 50);

        reader.commit().await.unwrap();
        file.checkpoint(0).await.unwrap();
        write(&mut log, 1).await;
        assert!(pages(&store).await < 50);
    }

    #[tokio::test]
    async fn who_writes_waits_for_the_one_before_and_not_for_ever() {
        let (store, _folder) = migrated().await;
        let file = store.file.as_ref().unwrap();
        let mut log = store.replay_log();
        let first = file.line_up().await.unwrap();
        let its = store.clone();
        let second = tokio::spawn(async move {
            let place = its.file.as_ref().unwrap().line_up().await;
            place.is_some()
        });
        tokio::time::sleep(LINE_TIME_MAX / 4).await;
        assert!(!second.is_finished());
        drop(first);
        assert!(second.await.unwrap());

        let first = file.line_up().await.unwrap();
        assert!(file.line_up().await.is_none());
        write(&mut log, 1).await;
        drop(first);
        // What fails leaves the line.
        file.close().await;
        store.writer.close().await;
        assert!(log.append(&[[1; 32]], Timestamp::from_seconds(1)).await.is_err());
        assert!(file.line_up().await.is_some());
    }
}
