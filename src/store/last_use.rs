//! When things were last used. Notes, not configuration: no feed, no audit trail, and no harm if some are lost.

use crate::clock::Timestamp;
use crate::store::database::{Turn, places_of_rows, query_of};
use crate::store::side_connection::{Durability, SideConnection};
use crate::store::{Store, StoreError};

/// A use of a thing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LastUse {
    /// What kind of thing: `client`, `client_key` or `access`.
    pub noun: &'static str,
    /// Which one: `client`, `client kid` or `scope consumer`.
    pub key: String,
    /// When.
    pub used_at: Timestamp,
}

/// Writes last uses over a connection of its own.
#[derive(Debug)]
pub struct LastUseWriter(SideConnection);

impl Store {
    /// A writer of last uses.
    pub fn last_use_writer(&self) -> LastUseWriter {
        LastUseWriter(SideConnection::new(self, Durability::Lazy))
    }
}

impl LastUseWriter {
    /// How many uses are written at once: so many do not keep others from writing for long.
    pub fn at_once(&self) -> usize {
        self.0.rows_at_once()
    }

    /// Writes uses, each thing once, at most [`LastUseWriter::at_once`]. A later use that is known already stays.
    pub async fn write(&mut self, uses: &[LastUse]) -> Result<(), StoreError> {
        let upsert = format!(
            "insert into last_use (noun, key, used_at) values {} on conflict (noun, key) \
             do update set used_at = excluded.used_at where last_use.used_at < excluded.used_at",
            places_of_rows(1, uses.len(), 3)
        );
        let mut upsert = query_of(upsert).persistent(uses.len() == self.at_once());
        for it in uses {
            upsert = upsert.bind(it.noun).bind(&it.key).bind(it.used_at.seconds());
        }
        let mut connection = self.0.take().await?;
        connection.execute_alone(Turn::LastUse, upsert).await?;
        self.0.put_back(connection);
        Ok(())
    }
}
