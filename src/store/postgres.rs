//! PostgreSQL: how it is connected to, and what it must be like.
//!
//! A database on another machine can be slow, silent or gone, and what holds for a session is decided by whoever set
//! the server up. So every session says how long it waits for what, that its commits are durable, and nothing that
//! protects what is sent is left to chance.

use std::net::IpAddr;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::migrate::{Migrate as _, MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions, PgSslMode};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use crate::store::database::{ANSWER_TIME_MAX, On, in_time, query};
use crate::store::side_connection::Durability;
use crate::store::{StoreError, fence};

/// How long connecting may take; whoever waits for it would rather be told 503 within a second.
const CONNECT_TIME_MAX: Duration = Duration::from_millis(800);

/// How long a connection that comes back to the pool may take to show that it is alive.
const PING_TIME_MAX: Duration = Duration::from_secs(1);

/// What every session sets, in milliseconds or, for keepalives, in seconds: how long a statement runs and waits for a
/// lock, how long a transaction lies idle with the locks that others wait for, and after what silence PostgreSQL takes
/// a node for dead, which gives back the locks of a node that has lost its power. And that a statement sees what was
/// committed before it began, and not what was before its transaction waited for its turn.
const SETTINGS: [(&str, &str); 8] = [
    ("default_transaction_isolation", "read committed"),
    ("statement_timeout", "5000"),
    ("lock_timeout", "5000"),
    ("idle_in_transaction_session_timeout", "5000"),
    ("tcp_keepalives_idle", "5"),
    ("tcp_keepalives_interval", "2"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "10000"),
];

/// The same for spent assertions, which nobody waits long for: a node that stops between an insert and its commit
/// stops all others for no longer than this.
const REPLAY_SETTINGS: [(&str, &str); 3] = [
    ("statement_timeout", "700"),
    ("lock_timeout", "700"),
    ("idle_in_transaction_session_timeout", "500"),
];

/// Migrations may take as long as they take, and wait for a node that is applying them.
const MIGRATION_SETTINGS: [(&str, &str); 2] =
    [("statement_timeout", "0"), ("lock_timeout", "60000")];

/// How long a migration waits for a table: whoever comes to that table after it waits as well, and nodes are serving.
const TABLE_TIME_MAX: &str = "set lock_timeout = 300";

/// How often it tries, and the time between, which those have for themselves who wait for the table: about a minute, in
/// which a backup ends or somebody ends it.
const TABLE_ATTEMPTS: u32 = 60;
const TABLE_PAUSE: Duration = Duration::from_millis(700);

/// What PostgreSQL says when a lock was waited for in vain (`lock_not_available`).
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// How often it is looked whether sessions are shared.
const SHARING_LOOKS: u32 = 3;

/// What is wrong when what a session sets does not reach the server.
const POOLED: &str = "what a session sets does not hold, as with a pooler such as pgbouncer in between; connect past it";

/// Reads the URL of a database, and holds that nobody between us and it can read along or pretend to be it.
/// [`StoreError::Url`] tells what is wrong, without the URL, because it may hold a password.
pub fn check_url(url: &str) -> Result<(), StoreError> {
    options(url).map(|_| ())
}

/// How the database of a URL is connected to. See [`check_url`].
pub(super) fn options(url: &str) -> Result<PgConnectOptions, StoreError> {
    let wrong = |problem: &str| StoreError::Url(problem.to_owned());
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(wrong("does not begin with postgres:// or postgresql://"));
    }
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| wrong("is not a URL like postgres://USER:PASSWORD@HOST:PORT/DATABASE"))?;
    if options.get_database().is_none() {
        return Err(wrong("names no database"));
    }
    let is_verified = matches!(options.get_ssl_mode(), PgSslMode::VerifyFull);
    if !is_verified && options.get_socket().is_none() && !is_loopback(options.get_host()) {
        return Err(wrong(
            "is of another machine and lacks sslmode=verify-full, without which anybody in between could be the \
             database",
        ));
    }
    // Of two settings the last one counts, so the URL does not undo these.
    Ok(options.application_name("portvakt").options(SETTINGS).options([DURABLE]))
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.starts_with('/')
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whatever is the server's default, a commit is on its disk, and on those of synchronous standbys, when we are told of
/// it: a spent assertion must stay spent when the power fails.
const DURABLE: (&str, &str) = ("synchronous_commit", "on");

