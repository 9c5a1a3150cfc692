//! SQLite: how the file is opened.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::store::StoreError;
use crate::store::database_file::DatabaseFile;

/// How long a statement waits for another process that holds the write lock. With the time of a commit it
/// stays below a second, after which a client would rather be told 503.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_millis(800);

/// Pages that the log has before a commit moves them into the database, of 4 KiB each. The server has that done beside
/// its commits, long before (see `database_file`); this is for commands, and for when that cannot be done for long.
const LOG_PAGES_MAX: &str = "32000";

/// How the file is opened. It is made, for its owner alone, if it is not there.
pub(super) fn options(file: &Path) -> Result<SqliteConnectOptions, StoreError> {
    // SQLite gives its other files the mode of this one. Who can read them can also lock them.
    let private =
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(file);
    private.map_err(sqlx::Error::Io)?;
    Ok(SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        // A spent assertion must stay spent when the power fails, not only when we do.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("wal_autocheckpoint", LOG_PAGES_MAX)
        .pragma("trusted_schema", "OFF"))
}

/// The same for lists: a million accesses are looked through page by page.
pub(super) fn listing(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options.pragma("cache_size", "-16384")
}

/// The same for what is written in batches: what a statement of many rows would need to be undone is kept in memory. SQLite
/// would write it to a file, page by page, as soon as it is more than 64 KiB, which it is for twenty rows in some indexes.
pub(super) fn batches(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options.pragma("temp_store", "memory")
}

/// The same for commits that somebody waits for: they never move what the log holds.
pub(super) fn prompt(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options.pragma("wal_autocheckpoint", "0")
}

/// A pool of so many connections to that file. All of them are there, and stay: they cost little, and one that is made
/// later could be to another file of that name.
pub(super) async fn connect(
    options: &SqliteConnectOptions,
    file: &Arc<DatabaseFile>,
    connections: u32,
    acquire_time_max: Duration,
) -> Result<SqlitePool, StoreError> {
    let file = Arc::clone(file);
    let pool = SqlitePoolOptions::new()
        .max_connections(connections)
        .min_connections(connections)
        .max_lifetime(None)
        .idle_timeout(None)
        .acquire_timeout(acquire_time_max)
        .after_connect(move |_, _| {
            // Which file that was shows the name it has been opened by.
            let same = file.require().map_err(|error| sqlx::Error::Configuration(error.into()));
            Box::pin(std::future::ready(same))
        });
    Ok(pool.connect_with(options.clone()).await?)
}
