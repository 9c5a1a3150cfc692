//! Two roads to a token, by registration and by certificate alone, and no way from one to the other.

use rcgen::{DnType, SerialNumber};
use serde_json::json;

use super::{CLIENT_ID, SEAL, SWEDISH, business, name, seal, server, statements, support};
use crate::harness::CONSUMER;
use crate::harness::caller::Caller;
use crate::harness::chain::{LEAF_SERIAL, Leaf, Pki, Trust, at};
use crate::harness::http::{form, post, token_claims};
use crate::harness::row::{
    Row, TOKEN, check_refusal, draft, invalid_grant, invalid_scope, raw, run,
};
use crate::harness::server::{TestServer, caller, certified, pki};

#[tokio::test]
async fn a_business_stays_one_whatever_client_it_says_it_is() {
    let european = Pki::new("European");
    let server = server(&european).await;
    for identifier in [SWEDISH, "VATDK-12345678"] {
        let leaf = seal(&european.ca, identifier);
        // One that proves itself by certificates, one by keys, one that is switched off, and none.
        for id in
            ["certificate", "es256", "deactivated", "unknown", CLIENT_ID, "a b", "0192:310000116"]
        {
            let caller = Caller { client_id: id.to_owned(), ..business(&leaf, &european.ca) };
            let reply = server.ask(&caller.assertion()).await;
            let token = reply.token().unwrap_or_else(|| panic!("{id}: {}", reply.text()));
            let claims = token_claims(&token);
            assert_eq!(claims["client_id"], CLIENT_ID, "{id}");
            assert_eq!(claims["client_amr"], "CForESeal", "{id}");
            assert_eq!(claims["consumer"]["ID"], json!(identifier), "{id}");
            assert_eq!(claims["consumer"]["authority"], "etsi-en-319-412", "{id}");
            // What that client has, it does not get.
            let more = caller.draft().claim("scope", "test:write");
            run(&server, vec![draft("European", id, &more, invalid_scope("MP-200"))]).await;
        }
    }
}

#[tokio::test]
async fn neither_norwegian_organizations_nor_persons_are_businesses() {
    let european = Pki::new("European");
    let server = server(&european).await;
    let refused = |what: &'static str, leaf: &Leaf| {
        draft("European", what, &business(leaf, &european.ca).draft(), invalid_grant("MP-120"))
            .failing("organization")
    };
    let norwegian = format!("NTRNO-{CONSUMER}");
    let mut rows: Vec<_> = [&*norwegian, "VATNO-310000116MVA"]
        .map(|identifier| refused("Norwegian", &seal(&european.ca, identifier)))
        .into();
    // Surname, given name and pseudonym beside a business that would count by itself.
    for attribute in [4, 42, 65] {
        let personal = european.ca.leaf(|params| {
            name(params, SWEDISH);
            let subject = &mut params.distinguished_name;
            subject.push(DnType::CustomDnType(vec![2, 5, 4, attribute]), "Svensson");
            params.custom_extensions.push(statements(false, SEAL));
        });
        rows.push(refused("a person", &personal));
    }
    run(&server, rows).await;
}

#[tokio::test]
async fn a_certificate_of_clients_makes_no_business() {
    let european = Pki::new("European");
    let server = server(&european).await;
    let norwegian = pki().ca.leaf(|_| {});
    let also_seal = pki().ca.leaf(|params| {
        name(params, SWEDISH);
        params.custom_extensions.push(statements(true, SEAL));
    });
    let chain = [&norwegian.der[..], &pki().ca.der];
    let by = |id: &str| Caller { client_id: id.to_owned(), ..certified(&norwegian.key, &chain) };
    let seal_by = |id: &str| Caller {
        client_id: id.to_owned(),
        ..certified(&also_seal.key, &[&also_seal.der, &pki().ca.der])
    };
    let rows = vec![
        draft("European", "nobody's client", &by("unknown").draft(), invalid_grant("MP-100")),
        draft("European", "a client with keys", &by("es256").draft(), invalid_grant("")),
        draft("European", "the client", &by("certificate").draft(), TOKEN),
        draft("European", "a seal", &seal_by("unknown").draft(), invalid_grant("MP-120")),
        draft("European", "a seal", &seal_by("certificate").draft(), invalid_grant("MP-120")),
    ];
    run(&server, rows).await;
    let token = server.ask(&by("certificate").assertion()).await.token().unwrap();
    assert_eq!(token_claims(&token)["client_amr"], "virksomhetssertifikat");
}

