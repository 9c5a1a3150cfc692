//! Group F: the same assertion twice, at once, on two nodes, and with the database in trouble.

use std::time::Duration;

use portvakt::clock::{Clock as _, Timestamp};
use tokio::task::JoinSet;

use crate::harness::caller::Draft;
use crate::harness::chain::Trust;
use crate::harness::clock::{NOW, tick};
use crate::harness::http::{Connection, Reply, exchange, form, post};
use crate::harness::mark::comes_true;
use crate::harness::place::Place;
use crate::harness::process::Process;
use crate::harness::row::{check_refusal, invalid_grant, run, text};
use crate::harness::server::{TestServer, caller, pki};

fn good() -> Draft {
    caller("es256").draft()
}

/// Posts each assertion to its server, all at the same time.
async fn at_once(requests: Vec<(&TestServer, String)>) -> Vec<Reply> {
    let mut tasks = JoinSet::new();
    for (server, assertion) in requests {
        let (address, bytes) = (server.address, post(&form(&assertion)));
        tasks.spawn(async move { exchange(address, &bytes).await.unwrap() });
    }
    tasks.join_all().await
}

/// One of the answers has a token, and the others say that the assertion has been used.
fn assert_one_token(replies: &[Reply]) {
    let (tokens, others): (Vec<&Reply>, Vec<&Reply>) =
        replies.iter().partition(|reply| reply.status == 200);
    assert_eq!(tokens.len(), 1, "of {}", replies.len());
    for reply in others {
        check_refusal(reply, 400, "invalid_grant", "MP-012").unwrap();
    }
}

