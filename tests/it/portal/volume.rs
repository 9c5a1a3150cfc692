//! The lists of the portal where there is much: a hundred thousand clients and organizations, and a scope with a million
//! accesses. A page takes no longer than where there is little, and asks no more of the database.

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
use crate::harness::queries::statements;
use crate::harness::{CONSUMER, PROVIDER};

/// No page takes longer, in a build that is not optimized. One that does is asked for again, so that a busy machine
/// fails no test.
const PAGE_MAX: Duration = Duration::from_millis(150);
const ATTEMPTS: usize = 10;

/// Statements of a page at most: who reads and by which rights, what the page is about, the list, names of organizations
/// and uses beside it. None of them is asked for each row.
const STATEMENTS_MAX: usize = 6;

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

/// Looks until the page comes in time, and holds how many statements the database answers for it.
async fn look(server: &AdminServer, browser: &Browser, path: &str) {
    let mut least = Duration::MAX;
    for _ in 0..ATTEMPTS {
        let page = browser.get(path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.text());
        assert!(html(&page).contains("<table") || html(&page).contains("<li"), "{path} is empty");
        least = least.min(page.took);
        if least < most(PAGE_MAX) {
            break;
        }
    }
    let cookie = browser.cookie();
    let asked = statements(server, path, &[("Cookie", &cookie)]).await;
    println!("{least:?} and {} statements for {path}", asked.len());
    assert!(least < most(PAGE_MAX), "{least:?} for {path}");
    assert!((1..=STATEMENTS_MAX).contains(&asked.len()), "{path}: {asked:#?}");
}

#[tokio::test]
async fn lists_of_the_portal_come_quickly_where_there_is_much() {
    let server = AdminServer::start().await;
    // The statements that fill it are of SQLite, and so is what is measured.
    let Some(file) = server.server.file() else { return };
    let middle = fill(&file).await;
    let consumer = Browser::of(&server, ("kari", CONSUMER), &[Role::Consumer]).await;
    for path in [
        "/portal/clients",
        "/portal/clients?status=all&after=load-50000+Client+50000",
        "/portal/clients?status=active&after=load-90000+Client+90000",
        "/portal/clients?scope=test%3Awrite",
        "/portal/callable",
        "/portal/callable?show=open",
        "/portal/callable?q=much",
        "/portal/delegations",
        "/portal/organization/history",
        "/portal/refusals",
    ] {
        look(&server, &consumer, path).await;
    }
    let provider = Browser::of(&server, ("ola", PROVIDER), &[Role::Provider]).await;
    let much = "/portal/scopes/test%3Amuch";
    for path in [
        much.to_owned(),
        format!("{much}?after={middle}"),
        format!("{much}?state=DENIED&after={middle}"),
        format!("{much}?state=REQUESTED"),
        format!("{much}?q=Organization"),
        format!("{much}/requests"),
        format!("{much}/history"),
        "/portal/requests".to_owned(),
        format!("/portal/requests?after=test%3Amuch+{middle}"),
        "/portal/scopes".to_owned(),
        "/portal/prefixes".to_owned(),
    ] {
        look(&server, &provider, &path).await;
    }
    let operator = Browser::of(&server, ("oda", PROVIDER), &[Role::Operator]).await;
    for path in [
        "/portal/operator/organizations".to_owned(),
        format!("/portal/operator/organizations?after={middle}"),
        "/portal/operator/prefixes".to_owned(),
        "/portal/operator/audit".to_owned(),
        "/portal/operator/refusals".to_owned(),
    ] {
        look(&server, &operator, &path).await;
    }
}
