//! The second factor, from enrolling to losing the telephone.

use super::*;
use crate::keys::second_factor::Authenticator;

/// The code that an authenticator with this secret shows.
async fn code(fixture: &Fixture, email: &str) -> String {
    let email = email.parse().unwrap();
    let file = fixture.registry.store.user_by_email(&email).await.unwrap().unwrap();
    let seal = fixture.registry.secrets.as_ref().unwrap();
    let sealed = file.proofs.totp_secret.unwrap();
    let id = file.user.value.id;
    let authenticator = Authenticator::open(seal, &sealed, id.as_str()).unwrap();
    authenticator.code_at(fixture.clock.now())
}

const EMAIL: &str = "kari@agency.example";

/// Kari with a second factor, her session and her recovery codes.
async fn enrolled() -> (Fixture, SessionToken, Vec<String>) {
    let fixture = fixture().await;
    fixture.user(EMAIL, &[]).await;
    let token = fixture.token(EMAIL).await;
    let other = fixture.token(EMAIL).await;
    let session = fixture.session(&token).await.unwrap();
    let enrolment = fixture.registry.enrol_second_factor(&session, PASSWORD, None).await.unwrap();
    assert!(enrolment.address.contains(&enrolment.secret));
    assert!(fixture.session(&other).await.is_some(), "nothing is asked before it is proved");
    let wrong = fixture.registry.confirm_second_factor(&session, "000000", None).await;
    assert!(matches!(wrong, Err(PeopleError::Code)));
    let right = code(&fixture, EMAIL).await;
    let codes = fixture.registry.confirm_second_factor(&session, &right, None).await.unwrap();
    assert_eq!(codes.len(), 10);
    assert!(fixture.session(&token).await.is_some());
    assert!(fixture.session(&other).await.is_none());
    (fixture, token, codes)
}

async fn half(fixture: &Fixture) -> SessionToken {
    match fixture.sign_in(EMAIL, PASSWORD).await.unwrap() {
        SignedIn::NeedsSecondFactor(token) => token,
        SignedIn::Done(_) => panic!("the password is enough"),
    }
}

#[tokio::test]
async fn the_password_alone_opens_nothing_and_a_code_counts_once() {
    let (fixture, _, _) = enrolled().await;
    let registry = &fixture.registry;
    let first = half(&fixture).await;
    assert!(fixture.session(&first).await.is_none());
    assert_eq!(registry.awaits_second_factor(&first).await.unwrap().unwrap().email.as_str(), EMAIL);
    // The code with which it was enrolled has been used.
    let used = code(&fixture, EMAIL).await;
    let replayed = registry.prove_second_factor(&first, &used, None).await;
    assert!(matches!(replayed, Err(PeopleError::Code)));
    fixture.pass(30);
    let fresh = code(&fixture, EMAIL).await;
    let opened = registry.prove_second_factor(&first, &fresh, None).await.unwrap();
    assert_ne!(opened.as_str(), first.as_str());
    assert!(fixture.session(&opened).await.is_some() && fixture.session(&first).await.is_none());
    let second = half(&fixture).await;
    let replayed = registry.prove_second_factor(&second, &fresh, None).await;
    assert!(matches!(replayed, Err(PeopleError::Code)));
    // A session that is open already proves nothing.
    assert!(registry.awaits_second_factor(&opened).await.unwrap().is_none());
}

#[tokio::test]
async fn codes_are_not_guessed_and_the_password_between_them_does_not_help() {
    let (fixture, _, _) = enrolled().await;
    let mut wrong = 0;
    loop {
        fixture.pass(1);
        let Ok(SignedIn::NeedsSecondFactor(token)) = fixture.sign_in(EMAIL, PASSWORD).await else {
            break;
        };
        match fixture.registry.prove_second_factor(&token, "000000", None).await {
            Err(PeopleError::Code) => wrong += 1,
            Err(PeopleError::Wait { .. }) => break,
            other => panic!("{other:?}"),
        }
    }
    // As many as may fail before anybody waits.
    assert_eq!(wrong, 5, "{wrong} codes were judged");
}

