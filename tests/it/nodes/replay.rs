//! N01: an assertion is spent on every node as soon as it is on one (R20).

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::harness::row::check_refusal;
use crate::harness::server::{TestServer, caller};
use crate::nodes::ledger::Ledger;
use crate::nodes::rounds;
use crate::nodes::traffic::{Keep, key_sets};

/// Assertions of a storm. Each comes over every connection.
const ASSERTIONS: usize = 50;

/// Connections to each node.
const CONNECTIONS: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n01_of_the_same_assertion_at_three_nodes_at_once_one_works() {
    let first = TestServer::start().await;
    let nodes = [first.beside().await, first.beside().await, first];
    let addresses = nodes.each_ref().map(|node| node.address);
    let drafts = (0..rounds(ASSERTIONS)).map(|_| caller("es256").draft());
    let assertions: Arc<[(String, String)]> =
        drafts.map(|draft| (draft.jti.clone(), draft.sign())).collect();
    let ledger = Arc::new(Ledger::default());
    let mut storm = JoinSet::new();
    for connection in 0..CONNECTIONS * nodes.len() {
        let mut keep = Keep::new(addresses[connection % nodes.len()]);
        let (ledger, assertions) = (Arc::clone(&ledger), Arc::clone(&assertions));
        storm.spawn(async move {
            for (jti, assertion) in &*assertions {
                keep.ask(&ledger, "es256", jti, assertion).await;
            }
        });
    }
    storm.join_all().await;

    let entries = ledger.entries();
    let worth: Vec<_> = entries.iter().filter(|entry| entry.outcome.is_token()).collect();
    println!(
        "{} assertions over {CONNECTIONS} connections to each of {} nodes: {} tokens (exactly {}); {:?}",
        assertions.len(),
        nodes.len(),
        worth.len(),
        assertions.len(),
        ledger.counts(),
    );
    assert_eq!(ledger.faults(), Vec::<String>::new());
    assert_eq!(worth.len(), assertions.len());
    assert_eq!(worth.iter().map(|it| &it.jti).collect::<BTreeSet<_>>().len(), assertions.len());
    let other = entries.iter().find(|it| !it.outcome.is_token() && !it.outcome.is_replay());
    assert!(other.is_none(), "{other:?}");
    assert_eq!(ledger.unverified(&key_sets(&addresses).await), 0);

    // A node that starts later knows all of it.
    let late = nodes[0].beside().await;
    let assertion = caller("es256").assertion();
    assert_eq!(nodes[1].ask(&assertion).await.status, 200);
    check_refusal(&late.ask(&assertion).await, 400, "invalid_grant", "MP-012").unwrap();
}
