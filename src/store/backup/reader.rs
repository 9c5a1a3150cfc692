//! Reads a backup from its beginning to its end, and holds that it is whole.

use std::io::BufRead;

use serde::Deserialize;

use crate::clock::Timestamp;
use crate::store::backup::dump::Sum;
use crate::store::backup::tables::{Table, Texts};
use crate::store::backup::{BackupError, BackupSummary, PAGE_ROWS, TableSummary, VERSION};

/// The longest line: a row of the largest things that are kept is some hundred KiB.
const LINE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A backup of which the first line has been read.
pub struct BackupReader<R> {
    from: R,
    head: Head,
    tables: Vec<TableSummary>,
}

#[derive(Deserialize)]
struct Head {
    portvakt_backup: i64,
    program: String,
    database: String,
    taken_at: i64,
    migrations: Vec<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    tables: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableEnd {
    rows: u64,
    sha256: String,
}

/// What stands in a table: rows, and then no more.
pub(super) enum Rows {
    Some(Vec<Texts>),
    /// These were the last; the checksum is right.
    Last(Vec<Texts>, TableSummary),
}

impl<R: BufRead> BackupReader<R> {
    /// Reads the first line.
    pub fn begin(mut from: R) -> Result<Self, BackupError> {
        let head: Head = parse(&read_line(&mut from)?, "its first line")?;
        if head.portvakt_backup != VERSION {
            let problem =
                format!("it is of version {}, made by a newer program", head.portvakt_backup);
            return Err(BackupError::Unfit(problem));
        }
        Ok(Self { from, head, tables: Vec::new() })
    }

    /// The versions of the migrations that the database had.
    pub fn migrations(&self) -> &[i64] {
        &self.head.migrations
    }

    /// Reads everything that is left, and says what the backup holds.
    pub fn verify(mut self, seen: &mut dyn FnMut(&str, u64)) -> Result<BackupSummary, BackupError> {
        while let Some(table) = self.next_table()? {
            let mut sum = Sum::default();
            loop {
                let rows = self.rows(&table, &mut sum)?;
                seen(&table.name, sum.rows);
                if let Rows::Last(..) = rows {
                    break;
                }
            }
        }
        Ok(self.into_summary())
    }

    /// The next table, of which all rows must be read; `None` at the end of a backup that is whole.
    pub(super) fn next_table(&mut self) -> Result<Option<Table>, BackupError> {
        let line = read_line(&mut self.from)?;
        if let Ok(end) = serde_json::from_slice::<End>(&line) {
            if end.tables != self.tables.len() {
                return Err(BackupError::damaged("tables are missing"));
            }
            let mut rest = [0];
            return match std::io::Read::read(&mut self.from, &mut rest)? {
                0 => Ok(None),
                _ => Err(BackupError::damaged("something stands behind its end")),
            };
        }
        parse(&line, "the description of a table").map(Some)
    }

    /// The next rows of a table. `sum` is of that table, and empty at first.
    pub(super) fn rows(&mut self, table: &Table, sum: &mut Sum) -> Result<Rows, BackupError> {
        let mut rows = Vec::with_capacity(PAGE_ROWS);
        while rows.len() < PAGE_ROWS {
            let line = read_line(&mut self.from)?;
            if line.first() == Some(&b'[') {
                sum.add(&line);
                rows.push(parse(&line, "a row")?);
                continue;
            }
            let end: TableEnd = parse(&line, "the end of a table")?;
            let summary = std::mem::take(sum).of(&table.name);
            if end.rows != summary.rows || end.sha256 != summary.sha256 {
                let problem = format!("the checksum of table {} is wrong", table.name);
                return Err(BackupError::Damaged(problem));
            }
            self.tables.push(summary.clone());
            return Ok(Rows::Last(rows, summary));
        }
        Ok(Rows::Some(rows))
    }

    /// What has been read.
    pub(super) fn into_summary(self) -> BackupSummary {
        BackupSummary {
            program: self.head.program,
            database: self.head.database,
            taken_at: Timestamp::from_seconds(self.head.taken_at),
            migrations: self.head.migrations,
            tables: self.tables,
        }
    }
}

/// A line with its end.
fn read_line(from: &mut impl BufRead) -> Result<Vec<u8>, BackupError> {
    let mut line = Vec::new();
    std::io::Read::take(&mut *from, LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
    if line.last() == Some(&b'\n') { Ok(line) } else { Err(BackupError::damaged("it breaks off")) }
}

fn parse<'l, T: Deserialize<'l>>(line: &'l [u8], what: &str) -> Result<T, BackupError> {
    serde_json::from_slice(line).map_err(|error| BackupError::damaged(format!("{what}: {error}")))
}