#[tokio::test]
async fn an_assertion_works_once() {
    let server = TestServer::start().await;
    for draft in [good(), good().without_claim("jti")] {
        let assertion = draft.sign();
        assert_eq!(server.ask(&assertion).await.status, 200);
        let again = text("F01", "the same again", &assertion, invalid_grant("MP-012"));
        run(&server, vec![again]).await;
    }
    // F06: the jti of one client is not that of another.
    let jti = "shared";
    for client in ["es256", "rs256", "other"] {
        let assertion = caller(client).draft().claim("jti", jti).sign();
        assert_eq!(server.ask(&assertion).await.status, 200, "{client}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_once_one_works() {
    let server = TestServer::start().await;
    // F02
    let assertion = good().sign();
    let same = (0..200).map(|_| (&server, assertion.clone())).collect();
    assert_one_token(&at_once(same).await);
    // F05
    let scopes = ["test:read", "test:write", "test:open", "test:short"];
    let differing = (0..60_i64).map(|i| {
        let draft = good().claim("jti", "one").claim("exp", NOW + 60 + i);
        (&server, draft.claim("scope", scopes[usize::try_from(i).unwrap() % 4]).sign())
    });
    assert_one_token(&at_once(differing.collect()).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_once_on_two_nodes_one_works() {
    // F03, with the database that two nodes can share here: one SQLite file.
    let first = TestServer::start().await;
    let second = first.beside().await;
    let assertion = good().sign();
    let both = (0..100).map(|i| (if i % 2 == 0 { &first } else { &second }, assertion.clone()));
    assert_one_token(&at_once(both.collect()).await);
}

#[tokio::test]
async fn a_client_that_hangs_up_has_had_its_chance() {
    // F04: the connection is cut at some moment after the request has been sent.
    let server = TestServer::start().await;
    for delay in 0..20 {
        let assertion = good().sign();
        let mut connection = Connection::open(server.address).await;
        connection.send(&post(&form(&assertion))).await;
        tokio::time::sleep(Duration::from_micros(delay * 250)).await;
        drop(connection);
        let mut tokens = 0;
        for _ in 0..3 {
            let reply = server.ask(&assertion).await;
            tokens += usize::from(reply.status == 200);
            if reply.status != 200 {
                check_refusal(&reply, 400, "invalid_grant", "MP-012").unwrap();
            }
        }
        assert!(tokens <= 1, "{tokens} tokens for one assertion");
    }
}

/// Lets so many seconds pass.
async fn pass(server: &TestServer, seconds: i64) {
    server.clock.set(server.clock.now().plus_seconds(seconds).seconds());
    server.clock.push_uptime(Duration::from_secs(seconds.unsigned_abs()));
    comes_true(Duration::from_secs(5), || server.app.ready().is_ok()).await;
}

#[tokio::test]
async fn a_jti_is_forgotten_when_no_clock_could_accept_it_any_more() {
    // F07: exp, the skew of clocks, two minutes for clocks that disagree more, and a minute that is dropped whole.
    let server = TestServer::start().await;
    let moved =
        |seconds, draft: Draft| draft.claim("iat", NOW + seconds).claim("exp", NOW + seconds + 60);
    assert_eq!(server.ask(&good().claim("jti", "again").sign()).await.status, 200);
    let mut before = 0;
    for (seconds, works) in [(60 + 10 + 120, false), (60 + 10 + 120 + 60, true)] {
        pass(&server, seconds - before).await;
        before = seconds;
        // Expired rows are dropped after a commit, so one is made.
        assert_eq!(server.ask(&moved(seconds, good()).sign()).await.status, 200);
        tokio::time::sleep(Duration::from_millis(100)).await;
        let reply = server.ask(&moved(seconds, good().claim("jti", "again")).sign()).await;
        assert_eq!(reply.status == 200, works, "{seconds}: {}", reply.text());
    }
}

#[tokio::test]
async fn a_clock_that_steps_forward_and_back_has_nothing_forgotten() {
    let server = TestServer::start().await;
    let assertion = good().sign();
    assert_eq!(server.ask(&assertion).await.status, 200);
    server.clock.set(NOW + 3_600);
    server.clock.push_uptime(Duration::from_secs(6));
    // What has expired is dropped after a commit.
    let ahead = good().claim("iat", NOW + 3_600).claim("exp", NOW + 3_660);
    assert_eq!(server.ask(&ahead.sign()).await.status, 200);
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.clock.set(NOW + 10);
    run(&server, vec![text("F07", "the same", &assertion, invalid_grant("MP-012"))]).await;
}

#[tokio::test]
async fn a_node_whose_clock_is_ahead_does_not_forget_for_the_others() {
    // F08
    let server = TestServer::start().await;
    let ahead = server.beside().await;
    let assertion = good().sign();
    assert_eq!(server.ask(&assertion).await.status, 200);
    // The assertion lives for another ten seconds here; over there it is a minute later.
    server.clock.set(NOW + 70);
    ahead.clock.set(NOW + 130);
    ahead.clock.push_uptime(Duration::from_secs(6));
    let draft = good().claim("iat", NOW + 130).claim("exp", NOW + 190);
    assert_eq!(ahead.ask(&draft.sign()).await.status, 200);
    tokio::time::sleep(Duration::from_millis(100)).await;
    run(&server, vec![text("F08", "the same", &assertion, invalid_grant("MP-012"))]).await;
}

#[tokio::test]
async fn without_the_database_there_is_no_token() {
    // F09
    let server = TestServer::start().await;
    assert_eq!(server.ask(&good().sign()).await.status, 200);
    server.store.close().await;
    for (what, assertion) in [
        ("warm", good().sign()),
        ("another client, cold", caller("rs256").assertion()),
        ("an unknown client, cold", good().claim("iss", "nobody").sign()),
    ] {
        let reply = server.ask(&assertion).await;
        let checked = check_refusal(&reply, 503, "temporarily_unavailable", "");
        assert_eq!(checked, Ok(()), "{what}");
    }
    // What is wrong in itself is still told so.
    let reply = server.ask("a.b.c").await;
    check_refusal(&reply, 400, "invalid_request", "MP-011").unwrap();
    // Nor is there one when the change feed has not been read for too long.
    server.clock.push_uptime(Duration::from_secs(11));
    check_refusal(&server.ask("a.b.c").await, 503, "temporarily_unavailable", "").unwrap();
}

#[tokio::test]
async fn a_server_that_does_not_know_what_was_spent_takes_no_work_from_the_start() {
    let place = Place::new().await;
    let before = TestServer::on(place.clone(), &[Trust::of(pki())], "").await;
    let sql = before.sql().await;
    sql.execute("alter table replay_log rename column ids to elsewhere").await;
    let server = TestServer::on(place, &[Trust::of(pki())], "").await;
    let is_ready = || server.app.ready().is_ok();
    assert!(comes_true(Duration::from_secs(5), || !is_ready()).await, "nobody has asked yet");
    sql.execute("alter table replay_log rename column elsewhere to ids").await;
    assert!(comes_true(Duration::from_secs(5), is_ready).await);
}

#[tokio::test]
async fn after_a_commit_that_failed_an_assertion_works_once_at_most() {
    // F10: another process holds the write lock for longer than a request waits.
    let server = TestServer::start().await;
    assert_eq!(server.ask(&good().sign()).await.status, 200);
    let lock = server.sql().await.lock("replay_log").await;
    let assertion = good().sign();
    let began = tick();
    let reply = server.ask(&assertion).await;
    check_refusal(&reply, 503, "temporarily_unavailable", "").unwrap();
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    drop(lock);
    let mut tokens = 0;
    for _ in 0..5 {
        let reply = server.ask(&assertion).await;
        tokens += usize::from(reply.status == 200);
    }
    assert!(tokens <= 1, "{tokens} tokens for one assertion");
    assert_eq!(server.ask(&good().sign()).await.status, 200);
}

#[tokio::test]
async fn a_server_that_was_killed_remembers_what_it_has_spent() {
    // F11. A process has the real clock.
    let place = Place::new().await;
    let fresh = || good().now().sign();
    let mut process = Process::start(&place).await;
    let (answered, cut) = (fresh(), fresh());
    let reply = process.ask(&answered).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let mut connection = Connection::open(process.address).await;
    connection.send(&post(&form(&cut))).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    process.kill();
    let answer = connection.reply().await;

    let process = Process::start(&place).await;
    let reply = process.ask(&answered).await;
    assert!(reply.text().contains("MP-012"), "{}", reply.text());
    let mut tokens = usize::from(answer.is_some_and(|reply| reply.status == 200));
    for _ in 0..2 {
        let reply = process.ask(&cut).await;
        tokens += usize::from(reply.status == 200);
    }
    assert!(tokens <= 1, "{tokens} tokens for one assertion");
}

#[tokio::test]
async fn what_has_expired_makes_room_a_slice_at_a_time() {
    // F13, with fewer rows: what counts is that each slice is quick and nothing that lives is dropped.
    let server = TestServer::start().await;
    let mut log = server.store.replay_log();
    for generation in 0..3 {
        let keep_until = Timestamp::from_seconds(NOW + generation * 120);
        for _ in 0..1_600 {
            log.append(&[[7; 32]; 16], keep_until).await.unwrap();
        }
    }
    let mut dropped = 0;
    let now = Timestamp::from_seconds(NOW + 2 * 120);
    loop {
        let began = tick();
        let slice = log.forget(now, 1_000).await.unwrap();
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
        dropped += slice;
        if slice == 0 {
            break;
        }
    }
    assert_eq!(dropped, 2 * 1_600);
    let left = server.sql().await.number("select count(*) from replay_log").await;
    assert_eq!(left, 1_600);
}
