//! One node on a file whose disk is full, slow or broken, or whose lock somebody else holds (R26, R28, R29, R30).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use portvakt::store::Store;
use tempfile::TempDir;

use crate::harness::clock::tick;
use crate::harness::load::percentile_99;
use crate::harness::mark::{comes_true, enough, hardly_any, most};
use crate::harness::server::{caller, fill};
use crate::harness::sql::Sql;
use crate::nodes::ledger::{Entry, Ledger, WELL_TIME};
use crate::nodes::process::{Home, Node, fresh, get};
use crate::nodes::traffic::{Keep, Traffic, replay};

/// Nobody waits longer to be told that it does not work.
const REFUSAL_MAX: Duration = Duration::from_secs(1);

/// How soon it works again.
const RECOVERY_MAX: Duration = Duration::from_secs(2);

/// How long anything is wrong.
const WRONG: Duration = Duration::from_secs(3);

/// How long a request may take while every write to the disk takes 300 ms.
const SLOW_MAX: Duration = Duration::from_millis(1_500);

/// How many assertions such a write is then shared by, at least.
const SHARED_MIN: usize = 20;

/// A node on a file of its own, in that folder.
async fn start(folder: &Path, disk: Option<&Path>) -> (Home, Node, PathBuf) {
    let home = Home::new(folder, "node", None, "");
    let file = disk.map_or_else(|| home.database_file(), |disk| disk.join("portvakt.db"));
    home.set("\"portvakt.db\"", &format!("\"{}\"", file.display()));
    let store = Store::open(&file).await.unwrap();
    fill(&store, Sql::open(&file).await).await;
    let node = home.start().await.0;
    (home, node, file)
}

/// Holds that those who asked while something was wrong were told so in time, that all works soon after it, and that the
/// file is whole; and says so.
async fn check(what: &str, ledger: &Ledger, wrong: Instant, right: Instant, file: &Path) {
    assert_eq!(ledger.faults(), Vec::<String>::new());
    let entries = ledger.entries();
    let within = |entry: &&Entry| entry.sent >= wrong && entry.answered <= right;
    let refused: Vec<_> =
        entries.iter().filter(within).filter(|entry| entry.outcome.is_unavailable()).collect();
    let times: Vec<_> = refused.iter().map(|entry| entry.took()).collect();
    let late = if times.len() > 1 { percentile_99(&times) } else { Duration::ZERO };
    let well = ledger.well_after(right);
    println!(
        "{what}: {:?}; told so within {late:?} (at most {REFUSAL_MAX:?}); well again after {well:?} (at most \
         {RECOVERY_MAX:?})",
        ledger.counts()
    );
    assert!(!refused.is_empty() && late <= most(REFUSAL_MAX), "{late:?}");
    assert!(well.is_some_and(|well| well <= most(RECOVERY_MAX)), "{well:?}");
    let sql = Sql::open(file).await;
    assert_eq!(sql.text("pragma integrity_check").await, "ok");
}

