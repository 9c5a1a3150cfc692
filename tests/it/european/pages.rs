//! Where the owner of a scope lets European businesses in: in the portal, and only where their certificates count.

use portvakt::domain::scope::EuropeanBusinesses;
use portvakt::domain::user::Role;

use crate::harness::PROVIDER;
use crate::harness::admin::AdminServer;
use crate::harness::browser::{Browser, hidden, html};
use crate::harness::chain::{Pki, Trust};
use crate::harness::server::{actor, pki};

const EDIT: &str = "/portal/scopes/test%3Aclosed/edit";

#[tokio::test]
async fn letting_them_in_is_a_choice_where_their_certificates_count_and_kept_where_not() {
    let european = Pki::new("European");
    let supported = async |server: &AdminServer| {
        let (registry, name) = (&server.server.app.registry, "test:closed".parse().unwrap());
        registry.scope(&actor(), &name).await.unwrap().value.european_businesses
    };
    for (trust, is_choice) in [
        (vec![Trust::of(pki())], false),
        (vec![Trust::of(pki()), Trust::european(&european)], true),
    ] {
        let server = AdminServer::trusting(&trust, "").await;
        let provider = Browser::of(&server, ("ola", PROVIDER), &[Role::Provider]).await;
        let shown = html(&provider.get(EDIT).await);
        assert_eq!(shown.contains(r#"type="checkbox" name="european""#), is_choice, "{shown}");
        let version = hidden(&provider.get(EDIT).await, "version").unwrap();
        let mut typed = vec![
            ("version", version.as_str()),
            ("description", "Closed"),
            ("visibility", "PUBLIC"),
            ("european", "supported"),
        ];
        assert_eq!(provider.post(EDIT, EDIT, &typed).await.status, 303);
        assert_eq!(supported(&server).await, EuropeanBusinesses::Supported);
        // Where there is no choice, the form brings along what was chosen.
        let shown = html(&provider.get(EDIT).await);
        assert_eq!(shown.contains(r#"type="hidden" name="european""#), !is_choice, "{shown}");
        let about = html(&provider.get("/portal/scopes/test%3Aclosed/about").await);
        assert!(about.contains("European businesses"), "{about}");
        let version = hidden(&provider.get(EDIT).await, "version").unwrap();
        typed[0].1 = &version;
        typed.pop();
        assert_eq!(provider.post(EDIT, EDIT, &typed).await.status, 303);
        assert_eq!(supported(&server).await, EuropeanBusinesses::Unsupported);
    }
}
