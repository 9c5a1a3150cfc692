//! Statements behind the back of a server, on whichever database it has.

use std::path::Path;

use sqlx::{AssertSqlSafe, PgPool, SqlitePool};

/// The database of a test server.
pub(crate) enum Sql {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Sql {
    /// Lets go of the database.
    pub(crate) async fn close(self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }

    pub(crate) async fn open(file: &Path) -> Self {
        Self::Sqlite(SqlitePool::connect(file.to_str().unwrap()).await.unwrap())
    }

    pub(crate) async fn connect(url: &str) -> Self {
        Self::Postgres(PgPool::connect(url).await.unwrap())
    }

    /// Runs a statement, and returns how many rows it has changed.
    pub(crate) async fn execute(&self, statement: &str) -> u64 {
        let query = AssertSqlSafe(statement.to_owned());
        match self {
            Self::Sqlite(pool) => sqlx::query(query).execute(pool).await.unwrap().rows_affected(),
            Self::Postgres(pool) => sqlx::query(query).execute(pool).await.unwrap().rows_affected(),
        }
    }

    /// Keeps everybody else from writing to a table, until what is returned is dropped.
    pub(crate) async fn lock(&self, table: &str) -> Box<dyn Send> {
        match self {
            Self::Sqlite(pool) => Box::new(pool.begin_with("begin immediate").await.unwrap()),
            Self::Postgres(pool) => {
                let mut transaction = pool.begin().await.unwrap();
                let lock = AssertSqlSafe(format!("lock table {table}"));
                sqlx::query(lock).execute(&mut *transaction).await.unwrap();
                Box::new(transaction)
            }
        }
    }

    /// The number that a query returns.
    pub(crate) async fn number(&self, statement: &str) -> i64 {
        let query = AssertSqlSafe(statement.to_owned());
        match self {
            Self::Sqlite(pool) => sqlx::query_scalar(query).fetch_one(pool).await.unwrap(),
            Self::Postgres(pool) => sqlx::query_scalar(query).fetch_one(pool).await.unwrap(),
        }
    }

    /// The text that a query returns.
    pub(crate) async fn text(&self, statement: &str) -> String {
        let query = AssertSqlSafe(statement.to_owned());
        match self {
            Self::Sqlite(pool) => sqlx::query_scalar(query).fetch_one(pool).await.unwrap(),
            Self::Postgres(pool) => sqlx::query_scalar(query).fetch_one(pool).await.unwrap(),
        }
    }
}
