//! What has been asked for is taken back by who asked, until it is answered, and can be asked for again.

use portvakt::clock::DAY_SECONDS;
use portvakt::domain::access::AccessState;
use portvakt::domain::alert::AlertKind;
use portvakt::domain::audit::{AuditFilter, AuditRow};
use portvakt::domain::prefix_request::PrefixRequestState;
use portvakt::domain::user::Role;
use portvakt::registry::AccessTerms;

use crate::harness::admin::AdminServer;
use crate::harness::browser::{Browser, hidden, html};
use crate::harness::clock::NOW;
use crate::harness::server::actor;
use crate::harness::{CONSUMER, PROVIDER, SUPPLIER};

const ACCESS: &str = "/portal/callable/take-back";
const PREFIX: &str = "/portal/prefixes/take-back";

async fn newest(server: &AdminServer) -> AuditRow {
    let filter = AuditFilter::default();
    let rows = server.server.app.registry.audit_rows(&actor(), filter, None, 1).await;
    rows.unwrap().items.remove(0)
}

/// How often an organization has been told that somebody asks.
async fn told(server: &AdminServer, organization: &str, kind: AlertKind) -> usize {
    let registry = &server.server.app.registry;
    let alerts = registry.alerts(&actor(), organization.parse().unwrap(), None, 100).await;
    alerts.unwrap().items.iter().filter(|alert| alert.kind == kind).count()
}

/// Asks, looks at the confirmation and takes back; the status of the last.
async fn take_back(browser: &Browser, page: &str, name: &str) -> u16 {
    let form = format!("{page}?name={name}");
    let shown = browser.get(&form).await;
    let version = hidden(&shown, "version").unwrap_or_default();
    browser.post(&form, page, &[("name", name), ("version", &version)]).await.status
}

#[tokio::test]
async fn access_that_was_asked_for_is_taken_back_and_asked_for_again() {
    let server = AdminServer::start().await;
    let registry = &server.server.app.registry;
    let consumer = Browser::of(&server, ("kari", CONSUMER), &[Role::Consumer]).await;
    let reader = Browser::of(&server, ("rita", CONSUMER), &[Role::Reader]).await;
    let stranger = Browser::of(&server, ("siri", SUPPLIER), &[Role::Consumer]).await;
    let provider = Browser::of(&server, ("ola", PROVIDER), &[Role::Provider]).await;
    let (scope, number) = ("test:closed".parse().unwrap(), CONSUMER.parse().unwrap());
    let case = async || registry.access(&actor(), &scope, number).await.unwrap().value;
    let ask = async || {
        let page = "/portal/callable/ask?scope=test%3Aclosed";
        let fields = [("scope", "test:closed"), ("message", "For ships")];
        consumer.post(page, "/portal/callable/ask", &fields).await.status
    };
    let inbox = async || html(&provider.get("/portal/requests").await);
    let before = told(&server, PROVIDER, AlertKind::AccessRequested).await;
    assert_eq!(ask().await, 303);
    assert!(inbox().await.contains("For ships"));
    let mine = html(&consumer.get("/portal/callable?show=requested").await);
    assert!(mine.contains(&format!("{ACCESS}?name=test%3Aclosed")), "{mine}");

    // Only who asked can, with the right to ask.
    let fields = [("name", "test:closed")];
    assert_eq!(reader.get(&format!("{ACCESS}?name=test%3Aclosed")).await.status, 403);
    assert_eq!(reader.post("/portal", ACCESS, &fields).await.status, 403);
    for other in [&stranger, &provider] {
        assert!([403, 404, 422].contains(&other.post("/portal", ACCESS, &fields).await.status));
    }
    assert_eq!(case().await.access.state, AccessState::Requested);

    let page = consumer.get(&format!("{ACCESS}?name=test%3Aclosed")).await;
    assert!(html(&page).contains("Take the request back?"), "{}", html(&page));
    assert_eq!(take_back(&consumer, ACCESS, "test%3Aclosed").await, 404);
    assert_eq!(take_back(&consumer, ACCESS, "test:closed").await, 303);
    let taken = case().await;
    assert_eq!((taken.access.state, taken.taken_back), (AccessState::Denied, true));
    let row = newest(&server).await;
    assert_eq!((&*row.action, &*row.noun), ("take back", "access"));
    assert_eq!((&*row.by_right, row.organization), ("idporten:dcr.write", PROVIDER.parse().ok()));
    assert!(inbox().await.contains("Nobody waits for an answer"));
    let theirs = format!("/portal/scopes/test%3Aclosed/accesses/{CONSUMER}");
    assert!(html(&provider.get(&theirs).await).contains("Took the request back"));
    let mine = html(&consumer.get("/portal/callable?show=denied").await);
    assert!(mine.contains("Taken back by you") && mine.contains("Ask for access"), "{mine}");
    let alerts = registry.alerts(&actor(), number, None, 100).await.unwrap().items;
    assert!(alerts.iter().all(|alert| alert.kind != AlertKind::AccessDecided), "{alerts:?}");
    let again = consumer.post("/portal/profile", ACCESS, &fields).await;
    assert!(again.status == 422 && html(&again).contains("nothing to take back"));

    // Asked again it waits again, and the owner is not told twice in a day.
    assert_eq!((ask().await, case().await.taken_back), (303, false));
    assert!(inbox().await.contains("For ships"));
    assert_eq!(told(&server, PROVIDER, AlertKind::AccessRequested).await, before + 1);
    assert_eq!(take_back(&consumer, ACCESS, "test:closed").await, 303);
    server.server.clock.set(NOW + DAY_SECONDS);
    registry.request_access(&actor(), &scope, number, None).await.unwrap();
    assert_eq!(told(&server, PROVIDER, AlertKind::AccessRequested).await, before + 2);
    let terms = AccessTerms::default();
    registry.approve_request(&actor(), &scope, number, terms, None).await.unwrap();
    let late = registry.take_back_request(&actor(), &scope, number, None).await.unwrap_err();
    assert!(late.to_string().contains("the access is APPROVED"), "{late}");
    assert_eq!(case().await.access.state, AccessState::Approved);
}

