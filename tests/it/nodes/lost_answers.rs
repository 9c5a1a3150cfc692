//! N07: the answer to a commit is lost, so that a node does not know whether it has spent an assertion.

use std::time::Duration;

use crate::harness::chain::Trust;
use crate::harness::mark::most;
use crate::harness::place::Place;
use crate::harness::proxy::Proxy;
use crate::harness::row::check_refusal;
use crate::harness::server::{TestServer, caller, pki};

/// Nobody waits longer to be told that it is unknown.
const ANSWER_MAX: Duration = Duration::from_millis(1_500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n07_when_the_answer_to_a_commit_is_lost_the_assertion_counts_as_spent() {
    let place = Place::new().await;
    let proxy = Proxy::start();
    let cut_off = proxy.before(&place);
    let trust = [Trust::of(pki())];
    let direct = TestServer::on(place, &trust, "").await;
    let behind = TestServer::on(cut_off, &trust, "").await;
    for client in ["es256", "rs256", "ps256", "eddsa"] {
        assert_eq!(behind.ask(&caller(client).assertion()).await.status, 200);
        proxy.lose_commits(true);
        let assertion = caller(client).assertion();
        let reply = behind.ask(&assertion).await;
        check_refusal(&reply, 503, "temporarily_unavailable", "").unwrap();
        assert!(reply.took < most(ANSWER_MAX), "{:?}", reply.took);
        proxy.lose_commits(false);
        // It was committed, so nobody takes it any more, not even who does not know.
        for node in [&direct, &behind, &direct] {
            check_refusal(&node.ask(&assertion).await, 400, "invalid_grant", "MP-012").unwrap();
        }
    }
}
