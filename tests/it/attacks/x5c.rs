//! Group B, third part: the form of `x5c`.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::harness::caller::Draft;
use crate::harness::chain::{Leaf, Pki, pem};
use crate::harness::row::{Expect, Row, TOKEN, draft, invalid_grant, refused, run, text};
use crate::harness::server::{TestServer, certified, pki};

/// `x5c` cannot be read.
const UNREADABLE: Expect = invalid_grant("MP-123");
/// It can, and does not count.
const REFUSED: Expect = invalid_grant("MP-120");

fn leaf() -> Leaf {
    pki().ca.leaf(|_| {})
}

/// A row with this value as `x5c`, signed by the leaf.
fn x5c(id: &'static str, what: &str, leaf: &Leaf, value: Value, expect: Expect) -> Row {
    let mut spoilt = certified(&leaf.key, &[&leaf.der]).draft();
    // The value is as long as a certificate; what may not be repeated is any piece of it.
    spoilt.header["x5c"] = value;
    draft(id, what, &spoilt, expect).hiding("MII")
}

#[tokio::test]
async fn x5c_is_an_array_of_certificates_in_standard_base64() {
    let server = TestServer::start().await;
    let leaf = leaf();
    let good = STANDARD.encode(&leaf.der);
    let row = |id, what: &str, value: Value, expect: Expect| x5c(id, what, &leaf, value, expect);
    let lines: Vec<&str> =
        good.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let bare = good.trim_end_matches('=').to_owned();
    let padded = format!("{bare}{}", "=".repeat((4 - bare.len() % 4) % 4 + 1));
    let mut rows = Vec::new();
    for (what, value) in [
        ("an empty array", json!([])),
        ("an empty text", json!("")),
        ("null", json!(null)),
        ("the text alone", json!(good)),
        ("null inside", json!([null])),
        ("an empty text inside", json!([""])),
        ("a number inside", json!([1])),
        ("an array inside", json!([[good]])),
        ("an object", json!({ "0": good })),
    ] {
        rows.push(row("B16", what, value, UNREADABLE));
    }
    for (what, value, expect) in [
        ("line breaks", json!([lines.join("\r\n")]), TOKEN),
        ("a return inside", json!([good.replacen("MII", "MI\rI", 1)]), TOKEN),
        ("PEM", json!([pem("CERTIFICATE", &leaf.der)]), UNREADABLE),
        ("padding too much", json!([padded]), UNREADABLE),
        ("base64 twice", json!([STANDARD.encode(&good)]), UNREADABLE),
    ] {
        rows.push(row("B17", what, value, expect));
    }
    run(&server, rows).await;
}

/// A leaf whose length leaves `rest` bytes over when divided by three, so that its base64 is padded.
fn leaf_with_padding(rest: usize) -> Leaf {
    (0..)
        .find_map(|i| {
            let leaf = pki().ca.leaf(|p| {
                p.distinguished_name.push(rcgen::DnType::LocalityName, "x".repeat(1 + i % 3));
            });
            (leaf.der.len() % 3 == rest).then_some(leaf)
        })
        .unwrap()
}

#[tokio::test]
async fn base64_has_one_spelling() {
    let server = TestServer::start().await;
    let mut rows = Vec::new();
    for rest in [1, 2] {
        let leaf = leaf_with_padding(rest);
        let good = STANDARD.encode(&leaf.der);
        let bare = good.trim_end_matches('=');
        rows.push(x5c("B17", "no padding", &leaf, json!([bare]), UNREADABLE));
        // The last character carries bits that stand for nothing.
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let last = bare.chars().last().unwrap();
        let value = alphabet.iter().position(|&c| char::from(c) == last).unwrap();
        let twin = char::from(alphabet[value | 1]);
        let bits = format!("{}{twin}{}", &bare[..bare.len() - 1], &good[bare.len()..]);
        assert_ne!(bits, good);
        rows.push(x5c("B17", "unused bits", &leaf, json!([bits]), UNREADABLE));
    }
    // base64url of a certificate with a character that only it has.
    let url = std::iter::repeat_with(leaf)
        .find(|leaf| URL_SAFE_NO_PAD.encode(&leaf.der).contains(['-', '_']))
        .unwrap();
    let text = base64::engine::general_purpose::URL_SAFE.encode(&url.der);
    rows.push(x5c("B17", "base64url", &url, json!([text]), UNREADABLE));
    run(&server, rows).await;
}

