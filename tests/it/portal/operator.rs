//! The operator's pages: by forms alone, for nobody else, and with nothing changed by looking.

use portvakt::domain::audit::AuditFilter;
use portvakt::domain::organization::{Organization, OrganizationStatus};
use portvakt::domain::right::{Right, Rights};
use portvakt::domain::user::Role;
use portvakt::registry::{Actor, RegistryError};

use crate::harness::admin::AdminServer;
use crate::harness::browser::{Browser, hidden, html};
use crate::harness::server::{actor, caller};
use crate::harness::{CONSUMER, PROVIDER};

/// An organization that no test server knows.
const NEWCOMER: &str = "310000132";

const PAGES: [&str; 10] = [
    "/portal/operator",
    "/portal/operator/organizations",
    "/portal/operator/organizations/new",
    "/portal/operator/prefixes",
    "/portal/operator/assign-prefix",
    "/portal/operator/prefix-requests?all=1",
    "/portal/operator/signing-keys",
    "/portal/operator/trust",
    "/portal/operator/audit",
    "/portal/operator/refusals",
];

async fn organization(server: &AdminServer, number: &str) -> Option<Organization> {
    let registry = &server.server.app.registry;
    let found = registry.organization(&actor(), number.parse().unwrap()).await;
    found.ok().map(|(found, _)| found.value)
}

async fn newest_act(server: &AdminServer) -> i64 {
    let rows =
        server.server.app.registry.audit_rows(&actor(), AuditFilter::default(), None, 1).await;
    rows.unwrap().items[0].seq
}

#[tokio::test]
async fn only_the_operator_sees_the_pages_and_looking_changes_nothing() {
    let server = AdminServer::start().await;
    let operator = Browser::of(&server, ("ola", PROVIDER), &[Role::Operator]).await;
    let stranger = Browser::of(&server, ("kari", CONSUMER), &[Role::Administrator]).await;
    let before = newest_act(&server).await;
    let of_one = [
        format!("/portal/operator/organizations/{CONSUMER}"),
        format!("/portal/operator/organizations/{CONSUMER}/deactivate"),
        "/portal/operator/prefixes/test".to_owned(),
        "/portal/operator/audit/1".to_owned(),
        "/portal/operator/audit/export?format=csv".to_owned(),
    ];
    for page in PAGES.iter().copied().chain(of_one.iter().map(String::as_str)) {
        let shown = operator.get(page).await;
        assert_eq!(shown.status, 200, "{page}: {}", shown.text());
        assert_eq!(stranger.get(page).await.status, 403, "H21 {page}");
    }
    assert_eq!(newest_act(&server).await, before, "looking has changed something");
    let number = [("number", NEWCOMER), ("name", "Newcomer")];
    let tried = stranger.post("/portal", "/portal/operator/organizations/new", &number).await;
    assert_eq!(tried.status, 403);
    assert!(organization(&server, NEWCOMER).await.is_none());
    assert_eq!(stranger.post("/portal", "/portal/operator/audit/verify", &[]).await.status, 403);
}

