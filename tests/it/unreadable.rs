//! R42: a row of the database holds what this program never writes. Nobody gets less checked for it: what depends on the
//! row is refused, everything else goes on, lists lack nothing but the row, and it is an alarm until it is mended.

use portvakt::domain::record::RowName;
use portvakt::domain::user::Role;
use serde_json::Value;

use crate::admin::own::API;
use crate::harness::admin::AdminServer;
use crate::harness::browser::Browser;
use crate::harness::caller::Caller;
use crate::harness::logs;
use crate::harness::row::check_refusal;
use crate::harness::server::{TestServer, caller};
use crate::harness::sql::Sql;
use crate::harness::{CONSUMER, PROVIDER, SUPPLIER};

/// What the database does not hold any more, or not as it should.
struct Poison {
    what: &'static str,
    /// What spoils the row, and what mends it.
    statements: [&'static str; 2],
    row: (&'static str, String),
    /// Who is refused, and with which status and error.
    refused: Caller,
    refusal: (u16, &'static str),
    /// The lists that lack one thing.
    lists: &'static [&'static str],
}

/// What is looked through, by the operator of the server.
const LISTS: [&str; 6] = [
    "/clients?organization=310000116",
    "/keys?organization=310000116",
    "/scopes",
    "/scopes/public",
    "/scopes/test:write/accesses",
    "/organizations",
];

const PAGES: [&str; 7] = [
    "/portal",
    "/portal/clients",
    "/portal/callable",
    "/portal/scopes",
    "/portal/requests",
    "/portal/operator",
    "/portal/operator/organizations",
];

/// Things on one page: as few as the unreadable ones that follow each other, so that none hides what comes after it.
const PAGE: usize = 1;

fn poisons(has_file: bool) -> Vec<Poison> {
    let asks_for = |client: &str, scope| Caller { scope, ..caller(client) };
    let unavailable = (503, "temporarily_unavailable");
    let mut poisons = vec![
        Poison {
            what: "a client of an unknown type",
            statements: [
                "update client set integration_type = 'nonsense' where id = 'rs256'",
                "update client set integration_type = 'maskinporten' where id = 'rs256'",
            ],
            row: ("client", "rs256".to_owned()),
            refused: caller("rs256"),
            refusal: unavailable,
            lists: &[LISTS[0]],
        },
        Poison {
            what: "a scope whose name is none, on a client",
            statements: [
                "insert into client_scope (client_id, scope) values ('rs256', 'test:Bad name')",
                "delete from client_scope where scope = 'test:Bad name'",
            ],
            row: ("client", "rs256".to_owned()),
            refused: caller("rs256"),
            refusal: unavailable,
            lists: &[LISTS[0]],
        },
        Poison {
            what: "a key of an unknown algorithm",
            statements: [
                "update client_key set algorithm = 'nonsense' where client_id = 'ps256'",
                "update client_key set algorithm = 'PS256' where client_id = 'ps256'",
            ],
            row: ("client_key", "ps256 ps256-key".to_owned()),
            refused: caller("ps256"),
            refusal: unavailable,
            lists: &[LISTS[1]],
        },
        Poison {
            what: "a key that is none",
            statements: [
                "update client_key set jwk = '!' || jwk where client_id = 'ps256'",
                "update client_key set jwk = substr(jwk, 2) where client_id = 'ps256'",
            ],
            row: ("client_key.jwk", "ps256 ps256-key".to_owned()),
            refused: caller("ps256"),
            refusal: (400, "invalid_grant"),
            lists: &[],
        },
        Poison {
            what: "a scope for an unknown product",
            statements: [
                "update scope set allowed_integration_types = 'nonsense' where name = 'test:short'",
                "update scope set allowed_integration_types = '' where name = 'test:short'",
            ],
            row: ("scope", "test:short".to_owned()),
            refused: asks_for("rs256", "test:short"),
            refusal: unavailable,
            lists: &[LISTS[2], LISTS[3]],
        },
        Poison {
            what: "an access in an unknown state",
            statements: [
                "update access set state = 'nonsense' where scope = 'test:write' and consumer_number = '310000116'",
                "update access set state = 'APPROVED' where scope = 'test:write' and consumer_number = '310000116'",
            ],
            row: ("access", format!("test:write {CONSUMER}")),
            refused: asks_for("rs256", "test:write"),
            refusal: unavailable,
            lists: &[LISTS[4]],
        },
    ];
    if has_file {
        // PostgreSQL lets nobody write this.
        poisons.push(Poison {
            what: "an organization that is neither active nor not",
            statements: [
                "update organization set active = 'nonsense' where number = '310000124'",
                "update organization set active = true where number = '310000124'",
            ],
            row: ("organization", SUPPLIER.to_owned()),
            refused: caller("supplier"),
            refusal: unavailable,
            lists: &[LISTS[5]],
        });
        poisons.push(Poison {
            what: "a key that is neither in use nor withdrawn",
            statements: [
                "update client_key set active = 'nonsense' where client_id = 'ps256'",
                "update client_key set active = true where client_id = 'ps256'",
            ],
            row: ("client_key", "ps256 ps256-key".to_owned()),
            refused: caller("ps256"),
            refusal: unavailable,
            lists: &[LISTS[1]],
        });
    }
    poisons
}

/// How many things there are in a list, page by page.
async fn count(server: &AdminServer, token: &str, list: &str) -> usize {
    let (mut found, mut cursor) = (0, String::new());
    loop {
        let more = if list.contains('?') { '&' } else { '?' };
        let line = format!("GET {API}{list}{more}limit={PAGE}{cursor}");
        let reply = server.call(Some(token), &line, Value::Null).await;
        assert_eq!(reply.status, 200, "{list}: {}", reply.text());
        let page = reply.json();
        found += page["items"].as_array().unwrap().len();
        let Some(next) = page["next_cursor"].as_str() else { return found };
        cursor = format!("&cursor={next}");
    }
}

async fn look(server: &AdminServer, token: &str, browsers: &[Browser]) -> Vec<usize> {
    for browser in browsers {
        for page in PAGES {
            let reply = browser.get(page).await;
            assert_eq!(reply.status, 200, "{page}: {}", reply.text());
        }
    }
    let mut counts = Vec::new();
    for list in LISTS {
        counts.push(count(server, token, list).await);
    }
    counts
}

/// What a server makes of a poison that has just been started, and so has cached nothing.
async fn check_tokens(server: &TestServer, poison: &Poison) {
    let what = poison.what;
    let (status, error) = poison.refusal;
    for _ in 0..2 {
        let reply = server.ask(&poison.refused.assertion()).await;
        check_refusal(&reply, status, error, "").unwrap_or_else(|wrong| panic!("{what}: {wrong}"));
    }
    let good = server.ask(&caller("es256").assertion()).await;
    assert_eq!(good.status, 200, "{what}: {}", good.text());
    let (table, key) = &poison.row;
    assert_eq!(server.app.unreadable_rows(), [RowName { table, key: key.clone() }], "{what}");
    let health = server.manage("/health").await.json();
    assert_eq!(health["status"], "warning", "{what}: {health}");
    assert_eq!(health["unreadable_rows"][0]["table"], *table, "{what}: {health}");
    assert_eq!(health["unreadable_rows"][0]["key"], key.as_str(), "{what}: {health}");
    assert_eq!(server.manage("/readyz").await.status, 200, "{what}");
    let metrics = server.manage("/metrics").await.text();
    assert!(metrics.contains("\nportvakt_unreadable_rows 1\n"), "{what}: {metrics}");
    let told = logs::lines_with("a row cannot be read");
    let of_it = told.iter().any(|line| line.contains("\"ERROR\"") && line.contains(key.as_str()));
    assert!(of_it, "{what}: {told:#?}");
}

async fn run(sql: &Sql, statement: &str) {
    assert_eq!(sql.execute(statement).await, 1, "{statement}");
}

#[tokio::test]
async fn r42_what_cannot_be_read_is_refused_and_told_of_and_takes_nothing_else_with_it() {
    let server = AdminServer::start().await;
    let operator = server.token(PROVIDER, "portvakt:admin").await;
    let roles = [Role::Consumer, Role::Provider, Role::Operator];
    let browsers = [
        Browser::of(&server, ("kari", CONSUMER), &roles[..1]).await,
        Browser::of(&server, ("ola", PROVIDER), &roles).await,
    ];
    let sql = server.server.sql().await;
    // A scope with a name that is none, which is on no client yet and in no list at any time.
    run(
        &sql,
        "insert into scope (name, prefix, owner_number, description, active, accessible_for_all, \
         allowed_integration_types, token_lifetime_seconds_max, created_at, updated_at) \
         select 'test:Bad name', prefix, owner_number, description, active, accessible_for_all, \
         allowed_integration_types, token_lifetime_seconds_max, created_at, updated_at \
         from scope where name = 'test:read'",
    )
    .await;
    let before = look(&server, &operator, &browsers[1..]).await;
    assert!(before.iter().all(|count| *count > PAGE), "{before:?}");
    for poison in poisons(server.server.file().is_some()) {
        run(&sql, poison.statements[0]).await;
        let fresh = server.server.beside().await;
        check_tokens(&fresh, &poison).await;
        let lacking = look(&server, &operator, &browsers[1..]).await;
        for (list, (before, count)) in LISTS.iter().zip(before.iter().zip(lacking)) {
            let lost = usize::from(poison.lists.contains(list));
            assert_eq!(*before - lost, count, "{}: {list}", poison.what);
        }
        look_as_consumer(&browsers[0]).await;

        run(&sql, poison.statements[1]).await;
        // A key is read when its client is, which is cached since.
        let mended = fresh.beside().await;
        let reply = mended.ask(&poison.refused.assertion()).await;
        assert_eq!(reply.status, 200, "{}: {}", poison.what, reply.text());
        if poison.row.0 != "client_key.jwk" {
            assert_eq!(fresh.ask(&poison.refused.assertion()).await.status, 200, "{}", poison.what);
            assert_eq!(fresh.app.unreadable_rows(), [], "{}", poison.what);
        }
    }
    let left = [RowName { table: "scope", key: "test:Bad name".to_owned() }];
    assert_eq!(look(&server, &operator, &browsers[1..]).await, before);
    assert_eq!(server.server.app.unreadable_rows(), left);
}

async fn look_as_consumer(browser: &Browser) {
    for page in ["/portal", "/portal/clients", "/portal/callable"] {
        let reply = browser.get(page).await;
        assert_eq!(reply.status, 200, "{page}: {}", reply.text());
    }
}

/// A later version may tell the feed of something that this one does not know.
#[tokio::test]
async fn r42_after_a_change_of_an_unknown_kind_nothing_cached_counts() {
    let server = TestServer::start().await;
    let asks = async || server.ask(&caller("es256").assertion()).await.status;
    assert_eq!(asks().await, 200);
    let sql = server.sql().await;
    let withdraw = "update access set state = 'DENIED' where scope = 'test:read' \
                    and consumer_number = '310000116'";
    run(&sql, withdraw).await;
    assert_eq!(asks().await, 200, "nobody has been told");
    let latest = sql.number("select max(seq) from change").await;
    let change = format!(
        "insert into change (seq, noun, key, changed_at) select {latest} + 1, 'nonsense', '', changed_at \
         from change where seq = {latest}"
    );
    run(&sql, &change).await;
    let began = crate::harness::clock::tick();
    while asks().await == 200 {
        assert!(began.elapsed().as_secs() < 5, "it still counts");
    }
    assert_eq!(asks().await, 403);
    assert_eq!(server.manage("/readyz").await.status, 200);
}
