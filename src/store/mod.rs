//! SQL. The only place that knows sqlx, tables and rows.
//!
//! One SQL text serves SQLite and, when there is more than one node, PostgreSQL; it keeps to what
//! both share: `text`, `bigint` and `boolean`, `$1` parameters, `on conflict`, `returning`, foreign
//! keys. Times are seconds since 1970, binary is base64url text.
//!
//! Invariants:
//!
//! * A lookup returns `Ok(None)` when there is no such row; a row that cannot be turned into a domain
//!   value is [`StoreError::Corrupt`], never skipped in silence.
//! * Everything that is changed is changed in a [`Transaction`], together with its row in the change
//!   feed and its row in the audit trail. The exceptions are the log of spent assertions, the records of refused requests,
//!   last uses, figures of usage, answers kept for an Idempotency-Key, what has become of mails, when sessions
//!   were last seen, and alerts, which are not configuration.
//! * SQLite lets one write at a time. Changes, spent assertions, refused requests, last uses and figures of usage go
//!   through one connection each; a transaction takes the write lock when it begins, because a lock taken later can fail in a
//!   way that no waiting mends.

mod accesses;
mod alerts;
mod audit;
mod business;
mod caps;
mod changes;
mod client_keys;
mod clients;
mod delegations;
mod error;
mod idempotency;
mod last_use;
mod mail;
mod organizations;
mod prefix_requests;
mod refused_requests;
mod replay;
mod scopes;
mod sessions;
mod side_connection;
mod signing_keys;
mod token_use;
mod transaction;
mod usage;
mod users;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, SqlitePool};

pub use accesses::{AccessFilter, ScopeReach};
pub use alerts::{EndingKey, NewAlert};
pub use audit::{AuditEntry, AuditSeal};
pub use clients::{ClientFilter, ScopeUse};
pub use delegations::DelegationFilter;
pub use error::StoreError;
pub use idempotency::{KeptAnswer, MarkBounds, MarkedRequest, Repetition};
pub use last_use::{LAST_USES_MAX, LastUse, LastUseWriter};
pub use mail::ClaimedMail;
pub use organizations::PrefixFilter;
pub use prefix_requests::PrefixRequestFilter;
pub use refused_requests::{
    REFUSED_REQUESTS_MAX, RefusedRequestBounds, RefusedRequestWriter, RefusedRequestsOf,
};
pub use replay::{ReplayLog, ReplayRow, SpentId};
pub use scopes::ScopeFilter;
pub use sessions::{Attempts, SessionFile};
pub use signing_keys::SigningKeyRow;
pub use token_use::{TOKEN_USES_MAX, TokenUseWriter};
pub use transaction::Transaction;
pub use users::{UserFile, UserFilter, UserProofs};

/// Every migration, in order, compiled into the program.
static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// How long a statement waits for another process that holds the write lock. With the time of a commit it
/// stays below a second, after which a client would rather be told 503.
const BUSY_TIMEOUT: Duration = Duration::from_millis(800);

/// How long a caller waits for a free connection before it is told the database is unavailable.
const ACQUIRE_TIMEOUT: Duration = Duration::from_millis(800);

/// How long a change waits for those before it: changes are made one at a time, a few milliseconds each, and a
/// tool that makes two hundred at once shall see them all made.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections that read. Warm requests read nothing, so a few are plenty.
const READERS: u32 = 4;

/// The database.
#[derive(Clone, Debug)]
pub struct Store {
    writer: SqlitePool,
    readers: SqlitePool,
}

/// A migration that the database lacks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PendingMigration {
    /// Its version, a time stamp.
    pub version: i64,
    /// What it makes.
    pub description: String,
}

