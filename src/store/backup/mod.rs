//! A database as one portable text: dumped from either database as of one moment, checked, and loaded into either.
//!
//! The text is lines of JSON: what it is, then for each table its description, its rows, and how many they are with a
//! checksum over them, and last how many tables there are. Rows are arrays of texts in the order of the primary key, so
//! that the same content is the same text and has the same checksum on both databases. A table stands behind those that
//! its rows refer to, and otherwise in the order in which they were made.
//!
//! Every table is dumped, whoever adds one, but those that say how this very database is ([`LEFT_OUT`]).

mod dump;
mod file;
mod load;
mod reader;
mod tables;

use std::io;

use serde::Serialize;
use thiserror::Error;

use crate::clock::Timestamp;
use crate::store::StoreError;

pub use file::{kept_in, put_in_place, require_unused, restoring};
pub use reader::BackupReader;

/// Tables that belong to a database and not to what is in it: which nodes run on it, and the fence, which a restored
/// database has of its own.
const LEFT_OUT: [&str; 2] = ["node", "fence"];

/// The version of the text.
const VERSION: i64 = 1;

/// Rows that are read and written at a time.
const PAGE_ROWS: usize = 200;

/// What a backup holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BackupSummary {
    /// The version of the program that made it.
    pub program: String,
    /// The database that it was made from: `SQLite` or `PostgreSQL`.
    pub database: String,
    /// As of when.
    pub taken_at: Timestamp,
    /// The versions of the migrations that the database had.
    pub migrations: Vec<i64>,
    /// Its tables.
    pub tables: Vec<TableSummary>,
}

/// What a backup holds of one table.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct TableSummary {
    /// The table.
    pub name: String,
    /// Its rows.
    pub rows: u64,
    /// SHA-256 over them, as they stand in the backup, in hexadecimal.
    pub sha256: String,
}

impl BackupSummary {
    /// All rows.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }
}

/// Why a backup cannot be made or restored.
#[derive(Debug, Error)]
pub enum BackupError {
    /// The text breaks off, or says something else than a backup says.
    #[error("the backup is damaged: {0}")]
    Damaged(String),
    /// Reading or writing it failed.
    #[error("the backup {0}")]
    Io(#[from] io::Error),
    /// The database is not one to restore into.
    #[error("{0}")]
    Unfit(String),
    /// Nodes run on the database.
    #[error(
        "{nodes} nodes run on this database; stop them first (one that has died counts for {dead_seconds} s)"
    )]
    InUse {
        /// How many.
        nodes: i64,
        /// Seconds for which one counts that has not been seen any more.
        dead_seconds: i64,
    },
    /// The database is at fault.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl BackupError {
    fn damaged(problem: impl Into<String>) -> Self {
        Self::Damaged(problem.into())
    }
}
