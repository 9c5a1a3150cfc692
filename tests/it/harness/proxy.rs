//! Stands between a server and its database, and can make that slow, silent or gone.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};

use crate::harness::place::Place;
use crate::harness::postgres::{TestDatabase, cluster};

/// The socket of a cluster in its folder.
pub(crate) const SOCKET: &str = ".s.PGSQL.5432";

/// Time between two looks whether what is held back may go on.
const LOOK: Duration = Duration::from_millis(5);

/// A proxy in front of a cluster. What it does to connections may change while they are open.
pub(crate) struct Proxy {
    folder: TempDir,
    does: Arc<Does>,
}

/// What the proxy does.
#[derive(Default)]
struct Does {
    /// By how many milliseconds an answer is late.
    delay: AtomicU64,
    /// Whether nothing comes through in either direction, and nobody is told.
    swallows: AtomicBool,
    /// Whether answers are lost after a commit has been sent.
    loses_commits: AtomicBool,
    /// Whether the next connection that sends a commit ends with it.
    breaks_commit: AtomicBool,
}

impl Proxy {
    /// A proxy in front of the cluster of the tests.
    pub(crate) fn start() -> Self {
        Self::to(&cluster().expect("PostgreSQL"))
    }

    /// A proxy in front of the cluster at a URL.
    pub(crate) fn to(cluster: &str) -> Self {
        let upstream = Path::new(&host_of(cluster).replace("%2F", "/")).join(SOCKET);
        let folder = TempDir::new().unwrap();
        let listener = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
        let does = Arc::new(Does::default());
        let its = Arc::clone(&does);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, upstream.clone(), Arc::clone(&its)));
            }
        });
        Self { folder, does }
    }

    /// The place with the database as it is seen through the proxy.
    pub(crate) fn before(&self, place: &Place) -> Place {
        let url = place.database.as_ref().expect("PostgreSQL").url();
        let here = self.folder.path().to_str().unwrap().replace('/', "%2F");
        let through = url.replace(&host_of(&url), &here);
        let database = Some(Arc::new(TestDatabase::existing(&through)));
        Place { database, ..place.clone() }
    }

    /// From now on answers are so late.
    pub(crate) fn delay(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).unwrap();
        self.does.delay.store(by, Ordering::SeqCst);
    }

    /// Whether from now on nothing comes through. What is sent meanwhile is gone for good.
    pub(crate) fn swallow(&self, swallows: bool) {
        self.does.swallows.store(swallows, Ordering::SeqCst);
    }

    /// Whether from now on a connection loses all answers once it has sent a commit.
    pub(crate) fn lose_commits(&self, loses: bool) {
        self.does.loses_commits.store(loses, Ordering::SeqCst);
    }

    /// The next connection that sends a commit ends before its answer.
    pub(crate) fn break_commit(&self) {
        self.does.breaks_commit.store(true, Ordering::SeqCst);
    }
}

/// The folder of the socket in a URL, as it is written there.
fn host_of(url: &str) -> String {
    url.split(['@', '/']).nth(3).unwrap().to_owned()
}

async fn carry(client: UnixStream, upstream: PathBuf, does: Arc<Does>) {
    // One that is silent accepts connections as well: there is nobody behind it.
    while does.swallows.load(Ordering::SeqCst) {
        tokio::time::sleep(LOOK).await;
    }
    let Ok(server) = UnixStream::connect(upstream).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (committed, broken) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
    let answering = Way { does, committed, broken, answers: true };
    let asking = Way { answers: false, ..answering.clone() };
    tokio::join!(pass(from_client, to_server, asking), pass(from_server, to_client, answering));
}

/// One direction of a connection.
#[derive(Clone)]
struct Way {
    does: Arc<Does>,
    /// Whether a commit has been sent whose answer is to be lost.
    committed: Arc<AtomicBool>,
    /// Whether one has been sent with which the connection ends.
    broken: Arc<AtomicBool>,
    /// Whether it is the direction of answers.
    answers: bool,
}

impl Way {
    /// Whether these bytes come through, when their time has come.
    async fn passes(&self, bytes: &[u8]) -> bool {
        if self.answers {
            let delay = Duration::from_millis(self.does.delay.load(Ordering::SeqCst));
            tokio::time::sleep(delay).await;
        } else if bytes.windows(6).any(|word| word == b"COMMIT") {
            let breaks = self.does.breaks_commit.swap(false, Ordering::SeqCst);
            self.broken.fetch_or(breaks, Ordering::SeqCst);
            let loses = self.does.loses_commits.load(Ordering::SeqCst);
            self.committed.fetch_or(loses, Ordering::SeqCst);
        }
        let is_lost = self.answers && self.committed.load(Ordering::SeqCst);
        !is_lost && !self.does.swallows.load(Ordering::SeqCst)
    }
}

/// Passes on what comes through, until one side hangs up.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, way: Way) {
    let mut buffer = [0; 16_384];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let passes = way.passes(&buffer[..count]).await;
        if way.answers && way.broken.load(Ordering::SeqCst) {
            break;
        }
        if passes && to.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}
