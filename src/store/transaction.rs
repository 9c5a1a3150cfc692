//! One change of configuration: the rows, the feed and the audit trail, together or not at all.

use sqlx::{Sqlite, SqliteConnection};

use crate::store::StoreError;

/// A change under way. Dropped without [`Transaction::commit`], it leaves nothing behind.
#[derive(Debug)]
pub struct Transaction {
    inner: sqlx::Transaction<'static, Sqlite>,
}

impl Transaction {
    pub(super) fn new(inner: sqlx::Transaction<'static, Sqlite>) -> Self {
        Self { inner }
    }

    /// Holds that a change has met its row: [`StoreError::Absent`] otherwise.
    pub(super) fn met_one_row(table: &'static str, rows: u64) -> Result<(), StoreError> {
        if rows == 1 { Ok(()) } else { Err(StoreError::Absent { table }) }
    }

    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.inner
    }

    /// Makes the change last. An error leaves it unknown whether it did.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.inner.commit().await?)
    }
}
