//! N01: an assertion is spent on every node as soon as it is on one.

use tokio::task::JoinSet;

use crate::harness::http::{Reply, exchange, form, post};
use crate::harness::row::check_refusal;
use crate::harness::server::{TestServer, caller};

/// Assertions of a storm, and how often each comes to each node.
const ASSERTIONS: usize = 60;
const TIMES: usize = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n01_of_the_same_assertion_at_three_nodes_at_once_one_works() {
    let first = TestServer::start().await;
    let nodes = [first.beside().await, first.beside().await, first];
    let mut tasks = JoinSet::new();
    for number in 0..ASSERTIONS {
        let request = post(&form(&caller("es256").assertion()));
        for turn in 0..TIMES * nodes.len() {
            let address = nodes[(number + turn) % nodes.len()].address;
            let request = request.clone();
            tasks.spawn(async move { (number, exchange(address, &request).await.unwrap()) });
        }
        if number % 10 == 9 {
            check(&tasks.join_all().await);
            tasks = JoinSet::new();
        }
    }
    // A node that starts later knows all of it.
    let late = nodes[0].beside().await;
    let assertion = caller("es256").assertion();
    assert_eq!(nodes[1].ask(&assertion).await.status, 200);
    check_refusal(&late.ask(&assertion).await, 400, "invalid_grant", "MP-012").unwrap();
}

/// Each of these assertions has been worth one token.
fn check(replies: &[(usize, Reply)]) {
    let numbers: std::collections::BTreeSet<usize> =
        replies.iter().map(|(number, _)| *number).collect();
    for number in numbers {
        let of_one = replies.iter().filter(|(other, _)| *other == number);
        let (tokens, others): (Vec<_>, Vec<_>) = of_one.partition(|(_, it)| it.status == 200);
        assert_eq!(tokens.len(), 1, "assertion {number}");
        assert_eq!(others.len(), TIMES * 3 - 1);
        for (_, reply) in others {
            check_refusal(reply, 400, "invalid_grant", "MP-012").unwrap();
        }
    }
}
