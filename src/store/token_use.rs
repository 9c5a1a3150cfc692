//! How many tokens were issued. Figures, not configuration: no feed and no audit trail.

use crate::domain::usage::{Day, TokenUse};
use crate::store::database::{Turn, query, query_of};
use crate::store::side_connection::{Durability, SideConnection};
use crate::store::{Store, StoreError};

/// The most figures of one statement; so many hold the write lock for a few milliseconds.
pub const TOKEN_USES_MAX: usize = 200;

/// Figures that are deleted at once, for the same reason.
const SLICE_ROWS: u32 = 500;

const COLUMN_COUNT: usize = 5;

const DELETE: &str = "delete from token_use where (scope, day, consumer_number, client_id) in \
     (select scope, day, consumer_number, client_id from token_use where day < $1 order by day limit $2)";

/// Adds and deletes figures over a connection of its own.
#[derive(Debug)]
pub struct TokenUseWriter(SideConnection);

impl Store {
    /// A writer of figures; it connects when it is first used.
    pub fn token_use_writer(&self) -> TokenUseWriter {
        TokenUseWriter(SideConnection::new(self, Durability::Lazy))
    }
}

impl TokenUseWriter {
    /// Adds tokens to the figures that are there, all in one transaction, each figure once, at most
    /// [`TOKEN_USES_MAX`]. After an error none has been added; of a commit that fails it is unknown.
    pub async fn add(&mut self, uses: &[(TokenUse, u64)]) -> Result<(), StoreError> {
        let mut connection = self.0.take().await?;
        let mut transaction = connection.begin(Turn::TokenUse).await?;
        // Too many sizes to keep a prepared statement for each.
        let mut upsert = query_of(upsert(uses.len())).persistent(false);
        for (it, tokens) in uses {
            upsert = upsert
                .bind(it.day.number())
                .bind(it.scope.as_str())
                .bind(it.consumer.as_str())
                .bind(it.client.as_str())
                .bind(i64::try_from(*tokens).unwrap_or(i64::MAX));
        }
        upsert.execute(transaction.on()).await?;
        transaction.commit().await?;
        self.0.put_back(connection);
        Ok(())
    }

    /// Deletes a slice of the figures of days before `oldest`. Returns whether there may be more to delete.
    pub async fn delete_before(&mut self, oldest: Day) -> Result<bool, StoreError> {
        let mut connection = self.0.take().await?;
        let delete = query(DELETE).bind(oldest.number()).bind(i64::from(SLICE_ROWS));
        let deleted = connection.execute_alone(Turn::TokenUse, delete).await?;
        self.0.put_back(connection);
        Ok(deleted == u64::from(SLICE_ROWS))
    }
}

/// The statement that adds so many figures. Only the number of placeholders varies, never text from outside.
fn upsert(rows: usize) -> String {
    let values = |row: usize| {
        let places = (1..=COLUMN_COUNT).map(|column| format!("${}", row * COLUMN_COUNT + column));
        format!("({})", places.collect::<Vec<_>>().join(", "))
    };
    let values: Vec<String> = (0..rows).map(values).collect();
    format!(
        "insert into token_use (day, scope, consumer_number, client_id, tokens) values {} \
         on conflict (scope, day, consumer_number, client_id) \
         do update set tokens = token_use.tokens + excluded.tokens",
        values.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{assert_indexed, migrated, stores};

    fn figure(day: i64, scope: &str, tokens: u64) -> (TokenUse, u64) {
        let it = TokenUse {
            day: Day::from_number(day),
            scope: scope.parse().unwrap(),
            consumer: "310000116".parse().unwrap(),
            client: "a".parse().unwrap(),
        };
        (it, tokens)
    }

    async fn figures(store: &Store) -> Vec<(i64, String, i64)> {
        let all = "select day, scope, tokens from token_use order by day, scope";
        query(all).fetch_all(&store.readers).await.unwrap()
    }

    #[tokio::test]
    async fn several_nodes_add_to_the_same_figures() {
        for (store, _kept) in stores().await {
            let (mut one, mut other) = (store.token_use_writer(), store.token_use_writer());
            one.add(&[figure(1, "a:b", 2), figure(1, "a:c", 1)]).await.unwrap();
            other.add(&[figure(1, "a:b", 40), figure(2, "a:b", 7)]).await.unwrap();
            let expected = [(1, "a:b".into(), 42), (1, "a:c".into(), 1), (2, "a:b".into(), 7)];
            assert_eq!(figures(&store).await, expected);
        }
    }

    #[tokio::test]
    async fn old_figures_are_deleted_a_slice_at_a_time() {
        for (store, _kept) in stores().await {
            let mut writer = store.token_use_writer();
            let old: Vec<_> = (0..600).map(|number| figure(1, &format!("a:{number}"), 1)).collect();
            for batch in old.chunks(TOKEN_USES_MAX) {
                writer.add(batch).await.unwrap();
            }
            writer.add(&[figure(2, "a:b", 1)]).await.unwrap();
            assert!(writer.delete_before(Day::from_number(2)).await.unwrap());
            assert_eq!(figures(&store).await.len(), 101);
            assert!(!writer.delete_before(Day::from_number(2)).await.unwrap());
            assert_eq!(figures(&store).await, [(2, "a:b".into(), 1)]);
        }
    }

    #[tokio::test]
    async fn nothing_is_read_from_end_to_end_to_delete_a_slice() {
        let (store, _folder) = migrated().await;
        assert_indexed(&store, DELETE, "delete").await;
    }
}
