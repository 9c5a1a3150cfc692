//! Each page of the portal as whoever sees it sees it, held against the files in `snapshots/`: a change of a page shows in
//! the change of its file. `INSTA_UPDATE=always cargo test --test it snapshots` takes the pages as they are now; look at
//! the difference before it is kept. All of them are weighed as well.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use portvakt::domain::audit::AuditFilter;
use portvakt::domain::right::{Right, Rights};
use portvakt::domain::user::Role;
use portvakt::registry::{Actor, UserFilter};

use crate::harness::admin::AdminServer;
use crate::harness::browser::{Browser, html};
use crate::harness::http::Reply;
use crate::harness::server::{actor, caller};
use crate::harness::{CONSUMER, PROVIDER, SUPPLIER};
use crate::portal::snapshot_text::{main_of, steady};
use crate::portal::weight::Scales;

/// A mail folder, because a test server has a page that shows it.
const MAIL: &str = "[mail]\ntransport = \"folder\"\nfolder = \"outbox\"\nfolder_shown = true\nfrom = \"portvakt@test.example\"\n";

const FOLDER: &str = "tests/it/portal/snapshots";

/// The pages by the name of their snapshot: who reads them, and where they are. What stands in braces is known when the
/// server runs.
const PAGES: [(&str, &str, &str); 94] = [
    ("overview", "consumer", "/portal"),
    ("overview", "operator", "/portal"),
    ("overview", "nobody", "/portal"),
    ("callable", "consumer", "/portal/callable"),
    ("callable", "reader", "/portal/callable"),
    ("callable-open", "consumer", "/portal/callable?show=open"),
    ("callable-delegated", "supplier", "/portal/callable?show=delegated"),
    ("callable-waiting", "supplier", "/portal/callable?show=requested"),
    ("callable-denied", "supplier", "/portal/callable?show=denied"),
    ("callable-search", "supplier", "/portal/callable?q=test"),
    ("callable-ask", "consumer", "/portal/callable/ask?scope=test%3Aclosed"),
    ("callable-take-back", "supplier", "/portal/callable/take-back?name=test%3Aclosed"),
    ("clients", "consumer", "/portal/clients"),
    ("clients", "reader", "/portal/clients"),
    ("client-new", "consumer", "/portal/clients/new"),
    ("client-new-scopes", "consumer", "/portal/clients/new/scopes?name=New&scope=test%3Aread"),
    ("client-new-key", "consumer", "/portal/clients/new/key?name=New&scope=test%3Aread"),
    ("client", "consumer", "/portal/clients/rs256"),
    ("client", "reader", "/portal/clients/rs256"),
    ("client-off", "consumer", "/portal/clients/deactivated"),
    ("client-ready", "consumer", "/portal/clients/rs256/ready"),
    ("client-edit", "consumer", "/portal/clients/rs256/edit"),
    ("client-deactivate", "consumer", "/portal/clients/rs256/deactivate"),
    ("client-keys", "consumer", "/portal/clients/rs256/keys"),
    ("client-keys", "reader", "/portal/clients/rs256/keys"),
    ("client-key-new", "consumer", "/portal/clients/rs256/keys/new"),
    ("client-key-renew", "consumer", "/portal/clients/rs256/keys/new?renew=rs256-key"),
    ("client-key-withdraw", "consumer", "/portal/clients/rs256/keys/rs256-key/withdraw"),
    ("client-scopes", "consumer", "/portal/clients/rs256/scopes"),
    ("client-scopes", "reader", "/portal/clients/rs256/scopes"),
    ("client-try", "consumer", "/portal/clients/rs256/try"),
    ("client-refusals", "consumer", "/portal/clients/rs256/refusals"),
    ("client-history", "consumer", "/portal/clients/rs256/history"),
    ("client-history-act", "consumer", "/portal/clients/rs256/history/{act of the client}"),
    ("refusals", "consumer", "/portal/refusals"),
    ("refusal", "consumer", "/portal/refusals/{trace}"),
    ("delegations", "consumer", "/portal/delegations"),
    ("delegations-received", "supplier", "/portal/delegations?show=received"),
    ("delegation-new", "consumer", "/portal/delegations/new"),
    (
        "delegation-withdraw",
        "consumer",
        "/portal/delegations/withdraw?supplier=310000124&scope=test%3Adelegated",
    ),
    ("scopes", "provider", "/portal/scopes"),
    ("scopes", "auditor", "/portal/scopes"),
    ("scopes-none", "consumer", "/portal/scopes"),
    ("scope-new", "provider", "/portal/scopes/new"),
    ("scope", "provider", "/portal/scopes/test%3Aread"),
    ("scope", "auditor", "/portal/scopes/test%3Aread"),
    ("scope-off", "provider", "/portal/scopes/test%3Adeactivated"),
    ("scope-about", "provider", "/portal/scopes/test%3Aread/about"),
    ("scope-edit", "provider", "/portal/scopes/test%3Aread/edit"),
    ("scope-usage", "provider", "/portal/scopes/test%3Aread/usage"),
    ("scope-history", "provider", "/portal/scopes/test%3Aread/history"),
    ("scope-history-act", "provider", "/portal/scopes/test%3Aread/history/{act of the scope}"),
    ("scope-deactivate", "provider", "/portal/scopes/test%3Aread/deactivate"),
    ("scope-requests", "provider", "/portal/scopes/test%3Aclosed/requests"),
    ("scope-request", "provider", "/portal/scopes/test%3Aclosed/requests/310000124"),
    ("access-new", "provider", "/portal/scopes/test%3Aread/accesses/new"),
    ("access-batch", "provider", "/portal/scopes/test%3Aread/accesses/batch"),
    ("access", "provider", "/portal/scopes/test%3Aread/accesses/310000116"),
    ("access", "auditor", "/portal/scopes/test%3Aread/accesses/310000116"),
    ("access-withdraw", "provider", "/portal/scopes/test%3Aread/accesses/310000116/withdraw"),
    ("requests", "provider", "/portal/requests"),
    ("requests-none", "consumer", "/portal/requests"),
    ("prefixes", "provider", "/portal/prefixes"),
    ("prefix-new", "provider", "/portal/prefixes/new"),
    ("operator", "operator", "/portal/operator"),
    ("operator-organizations", "operator", "/portal/operator/organizations"),
    ("operator-organization-new", "operator", "/portal/operator/organizations/new"),
    ("operator-organization", "operator", "/portal/operator/organizations/310000116"),
    (
        "operator-organization-deactivate",
        "operator",
        "/portal/operator/organizations/310000116/deactivate",
    ),
    ("operator-prefixes", "operator", "/portal/operator/prefixes"),
    ("operator-assign-prefix", "operator", "/portal/operator/assign-prefix"),
    ("operator-prefix", "operator", "/portal/operator/prefixes/test"),
    ("operator-prefix-requests", "operator", "/portal/operator/prefix-requests"),
    ("operator-prefix-request", "operator", "/portal/operator/prefix-requests/sea/310000116"),
    ("operator-signing-keys", "operator", "/portal/operator/signing-keys"),
    ("operator-trust", "operator", "/portal/operator/trust"),
    ("operator-audit", "operator", "/portal/operator/audit?noun=prefix"),
    ("operator-audit-act", "operator", "/portal/operator/audit/1"),
    ("operator-refusals", "operator", "/portal/operator/refusals"),
    ("organization", "consumer", "/portal/organization"),
    ("organization", "reader", "/portal/organization"),
    ("organization-business-data", "consumer", "/portal/organization/business-data"),
    ("organization-alerts", "consumer", "/portal/organization/alerts"),
    ("organization-usage", "consumer", "/portal/organization/usage"),
    ("organization-history", "consumer", "/portal/organization/history"),
    ("organization-history-act", "consumer", "/portal/organization/history/{act of the client}"),
    ("users", "administrator", "/portal/organization/users"),
    ("user-new", "administrator", "/portal/organization/users/new"),
    ("user", "administrator", "/portal/organization/users/{user}"),
    ("profile", "consumer", "/portal/profile"),
    ("help", "consumer", "/portal/help"),
    ("help", "operator", "/portal/help"),
    ("outbox", "consumer", "/portal/outbox"),
    ("no-access", "nobody", "/portal/no-access"),
];

