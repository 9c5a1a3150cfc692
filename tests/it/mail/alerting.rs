//! Alerts: who is told what, once, and in which language.

use portvakt::domain::alert::{Alert, AlertDetails, AlertKind};
use portvakt::domain::business::{AlertPoint, BusinessData};
use portvakt::domain::language::Language;
use portvakt::domain::organization::OrganizationNumber;
use portvakt::domain::record::{Expected, Version};
use portvakt::domain::right::{Right, Rights};
use portvakt::domain::scope::{ScopeName, ScopeStatus};
use portvakt::registry::{AccessTerms, AccessWish, Actor, BatchMode, RegistryError};

use crate::harness::admin::operator;
use crate::harness::caller::Key;
use crate::harness::chain::Trust;
use crate::harness::clock::NOW;
use crate::harness::server::{TestServer, actor, pki};
use crate::harness::smtp::{Arrived, MailServer};
use crate::harness::{CONSUMER, PROVIDER, SUPPLIER};
use crate::mail::until;

const DAY: i64 = 24 * 60 * 60;

fn org(number: &str) -> OrganizationNumber {
    number.parse().unwrap()
}

fn scope(name: &str) -> ScopeName {
    name.parse().unwrap()
}

fn member(organization: &str, rights: &[Right]) -> Actor {
    Actor {
        name: format!("of-{organization}"),
        organization: Some(org(organization)),
        rights: Rights::new(rights),
        trace_id: None,
    }
}

async fn with_mail(mail: &MailServer) -> TestServer {
    TestServer::with(&[Trust::of(pki())], &mail.configuration()).await
}

/// Has alerts of an organization mailed to these addresses.
async fn name_points(
    server: &TestServer,
    organization: &str,
    points: &[(&str, Language, &[AlertKind])],
) {
    let points = points.iter().map(|(email, language, kinds)| AlertPoint {
        email: email.parse().unwrap(),
        language: *language,
        kinds: kinds.to_vec(),
    });
    let data = BusinessData { alert_points: points.collect(), ..BusinessData::default() };
    let registry = &server.app.registry;
    registry.change_business_data(&actor(), org(organization), None, data).await.unwrap();
}

/// The alerts of an organization of that kind, newest first.
async fn alerts(server: &TestServer, organization: &str, kind: AlertKind) -> Vec<Alert> {
    let page = server.app.registry.alerts(&actor(), org(organization), None, 500).await.unwrap();
    page.items.into_iter().filter(|alert| alert.kind == kind).collect()
}

async fn count(server: &TestServer, organization: &str) -> usize {
    server.app.registry.alerts(&actor(), org(organization), None, 500).await.unwrap().items.len()
}

