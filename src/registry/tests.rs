//! The control plane without a server around it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::clock::{SystemClock, SystemRandom};
use crate::domain::access::AccessState;
use crate::domain::organization::{Organization, OrganizationNumber};
use crate::domain::record::Expected;
use crate::domain::registration::{ClientDetails, OnBehalfOf};
use crate::domain::right::{Right, Rights};
use crate::domain::scope::{Scope, ScopeName, Visibility};
use crate::domain::usage::{Consumer, Day, TokenUse, TokenUser};

const A: &str = "310000108";
const B: &str = "310000116";

struct Fixture {
    registry: Registry,
    _folder: tempfile::TempDir,
}

async fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("a.db")).await.unwrap();
    store.migrate().await.unwrap();
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let rules = RegistryRules::new("https://as.test/", 7_200);
    let registry = Registry::alone(store, clock, random, AuditSeal::new(b"test"), rules);
    let server = Actor::server("test");
    for number in [A, B] {
        let organization = Organization::new(number.parse().unwrap(), number);
        registry.create_organization(&server, &organization).await.unwrap();
    }
    registry.assign_prefix(&server, &"test".parse().unwrap(), org(A)).await.unwrap();
    Fixture { registry, _folder: folder }
}

fn org(number: &str) -> OrganizationNumber {
    number.parse().unwrap()
}

fn actor(organization: &str, rights: &[Right]) -> Actor {
    Actor {
        name: format!("client-of-{organization}"),
        organization: Some(org(organization)),
        rights: Rights::new(rights),
        trace_id: Some("t".to_owned()),
    }
}

fn scope(name: &str) -> Scope {
    Scope::new(name.parse().unwrap(), org(A), "A test scope")
}

#[tokio::test]
async fn a_change_that_breaks_a_rule_leaves_nothing_behind() {
    let fixture = fixture().await;
    let (registry, server) = (&fixture.registry, Actor::server("test"));
    let before = registry.store.latest_change().await.unwrap();
    let again = Organization::new(org(A), "A");
    let twice = registry.create_organization(&server, &again).await;
    assert!(matches!(twice, Err(RegistryError::Conflict { .. })));
    let nobody = "991825827".parse().unwrap();
    let orphan = registry.assign_prefix(&server, &"x1".parse().unwrap(), nobody).await;
    assert!(matches!(orphan, Err(RegistryError::Absent { .. })));
    assert_eq!(registry.store.latest_change().await.unwrap(), before);
}

#[tokio::test]
async fn only_the_owner_of_a_prefix_makes_and_grants_scopes_under_it() {
    let fixture = fixture().await;
    let registry = &fixture.registry;
    let (owner, other) = (actor(A, &[Right::WriteScopes]), actor(B, &[Right::WriteScopes]));
    let foreign = registry.define_scope(&other, scope("test:a")).await;
    assert!(matches!(foreign, Err(RegistryError::NotYours { noun: "prefix" })));
    let made = registry.define_scope(&owner, scope("test:a")).await.unwrap();
    assert_eq!(made.value.owner, org(A));
    let name = &made.value.name;
    let terms = AccessTerms::default;
    let foreign = registry.grant_access(&other, name, org(B), terms(), Expected::Anything).await;
    assert!(matches!(foreign, Err(RegistryError::NotYours { noun: "scope" })));
    let reader = actor(A, &[Right::ReadScopes]);
    let unfit = registry.grant_access(&reader, name, org(B), terms(), Expected::Anything).await;
    assert!(matches!(unfit, Err(RegistryError::Forbidden { needed: Right::WriteScopes })));
    let granted =
        registry.grant_access(&owner, name, org(B), terms(), Expected::Anything).await.unwrap();
    assert_eq!(granted.value.access.state, AccessState::Approved);

    let all = crate::domain::audit::AuditFilter::default();
    let rows = registry.audit_rows(&Actor::server("test"), all, None, 10).await.unwrap().items;
    let refused = rows.iter().filter(|row| row.outcome == crate::domain::audit::Outcome::Refused);
    assert_eq!(refused.count(), 3);
}

