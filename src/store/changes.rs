//! Reading the change feed.

use sqlx::postgres::PgConnection;

use crate::clock::Timestamp;
use crate::domain::change::{Change, ChangeSeq, ChangedNoun};
use crate::store::database::{On, query};
use crate::store::{Store, StoreError};

/// The most changes read at once; a reader that gets this many asks again.
const CHANGES_READ_MAX: i64 = 1_000;

impl Store {
    /// The number of the latest change, zero when there is none.
    pub async fn latest_change(&self) -> Result<ChangeSeq, StoreError> {
        let latest = query("select coalesce(max(seq), 0) from change");
        let (seq,) = latest.fetch_one(&self.readers).await?;
        Ok(ChangeSeq(seq))
    }

    /// The change `seen` and those after it, oldest first, at most a thousand.
    pub async fn changes_from(&self, seen: ChangeSeq) -> Result<Vec<Change>, StoreError> {
        let rows: Vec<(i64, String, String, i64)> = query(
            "select seq, noun, key, changed_at from change where seq >= $1 order by seq limit $2",
        )
        .bind(seen.0)
        .bind(CHANGES_READ_MAX)
        .fetch_all(&self.readers)
        .await?;
        Ok(rows.into_iter().map(change).collect())
    }
}

/// The change of that number.
pub(super) async fn change_at(
    seq: ChangeSeq,
    connection: &mut PgConnection,
) -> Result<Option<Change>, StoreError> {
    let row = query("select seq, noun, key, changed_at from change where seq = $1").bind(seq.0);
    Ok(row.fetch_optional(On::Postgres(connection)).await?.map(change))
}

fn change((seq, noun, key, changed_at): (i64, String, String, i64)) -> Change {
    Change {
        seq: ChangeSeq(seq),
        noun: ChangedNoun::from_name(&noun),
        key,
        changed_at: Timestamp::from_seconds(changed_at),
    }
}
