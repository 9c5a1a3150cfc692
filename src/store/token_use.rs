//! How many tokens were issued. Figures, not configuration: no feed and no audit trail.

use crate::domain::client::ClientId;
use crate::domain::usage::{Day, TokenUse, TokenUser};
use crate::store::database::{Query, Turn, places_of_rows, query_of};
use crate::store::side_connection::{Durability, SideConnection};
use crate::store::{Store, StoreError};

/// Figures that are deleted at once: so many hold the write lock for a few milliseconds.
const SLICE_ROWS: u32 = 500;

const COLUMN_COUNT: usize = 5;

/// A table of figures, by what names whom they stand for: organizations of the Norwegian register have a number, and
/// European businesses an identifier.
struct Table {
    name: &'static str,
    consumer: &'static str,
}

const OF_CLIENTS: Table = Table { name: "token_use", consumer: "consumer_number" };
const OF_BUSINESSES: Table =
    Table { name: "business_token_use", consumer: "organization_identifier" };

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
    /// How many figures are added at once while others have to write: so many do not keep them from it for long.
    pub fn at_once(&self) -> usize {
        self.0.rows_at_once()
    }

    /// Adds tokens to the figures that are there, all in one transaction, each figure once. After an error none has been
    /// added; of a commit that fails it is unknown.
    pub async fn add(&mut self, uses: &[(TokenUse, u64)]) -> Result<(), StoreError> {
        let at_once = self.at_once();
        let by_table = by_table(uses);
        let mut upserts: Vec<Query<'_>> = Vec::new();
        for (table, rows) in &by_table {
            upserts
                .extend(rows.chunks(at_once).map(|rows| table.upsert(rows, rows.len() == at_once)));
        }
        let mut connection = self.0.take().await?;
        match <[Query<'_>; 1]>::try_from(upserts) {
            Ok([upsert]) => {
                connection.execute_alone(Turn::TokenUse, upsert).await?;
            }
            Err(upserts) => {
                let mut transaction = connection.begin(Turn::TokenUse).await?;
                for upsert in upserts {
                    upsert.execute(transaction.on()).await?;
                }
                transaction.commit().await?;
            }
        }
        self.0.put_back(connection);
        Ok(())
    }

    /// Deletes a slice of the figures of days before `oldest`. Returns whether there may be more to delete.
    pub async fn delete_before(&mut self, oldest: Day) -> Result<bool, StoreError> {
        let mut more = false;
        for table in [OF_CLIENTS, OF_BUSINESSES] {
            let delete = query_of(table.delete()).bind(oldest.number()).bind(i64::from(SLICE_ROWS));
            let mut connection = self.0.take().await?;
            let deleted = connection.execute_alone(Turn::TokenUse, delete).await?;
            self.0.put_back(connection);
            more |= deleted == u64::from(SLICE_ROWS);
        }
        Ok(more)
    }
}

/// A figure as it is written.
struct Row<'a> {
    it: &'a TokenUse,
    consumer: &'a str,
    client: &'a ClientId,
    tokens: i64,
}

/// The figures, each with those of its table.
fn by_table(uses: &[(TokenUse, u64)]) -> [(Table, Vec<Row<'_>>); 2] {
    let (mut of_clients, mut of_businesses) = (Vec::new(), Vec::new());
    for (it, tokens) in uses {
        let tokens = i64::try_from(*tokens).unwrap_or(i64::MAX);
        match &it.by {
            TokenUser::Client { consumer, client } => {
                of_clients.push(Row { it, consumer: consumer.as_str(), client, tokens });
            }
            TokenUser::Business { identifier, client } => {
                of_businesses.push(Row { it, consumer: identifier.as_str(), client, tokens });
            }
        }
    }
    [(OF_CLIENTS, of_clients), (OF_BUSINESSES, of_businesses)]
}

impl Table {
    /// The statement that adds figures.
    fn upsert<'r>(&self, rows: &'r [Row<'r>], is_usual: bool) -> Query<'r> {
        let places = places_of_rows(1, rows.len(), COLUMN_COUNT);
        let Self { name, consumer } = self;
        let text = format!(
            "insert into {name} (day, scope, {consumer}, client_id, tokens) values {places} \
             on conflict (scope, day, {consumer}, client_id) \
             do update set tokens = {name}.tokens + excluded.tokens"
        );
        let mut upsert = query_of(text).persistent(is_usual);
        for row in rows {
            upsert = upsert
                .bind(row.it.day.number())
                .bind(row.it.scope.as_str())
                .bind(row.consumer)
                .bind(row.client.as_str())
                .bind(row.tokens);
        }
        upsert
    }

    /// The statement that deletes a slice of those of early days.
    fn delete(&self) -> String {
        let Self { name, consumer } = self;
        format!(
            "delete from {name} where (scope, day, {consumer}, client_id) in \
             (select scope, day, {consumer}, client_id from {name} where day < $1 order by day limit $2)"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{assert_indexed, migrated, stores};

    fn figure(day: i64, scope: &str, tokens: u64) -> (TokenUse, u64) {
        let it = TokenUse {
            day: Day::from_number(day),
            scope: scope.parse().unwrap(),
            by: TokenUser::Client {
                consumer: "310000116".parse().unwrap(),
                client: "a".parse().unwrap(),
            },
        };
        (it, tokens)
    }

    /// The same of a European business.
    fn of_business(day: i64, scope: &str, tokens: u64) -> (TokenUse, u64) {
        let (identifier, client) = ("NTRSE-5560360793".parse().unwrap(), "a".parse().unwrap());
        let by = TokenUser::Business { identifier, client };
        (TokenUse { by, ..figure(day, scope, tokens).0 }, tokens)
    }

    async fn figures(store: &Store) -> Vec<(i64, String, i64)> {
        figures_in(store, &OF_CLIENTS).await
    }

    async fn figures_in(store: &Store, table: &Table) -> Vec<(i64, String, i64)> {
        let all = format!("select day, scope, tokens from {} order by day, scope", table.name);
        query_of(all).fetch_all(&store.readers).await.unwrap()
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
    async fn figures_of_businesses_stand_beside_those_of_organizations() {
        for (store, _kept) in stores().await {
            let mut writer = store.token_use_writer();
            let both = [figure(1, "a:b", 2), of_business(1, "a:b", 3), of_business(2, "a:b", 4)];
            writer.add(&both).await.unwrap();
            writer.add(&[of_business(1, "a:b", 5)]).await.unwrap();
            assert_eq!(figures(&store).await, [(1, "a:b".into(), 2)]);
            let expected = [(1, "a:b".into(), 8), (2, "a:b".into(), 4)];
            assert_eq!(figures_in(&store, &OF_BUSINESSES).await, expected);
            assert!(!writer.delete_before(Day::from_number(2)).await.unwrap());
            assert_eq!(figures(&store).await, []);
            assert_eq!(figures_in(&store, &OF_BUSINESSES).await, [(2, "a:b".into(), 4)]);
        }
    }

    #[tokio::test]
    async fn old_figures_are_deleted_a_slice_at_a_time() {
        for (store, _kept) in stores().await {
            let mut writer = store.token_use_writer();
            let old: Vec<_> = (0..600).map(|number| figure(1, &format!("a:{number}"), 1)).collect();
            writer.add(&old).await.unwrap();
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
        for table in [OF_CLIENTS, OF_BUSINESSES] {
            assert_indexed(&store, &table.delete(), table.name).await;
        }
    }
}
