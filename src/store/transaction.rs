//! One change of configuration: the rows, the feed and the audit trail, together or not at all.

use crate::store::database::{Begun, On};
use crate::store::reading::Reading;
use crate::store::{StoreError, UnreadableRows};

/// A change under way. Dropped without [`Transaction::commit`], it leaves nothing behind.
#[derive(Debug)]
pub struct Transaction {
    inner: Begun<'static>,
    unreadable: UnreadableRows,
}

impl Transaction {
    pub(super) fn new(inner: Begun<'static>, unreadable: UnreadableRows) -> Self {
        Self { inner, unreadable }
    }

    /// Holds that a change has met its row: [`StoreError::Absent`] otherwise.
    pub(super) fn met_one_row(table: &'static str, rows: u64) -> Result<(), StoreError> {
        if rows == 1 { Ok(()) } else { Err(StoreError::Absent { table }) }
    }

    pub(super) fn connection(&mut self) -> On<'_> {
        self.inner.on()
    }

    /// Reads what this change sees.
    pub(super) fn reading(&mut self) -> Reading<'_> {
        Reading::new(self.inner.on(), &self.unreadable)
    }

    /// Whether other nodes can be told of it.
    pub(super) fn is_heard(&self) -> bool {
        matches!(self.inner, Begun::Postgres(_))
    }

    /// Makes the change last. An error leaves it unknown whether it did.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.inner.commit().await
    }
}
