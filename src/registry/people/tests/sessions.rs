//! How long a session counts, and what ends it at once.

use super::*;

#[tokio::test]
async fn a_session_ends_after_half_an_hour_alone_and_after_eight_hours_in_company() {
    let fixture = fixture().await;
    fixture.user("kari@agency.example", &[]).await;
    let idle = fixture.token("kari@agency.example").await;
    fixture.pass(30 * 60 - 1);
    assert!(fixture.session(&idle).await.is_some());
    // Having been there begins the half hour again.
    fixture.pass(30 * 60 - 1);
    assert!(fixture.session(&idle).await.is_some());
    fixture.pass(30 * 60);
    assert!(fixture.session(&idle).await.is_none());
    let busy = fixture.token("kari@agency.example").await;
    for _ in 0..31 {
        fixture.pass(15 * 60);
        assert!(fixture.session(&busy).await.is_some());
    }
    fixture.pass(15 * 60);
    assert!(fixture.session(&busy).await.is_none());
}

#[tokio::test]
async fn what_is_decided_about_somebody_holds_with_their_next_request() {
    let fixture = fixture().await;
    let user = fixture.user("kari@agency.example", &[Role::Consumer]).await;
    let token = fixture.token("kari@agency.example").await;
    let session = fixture.session(&token).await.unwrap();
    assert!(session.rights.by_which(Right::WriteClients).is_some());
    let registry = &fixture.registry;
    registry.set_roles(&server(), &user.id, &[Role::Reader], None).await.unwrap();
    let session = fixture.session(&token).await.unwrap();
    assert!(session.rights.by_which(Right::WriteClients).is_none());
    assert!(session.rights.by_which(Right::ReadClients).is_some());
    fixture.set_organization(OrganizationStatus::Deactivated).await;
    assert!(fixture.session(&token).await.is_none());
    fixture.set_organization(OrganizationStatus::Active).await;
    assert!(fixture.session(&token).await.is_some());
    registry.set_user_status(&server(), &user.id, false, None).await.unwrap();
    assert!(fixture.session(&token).await.is_none());
    assert!(matches!(
        fixture.sign_in("kari@agency.example", PASSWORD).await,
        Err(PeopleError::Deactivated)
    ));
    registry.set_user_status(&server(), &user.id, true, None).await.unwrap();
    assert!(fixture.session(&token).await.is_none(), "a session of before comes back");
    assert!(fixture.sign_in("kari@agency.example", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn signing_out_ends_one_session_or_all() {
    let fixture = fixture().await;
    fixture.user("kari@agency.example", &[]).await;
    let (one, two) =
        (fixture.token("kari@agency.example").await, fixture.token("kari@agency.example").await);
    fixture.registry.sign_out(&one, None).await.unwrap();
    assert!(fixture.session(&one).await.is_none());
    let session = fixture.session(&two).await.unwrap();
    let three = fixture.token("kari@agency.example").await;
    fixture.registry.sign_out_everywhere(&session, None).await.unwrap();
    assert!(fixture.session(&two).await.is_none() && fixture.session(&three).await.is_none());
    fixture.registry.sign_out(&two, None).await.unwrap();
}

#[tokio::test]
async fn somebody_has_so_many_sessions_and_the_oldest_make_room() {
    let fixture = fixture().await;
    fixture.user("kari@agency.example", &[]).await;
    let first = fixture.token("kari@agency.example").await;
    for _ in 0..20 {
        fixture.pass(1);
        fixture.token("kari@agency.example").await;
    }
    assert!(fixture.session(&first).await.is_none());
}

#[tokio::test]
async fn everybody_serves_themselves_where_that_is_open_and_consumers_act_for_customers() {
    let fixture = fixture_with(|rules| rules.environment.self_service = SelfService::Open).await;
    fixture.user("kari@agency.example", &[]).await;
    let token = fixture.token("kari@agency.example").await;
    let session = fixture.session(&token).await.unwrap();
    assert!(session.has(Role::Provider) && session.has(Role::Consumer));
    assert!(session.rights.by_which(Right::ActForCustomers).is_none());
    let operator = crate::registry::Operator {
        organization: Organization::new(OPERATOR.parse().unwrap(), "operator"),
        client: None,
    };
    fixture.registry.first_start(&operator).await.unwrap();
    let scope = Right::ActForCustomers.name().parse().unwrap();
    let terms = crate::registry::AccessTerms::default();
    let expected = crate::domain::record::Expected::Anything;
    let agency = AGENCY.parse().unwrap();
    fixture.registry.grant_access(&server(), &scope, agency, terms, expected).await.unwrap();
    let session = fixture.session(&token).await.unwrap();
    assert!(session.rights.by_which(Right::ActForCustomers).is_some());
    fixture.registry.withdraw_access(&server(), &scope, agency, None, None).await.unwrap();
    let session = fixture.session(&token).await.unwrap();
    assert!(session.rights.by_which(Right::ActForCustomers).is_none());
}
