//! Signing up, links, and what nobody learns from them.

use super::*;

async fn sign_up(fixture: &Fixture, email: &str) -> Result<(), PeopleError> {
    let email = email.parse().unwrap();
    fixture.registry.sign_up(&email, "Kari", Language::English, None).await
}

#[tokio::test]
async fn whoever_reads_the_mail_confirms_the_address_and_chooses_the_password_once() {
    let fixture = fixture().await;
    sign_up(&fixture, "kari@agency.example").await.unwrap();
    assert!(matches!(
        fixture.sign_in("kari@agency.example", PASSWORD).await,
        Err(PeopleError::Refused)
    ));
    let link = fixture.link().await;
    let seen = fixture.registry.look_at_link(&link).await.unwrap().unwrap();
    assert_eq!(seen.email.as_str(), "kari@agency.example");
    let easy = fixture.registry.follow_link(&link, "kari kari kari", None).await;
    assert!(matches!(easy, Err(PeopleError::Password(PasswordProblem::Easy))), "{easy:?}");
    let user = fixture.registry.follow_link(&link, PASSWORD, None).await.unwrap();
    assert_eq!(user.organization.as_str(), AGENCY);
    let again = fixture.registry.follow_link(&link, "another good one", None).await;
    assert!(matches!(again, Err(PeopleError::Link)));
    assert!(fixture.registry.look_at_link(&link).await.unwrap().is_none());
    let session = fixture.session(&fixture.token("kari@agency.example").await).await.unwrap();
    assert!(session.roles.is_empty() && session.rights.is_empty());
}

#[tokio::test]
async fn an_address_at_no_known_domain_and_one_of_a_deactivated_organization_are_told_so() {
    let fixture = fixture().await;
    let unknown = sign_up(&fixture, "kari@elsewhere.example").await.unwrap_err();
    assert!(matches!(unknown, PeopleError::UnknownDomain { .. }));
    assert!(unknown.to_string().contains("elsewhere.example"));
    fixture.set_organization(OrganizationStatus::Deactivated).await;
    let off = sign_up(&fixture, "kari@agency.example").await;
    assert!(matches!(off, Err(PeopleError::OrganizationDeactivated)));
    assert_eq!(fixture.mails().await.len(), 0);
}

#[tokio::test]
async fn an_address_that_is_registered_is_answered_like_a_new_one_and_its_holder_is_told() {
    let fixture = fixture().await;
    fixture.user("kari@agency.example", &[]).await;
    sign_up(&fixture, "kari@agency.example").await.unwrap();
    let mails = fixture.mails().await;
    assert_eq!(mails.len(), 1);
    assert!(mails[0].1.contains("registered already"), "{mails:?}");
    assert!(!mails[0].2.contains("token="));
    // Nobody has their mailbox filled by others.
    sign_up(&fixture, "kari@agency.example").await.unwrap();
    fixture.registry.ask_for_reset(&mails[0].0.parse().unwrap(), None).await.unwrap();
    assert_eq!(fixture.mails().await.len(), 0);
    fixture.pass(301);
    sign_up(&fixture, "kari@agency.example").await.unwrap();
    assert_eq!(fixture.mails().await.len(), 1);
}

#[tokio::test]
async fn a_reset_is_mailed_to_who_is_there_and_answered_alike_to_who_is_not() {
    let fixture = fixture().await;
    fixture.user("kari@agency.example", &[]).await;
    let old = fixture.token("kari@agency.example").await;
    let ask = |email: &str| {
        let (email, registry) = (email.parse().unwrap(), fixture.registry.clone());
        async move { registry.ask_for_reset(&email, None).await.unwrap() }
    };
    ask("nobody@agency.example").await;
    assert_eq!(fixture.mails().await.len(), 0);
    ask("kari@agency.example").await;
    let link = fixture.link().await;
    fixture.registry.follow_link(&link, "another good phrase", None).await.unwrap();
    assert!(fixture.session(&old).await.is_none(), "the session of before still counts");
    assert!(fixture.sign_in("kari@agency.example", PASSWORD).await.is_err());
    assert!(fixture.sign_in("kari@agency.example", "another good phrase").await.is_ok());
}

