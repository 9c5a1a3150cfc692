//! What such tokens say, and who gets none.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Verifier;
use portvakt::domain::scope::{EuropeanBusinesses, Scope};
use rcgen::RevocationReason::KeyCompromise;
use rcgen::{CertificateParams, DnType};
use serde_json::{Value, json};

use super::{
    CLIENT_ID, SEAL, SIGN, SWEDISH, business, name, seal, server, server_with, statements,
};
use crate::harness::chain::{LEAF_SERIAL, Leaf, Pki, Trust, revoked};
use crate::harness::clock::NOW;
use crate::harness::http::{Reply, token_claims};
use crate::harness::row::{Expect, Row, TOKEN, draft, invalid_grant, invalid_scope, refused, run};
use crate::harness::server::{TestServer, actor, server_key};
use crate::harness::{CONSUMER, ISSUER};

/// The claims of the token in an answer, having checked its signature with the other implementation.
fn validated(reply: &Reply) -> Value {
    let token = reply.token().unwrap_or_else(|| panic!("no token: {}", reply.text()));
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let key = PKey::private_key_from_pkcs8(&server_key().1).unwrap();
    let mut verifier = Verifier::new(MessageDigest::sha256(), &key).unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    assert!(verifier.verify_oneshot(&signature, signed.as_bytes()).unwrap());
    token_claims(&token)
}

#[tokio::test]
async fn a_certificate_alone_gives_a_token_that_names_the_business_as_the_certificate_does() {
    let european = Pki::new("European");
    let server = server(&european).await;
    for (qualified, proof) in [(false, "CForESeal"), (true, "QCForESeal")] {
        let leaf = european.ca.leaf(|params| {
            name(params, SWEDISH);
            params.distinguished_name.push(DnType::OrganizationalUnitName, "The cellar");
            params.custom_extensions.push(statements(qualified, SEAL));
        });
        let caller = business(&leaf, &european.ca);
        let mut claims = validated(&server.ask(&caller.assertion()).await);
        let jti = claims.as_object_mut().unwrap().remove("jti").unwrap();
        assert_eq!(jti.as_str().unwrap().len(), 43);
        let expected = json!({
            "scope": "test:read", "iss": ISSUER, "client_amr": proof, "token_type": "Bearer",
            "exp": NOW + 120, "iat": NOW, "client_id": CLIENT_ID,
            "consumer": {
                "commonName": "Bolaget", "organizationName": "Bolaget \"\u{c5}\" AB",
                "organizationalUnitName": "The cellar", "authority": "etsi-en-319-412",
                "ID": SWEDISH, "countryName": "SE",
            },
        });
        assert_eq!(claims, expected);
    }
    // What else every token may have, and what the owner of a scope wants of it.
    let leaf = seal(&european.ca, SWEDISH);
    let caller = business(&leaf, &european.ca);
    let wish = caller.draft().claim("resource", "https://api.test/").claim("pid", "01010199999");
    let wish = wish.claim("scope", "test:short test:read").claim("sub", caller.client_id.clone());
    let claims = validated(&server.ask(&wish.sign()).await);
    assert_eq!(claims["aud"], "https://api.test/");
    assert_eq!(claims["pid"], "01010199999");
    assert_eq!(claims["scope"], "test:short test:read");
    assert_eq!(claims["exp"], NOW + 30);
    // The root may come along.
    let whole = [&leaf.der[..], &european.ca.der, &european.root.der];
    let whole = crate::harness::server::certified(&leaf.key, &whole);
    assert_eq!(validated(&server.ask(&whole.assertion()).await)["client_id"], CLIENT_ID);
}

#[tokio::test]
async fn a_scope_that_does_not_support_them_gives_no_token_nor_do_others_beside_it() {
    let european = Pki::new("European");
    let server = server(&european).await;
    let caller = business(&seal(&european.ca, SWEDISH), &european.ca);
    let no_scope = invalid_scope("MP-200");
    let row = |scopes: &str, expect: Expect| {
        draft("European", scopes, &caller.draft().claim("scope", scopes), expect)
    };
    // Open to every organization is not open to those who are none.
    let mut rows: Vec<Row> = ["test:write", "test:open", "test:unlisted", "test:nothing"]
        .into_iter()
        .flat_map(|name| {
            [name.to_owned(), format!("test:read {name}"), format!("{name} test:read")]
        })
        .map(|scopes| row(&scopes, no_scope))
        .collect();
    rows.push(row("test:deactivated", no_scope));
    rows.push(row("test:login", invalid_scope("MP-201")));
    rows.push(row("test:read", TOKEN));
    let act = |name: &str, value: Value| {
        draft("European", name, &caller.draft().claim(name, value), invalid_grant(""))
    };
    rows.push(act("consumer_org", CONSUMER.into()));
    rows.push(act("iss_onbehalfof", "somebody".into()));
    rows.push(act("iss", 7.into()));
    run(&server, rows).await;
    // The owner changes its mind.
    let edit = |scope: &mut Scope| scope.european_businesses = EuropeanBusinesses::Unsupported;
    let scope = "test:read".parse().unwrap();
    server.app.registry.change_scope(&actor(), &scope, None, edit).await.unwrap();
    run(&server, vec![row("test:read", no_scope)]).await;
}

