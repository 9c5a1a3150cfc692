//! R31: the files of a SQLite database are moved, deleted or replaced while the server runs. It notices within five
//! seconds, takes no work, changes nothing and makes no new database; when they are back, it goes on where it was.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use portvakt::domain::record::Expected;
use portvakt::registry::AccessTerms;
use portvakt::store::Store;
use tempfile::TempDir;

use crate::harness::CONSUMER;
use crate::harness::clock::tick;
use crate::harness::http::{exchange, form, post};
use crate::harness::row::check_refusal;
use crate::harness::server::{TestServer, actor, caller, fill};
use crate::nodes::process::{Home, fresh};

/// How soon it is noticed, and how soon it is over.
const NOTICED_MAX: Duration = Duration::from_secs(5);

/// What is done to a file.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Moved,
    Replaced,
}

/// Waits until the server takes work or does not, and returns what it says.
async fn until(server: &TestServer, status: u16) -> String {
    let began = tick();
    loop {
        let reply = server.manage("/readyz").await;
        if reply.status == status {
            println!("{status} after {:?}: {}", began.elapsed(), reply.text().trim());
            return reply.text();
        }
        assert!(began.elapsed() < NOTICED_MAX, "still {}: {}", reply.status, reply.text());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn grant(server: &TestServer, scope: &str) -> bool {
    let (scope, consumer) = (scope.parse().unwrap(), CONSUMER.parse().unwrap());
    let (registry, terms) = (&server.app.registry, AccessTerms::default());
    registry.grant_access(&actor(), &scope, consumer, terms, Expected::Anything).await.is_ok()
}

async fn assert_no_work(server: &TestServer) {
    let reply = server.ask(&caller("es256").assertion()).await;
    check_refusal(&reply, 503, "temporarily_unavailable", "").unwrap();
    assert!(!grant(server, "test:closed").await, "a change was taken");
    let health = server.manage("/health").await.json();
    assert_eq!(health["status"], "unavailable", "{health}");
}

/// A name for what is moved away.
fn aside(file: &Path) -> PathBuf {
    file.with_extension("aside")
}

#[tokio::test]
async fn r31_while_the_database_is_not_where_it_was_nothing_is_issued_or_changed() {
    let server = TestServer::start().await;
    let Some(file) = server.file() else { return };
    let log = file.with_extension("db-wal");
    let spent = caller("es256").assertion();
    assert_eq!(server.ask(&spent).await.status, 200);
    for (path, fault) in [
        (&file, Fault::Moved),
        (&file, Fault::Replaced),
        (&log, Fault::Moved),
        (&log, Fault::Replaced),
    ] {
        let name = path.file_name().unwrap().to_str().unwrap();
        fs::rename(path, aside(path)).unwrap();
        if matches!(fault, Fault::Replaced) {
            fs::copy(aside(path), path).unwrap();
        }
        let told = until(&server, 503).await;
        assert!(told.contains(name), "{name} {fault:?}: {told}");
        assert_no_work(&server).await;
        if matches!(fault, Fault::Moved) {
            assert!(!path.exists(), "{name} was made anew");
        }

        fs::rename(aside(path), path).unwrap();
        until(&server, 200).await;
        assert_eq!(server.ask(&caller("es256").assertion()).await.status, 200, "{name} {fault:?}");
        let again = server.ask(&spent).await;
        assert_eq!(again.status, 400, "{name} {fault:?}: it was spent before");
    }
    assert!(grant(&server, "test:closed").await, "changes are taken again");
}

#[tokio::test]
async fn r31_what_a_deleted_log_held_is_in_the_database_when_the_server_has_stopped() {
    let folder = TempDir::new().unwrap();
    let home = Home::new(folder.path(), "node", None, "");
    let store = Store::open(&home.database_file()).await.unwrap();
    fill(&store, home.sql().await).await;
    let node = home.start().await.0;
    let spent = fresh(&caller("es256")).sign();
    let ask = async || exchange(home.token, &post(&form(&spent))).await.unwrap();
    assert_eq!(ask().await.status, 200);
    let log = home.database_file().with_extension("db-wal");
    assert!(fs::metadata(&log).unwrap().len() > 0, "what was written last is in the log");
    fs::remove_file(&log).unwrap();
    home.until(false).await;
    assert_eq!(ask().await.status, 503);
    node.terminate();
    node.ended().await;
    assert!(!home.log_lines("what the log held is in the database").is_empty());

    let _node = home.start().await.0;
    assert_eq!(ask().await.status, 400, "it was spent before the log was deleted");
    assert_eq!(home.sql().await.text("pragma integrity_check").await, "ok");
}

#[tokio::test]
async fn r31_a_file_that_was_written_over_with_an_older_one_is_noticed() {
    let server = TestServer::start().await;
    if server.file().is_none() {
        return;
    }
    assert_eq!(server.ask(&caller("es256").assertion()).await.status, 200);
    let sql = server.sql().await;
    sql.execute("delete from replay_log where seq = (select max(seq) from replay_log)").await;
    assert_eq!(server.ask(&caller("es256").assertion()).await.status, 503);

    let server = TestServer::start().await;
    let sql = server.sql().await;
    sql.execute("delete from change where seq = (select max(seq) from change)").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    // The last look at the feed is too long ago.
    server.clock.push_uptime(Duration::from_secs(11));
    let told = until(&server, 503).await;
    assert!(told.contains("feed"), "{told}");
}

#[tokio::test]
async fn r31_after_the_database_was_deleted_no_new_one_is_made() {
    let server = TestServer::start().await;
    let Some(file) = server.file() else { return };
    fs::remove_file(&file).unwrap();
    let told = until(&server, 503).await;
    assert!(told.contains("restore a backup"), "{told}");
    for _ in 0..20 {
        assert_no_work(&server).await;
    }
    assert!(!file.exists(), "{} was made anew", file.display());
}
