//! A last day is the same on every page: it is written, and read, as the day that holds until it is over.

use portvakt::clock::Timestamp;
use portvakt::domain::record::Expected;
use portvakt::domain::user::Role;
use portvakt::registry::AccessTerms;

use crate::harness::admin::AdminServer;
use crate::harness::browser::{Browser, hidden, html};
use crate::harness::server::actor;
use crate::harness::{CONSUMER, PROVIDER, SUPPLIER};

const CLOSED: &str = "/portal/scopes/test%3Aclosed";

/// The end of 30 June 2099 in Norway.
const OVER: &str = "2099-06-30T22:00:00Z";

#[tokio::test]
async fn a_last_day_means_the_same_for_accesses_and_delegations() {
    let server = AdminServer::start().await;
    let registry = &server.server.app.registry;
    let provider = Browser::of(&server, ("ola", PROVIDER), &[Role::Provider]).await;
    let consumer = Browser::of(&server, ("kari", CONSUMER), &[Role::Consumer]).await;
    let over = Timestamp::from_rfc3339(OVER);
    let (closed, number) = ("test:closed".parse().unwrap(), CONSUMER.parse().unwrap());
    let ends = async || {
        let found = registry.access(&actor(), &closed, number).await.unwrap();
        found.value.access.expires_at
    };

    let new = format!("{CLOSED}/accesses/new");
    let given = [("number", CONSUMER), ("expires", "2099-06-30")];
    assert_eq!(provider.post(&new, &new, &given).await.status, 303);
    let batch = format!("{CLOSED}/accesses/batch");
    let lines = [("lines", "310000124;30.06.2099"), ("confirm", "1")];
    assert_eq!(provider.post(&batch, &batch, &lines).await.status, 303);
    let pasted = registry.access(&actor(), &closed, SUPPLIER.parse().unwrap()).await.unwrap();
    assert_eq!((ends().await, pasted.value.access.expires_at), (over, over));
    let shown = format!("<time datetime=\"{OVER}\">30 Jun 2099</time>");
    let one = format!("{CLOSED}/accesses/{CONSUMER}");
    let page = provider.get(&one).await;
    assert!(html(&page).contains(&shown) && html(&page).contains("value=\"2099-06-30\""));
    for (browser, path) in [(&provider, CLOSED), (&consumer, "/portal/callable")] {
        let page = html(&browser.get(path).await);
        assert!(page.contains(&shown) && page.contains("Last day"), "{path}: {page}");
    }

    // An end that is no midnight is shown as it is, and is not moved by who changes something else.
    let odd = Timestamp::from_rfc3339("2099-06-30T10:00:01Z");
    let terms = AccessTerms { expires_at: odd, note: None };
    registry.grant_access(&actor(), &closed, number, terms, Expected::Anything).await.unwrap();
    let page = provider.get(&one).await;
    assert!(html(&page).contains("30 Jun 2099 12:00"), "{}", html(&page));
    let version = hidden(&page, "version").unwrap();
    let change = [("version", &*version), ("expires", "2099-06-30"), ("note", "B")];
    assert_eq!(provider.post(&one, &one, &change).await.status, 303);
    assert_eq!(ends().await, odd);

    let new = "/portal/delegations/new";
    let fields = [("supplier", SUPPLIER), ("scope", "test:delegated"), ("to", "2099-06-30")];
    assert_eq!(consumer.post(new, "/portal/delegations", &fields).await.status, 303);
    let scope = "test:delegated".parse().unwrap();
    let found = registry.delegation(&actor(), number, SUPPLIER.parse().unwrap(), &scope).await;
    assert_eq!(found.unwrap().value.valid_to, over);
    let page = html(&consumer.get("/portal/delegations").await);
    assert!(page.contains(&shown) && page.contains("Last day"), "{page}");
    let (access, delegation) = (html(&provider.get(&one).await), html(&consumer.get(new).await));
    for said in [">Last day ", "Valid to the end of the day. Empty: until you withdraw it."] {
        assert!(access.contains(said) && delegation.contains(said), "{said}");
    }
}