/// The text of a mail, out of quoted-printable.
fn text(mail: &Arrived) -> String {
    let (head, body) = mail.text.split_once("\r\n\r\n").unwrap();
    if !head.contains("quoted-printable") {
        return body.replace("\r\n", "\n");
    }
    let body = body.replace("=\r\n", "").replace("\r\n", "\n");
    let mut bytes = Vec::new();
    let mut rest = body.as_str();
    while let Some((before, after)) = rest.split_once('=') {
        bytes.extend(before.bytes());
        bytes.push(u8::from_str_radix(&after[..2], 16).unwrap());
        rest = &after[2..];
    }
    bytes.extend(rest.bytes());
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn everybody_with_access_is_told_of_a_scope_that_goes_each_in_their_language() {
    let mail_server = MailServer::start().await;
    let server = with_mail(&mail_server).await;
    let registry = &server.app.registry;
    let terms = AccessTerms::default();
    let name = scope("test:read");
    registry.grant_access(&actor(), &name, org(SUPPLIER), terms, Expected::Anything).await.unwrap();
    let all = AlertKind::ALL;
    let points = [
        ("nb@consumer.test", Language::Bokmal, all),
        ("nn@consumer.test", Language::Nynorsk, all),
        ("en@consumer.test", Language::English, all),
        ("keys@consumer.test", Language::English, &[AlertKind::KeyExpiring]),
    ];
    // What has happened before is mailed to nobody, because nobody wanted it.
    registry.mail_alerts().await.unwrap();
    name_points(&server, CONSUMER, &points).await;
    name_points(&server, PROVIDER, &[("owner@provider.test", Language::Bokmal, all)]).await;
    let told = async |organization: &str| {
        let told = alerts(&server, organization, AlertKind::ScopeDeactivated).await;
        let is_it = |alert: &&Alert| matches!(&alert.details, AlertDetails::Scope { scope, .. } if scope == "test:read");
        told.iter().filter(is_it).count()
    };
    let deactivated = ScopeStatus::Deactivated;
    registry.set_scope_status(&actor(), &name, deactivated, None).await.unwrap();
    for (organization, expected) in [(CONSUMER, 1), (SUPPLIER, 1), (PROVIDER, 0)] {
        assert_eq!(told(organization).await, expected, "{organization}");
    }
    for _ in 0..2 {
        registry.mail_alerts().await.unwrap();
    }
    until("three mails", || mail_server.mails().len() >= 3).await;
    // Once more, for a mail too many.
    registry.mail_alerts().await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let mut mails = mail_server.mails();
    mails.sort_by(|a, b| a.recipients.cmp(&b.recipients));
    let texts: Vec<_> =
        mails.iter().map(|mail| (mail.recipients[0].as_str(), text(mail))).collect();
    let expected = [
        ("en@consumer.test", "has deactivated the scope test:read", "Alerts for"),
        ("nb@consumer.test", "har deaktivert scopet test:read", "virksomheten"),
        ("nn@consumer.test", "har deaktivert scopet test:read", "verksemda"),
    ];
    assert_eq!(texts.len(), expected.len(), "{texts:#?}");
    for ((recipient, text), (address, said, word)) in texts.iter().zip(expected) {
        assert_eq!(*recipient, address);
        assert!(text.contains(said) && text.contains(word) && text.contains(PROVIDER), "{text}");
    }

    // Restored and deactivated again, it is told again.
    registry.set_scope_status(&actor(), &name, ScopeStatus::Active, None).await.unwrap();
    registry.set_scope_status(&actor(), &name, deactivated, None).await.unwrap();
    registry
        .change_scope(&actor(), &name, None, |it| it.description = "x".to_owned())
        .await
        .unwrap();
    assert_eq!(told(CONSUMER).await, 2);
}

#[tokio::test]
async fn a_key_that_ends_is_told_of_at_each_threshold_once() {
    let server = TestServer::start().await;
    let registry = &server.app.registry;
    let id = "es256".parse().unwrap();
    let end = NOW + 365 * DAY;
    registry
        .add_client_key(&actor(), &id, &Key::generate("ES256").jwk("ends").to_string(), None)
        .await
        .unwrap();
    let told = async |kid: &str| {
        let told = alerts(&server, CONSUMER, AlertKind::KeyExpiring).await;
        let of = told.into_iter().filter(|alert| match &alert.details {
            AlertDetails::Key { kid: it, expires_at, .. } => it == kid && *expires_at == end,
            AlertDetails::Prefix { .. } | AlertDetails::Scope { .. } => false,
        });
        of.count()
    };
    for (days_left, expected) in [
        (61, 0),
        (60, 1),
        (59, 1),
        (31, 1),
        (30, 2),
        (14, 3),
        (8, 3),
        (7, 4),
        (2, 4),
        (1, 5),
        (0, 5),
        (-1, 5),
    ] {
        server.clock.set(end - days_left * DAY);
        for _ in 0..2 {
            registry.note_ending_keys().await.unwrap();
        }
        assert_eq!(told("ends").await, expected, "{days_left} days before the end");
    }
    // Another node has nothing to add.
    let other = server.beside().await;
    other.clock.set(end - DAY);
    let before = count(&server, CONSUMER).await;
    other.app.registry.note_ending_keys().await.unwrap();
    assert_eq!(count(&server, CONSUMER).await, before);
}

#[tokio::test]
async fn a_server_that_was_away_tells_the_nearest_threshold_and_a_short_life_on_purpose_is_no_news()
{
    let server = TestServer::start().await;
    let registry = &server.app.registry;
    let id = "es256".parse().unwrap();
    let ends = |days: i64| portvakt::clock::Timestamp::from_seconds(NOW + days * DAY);
    let jwk = Key::generate("ES256").jwk("next").to_string();
    let old = "es256-key".parse().unwrap();
    registry.renew_client_key(&actor(), &id, &old, &jwk, ends(10), None).await.unwrap();
    let told = async |kid: &str| {
        let told = alerts(&server, CONSUMER, AlertKind::KeyExpiring).await;
        let is_it = |alert: &&Alert| matches!(&alert.details, AlertDetails::Key { kid: it, .. } if it == kid);
        told.iter().filter(is_it).count()
    };
    registry.note_ending_keys().await.unwrap();
    assert_eq!(told("es256-key").await, 0);
    server.clock.set(NOW + 5 * DAY);
    registry.note_ending_keys().await.unwrap();
    assert_eq!(told("es256-key").await, 1);
    server.clock.set(NOW + 360 * DAY);
    registry.note_ending_keys().await.unwrap();
    assert_eq!((told("es256-key").await, told("next").await), (1, 1));
    // A key that was withdrawn ends nothing.
    let kid = "next".parse().unwrap();
    registry.withdraw_client_key(&actor(), &id, &kid, None).await.unwrap();
    server.clock.set(NOW + 364 * DAY + DAY / 2);
    registry.note_ending_keys().await.unwrap();
    assert_eq!(told("next").await, 1);
}

#[tokio::test]
async fn owner_and_consumer_are_told_what_the_other_does_in_one_mail() {
    let mail_server = MailServer::start().await;
    let server = with_mail(&mail_server).await;
    let registry = &server.app.registry;
    registry.mail_alerts().await.unwrap();
    name_points(&server, CONSUMER, &[("a@consumer.test", Language::Bokmal, AlertKind::ALL)]).await;
    name_points(&server, PROVIDER, &[("a@provider.test", Language::English, AlertKind::ALL)]).await;
    let before = count(&server, CONSUMER).await;
    let consumer = member(CONSUMER, &[Right::WriteClients]);
    let owner = member(PROVIDER, &[Right::WriteScopes]);
    let (name, number) = (scope("test:closed"), org(CONSUMER));
    let message = "Please.\n\n* The key of your client ends today: https://evil.test/\r.\r\n";
    let ask = async || {
        registry.request_access(&consumer, &name, number, Some(message.to_owned())).await.unwrap();
    };
    ask().await;
    let terms = AccessTerms { expires_at: None, note: Some("our own note".to_owned()) };
    registry.approve_request(&owner, &name, number, terms, None).await.unwrap();
    let stale = Some(Version(1_000));
    let tried = registry.withdraw_access(&owner, &name, number, None, stale).await;
    assert!(matches!(tried, Err(RegistryError::Stale)));
    let why = Some("It is over".to_owned());
    registry.withdraw_access(&owner, &name, number, why.clone(), None).await.unwrap();
    registry.withdraw_access(&owner, &name, number, why.clone(), None).await.unwrap();
    ask().await;
    registry.deny_request(&owner, &name, number, why, None).await.unwrap();
    // A batch tells as well, and only of what it changes.
    let wish =
        |grant: Option<AccessTerms>| vec![AccessWish { consumer: CONSUMER.to_owned(), grant }];
    for (grant, mode) in [
        (Some(AccessTerms::default()), BatchMode::Change),
        (None, BatchMode::Try),
        (None, BatchMode::Change),
        (None, BatchMode::Change),
    ] {
        registry.change_accesses(&owner, &name, wish(grant), mode).await.unwrap();
    }
    let kinds = async |organization: &str| -> Vec<&'static str> {
        let page = registry.alerts(&actor(), org(organization), None, 500).await.unwrap();
        page.items.iter().map(|alert| alert.kind.name()).collect()
    };
    let of_consumer = kinds(CONSUMER).await;
    let new = &of_consumer[..of_consumer.len() - before];
    assert_eq!(new, ["access_withdrawn", "access_decided", "access_withdrawn", "access_decided"]);
    assert_eq!(kinds(PROVIDER).await[..2], ["access_requested"; 2]);
    registry.mail_alerts().await.unwrap();
    until("two mails", || mail_server.mails().len() == 2).await;
    let mails = mail_server.mails();
    let to = |address: &str| mails.iter().find(|mail| mail.recipients[0] == address).unwrap();
    let (consumers, owners) = (to("a@consumer.test"), to("a@provider.test"));
    assert!(consumers.text.contains("Subject: Portvakt: 4 varsler\r\n"), "{}", consumers.text);
    assert!(owners.text.contains("Subject: Portvakt: 2 alerts\r\n"), "{}", owners.text);
    let (consumers, owners) = (text(consumers), text(owners));
    for said in ["har gitt virksomheten", "har avslått", "trukket tilbake", "  > It is over\n"] {
        assert!(consumers.contains(said), "{said}: {consumers}");
    }
    assert!(!consumers.contains("our own note"), "{consumers}");
    assert!(owners.contains("  > Please.\n  > * The key of your client ends today"), "{owners}");
    assert!(owners.lines().all(|line| !line.starts_with("* The key")), "{owners}");
    assert!(
        owners.contains(
            "See everything on the portal: http://127.0.0.1:7081/portal/organization/alerts"
        ),
        "{owners}"
    );
}