#[tokio::test]
async fn wrong_passwords_of_others_do_not_keep_out_who_has_the_password_and_the_code() {
    let (fixture, _, _) = enrolled().await;
    fixture.pass(30);
    // Somebody tries until the wait is longer than a password stays good without its code.
    loop {
        match fixture.sign_in(EMAIL, "not her password").await {
            Err(PeopleError::Refused) => {}
            Err(PeopleError::Wait { until }) => {
                let wait = until.seconds() - fixture.clock.now().seconds();
                fixture.pass(wait);
                if wait == 900 {
                    break;
                }
            }
            other => panic!("{other:?}"),
        }
    }
    for _ in 0..3 {
        half(&fixture).await;
    }
    let token = half(&fixture).await;
    let code = code(&fixture, EMAIL).await;
    fixture.registry.prove_second_factor(&token, &code, None).await.unwrap();
}

#[tokio::test]
async fn whoever_finds_a_session_open_cannot_lock_its_owner_out() {
    let fixture = fixture().await;
    fixture.user(EMAIL, &[]).await;
    let token = fixture.token(EMAIL).await;
    let session = fixture.session(&token).await.unwrap();
    let registry = &fixture.registry;
    for guess in ["", "guess one", "guess two", "guess three", "guess four"] {
        let refused = registry.enrol_second_factor(&session, guess, None).await;
        assert!(matches!(refused, Err(PeopleError::Refused)), "{refused:?}");
    }
    let waits = registry.enrol_second_factor(&session, PASSWORD, None).await;
    assert!(matches!(waits, Err(PeopleError::Wait { .. })), "{waits:?}");
    // Her guesses make nobody wait who signs in.
    let again = fixture.token(EMAIL).await;
    fixture.pass(30);
    let session = fixture.session(&again).await.unwrap();
    registry.enrol_second_factor(&session, PASSWORD, None).await.unwrap();
    assert_eq!(fixture.mails().await.len(), 0, "nothing is asked for yet");
    let right = code(&fixture, EMAIL).await;
    let codes = registry.confirm_second_factor(&session, &right, None).await.unwrap();
    registry.remove_second_factor(&session, &codes[0], None).await.unwrap();
    let mut subjects: Vec<_> =
        fixture.mails().await.into_iter().map(|(_, subject, _)| subject).collect();
    // Both are of the same second, and nothing says which is first.
    subjects.sort();
    assert!(
        subjects[0].ends_with("turned off") && subjects[1].ends_with("turned on"),
        "{subjects:?}"
    );
}

#[tokio::test]
async fn the_second_factor_is_proved_within_ten_minutes() {
    let (fixture, _, _) = enrolled().await;
    let late = half(&fixture).await;
    fixture.pass(10 * 60);
    let code = code(&fixture, EMAIL).await;
    let refused = fixture.registry.prove_second_factor(&late, &code, None).await;
    assert!(matches!(refused, Err(PeopleError::SignedOut)));
}

#[tokio::test]
async fn a_recovery_code_counts_once_and_ends_the_second_factor_if_it_must() {
    let (fixture, _, codes) = enrolled().await;
    let registry = &fixture.registry;
    let token = registry.prove_second_factor(&half(&fixture).await, &codes[0], None).await.unwrap();
    let session = fixture.session(&token).await.unwrap();
    let state = registry.second_factor(&session).await.unwrap();
    assert_eq!(state, SecondFactorState::Active { recovery_codes: 9 });
    let again = registry.prove_second_factor(&half(&fixture).await, &codes[0], None).await;
    assert!(matches!(again, Err(PeopleError::Code)));
    let without = registry.remove_second_factor(&session, "000000", None).await;
    assert!(matches!(without, Err(PeopleError::Code)));
    registry.remove_second_factor(&session, &codes[1], None).await.unwrap();
    assert!(matches!(fixture.sign_in(EMAIL, PASSWORD).await, Ok(SignedIn::Done(_))));
}

#[tokio::test]
async fn a_second_factor_outlives_the_password() {
    let (fixture, _, _) = enrolled().await;
    assert_eq!(fixture.mails().await.len(), 1, "that the second factor is in use");
    fixture.registry.ask_for_reset(&EMAIL.parse().unwrap(), None).await.unwrap();
    let link = fixture.link().await;
    fixture.registry.follow_link(&link, PASSWORD, None).await.unwrap();
    assert!(fixture.session(&half(&fixture).await).await.is_none());
}