/// The pages for whoever is not signed in.
const OUTSIDE: [(&str, &str); 5] = [
    ("sign-in", "/portal/sign-in"),
    ("sign-up", "/portal/sign-up"),
    ("forgotten", "/portal/forgotten"),
    ("link-over", "/portal/link?token=x"),
    ("help", "/portal/help"),
];

/// Holds pages against their files, and says at the end which are others, and which are too heavy.
struct Album {
    seen: BTreeSet<String>,
    changed: Vec<String>,
    scales: Scales,
}

impl Album {
    fn add(&mut self, name: &str, status: u16, text: &str) {
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        let text = format!("{status}\n{text}");
        let held = || settings.bind(|| insta::assert_snapshot!(name.to_owned(), text));
        if catch_unwind(AssertUnwindSafe(held)).is_err() {
            self.changed.push(name.to_owned());
        }
        assert!(self.seen.insert(format!("{name}.snap")), "two pages are {name}");
    }

    /// A page without what stands around all pages.
    fn add_page(&mut self, name: &str, reply: &Reply) {
        self.scales.add(name, reply);
        self.add(name, reply.status, &steady(main_of(&html(reply))));
    }

    /// Holds that all pages are as they were and light, and that no file is of a page which is no more.
    async fn close(self) {
        assert!(self.changed.is_empty(), "these pages have changed: {}", self.changed.join(", "));
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let files: BTreeSet<String> = files.map(|name| name.into_string().unwrap()).collect();
        let left: Vec<_> = files.difference(&self.seen).collect();
        assert!(left.is_empty(), "no page is shown by {left:?}");
        self.scales.weigh().await;
    }
}

