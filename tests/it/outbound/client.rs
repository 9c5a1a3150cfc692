//! The client that everything goes out through, against addresses and answers that are made to fool it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portvakt::remote::outbound::{Names, SystemNames};

use super::host::{Act, Host};
use super::{BYTES_MAX, TIME_MAX, fetch, rules};
use crate::harness::clock::tick;

/// Where the hosts of these tests are.
const HERE: &str = "127.0.0.0/8";

/// Names that mean what a test says: of several answers one after the other, the last for ever.
struct TestNames {
    answers: Mutex<HashMap<&'static str, Vec<Vec<IpAddr>>>>,
    lookups: Mutex<usize>,
}

impl TestNames {
    fn of(name: &'static str, answers: &[&[&str]]) -> Arc<Self> {
        let read = |answer: &&[&str]| answer.iter().map(|it| it.parse().unwrap()).collect();
        let answers = answers.iter().map(read).collect();
        Arc::new(Self {
            answers: Mutex::new(HashMap::from([(name, answers)])),
            lookups: Mutex::default(),
        })
    }

    fn lookups(&self) -> usize {
        *self.lookups.lock().unwrap()
    }
}

impl Names for TestNames {
    fn look_up(&self, name: &str) -> std::io::Result<Vec<IpAddr>> {
        *self.lookups.lock().unwrap() += 1;
        let mut answers = self.answers.lock().unwrap();
        match answers.get_mut(name) {
            Some(answers) if answers.len() > 1 => Ok(answers.remove(0)),
            Some(answers) => Ok(answers[0].clone()),
            None => Err(std::io::Error::other("no such name")),
        }
    }
}

#[tokio::test]
async fn an_address_that_is_not_public_is_not_connected_to_in_any_disguise() {
    // J02
    let host = Host::start().await;
    host.act("/list", Act::answer("200 OK", "", b"list"));
    let port = host.address.port();
    // It is there for whoever may ask it.
    assert_eq!(
        fetch(&rules(&[HERE], Arc::new(SystemNames)), &host.url("/list")).await.unwrap(),
        b"list"
    );
    assert_eq!(host.connections(), 1);
    let closed = rules(&[], Arc::new(SystemNames));
    for disguise in [
        "127.0.0.1",
        "127.0.0.2",
        "0.0.0.0",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[::127.0.0.1]",
        "[::]",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "127.1",
        "127.0.1",
        "127.0.0.1.",
        "127.0.0.01",
        "\u{2460}27.0.0.1",
        "127\u{3002}0.0.1",
    ] {
        let refused = fetch(&closed, &format!("http://{disguise}:{port}/list")).await;
        assert!(refused.is_err(), "{disguise}");
    }
    // By name, through addresses of every kind. That a name is known is not enough.
    for addresses in [
        &["127.0.0.1"][..],
        &["::ffff:127.0.0.1"],
        &["64:ff9b::7f00:1"],
        &["0.0.0.0"],
        &["169.254.169.254"],
        &["10.0.0.1", "192.168.0.1"],
    ] {
        let names = rules(&[], TestNames::of("crl.example", &[addresses]));
        let refused = fetch(&names, &format!("http://crl.example:{port}/list")).await.unwrap_err();
        assert!(refused.contains("outbound.allowed_networks"), "{addresses:?}: {refused}");
    }
    assert_eq!(host.connections(), 1, "somebody was connected to");
    // Of several addresses the one that may be asked is asked.
    let mixed = TestNames::of("crl.example", &[&["127.0.0.9", "127.0.0.1"]]);
    let one = rules(&["127.0.0.1/32"], mixed);
    let url = format!("http://crl.example:{port}/list");
    assert_eq!(fetch(&one, &url).await.unwrap(), b"list");
}

#[tokio::test]
async fn other_schemes_and_addresses_that_have_to_be_mended_are_refused() {
    let host = Host::start().await;
    let rules = rules(&[HERE], Arc::new(SystemNames));
    let here = host.address;
    let port = here.port();
    for (id, address) in [
        ("J03", format!("ftp://{here}/list")),
        ("J03", format!("ldap://{here}/list")),
        ("J03", format!("gopher://{here}/list")),
        ("J03", "file:///etc/passwd".to_owned()),
        ("J03", "data:,list".to_owned()),
        ("J07", format!("http://user:secret@{here}/list")),
        ("J07", format!("http://crl.example@{here}/list")),
        ("J07", format!("http://{here}/list\r\nX: y")),
        ("J07", format!("http://{here}/list\0")),
        ("J07", format!("http://{here}\\@crl.example/")),
        ("J07", format!("http://l\u{f6}calhost:{port}/")),
        ("J07", "http://127.0.0.1:22/".to_owned()),
        ("J07", "http://127.0.0.1:25/".to_owned()),
    ] {
        assert!(fetch(&rules, &address).await.is_err(), "{id} {address:?}");
    }
    assert_eq!(host.connections(), 0);
}

