//! The real program as a process of its own, which can be killed.

use std::collections::HashMap;
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use portvakt::clock::{Clock as _, Random as _, SystemClock, SystemRandom};

use crate::client::Connection;

/// How long the first start, which makes keys, may take before the test gives up; also every other.
const START_MAX: Duration = Duration::from_mins(1);

/// Between two looks whether the server is ready.
const LOOK: Duration = Duration::from_millis(2);

/// Where a server lives, whether it runs or not.
pub(crate) struct Site {
    folder: PathBuf,
    log: PathBuf,
    pub(crate) token: SocketAddr,
    admin: SocketAddr,
    management: SocketAddr,
}

/// A running server. Dropping it kills it.
pub(crate) struct Server(Child);

impl Site {
    pub(crate) fn new(folder: &Path) -> Self {
        // The issuer names the port, so it must be known before the first start.
        let listeners = [(); 3].map(|()| free_port());
        let [token, admin, management] =
            listeners.each_ref().map(|listener| listener.local_addr().unwrap());
        let (folder, log) = (folder.join("dev"), folder.join("log"));
        Self { folder, log, token, admin, management }
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.join("portvakt.db")
    }

    /// Starts a server, and returns it when it is ready, with the time that it took.
    pub(crate) fn start(&self) -> (Server, Duration) {
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        let began = SystemClock.uptime();
        let child = Command::new(env!("CARGO_BIN_EXE_portvakt"))
            .arg("dev")
            .arg("--dir")
            .arg(&self.folder)
            .args(["--listen", &self.token.to_string()])
            .args(["--admin-listen", &self.admin.to_string()])
            .args(["--management-listen", &self.management.to_string()])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut server = Server(child);
        while !self.is_ready() {
            let ended = server.0.try_wait().unwrap();
            let took = SystemClock.uptime().saturating_sub(began);
            assert!(ended.is_none() && took < START_MAX, "{ended:?} {took:?}\n{}", self.log_end());
            std::thread::sleep(LOOK);
        }
        (server, SystemClock.uptime().saturating_sub(began))
    }

    fn is_ready(&self) -> bool {
        let answer = Connection::open(self.management).and_then(|mut c| c.get("/readyz"));
        answer.is_ok_and(|answer| answer.status == 200)
    }

    fn log_end(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(20).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// What `dev.env` says.
    pub(crate) fn variables(&self) -> HashMap<String, String> {
        let text = fs::read_to_string(self.folder.join("dev.env")).unwrap();
        let lines = text.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
        lines.map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned())).collect()
    }

    /// The published keys, as text.
    pub(crate) fn published_keys(&self) -> String {
        let answer = Connection::open(self.token).and_then(|mut c| c.get("/dev/jwk")).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }
}

/// A port below those that systems give to outgoing connections: while the server is down, looking whether it is
/// up must not take its port.
fn free_port() -> TcpListener {
    loop {
        let mut random = [0; 2];
        SystemRandom.fill(&mut random);
        let port = 10_000 + u16::from_le_bytes(random) % 20_000;
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            return listener;
        }
    }
}

impl Server {
    /// Kills the process as the kernel does when memory runs out: at once, with no chance to tidy up.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Harmless when it is dead already: the process has been waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