#[tokio::test]
async fn the_whole_chain_must_come_along_and_be_of_a_certificate_for_seals() {
    let european = Pki::new("European");
    let server = server(&european).await;
    let refused = invalid_grant("MP-120");
    let row = |what: &str, leaf: &Leaf, check: &'static str| {
        let caller = business(leaf, &european.ca);
        draft("European", what, &caller.draft(), refused).failing(check)
    };
    let leaf = |spoil: &dyn Fn(&mut CertificateParams)| european.ca.leaf(spoil);
    let good = seal(&european.ca, SWEDISH);
    let alone = crate::harness::server::certified(&good.key, &[&good.der]);
    let mut rows = vec![
        draft("European", "the leaf alone", &alone.draft(), refused).failing("full chain"),
        row(
            "no statements of a seal, but a person's",
            &leaf(&|params| {
                name(params, SWEDISH);
                params.custom_extensions.push(statements(true, SIGN));
            }),
            "organization",
        ),
        row(
            "no policy that counts",
            &leaf(&|params| {
                params.custom_extensions.clear();
                name(params, SWEDISH);
            }),
            "policy",
        ),
        row(
            "no identifier",
            &leaf(&|params| {
                params.distinguished_name.push(DnType::CommonName, "x");
                name(params, "5560360793");
            }),
            "organization",
        ),
    ];
    for identifier in [
        "",
        "NTRSE-",
        "NTRSE- 5560360793",
        "ntrse-5560360793",
        "NTRSE-5560360793\n",
        "NTRSE-\"",
        "NTRSE-{}",
        "NTRSE-\u{5d0}",
        "NTRSE-\u{202e}1",
        "NTRSE-<b>",
        "PNOSE-194910195664",
        "0192:310000116",
        "NTR SE-1",
    ] {
        rows.push(row(identifier, &seal(&european.ca, identifier), "organization"));
    }
    run(&server, rows).await;
    for identifier in [
        "VATBE-0876866142",
        "PSDPL-PFSA-1234567890",
        "LEIXG-529900T8BM49AURSDO55",
        "NTRDE-HRB/1+2:3_&.",
    ] {
        let caller = business(&seal(&european.ca, identifier), &european.ca);
        let claims = validated(&server.ask(&caller.assertion()).await);
        assert_eq!(claims["consumer"]["ID"], identifier, "letter for letter");
    }
}

#[tokio::test]
async fn names_that_cannot_be_told_as_they_are_are_left_out() {
    let european = Pki::new("European");
    let server = server(&european).await;
    for (value, told) in [
        ("Bolaget", true),
        ("</script>\\'\"\u{1f600}", true),
        ("", false),
        ("a\u{202e}b", false),
        ("a\nb", false),
        (&"x".repeat(301), false),
    ] {
        let leaf = european.ca.leaf(|params| {
            name(params, SWEDISH);
            params.distinguished_name.push(DnType::CommonName, value);
            params.custom_extensions.push(statements(true, SEAL));
        });
        let claims = validated(&server.ask(&business(&leaf, &european.ca).assertion()).await);
        let expected = if told { json!(value) } else { Value::Null };
        assert_eq!(claims["consumer"]["commonName"], expected);
        assert_eq!(claims["consumer"]["ID"], SWEDISH);
    }
}

#[tokio::test]
async fn a_revoked_certificate_gives_nothing_and_one_of_which_nothing_is_known_a_503() {
    let european = Pki::new("European");
    let (good, other) = (seal(&european.ca, SWEDISH), Pki::new("Unlisted"));
    let list = european.ca.crl(|list| list.revoked_certs.push(revoked(LEAF_SERIAL, KeyCompromise)));
    let second = european.ca.leaf(|params| {
        name(params, SWEDISH);
        params.serial_number = Some(rcgen::SerialNumber::from_slice(&[0x33]));
        params.custom_extensions.push(statements(true, SEAL));
    });
    let judged = |pki: &Pki, crls: Vec<Vec<u8>>| Trust {
        crls,
        revocation: "hard_fail",
        ..Trust::european(pki)
    };
    let listed = judged(&european, vec![list, european.root.crl(|_| {})]);
    let unlisted = judged(&other, Vec::new());
    let server = server_with(listed, "").await;
    let gone = draft(
        "European",
        "revoked",
        &business(&good, &european.ca).draft(),
        invalid_grant("MP-120"),
    );
    let rows = vec![
        gone.failing("revocation"),
        draft("European", "not revoked", &business(&second, &european.ca).draft(), TOKEN),
    ];
    run(&server, rows).await;
    let server = server_with(unlisted, "").await;
    let unknown = business(&seal(&other.ca, SWEDISH), &other.ca);
    let unknown =
        draft("European", "unknown", &unknown.draft(), refused(503, "temporarily_unavailable", ""));
    run(&server, vec![unknown]).await;
}

/// A server without such a trust set takes a business for an unknown client, as ever.
#[tokio::test]
async fn without_a_trust_set_for_seals_there_are_no_businesses() {
    let european = Pki::new("European");
    let server = TestServer::start().await;
    super::support(&server, "test:read").await;
    let caller = business(&seal(&european.ca, SWEDISH), &european.ca);
    run(&server, vec![draft("European", "nobody", &caller.draft(), invalid_grant("MP-100"))]).await;
}