#[tokio::test]
async fn a_name_is_what_it_was_when_it_was_looked_at() {
    // J04: the second time the name means a machine that is none of the world's.
    let there = Host::at("127.0.0.2:0").await;
    let inside = Host::at(&format!("127.0.0.1:{}", there.address.port())).await;
    for host in [&there, &inside] {
        host.act("/list", Act::answer("200 OK", "", b"list"));
    }
    let names = TestNames::of("crl.example", &[&["127.0.0.2"], &["127.0.0.1"]]);
    let its_own = Arc::<TestNames>::clone(&names);
    let rules = rules(&["127.0.0.2/32"], its_own);
    let url = format!("http://crl.example:{}/list", there.address.port());
    assert_eq!(fetch(&rules, &url).await.unwrap(), b"list");
    assert_eq!(names.lookups(), 1, "it was looked up again between the look and the use");
    assert!(fetch(&rules, &url).await.unwrap_err().contains("loopback"));
    assert_eq!((there.connections(), inside.connections()), (1, 0));
}

#[tokio::test]
async fn redirects_stay_on_the_host_and_end() {
    // J05
    let (host, other) = (Host::start().await, Host::at("127.0.0.3:0").await);
    let rules = rules(&[HERE], Arc::new(SystemNames));
    other.act("/list", Act::answer("200 OK", "", b"inside"));
    host.act("/list", Act::answer("200 OK", "", b"list"));
    host.act("/1", Act::redirect("/2"));
    host.act("/2", Act::redirect(&host.url("/3")));
    host.act("/3", Act::redirect("/list"));
    host.act("/4", Act::redirect("/1"));
    host.act("/round", Act::redirect("/round"));
    assert_eq!(fetch(&rules, &host.url("/1")).await.unwrap(), b"list");
    let before = host.connections();
    assert!(fetch(&rules, &host.url("/round")).await.unwrap_err().contains("4th"));
    assert_eq!(host.connections() - before, 4);
    assert!(fetch(&rules, &host.url("/4")).await.is_err());
    let port = other.address.port();
    for to in [
        other.url("/list"),
        format!("//{}/list", other.address),
        format!("http://127.0.0.1:{port}/list"),
        format!("http://localhost:{port}/list"),
        format!("http://127.0.0.1@{}/list", other.address),
        format!("https://{}/list", host.address),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "file:///etc/passwd".to_owned(),
        String::new(),
        "list".to_owned(),
    ] {
        host.act("/away", Act::redirect(&to));
        assert!(fetch(&rules, &host.url("/away")).await.is_err(), "{to:?}");
    }
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn answers_have_a_size_and_a_time_and_are_what_they_seem() {
    // J06
    let host = Host::start().await;
    let rules = rules(&[HERE], Arc::new(SystemNames));
    let head = |headers: &str| format!("HTTP/1.1 200 OK\r\n{headers}\r\n").into_bytes();
    let full = vec![b'x'; BYTES_MAX];
    host.act("/full", Act::answer("200 OK", "", &full));
    assert_eq!(fetch(&rules, &host.url("/full")).await.unwrap(), full);
    let over = vec![b'x'; BYTES_MAX + 1];
    for (what, act, problem) in [
        ("a gigabyte that is announced", Act::Flood(head("Content-Length: 1073741824\r\n")), "KiB"),
        ("a gigabyte that is not", Act::Flood(head("Connection: close\r\n")), "KiB"),
        ("a byte too much", Act::answer("200 OK", "", &over), "KiB"),
        ("a bomb", Act::answer("200 OK", "Content-Encoding: gzip\r\n", b"\x1f\x8b"), "compressed"),
        ("cut off", Act::Raw([&head("Content-Length: 10\r\n")[..], b"x"].concat()), ""),
        (
            "a byte a time",
            Act::Drip([&head("Content-Length: 99\r\n")[..], b"x"].concat(), TIME_MAX / 10),
            "no answer",
        ),
        (
            "a head that does not end",
            Act::Drip(b"HTTP/1.1 200 OK\r\nA: x".to_vec(), TIME_MAX / 10),
            "no answer",
        ),
        ("nothing", Act::Hang, "no answer"),
        ("no HTTP", Act::Raw(b"SSH-2.0-x\r\n".to_vec()), ""),
        ("not found", Act::answer("404 Not Found", "", b"list"), "404"),
        ("an error", Act::answer("500 Oops", "", b"list"), "500"),
        ("not modified", Act::answer("304 Not Modified", "", b""), "304"),
        ("nothing new", Act::answer("204 No Content", "", b""), "204"),
        ("a part", Act::answer("206 Partial Content", "", b"list"), "206"),
    ] {
        host.act("/list", act);
        let began = tick();
        let refused = fetch(&rules, &host.url("/list")).await.unwrap_err();
        assert!(refused.contains(problem), "{what}: {refused}");
        assert!(began.elapsed() < TIME_MAX + Duration::from_secs(2), "{what}");
    }
    // Nothing is asked for compressed, and who asks says no more than it must.
    for head in host.heads() {
        let head = head.to_ascii_lowercase();
        assert!(head.contains("accept-encoding: identity\r\n"), "{head}");
        assert!(!head.contains("cookie") && !head.contains("authorization"), "{head}");
    }
}

#[test]
fn the_proxies_of_the_environment_are_not_used() {
    // J14. Only a process of its own can have an environment of its own.
    let again = "outbound::client::redirects_stay_on_the_host_and_end";
    let mut process = std::process::Command::new(std::env::current_exe().unwrap());
    for variable in ["http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"] {
        process.env(variable, "http://127.0.0.1:9");
    }
    let output = process.args(["--exact", again]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}
