//! N07: the answer to a commit is lost, so that a node does not know whether it has spent an assertion.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

use crate::harness::chain::Trust;
use crate::harness::place::Place;
use crate::harness::postgres::{TestDatabase, cluster};
use crate::harness::row::check_refusal;
use crate::harness::server::{TestServer, caller, pki};
use crate::nodes::cluster::SOCKET;

/// Nobody waits longer to be told that it is unknown.
const ANSWER_MAX: Duration = Duration::from_millis(1_500);

/// Stands between a node and its database, and can lose what the database says from a commit on.
struct Proxy {
    folder: TempDir,
    loses: Arc<AtomicBool>,
}

impl Proxy {
    fn start(upstream: PathBuf) -> Self {
        let folder = TempDir::new().unwrap();
        let listener = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
        let loses = Arc::new(AtomicBool::new(false));
        let its = Arc::clone(&loses);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, upstream.clone(), Arc::clone(&its)));
            }
        });
        Self { folder, loses }
    }
}

async fn carry(client: UnixStream, upstream: PathBuf, loses: Arc<AtomicBool>) {
    let Ok(server) = UnixStream::connect(upstream).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let silent = AtomicBool::new(false);
    let said = |bytes: &[u8]| {
        if loses.load(Ordering::SeqCst) && bytes.windows(6).any(|word| word == b"COMMIT") {
            silent.store(true, Ordering::SeqCst);
        }
        true
    };
    let answered = |_: &[u8]| !silent.load(Ordering::SeqCst);
    tokio::join!(pass(from_client, to_server, said), pass(from_server, to_client, answered));
}

/// Passes on what `passes` lets through, until one side hangs up.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    passes: impl Fn(&[u8]) -> bool,
) {
    let mut buffer = [0; 16_384];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if passes(&buffer[..count]) && to.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n07_when_the_answer_to_a_commit_is_lost_the_assertion_counts_as_spent() {
    let place = Place::new().await;
    let url = place.database.as_ref().expect("PostgreSQL").url();
    let cluster = cluster().expect("PostgreSQL");
    let host = cluster.split(['@', '/']).nth(3).unwrap();
    let proxy = Proxy::start(Path::new(&host.replace("%2F", "/")).join(SOCKET));
    let through = url.replace(host, &proxy.folder.path().to_str().unwrap().replace('/', "%2F"));
    let database = Some(Arc::new(TestDatabase::existing(&through)));
    let cut_off = Place { database, ..place.clone() };
    let trust = [Trust::of(pki())];
    let direct = TestServer::on(place, &trust, "").await;
    let behind = TestServer::on(cut_off, &trust, "").await;
    for client in ["es256", "rs256", "ps256", "eddsa"] {
        assert_eq!(behind.ask(&caller(client).assertion()).await.status, 200);
        proxy.loses.store(true, Ordering::SeqCst);
        let assertion = caller(client).assertion();
        let reply = behind.ask(&assertion).await;
        check_refusal(&reply, 503, "temporarily_unavailable", "").unwrap();
        assert!(reply.took < ANSWER_MAX, "{:?}", reply.took);
        proxy.loses.store(false, Ordering::SeqCst);
        // It was committed, so nobody takes it any more, not even who does not know.
        for node in [&direct, &behind, &direct] {
            check_refusal(&node.ask(&assertion).await, 400, "invalid_grant", "MP-012").unwrap();
        }
    }
}
