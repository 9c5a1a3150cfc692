//! One change of configuration: the rows, the feed and the audit trail, together or not at all.

use sqlx::{Sqlite, SqliteConnection};

use crate::clock::Timestamp;
use crate::domain::change::{ChangeSeq, ChangedNoun};
use crate::store::StoreError;

/// A change under way. Dropped without [`Transaction::commit`], it leaves nothing behind.
#[derive(Debug)]
pub struct Transaction {
    inner: sqlx::Transaction<'static, Sqlite>,
}

/// What the audit trail keeps of a change.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// Who acted.
    pub actor: String,
    /// The right by which they acted.
    pub by_right: String,
    /// What was done, as a verb: `create`, `change`, `deactivate` and so on.
    pub action: &'static str,
    /// What kind of thing it was done to.
    pub noun: ChangedNoun,
    /// Which one.
    pub key: String,
    /// The thing before, as JSON.
    pub before: Option<String>,
    /// The thing after, as JSON.
    pub after: Option<String>,
    /// The request that did it.
    pub trace_id: Option<String>,
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

    /// Writes the change to the feed and to the audit trail, and returns its number.
    pub async fn record(
        &mut self,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<ChangeSeq, StoreError> {
        sqlx::query(
            "insert into audit (seq, at, actor, by_right, action, noun, key, before, after, trace_id) \
             select coalesce(max(seq), 0) + 1, $1, $2, $3, $4, $5, $6, $7, $8, $9 from audit",
        )
        .bind(now.seconds())
        .bind(&entry.actor)
        .bind(&entry.by_right)
        .bind(entry.action)
        .bind(entry.noun.name())
        .bind(&entry.key)
        .bind(&entry.before)
        .bind(&entry.after)
        .bind(&entry.trace_id)
        .execute(self.connection())
        .await?;
        let seq = sqlx::query_scalar(
            "insert into change (seq, noun, key, changed_at) \
             select coalesce(max(seq), 0) + 1, $1, $2, $3 from change returning seq",
        )
        .bind(entry.noun.name())
        .bind(&entry.key)
        .bind(now.seconds())
        .fetch_one(self.connection())
        .await?;
        Ok(ChangeSeq(seq))
    }

    /// Makes the change last. An error leaves it unknown whether it did.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.inner.commit().await?)
    }
}