#[tokio::test]
async fn an_edit_of_an_older_version_is_refused() {
    let fixture = fixture().await;
    let registry = &fixture.registry;
    let owner = actor(A, &[Right::WriteScopes]);
    let made = registry.define_scope(&owner, scope("test:a")).await.unwrap();
    let name = &made.value.name;
    let edit = |text: &'static str| move |scope: &mut Scope| scope.description = text.to_owned();
    let first = registry.change_scope(&owner, name, Some(made.version), edit("one")).await.unwrap();
    let late = registry.change_scope(&owner, name, Some(made.version), edit("two")).await;
    assert!(matches!(late, Err(RegistryError::Stale)));
    assert_eq!(first.value.description, "one");
}

#[tokio::test]
async fn whoever_touches_the_audit_trail_is_found_out() {
    let fixture = fixture().await;
    let (registry, server) = (&fixture.registry, Actor::server("test"));
    let whole = registry.verify_audit(&server).await.unwrap();
    assert!(matches!(whole, AuditVerdict::Whole { rows: 3, unsealed: 0, .. }), "{whole:?}");
    let other_key = verify_audit(&registry.store, &AuditSeal::new(b"other")).await.unwrap();
    assert!(matches!(other_key, AuditVerdict::Broken { seq: 1, .. }));
}

#[tokio::test]
async fn nobody_hands_on_a_right_that_they_do_not_have() {
    let fixture = fixture().await;
    let registry = &fixture.registry;
    let operator = Operator { organization: Organization::new(org(A), A), client: None };
    registry.first_start(&operator).await.unwrap();
    let admin: ScopeName = Right::Operate.name().parse().unwrap();
    let small = actor(A, &[Right::WriteClients, Right::WriteScopes]);
    let new = |scope: &ScopeName| NewClient {
        scopes: vec![scope.clone()],
        ..NewClient::new(org(A), "A machine")
    };
    let forbidden = |needed| move |error: &RegistryError| matches!(error, RegistryError::Forbidden { needed: missing } if *missing == needed);
    let made = registry.register_client(&small, new(&admin)).await.map(drop);
    assert!(made.is_err_and(|error| forbidden(Right::Operate)(&error)));
    let terms = AccessTerms::default();
    let granted = registry.grant_access(&small, &admin, org(B), terms, Expected::Anything).await;
    assert!(granted.is_err_and(|error| forbidden(Right::Operate)(&error)));

    // Nor does anybody get it by the keys of a client that has it, or by adding it later.
    let large = registry.register_client(&Actor::server("test"), new(&admin)).await.unwrap();
    let id = &large.registration.value.client.id;
    let keys = registry.replace_client_keys(&small, id, &[], None).await;
    assert!(keys.is_err_and(|error| forbidden(Right::Operate)(&error)));
    let write: ScopeName = Right::WriteClients.name().parse().unwrap();
    let own = registry.register_client(&small, new(&write)).await.unwrap();
    let id = &own.registration.value.client.id;
    let added = registry.put_client_scope(&small, id, &admin, None).await;
    assert!(added.is_err_and(|error| forbidden(Right::Operate)(&error)));
    let modify = actor(A, &[Right::ModifyClients]);
    let keys = registry.replace_client_keys(&modify, id, &[], None).await;
    assert!(keys.is_err_and(|error| forbidden(Right::WriteClients)(&error)));
}

#[tokio::test]
async fn the_trail_does_not_tell_what_is_hidden_from_what_is_not_there() {
    let fixture = fixture().await;
    let registry = &fixture.registry;
    let (owner, other) = (actor(A, &[Right::WriteScopes]), actor(B, &[Right::WriteScopes]));
    let hidden = Scope { visibility: Visibility::Private, ..scope("test:hidden") };
    registry.define_scope(&owner, hidden).await.unwrap();
    for name in ["test:hidden", "test:nowhere"] {
        let (name, terms) = (name.parse().unwrap(), AccessTerms::default());
        let tried = registry.grant_access(&other, &name, org(B), terms, Expected::Anything).await;
        assert!(matches!(tried, Err(RegistryError::Absent { noun: "scope" })));
        let tried = registry.change_scope(&other, &name, None, |_| {}).await;
        assert!(matches!(tried, Err(RegistryError::Absent { noun: "scope" })));
        let tried = registry.change_accesses(&other, &name, Vec::new(), BatchMode::Change).await;
        assert!(matches!(tried, Err(RegistryError::Absent { noun: "scope" })));
    }
    let all = crate::domain::audit::AuditFilter::default();
    let rows = registry.audit_rows(&other, all.clone(), None, 50).await.unwrap().items;
    let seen = |hidden: &str| -> Vec<_> {
        let of = rows.iter().filter(|row| row.key.contains(hidden));
        of.map(|row| (row.action.clone(), row.organization)).collect()
    };
    assert_eq!(seen("test:hidden").len(), 3);
    assert_eq!(seen("test:hidden"), seen("test:nowhere"));
    // The owner sees who tried.
    let rows = registry.audit_rows(&owner, all, None, 50).await.unwrap().items;
    assert_eq!(rows.iter().filter(|row| row.actor == other.name).count(), 3);
}

