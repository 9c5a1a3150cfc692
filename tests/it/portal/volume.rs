//! The lists of the portal where there is much: a hundred thousand clients and organizations, and a scope with a million
//! accesses. A page takes no longer than where there is little, and reads its list in one statement. What else it asks of
//! the database stands beside the page here, and is never asked for each row.

use std::path::Path;
use std::time::Duration;

use portvakt::domain::organization::OrganizationNumber;
use portvakt::domain::user::Role;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;

use crate::admin::own::volume_clients;
use crate::harness::admin::AdminServer;
use crate::harness::browser::{Browser, html};
use crate::harness::mark::most;
use crate::harness::queries::{statements, table_of};
use crate::harness::{CONSUMER, PROVIDER};
use crate::portal::weight::Scales;

/// No page takes longer, in a build that is not optimized. One that does is asked for again, so that a busy machine
/// fails no test.
const PAGE_MAX: Duration = Duration::from_millis(150);
const ATTEMPTS: usize = 10;

/// What every page asks for first: who reads it, by which rights, for which organization.
const VISITOR: &str = "user_session";

/// The lists of a consumer's pages: each with the table that its one statement reads, and what is read beside it.
/// `client` beside a list are the uses of all its scopes by the clients of the organization, in one statement: in that of
/// the list they would be looked for again with each row.
const OF_CONSUMER: [(&str, &str, &[&str]); 10] = [
    ("/portal/clients", "client", &[]),
    ("/portal/clients?status=all&after=load-50000+Client+50000", "client", &[]),
    ("/portal/clients?status=active&after=load-90000+Client+90000", "client", &[]),
    ("/portal/clients?scope=test%3Awrite", "client_scope", &[]),
    ("/portal/callable", "access", &["client"]),
    ("/portal/callable?show=open", "scope", &["client"]),
    ("/portal/callable?q=much", "scope", &["client"]),
    ("/portal/delegations", "delegation", &[]),
    ("/portal/organization/history", "audit", &[]),
    ("/portal/refusals", "refused_request", &[]),
];

/// Those of a provider's pages. `MIDDLE` is a number in the middle of those that have access; `scope` beside a list is the
/// one that the page is about, and `prefix` those that it can be narrowed to. Accesses to one scope are read from the
/// scope on.
const OF_PROVIDER: [(&str, &str, &[&str]); 11] = [
    ("/portal/scopes/test%3Amuch", "scope", &["scope"]),
    ("/portal/scopes/test%3Amuch?after=MIDDLE", "scope", &["scope"]),
    ("/portal/scopes/test%3Amuch?state=DENIED&after=MIDDLE", "scope", &["scope"]),
    ("/portal/scopes/test%3Amuch?state=REQUESTED", "scope", &["scope"]),
    ("/portal/scopes/test%3Amuch?q=Organization", "scope", &["scope"]),
    ("/portal/scopes/test%3Amuch/requests", "scope", &["scope"]),
    ("/portal/scopes/test%3Amuch/history", "audit", &["scope"]),
    ("/portal/requests", "scope", &[]),
    ("/portal/requests?after=test%3Amuch+MIDDLE", "scope", &[]),
    ("/portal/scopes", "scope", &["prefix"]),
    // Two lists: what the organization has, and what it has asked for.
    ("/portal/prefixes", "prefix", &["prefix_request"]),
];

/// Those of the operator's.
const OF_OPERATOR: [(&str, &str, &[&str]); 5] = [
    ("/portal/operator/organizations", "organization", &[]),
    ("/portal/operator/organizations?after=MIDDLE", "organization", &[]),
    ("/portal/operator/prefixes", "prefix", &[]),
    ("/portal/operator/audit", "audit", &[]),
    ("/portal/operator/refusals", "refused_request", &[]),
];

const ACCESSES: usize = 1_000_000;

/// The organizations have the numbers that the document holds; the first hundred thousand of them are registered.
const FILL: [&str; 3] = [
    "insert into organization (number, name, created_at) \
     select value, 'Organization ' || key, 0 from json_each($1) where key < 100000 on conflict do nothing",
    "insert into scope (name, prefix, owner_number, description, active, accessible_for_all, visibility, \
     allowed_integration_types, token_lifetime_seconds_max, created_at, updated_at) \
     values ('test:much', 'test', $2, 'Much', true, false, 'PUBLIC', '', 0, 0, 0)",
    "insert into access (scope, consumer_number, state, created_at, updated_at) \
     select 'test:much', value, case when key % 10007 = 7 then 'REQUESTED' when key % 7 = 3 then 'DENIED' \
     else 'APPROVED' end, 0, 0 from json_each($1)",
];

/// Fills the database, and returns a number in the middle of those that have access.
async fn fill(file: &Path) -> String {
    let fits = |number: &String| number.parse::<OrganizationNumber>().is_ok();
    let numbers: Vec<String> =
        (800_000_000_u32..).map(|number| number.to_string()).filter(fits).take(ACCESSES).collect();
    let options = SqliteConnectOptions::new().filename(file).foreign_keys(false);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    let mut transaction = pool.begin().await.unwrap();
    let document = serde_json::to_string(&numbers).unwrap();
    for statement in FILL {
        let filling = sqlx::query(statement).bind(&document).bind(PROVIDER);
        filling.execute(&mut *transaction).await.unwrap();
    }
    transaction.commit().await.unwrap();
    pool.close().await;
    volume_clients::fill(file).await;
    numbers[ACCESSES / 2].clone()
}

/// Looks until the page comes in time, and holds which statements the database answers for it: who reads, the list, and
/// what is named beside it, each once.
async fn look(
    server: &AdminServer,
    browser: &Browser,
    path: &str,
    (list, beside): (&str, &[&str]),
    scales: &mut Scales,
) {
    let mut least = Duration::MAX;
    for _ in 0..ATTEMPTS {
        let page = browser.get(path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.text());
        assert!(html(&page).contains("<table") || html(&page).contains("<li"), "{path} is empty");
        least = least.min(page.took);
        if least < most(PAGE_MAX) {
            scales.add(path, &page);
            break;
        }
    }
    let cookie = browser.cookie();
    assert!(least < most(PAGE_MAX), "{least:?} for {path}");
    let asked = statements(server, path, &[("Cookie", &cookie)]).await;
    let mut read: Vec<String> = asked.iter().map(|statement| table_of(statement)).collect();
    println!("{least:?} for {path}, which reads {}", read.join(", "));
    read.sort_unstable();
    let mut named = [beside, &[VISITOR, list]].concat();
    named.sort_unstable();
    assert_eq!(read, named, "{path}: {asked:#?}");
}

#[tokio::test]
async fn lists_of_the_portal_come_quickly_where_there_is_much() {
    let server = AdminServer::start().await;
    // The statements that fill it are of SQLite, and so is what is measured.
    let Some(file) = server.server.file() else { return };
    let middle = fill(&file).await;
    let mut scales = Scales::behind_a_proxy(server.address);
    let mut look_at = async |who: (&str, &str), role, pages: &[(&str, &str, &[&str])]| {
        let browser = Browser::of(&server, who, &[role]).await;
        for (path, list, beside) in pages {
            let path = path.replace("MIDDLE", &middle);
            look(&server, &browser, &path, (list, beside), &mut scales).await;
        }
    };
    look_at(("kari", CONSUMER), Role::Consumer, &OF_CONSUMER).await;
    look_at(("ola", PROVIDER), Role::Provider, &OF_PROVIDER).await;
    look_at(("oda", PROVIDER), Role::Operator, &OF_OPERATOR).await;
    scales.weigh().await;
}
