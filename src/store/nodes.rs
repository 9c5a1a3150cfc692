//! The nodes that are running on one database. Neither configuration nor news: no feed, no audit trail.

use crate::clock::Timestamp;
use crate::store::database::{Pool, query};
use crate::store::{Store, StoreError, Transaction};

impl Store {
    /// Whether nodes on other machines may have the same database.
    pub fn is_shared(&self) -> bool {
        matches!(self.writer, Pool::Postgres(_))
    }

    /// Notes that a node is running.
    pub async fn node_seen(
        &self,
        id: &str,
        issuer: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        query(
            "insert into node (id, issuer, seen_at) values ($1, $2, $3) \
             on conflict (id) do update set seen_at = excluded.seen_at",
        )
        .bind(id)
        .bind(issuer)
        .bind(now.seconds())
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Notes that a node has stopped.
    pub async fn node_left(&self, id: &str) -> Result<(), StoreError> {
        query("delete from node where id = $1").bind(id).execute(&self.writer).await?;
        Ok(())
    }
}

impl Transaction {
    /// Lets a node in, unless one that was seen at `oldest` or later has another issuer, which is returned.
    pub async fn let_node_in(
        &mut self,
        id: &str,
        issuer: &str,
        oldest: Timestamp,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        query("delete from node where seen_at < $1")
            .bind(oldest.seconds())
            .execute(self.connection())
            .await?;
        let other = query("select issuer from node where issuer <> $1 order by id limit 1");
        let other: Option<(String,)> = other.bind(issuer).fetch_optional(self.connection()).await?;
        if let Some((other,)) = other {
            return Ok(Some(other));
        }
        query("insert into node (id, issuer, seen_at) values ($1, $2, $3)")
            .bind(id)
            .bind(issuer)
            .bind(now.seconds())
            .execute(self.connection())
            .await?;
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::stores;

    async fn join(store: &Store, id: &str, issuer: &str, now: i64) -> Option<String> {
        let at = Timestamp::from_seconds;
        let mut transaction = store.begin().await.unwrap();
        let other = transaction.let_node_in(id, issuer, at(now - 10), at(now)).await.unwrap();
        transaction.commit().await.unwrap();
        other
    }

    #[tokio::test]
    async fn nodes_that_run_at_the_same_time_have_one_issuer() {
        for (store, _kept) in stores().await {
            assert_eq!(join(&store, "a", "one", 100).await, None);
            assert_eq!(join(&store, "b", "one", 100).await, None);
            assert_eq!(join(&store, "c", "two", 110).await.as_deref(), Some("one"));
            store.node_seen("a", "one", Timestamp::from_seconds(110)).await.unwrap();
            assert_eq!(join(&store, "c", "two", 120).await.as_deref(), Some("one"));
            store.node_left("a").await.unwrap();
            assert_eq!(join(&store, "c", "two", 120).await, None, "b has died");
            assert_eq!(join(&store, "d", "one", 121).await.as_deref(), Some("two"));
        }
    }
}
