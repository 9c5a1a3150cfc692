//! A cluster of PostgreSQL that a test may stop.

use std::path::PathBuf;
use std::process::Command;

use crate::harness::postgres::TestDatabase;

/// A cluster of a test's own; it goes with this value.
pub(super) struct Cluster {
    folder: PathBuf,
}

impl Cluster {
    pub(super) fn new() -> Self {
        let folder = control(&["new"]);
        Self { folder: folder.trim().into() }
    }

    /// Stops it as a power failure would, as far as it can notice.
    pub(super) fn kill(&self) {
        control(&["kill", self.folder.to_str().unwrap()]);
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
        let folder = self.folder.to_str().unwrap().replace('/', "%2F");
        format!("postgres://postgres@{folder}/postgres")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        control(&["remove", self.folder.to_str().unwrap()]);
    }
}

fn control(arguments: &[&str]) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/postgres");
    let done = Command::new(script).args(arguments).output().expect("tests/postgres runs");
    let problem = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() || std::thread::panicking(), "{arguments:?}: {problem}");
    String::from_utf8(done.stdout).unwrap()
}
