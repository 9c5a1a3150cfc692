//! People without a server around them, with a clock that stands still until a test moves it.

mod roles;
mod second_factor;
mod sessions;
mod sign_in;
mod sign_up;

use std::sync::Arc;

use super::*;
use crate::clock::{Clock as _, StandingClock, SystemRandom};
use crate::domain::language::Language;
use crate::domain::organization::{EmailDomain, Organization, OrganizationStatus};
use crate::domain::right::{Right, Rights};
use crate::domain::user::{Role, UserStatus};
use crate::keys::SealingKey;
use crate::keys::secret_token::{LinkToken, SessionToken};
use crate::registry::{Outbox, Registry, RegistryError, RegistryRules};
use crate::store::Store;

/// The operator's organization, and another.
const OPERATOR: &str = "310000108";
const AGENCY: &str = "310000116";

const PASSWORD: &str = "correct horse battery";

struct Fixture {
    registry: Registry,
    clock: Arc<StandingClock>,
    _folder: tempfile::TempDir,
}

async fn fixture() -> Fixture {
    fixture_with(|_| {}).await
}

async fn fixture_with(edit: impl FnOnce(&mut PeopleRules)) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("a.db")).await.unwrap();
    store.migrate().await.unwrap();
    let clock = Arc::new(StandingClock::at(1_800_000_000));
    let key = SealingKey::from_base64(&SealingKey::generate(&SystemRandom)).unwrap();
    let mut rules = RegistryRules::new("https://as.test/", 7_200);
    rules.people.operator = Some(OPERATOR.parse().unwrap());
    edit(&mut rules.people);
    let its_clock = Arc::<StandingClock>::clone(&clock);
    let random = Arc::new(SystemRandom);
    let registry = Registry::alone(store, its_clock, random, key.audit_seal(), rules)
        .keeping_secrets(key.secret_seal())
        .with_outbox(Outbox::default());
    let server = server();
    for (number, domain) in [(OPERATOR, "operator.example"), (AGENCY, "agency.example")] {
        let organization = Organization::new(number.parse().unwrap(), number);
        let domain: EmailDomain = domain.parse().unwrap();
        registry.admit_organization(&server, &organization, &[domain]).await.unwrap();
    }
    Fixture { registry, clock, _folder: folder }
}

fn server() -> Actor {
    Actor::server("test")
}

impl Fixture {
    fn pass(&self, seconds: i64) {
        self.clock.set(self.clock.now().plus_seconds(seconds).seconds());
    }

    /// A user who can sign in with [`PASSWORD`].
    async fn user(&self, email: &str, roles: &[Role]) -> User {
        let organization = if email.ends_with("@operator.example") { OPERATOR } else { AGENCY };
        let new = NewUser {
            email: email.parse().unwrap(),
            name: "Kari".to_owned(),
            organization: organization.parse().unwrap(),
            language: Language::English,
            roles: roles.to_vec(),
        };
        self.registry.provide_user(&server(), new, PASSWORD).await.unwrap()
    }

    async fn sign_in(&self, email: &str, password: &str) -> Result<SignedIn, PeopleError> {
        self.registry
            .sign_in(&email.parse().unwrap(), password, &SignInPlace::Unknown, None, None)
            .await
    }

    /// The token of somebody who signs in without a second factor.
    async fn token(&self, email: &str) -> SessionToken {
        match self.sign_in(email, PASSWORD).await.unwrap() {
            SignedIn::Done(token) => token,
            SignedIn::NeedsSecondFactor(_) => panic!("a second factor is asked for"),
        }
    }

    async fn session(&self, token: &SessionToken) -> Option<Session> {
        self.registry.session(token).await.unwrap()
    }

    /// The mails that are on their way, oldest first: to whom, about what, and the text.
    async fn mails(&self) -> Vec<(String, String, String)> {
        let (now, end) = (self.clock.now(), self.clock.now().plus_seconds(1_000_000));
        let mut found = Vec::new();
        while let Some(claimed) = self.registry.store.claim_mail(now, end).await.unwrap() {
            let mail = claimed.mail;
            found.push((
                mail.recipient().to_string(),
                mail.subject().to_owned(),
                mail.body().to_owned(),
            ));
        }
        found
    }

    /// The link in the one mail that is on its way.
    async fn link(&self) -> LinkToken {
        let mails = self.mails().await;
        assert_eq!(mails.len(), 1, "{mails:?}");
        let after = mails[0].2.split("token=").nth(1).unwrap();
        after[..43].parse().unwrap()
    }

    async fn set_organization(&self, status: OrganizationStatus) {
        let number = AGENCY.parse().unwrap();
        let edit = |it: &mut Organization| it.status = status;
        self.registry.change_organization(&server(), number, None, edit).await.unwrap();
    }
}
