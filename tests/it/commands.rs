//! The program as its users start it: what the commands say, what they leave behind, how they end.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::Duration;

pub(crate) fn portvakt(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portvakt"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn ends(arguments: &[&str], status: i32) -> String {
    let Output { status: ended, stdout, stderr } = portvakt(arguments).output().unwrap();
    let said = String::from_utf8([stdout, stderr].concat()).unwrap();
    assert_eq!(ended.code(), Some(status), "{arguments:?}: {said}");
    said
}

/// A configuration that can be served, in a folder of its own.
fn configuration(folder: &Path, more: &str) -> String {
    let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let text = format!(
        "[server]\nissuer = \"https://a.example/\"\n[keys]\nsealing_key = \"{key}\"\n{more}"
    );
    let file = folder.join("portvakt.toml");
    fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn a_configuration_is_judged_with_file_line_and_key() {
    let folder = tempfile::tempdir().unwrap();
    let good = configuration(folder.path(), "");
    assert!(ends(&["check-config", &good], 0).contains("fit to start with"));
    let typo = configuration(folder.path(), "[token]\nsigning_algoritm = \"ES256\"\n");
    let said = ends(&["check-config", &typo], 2);
    assert!(said.contains("portvakt.toml, line 6") && said.contains("signing_algoritm"), "{said}");
    let said = ends(&["serve", "--config", &typo], 2);
    assert!(said.contains("signing_algoritm"), "{said}");
    let filter = configuration(folder.path(), "[log]\nfilter = \"nonsense=[\"\n");
    assert!(ends(&["check-config", &filter], 2).contains("log filter"));
}

#[test]
fn a_database_is_migrated_once_and_served_only_then() {
    let folder = tempfile::tempdir().unwrap();
    let file = configuration(
        folder.path(),
        "[token_listener]\naddress = \"127.0.0.1:0\"\n[admin_listener]\naddress = \"127.0.0.1:0\"\n[management_listener]\naddress = \"127.0.0.1:0\"\n",
    );
    assert!(ends(&["serve", "--config", &file], 1).contains("portvakt migrate"));
    assert!(ends(&["migrate", "--config", &file, "--dry-run"], 0).contains("lacks"));
    assert!(ends(&["migrate", "--config", &file, "--dry-run"], 0).contains("lacks"));
    assert!(ends(&["migrate", "--config", &file], 0).contains("apply"));
    assert!(ends(&["migrate", "--config", &file], 0).contains("up to date"));
}

/// A test server, ended when it is dropped.
pub(crate) struct Dev(Child);

impl Dev {
    /// Starts one in `folder` and waits until `dev.env` says that it is complete and it answers.
    pub(crate) fn start(folder: &Path, ports: [u16; 3], more: &[&str]) -> Self {
        let [token, admin, management] = ports.map(|port| format!("127.0.0.1:{port}"));
        let folder = folder.to_str().unwrap();
        let arguments = [
            "dev",
            "--dir",
            folder,
            "--listen",
            &token,
            "--admin-listen",
            &admin,
            "--management-listen",
            &management,
        ];
        let child = portvakt(&arguments).args(more).stderr(Stdio::null()).spawn().unwrap();
        let dev = Self(child);
        for _ in 0..600 {
            if std::net::TcpStream::connect(&management).is_ok()
                && Path::new(folder).join("dev.env").exists()
            {
                return dev;
            }
            sleep(Duration::from_millis(50));
        }
        panic!("the server did not start");
    }
}

impl Dev {
    /// Sends it a signal, such as STOP and CONT.
    pub(crate) fn signal(&self, signal: &str) {
        send_signal(&self.0, signal);
    }

    /// Tells it to stop, as a service manager does, and waits until it has ended well.
    pub(crate) fn stop(mut self) {
        self.signal("TERM");
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Sends a signal, such as STOP and CONT.
pub(crate) fn send_signal(process: &Child, signal: &str) {
    let kill = format!("kill -{signal} {}", process.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

/// Ports that nobody listens on. They are below those that systems give to outgoing connections, and each is given once:
/// nothing that a test does before its server listens, or while it is down, takes its port.
pub(crate) fn free_ports() -> [u16; 3] {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    [(); 3].map(|()| {
        loop {
            let place = std::process::id().wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed));
            let port = 10_000 + u16::try_from(place % 20_000).unwrap();
            if TcpListener::bind(("127.0.0.1", port)).is_ok() {
                return port;
            }
        }
    })
}

#[test]
fn a_test_server_keeps_everything_until_it_is_reset() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("dev");
    let ports = free_ports();
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    drop(Dev::start(&folder, ports, &[]));
    let (environment, root) = (read("dev.env"), read("pki/root.pem"));
    let second = Dev::start(&folder, ports, &[]);
    assert_eq!((read("dev.env"), read("pki/root.pem")), (environment, root.clone()));
    // A reset does not pull the folder from under a server that runs.
    let listen = ["--listen", "--admin-listen", "--management-listen"];
    let addresses = ports.map(|port| format!("127.0.0.1:{port}"));
    let mut reset = vec!["dev", "--reset", "--dir", folder.to_str().unwrap()];
    for (name, address) in listen.iter().zip(&addresses) {
        reset.extend([*name, address.as_str()]);
    }
    ends(&reset, 1);
    assert_eq!(read("pki/root.pem"), root);
    drop(second);
    drop(Dev::start(&folder, ports, &["--reset"]));
    assert_ne!(read("pki/root.pem"), root);
}

#[test]
fn a_folder_that_is_not_of_a_test_server_is_left_alone() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("prod");
    fs::create_dir_all(folder.join("pki")).unwrap();
    fs::write(folder.join("sealing.key"), "precious").unwrap();
    fs::write(folder.join("pki/real-ca.key"), "precious").unwrap();
    for more in [&[][..], &["--reset"]] {
        let arguments = ["dev", "--listen", "127.0.0.1:1", "--dir", folder.to_str().unwrap()];
        let said = ends(&[&arguments[..], more].concat(), 1);
        assert!(said.contains("--dir") || said.contains("127.0.0.1:1"), "{said}");
        for file in ["sealing.key", "pki/real-ca.key"] {
            assert_eq!(fs::read_to_string(folder.join(file)).unwrap(), "precious");
        }
    }
}

#[test]
fn a_test_server_stays_on_loopback_unless_told_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("dev");
    let dir = dir.to_str().unwrap();
    let said = ends(&["dev", "--dir", dir, "--listen", "0.0.0.0:7080"], 2);
    assert!(said.contains("--allow-remote"), "{said}");
    let said = ends(&["dev", "--dir", dir, "--listen", "0.0.0.0:7080", "--allow-remote"], 2);
    assert!(said.contains("--issuer"), "{said}");
    assert!(!Path::new(dir).exists());
}
