//! N08: an older copy of the database is put back under nodes that run on. It shows no other history, so that only numbers
//! tell those who have seen more. Here the last rows are taken away, which is the same and quicker.

use std::time::Duration;

use crate::harness::clock::tick;
use crate::harness::mark::most;
use crate::harness::server::{TestServer, caller};

/// How soon an older copy is noticed where the feed is followed.
const NOTICED_MAX: Duration = Duration::from_secs(2);

/// Within which time a node reads what others have spent, although it spends nothing.
const LOOKED: Duration = Duration::from_secs(6);

async fn asks(server: &TestServer, client: &str) -> u16 {
    server.ask(&caller(client).assertion()).await.status
}

/// Whether the fence is set.
async fn is_fenced(server: &TestServer) -> bool {
    server.sql().await.number("select set_at from fence").await > 0
}

#[tokio::test]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n08_one_row_of_spent_assertions_that_is_missing_is_noticed() {
    let server = TestServer::start().await;
    assert_eq!(asks(&server, "rs256").await, 200);
    assert_eq!(asks(&server, "rs256").await, 200);
    let sql = server.sql().await;
    sql.execute("delete from replay_log where seq = (select max(seq) from replay_log)").await;
    assert!(!is_fenced(&server).await);
    // Its own clock stands still long before the fence.
    assert_eq!(asks(&server, "rs256").await, 503);
    assert!(is_fenced(&server).await);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n08_a_node_that_spends_nothing_knows_all_the_same_what_was_spent() {
    let busy = TestServer::start().await;
    let idle = busy.beside().await;
    assert_eq!(asks(&idle, "rs256").await, 200);
    let spent = caller("rs256").assertion();
    assert_eq!(busy.ask(&spent).await.status, 200);
    tokio::time::sleep(LOOKED).await;
    let sql = busy.sql().await;
    sql.execute("delete from replay_log where seq = (select max(seq) from replay_log)").await;
    let began = tick();
    while !is_fenced(&busy).await {
        assert!(began.elapsed() < most(LOOKED), "nobody has noticed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(idle.ask(&spent).await.status, 400, "it has been read");
    assert_eq!(asks(&idle, "rs256").await, 503);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n08_another_change_in_the_place_of_one_that_was_followed_is_noticed() {
    let switch = "update client set active = false where id";
    for change in [
        // With the number of the last that was followed, and of the same thing.
        "update change set changed_at = changed_at + 1 where seq =",
        "delete from change where seq =",
    ] {
        let server = TestServer::start().await;
        assert_eq!(asks(&server, "rs256").await, 200);
        // The last change has been read.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let sql = server.sql().await;
        sql.execute(&format!("{switch} = '{}'", caller("rs256").client_id)).await;
        assert_eq!(asks(&server, "rs256").await, 200, "nobody has been told");
        sql.execute(&format!("{change} (select max(seq) from change)")).await;
        let began = tick();
        while asks(&server, "rs256").await != 400 {
            assert!(began.elapsed() < most(NOTICED_MAX), "{change}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(is_fenced(&server).await, "{change}");
        println!("{change}: {:?} (at most {NOTICED_MAX:?})", began.elapsed());
        server.app.ready().unwrap();
    }
}