#[tokio::test]
async fn an_entry_is_one_certificate_in_der() {
    let server = TestServer::start().await;
    let leaf = leaf();
    let der = &leaf.der;
    let mut indefinite = der.clone();
    // 30 82 xx xx becomes 30 80, and two zeros end it.
    indefinite.splice(1..4, [0x80]);
    indefinite.extend([0, 0]);
    let entry = |bytes: &[u8]| json!([STANDARD.encode(bytes)]);
    let certificate = |size: usize| {
        pki().ca.leaf(|p| {
            p.distinguished_name.push(rcgen::DnType::LocalityName, "x".repeat(size));
        })
    };
    let (large, huge) = (certificate(24 * 1024), certificate(64 * 1024));
    let rows = vec![
        x5c("B18", "garbage", &leaf, entry(b"garbage"), UNREADABLE),
        x5c("B18", "cut short", &leaf, entry(&der[..der.len() - 1]), UNREADABLE),
        x5c("B18", "indefinite length", &leaf, entry(&indefinite), UNREADABLE),
        x5c("B18", "a byte behind", &leaf, entry(&[der, &[0][..]].concat()), UNREADABLE),
        x5c("B18", "two in one", &leaf, entry(&[&der[..], der].concat()), UNREADABLE),
        x5c("B20", "24 KiB", &large, entry(&large.der), UNREADABLE),
        x5c("B20", "64 KiB", &huge, entry(&huge.der), refused(413, "invalid_request", "")),
    ];
    run(&server, rows).await;
}

#[tokio::test]
async fn a_chain_is_short_and_in_order() {
    let server = TestServer::start().await;
    let leaf = leaf();
    let other = leaf_of_other_key();
    let (root, ca) = (&pki().root.der, &pki().ca.der);
    let stranger = Pki::new("Stranger");
    let sent = |id, what: &str, chain: &[&[u8]], expect: Expect| {
        draft(id, what, &certified(&leaf.key, chain).draft(), expect)
    };
    let times = |count: usize| -> Vec<&[u8]> {
        std::iter::once(&leaf.der[..]).chain(std::iter::repeat_n(&root[..], count - 1)).collect()
    };
    let tiny = |count: usize| x5c("B19", "many", &leaf, json!(vec!["AA=="; count]), UNREADABLE);
    let rows = vec![
        sent("B19", "seven certificates", &times(7), UNREADABLE),
        tiny(100),
        tiny(3_000),
        sent("B21", "root first", &[root, ca, &leaf.der], UNREADABLE),
        sent("B21", "intermediate first", &[ca, &leaf.der], UNREADABLE),
        sent("B22", "a stranger between", &[&leaf.der, &stranger.ca.der, ca], UNREADABLE),
        sent("B22", "a stranger behind", &[&leaf.der, ca, &stranger.root.der], UNREADABLE),
        sent("B23", "the leaf alone", &[&leaf.der], TOKEN),
        sent("B23", "the whole chain", &[&leaf.der, ca, root], TOKEN),
        sent("B24", "another leaf of the organization", &[&other.der], invalid_grant("MP-124")),
        sent("B25", "the leaf twice", &[&leaf.der, &leaf.der], UNREADABLE),
        sent("B25", "the leaf twice, then its issuer", &[&leaf.der, &leaf.der, ca], UNREADABLE),
    ];
    run(&server, rows).await;
    let ten_thousand = certified(&leaf.key, &[&leaf.der]).draft();
    let ten_thousand = ten_thousand.header("x5c", json!(vec!["AA=="; 10_000]));
    let row = draft("B19", "10,000", &ten_thousand, refused(413, "invalid_request", ""));
    run(&server, vec![row]).await;
}

fn leaf_of_other_key() -> Leaf {
    pki().ca.leaf(|p| p.serial_number = Some(rcgen::SerialNumber::from(99_u64)))
}

#[tokio::test]
async fn a_thumbprint_beside_x5c_is_that_of_the_leaf() {
    let server = TestServer::start().await;
    let leaf = leaf();
    let sha1 = URL_SAFE_NO_PAD.encode(openssl::sha::sha1(&leaf.der));
    let sha256 = URL_SAFE_NO_PAD.encode(openssl::sha::sha256(&leaf.der));
    let with = |what: &str, name: &str, value: Value, expect: Expect| {
        let draft_with: Draft = certified(&leaf.key, &[&leaf.der]).draft().header(name, value);
        draft("B26", what, &draft_with, expect)
    };
    let rows = vec![
        with("x5t", "x5t", json!(sha1), TOKEN),
        with("x5t#S256", "x5t#S256", json!(sha256), TOKEN),
        with("another x5t", "x5t", json!(sha256), UNREADABLE),
        with("another x5t#S256", "x5t#S256", json!(sha1), UNREADABLE),
        with("no text", "x5t", json!(1), UNREADABLE),
    ];
    run(&server, rows).await;
}

#[tokio::test]
async fn a_client_with_a_registered_key_cannot_use_a_certificate() {
    // B11, from the other side: the certificate is good, and of the client's own organization.
    let server = TestServer::start().await;
    let leaf = leaf();
    let spoilt = certified(&leaf.key, &[&leaf.der]).draft().claim("iss", "es256");
    run(&server, vec![text("B11", "x5c of a client with keys", &spoilt.sign(), invalid_grant(""))])
        .await;
}

#[tokio::test]
async fn without_a_trust_set_no_certificate_counts() {
    let server = TestServer::with(&[], "").await;
    let leaf = leaf();
    let caller = certified(&leaf.key, &[&leaf.der]);
    run(&server, vec![text("B23", "no trust set", &caller.assertion(), REFUSED)]).await;
}
