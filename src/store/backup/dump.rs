//! Dumps a database as of one moment, while it is used.

use std::fmt::Write as _;
use std::io::Write;

use aws_lc_rs::digest::{Context, SHA256};
use serde::Serialize;
use serde_json::json;

use crate::clock::Timestamp;
use crate::store::Store;
use crate::store::backup::tables::{Table, Texts, tables};
use crate::store::backup::{BackupError, BackupSummary, PAGE_ROWS, TableSummary, VERSION};
use crate::store::database::{Begun, Pool};

impl Store {
    /// Writes everything that is in the database, as of one moment, and says what that is. `seen` is called now and then
    /// with the table and how many of its rows have been written.
    pub async fn dump(
        &self,
        to: &mut dyn Write,
        now: Timestamp,
        seen: &mut dyn FnMut(&str, u64),
    ) -> Result<BackupSummary, BackupError> {
        let database = match &self.readers {
            Pool::Sqlite(_) => "SQLite",
            Pool::Postgres(_) => "PostgreSQL",
        };
        let migrations = self.applied_migrations().await?;
        let program = env!("CARGO_PKG_VERSION");
        write_line(
            to,
            &json!({
                "portvakt_backup": VERSION, "program": program, "database": database,
                "taken_at": now.seconds(), "migrations": migrations,
            }),
        )?;
        let mut begun = self.readers.snapshot().await?;
        begun.bear_pauses().await?;
        let mut summaries = Vec::new();
        for table in tables(&mut begun).await? {
            write_line(to, &table)?;
            let mut count = |rows| seen(&table.name, rows);
            let summary = walk(&mut begun, &table, Some(to), &mut count).await?;
            write_line(to, &json!({ "rows": summary.rows, "sha256": summary.sha256 }))?;
            summaries.push(summary);
        }
        write_line(to, &json!({ "tables": summaries.len() }))?;
        Ok(BackupSummary {
            program: program.to_owned(),
            database: database.to_owned(),
            taken_at: now,
            migrations,
            tables: summaries,
        })
    }
}

/// Reads a table from end to end, writes its rows if there is a place for them, and says what they are.
pub(super) async fn walk(
    begun: &mut Begun<'_>,
    table: &Table,
    mut to: Option<&mut dyn Write>,
    seen: &mut dyn FnMut(u64),
) -> Result<TableSummary, BackupError> {
    let mut sum = Sum::default();
    let mut last: Option<Texts> = None;
    loop {
        let rows = table.page(begun, last.as_ref()).await?;
        for row in &rows {
            let line = line(row)?;
            sum.add(&line);
            if let Some(to) = &mut to {
                to.write_all(&line)?;
            }
        }
        seen(sum.rows);
        let is_last = rows.len() < PAGE_ROWS;
        last = rows.into_iter().next_back().or(last);
        if is_last {
            return Ok(sum.of(&table.name));
        }
    }
}

/// A checksum over rows.
pub(super) struct Sum {
    hash: Context,
    pub(super) rows: u64,
}

impl Default for Sum {
    fn default() -> Self {
        Self { hash: Context::new(&SHA256), rows: 0 }
    }
}

impl Sum {
    /// Adds a row, as its line.
    pub(super) fn add(&mut self, line: &[u8]) {
        self.hash.update(line);
        self.rows += 1;
    }

    pub(super) fn of(self, table: &str) -> TableSummary {
        let hash = self.hash.finish();
        let mut sha256 = String::with_capacity(2 * hash.as_ref().len());
        for byte in hash.as_ref() {
            let _ = write!(sha256, "{byte:02x}");
        }
        TableSummary { name: table.to_owned(), rows: self.rows, sha256 }
    }
}

fn line(row: &impl Serialize) -> Result<Vec<u8>, BackupError> {
    let mut line =
        serde_json::to_vec(row).map_err(|error| BackupError::damaged(error.to_string()))?;
    line.push(b'\n');
    Ok(line)
}

fn write_line(to: &mut dyn Write, value: &impl Serialize) -> Result<(), BackupError> {
    Ok(to.write_all(&line(value)?)?)
}
