//! Databases of PostgreSQL for tests, in the cluster whose URL is in `PORTVAKT_TEST_POSTGRES` and ends in
//! `/postgres`; `tests/postgres run` sets it. Without it the tests run on SQLite.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A database that goes when this value goes.
#[derive(Debug)]
pub(crate) struct TestDatabase {
    cluster: String,
    name: String,
    stays: bool,
}

impl TestDatabase {
    /// A new database, if there is a cluster for it.
    pub(crate) fn create() -> Option<Self> {
        Some(Self::create_in(&cluster()?, "template0"))
    }

    /// A new database in that cluster, with everything that another one has. Nobody may be connected to that.
    pub(crate) fn create_in(cluster: &str, template: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        run(cluster, &format!("create database {name} template {template}"));
        Self { cluster: cluster.to_owned(), name, stays: false }
    }

    /// The database at a URL; it stays.
    pub(crate) fn existing(url: &str) -> Self {
        let (start, name) = url.rsplit_once('/').expect("the URL names a database");
        Self { cluster: format!("{start}/postgres"), name: name.to_owned(), stays: true }
    }

    /// A copy, in the same cluster. Nobody may be connected to this one.
    pub(crate) fn copy(&self) -> Self {
        Self::create_in(&self.cluster, &self.name)
    }

    /// Everything that is in it.
    pub(crate) fn dump(&self) -> Vec<u8> {
        self.dump_as(&[])
    }

    /// The same, made to take the place of what is there.
    pub(crate) fn dump_to_replace(&self) -> Vec<u8> {
        let dump = self.dump_as(&["--clean", "--if-exists"]);
        [b"begin;\n".as_slice(), &dump, b"commit;\n"].concat()
    }

    fn dump_as(&self, options: &[&str]) -> Vec<u8> {
        let mut command = Command::new("pg_dump");
        let done = command.args(options).arg(self.url()).output().expect("pg_dump runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        done.stdout
    }

    /// Puts what has been dumped into it.
    pub(crate) fn load(&self, dump: &[u8]) {
        let mut psql = Command::new("psql");
        let psql = psql.args(["-q", "-v", "ON_ERROR_STOP=1", &self.url()]);
        let mut psql = psql.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("psql runs");
        psql.stdin.take().expect("it reads").write_all(dump).expect("psql takes it");
        assert!(psql.wait().expect("psql ends").success());
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        let start = self.cluster.strip_suffix("postgres").expect("the URL ends in /postgres");
        format!("{start}{}", self.name)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // A database is some megabytes, and there are hundreds.
        if self.stays {
            return;
        }
        run(&self.cluster, &format!("drop database if exists {} with (force)", self.name));
    }
}

/// The URL of the cluster, if there is one.
#[expect(clippy::disallowed_methods, reason = "it is not a setting of the server")]
pub(crate) fn cluster() -> Option<String> {
    std::env::var("PORTVAKT_TEST_POSTGRES").ok()
}

/// Runs a statement.
pub(crate) fn run(url: &str, statement: &str) {
    let mut psql = Command::new("psql");
    let done = psql.args(["-q", "-v", "ON_ERROR_STOP=1", url, "-c", statement]).output();
    let done = done.expect("psql runs");
    // In a drop, a second panic would hide the first.
    let is_fine = done.status.success() || std::thread::panicking();
    assert!(is_fine, "{statement}: {}", String::from_utf8_lossy(&done.stderr));
}