#[tokio::test]
async fn an_organization_is_admitted_renamed_switched_off_and_on_by_forms() {
    let server = AdminServer::start().await;
    let operator = Browser::of(&server, ("ola", PROVIDER), &[Role::Operator]).await;
    let new = "/portal/operator/organizations/new";
    let wrong = [("number", "310000133"), ("name", "<b>New"), ("domains", "a.example, no domain")];
    let again = operator.post(new, new, &wrong).await;
    let said = html(&again);
    assert_eq!(again.status, 422);
    for part in ["The check digit is wrong", "&#60;b&#62;New", "“no” is no domain", "#number"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let right =
        [("number", "310 000 132"), ("name", "<b>New"), ("domains", "A.example\nb.example")];
    assert_eq!(operator.post(new, new, &right).await.status, 303);
    let page = format!("/portal/operator/organizations/{NEWCOMER}");
    let shown = html(&operator.get(&page).await);
    assert!(shown.contains("&#60;b&#62;New") && shown.contains("a.example"), "{shown}");
    assert!(!shown.contains("<b>New"), "a name has become markup");
    let twice = html(&operator.post(new, new, &right).await);
    assert!(twice.contains("There is an organization of that number already."), "{twice}");

    let version = hidden(&operator.get(&page).await, "version").unwrap();
    let name = [("version", version.as_str()), ("name", "Newcomer")];
    assert_eq!(operator.post(&page, &page, &name).await.status, 303);
    let stale = operator.post(&page, &page, &name).await;
    assert_eq!(stale.status, 422);
    assert!(html(&stale).contains("Somebody has changed this since you opened the page"));
    let domains = format!("{page}/domains");
    assert_eq!(operator.post(&page, &domains, &[("remove", "b.example")]).await.status, 303);
    assert!(!html(&operator.get(&page).await).contains("b.example"));

    let off = format!("{page}/deactivate");
    let version = hidden(&operator.get(&off).await, "version").unwrap();
    let typed = |confirm| [("version", version.as_str()), ("confirm", confirm)];
    assert_eq!(operator.post(&off, &off, &typed("310000133")).await.status, 422);
    let status = organization(&server, NEWCOMER).await.unwrap().status;
    assert_eq!(status, OrganizationStatus::Active);
    assert_eq!(operator.post(&off, &off, &typed(NEWCOMER)).await.status, 303);
    let status = organization(&server, NEWCOMER).await.unwrap().status;
    assert_eq!(status, OrganizationStatus::Deactivated);
    assert_eq!(operator.post(&page, &format!("{page}/restore"), &[]).await.status, 303);
    let status = organization(&server, NEWCOMER).await.unwrap().status;
    assert_eq!(status, OrganizationStatus::Active);
}

#[tokio::test]
async fn the_operators_own_organization_is_never_switched_off() {
    let server = AdminServer::start().await;
    let operator = Browser::of(&server, ("ola", PROVIDER), &[Role::Operator]).await;
    let off = format!("/portal/operator/organizations/{PROVIDER}/deactivate");
    let asked = html(&operator.get(&off).await);
    assert!(asked.contains("cannot be deactivated") && !asked.contains("confirm"), "{asked}");
    let tried = operator.post("/portal", &off, &[("confirm", PROVIDER)]).await;
    assert_eq!(tried.status, 422);
    assert!(html(&tried).contains("The organization operates this server"), "{}", html(&tried));
    let registry = &server.server.app.registry;
    let edit = |it: &mut Organization| it.status = OrganizationStatus::Deactivated;
    let number = PROVIDER.parse().unwrap();
    let refused = registry.change_organization(&actor(), number, None, edit).await;
    assert!(matches!(refused, Err(RegistryError::Conflict { .. })), "{refused:?}");
    let status = organization(&server, PROVIDER).await.unwrap().status;
    assert_eq!(status, OrganizationStatus::Active);
}

#[tokio::test]
async fn a_prefix_is_assigned_handed_over_and_asked_for_by_forms() {
    let server = AdminServer::start().await;
    let registry = &server.server.app.registry;
    let operator = Browser::of(&server, ("ola", PROVIDER), &[Role::Operator]).await;
    let assign = "/portal/operator/assign-prefix";
    let wrong = [("prefix", "Road Data"), ("organization", CONSUMER)];
    let again = operator.post(assign, assign, &wrong).await;
    assert!(again.status == 422 && html(&again).contains("value=\"Road Data\""));
    let right = [("prefix", "road"), ("organization", CONSUMER)];
    assert_eq!(operator.post(assign, assign, &right).await.status, 303);
    let page = "/portal/operator/prefixes/road";
    // Who gets it is shown first, and the name of the prefix has to be typed.
    let asked = format!("{page}/transfer?to={PROVIDER}");
    let shown = operator.get(&asked).await;
    assert!(shown.status == 200 && html(&shown).contains(PROVIDER), "{}", shown.text());
    let to = format!("{page}/transfer");
    for confirm in ["", "roads"] {
        let transfer = [("to", PROVIDER), ("confirm", confirm)];
        assert_eq!(operator.post(&asked, &to, &transfer).await.status, 422);
    }
    assert_eq!(operator.get(&format!("{page}/transfer?to=1")).await.status, 422);
    let transfer = [("to", PROVIDER), ("confirm", "road")];
    assert_eq!(operator.post(&asked, &to, &transfer).await.status, 303);
    let retire = format!("{page}/retire");
    assert_eq!(operator.post(&retire, &retire, &[]).await.status, 422);
    assert_eq!(operator.post(&retire, &retire, &[("confirm", "road")]).await.status, 303);
    assert_eq!(operator.post(page, &format!("{page}/restore"), &[]).await.status, 303);
    // The prefixes of this server's own scopes stay where they are.
    let own = "/portal/operator/prefixes/idporten";
    let fields = [("to", CONSUMER), ("confirm", "idporten")];
    let from = format!("{own}/transfer?to={CONSUMER}");
    let refused = operator.post(&from, &format!("{own}/transfer"), &fields).await;
    assert!(refused.status == 422 && html(&refused).contains("stay with its operator"));
    let road = "road".parse().unwrap();
    assert_eq!(registry.prefix(&road).await.unwrap().value.owner.as_str(), PROVIDER);

    let consumer = Actor {
        name: "kari".to_owned(),
        organization: Some(CONSUMER.parse().unwrap()),
        rights: Rights::new(&[Right::WriteScopes]),
        trace_id: None,
    };
    let reason = "<script>alert(1)</script>\u{200b}".to_owned();
    registry.request_prefix(&consumer, &"sea".parse().unwrap(), reason).await.unwrap();
    for page in ["/portal", "/portal/operator", "/portal/organization/alerts"] {
        assert!(html(&operator.get(page).await).contains("asks for the prefix sea"), "{page}");
    }
    let request = format!("/portal/operator/prefix-requests/sea/{CONSUMER}");
    let shown = html(&operator.get(&request).await);
    assert!(!shown.contains("<script>alert") && shown.contains("[U+200B]"), "{shown}");
    for buttons in [&[][..], &[("approve", "1"), ("deny", "1")]] {
        let undecided = operator.post(&request, &request, buttons).await;
        assert!(undecided.status == 422 && html(&undecided).contains("Choose approve or deny"));
        assert!(registry.prefix(&"sea".parse().unwrap()).await.is_err());
    }
    let denied = operator.post(&request, &request, &[("deny", "1")]).await;
    assert!(denied.status == 422 && html(&denied).contains("Write why you deny it"));
    assert_eq!(operator.post(&request, &request, &[("approve", "1")]).await.status, 303);
    let owner = registry.prefix(&"sea".parse().unwrap()).await.unwrap().value.owner;
    assert_eq!(owner.as_str(), CONSUMER);
}

#[tokio::test]
async fn the_trail_is_searched_verified_and_taken_away_and_refusals_of_everybody_are_found() {
    let server = AdminServer::start().await;
    let operator = Browser::of(&server, ("ola", PROVIDER), &[Role::Operator]).await;
    let audit = "/portal/operator/audit";
    let found = html(&operator.get(&format!("{audit}?noun=prefix&key=test")).await);
    assert!(found.contains("Assigned prefix"), "{found}");
    assert!(!found.contains("Created organization"), "{found}");
    let wrong = html(&operator.get(&format!("{audit}?organization=1")).await);
    assert!(wrong.contains("An organization number has nine digits."));
    let verdict = html(&operator.post(audit, &format!("{audit}/verify"), &[]).await);
    assert!(verdict.contains("The trail is whole"), "{verdict}");
    let row = newest_act(&server).await;
    assert_eq!(operator.get(&format!("{audit}/{row}")).await.status, 200);
    assert_eq!(operator.get(&format!("{audit}/{}", row + 1)).await.status, 404);
    let export = operator.get(&format!("{audit}/export?format=ndjson&noun=prefix")).await;
    let lines: Vec<serde_json::Value> =
        html(&export).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!lines.is_empty() && lines.iter().all(|line| line["noun"] == "prefix"));
    let csv = html(&operator.get(&format!("{audit}/export?format=csv")).await);
    assert_eq!(csv.lines().next().unwrap().split(',').next(), Some("\"seq\""));
    assert!(csv.lines().count() > lines.len());

    let refused = server.server.ask(&caller("deactivated").assertion()).await;
    let trace = refused.header("trace-id").unwrap().to_owned();
    server.server.app.recorder.finish().await;
    let list = html(&operator.get("/portal/operator/refusals").await);
    assert!(list.contains(&trace) && list.contains("deactivated"), "{list}");
    let one = operator.get(&format!("/portal/operator/refusals?trace={trace}")).await;
    let address = format!("/portal/refusals/{trace}");
    assert_eq!((one.status, one.header("location")), (303, Some(address.as_str())));
    let none = html(&operator.get("/portal/operator/refusals?trace=abc").await);
    assert!(none.contains("No refused request has that trace id."));
}