#[tokio::test]
async fn the_note_of_an_owner_does_not_reach_the_consumer_by_the_trail() {
    let fixture = fixture().await;
    let registry = &fixture.registry;
    let owner = actor(A, &[Right::WriteScopes]);
    let consumer = actor(B, &[Right::WriteClients, Right::ReadScopes]);
    let name = registry.define_scope(&owner, scope("test:a")).await.unwrap().value.name;
    let terms = AccessTerms { expires_at: None, note: Some("distrusted".to_owned()) };
    registry.grant_access(&owner, &name, org(B), terms, Expected::Anything).await.unwrap();
    registry.withdraw_access(&owner, &name, org(B), None, None).await.unwrap();
    registry.request_access(&consumer, &name, org(B), None).await.unwrap();
    let notes = async |actor: &Actor| {
        let all = crate::domain::audit::AuditFilter::default();
        let rows = registry.audit_rows(actor, all, None, 50).await.unwrap().items;
        let is_told =
            |view: &Option<String>| view.as_ref().is_some_and(|it| it.contains("distrusted"));
        rows.iter().filter(|row| is_told(&row.before) || is_told(&row.after)).count()
    };
    assert_eq!(notes(&consumer).await, 0);
    assert_eq!(notes(&owner).await, 3);
}

#[tokio::test]
async fn a_hidden_scope_is_no_scope_to_whoever_asks_for_it_on_a_client_or_delegates_it() {
    let fixture = fixture().await;
    let registry = &fixture.registry;
    let (owner, other) = (actor(A, &[Right::WriteScopes]), actor(B, &[Right::WriteClients]));
    let hidden = Scope { visibility: Visibility::Private, ..scope("test:hidden") };
    registry.define_scope(&owner, hidden).await.unwrap();
    let tried = async |name: &str| {
        let name: ScopeName = name.parse().unwrap();
        let new = NewClient { scopes: vec![name.clone()], ..NewClient::new(org(B), "A machine") };
        let on_client = registry.register_client(&other, new).await.map(drop);
        let new = NewDelegation {
            consumer: org(B),
            supplier: org(A),
            scope: name.clone(),
            valid_from: None,
            valid_to: None,
        };
        let delegated = registry.put_delegation(&other, new, Expected::Anything).await.map(drop);
        [on_client, delegated].map(|it| it.unwrap_err().to_string().replace(name.as_str(), "it"))
    };
    let (absent, seen) = (tried("test:nowhere").await, tried("test:hidden").await);
    assert_eq!(seen, absent);
    // Whoever has been given it may know.
    let (name, terms) = ("test:hidden".parse().unwrap(), AccessTerms::default());
    registry.grant_access(&owner, &name, org(B), terms, Expected::Anything).await.unwrap();
    registry.withdraw_access(&owner, &name, org(B), None, None).await.unwrap();
    assert_ne!(tried("test:hidden").await, absent);
}

#[tokio::test]
async fn nobody_takes_over_a_client_for_a_customer_without_the_right_to_make_one() {
    let fixture = fixture().await;
    let registry = &fixture.registry;
    let supplier = actor(A, &[Right::WriteClients, Right::ActForCustomers]);
    let new = NewClient { customer: Some(org(B)), ..NewClient::new(org(A), "For a customer") };
    let made = registry.register_client(&supplier, new).await.unwrap();
    let id = &made.registration.value.client.id;
    let small = actor(A, &[Right::WriteClients]);
    let keys = registry.replace_client_keys(&small, id, &[], None).await;
    let needed = Right::ActForCustomers;
    assert!(matches!(keys, Err(RegistryError::Forbidden { needed: it }) if it == needed));
    assert!(registry.replace_client_keys(&supplier, id, &[], None).await.is_ok());
}

