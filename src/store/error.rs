//! What can go wrong with the database, in the ways that callers tell apart.

use thiserror::Error;

/// Why the database did not do what it was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The thing to be changed is not there.
    #[error("there is no such row in table {table}")]
    Absent {
        /// The table.
        table: &'static str,
    },
    /// The change breaks a rule that the tables hold, such as a name that is already taken.
    #[error("the change breaks a rule of the database: {rule}")]
    Conflict {
        /// What the database says was broken.
        rule: String,
    },
    /// A row holds something that this program never writes.
    #[error("table {table} holds a row that cannot be read: {problem}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// What is wrong with the row.
        problem: String,
    },
    /// The file of the database is not where it was opened, or not that file.
    #[error("the database is not where it was: {0}")]
    Displaced(String),
    /// The migrations could not be applied.
    #[error("the migrations cannot be applied: {0}")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// The database is reached, and is not one to run on.
    #[error("the database is not one to run on: {0}")]
    Unsuitable(String),
    /// The URL of the database cannot be used.
    #[error("the URL of the database {0}")]
    Url(String),
    /// The database cannot be reached, is locked, full or broken.
    #[error("the database is unavailable: {0}")]
    Unavailable(#[source] sqlx::Error),
}

/// Classes of PostgreSQL's error codes that say that what it was told is wrong: who is asking, which database, what
/// for. The others pass, as it starts, stops, or has no room.
const LASTING: [&str; 3] = ["28", "3D", "42"];

impl StoreError {
    /// Whether it may be another time without anybody mending anything here: the database could not be reached, or
    /// was not ready.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unavailable(sqlx::Error::Database(told)) => {
                let code = told.code().unwrap_or_default();
                !LASTING.iter().any(|class| code.starts_with(class))
            }
            Self::Unavailable(error) => {
                !matches!(error, sqlx::Error::Configuration(_) | sqlx::Error::Tls(_))
            }
            Self::Absent { .. }
            | Self::Conflict { .. }
            | Self::Corrupt { .. }
            | Self::Displaced(_)
            | Self::Migration(_)
            | Self::Unsuitable(_)
            | Self::Url(_) => false,
        }
    }

    /// A row of `table` that holds something this program never writes.
    pub(crate) fn corrupt(table: &'static str, problem: &dyn ToString) -> Self {
        Self::Corrupt { table, problem: problem.to_string() }
    }
}

/// What a table is called in an error where a statement reads more than one.
const UNNAMED: &str = "(one of the statement)";

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(broken)
                if broken.is_unique_violation() || broken.is_foreign_key_violation() =>
            {
                Self::Conflict { rule: broken.message().to_owned() }
            }
            // The database has answered, and it is not what it should.
            sqlx::Error::ColumnDecode { .. } => {
                Self::Corrupt { table: UNNAMED, problem: error.to_string() }
            }
            _ => Self::Unavailable(error),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        Self::Migration(error)
    }
}
