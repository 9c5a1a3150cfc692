//! SQL. The only place that knows sqlx, tables and rows.
//!
//! One SQL text serves SQLite and, when there is more than one node, PostgreSQL; it keeps to what
//! both share: `text`, `bigint` and `boolean`, `$1` parameters, `on conflict`, `returning`, foreign
//! keys. Times are seconds since 1970, binary is base64url text.
//!
//! Invariants:
//!
//! * A lookup returns `Ok(None)` when there is no such row; a row that cannot be turned into a domain
//!   value is [`StoreError::Corrupt`], and lists leave it out, never in silence: see `reading`.
//! * Everything that is changed is changed in a [`Transaction`], together with its row in the change
//!   feed and its row in the audit trail. The exceptions are the log of spent assertions, the records of refused requests,
//!   last uses, figures of usage, which nodes are running, answers kept for an Idempotency-Key, what has become of mails, when sessions
//!   were last seen, and alerts, which are not configuration.
//! * Changes, spent assertions, refused requests, last uses and figures of usage go through one connection each, and
//!   whoever writes takes turns with the other nodes: see `database::Turn`.

mod accesses;
mod alerts;
mod attempts;
mod audit;
mod backup;
mod business;
mod caps;
mod changes;
mod client_keys;
mod client_scopes;
mod clients;
mod database;
mod database_file;
mod delegations;
mod error;
mod fence;
mod hints;
mod idempotency;
mod last_use;
mod mail;
mod nodes;
mod organizations;
mod postgres;
mod prefix_requests;
mod reading;
mod refused_requests;
mod replay;
mod scopes;
mod sessions;
mod side_connection;
mod signing_keys;
mod sqlite;
mod token_use;
mod transaction;
mod usage;
mod users;
mod value;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::migrate::{Migration, Migrator};

use crate::store::database::{Pool, Turn, query};
use crate::store::database_file::{DatabaseFile, LOG_PAGES};

pub use accesses::{AccessFilter, ScopeReach};
pub use alerts::{EndingKey, NewAlert};
pub use attempts::{Attempts, AttemptsOf};
pub use audit::{AuditEntry, AuditSeal};
pub use backup::{
    BackupError, BackupReader, BackupSummary, TableSummary, kept_in, put_in_place, require_unused,
    restoring,
};
pub use client_scopes::ScopeOfClient;
pub use clients::{ClientFilter, ScopeUse};
pub use delegations::DelegationFilter;
pub use error::StoreError;
pub use idempotency::{KeptAnswer, MarkBounds, MarkedRequest, Repetition};
pub use last_use::{LastUse, LastUseWriter};
pub use mail::ClaimedMail;
pub use nodes::NodeRow;
pub use organizations::PrefixFilter;
pub use postgres::check_url;
pub use prefix_requests::PrefixRequestFilter;
pub use reading::UnreadableRows;
pub use refused_requests::{
    REFUSED_REQUESTS_MAX, RefusedRequestBounds, RefusedRequestWriter, RefusedRequestsOf,
};
pub(crate) use replay::ROWS_READ;
pub use replay::{ReplayLog, ReplayRow, SpentId};
pub use scopes::ScopeFilter;
pub use sessions::SessionFile;
pub use signing_keys::SigningKeyRow;
pub use token_use::TokenUseWriter;
pub use transaction::Transaction;
pub use users::{UserFile, UserFilter, UserProofs};

/// Every migration, in order, compiled into the program.
static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Those that PostgreSQL has in a wording of its own, by the same versions.
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("./migrations/postgres");

/// How long a caller waits for a free connection before it is told the database is unavailable.
const ACQUIRE_TIMEOUT: Duration = Duration::from_millis(800);

/// How long a change waits for those before it: changes are made one at a time, a few milliseconds each, and a
/// tool that makes two hundred at once shall see them all made.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections that read. Warm requests read nothing, so a few are plenty.
const READERS: u32 = 4;

/// Connections that read what is decided by and not in memory yet, row by row.
const DECIDERS: u32 = 4;