#[tokio::test]
async fn keys_and_authorities_are_shown_with_how_they_stand() {
    let server = AdminServer::start().await;
    let operator = Browser::of(&server, ("ola", PROVIDER), &[Role::Operator]).await;
    let keys = html(&operator.get("/portal/operator/signing-keys").await);
    assert!(keys.contains("RS256") && keys.contains("Signs"), "{keys}");
    let trust = html(&operator.get("/portal/operator/trust").await);
    for part in ["Trust anchor", "Intermediate", "CN=Test", "Valid"] {
        assert!(trust.contains(part), "{part}: {trust}");
    }
}

#[tokio::test]
async fn the_operator_announces_replaces_and_retires_signing_keys_by_forms() {
    let server = AdminServer::start().await;
    let operator = Browser::of(&server, ("ola", PROVIDER), &[Role::Operator]).await;
    let stranger = Browser::of(&server, ("kari", CONSUMER), &[Role::Administrator]).await;
    let (page, retiring) =
        ("/portal/operator/signing-keys", "/portal/operator/signing-keys/retire");
    let old = crate::harness::server::server_key().0.clone();
    let states = async || -> Vec<&'static str> {
        let keys = server.server.app.registry.signing_keys(&actor()).await.unwrap();
        keys.iter().map(|key| key.state.name()).collect()
    };
    assert_eq!(stranger.post("/portal", page, &[]).await.status, 403, "H23");
    assert_eq!(states().await, ["ACTIVE"]);
    assert_eq!(operator.post(page, page, &[]).await.status, 303);
    assert_eq!(states().await, ["ANNOUNCED", "ACTIVE"]);
    let twice = operator.post(page, page, &[]).await;
    assert_eq!(twice.status, 422);
    assert!(html(&twice).contains("next key is announced already"), "{}", html(&twice));
    // The one that signs cannot go, and nothing dangerous happens by a button alone.
    let signing = [("kid", old.as_str()), ("sure", "1")];
    assert_eq!(operator.post(page, retiring, &signing).await.status, 422);
    assert_eq!(operator.post(page, page, &[("now", "1")]).await.status, 422);
    assert_eq!(operator.post(page, retiring, &[("kid", &old)]).await.status, 422);
    assert_eq!(states().await, ["ANNOUNCED", "ACTIVE"]);
    let replaced = operator.post(page, page, &[("now", "1"), ("sure", "1")]).await;
    assert_eq!(replaced.status, 303, "{}", html(&replaced));
    assert_eq!(states().await, ["ACTIVE", "RETIRING"]);
    assert_eq!(operator.post(page, retiring, &signing).await.status, 303);
    assert_eq!(states().await, ["ACTIVE", "RETIRED"]);
    let shown = html(&operator.get(page).await);
    assert!(shown.contains("Retired") && shown.contains(&old), "{shown}");
}
