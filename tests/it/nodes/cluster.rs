//! A cluster of PostgreSQL that a test may stop.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::postgres::TestDatabase;
pub(super) use crate::harness::proxy::SOCKET;

/// The memory that a cluster may take, in MiB.
const MEMORY_MIB: &str = "1024";

/// A cluster of a test's own; it goes with this value.
pub(super) struct Cluster {
    folder: PathBuf,
}

impl Cluster {
    pub(super) fn new() -> Self {
        let folder = control(&["new"]);
        Self { folder: folder.trim().into() }
    }

    /// One whose data lie in memory where there is room: for what is no matter of the disk, and should not depend on how
    /// busy that is.
    pub(super) fn in_memory() -> Self {
        let folder = control(&["new-in-memory", MEMORY_MIB]);
        Self { folder: folder.trim().into() }
    }

    /// Stops it as a power failure would, as far as it can notice.
    pub(super) fn kill(&self) {
        control(&["kill", self.folder.to_str().unwrap()]);
    }

    /// Stops it politely: whoever is connected is told.
    pub(super) fn stop(&self) {
        control(&["stop", self.folder.to_str().unwrap()]);
    }

    /// Kills every process of it at once.
    pub(super) fn crash(&self) {
        control(&["crash", self.folder.to_str().unwrap()]);
    }

    /// A standby, which follows a moment behind.
    pub(super) fn standby(&self) -> Self {
        let folder = control(&["standby", self.folder.to_str().unwrap()]);
        Self { folder: folder.trim().into() }
    }

    /// A base backup of it, which can be started as it is.
    pub(super) fn copy(&self) -> Self {
        let folder = control(&["copy", self.folder.to_str().unwrap()]);
        Self { folder: folder.trim().into() }
    }

    /// From now on standbys learn nothing any more.
    pub(super) fn lag(&self) {
        control(&["lag", self.folder.to_str().unwrap()]);
    }

    /// Makes a standby a primary.
    pub(super) fn promote(&self) {
        control(&["promote", self.folder.to_str().unwrap()]);
    }

    /// A pooler in front of it, in the place of one before, that lends sessions for so long and has these settings. It goes
    /// with the cluster. Returns the URL of the database through it.
    pub(super) fn pooler(&self, mode: &str, settings: &str) -> String {
        let folder = self.folder.to_str().unwrap();
        let socket = control(&["pooler", folder, mode, settings]);
        let (folder, port) = socket.trim().rsplit_once(':').expect("a folder and a port");
        let folder = folder.replace('/', "%2F");
        format!("postgres://postgres@{folder}:{port}/postgres")
    }

    /// Its socket.
    pub(super) fn socket(&self) -> PathBuf {
        self.folder.join(SOCKET)
    }

    pub(super) fn start(&self) {
        control(&["start", self.folder.to_str().unwrap()]);
    }

    /// Sends a signal to everything that it consists of.
    pub(super) fn signal(&self, signal: &str) {
        control(&["signal", self.folder.to_str().unwrap(), signal]);
    }

    /// The database that it comes with.
    pub(super) fn database(&self) -> TestDatabase {
        TestDatabase::existing(&self.url())
    }

    pub(super) fn url(&self) -> String {
        url_in(&self.folder)
    }
}

/// The URL of the database that a cluster comes with whose socket is in that folder.
pub(super) fn url_in(folder: &Path) -> String {
    let folder = folder.to_str().unwrap().replace('/', "%2F");
    format!("postgres://postgres@{folder}/postgres")
}

impl Drop for Cluster {
    fn drop(&mut self) {
        control(&["remove", self.folder.to_str().unwrap()]);
    }
}

fn control(arguments: &[&str]) -> String {
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/postgres"));
    let done = command.args(arguments).output().expect("tests/postgres runs");
    let problem = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() || std::thread::panicking(), "{command:?}: {problem}");
    String::from_utf8(done.stdout).unwrap()
}