#[tokio::test]
async fn a_prefix_that_was_asked_for_is_taken_back_and_asked_for_again() {
    let server = AdminServer::start().await;
    let registry = &server.server.app.registry;
    let asking = Browser::of(&server, ("kari", CONSUMER), &[Role::Provider]).await;
    let reader = Browser::of(&server, ("rita", CONSUMER), &[Role::Reader]).await;
    let stranger = Browser::of(&server, ("siri", SUPPLIER), &[Role::Provider]).await;
    let operator = Browser::of(&server, ("oda", PROVIDER), &[Role::Operator]).await;
    let (prefix, number) = ("sea".parse().unwrap(), CONSUMER.parse().unwrap());
    let request = async || registry.prefix_request(&actor(), &prefix, number).await.unwrap().value;
    let ask = async || {
        let new = "/portal/prefixes/new";
        asking.post(new, new, &[("prefix", "sea"), ("reason", "Charts")]).await.status
    };
    let waiting = async || html(&operator.get("/portal/operator/prefix-requests").await);
    assert_eq!(ask().await, 303);
    assert!(waiting().await.contains("<code>sea</code>"));
    let mine = html(&asking.get("/portal/prefixes").await);
    assert!(mine.contains(&format!("{PREFIX}?name=sea")), "{mine}");

    let fields = [("name", "sea")];
    assert_eq!(reader.post("/portal", PREFIX, &fields).await.status, 403);
    assert_eq!(stranger.post("/portal", PREFIX, &fields).await.status, 404);
    assert_eq!(request().await.state, PrefixRequestState::Requested);

    assert_eq!(take_back(&asking, PREFIX, "sea").await, 303);
    let taken = request().await;
    assert_eq!((taken.state, taken.taken_back), (PrefixRequestState::Denied, true));
    assert_eq!(
        (&*newest(&server).await.action, &*newest(&server).await.noun),
        ("take back", "prefix_request")
    );
    assert!(!waiting().await.contains("<code>sea</code>"));
    let one = format!("/portal/operator/prefix-requests/sea/{CONSUMER}");
    assert!(html(&operator.get(&one).await).contains("Taken back by the organization"));
    let mine = html(&asking.get("/portal/prefixes").await);
    assert!(mine.contains("Taken back by you") && !mine.contains(PREFIX), "{mine}");
    assert_eq!(asking.post("/portal/profile", PREFIX, &fields).await.status, 422);

    assert_eq!((ask().await, request().await.taken_back), (303, false));
    assert!(waiting().await.contains("<code>sea</code>"));
    assert_eq!(told(&server, PROVIDER, AlertKind::PrefixRequested).await, 1);
}
