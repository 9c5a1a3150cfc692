//! The list of attacks: every number is either a row of a table or stands here with the reason why not.

use std::collections::BTreeSet;

/// Groups and how many attacks each has.
const GROUPS: [(char, usize); 10] = [
    ('A', 45),
    ('B', 50),
    ('C', 43),
    ('D', 70),
    ('E', 17),
    ('F', 16),
    ('G', 18),
    ('H', 28),
    ('K', 10),
    ('L', 17),
];

/// Why the rows on OCSP are in no table.
const OCSP: &str = "each needs a responder of its own: src/pki/tests/ocsp.rs, and in a running server outbound/responders.rs";

/// Attacks that no table has, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("D07", OCSP),
    ("D16", OCSP),
    ("D17", OCSP),
    ("D18", OCSP),
    ("D19", OCSP),
    ("D20", OCSP),
    ("D21", OCSP),
    ("F12", "there is no fence yet against a database that was put back from a backup"),
    ("F14", "DPoP is not spoken"),
    ("G01", "a server has one issuer and no tenants"),
    (
        "G02",
        "a server has one issuer; that of another in `aud` is among the wrong audiences of group C",
    ),
    ("G13", "departure: tokens are not introspected"),
    ("G17", "a resource is any absolute URI, as with Maskinporten; no API owns one"),
    ("K08", "departure: clients tell an unknown key from a wrong signature by the text"),
    ("K09", "core dumps are a matter of how the service is run"),
    (
        "L11",
        "a warm request reads no database; that a locked one gives 503 is tried in the group of replays",
    ),
    ("L12", "departure, with K08: what the text tells need not be hidden by time"),
    ("L13", "DPoP is not spoken"),
    ("L16", "scopes are compared whole; there are no patterns"),
];

/// The tables.
const TABLES: &[&str] = &[
    include_str!("../admin/compatible/accesses.rs"),
    include_str!("../admin/compatible/at_once.rs"),
    include_str!("../admin/compatible/clients.rs"),
    include_str!("../admin/compatible/keys.rs"),
    include_str!("../admin/compatible/scopes.rs"),
    include_str!("../admin/own/attacks.rs"),
    include_str!("../admin/own/attacks_of_others.rs"),
    include_str!("../admin/own/attacks_of_yesterday.rs"),
    include_str!("../admin/own/audit.rs"),
    include_str!("../admin/own/authorization.rs"),
    include_str!("../admin/own/certified_keys.rs"),
    include_str!("../admin/own/idempotency.rs"),
    include_str!("../admin/own/keys.rs"),
    include_str!("../admin/own/limits.rs"),
    include_str!("../admin/own/lost_updates.rs"),
    include_str!("../admin/own/volume.rs"),
    include_str!("../admin/own/volume_clients.rs"),
    include_str!("../admin/own/weak_keys.rs"),
    include_str!("../portal/operator.rs"),
    include_str!("certificates/keys.rs"),
    include_str!("certificates/leaves.rs"),
    include_str!("certificates/organizations.rs"),
    include_str!("certificates/paths.rs"),
    include_str!("certificates/revocation.rs"),
    include_str!("claims.rs"),
    include_str!("framing.rs"),
    include_str!("jws.rs"),
    include_str!("leaks.rs"),
    include_str!("limits.rs"),
    include_str!("load.rs"),
    include_str!("replay.rs"),
    include_str!("requests.rs"),
    include_str!("signatures.rs"),
    include_str!("tls.rs"),
    include_str!("wire.rs"),
    include_str!("x5c.rs"),
];

/// The numbers of attacks that stand in a text: a letter of a group and two digits, by themselves.
fn numbers(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let is_number = |word: &&str| {
        word.len() == 3
            && GROUPS.iter().any(|(group, _)| word.starts_with(*group))
            && word[1..].bytes().all(|b| b.is_ascii_digit())
    };
    words.filter(is_number).map(str::to_owned).collect()
}

#[test]
fn every_attack_has_a_row_or_a_reason() {
    let all: BTreeSet<String> = GROUPS
        .iter()
        .flat_map(|(group, count)| (1..=*count).map(move |n| format!("{group}{n:02}")))
        .collect();
    let tried: BTreeSet<String> = TABLES.iter().flat_map(|table| numbers(table)).collect();
    let left_out: BTreeSet<String> = LEFT_OUT.iter().map(|(id, _)| (*id).to_owned()).collect();
    assert_eq!(left_out.len(), LEFT_OUT.len(), "one is left out twice");
    let both: Vec<_> = tried.intersection(&left_out).collect();
    assert!(both.is_empty(), "left out and tried: {both:?}");
    let known: BTreeSet<String> = tried.union(&left_out).cloned().collect();
    let missing: Vec<_> = all.difference(&known).collect();
    assert!(missing.is_empty(), "neither tried nor left out: {missing:?}");
    let unheard: Vec<_> = known.difference(&all).collect();
    assert!(unheard.is_empty(), "not in the list: {unheard:?}");
}

#[test]
fn numbers_are_found_where_they_stand_alone() {
    let found: Vec<_> = numbers("\"A01\", // B44: and A1, A012, M03, XA02").into_iter().collect();
    assert_eq!(found, ["A01", "B44"]);
}
