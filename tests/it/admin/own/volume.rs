//! A million accesses to a thousand scopes of a hundred owners.

use std::path::Path;
use std::time::Duration;

use portvakt::domain::organization::OrganizationNumber;
use serde_json::Value;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;

use crate::admin::own::items;
use crate::harness::PROVIDER;
use crate::harness::admin::AdminServer;
use crate::harness::mark::most;

/// No page takes longer, in a build that is not optimized. One that does is asked for again, so that a busy
/// machine fails no test.
const PAGE_MAX: Duration = Duration::from_millis(20);
const ATTEMPTS: usize = 10;

/// The organizations: each of the first hundred owns ten scopes, and one in five has access to each scope.
const ORGANIZATIONS: usize = 5_000;

const FILL: [&str; 5] = [
    "insert into organization (number, name, created_at) \
     select value, 'Organization ' || key, 0 from json_each($1) where true on conflict do nothing",
    "create temporary table numbered as select key as i, value as number from json_each($1)",
    "insert into prefix (prefix, owner_number, created_at) select 'load', number, 0 from numbered where i = 0",
    "with recursive n(i) as (select 0 union all select i + 1 from n where i < 999) \
     insert into scope (name, prefix, owner_number, description, active, accessible_for_all, visibility, \
     allowed_integration_types, token_lifetime_seconds_max, created_at, updated_at) \
     select printf('load:s%04d', n.i), 'load', o.number, 'A scope', true, false, \
     case when n.i % 2 then 'PUBLIC' else 'PRIVATE' end, '', 0, 0, 0 \
     from n join numbered o on o.i = n.i % 100",
    "with recursive n(i) as (select 0 union all select i + 1 from n where i < 999) \
     insert into access (scope, consumer_number, state, created_at, updated_at) \
     select printf('load:s%04d', n.i), o.number, case when (n.i * 5000 + o.i) % 100003 = 7 then 'REQUESTED' \
     when o.i % 7 = 3 then 'DENIED' else 'APPROVED' end, 0, 0 \
     from n cross join numbered o where o.i % 5 = n.i % 5 order by 1, 2",
];

async fn fill(file: &Path) -> Vec<String> {
    let fits = |number: &String| number.parse::<OrganizationNumber>().is_ok();
    let rest = (800_000_000_u32..).map(|number| number.to_string()).filter(fits);
    let mut numbers = vec![PROVIDER.to_owned()];
    numbers.extend(rest.take(ORGANIZATIONS - 1));
    let options = SqliteConnectOptions::new().filename(file).foreign_keys(false);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    let mut transaction = pool.begin().await.unwrap();
    let document = serde_json::to_string(&numbers).unwrap();
    for statement in FILL {
        sqlx::query(statement).bind(&document).execute(&mut *transaction).await.unwrap();
    }
    let count: i64 = sqlx::query_scalar("select count(*) from access where scope like 'load:%'")
        .fetch_one(&mut *transaction)
        .await
        .unwrap();
    assert_eq!(count, 1_000_000);
    transaction.commit().await.unwrap();
    pool.close().await;
    numbers
}

/// Looks until a page comes in time.
pub(super) async fn quick(admin: &AdminServer, token: &str, address: &str) -> Vec<Value> {
    let mut least = Duration::MAX;
    for _ in 0..ATTEMPTS {
        let reply = admin.look(token, address).await;
        let found = items(&reply);
        least = least.min(reply.took);
        if least < most(PAGE_MAX) {
            println!("{least:?} for {} of {address}", found.len());
            return found;
        }
    }
    panic!("{least:?} for {address}");
}

#[tokio::test]
async fn pages_of_a_million_accesses_come_quickly() {
    let admin = AdminServer::start().await;
    // The statements that fill it are of SQLite, and so is what is measured.
    let Some(file) = admin.server.file() else { return };
    let numbers = fill(&file).await;
    let operator = admin.client(PROVIDER, "portvakt:admin").await;
    let token = admin.token_of(&operator.draft()).await;
    let seal =
        |list: &str, place: &str| admin.server.app.cursors.seal(&operator.client_id, list, place);
    let deep = seal("accesses", &format!("load:s0700 {}", numbers[2_500]));
    let one = &numbers[5];
    for filter in [
        "/accesses?".to_owned(),
        format!("/accesses?organization={PROVIDER}"),
        "/accesses?scope=load:s0700".to_owned(),
        "/scopes/load%3As0700/accesses?".to_owned(),
        format!("/accesses?consumer={one}"),
        format!("/accesses?side=given&organization={one}"),
        format!("/accesses?organization={PROVIDER}&consumer={one}"),
        format!("/accesses?consumer={one}&scope=load:s0700"),
    ] {
        for state in ["", "&state=REQUESTED", "&state=DENIED", "&state=APPROVED"] {
            for place in [String::new(), format!("&cursor={deep}")] {
                quick(&admin, &token, &format!("{filter}{state}{place}")).await;
            }
        }
    }
    let deep = seal("scopes", "load:s0700");
    let deep_public = seal("public scopes", "load:s0700");
    for address in [
        "/scopes?limit=50".to_owned(),
        format!("/scopes?cursor={deep}"),
        format!("/scopes?organization={PROVIDER}"),
        format!("/scopes?organization={PROVIDER}&prefix=load&cursor={deep}"),
        "/scopes?prefix=load&inactive=true".to_owned(),
        "/scopes?q=s0999".to_owned(),
        "/scopes/public?q=s0999".to_owned(),
        format!("/scopes/public?prefix=load&cursor={deep_public}"),
    ] {
        let found = quick(&admin, &token, &address).await;
        assert!(!found.is_empty(), "{address}");
    }
    let requested = quick(&admin, &token, "/accesses?state=REQUESTED").await;
    assert_eq!(requested.len(), 10);

    let mut walked = Vec::new();
    let first = "/scopes/load%3As0700/accesses?limit=300";
    let mut address = first.to_owned();
    loop {
        let page = admin.look(&token, &address).await;
        walked.extend(items(&page).iter().map(|it| it["consumer"].to_string()));
        match page.json()["next_cursor"].as_str() {
            Some(cursor) => address = format!("{first}&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(walked.len(), 1_000);
    assert!(walked.is_sorted_by(|a, b| a < b));
}