/// A pool of so many connections, which are made when they are needed.
pub(super) fn pool(
    options: &PgConnectOptions,
    connections: u32,
    acquire_time_max: Duration,
) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(acquire_time_max)
        .after_connect(|connection, _| {
            Box::pin(async move {
                fence::join(connection).await.map_err(|error| match error {
                    StoreError::Unavailable(error) => error,
                    other => sqlx::Error::Configuration(other.into()),
                })
            })
        })
        // It is asked for more than a sign of life, which takes no longer.
        .test_before_acquire(false)
        .before_acquire(|connection, _| Box::pin(takes_writes(connection)))
        .after_release(|connection, _| {
            // What was given up in the middle may have left it in any state, and silent.
            Box::pin(async move {
                match tokio::time::timeout(PING_TIME_MAX, connection.ping()).await {
                    Ok(answer) => answer.map(|()| true),
                    Err(_) => Err(sqlx::Error::PoolTimedOut),
                }
            })
        })
        .connect_lazy_with(options.clone())
}

/// Whether a connection still leads to the primary. One that another has taken the place of may live on and answer whoever
/// only reads, with what was true before: then the connection goes, and the next leads to where the address leads by then.
/// It is asked before each use and not after: what an idle connection says first would otherwise be cached, and nothing
/// that happens on the new primary would tell.
async fn takes_writes(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let setting = sqlx::raw_sql("show transaction_read_only").fetch_one(connection).await?;
    Ok(setting.try_get::<String, _>(0)? == "off")
}

/// A connection beside the pool, for what one task writes.
pub(super) async fn connect_beside(
    pool: &PgPool,
    durability: Durability,
) -> Result<PgConnection, StoreError> {
    let options = (*pool.connect_options()).clone();
    let options = match durability {
        Durability::Full => options.options(REPLAY_SETTINGS),
        Durability::Lazy => options.options([("synchronous_commit", "off")]),
    };
    in_time(CONNECT_TIME_MAX, async {
        let mut connection = options.connect().await?;
        fence::join(&mut connection).await?;
        Ok::<_, StoreError>(connection)
    })
    .await
}

/// Applies the migrations that are missing. Of several nodes that do so at once one does, and the others wait; those that
/// are serving never wait longer than a moment, whoever keeps a migration from its table.
pub(super) async fn migrate(beside: &PgPool, mut migrator: Migrator) -> Result<(), StoreError> {
    let options = (*beside.connect_options()).clone().options(MIGRATION_SETTINGS);
    let own = pool(&options, 1, CONNECT_TIME_MAX);
    let mut connection = own.acquire().await?;
    connection.lock().await?;
    migrator.set_locking(false);
    sqlx::raw_sql(TABLE_TIME_MAX).execute(&mut *connection).await?;
    let mut attempts = 1;
    let applied = loop {
        match migrator.run_direct(None, &mut *connection, false).await {
            Err(error) if attempts < TABLE_ATTEMPTS && is_kept_waiting(&error) => {
                if attempts == 1 {
                    tracing::warn!(%error, "somebody is reading or writing for long, such as a backup; it is tried again");
                }
                attempts += 1;
                tokio::time::sleep(TABLE_PAUSE).await;
            }
            applied => break applied,
        }
    };
    // The lock goes with the session.
    connection.close().await?;
    own.close().await;
    Ok(applied?)
}

fn is_kept_waiting(error: &MigrateError) -> bool {
    let (MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) = error else {
        return false;
    };
    let error = error.as_database_error();
    error.is_some_and(|error| error.code().is_some_and(|code| code == LOCK_NOT_AVAILABLE))
}

/// Holds that the database keeps what it says it has kept, orders text as this program does, and hears what sessions
/// set: [`StoreError::Unsuitable`] otherwise.
pub(super) async fn check(options: &PgConnectOptions) -> Result<(), StoreError> {
    let unsuitable = |problem: &str| Err(StoreError::Unsuitable(problem.to_owned()));
    let mut connection = match in_time(CONNECT_TIME_MAX, options.connect()).await {
        Err(error) if error.to_string().contains("startup parameter") => return unsuitable(POOLED),
        connected => connected?,
    };
    if shares_sessions(&mut connection, options).await? {
        return unsuitable(POOLED);
    }
    let settings = query(
        "select current_setting('fsync'), current_setting('statement_timeout'), \
         current_setting('synchronous_commit'), current_setting('server_encoding')",
    );
    let (fsync, statement_timeout, synchronous, encoding): (String, String, String, String) =
        settings.fetch_one(On::Postgres(&mut connection)).await?;
    if fsync != "on" {
        return unsuitable(
            "it runs with fsync=off, and would forget spent assertions when the power fails",
        );
    }
    if statement_timeout != "5s" || synchronous != "on" {
        return unsuitable(POOLED);
    }
    if encoding != "UTF8" {
        return unsuitable("its encoding is not UTF8; make it with: encoding 'UTF8'");
    }
    // Lists go on after the last name of a page, and every node must agree where that is.
    let order = query("select 'Z' < 'a' and 'a z' < 'aa' and 'a-z' < 'aa' and 'z' < 'å'");
    let (by_code_points,): (bool,) = order.fetch_one(On::Postgres(&mut connection)).await?;
    if !by_code_points {
        return unsuitable(
            "it does not order text by code points; make it with: create database portvakt \
             template template0 encoding 'UTF8' locale 'C'",
        );
    }
    in_time(CONNECT_TIME_MAX, connection.close()).await
}

