//! Passwords, attempts that fail, and OpenID providers.

use super::*;
use crate::domain::audit::{AuditFilter, Outcome};

#[tokio::test]
async fn attempts_that_fail_make_everybody_wait_alike_who_is_registered_and_who_is_not() {
    let fixture = fixture().await;
    fixture.user("kari@agency.example", &[]).await;
    for email in ["kari@agency.example", "nobody@agency.example", "x@elsewhere.example"] {
        for _ in 0..5 {
            let wrong = fixture.sign_in(email, "wrong password").await;
            assert!(matches!(wrong, Err(PeopleError::Refused)), "{email}: {wrong:?}");
        }
        let Err(PeopleError::Wait { until }) = fixture.sign_in(email, PASSWORD).await else {
            panic!("{email} need not wait");
        };
        assert_eq!(until, fixture.clock.now().plus_seconds(30));
    }
    fixture.pass(30);
    assert!(matches!(
        fixture.sign_in("kari@agency.example", "wrong password").await,
        Err(PeopleError::Refused)
    ));
    fixture.pass(59);
    assert!(matches!(
        fixture.sign_in("kari@agency.example", PASSWORD).await,
        Err(PeopleError::Wait { .. })
    ));
    fixture.pass(1);
    assert!(fixture.sign_in("kari@agency.example", PASSWORD).await.is_ok());
    // And begins anew.
    for _ in 0..4 {
        let wrong = fixture.sign_in("kari@agency.example", "wrong password").await;
        assert!(matches!(wrong, Err(PeopleError::Refused)));
    }
    assert!(fixture.sign_in("kari@agency.example", PASSWORD).await.is_ok());
    let filter = AuditFilter { noun: Some("user".to_owned()), ..AuditFilter::default() };
    let rows = fixture.registry.audit_rows(&server(), filter, None, 100).await.unwrap().items;
    let refused: Vec<_> = rows.iter().filter(|row| row.outcome == Outcome::Refused).collect();
    assert_eq!(refused.len(), 10, "of those who are registered, and none while they wait");
    assert!(refused.iter().all(|row| row.key == "kari@agency.example"));
    assert!(rows.iter().all(|row| !format!("{row:?}").contains("horse")));
}

/// An address of the network.
fn source(number: u8) -> SignInPlace {
    let address = std::net::Ipv4Addr::new(192, 0, 2, number);
    SignInPlace::Source(crate::domain::source::Source::of(address.into()).unwrap())
}

#[tokio::test]
async fn who_guesses_at_one_place_makes_nobody_wait_at_another() {
    let fixture = fixture().await;
    fixture.user("kari@agency.example", &[]).await;
    let email = "kari@agency.example".parse().unwrap();
    let registry = &fixture.registry;
    let known = SignInPlace::KnownBrowser("mark".to_owned());
    let attempt = async |place: &SignInPlace, password: &str| {
        registry.sign_in(&email, password, place, None, None).await
    };
    for _ in 0..5 {
        let wrong = attempt(&source(1), "wrong password").await;
        assert!(matches!(wrong, Err(PeopleError::Refused)), "{wrong:?}");
    }
    assert!(matches!(attempt(&source(1), PASSWORD).await, Err(PeopleError::Wait { .. })));
    assert!(attempt(&source(2), PASSWORD).await.is_ok());
    // From many places, they all wait in the end; but not where Kari has signed in before.
    let mut refused = 5;
    'places: for place in 3.. {
        for _ in 0..4 {
            match attempt(&source(place), "wrong password").await {
                Err(PeopleError::Refused) => refused += 1,
                Err(PeopleError::Wait { .. }) => break 'places,
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(refused, 100);
    assert!(matches!(attempt(&source(250), PASSWORD).await, Err(PeopleError::Wait { .. })));
    assert!(attempt(&known, PASSWORD).await.is_ok());
    // Who has her browser guesses no more often than others.
    for _ in 0..5 {
        assert!(matches!(attempt(&known, "wrong password").await, Err(PeopleError::Refused)));
    }
    assert!(matches!(attempt(&known, PASSWORD).await, Err(PeopleError::Wait { .. })));
}

#[tokio::test]
async fn attempts_at_the_same_time_all_count() {
    let fixture = fixture().await;
    fixture.user("kari@agency.example", &[]).await;
    let attempts = (0..12).map(|_| {
        let registry = fixture.registry.clone();
        tokio::spawn(async move {
            let email = "kari@agency.example".parse().unwrap();
            registry.sign_in(&email, "wrong password", &SignInPlace::Unknown, None, None).await
        })
    });
    let mut judged = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        judged += u32::from(matches!(attempt.await.unwrap(), Err(PeopleError::Refused)));
    }
    assert_eq!(judged, 5);
}

#[tokio::test]
async fn signing_in_gives_the_session_a_new_name_and_ends_the_one_of_before() {
    let fixture = fixture().await;
    fixture.user("kari@agency.example", &[]).await;
    let first = fixture.token("kari@agency.example").await;
    let email = "kari@agency.example".parse().unwrap();
    let second = fixture
        .registry
        .sign_in(&email, PASSWORD, &SignInPlace::Unknown, Some(&first), None)
        .await
        .unwrap();
    let SignedIn::Done(second) = second else { panic!("{second:?}") };
    assert_ne!(first.as_str(), second.as_str());
    assert!(fixture.session(&first).await.is_none());
    assert!(fixture.session(&second).await.is_some());
}

#[tokio::test]
async fn a_password_that_is_short_or_easy_is_refused_and_the_old_one_must_be_shown() {
    let fixture = fixture().await;
    fixture.user("kari@agency.example", &[]).await;
    let token = fixture.token("kari@agency.example").await;
    let other = fixture.token("kari@agency.example").await;
    let session = fixture.session(&token).await.unwrap();
    let change = |old: &'static str, new: String| {
        let (registry, session) = (fixture.registry.clone(), session.clone());
        async move { registry.change_password(&session, old, &new, None).await }
    };
    for easy in ["short", "aaaaaaaaaaaaaaaa", "password1234", "kari@agency.example", "123412341234"]
    {
        let refused = change(PASSWORD, easy.to_owned()).await;
        assert!(matches!(refused, Err(PeopleError::Password(_))), "{easy}: {refused:?}");
    }
    assert!(matches!(
        change(PASSWORD, "x".repeat(257)).await,
        Err(PeopleError::Password(PasswordProblem::Long { .. }))
    ));
    let wrong = change("wrong password", "another good phrase".to_owned()).await;
    assert!(matches!(wrong, Err(PeopleError::Refused)));
    change(PASSWORD, "another good phrase".to_owned()).await.unwrap();
    assert!(fixture.session(&token).await.is_some(), "the one who changed it stays");
    assert!(fixture.session(&other).await.is_none(), "everybody else goes");
    assert!(fixture.sign_in("kari@agency.example", PASSWORD).await.is_err());
    assert_eq!(fixture.mails().await.len(), 1);
}

