//! The organization's own pages, the first page and help.

use portvakt::domain::audit::AuditFilter;
use portvakt::domain::organization::Organization;
use portvakt::domain::user::Role;
use portvakt::registry::NewClient;

use crate::harness::admin::AdminServer;
use crate::harness::browser::{Browser, hidden, html};
use crate::harness::server::actor;
use crate::harness::{CONSUMER, PROVIDER, SUPPLIER};

const DATA: &str = "/portal/organization/business-data";

#[tokio::test]
async fn business_data_is_kept_by_whoever_has_the_role_and_shown_back_when_it_is_wrong() {
    let server = AdminServer::start().await;
    let kari = Browser::of(&server, ("kari", CONSUMER), &[Role::Consumer]).await;
    let reader = Browser::of(&server, ("rolf", CONSUMER), &[Role::Reader]).await;
    assert_eq!(reader.get(DATA).await.status, 403);
    assert!(
        html(&reader.get("/portal/organization").await).contains("You can look, but not change")
    );
    let version = hidden(&kari.get(DATA).await, "version").unwrap();
    assert_eq!(version, "0");
    let wrong = [
        ("version", version.as_str()),
        ("address", "Street 1\n\n0001 Oslo"),
        ("peppol-id", "192:1"),
        ("contact-1-name", "<i>Desk"),
        ("contact-1-email", "desk at example"),
        ("alert-0-email", "ops@o310000116.example"),
    ];
    let again = kari.post(DATA, DATA, &wrong).await;
    let said = html(&again);
    assert_eq!(again.status, 422);
    for part in [
        "A PEPPOL id is four digits",
        "value=\"&#60;i&#62;Desk\"",
        "href=\"#contact-1-email\"",
        "Choose what the alerts are about, or empty the row.",
        "0001 Oslo",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let right = [
        ("version", version.as_str()),
        ("address", "Street 1\n\n0001 Oslo"),
        ("peppol-id", "0192:310000116"),
        ("contact-1-name", "<i>Desk"),
        ("contact-1-role", "security"),
        ("contact-1-email", "desk@o310000116.example"),
        ("alert-0-email", "ops@o310000116.example"),
        ("alert-0-language", "nn"),
        ("alert-0-kind", "key_expiring"),
        ("alert-0-kind", "access_decided"),
    ];
    assert_eq!(kari.post(DATA, DATA, &right).await.status, 303);
    let late = [&right[..], &[("reference", "PO-77")]].concat();
    let stale = kari.post(DATA, DATA, &late).await;
    let said = html(&stale);
    assert!(stale.status == 422 && said.contains("This is what you wrote:"), "{said}");
    assert!(said.contains("PO-77") && !said.contains("value=\"PO-77\""), "{said}");
    let shown = html(&reader.get("/portal/organization").await);
    for part in ["&#60;i&#62;Desk", "Security", "0001 Oslo", "Nynorsk", "Key expires"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let late = kari.post(DATA, DATA, &right).await;
    assert_eq!(late.status, 422);
    assert!(html(&late).contains("Somebody has changed this since you opened the page"));
    assert_eq!(hidden(&late, "version").as_deref(), Some("1"), "the form is not of what is there");
    let emptied = [("version", "1"), ("reference", "A")];
    assert_eq!(kari.post(DATA, DATA, &emptied).await.status, 303);
    assert!(!html(&reader.get("/portal/organization").await).contains("Desk"));
}

#[tokio::test]
async fn an_organization_sees_its_own_changes_usage_and_alerts_and_nobody_elses() {
    let server = AdminServer::start().await;
    let registry = &server.server.app.registry;
    let number = CONSUMER.parse().unwrap();
    let client = NewClient { id: Some("seen".parse().unwrap()), ..NewClient::new(number, "Seen") };
    registry.register_client(&actor(), client).await.unwrap();
    let rows = registry.audit_rows(&actor(), AuditFilter::default(), None, 1).await.unwrap();
    let seq = rows.items[0].seq;
    let kari = Browser::of(&server, ("kari", CONSUMER), &[Role::Reader]).await;
    let other = Browser::of(&server, ("silje", SUPPLIER), &[Role::Reader]).await;
    let history = "/portal/organization/history";
    assert!(html(&kari.get(history).await).contains("Created client"));
    let one = html(&kari.get(&format!("{history}/{seq}")).await);
    assert!(one.contains("<ins") && one.contains("seen") && !one.contains("<del"), "{one}");
    assert_eq!(other.get(&format!("{history}/{seq}")).await.status, 404);
    assert!(!html(&other.get(history).await).contains("seen"));
    for page in ["usage?days=7", "usage?days=0", "alerts", "alerts?after=1"] {
        let shown = kari.get(&format!("/portal/organization/{page}")).await;
        assert_eq!(shown.status, 200, "{page}: {}", shown.text());
    }
}

#[tokio::test]
async fn the_first_page_says_what_needs_its_reader_and_who_can_help_whoever_may_nothing() {
    let server = AdminServer::start().await;
    let admin = Browser::of(&server, ("anne", CONSUMER), &[Role::Administrator]).await;
    let kari = Browser::of(&server, ("kari", CONSUMER), &[Role::Consumer]).await;
    let nobody = Browser::of(&server, ("nils", CONSUMER), &[]).await;
    let ended = html(&kari.get("/portal").await);
    assert!(ended.contains("expired on") && ended.contains("/portal/clients/expired"), "{ended}");
    assert!(ended.contains("/portal/clients/new"), "{ended}");
    assert!(!html(&admin.get("/portal").await).contains("href=\"/portal/clients/new\""));
    let none = html(&nobody.get("/portal").await);
    assert!(none.contains("You need a role") && none.contains("anne@o310000116.example"), "{none}");
    assert!(!none.contains("/portal/clients/expired"), "{none}");
    let operator = Browser::of(&server, ("ola", PROVIDER), &[Role::Operator]).await;
    assert!(html(&operator.get("/portal").await).contains("href=\"/portal/operator\""));

    let newcomer = "310000132";
    let organization = Organization::new(newcomer.parse().unwrap(), "Newcomer");
    server.server.app.registry.create_organization(&actor(), &organization).await.unwrap();
    let new = Browser::of(&server, ("nora", newcomer), &[Role::Consumer, Role::Provider]).await;
    let begin = html(&new.get("/portal").await);
    assert!(begin.contains("Are you going to use others") && begin.contains("Ask for a prefix"));
}

#[tokio::test]
async fn help_answers_at_an_anchor_and_there_is_no_outbox_where_mail_is_not_kept() {
    let server = AdminServer::start().await;
    let kari = Browser::of(&server, ("kari", CONSUMER), &[Role::Consumer]).await;
    let help = html(&kari.get("/portal/help").await);
    for part in ["id=\"scope-missing\"", "id=\"access\"", "https://as.test/errors/"] {
        assert!(help.contains(part), "{part}: {help}");
    }
    assert_eq!(kari.get("/portal/outbox").await.status, 404);
    let mail = "[mail]\ntransport = \"folder\"\nfrom = \"a@b.example\"\nfolder = \"outbox\"\n";
    let server = AdminServer::with(mail).await;
    let kari = Browser::of(&server, ("kari", CONSUMER), &[Role::Consumer]).await;
    assert_eq!(kari.get("/portal/outbox").await.status, 404, "links would make anybody anybody");
    let server = AdminServer::with(&format!("{mail}folder_shown = true\n")).await;
    let folder = server.server.app.outbox.clone().unwrap();
    std::fs::create_dir_all(&folder).unwrap();
    let mail = "Subject: <b>\n\nSee http://127.0.0.1/portal/link?token=x\n";
    std::fs::write(folder.join("1.eml"), mail).unwrap();
    let secret = folder.parent().unwrap().join("secret.eml");
    std::fs::write(secret, "not for everybody").unwrap();
    let kari = Browser::of(&server, ("kari", CONSUMER), &[Role::Consumer]).await;
    let shown = html(&kari.get("/portal/outbox?mail=1.eml").await);
    assert!(shown.contains("&#60;b&#62;"), "{shown}");
    assert!(shown.contains("href=\"http://127.0.0.1/portal/link?token=x\""), "{shown}");
    assert!(
        !html(&kari.get("/portal/outbox?mail=../secret.eml").await).contains("not for everybody")
    );
}