/// Connections by which changes and clocks are followed and a node shows itself, which are two tasks.
const FOLLOWERS: u32 = 2;

/// The database.
#[derive(Clone, Debug)]
pub struct Store {
    writer: Pool,
    readers: Pool,
    /// The readers of [`Self::deciding`].
    deciders: Pool,
    /// The readers of [`Self::following`].
    followers: Pool,
    /// Where the database is, if it is a file.
    file: Option<Arc<DatabaseFile>>,
    unreadable: UnreadableRows,
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
        let options = sqlite::options(file)?;
        let file = Arc::new(DatabaseFile::open(&options).await?);
        let writer = sqlite::connect(&options, &file, 1, CHANGE_TIMEOUT).await?;
        let deciders = sqlite::connect(&options, &file, DECIDERS, ACQUIRE_TIMEOUT).await?;
        let followers = sqlite::connect(&options, &file, FOLLOWERS, ACQUIRE_TIMEOUT).await?;
        let options = sqlite::listing(options);
        let readers = sqlite::connect(&options, &file, READERS, ACQUIRE_TIMEOUT).await?;
        Ok(Self {
            writer: Pool::Sqlite(writer),
            readers: Pool::Sqlite(readers),
            deciders: Pool::Sqlite(deciders),
            followers: Pool::Sqlite(followers),
            file: Some(file),
            unreadable: UnreadableRows::default(),
        })
    }

    /// Connects to a PostgreSQL database, which must be one to run on. Migrations are not applied.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        let options = postgres::options(url)?;
        postgres::check(&options).await?;
        let pool = |connections, acquire_time_max| {
            Pool::Postgres(postgres::pool(&options, connections, acquire_time_max))
        };
        Ok(Self {
            writer: pool(1, CHANGE_TIMEOUT),
            readers: pool(READERS, ACQUIRE_TIMEOUT),
            deciders: pool(DECIDERS, ACQUIRE_TIMEOUT),
            followers: pool(FOLLOWERS, ACQUIRE_TIMEOUT),
            file: None,
            unreadable: UnreadableRows::default(),
        })
    }

    /// The same database for what tokens depend on, which does not wait for connections that lists have taken: a look-up
    /// in the portal may take seconds.
    #[must_use]
    pub fn deciding(&self) -> Self {
        Self { readers: self.deciders.clone(), ..self.clone() }
    }

    /// The same for what a node depends on, which waits for nobody's requests, however many come for clients that it has to
    /// look for: one that cannot follow changes for some seconds issues nothing.
    #[must_use]
    pub fn following(&self) -> Self {
        Self { readers: self.followers.clone(), ..self.clone() }
    }

    /// Applies the migrations that are missing. Of several nodes that do so at once one does, and the others wait.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.apply(self.migrator()).await
    }

    async fn apply(&self, migrator: Migrator) -> Result<(), StoreError> {
        match &self.writer {
            Pool::Sqlite(pool) => migrator.run(pool).await?,
            Pool::Postgres(pool) => postgres::migrate(pool, migrator).await?,
        }
        Ok(())
    }

    /// The migrations that are missing, in the order in which they would be applied.
    pub async fn pending_migrations(&self) -> Result<Vec<PendingMigration>, StoreError> {
        let applied = self.applied_migrations().await?;
        let migrator = self.migrator();
        let missing = migrator.iter().filter(|migration| !applied.contains(&migration.version));
        Ok(missing
            .map(|migration| PendingMigration {
                version: migration.version,
                description: migration.description.to_string(),
            })
            .collect())
    }

    async fn applied_migrations(&self) -> Result<Vec<i64>, StoreError> {
        // What there is stands elsewhere in each database.
        let tables = match &self.readers {
            Pool::Sqlite(_) => {
                "select count(*) from sqlite_master where type = 'table' and name = '_sqlx_migrations'"
            }
            Pool::Postgres(_) => {
                "select count(*) from pg_tables where schemaname = current_schema() \
                 and tablename = '_sqlx_migrations'"
            }
        };
        let (tables,): (i64,) = query(tables).fetch_one(&self.readers).await?;
        if tables == 0 {
            return Ok(Vec::new());
        }
        let versions = query("select version from _sqlx_migrations order by version");
        let versions: Vec<(i64,)> = versions.fetch_all(&self.readers).await?;
        Ok(versions.into_iter().map(|(version,)| version).collect())
    }

    /// Every migration, as this database has it.
    fn migrator(&self) -> Migrator {
        let own = |migration: &Migration| {
            let own = match &self.writer {
                Pool::Sqlite(_) => None,
                Pool::Postgres(_) => {
                    POSTGRES_MIGRATIONS.iter().find(|own| own.version == migration.version)
                }
            };
            own.unwrap_or(migration).clone()
        };
        Migrator::with_migrations(MIGRATIONS.iter().map(own).collect())
    }

    /// Begins a change of configuration, and takes its turn among all changes.
    pub async fn begin(&self) -> Result<Transaction, StoreError> {
        self.require_file()?;
        let begun = self.writer.begin(Turn::Change).await?;
        Ok(Transaction::new(begun, self.unreadable.clone()))
    }

    /// Looks whether the database is still the file that was opened, and says why not. On PostgreSQL it is none.
    pub fn look_at_file(&self) -> Option<String> {
        self.file.as_ref().and_then(|file| file.look())
    }

    /// What the last look at the file has found.
    pub fn displaced(&self) -> Option<String> {
        self.file.as_ref().and_then(|file| file.fault())
    }

    /// Moves what SQLite's log holds into the database, while others write: to be done every second or so. On PostgreSQL
    /// there is nothing to do.
    pub async fn checkpoint(&self) -> Result<(), StoreError> {
        match &self.file {
            Some(file) => file.checkpoint(LOG_PAGES).await,
            None => Ok(()),
        }
    }

    /// Sees to it that nothing is lost when this program ends, even if files have been moved: see [`Self::displaced`].
    pub async fn settle(&self) {
        if let Some(file) = &self.file {
            file.settle().await;
        }
    }

    fn require_file(&self) -> Result<(), StoreError> {
        self.file.as_ref().map_or(Ok(()), |file| file.require())
    }

    /// Closes the pools, after what is under way has ended; a [`ReplayLog`] writes no more.
    pub async fn close(&self) {
        if let Some(file) = &self.file {
            file.close().await;
        }
        self.readers.close().await;
        self.deciders.close().await;
        self.followers.close().await;
        self.writer.close().await;
    }
}