#[tokio::test]
async fn what_is_kept_for_tools_is_bounded_like_everything_else() {
    let fixture = fixture().await;
    let registry = &fixture.registry;
    let owner = actor(A, &[Right::WriteClients]);
    let details = ClientDetails::default;
    let tried = async |details: ClientDetails| {
        let new = NewClient { details, ..NewClient::new(org(A), "A machine") };
        registry.register_client(&owner, new).await
    };
    let invalid = |it: Result<_, RegistryError>, name| matches!(it, Err(RegistryError::Invalid { field, .. }) if field == name);
    let address = || "https://a.test/".to_owned();
    let long = ClientDetails { logo_uri: Some("a".repeat(2_001)), ..details() };
    assert!(invalid(tried(long).await.map(drop), "logo_uri"));
    let nul = ClientDetails { client_uri: Some("a\0".to_owned()), ..details() };
    assert!(invalid(tried(nul).await.map(drop), "client_uri"));
    let many = ClientDetails { redirect_uris: Some(vec![address(); 51]), ..details() };
    assert!(invalid(tried(many).await.map(drop), "redirect_uris"));
    let few = ClientDetails { redirect_uris: Some(vec![address(); 50]), ..details() };
    let made = tried(few).await.unwrap().registration.value.client.id;
    let object = OnBehalfOf {
        id: "one".parse().unwrap(),
        name: "One".to_owned(),
        organization: org(B),
        description: None,
        uri: Some("a".repeat(2_001)),
        logo_uri: None,
    };
    assert!(invalid(registry.add_on_behalf_of(&owner, &made, object).await.map(drop), "uri"));
}

#[tokio::test]
async fn a_prefix_is_asked_for_and_the_operator_assigns_it_or_says_why_not() {
    let fixture = fixture().await;
    let (registry, operator) = (&fixture.registry, actor(A, &[Right::Operate]));
    let provider = actor(B, &[Right::WriteScopes]);
    let prefix: crate::domain::prefix::PrefixName = "veg".parse().unwrap();
    let ask = |reason: &str| registry.request_prefix(&provider, &prefix, reason.to_owned());
    assert!(matches!(ask(" ").await, Err(RegistryError::Invalid { field: "reason", .. })));
    let asked = ask("Roads").await.unwrap();
    assert_eq!(asked.value.requested_by, provider.name);
    assert!(matches!(ask("Roads").await, Err(RegistryError::Conflict { .. })));

    let own = registry.approve_prefix_request(&provider, &prefix, org(B), None, None).await;
    assert!(matches!(own, Err(RegistryError::Forbidden { needed: Right::Operate })));
    let answer = Some("Which roads?".to_owned());
    let seen = Some(asked.version);
    let denied =
        registry.deny_prefix_request(&operator, &prefix, org(B), answer, seen).await.unwrap();
    assert_eq!(denied.value.answer.as_deref(), Some("Which roads?"));
    let again = ask("All public roads").await.unwrap();
    let late = registry.approve_prefix_request(&operator, &prefix, org(B), None, seen).await;
    assert!(matches!(late, Err(RegistryError::Stale)));

    let seen = Some(again.version);
    let done = registry.approve_prefix_request(&operator, &prefix, org(B), None, seen).await;
    assert_eq!(done.unwrap().value.state.name(), "APPROVED");
    assert_eq!(registry.prefix(&prefix).await.unwrap().value.owner, org(B));
    assert!(matches!(ask("More").await, Err(RegistryError::Conflict { .. })));
    let all = crate::domain::audit::AuditFilter::default();
    let rows = registry.audit_rows(&Actor::server("test"), all, None, 2).await.unwrap().items;
    let rows: Vec<_> = rows.iter().map(|row| (row.noun.as_str(), row.action.as_str())).collect();
    assert_eq!(rows, [("prefix_request", "approve"), ("prefix", "assign")]);
}