/// Whether somebody in between gives one session to several of us: the process that serves a connection is then another
/// one from statement to statement, or the same for two. It is asked in the way that needs no session, and more than once,
/// because others may be served meanwhile.
async fn shares_sessions(
    connection: &mut PgConnection,
    options: &PgConnectOptions,
) -> Result<bool, StoreError> {
    let mut second = in_time(CONNECT_TIME_MAX, options.connect()).await?;
    let mut is_shared = false;
    for _ in 0..SHARING_LOOKS {
        let before = process(connection, PROCESS).await?;
        let other = process(&mut second, PROCESS_IN_TRANSACTION).await?;
        let after = process(connection, PROCESS).await?;
        in_time(ANSWER_TIME_MAX, sqlx::raw_sql("commit").execute(&mut second)).await?;
        is_shared |= before == other || before != after;
    }
    in_time(CONNECT_TIME_MAX, second.close()).await?;
    Ok(is_shared)
}

const PROCESS: &str = "select pg_backend_pid()";
const PROCESS_IN_TRANSACTION: &str = "begin; select pg_backend_pid()";

/// The number of the process that serves a connection.
async fn process(
    connection: &mut PgConnection,
    statement: &'static str,
) -> Result<i32, StoreError> {
    let row = in_time(ANSWER_TIME_MAX, sqlx::raw_sql(statement).fetch_one(connection)).await?;
    Ok(row.try_get(0)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use crate::store::test_postgres::TestDatabase;

    #[tokio::test]
    async fn a_connection_lasts_as_long_as_it_leads_to_a_database_that_takes_writes() {
        let Some(database) = TestDatabase::create() else { return };
        let store = Store::connect(&database.url()).await.unwrap();
        // Of a pool of one.
        let process = async || {
            let process = query("select cast(pg_backend_pid() as bigint)");
            let (process,): (i64,) = process.fetch_one(&store.writer).await.unwrap();
            process
        };
        let first = process().await;
        // What only reads says so for itself.
        drop(store.writer.snapshot().await.unwrap());
        assert_eq!(process().await, first);
        let other = query("set default_transaction_read_only = on");
        other.execute(&store.writer).await.unwrap();
        assert_ne!(process().await, first);
    }

    #[tokio::test]
    async fn what_every_session_sets_reaches_the_server() {
        let Some(database) = TestDatabase::create() else { return };
        let store = Store::connect(&database.url()).await.unwrap();
        for (name, value) in SETTINGS.into_iter().chain([DURABLE]) {
            // What is set; what is in force of keepalives depends on the socket.
            let set = query("select reset_val from pg_settings where name = $1").bind(name);
            let (set,): (String,) = set.fetch_one(&store.writer).await.unwrap();
            assert_eq!(set, value, "{name}");
        }
    }

    #[test]
    fn a_database_elsewhere_is_reached_by_verified_tls_only() {
        for good in [
            "postgres://a:b@localhost/portvakt",
            "postgresql://a@127.0.0.1:5433/portvakt",
            "postgres://a@[::1]/portvakt",
            "postgres://a@%2Frun%2Fpostgresql/portvakt",
            "postgres:///portvakt?host=/run/postgresql&user=a",
            "postgres://a:b@db.example.org/portvakt?sslmode=verify-full",
        ] {
            check_url(good).unwrap();
        }
        for (bad, problem) in [
            ("mysql://a:secret@localhost/portvakt", "does not begin with"),
            ("postgres://a:secret@localhost:port/portvakt", "is not a URL"),
            ("postgres://a:secret@localhost", "names no database"),
            ("postgres://a:secret@db.example.org/portvakt", "verify-full"),
            ("postgres://a:secret@db.example.org/portvakt?sslmode=require", "verify-full"),
            ("postgres://a:secret@127.0.0.1.example.org/portvakt", "verify-full"),
        ] {
            let error = check_url(bad).unwrap_err().to_string();
            assert!(error.contains(problem) && !error.contains("secret"), "{bad}: {error}");
        }
    }
}
