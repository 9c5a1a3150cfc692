//! The files of a SQLite database, and whether they are still those that were opened.
//!
//! Files can be moved, deleted and replaced under a program that has them open, and it would go on writing into what
//! nobody finds again; a connection that it makes then would be to another database. So it is remembered which files
//! were opened, names are looked at again and again, and while one leads elsewhere nothing is changed and no new
//! connection counts. Only names are looked at: whoever opens a database beside SQLite and closes it again gives up all
//! locks that this process has on it.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::store::StoreError;
use crate::store::database::{On, query};

/// What the name of the write-ahead log adds to that of the database.
const LOG: &str = "-wal";

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
    /// SQLite deletes the log with its last connection. This one stays, so that a log that is not there is missing.
    keeper: tokio::sync::Mutex<Option<SqliteConnection>>,
}

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
        let file = Self {
            database,
            log: Opened::at(log.into())?,
            fault: Mutex::default(),
            is_displaced: AtomicBool::new(false),
            keeper: tokio::sync::Mutex::new(Some(keeper)),
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

    /// Writes what the log holds into the database, if one of them is not where it was: who starts the server again will
    /// not find this log.
    pub(super) async fn settle(&self) {
        if self.look().is_none() {
            return;
        }
        if let Some(keeper) = &mut *self.keeper.lock().await {
            let checkpoint = query("pragma wal_checkpoint(full)");
            let done: Result<(i64, i64, i64), _> = checkpoint.fetch_one(On::Sqlite(keeper)).await;
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
