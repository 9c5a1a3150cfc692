//! The three JOSE files of Project Wycheproof.

use std::collections::BTreeSet;

use portvakt::keys::client_jwk::ClientJwkError;
use portvakt::pki::public_key::PublicKeyError;
use portvakt::pki::strength::WeakKey;
use serde_json::{Value, json};

use crate::vectors::exceptions::{CRYPTO, Exception, KEYS, SIGNATURES};
use crate::vectors::judge::{self, Why};
use crate::vectors::{folder, read, say};

/// One case of a file.
struct Case {
    id: u64,
    comment: String,
    /// The key, or the keys of a set.
    keys: Vec<Value>,
    /// The JWS or JWE. What is not compact is here as JSON text, which is how it would arrive.
    text: String,
    valid: bool,
}

/// How the cases of a file fared.
#[derive(Debug, Default, PartialEq)]
struct Tally {
    accepted: usize,
    refused: usize,
    exceptions: usize,
}

fn cases(file: &Value) -> Vec<Case> {
    let mut cases = Vec::new();
    for group in file["testGroups"].as_array().unwrap() {
        let key = group.get("public").unwrap_or_else(|| &group["private"]);
        let keys = key["keys"].as_array().cloned().unwrap_or_else(|| vec![key.clone()]);
        for test in group["tests"].as_array().unwrap() {
            let text = test.get("jws").unwrap_or_else(|| &test["jwe"]);
            cases.push(Case {
                id: test["tcId"].as_u64().unwrap(),
                comment: format!("{} {}", group["comment"], test["comment"]),
                keys: keys.clone(),
                text: text.as_str().map_or_else(|| text.to_string(), str::to_owned),
                valid: match test["result"].as_str() {
                    Some("valid") => true,
                    Some("invalid") => false,
                    other => panic!("{other:?}"),
                },
            });
        }
    }
    let expected = file["numberOfTests"].as_u64().unwrap();
    assert_eq!(u64::try_from(cases.len()).unwrap(), expected);
    cases
}

/// Judges a case with every key of its set that the header could mean: the first that accepts it counts, and
/// else the first refusal.
fn judge(case: &Case) -> Result<(), Why> {
    let mut first_refusal = Ok(());
    for jwk in &case.keys {
        judge::check_whole(jwk, &case.text, &format!("{} {}", case.id, case.comment));
        match judge::signature(jwk, &case.text) {
            Ok(()) => return Ok(()),
            Err(why) if first_refusal.is_ok() => first_refusal = Err(why),
            Err(_) => {}
        }
    }
    first_refusal
}

/// Runs a file against its table of exceptions.
fn run(file: &str, exceptions: &[Exception]) -> Option<Tally> {
    let cases = cases(&read(&folder()?.join(file)));
    let mut tally = Tally::default();
    let mut unused: BTreeSet<u64> = exceptions.iter().flat_map(|e| e.cases).copied().collect();
    for case in &cases {
        let name = format!("{file} {} {}", case.id, case.comment);
        let verdict = judge(case);
        let exception = exceptions.iter().find(|exception| exception.cases.contains(&case.id));
        unused.remove(&case.id);
        match (exception, case.valid, verdict) {
            (None, true, Ok(())) => tally.accepted += 1,
            (None, false, Err(_)) => tally.refused += 1,
            (Some(exception), true, Err(why)) => {
                assert_eq!(why, exception.refused_by, "{name}: not refused for the reason given");
                check_mended(case, exception, &name);
                tally.exceptions += 1;
            }
            (Some(exception), _, verdict) => {
                panic!("{name}: stale exception ({}): {verdict:?}", exception.reason)
            }
            (None, _, verdict) => panic!("{name}: {verdict:?}"),
        }
    }
    assert!(unused.is_empty(), "{file}: exceptions for cases that are not there: {unused:?}");
    say(&format!("{file}: {} cases, {tally:?}", cases.len()));
    Some(tally)
}

/// What refuses an exception is only the rule that is named: without it, the signature is found right.
fn check_mended(case: &Case, exception: &Exception, name: &str) {
    for jwk in case.keys.iter().filter_map(|jwk| exception.mend(jwk)) {
        let verdict = judge::signature(&jwk, &case.text);
        assert_eq!(verdict.err(), exception.still_refused_by, "{name}, mended");
    }
}

#[test]
fn every_published_jws_is_judged_as_it_should_be() {
    let Some(tally) = run("json_web_signature_test.json", SIGNATURES) else { return };
    assert_eq!(tally, Tally { accepted: 30, refused: 355, exceptions: 16 });
}

#[test]
fn every_published_jwk_is_judged_as_it_should_be() {
    let Some(tally) = run("json_web_key_test.json", KEYS) else { return };
    assert_eq!(tally, Tally { accepted: 1, refused: 21, exceptions: 4 });
}

#[test]
fn everything_encrypted_is_refused_and_the_signatures_beside_it_are_judged_as_they_should_be() {
    let Some(tally) = run("json_web_crypto_test.json", CRYPTO) else { return };
    assert_eq!(tally, Tally { accepted: 2, refused: 77, exceptions: 4 });
}

#[test]
fn weak_and_foreign_keys_are_refused_for_what_is_wrong_with_them() {
    let Some(folder) = folder() else { return };
    let cases = cases(&read(&folder.join("json_web_key_test.json")));
    let weak = |why| ClientJwkError::PublicKey(PublicKeyError::Weak(why));
    for (id, expected) in [
        (6, ClientJwkError::Use),
        (8, weak(WeakKey::RsaSize { bits: 1024 })),
        (9, weak(WeakKey::RsaExponent)),
        (10, ClientJwkError::Private),
        (19, ClientJwkError::Algorithm),
        (20, ClientJwkError::Algorithm),
        (21, ClientJwkError::Use),
        (22, weak(WeakKey::NotOnCurve)),
        (23, ClientJwkError::Algorithm),
        (24, ClientJwkError::Algorithm),
        (25, ClientJwkError::Private),
    ] {
        let case = cases.iter().find(|case| case.id == id).unwrap();
        assert_eq!(judge(case), Err(Why::Key(expected)), "{id} {}", case.comment);
    }
}

#[test]
fn a_verdict_is_turned_by_one_changed_character() {
    let Some(folder) = folder() else { return };
    let cases = cases(&read(&folder.join("json_web_signature_test.json")));
    for case in cases.iter().filter(|case| case.valid && judge(case).is_ok()) {
        let mut other = case.text.clone();
        let last = other.pop().unwrap();
        let before = other.pop().unwrap();
        other.push(if before == 'A' { 'B' } else { 'A' });
        other.push(last);
        let mut keys = case.keys.clone();
        assert_eq!(judge::signature(&keys[0], &other).err(), Some(Why::Signature), "{}", case.id);
        keys[0]["alg"] = json!(if keys[0]["alg"] == "RS512" { "RS256" } else { "RS512" });
        assert!(judge::signature(&keys[0], &case.text).is_err(), "{}", case.id);
    }
}