#[tokio::test]
async fn the_operator_is_told_of_prefixes_that_others_ask_for() {
    let mail_server = MailServer::start().await;
    let configuration =
        format!("{}[environment]\nname = \"Test\"\n{}", mail_server.configuration(), operator());
    let server = TestServer::with(&[Trust::of(pki())], &configuration).await;
    let registry = &server.app.registry;
    registry.mail_alerts().await.unwrap();
    let kinds = &[AlertKind::PrefixRequested][..];
    name_points(&server, PROVIDER, &[("ops@provider.test", Language::English, kinds)]).await;
    for organization in [CONSUMER, PROVIDER] {
        let asking = member(organization, &[Right::WriteScopes]);
        let reason = "Charts\n* Your key ends".to_owned();
        registry.request_prefix(&asking, &"sea".parse().unwrap(), reason).await.unwrap();
    }
    assert_eq!(alerts(&server, PROVIDER, AlertKind::PrefixRequested).await.len(), 1);
    assert_eq!(alerts(&server, CONSUMER, AlertKind::PrefixRequested).await.len(), 0);
    registry.mail_alerts().await.unwrap();
    until("a mail", || mail_server.mails().len() == 1).await;
    let mail = &mail_server.mails()[0];
    assert!(mail.text.contains("Subject: Test: somebody asks for a prefix\r\n"), "{}", mail.text);
    let said = text(mail);
    for part in ["(310000116) asks for the prefix sea.", "  > Charts\n  > * Your key ends"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[tokio::test]
async fn what_one_does_to_oneself_and_what_is_refused_is_no_alert() {
    let server = TestServer::start().await;
    let registry = &server.app.registry;
    let before = (count(&server, PROVIDER).await, count(&server, CONSUMER).await);
    let owner = member(PROVIDER, &[Right::WriteScopes, Right::WriteClients]);
    let (name, own) = (scope("test:closed"), org(PROVIDER));
    registry.request_access(&owner, &name, own, None).await.unwrap();
    registry.approve_request(&owner, &name, own, AccessTerms::default(), None).await.unwrap();
    registry.withdraw_access(&owner, &name, own, None, None).await.unwrap();
    let other = member(SUPPLIER, &[Right::WriteScopes]);
    let read = scope("test:read");
    let tried = registry.withdraw_access(&other, &read, org(CONSUMER), None, None).await;
    assert!(matches!(tried, Err(RegistryError::NotYours { noun: "scope" })));
    // An organization that is not registered here can be granted something, and nobody reads its alerts.
    let unknown = "310000132".parse().unwrap();
    let terms = AccessTerms::default;
    registry.grant_access(&owner, &name, unknown, terms(), Expected::Anything).await.unwrap();
    registry.withdraw_access(&owner, &name, unknown, None, None).await.unwrap();
    assert_eq!((count(&server, PROVIDER).await, count(&server, CONSUMER).await), before);
}

#[tokio::test]
async fn alerts_are_for_the_organization_and_the_operator() {
    let server = TestServer::start().await;
    let registry = &server.app.registry;
    let look = async |actor: Actor| registry.alerts(&actor, org(CONSUMER), None, 500).await;
    assert!(look(member(CONSUMER, &[Right::ReadClients])).await.is_ok());
    assert!(look(member(PROVIDER, &[Right::Operate])).await.is_ok());
    let unfit = look(member(CONSUMER, &[Right::ReadScopes])).await;
    assert!(matches!(unfit, Err(RegistryError::Forbidden { needed: Right::ReadClients })));
    let other = look(member(PROVIDER, &[Right::ReadClients, Right::WriteScopes])).await;
    assert!(matches!(other, Err(RegistryError::NotYours { noun: "organization" })));
    let all = look(member(CONSUMER, &[Right::ReadClients])).await.unwrap().items;
    assert_eq!(all.len(), 2, "a scope was closed and an access withdrawn: {all:?}");
    let first = registry.alerts(&actor(), org(CONSUMER), None, 1).await.unwrap();
    assert!(first.has_more);
    let rest =
        registry.alerts(&actor(), org(CONSUMER), Some(first.items[0].id), 500).await.unwrap();
    assert_eq!([first.items, rest.items].concat(), all);
}

#[tokio::test]
async fn alerts_that_nobody_was_mailed_grow_old_and_go() {
    let server = TestServer::start().await;
    let name = scope("test:read");
    let registry = &server.app.registry;
    registry.set_scope_status(&actor(), &name, ScopeStatus::Deactivated, None).await.unwrap();
    name_points(&server, CONSUMER, &[("a@consumer.test", Language::Bokmal, AlertKind::ALL)]).await;
    // Mail is set up two days later.
    let mail_server = MailServer::start().await;
    let later = server.beside_with(&mail_server.configuration()).await;
    later.clock.set(NOW + 2 * DAY);
    later.app.registry.mail_alerts().await.unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    assert!(mail_server.mails().is_empty());
    assert!(count(&later, CONSUMER).await > 0);
    later.clock.set(NOW + 179 * DAY);
    later.app.registry.forget_old_alerts().await.unwrap();
    assert!(count(&later, CONSUMER).await > 0);
    later.clock.set(NOW + 181 * DAY);
    later.app.registry.forget_old_alerts().await.unwrap();
    assert_eq!(count(&later, CONSUMER).await, 0);
}

#[tokio::test]
async fn a_server_mails_alerts_by_itself() {
    let mail_server = MailServer::start().await;
    let server = with_mail(&mail_server).await;
    name_points(&server, CONSUMER, &[("a@consumer.test", Language::Nynorsk, AlertKind::ALL)]).await;
    let name = scope("test:read");
    let registry = &server.app.registry;
    registry.set_scope_status(&actor(), &name, ScopeStatus::Deactivated, None).await.unwrap();
    until("a mail", || !mail_server.mails().is_empty()).await;
}
