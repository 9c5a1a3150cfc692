//! L17: a hundred thousand clients, nine in ten of them of one organization, with two keys each.

use std::path::Path;

use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;

use crate::admin::own::items;
use crate::admin::own::volume::quick;
use crate::harness::admin::AdminServer;
use crate::harness::{CONSUMER, PROVIDER, SUPPLIER};

const FILL: [&str; 3] = [
    "with recursive n(i) as (select 0 union all select i + 1 from n where i < 99999) \
     insert into client (id, organization_number, name, active, token_lifetime_seconds, created_at, updated_at) \
     select printf('load-%05d', i), case when i % 10 then $1 else $2 end, 'Client ' || i, i % 50 <> 7, 120, 0, 0 \
     from n",
    "insert into client_scope (client_id, scope) \
     select id, case when id like '%999' then 'test:write' else 'test:read' end from client where id like 'load-%'",
    "insert into client_key (client_id, kid, algorithm, jwk, active, expires_at, created_at) \
     select c.id, k.value, 'ES256', '{}', true, 2000000000 + length(c.id) * k.key, 0 \
     from client c, json_each('[\"a\",\"b\"]') k where c.id like 'load-%'",
];

pub(crate) async fn fill(file: &Path) {
    let options = SqliteConnectOptions::new().filename(file);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    let mut transaction = pool.begin().await.unwrap();
    for statement in FILL {
        let filling = sqlx::query(statement).bind(CONSUMER).bind(SUPPLIER);
        filling.execute(&mut *transaction).await.unwrap();
    }
    transaction.commit().await.unwrap();
    pool.close().await;
}

#[tokio::test]
async fn pages_of_a_hundred_thousand_clients_come_quickly() {
    let admin = AdminServer::start().await;
    // The statements that fill it are of SQLite, and so is what is measured.
    let Some(file) = admin.server.file() else { return };
    fill(&file).await;
    let operator = admin.client(PROVIDER, "portvakt:admin").await;
    let token = admin.token_of(&operator.draft()).await;
    let deep = admin.server.app.cursors.seal(&operator.client_id, "clients", "load-90000");
    for filter in [
        String::new(),
        format!("&organization={CONSUMER}"),
        format!("&organization={SUPPLIER}"),
        "&scope=test:read".to_owned(),
        format!("&scope=test:write&organization={CONSUMER}"),
        "&inactive=true".to_owned(),
        "&q=client%20999".to_owned(),
    ] {
        for place in [String::new(), format!("&cursor={deep}")] {
            let address = format!("/clients?limit=50{filter}{place}");
            // A text is looked for in every client; that has no index, and takes longer.
            let found = if filter.starts_with("&q=") {
                items(&admin.look(&token, &address).await)
            } else {
                quick(&admin, &token, &address).await
            };
            assert!(!found.is_empty(), "{filter}{place}");
        }
    }
    let rare = admin.look(&token, "/clients?scope=test:write&limit=500").await;
    let loaded = |it: &&serde_json::Value| {
        it["client_id"].as_str().is_some_and(|id| id.starts_with("load-"))
    };
    assert_eq!(items(&rare).iter().filter(loaded).count(), 100);
    let keys = quick(&admin, &token, "/keys?limit=50").await;
    assert_eq!(keys.len(), 50);
}