#[tokio::test]
async fn an_authority_of_both_is_one_of_clients() {
    let both = Pki::new("Both");
    let trust = [Trust::of(pki()), Trust::european(&both), Trust::of(&both)];
    let server = TestServer::with(&trust, "").await;
    support(&server, "test:read").await;
    let swedish = business(&seal(&both.ca, SWEDISH), &both.ca);
    let norwegian = seal(&both.ca, &format!("NTRNO-{CONSUMER}"));
    let rows = vec![
        draft("European", "swedish", &swedish.draft(), invalid_grant("MP-120"))
            .failing("organization"),
        draft(
            "European",
            "norwegian, of no client",
            &business(&norwegian, &both.ca).draft(),
            invalid_grant("MP-100"),
        ),
    ];
    run(&server, rows).await;
    let client = certified(&norwegian.key, &[&norwegian.der, &both.ca.der]);
    let token = server.ask(&client.assertion()).await.token().unwrap();
    assert_eq!(token_claims(&token)["client_id"], "certificate");
}

#[tokio::test]
async fn what_has_ended_beside_a_chain_turns_no_business_away() {
    let european = Pki::new("European");
    let server = server(&european).await;
    let leaf = seal(&european.ca, SWEDISH);
    let mut ended = european.root.params.clone();
    ended.not_after = at(-1);
    let ended = ended.self_signed(&european.root.key).unwrap();
    let caller = certified(&leaf.key, &[&leaf.der, &european.ca.der, ended.der()]);
    let reply = server.ask(&caller.assertion()).await;
    let token = reply.token().unwrap_or_else(|| panic!("{}", reply.text()));
    assert_eq!(token_claims(&token)["client_id"], CLIENT_ID);
}

#[tokio::test]
async fn a_business_is_served_while_it_cannot_be_told_which_client_it_names() {
    let european = Pki::new("European");
    let server = server(&european).await;
    let spoil = "update client set integration_type = 'nonsense' where id = 'certificate'";
    assert_eq!(server.sql().await.execute(spoil).await, 1);
    let named =
        |caller: Caller| Caller { client_id: "certificate".to_owned(), ..caller }.assertion();
    let business_of = |pki: &Pki| named(business(&seal(&pki.ca, SWEDISH), &pki.ca));
    let reply = server.ask(&business_of(&european)).await;
    let token = reply.token().unwrap_or_else(|| panic!("{}", reply.text()));
    assert_eq!(token_claims(&token)["client_id"], CLIENT_ID);
    let norwegian = pki().ca.leaf(|_| {});
    let organization = named(certified(&norwegian.key, &[&norwegian.der, &pki().ca.der]));
    for refused in [business_of(&Pki::new("Stranger")), organization] {
        let reply = server.ask(&refused).await;
        check_refusal(&reply, 503, "temporarily_unavailable", "").unwrap();
    }
}

#[tokio::test]
async fn what_one_has_spent_nobody_else_has() {
    let (one, other) = (Pki::new("One"), Pki::new("Other"));
    let trust = [Trust::of(pki()), Trust::european(&one), Trust::european(&other)];
    let server = TestServer::with(&trust, "").await;
    support(&server, "test:read").await;
    let leaf = |pki: &Pki, serial: &[u8]| {
        let leaf = pki.ca.leaf(|params| {
            name(params, SWEDISH);
            params.serial_number = Some(SerialNumber::from_slice(serial));
            params.custom_extensions.push(statements(true, SEAL));
        });
        business(&leaf, &pki.ca)
    };
    // Two authorities have given the same number, and one of them another one; the last is a client.
    let callers =
        [leaf(&one, LEAF_SERIAL), leaf(&other, LEAF_SERIAL), leaf(&one, &[0x33]), caller("es256")];
    for without in [false, true] {
        for caller in &callers {
            let draft = caller.draft().claim("jti", "the same");
            let text = if without { draft.without_claim("jti").sign() } else { draft.sign() };
            assert!(server.ask(&text).await.token().is_some());
            let again = server.ask(&text).await;
            assert!(again.text().contains("MP-012"), "{}", again.text());
        }
    }
    let same = callers[0].draft().claim("jti", "the same").claim("iss", "another name");
    let again = server.ask(&same.sign()).await;
    assert!(again.text().contains("MP-012"), "{}", again.text());
}

#[tokio::test]
async fn the_form_may_name_the_client_as_the_assertion_does() {
    let european = Pki::new("European");
    let server = server(&european).await;
    let caller = Caller {
        client_id: "me".to_owned(),
        ..business(&seal(&european.ca, SWEDISH), &european.ca)
    };
    let row = |id: &str, expect| -> Row {
        raw("European", id, post(&format!("{}&client_id={id}", form(&caller.assertion()))), expect)
    };
    let rows = vec![
        row("me", TOKEN),
        row("certificate", invalid_grant("")),
        row(CLIENT_ID, invalid_grant("")),
    ];
    run(&server, rows).await;
    let wrong = caller.draft().signed_by(&crate::harness::caller::Key::generate("ES256"));
    run(&server, vec![draft("European", "another key", &wrong, invalid_grant("MP-124"))]).await;
}