#[tokio::test]
async fn a_link_ends_with_its_time_and_with_the_next_of_its_kind() {
    let fixture = fixture().await;
    fixture.user("kari@agency.example", &[]).await;
    let email = "kari@agency.example".parse().unwrap();
    fixture.registry.ask_for_reset(&email, None).await.unwrap();
    let first = fixture.link().await;
    fixture.pass(301);
    fixture.registry.ask_for_reset(&email, None).await.unwrap();
    let second = fixture.link().await;
    let replaced = fixture.registry.follow_link(&first, PASSWORD, None).await;
    assert!(matches!(replaced, Err(PeopleError::Link)));
    fixture.pass(60 * 60);
    let late = fixture.registry.follow_link(&second, PASSWORD, None).await;
    assert!(matches!(late, Err(PeopleError::Link)));
}

#[tokio::test]
async fn an_address_that_leads_on_from_its_domain_is_not_taken() {
    let fixture = fixture().await;
    for email in ["a%evil.example@agency.example", "evil.example!a@agency.example"] {
        let refused = sign_up(&fixture, email).await;
        assert!(
            matches!(refused, Err(PeopleError::Registry(RegistryError::Invalid { .. }))),
            "{refused:?}"
        );
    }
    assert_eq!(fixture.mails().await.len(), 0);
}

#[tokio::test]
async fn whoever_never_confirms_is_forgotten_and_no_more_than_some_wait() {
    let fixture = fixture().await;
    let invited = NewUser {
        email: "invited@agency.example".parse().unwrap(),
        name: "Ida".to_owned(),
        organization: AGENCY.parse().unwrap(),
        language: Language::English,
        roles: Vec::new(),
    };
    fixture.registry.invite(&server(), invited).await.unwrap();
    for n in 0..201 {
        fixture.pass(1);
        sign_up(&fixture, &format!("kari{n}@agency.example")).await.unwrap();
    }
    assert_eq!(fixture.mails().await.len(), 202, "whoever comes late is mailed too");
    let all = fixture.registry.users(&server(), crate::store::UserFilter::default(), 300).await;
    let emails: Vec<_> =
        all.unwrap().items.iter().map(|user| user.value.email.to_string()).collect();
    assert_eq!(emails.len(), 201);
    assert!(!emails.contains(&"kari0@agency.example".to_owned()), "the first gives way");
    assert!(emails.contains(&"kari200@agency.example".to_owned()));
    assert!(emails.contains(&"invited@agency.example".to_owned()), "who was invited stays");
    fixture.pass(8 * 24 * 60 * 60);
    sign_up(&fixture, "ola@agency.example").await.unwrap();
    let all = fixture.registry.users(&server(), crate::store::UserFilter::default(), 300).await;
    assert_eq!(all.unwrap().items.len(), 1);
}

#[tokio::test]
async fn an_operator_gets_in_by_a_link_and_no_secret() {
    let fixture = fixture().await;
    let email = "oda@operator.example".parse().unwrap();
    let made = fixture.registry.operator_link(&server(), &email, Language::Bokmal).await.unwrap();
    let link: LinkToken = made.split("token=").nth(1).unwrap().parse().unwrap();
    fixture.registry.follow_link(&link, PASSWORD, None).await.unwrap();
    let session = fixture.session(&fixture.token("oda@operator.example").await).await.unwrap();
    assert!(session.rights.operate());
    let foreign = "kari@agency.example".parse().unwrap();
    let refused = fixture.registry.operator_link(&server(), &foreign, Language::Bokmal).await;
    assert!(refused.is_err());
    // Again for the same, who has forgotten everything.
    assert!(fixture.registry.operator_link(&server(), &email, Language::Bokmal).await.is_ok());
}
