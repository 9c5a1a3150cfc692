//! People: signing up, signing in, sessions, second factors, and who has which role.
//!
//! Three things hold throughout. Nobody learns from an answer, or from how long it takes, whether somebody else is
//! registered. What is decided about a person, their organization or their password holds with their next request,
//! because a session is nothing but a name for a row that is read with each. And no secret is kept as it is: tokens,
//! links and recovery codes as hashes, passwords as slow ones, secrets of second factors sealed.

mod error;
mod links;
mod mails;
mod open_id;
mod passwords;
mod profile;
mod second_factor;
mod sessions;
mod sign_in;
mod sign_up;
mod users;

use crate::domain::email_address::EmailAddress;
use crate::domain::environment::{About, Environment, EnvironmentColour, SelfService};
use crate::domain::organization::OrganizationNumber;
use crate::domain::sign_in::SignInWays;
use crate::domain::user::User;
use crate::registry::Actor;
use crate::registry::change::Act;

use crate::domain::change::ChangedNoun;

pub use error::{PasswordProblem, PeopleError};
pub use links::KnownLink;
pub use open_id::OpenIdIdentity;
pub(super) use passwords::Passwords;
pub use second_factor::{Enrolment, SecondFactorState};
pub use sessions::Session;
pub use sign_in::{SignInPlace, SignedIn};
pub use users::NewUser;

/// What the operator has decided about people.
#[derive(Clone, Debug)]
pub struct PeopleRules {
    /// What they serve themselves in.
    pub environment: Environment,
    /// The operator's organization, whose users alone may be operators.
    pub operator: Option<OrganizationNumber>,
    /// Where they reach the portal; ends in a slash.
    pub portal_url: String,
    /// By which ways they sign in.
    pub sign_in: SignInWays,
    /// Seconds after which somebody who does nothing is signed out.
    pub idle_seconds: i64,
    /// Seconds after which everybody is signed out.
    pub session_seconds: i64,
    /// Characters of a password, at least.
    pub password_characters_min: usize,
    /// How many attempts to sign in may fail before the next has to wait.
    pub attempts_free: u32,
    /// Seconds of the first wait; each later one is twice as long.
    pub wait_seconds: i64,
    /// Seconds of a wait, at most.
    pub wait_seconds_max: i64,
}

impl Default for PeopleRules {
    /// The rules of a server that is told nothing.
    fn default() -> Self {
        Self {
            environment: Environment {
                name: "Portvakt".to_owned(),
                colour: EnvironmentColour::Grey,
                self_service: SelfService::Restricted,
                sisters: Vec::new(),
                about: About::default(),
            },
            operator: None,
            portal_url: "http://127.0.0.1:7081/".to_owned(),
            sign_in: SignInWays::Password,
            idle_seconds: 30 * 60,
            session_seconds: 8 * 60 * 60,
            password_characters_min: 12,
            attempts_free: 5,
            wait_seconds: 30,
            wait_seconds_max: 15 * 60,
        }
    }
}

/// A person who acts on what is their own, before or without a session.
fn themselves(user: &User, trace_id: Option<&str>) -> Actor {
    Actor {
        name: user.email.to_string(),
        organization: Some(user.organization),
        rights: crate::domain::right::Rights::default(),
        trace_id: trace_id.map(ToOwned::to_owned),
    }
}

fn on_user(verb: &'static str, email: &EmailAddress) -> Act {
    Act { verb, noun: ChangedNoun::User, key: email.to_string() }
}

#[cfg(test)]
mod tests;