#[tokio::test]
async fn prefix_requests_are_seen_by_who_asked_and_by_the_operator() {
    let fixture = fixture().await;
    let registry = &fixture.registry;
    for (organization, prefix) in [(A, "p1"), (B, "p1"), (B, "p2")] {
        let provider = actor(organization, &[Right::WriteScopes]);
        let prefix = prefix.parse().unwrap();
        registry.request_prefix(&provider, &prefix, "Roads".to_owned()).await.unwrap();
    }
    let list = async |actor: &Actor, after| {
        let filter = PrefixRequestFilter { after, ..PrefixRequestFilter::default() };
        let page = registry.prefix_requests(actor, filter, 2).await.unwrap();
        let of = |it: &crate::domain::record::Recorded<_>| {
            let it: &crate::domain::prefix_request::PrefixRequest = &it.value;
            format!("{} {}", it.prefix, it.organization)
        };
        (page.items.iter().map(of).collect::<Vec<_>>(), page.has_more)
    };
    let server = Actor::server("test");
    let before = ("p1".parse().unwrap(), org(B));
    assert_eq!(list(&server, None).await, (vec![format!("p1 {A}"), format!("p1 {B}")], true));
    assert_eq!(list(&server, Some(before)).await, (vec![format!("p2 {B}")], false));
    let reader = actor(A, &[Right::ReadScopes]);
    assert_eq!(list(&reader, None).await, (vec![format!("p1 {A}")], false));
    let others = registry.prefix_request(&reader, &"p2".parse().unwrap(), org(B)).await;
    assert!(matches!(others, Err(RegistryError::Absent { .. })));
    let provider = actor(B, &[Right::WriteScopes]);
    for more in 2..PREFIX_REQUESTS_WAITING_MAX {
        let prefix = format!("more-{more}").parse().unwrap();
        registry.request_prefix(&provider, &prefix, "Roads".to_owned()).await.unwrap();
    }
    let many = "many".parse().unwrap();
    let one_too_many = registry.request_prefix(&provider, &many, "Roads".to_owned()).await;
    assert!(matches!(one_too_many, Err(RegistryError::Conflict { .. })));
}

/// Adds tokens to the figures: how many days ago, scope, consumer, client, how many.
async fn issued(registry: &Registry, figures: &[(u32, &str, &str, &str, u64)]) {
    let today = Day::of(registry.clock.now());
    let uses: Vec<_> = figures
        .iter()
        .map(|(ago, scope, consumer, client, tokens)| {
            let it = TokenUse {
                day: today.minus_days(*ago),
                scope: scope.parse().unwrap(),
                by: TokenUser::Client { consumer: org(consumer), client: client.parse().unwrap() },
            };
            (it, *tokens)
        })
        .collect();
    registry.store.token_use_writer().add(&uses).await.unwrap();
}

