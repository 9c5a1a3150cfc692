//! Nodes as processes of their own, on the real clock: they can be told to stop, killed, and started again where they were.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use portvakt::clock::{Clock as _, SystemClock};
use tokio::net::TcpStream;

use crate::commands::{free_ports, portvakt, send_signal};
use crate::harness::caller::{Caller, Draft};
use crate::harness::chain::Trust;
use crate::harness::clock::tick;
use crate::harness::http::{Connection, Reply, request};
use crate::harness::mark::most;
use crate::harness::server::{pki, write_configuration};
use crate::harness::sql::Sql;

/// How long a node may take to start on a busy machine.
const START_MAX: Duration = Duration::from_secs(30);

/// How soon it says that it takes no work, and that it does again.
const NOTICED_MAX: Duration = Duration::from_secs(5);

/// Between two looks whether it is ready.
const LOOK: Duration = Duration::from_millis(10);

/// Where a node lives, whether it runs or not.
pub(crate) struct Home {
    folder: PathBuf,
    /// Where its database is; without it, it has a file in its folder.
    url: Option<String>,
    log: PathBuf,
    /// What is run there, if it is not the program that is tested.
    pub(crate) program: Option<PathBuf>,
    pub(crate) token: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) management: SocketAddr,
}

/// A node that runs. Dropping it kills it.
pub(crate) struct Node(Child);

impl Home {
    /// A home in `folder` that trusts the test PKI, with these lines in its configuration.
    pub(crate) fn new(folder: &Path, name: &str, url: Option<String>, more: &str) -> Self {
        let folder = folder.join(name);
        fs::create_dir_all(&folder).unwrap();
        write_configuration(&folder, &[Trust::of(pki())], more);
        let [token, admin, management] =
            free_ports().map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let log = folder.join("log");
        Self { folder, url, log, program: None, token, admin, management }
    }

    /// Puts one text of its configuration in the place of another.
    pub(crate) fn set(&self, before: &str, after: &str) {
        let text = fs::read_to_string(self.configuration()).unwrap();
        assert!(text.contains(before), "{text}");
        fs::write(self.configuration(), text.replacen(before, after, 1)).unwrap();
    }

    /// The file with its configuration.
    pub(crate) fn configuration(&self) -> PathBuf {
        self.folder.join("portvakt.toml")
    }

    /// The file of its database, if it is one.
    pub(crate) fn database_file(&self) -> PathBuf {
        self.folder.join("portvakt.db")
    }

    /// Whether its database is a file.
    pub(crate) fn has_file(&self) -> bool {
        self.url.is_none()
    }

    /// Its database, behind its back.
    pub(crate) async fn sql(&self) -> Sql {
        match &self.url {
            Some(url) => Sql::connect(url).await,
            None => Sql::open(&self.database_file()).await,
        }
    }

    /// A command of the program on its configuration.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = portvakt(arguments);
        if let Some(program) = &self.program {
            command = Command::new(program);
            command.args(arguments).stdin(Stdio::null());
        }
        command.arg("--config").arg(self.configuration());
        for (section, address) in [
            ("TOKEN_LISTENER", self.token),
            ("ADMIN_LISTENER", self.admin),
            ("MANAGEMENT_LISTENER", self.management),
        ] {
            command.env(format!("PORTVAKT__{section}__ADDRESS"), address.to_string());
        }
        if let Some(url) = &self.url {
            command.env("PORTVAKT__DATABASE__URL", url);
        }
        command
    }

    /// Starts the node there, and returns it when it is ready, with the time that it took.
    pub(crate) async fn start(&self) -> (Node, Duration) {
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        let began = tick();
        let mut command = self.command(&["serve"]);
        command.stdout(log.try_clone().unwrap()).stderr(log).stdin(Stdio::null());
        let mut node = Node(command.spawn().unwrap());
        while !self.is_ready().await {
            let ended = node.0.try_wait().unwrap();
            assert!(
                ended.is_none() && began.elapsed() < START_MAX,
                "{ended:?}: {}",
                self.log_end()
            );
            tokio::time::sleep(LOOK).await;
        }
        (node, began.elapsed())
    }

    /// Whether it says that it takes work.
    pub(crate) async fn is_ready(&self) -> bool {
        get(self.management, "/readyz").await.is_some_and(|reply| reply.status == 200)
    }

    /// Waits until it says that it takes work, or that it does not.
    pub(crate) async fn until(&self, ready: bool) {
        let began = tick();
        while self.is_ready().await != ready {
            let took = began.elapsed();
            assert!(
                took <= most(NOTICED_MAX),
                "ready is not {ready} after {took:?}: {}",
                self.log_end()
            );
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The lines of its log with that in them.
    pub(crate) fn log_lines(&self, with: &str) -> Vec<String> {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        log.lines().filter(|line| line.contains(with)).map(str::to_owned).collect()
    }

    /// The last lines of its log.
    pub(crate) fn log_end(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(20).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Node {
    /// Tells it to stop, as a supervisor does.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends it a signal, such as STOP and CONT.
    pub(crate) fn signal(&self, signal: &str) {
        send_signal(&self.0, signal);
    }

    /// Waits until it has ended well.
    pub(crate) async fn ended(mut self) {
        let began = tick();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                assert!(status.success(), "{status}");
                return;
            }
            assert!(began.elapsed() < START_MAX, "it does not end");
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Kills it at once, with no chance to tidy up.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// KiB of memory that it takes.
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Files and sockets that it has open.
    pub(crate) fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.0.id())).unwrap().count()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Harmless when it is dead already: the process has been waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks for a page of somebody who may not be there.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Option<Reply> {
    let mut connection = Connection::over(TcpStream::connect(address).await.ok()?);
    connection.send(&request(&format!("GET {path}"), &[], b"")).await;
    connection.reply().await
}

/// A good assertion of just now, to be spoilt.
pub(crate) fn fresh(caller: &Caller) -> Draft {
    let now = SystemClock.now().seconds();
    caller.draft().claim("iat", now).claim("exp", now + 100)
}
