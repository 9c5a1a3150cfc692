//! The client of the admin API against a server that answers by the book.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::*;
use crate::cli::server::ServerArgs;

/// A server that answers each connection with the next of some texts and keeps what it was asked.
struct Fake {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    /// An answer that is empty breaks the connection.
    fn new(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        std::thread::spawn(move || {
            for answer in answers {
                let (mut connection, _) = listener.accept().unwrap();
                kept.lock().unwrap().push(read_request(&mut connection));
                connection.write_all(answer.as_bytes()).unwrap();
            }
        });
        Self { address, asked }
    }

    fn api(&self) -> Api {
        let web = ServerArgs::default().web().unwrap();
        Api::new(&web, &self.address, Tokens::Given("secret".to_owned())).unwrap()
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// The head of a request and its body, if it says that it has one.
fn read_request(connection: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut byte = [0];
    while !text.ends_with("\r\n\r\n") && connection.read(&mut byte).unwrap() == 1 {
        text.push(char::from(byte[0]));
    }
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    connection.read_exact(&mut body).unwrap();
    text + &String::from_utf8(body).unwrap()
}

fn answer(status: u16, tag: &str, body: &Value) -> String {
    let (body, tag) = (body.to_string(), if tag.is_empty() { "" } else { tag });
    let length = body.len();
    format!(
        "HTTP/1.1 {status} x\r\netag: \"{tag}\"\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

fn line(request: &str) -> &str {
    request.lines().next().unwrap()
}

fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    request.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn scope() -> Place {
    Place::of(["scopes", "a:b/c d"])
}

#[tokio::test]
async fn a_list_is_read_through_all_its_pages_or_as_far_as_was_asked() {
    let page = |items: Value, next: Option<&str>| {
        answer(200, "", &json!({ "items": items, "next_cursor": next }))
    };
    let answers = vec![page(json!([1, 2]), Some("x&y")), page(json!([3]), None)];
    let fake = Fake::new(answers.clone());
    let place = Place::of(["scopes"]).with("q", Some("a b")).with_flag("inactive", true);
    let listed = fake.api().list(&place, None).await.unwrap();
    assert_eq!((listed.items.len(), listed.more), (3, false));
    let lines: Vec<String> = fake.asked().iter().map(|it| line(it).to_owned()).collect();
    let first = "GET /api/portvakt/v1/scopes?q=a+b&inactive=true&limit=500";
    assert_eq!(lines, [format!("{first} HTTP/1.1"), format!("{first}&cursor=x%26y HTTP/1.1")]);

    let fake = Fake::new(answers);
    let listed = fake.api().list(&Place::of(["scopes"]), Some(2)).await.unwrap();
    assert_eq!((listed.items.len(), listed.more, fake.asked().len()), (2, true, 1));
    assert!(line(&fake.asked()[0]).contains("limit=2"));
}

#[tokio::test]
async fn a_change_names_the_version_that_was_seen() {
    let fake = Fake::new(vec![answer(200, "7", &json!({})), answer(200, "8", &json!({"a": 1}))]);
    let changed = fake.api().change(&scope(), &json!({"a": 1})).await.unwrap();
    assert_eq!(changed, json!({"a": 1}));
    let asked = fake.asked();
    assert_eq!(line(&asked[1]), "PATCH /api/portvakt/v1/scopes/a:b%2Fc%20d HTTP/1.1");
    assert_eq!(header(&asked[1], "if-match"), Some("\"7\""));
    assert_eq!(header(&asked[1], "authorization"), Some("Bearer secret"));
    assert!(asked[1].ends_with("\r\n\r\n{\"a\":1}"));
}

#[tokio::test]
async fn a_thing_that_is_not_there_is_put_without_a_version() {
    let fake = Fake::new(vec![
        answer(404, "", &json!({"detail": "no such access", "code": "not_found"})),
        answer(201, "1", &json!({})),
    ]);
    fake.api().put(&scope(), &json!({})).await.unwrap();
    assert_eq!(header(&fake.asked()[1], "if-match"), None);
}

#[tokio::test]
async fn what_makes_a_thing_is_sent_once_more_under_the_same_key_when_the_connection_broke() {
    let fake = Fake::new(vec![String::new(), answer(201, "1", &json!({"client_id": "x"}))]);
    let made = fake.api().make(&Place::of(["clients"]), &json!({})).await.unwrap();
    assert_eq!(made["client_id"], "x");
    let asked = fake.asked();
    let keys = [0, 1].map(|index| header(&asked[index], "idempotency-key").unwrap());
    assert_eq!(keys[0], keys[1]);

    let fake = Fake::new(vec![String::new(), String::new(), answer(201, "1", &json!({}))]);
    let failure = fake.api().make(&Place::of(["clients"]), &json!({})).await.unwrap_err();
    assert_eq!((failure.exit, fake.asked().len()), (ExitStatus::Unreachable, 2));
    // A change may have been done: sent again it would look like a conflict.
    let fake = Fake::new(vec![answer(200, "7", &json!({})), String::new()]);
    let failure = fake.api().change(&scope(), &json!({})).await.unwrap_err();
    assert_eq!((failure.exit, fake.asked().len()), (ExitStatus::Unreachable, 2));
}

#[tokio::test]
async fn what_is_put_off_is_sent_again_when_the_server_says() {
    let put_off = |seconds: u32| {
        let answer = answer(429, "", &json!({"detail": "too many requests"}));
        answer.replacen("\r\n", &format!("\r\nretry-after: {seconds}\r\n"), 1)
    };
    let fake = Fake::new(vec![put_off(0), put_off(0), answer(201, "1", &json!({"a": 1}))]);
    let made = fake.api().make(&Place::of(["clients"]), &json!({})).await.unwrap();
    assert_eq!((made["a"].as_u64(), fake.asked().len()), (Some(1), 3));
    let fake = Fake::new(vec![put_off(11)]);
    let failure = fake.api().read(&scope()).await.unwrap_err();
    assert!(failure.message.starts_with("too many requests"), "{failure}");
    let fake = Fake::new(vec![put_off(0); WAITS_MAX + 1]);
    let failure = fake.api().read(&scope()).await.unwrap_err();
    assert_eq!((failure.exit, fake.asked().len()), (ExitStatus::Failure, WAITS_MAX + 1));
}

#[tokio::test]
async fn a_refusal_is_told_with_member_and_trace_id_and_has_the_exit_code_of_the_contract() {
    let problem = json!({
        "detail": "it must be in the future", "code": "invalid_value", "trace_id": "0af7",
        "errors": [{"pointer": "expires_at", "detail": "it must be in the future"}],
    });
    for (status, exit) in
        [(400, 1), (401, 4), (403, 5), (404, 3), (409, 6), (412, 6), (428, 6), (503, 9), (500, 1)]
    {
        let fake = Fake::new(vec![answer(status, "", &problem)]);
        let failure = fake.api().read(&scope()).await.unwrap_err();
        assert_eq!(failure.exit.code(), exit, "{status}");
        let expected = "expires_at: it must be in the future\ntrace id 0af7";
        assert!(failure.message.starts_with(expected), "{failure}");
        assert!(!failure.message.contains("secret"));
    }
    // What is no answer of this API says nothing about the thing.
    let fake = Fake::new(vec![answer(404, "", &json!("nothing here"))]);
    assert_eq!(fake.api().read(&scope()).await.unwrap_err().exit, ExitStatus::Failure);
}

#[test]
fn no_name_leads_to_another_address() {
    let base = server::parse_url("https://a.example/below/").unwrap();
    for name in ["", ".", ".."] {
        assert!(Place::of(["scopes", name]).url(&base).is_err(), "{name}");
    }
    let url = Place::of(["scopes", "../clients?x#y"]).url(&base).unwrap();
    let expected = "https://a.example/below/api/portvakt/v1/scopes/..%2Fclients%3Fx%23y";
    assert_eq!(url.as_str(), expected);
}