/// Sends everything again that was sent: nothing of it is worth a second token.
async fn check_once(home: &Home, ledger: &Ledger, sent: &[(String, String)]) {
    replay(&[home.token], ledger, sent).await;
    assert_eq!(ledger.faults(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n11_while_somebody_else_holds_the_lock_of_the_file_requests_are_refused_in_time() {
    let folder = TempDir::new().unwrap();
    let (home, _node, file) = start(folder.path(), None).await;
    let traffic = Traffic::start(&[home.token], 4, Duration::from_millis(10));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let sql = Sql::open(&file).await;
    let lock = sql.lock("replay_log").await;
    let wrong = tick();
    tokio::time::sleep(WRONG).await;
    let right = tick();
    drop(lock);
    let ledger = Arc::clone(&traffic.ledger);
    comes_true(RECOVERY_MAX + WELL_TIME, || ledger.well_after(right).is_some()).await;
    let sent = traffic.stop().await;
    check("locked for 3 s", &ledger, wrong, right, &file).await;
    check_once(&home, &ledger, &sent).await;
    // Whoever reads first and writes then would have to start anew, for ever.
    assert_eq!(home.log_lines("(code: 517)"), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n11_a_node_that_can_spend_nothing_takes_no_work_until_it_can_although_nobody_asks() {
    let folder = TempDir::new().unwrap();
    let (home, _node, file) = start(folder.path(), None).await;
    let sql = Sql::open(&file).await;
    let lock = sql.lock("replay_log").await;
    let (mut keep, ledger) = (Keep::new(home.token), Ledger::default());
    let draft = fresh(&caller("es256"));
    let refused = keep.ask(&ledger, "es256", &draft.jti, &draft.sign()).await;
    assert!(refused.is_unavailable(), "{refused:?}");
    home.until(false).await;
    let reason = get(home.management, "/readyz").await.unwrap().text();
    assert!(reason.contains("no assertion could be spent"), "{reason}");
    drop(lock);
    home.until(true).await;
    let draft = fresh(&caller("es256"));
    let outcome = keep.ask(&ledger, "es256", &draft.jti, &draft.sign()).await;
    assert!(outcome.is_token(), "{outcome:?}");
}

/// A small disk of memory; it goes with this value.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// None where this user may not mount any.
    fn mount() -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=8m", "portvakt"])
            .arg(folder.path())
            .stderr(Stdio::null())
            .status();
        mount.is_ok_and(|status| status.success()).then(|| Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs root and strace: tests/run"]
async fn n12_while_the_disk_is_full_requests_are_refused_in_time_and_what_is_published_is_served() {
    let Some(disk) = SmallDisk::mount() else {
        println!("left out: only root may mount a small disk");
        return;
    };
    let folder = TempDir::new().unwrap();
    let (home, node, file) = start(folder.path(), Some(disk.0.path())).await;
    let traffic = Traffic::start(&[home.token], 4, Duration::from_millis(5));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let filler = disk.0.path().join("filler");
    let full = Command::new("dd")
        .args(["if=/dev/zero", "bs=4k"])
        .arg(format!("of={}", filler.display()))
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(!full.success(), "the disk is not full");
    // What the log has room for is still written.
    while !traffic.ledger.entries().iter().any(|entry| entry.outcome.is_unavailable()) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let wrong = tick();
    tokio::time::sleep(WRONG).await;
    for path in ["/jwk", "/.well-known/oauth-authorization-server"] {
        assert_eq!(get(home.token, path).await.unwrap().status, 200, "{path}");
    }
    let right = tick();
    fs::remove_file(filler).unwrap();
    let ledger = Arc::clone(&traffic.ledger);
    comes_true(RECOVERY_MAX + WELL_TIME, || ledger.well_after(right).is_some()).await;
    let sent = traffic.stop().await;
    check("disk full for 3 s", &ledger, wrong, right, &file).await;
    check_once(&home, &ledger, &sent).await;
    node.kill();
}

/// Makes what a process asks of the disk fail or take long, until it is dropped.
struct Tampering(Child);

impl Tampering {
    /// None where there is no strace, or it may not look into other processes.
    fn with(node: &Node, inject: &str, log: &Path) -> Option<Self> {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-e", "trace=fsync,fdatasync"]);
        strace.args(["-e", &format!("inject=fsync,fdatasync:{inject}")]);
        strace.arg("-o").arg(log).args(["-p", &node.id().to_string()]);
        let mut child = strace.stderr(Stdio::null()).spawn().ok()?;
        std::thread::sleep(Duration::from_millis(300));
        child.try_wait().ok()?.is_none().then_some(Self(child))
    }
}

impl Drop for Tampering {
    fn drop(&mut self) {
        // By a signal that lets it let go of the process.
        let _ = Command::new("kill").args(["-INT", &self.0.id().to_string()]).status();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs root and strace: tests/run"]
async fn n13_what_the_disk_has_failed_to_keep_is_not_worth_a_token_and_the_rest_is_kept() {
    let folder = TempDir::new().unwrap();
    let (home, node, file) = start(folder.path(), None).await;
    let log = folder.path().join("strace");
    let traffic = Traffic::start(&[home.token], 4, Duration::from_millis(5));
    tokio::time::sleep(Duration::from_millis(300)).await;
    let wrong = tick();
    let Some(tampering) = Tampering::with(&node, "error=EIO:when=5+10", &log) else {
        println!("left out: no strace, or not for this user");
        return;
    };
    tokio::time::sleep(WRONG).await;
    drop(tampering);
    let right = tick();
    let ledger = Arc::clone(&traffic.ledger);
    comes_true(RECOVERY_MAX + WELL_TIME, || ledger.well_after(right).is_some()).await;
    let sent = traffic.stop().await;
    let failed = fs::read_to_string(&log).unwrap().matches("EIO").count();
    assert!(failed > 0);
    check(&format!("{failed} writes failed"), &ledger, wrong, right, &file).await;
    // And after all memory is gone.
    node.kill();
    let _node = home.start().await;
    check_once(&home, &ledger, &sent).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs root and strace: tests/run"]
async fn n14_while_the_disk_is_slow_assertions_share_what_is_written() {
    let folder = TempDir::new().unwrap();
    let (home, node, _) = start(folder.path(), None).await;
    let log = folder.path().join("strace");
    let Some(tampering) = Tampering::with(&node, "delay_enter=300000", &log) else {
        println!("left out: no strace, or not for this user");
        return;
    };
    let traffic = Traffic::start(&[home.token], 80, Duration::from_millis(50));
    tokio::time::sleep(WRONG).await;
    let ledger = Arc::clone(&traffic.ledger);
    traffic.stop().await;
    drop(tampering);
    let writes = fs::read_to_string(&log).unwrap().matches("sync(").count();
    let entries = ledger.entries();
    let times: Vec<_> = entries.iter().map(Entry::took).collect();
    let tokens = entries.iter().filter(|entry| entry.outcome.is_token()).count();
    println!(
        "{tokens} tokens by {writes} writes of 300 ms: {} each (at least {SHARED_MIN}); p99 {:?} (at most {SLOW_MAX:?}); \
         failed: {} (at most 0)",
        tokens / writes.max(1),
        percentile_99(&times),
        entries.len() - tokens,
    );
    assert_eq!(ledger.faults(), Vec::<String>::new());
    assert!(hardly_any(entries.len() - tokens, entries.len()), "{:?}", ledger.counts());
    assert!(enough(tokens / writes.max(1), SHARED_MIN));
    assert!(percentile_99(&times) <= most(SLOW_MAX));
}