#[tokio::test]
async fn usage_is_for_the_owner_of_the_scope_the_consumer_and_the_operator() {
    let fixture = fixture().await;
    let (registry, server) = (&fixture.registry, Actor::server("test"));
    let owner = actor(A, &[Right::ReadScopes, Right::WriteScopes, Right::ReadClients]);
    let consumer = actor(B, &[Right::ReadScopes, Right::WriteClients]);
    let stranger = actor("991825827", &[Right::ReadScopes, Right::ReadClients]);
    for name in ["test:a", "test:b"] {
        registry.define_scope(&owner, scope(name)).await.unwrap();
    }
    let new = NewClient { id: Some("b".parse().unwrap()), ..NewClient::new(org(B), "B") };
    registry.register_client(&consumer, new).await.unwrap();
    issued(
        registry,
        &[
            (0, "test:a", B, "b", 5),
            (0, "test:b", B, "b", 1),
            (29, "test:a", B, "b", 10),
            (30, "test:a", B, "b", 100),
            (0, "test:a", A, "of-a-supplier", 7),
        ],
    )
    .await;
    let (a, b, client) =
        ("test:a".parse().unwrap(), "test:b".parse().unwrap(), "b".parse().unwrap());

    for who in [&owner, &server] {
        let usage = registry.usage_of_scope(who, &a, 30).await.unwrap();
        let consumers: Vec<_> =
            usage.consumers.iter().map(|it| (it.consumer.clone(), it.tokens)).collect();
        let of = |number| Consumer::Organization(org(number));
        assert_eq!(consumers, [(of(B), 15), (of(A), 7)]);
        assert_eq!(usage.consumers[0].name.as_deref(), Some(B));
        assert_eq!((usage.tokens, usage.others), (22, 0));
        assert_eq!(usage.days.iter().map(|it| it.tokens).collect::<Vec<_>>(), [10, 12]);
        assert_eq!(registry.usage_of_scope(who, &a, 31).await.unwrap().tokens, 122);
    }
    let foreign = registry.usage_of_scope(&consumer, &a, 30).await;
    assert!(matches!(foreign, Err(RegistryError::NotYours { noun: "scope" })));
    for days in [0, 401] {
        let asked = registry.usage_of_scope(&owner, &a, days).await;
        assert!(matches!(asked, Err(RegistryError::Invalid { field: "days", .. })));
    }

    for who in [&consumer, &server] {
        let usage = registry.usage_of_client(who, &client, 30).await.unwrap();
        let scopes: Vec<_> = usage.scopes.scopes.iter().map(|it| (&it.scope, it.tokens)).collect();
        assert_eq!(scopes, [(&a, 15), (&b, 1)]);
        assert_eq!(usage.scopes.scopes[0].days.len(), 2);
        assert_eq!(usage.days.iter().map(|it| it.tokens).collect::<Vec<_>>(), [10, 6]);
    }
    let foreign = registry.usage_of_client(&owner, &client, 30).await;
    assert!(matches!(foreign, Err(RegistryError::NotYours { noun: "client" })));

    let usage = registry.usage_of_organization(&owner, org(A), 30).await.unwrap();
    assert_eq!((usage.consumed.tokens, usage.provided.tokens), (7, 23));
    let usage = registry.usage_of_organization(&server, org(B), 30).await.unwrap();
    assert_eq!((usage.consumed.tokens, usage.provided.tokens), (16, 0));
    let foreign = registry.usage_of_organization(&owner, org(B), 30).await;
    assert!(matches!(foreign, Err(RegistryError::NotYours { noun: "organization" })));

    let from = Some(usage.period.first);
    let counted = |tokens_from| ScopeFilter { tokens_from, ..ScopeFilter::default() };
    let all = [(a.clone(), Some(22)), (b.clone(), Some(1))];
    for (who, expected) in [(&owner, &all[..]), (&server, &all), (&consumer, &[])] {
        let found = registry.scopes(who, counted(from), 10).await.unwrap().items;
        let found: Vec<_> = found.into_iter().map(|it| (it.scope.value.name, it.tokens)).collect();
        assert_eq!(found, expected);
    }
    let found = registry.scopes(&owner, counted(None), 10).await.unwrap().items;
    assert!(found.iter().all(|it| it.tokens.is_none() && it.owner_name.as_deref() == Some(A)));
    let found = registry.public_scopes(counted(from), 10).await.unwrap().items;
    assert!(!found.is_empty() && found.iter().all(|it| it.tokens.is_none()), "{found:?}");
    let one = BTreeMap::from([(client.clone(), 16)]);
    for (who, expected) in [(&consumer, &one), (&server, &one), (&owner, &BTreeMap::new())] {
        assert_eq!(
            registry.tokens_of_clients(who, std::slice::from_ref(&client), 30).await.unwrap(),
            *expected
        );
    }
    let pairs = [(a.clone(), org(B)), (a.clone(), org(A)), (b, org(A))];
    let all =
        BTreeMap::from([(pairs[0].clone(), 15), (pairs[1].clone(), 7), (pairs[2].clone(), 0)]);
    let own = BTreeMap::from([(pairs[0].clone(), 15)]);
    let none = BTreeMap::new();
    for (who, expected) in [(&owner, &all), (&server, &all), (&consumer, &own), (&stranger, &none)]
    {
        assert_eq!(registry.tokens_of_accesses(who, &pairs, 30).await.unwrap(), *expected);
    }
    assert_eq!(registry.tokens_of_accesses(&owner, &[], 30).await.unwrap(), none);
}

#[tokio::test]
async fn the_consumers_beyond_the_fiftieth_are_summed() {
    let fixture = fixture().await;
    let registry = &fixture.registry;
    let owner = actor(A, &[Right::WriteScopes]);
    let name = registry.define_scope(&owner, scope("test:a")).await.unwrap().value.name;
    let numbers: Vec<String> = (31_000_000..)
        .flat_map(|stem| (0..10).map(move |check| format!("{stem}{check}")))
        .filter(|number| number.parse::<OrganizationNumber>().is_ok())
        .take(53)
        .collect();
    let figures: Vec<_> = (100..)
        .zip(&numbers)
        .map(|(tokens, number)| (0, "test:a", number.as_str(), "c", tokens))
        .collect();
    issued(registry, &figures).await;
    let usage = registry.usage_of_scope(&owner, &name, 1).await.unwrap();
    assert_eq!(usage.consumers.len(), 50);
    assert_eq!((usage.consumers[0].tokens, usage.consumers[49].tokens), (152, 103));
    assert_eq!((usage.tokens, usage.others), ((100..153).sum::<u64>(), 100 + 101 + 102));
}