impl Store {
    /// Opens the SQLite file, making it, for its owner alone, if it is not there. Migrations are not applied.
    pub async fn open(file: &Path) -> Result<Self, StoreError> {
        // SQLite gives its other files the mode of this one. Who can read them can also lock them.
        let private =
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(file);
        private.map_err(sqlx::Error::Io)?;
        let options = SqliteConnectOptions::new()
            .filename(file)
            .journal_mode(SqliteJournalMode::Wal)
            // A spent assertion must stay spent when the power fails, not only when we do.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .pragma("trusted_schema", "OFF")
            // Lists of a million accesses are looked through page by page.
            .pragma("cache_size", "-16384");
        let pool = |connections, timeout| {
            SqlitePoolOptions::new().max_connections(connections).acquire_timeout(timeout)
        };
        let writer =
            pool(1, CHANGE_TIMEOUT).min_connections(1).connect_with(options.clone()).await?;
        let readers = pool(READERS, ACQUIRE_TIMEOUT).connect_with(options).await?;
        Ok(Self { writer, readers })
    }

    /// Applies the migrations that are missing.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        MIGRATIONS.run(&self.writer).await.map_err(StoreError::from)
    }

    /// The migrations that are missing, in the order in which they would be applied.
    pub async fn pending_migrations(&self) -> Result<Vec<PendingMigration>, StoreError> {
        let applied = self.applied_migrations().await?;
        let missing = MIGRATIONS.iter().filter(|migration| !applied.contains(&migration.version));
        Ok(missing
            .map(|migration| PendingMigration {
                version: migration.version,
                description: migration.description.to_string(),
            })
            .collect())
    }

    async fn applied_migrations(&self) -> Result<Vec<i64>, StoreError> {
        let tables: i64 = sqlx::query_scalar(
            "select count(*) from sqlite_master where type = 'table' and name = '_sqlx_migrations'",
        )
        .fetch_one(&self.readers)
        .await?;
        if tables == 0 {
            return Ok(Vec::new());
        }
        let versions = sqlx::query_scalar("select version from _sqlx_migrations order by version");
        Ok(versions.fetch_all(&self.readers).await?)
    }

    /// Begins a change of configuration, and takes the write lock for it.
    pub async fn begin(&self) -> Result<Transaction, StoreError> {
        let begin = AssertSqlSafe("begin immediate".to_owned());
        Ok(Transaction::new(self.writer.begin_with(begin).await?))
    }

    /// Closes the pools, after what is under way has ended; a [`ReplayLog`] writes no more.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// What a `like` pattern must be to find `text` anywhere; `\` takes their meaning from the characters that have
/// one. The statement makes both sides lower case, because the database and Rust do not agree what that is.
fn like(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// The variant of that word in a column of `table`.
fn named<T>(
    table: &'static str,
    from_name: impl Fn(&str) -> Option<T>,
    word: &str,
) -> Result<T, StoreError> {
    from_name(word).ok_or_else(|| StoreError::corrupt(table, &word))
}

/// A column that holds JSON.
fn as_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "{}".to_owned())
}

/// What a column of `table` holds as JSON.
fn from_json<T: DeserializeOwned>(table: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::corrupt(table, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A store with every migration, and the folder that it is in.
    pub(super) async fn migrated() -> (Store, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("a.db")).await.unwrap();
        store.migrate().await.unwrap();
        (store, folder)
    }

    /// Holds that SQLite answers a statement from indexes: it reads no table from end to end, and sorts nothing.
    /// Returns the lines of its plan.
    pub(super) async fn assert_indexed(store: &Store, statement: &str, what: &str) -> Vec<String> {
        let plan = plan_of(store, statement).await;
        let bad = plan.iter().any(|line| line.contains("SCAN") || line.contains("TEMP B-TREE"));
        assert!(!bad, "{what}: {plan:#?}");
        plan
    }

    /// The lines of SQLite's plan for a statement.
    pub(super) async fn plan_of(store: &Store, statement: &str) -> Vec<String> {
        let explain = AssertSqlSafe(format!("explain query plan {statement}"));
        let lines: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(explain).fetch_all(&store.readers).await.unwrap();
        lines.into_iter().map(|(.., line)| line).collect()
    }

    #[tokio::test]
    async fn a_new_file_lacks_every_migration_until_they_are_applied() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("a.db")).await.unwrap();
        assert_eq!(store.pending_migrations().await.unwrap().len(), MIGRATIONS.iter().count());
        store.migrate().await.unwrap();
        store.migrate().await.unwrap();
        assert_eq!(store.pending_migrations().await.unwrap(), []);
    }
}