/// Capitals that names here are written with and that `lower()` of the databases leaves alone, which knows ASCII only:
/// those of Norwegian, of its neighbours, and the most frequent ones of Sámi.
const CAPITALS: [(char, char); 8] = [
    ('\u{c6}', '\u{e6}'),
    ('\u{d8}', '\u{f8}'),
    ('\u{c5}', '\u{e5}'),
    ('\u{c4}', '\u{e4}'),
    ('\u{d6}', '\u{f6}'),
    ('\u{c1}', '\u{e1}'),
    ('\u{10c}', '\u{10d}'),
    ('\u{160}', '\u{161}'),
];

/// A text of a statement in small letters, as [`like()`] looks for it.
fn small(text: &str) -> String {
    CAPITALS.iter().fold(format!("lower({text})"), |sql, (capital, letter)| {
        format!("replace({sql}, '{capital}', '{letter}')")
    })
}

/// What a `like` pattern must be to find `text` anywhere in a text that is [`small()`], however it is written; `\` takes
/// their meaning from the characters that have one.
fn like(text: &str) -> String {
    let mut pattern = String::from("%");
    let letter = |c: char| {
        let known = CAPITALS.iter().find(|(capital, _)| *capital == c);
        known.map_or_else(|| c.to_ascii_lowercase(), |(_, letter)| *letter)
    };
    for c in text.chars().map(letter) {
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
#[path = "../../tests/it/harness/postgres.rs"]
#[expect(dead_code, reason = "the tests from outside use all of it")]
mod test_postgres;

#[cfg(test)]
mod tests {
    use sqlx::SqlSafeStr as _;
    use sqlx::migrate::MigrationType;

    use super::*;
    use crate::clock::{Clock as _, SystemClock};
    use crate::store::test_postgres::TestDatabase;

    /// A store with every migration on each database that there is, and what it is in.
    pub(super) async fn stores() -> Vec<(Store, Kept)> {
        let (store, folder) = migrated().await;
        let mut stores = vec![(store, Kept::Folder(folder))];
        if let Some(database) = TestDatabase::create() {
            let store = Store::connect(&database.url()).await.unwrap();
            store.migrate().await.unwrap();
            stores.push((store, Kept::Database(database)));
        }
        stores
    }

    /// What goes when a test is over.
    #[expect(dead_code, reason = "dropped, not read")]
    pub(super) enum Kept {
        Folder(tempfile::TempDir),
        Database(TestDatabase),
    }

    /// The number that a query returns.
    pub(super) async fn number(store: &Store, text: &'static str) -> i64 {
        let (number,) = query(text).fetch_one(&store.readers).await.unwrap();
        number
    }

    /// A SQLite store with every migration, and the folder that it is in.
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
        let explain = database::query_of(format!("explain query plan {statement}"));
        let lines: Vec<(i64, i64, i64, String)> = explain.fetch_all(&store.readers).await.unwrap();
        lines.into_iter().map(|(.., line)| line).collect()
    }

    #[tokio::test]
    async fn a_new_database_lacks_every_migration_until_they_are_applied() {
        let folder = tempfile::tempdir().unwrap();
        let mut stores = vec![Store::open(&folder.path().join("a.db")).await.unwrap()];
        let database = TestDatabase::create();
        if let Some(database) = &database {
            stores.push(Store::connect(&database.url()).await.unwrap());
        }
        for store in stores {
            assert_eq!(store.pending_migrations().await.unwrap().len(), MIGRATIONS.iter().count());
            store.migrate().await.unwrap();
            store.migrate().await.unwrap();
            assert_eq!(store.pending_migrations().await.unwrap(), []);
        }
    }

    #[tokio::test]
    async fn a_migration_that_waits_for_a_table_keeps_nobody_else_from_it() {
        let Some(database) = TestDatabase::create() else { return };
        let store = Store::connect(&database.url()).await.unwrap();
        store.migrate().await.unwrap();
        let mut all: Vec<Migration> = store.migrator().iter().cloned().collect();
        let change = "alter table scope add column later bigint".into_sql_str();
        all.push(Migration::new(i64::MAX, "later".into(), MigrationType::Simple, change, false));

        // As a backup does, which reads one table after the other as of one moment.
        let mut reader = store.readers.snapshot().await.unwrap();
        reader.bear_pauses().await.unwrap();
        let count = "select count(*) from scope";
        let (_,): (i64,) = query(count).fetch_one(reader.on()).await.unwrap();
        let its = store.clone();
        let applying = tokio::spawn(async move { its.apply(Migrator::with_migrations(all)).await });
        for _ in 0..20 {
            let began = SystemClock.uptime();
            assert_eq!(number(&store, count).await, 0);
            let took = SystemClock.uptime().saturating_sub(began);
            assert!(took < Duration::from_secs(2), "{took:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(!applying.is_finished(), "nobody has read for long");
        drop(reader);
        applying.await.unwrap().unwrap();
        let column = "select count(*) from information_schema.columns where column_name = 'later'";
        assert_eq!(number(&store, column).await, 1);
    }

    #[test]
    fn what_postgresql_has_in_its_own_words_is_one_of_the_migrations() {
        for own in POSTGRES_MIGRATIONS.iter() {
            let same = MIGRATIONS.iter().find(|it| it.version == own.version).unwrap();
            assert_eq!(same.description, own.description);
        }
    }
}
