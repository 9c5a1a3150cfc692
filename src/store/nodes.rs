//! The nodes that are running on one database. Neither configuration nor news: no feed, no audit trail.

use std::collections::BTreeMap;

use crate::clock::Timestamp;
use crate::domain::change::ChangeSeq;
use crate::store::database::{On, Pool, query};
use crate::store::{Store, StoreError, Transaction, as_json, from_json};

/// A node, as it shows itself to the others.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NodeRow {
    /// A random number of each start.
    pub id: String,
    /// Who it says it is.
    pub issuer: String,
    /// The last change that holds on it; `None` of one that does not tell.
    pub applied: Option<ChangeSeq>,
    /// The settings that must be the same on all.
    pub settings: BTreeMap<String, String>,
}

impl Store {
    /// Whether nodes on other machines may have the same database.
    pub fn is_shared(&self) -> bool {
        matches!(self.writer, Pool::Postgres(_))
    }

    /// What the database's clock shows, in milliseconds since 1970; a file has none.
    pub async fn clock_milliseconds(&self) -> Result<Option<i64>, StoreError> {
        if !self.is_shared() {
            return Ok(None);
        }
        let clock = "select cast(extract(epoch from clock_timestamp()) * 1000 as bigint)";
        let (shown,) = query(clock).fetch_one(&self.readers).await?;
        Ok(Some(shown))
    }

    /// Notes that a node is still running. Whether it was known to be: one that others have taken for dead is not.
    pub async fn node_seen(&self, node: &NodeRow, now: Timestamp) -> Result<bool, StoreError> {
        let update =
            query("update node set seen_at = $2, applied_seq = $3, settings = $4 where id = $1")
                .bind(&node.id)
                .bind(now.seconds())
                .bind(node.applied.map(|applied| applied.0))
                .bind(as_json(&node.settings));
        // Not over the one connection of those who change things, who would wait for it.
        Ok(update.execute(&self.readers).await? == 1)
    }

    /// The nodes that were seen at `oldest` or later.
    pub async fn nodes_since(&self, oldest: Timestamp) -> Result<Vec<NodeRow>, StoreError> {
        read_nodes(oldest, &self.readers).await
    }

    /// Notes that a node has stopped.
    pub async fn node_left(&self, id: &str) -> Result<(), StoreError> {
        query("delete from node where id = $1").bind(id).execute(&self.writer).await?;
        Ok(())
    }
}

impl Transaction {
    /// The nodes that were seen at `oldest` or later. The others are dead, and go.
    pub async fn living_nodes(&mut self, oldest: Timestamp) -> Result<Vec<NodeRow>, StoreError> {
        query("delete from node where seen_at < $1")
            .bind(oldest.seconds())
            .execute(self.connection())
            .await?;
        read_nodes(oldest, self.connection()).await
    }

    /// Lets a node in.
    pub async fn let_node_in(&mut self, node: &NodeRow, now: Timestamp) -> Result<(), StoreError> {
        query(
            "insert into node (id, issuer, seen_at, applied_seq, settings) values ($1, $2, $3, $4, $5)",
        )
        .bind(&node.id)
        .bind(&node.issuer)
        .bind(now.seconds())
        .bind(node.applied.map(|applied| applied.0))
        .bind(as_json(&node.settings))
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

async fn read_nodes<'c>(
    oldest: Timestamp,
    on: impl Into<On<'c>>,
) -> Result<Vec<NodeRow>, StoreError> {
    let nodes =
        query("select id, issuer, applied_seq, settings from node where seen_at >= $1 order by id");
    let rows: Vec<(String, String, Option<i64>, String)> =
        nodes.bind(oldest.seconds()).fetch_all(on).await?;
    let node = |(id, issuer, applied, settings): (_, _, Option<i64>, String)| {
        let settings = from_json("node", &settings)?;
        Ok(NodeRow { id, issuer, applied: applied.map(ChangeSeq), settings })
    };
    rows.into_iter().map(node).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::stores;

    fn node(id: &str, applied: i64) -> NodeRow {
        let settings = BTreeMap::from([("a.b".to_owned(), id.to_owned())]);
        let (id, issuer) = (id.to_owned(), "one".to_owned());
        NodeRow { id, issuer, applied: Some(ChangeSeq(applied)), settings }
    }

    #[tokio::test]
    async fn nodes_are_known_as_they_show_themselves_until_they_leave_or_die() {
        let at = Timestamp::from_seconds;
        for (store, _kept) in stores().await {
            for (name, now) in [("a", 100), ("b", 105)] {
                let mut transaction = store.begin().await.unwrap();
                transaction.let_node_in(&node(name, 1), at(now)).await.unwrap();
                transaction.commit().await.unwrap();
            }
            assert!(store.node_seen(&node("a", 7), at(110)).await.unwrap());
            assert_eq!(store.nodes_since(at(105)).await.unwrap(), [node("a", 7), node("b", 1)]);
            let mut transaction = store.begin().await.unwrap();
            assert_eq!(transaction.living_nodes(at(106)).await.unwrap(), [node("a", 7)]);
            transaction.commit().await.unwrap();
            assert_eq!(store.nodes_since(at(0)).await.unwrap(), [node("a", 7)], "b has died");
            assert!(!store.node_seen(&node("b", 7), at(111)).await.unwrap());
            store.node_left("a").await.unwrap();
            assert_eq!(store.nodes_since(at(0)).await.unwrap(), []);
        }
    }

    #[tokio::test]
    async fn only_a_server_has_a_clock() {
        for (store, _kept) in stores().await {
            let shown = store.clock_milliseconds().await.unwrap();
            assert_eq!(shown.is_some(), store.is_shared());
            assert!(shown.is_none_or(|shown| shown > 1_700_000_000_000), "{shown:?}");
        }
    }
}