fn identity(subject: &str, email: &str) -> OpenIdIdentity {
    OpenIdIdentity {
        issuer: "https://op.example".to_owned(),
        subject: subject.to_owned(),
        email: email.parse().unwrap(),
        name: Some("Kari".to_owned()),
        organization: None,
    }
}

#[tokio::test]
async fn a_provider_knows_people_by_its_own_name_for_them() {
    let fixture = fixture_with(|rules| rules.sign_in = SignInWays::Both).await;
    let sign_in = |identity: OpenIdIdentity| {
        let registry = fixture.registry.clone();
        async move { registry.sign_in_open_id(&identity, Language::English, None, None).await }
    };
    let token = sign_in(identity("1", "kari@agency.example")).await.unwrap();
    let kari = fixture.session(&token).await.unwrap().user;
    assert_eq!((kari.status, kari.organization.as_str()), (UserStatus::Active, AGENCY));
    // Whatever address she has since.
    let token = sign_in(identity("1", "kari@elsewhere.example")).await.unwrap();
    assert_eq!(fixture.session(&token).await.unwrap().user.id, kari.id);
    // Another person with her old address is not her.
    let other = sign_in(identity("2", "kari@agency.example")).await;
    assert!(matches!(other, Err(PeopleError::OpenId(_))), "{other:?}");
    let stranger = sign_in(identity("3", "ola@elsewhere.example")).await;
    assert!(matches!(stranger, Err(PeopleError::UnknownDomain { .. })));
    // Somebody with a password here is the same person from then on.
    let ola = fixture.user("ola@agency.example", &[Role::Reader]).await;
    let token = sign_in(identity("4", "ola@agency.example")).await.unwrap();
    assert_eq!(fixture.session(&token).await.unwrap().user.id, ola.id);
    fixture.registry.set_user_status(&server(), &ola.id, false, None).await.unwrap();
    let off = sign_in(identity("4", "ola@agency.example")).await;
    assert!(matches!(off, Err(PeopleError::Deactivated)));
}

#[tokio::test]
async fn nobody_gets_in_by_a_way_that_is_closed() {
    let fixture = fixture_with(|rules| rules.sign_in = SignInWays::OpenId).await;
    fixture.user("kari@agency.example", &[]).await;
    let email = "kari@agency.example".parse().unwrap();
    let registry = &fixture.registry;
    assert!(matches!(
        fixture.sign_in("kari@agency.example", PASSWORD).await,
        Err(PeopleError::Way)
    ));
    let up = registry.sign_up(&email, "Kari", Language::English, None).await;
    assert!(matches!(up, Err(PeopleError::Way)));
    assert!(matches!(registry.ask_for_reset(&email, None).await, Err(PeopleError::Way)));
    let fixture = self::fixture().await;
    let identity = identity("1", "kari@agency.example");
    let refused = fixture.registry.sign_in_open_id(&identity, Language::English, None, None).await;
    assert!(matches!(refused, Err(PeopleError::Way)));
}