/// A server on which every page has something to show, with a refused request: its trace id.
async fn stage() -> (AdminServer, String) {
    let server = AdminServer::with(MAIL).await;
    let registry = &server.server.app.registry;
    let consumer = Actor {
        name: "kari@o310000116.example".to_owned(),
        organization: Some(CONSUMER.parse().unwrap()),
        rights: Rights::new(&[Right::WriteScopes]),
        trace_id: None,
    };
    let reason = "We publish charts".to_owned();
    registry.request_prefix(&consumer, &"sea".parse().unwrap(), reason).await.unwrap();
    let (scope, message) = ("test:closed".parse().unwrap(), Some("For the ferries".to_owned()));
    let supplier = SUPPLIER.parse().unwrap();
    registry.request_access(&actor(), &scope, supplier, message).await.unwrap();
    let wrong = caller("rs256").draft().claim("aud", "https://wrong.example/").sign();
    let refused = server.server.ask(&wrong).await;
    server.server.app.recorder.finish().await;
    let trace = refused.header("trace-id").unwrap().to_owned();
    (server, trace)
}

/// The newest act on the thing of that key.
async fn newest_act(server: &AdminServer, key: &str) -> i64 {
    let filter = AuditFilter { key: Some(key.to_owned()), ..AuditFilter::default() };
    let rows = server.server.app.registry.audit_rows(&actor(), filter, None, 1).await;
    rows.unwrap().items[0].seq
}

async fn id_of_user(server: &AdminServer, email: &str) -> String {
    let filter = UserFilter::default();
    let users = server.server.app.registry.users(&actor(), filter, 100).await.unwrap();
    let mut found = users.items.iter().filter(|user| user.value.email.as_str() == email);
    found.next().unwrap().value.id.to_string()
}

#[tokio::test]
async fn every_page_is_as_it_was_for_whoever_sees_it() {
    let (server, trace) = stage().await;
    let people = [
        ("administrator", ("anne", CONSUMER), &[Role::Administrator][..]),
        ("auditor", ("liv", PROVIDER), &[Role::Reader]),
        ("consumer", ("kari", CONSUMER), &[Role::Consumer]),
        ("nobody", ("nils", CONSUMER), &[]),
        ("operator", ("oda", PROVIDER), &[Role::Operator]),
        ("provider", ("ola", PROVIDER), &[Role::Provider]),
        ("reader", ("rita", CONSUMER), &[Role::Reader]),
        ("supplier", ("siri", SUPPLIER), &[Role::Consumer]),
    ];
    let mut browsers = Vec::new();
    for (name, who, roles) in people {
        browsers.push((name, Browser::of(&server, who, roles).await));
    }
    let browser = |name: &str| &browsers.iter().find(|(known, _)| *known == name).unwrap().1;
    let known = [
        ("{trace}", trace),
        ("{act of the client}", newest_act(&server, "rs256").await.to_string()),
        ("{act of the scope}", newest_act(&server, "test:read").await.to_string()),
        ("{user}", id_of_user(&server, &format!("kari@o{CONSUMER}.example")).await),
    ];
    let (seen, changed) = (BTreeSet::new(), Vec::new());
    let mut album = Album { seen, changed, scales: Scales::at(server.address) };
    for (name, who, path) in PAGES {
        let path = known.iter().fold(path.to_owned(), |path, (is, value)| path.replace(is, value));
        let reply = browser(who).get(&path).await;
        assert_eq!(reply.status, 200, "{who} at {path}: {}", reply.text());
        album.add_page(&format!("{name}@{who}"), &reply);
    }
    for (who, browser) in &browsers {
        let page = html(&browser.get("/portal/help").await);
        album.add(&format!("frame@{who}"), 200, &steady(&page.replace(main_of(&page), "")));
    }
    add_answers(&mut album, browser).await;
    let outside = Browser::at(&server);
    for (name, path) in OUTSIDE {
        album.add_page(&format!("{name}@outside"), &outside.get(path).await);
    }
    album.close().await;
}

/// Pages that answer a form, and those that refuse.
async fn add_answers<'a>(album: &mut Album, browser: impl Fn(&str) -> &'a Browser) {
    let batch = "/portal/scopes/test%3Aread/accesses/batch";
    let lines = format!("{CONSUMER};;kept\n{SUPPLIER};2099-06-30;new\n310000117\n");
    let tried = browser("provider").post(batch, batch, &[("lines", &lines)]).await;
    album.add_page("access-batch-tried@provider", &tried);
    let new = "/portal/scopes/new";
    let typed = [("prefix", "test"), ("subscope", "A B"), ("description", "")];
    album.add_page("scope-new-wrong@provider", &browser("provider").post(new, new, &typed).await);
    let audit = "/portal/operator/audit";
    let verified = browser("operator").post(audit, &format!("{audit}/verify"), &[]).await;
    album.add_page("operator-audit-verified@operator", &verified);
    let factor = "/portal/profile/second-factor";
    let enrolled = browser("consumer").post("/portal/profile", factor, &[]).await;
    album.add_page("second-factor@consumer", &enrolled);
    album.add_page("forbidden@reader", &browser("reader").get("/portal/clients/new").await);
    album.add_page("not-found@reader", &browser("reader").get("/portal/nowhere").await);
}
