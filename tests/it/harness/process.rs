//! The real program as a process of its own: it has the real clock, and can be stopped as processes are.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::harness::chain::Trust;
use crate::harness::clock::tick;
use crate::harness::http::{Reply, exchange, form, post, request};
use crate::harness::place::Place;
use crate::harness::server::write_configuration;

/// How long a start may take that is not to fail.
const START_MAX: Duration = Duration::from_secs(20);

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// A server in a process of its own; it is killed at the end, whatever happens.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
    pub(crate) address: SocketAddr,
    pub(crate) management: SocketAddr,
}

impl Process {
    /// A server there, when it is ready.
    pub(crate) async fn start(place: &Place) -> Self {
        let url = place.database.as_ref().map(|it| it.url());
        let process = Self::spawn(place, url.as_deref(), "", &[], &[]);
        process.until_ready(START_MAX).await;
        process
    }

    /// A server there with its database at this URL, which trusts these, with these lines in its configuration and
    /// these variables in its environment; it may not be listening yet.
    pub(crate) fn spawn(
        place: &Place,
        url: Option<&str>,
        more: &str,
        trust: &[Trust],
        variables: &[(&str, &str)],
    ) -> Self {
        let [address, management] = free_addresses();
        let listeners = format!(
            "[token_listener]\naddress = \"{address}\"\n[admin_listener]\naddress = \"127.0.0.1:0\"\n\
             [management_listener]\naddress = \"{management}\"\n{more}"
        );
        let folder = place.folder.path();
        write_configuration(folder, trust, &listeners);
        // Each has its own, since the next one writes another.
        let own = folder.join(format!("{}.toml", address.port()));
        std::fs::copy(folder.join("portvakt.toml"), &own).unwrap();
        let log = own.with_extension("log");
        let child = Command::new(env!("CARGO_BIN_EXE_portvakt"))
            .args(["serve", "--config"])
            .arg(own)
            .envs(url.map(|url| ("PORTVAKT__DATABASE__URL", url)))
            .envs(variables.iter().copied())
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        Self { child, log, address, management }
    }

    /// Posts an assertion.
    pub(crate) async fn ask(&self, assertion: &str) -> Reply {
        exchange(self.address, &post(&form(assertion))).await.unwrap()
    }

    /// Holds that this is what is said when nothing can be decided, and that the log knows of it.
    pub(crate) fn check_unavailable(&self, reply: &Reply) {
        let (text, trace_id) = (reply.text(), reply.header("trace-id").unwrap());
        assert_eq!(reply.status, 503, "{text}");
        assert_eq!(reply.json()["error"], "temporarily_unavailable", "{text}");
        assert!(reply.header("retry-after").is_some(), "{text}");
        assert!(self.log().contains(trace_id), "{text}");
    }

    /// What the management listener has at this path, if it listens.
    pub(crate) async fn look(&self, path: &str) -> Option<Reply> {
        tokio::net::TcpStream::connect(self.management).await.ok()?;
        exchange(self.management, &request(&format!("GET {path}"), &[], b"")).await
    }

    /// Whether it is ready, and why not.
    pub(crate) async fn readiness(&self) -> Option<Reply> {
        self.look("/readyz").await
    }

    /// The time until the server answers that it is ready or, if `ready` is false, that it is not.
    pub(crate) async fn until(&self, ready: bool, patience: Duration) -> Duration {
        let began = tick();
        let wanted = if ready { 200 } else { 503 };
        loop {
            let answer = self.readiness().await;
            let took = began.elapsed();
            if answer.as_ref().is_some_and(|answer| answer.status == wanted) {
                return took;
            }
            let answer = answer.map(|answer| answer.text());
            assert!(took < patience, "not {wanted} after {took:?}: {answer:?}\n{}", self.log());
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The time until it is ready.
    pub(crate) async fn until_ready(&self, patience: Duration) -> Duration {
        self.until(true, patience).await
    }

    /// How it has ended, when it does so by itself, and what it has said.
    pub(crate) async fn ended(&mut self) -> (ExitStatus, String) {
        let began = tick();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, self.log());
            }
            assert!(began.elapsed() < START_MAX, "it goes on running\n{}", self.log());
            tokio::time::sleep(LOOK).await;
        }
    }

    /// What it has said.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its number, to send signals to.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL, and nothing left running.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Addresses that were free a moment ago.
fn free_addresses<const N: usize>() -> [SocketAddr; N] {
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap())
}
