//! The control plane from the shell: the program as its users start it, against a test server of its own.

mod answers;
mod declared;
mod load;
mod tour;
mod usage;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::commands::{Dev, free_ports, portvakt};

/// The organizations of every test server.
const PROVIDER: &str = "310000108";
const CONSUMER: &str = "310000116";
const SUPPLIER: &str = "310000124";

/// An organization that no test server begins with; its number passes modulus 11.
const NEWCOMER: &str = "310000132";

/// A test server with a folder of its own, and how its commands end.
struct Server {
    folder: TempDir,
    dev: Dev,
}

/// How a command ended.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dev = Dev::start(&folder.path().join("dev"), free_ports(), &[]);
        Self { folder, dev }
    }

    /// A file for a test to make.
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.path(name), text).unwrap();
        self.name(name)
    }

    fn name(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// What `dev.env` says.
    fn setting(&self, name: &str) -> String {
        let text = fs::read_to_string(self.path("dev/dev.env")).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("export {name}=")));
        line.unwrap().trim_matches('\'').to_owned()
    }

    /// Runs a command with the settings of `dev.env`, and with `changes` to them.
    fn run_with(&self, changes: &[(&str, &str)], arguments: &[&str]) -> Ended {
        let mut text = fs::read_to_string(self.path("dev/dev.env")).unwrap();
        for (name, value) in changes {
            let _ = writeln!(text, "{name}='{value}'");
        }
        let file = tempfile::NamedTempFile::new_in(self.folder.path()).unwrap();
        fs::write(file.path(), text).unwrap();
        run(&[arguments, &["--env-file", file.path().to_str().unwrap()]].concat())
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(&[], arguments)
    }

    /// Runs a command that ends well, and gives what it prints as JSON.
    fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["-o", "json"]].concat()).well().json()
    }

    /// Runs a command that ends well, and gives what it prints.
    fn text(&self, arguments: &[&str]) -> String {
        self.run(arguments).well().out
    }

    /// Changes to the settings with which the consumer asks, who is no operator.
    fn as_consumer(&self) -> Vec<(&'static str, String)> {
        vec![
            ("PORTVAKT_ADMIN_CLIENT_ID", self.setting("MASKINPORTEN_CLIENT_ID")),
            ("PORTVAKT_ADMIN_CLIENT_JWK", self.setting("MASKINPORTEN_CLIENT_JWK")),
            ("PORTVAKT_ADMIN_OPERATOR", "false".to_owned()),
        ]
    }

    fn run_as_consumer(&self, arguments: &[&str]) -> Ended {
        let changes = self.as_consumer();
        let changes: Vec<(&str, &str)> = changes.iter().map(|(n, v)| (*n, v.as_str())).collect();
        self.run_with(&changes, arguments)
    }
}

impl Ended {
    fn with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    fn well(self) -> Self {
        self.with(0)
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

fn run(arguments: &[&str]) -> Ended {
    let output = portvakt(arguments).env_clear().output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// The permissions of a file.
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}
