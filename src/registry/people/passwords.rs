//! Passwords: which are good enough, and hashing them so that it holds nobody else up.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::clock::Random;
use crate::domain::user::User;
use crate::keys::password::PasswordHash;
use crate::registry::people::{PasswordProblem, PeopleError};

/// Passwords that are hashed at the same time: each takes 19 MiB and a core that tokens are signed with.
const HASHED_AT_ONCE: usize = 2;

/// How long somebody waits for their turn before they are told to come again.
const TURN_TIME_MAX: Duration = Duration::from_secs(5);

/// The longest password, in characters. NIST SP 800-63B asks for 64 at least; hashing does not care.
const CHARACTERS_MAX: usize = 256;

/// A password has letters of its own: what is left of it without the name of its user and the like.
const OWN_CHARACTERS_MIN: usize = 8;

/// And so many different ones.
const DIFFERENT_CHARACTERS_MIN: usize = 5;

/// What people take who are told to take twelve characters, each also with something behind it.
const COMMON: [&str; 14] = [
    "12345678",
    "abcdefgh",
    "administrator",
    "changeme",
    "iloveyou",
    "letmein",
    "maskinporten",
    "passord",
    "password",
    "portvakt",
    "qwerty",
    "qwertyui",
    "sommer",
    "velkommen",
];

/// Hashes passwords, some at a time.
#[derive(Debug)]
pub(in crate::registry) struct Passwords {
    turns: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(HASHED_AT_ONCE)) }
    }
}

impl Passwords {
    /// The hash of a password.
    pub(super) async fn hash(
        &self,
        password: &str,
        random: Arc<dyn Random>,
    ) -> Result<PasswordHash, PeopleError> {
        let password = zeroize::Zeroizing::new(password.to_owned());
        Ok(self.in_turn(move || PasswordHash::of(&password, &*random)).await??)
    }

    /// Whether the hash is that of the password. Without a hash it is not, and finding out takes as long.
    pub(super) async fn verify(
        &self,
        hash: Option<String>,
        password: &str,
        random: Arc<dyn Random>,
    ) -> Result<bool, PeopleError> {
        let password = zeroize::Zeroizing::new(password.to_owned());
        let verify = move || {
            let is_there = hash.is_some();
            let hash = match hash {
                Some(kept) => PasswordHash::from_kept(kept),
                None => PasswordHash::of_nobody(&*random)?,
            };
            Ok(hash.is_of(&password) && is_there)
        };
        self.in_turn(verify).await?
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PeopleError> {
        let turn = timeout(TURN_TIME_MAX, Arc::clone(&self.turns).acquire_owned()).await;
        let turn = turn.map_err(|_| PeopleError::Busy)?.map_err(|_| PeopleError::Busy)?;
        let work = move || {
            // Whoever asked may be gone; the turn ends with the work.
            let done = work();
            drop(turn);
            done
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| PeopleError::Busy)
    }
}

/// Holds that a password is one that a person may choose (NIST SP 800-63B section 3.1.1.2): long enough, and not among
/// the first that anybody would try. What it is made of is not judged.
pub(super) fn check_password(
    password: &str,
    user: &User,
    organization: &str,
    least: usize,
) -> Result<(), PasswordProblem> {
    let characters = password.chars().count();
    if characters < least {
        return Err(PasswordProblem::Short { least });
    }
    if characters > CHARACTERS_MAX {
        return Err(PasswordProblem::Long { most: CHARACTERS_MAX });
    }
    let lower = password.to_lowercase();
    let mut different: Vec<char> = lower.chars().collect();
    different.sort_unstable();
    different.dedup();
    let local = user.email.as_str().split('@').next().unwrap_or_default();
    let known =
        [user.email.as_str(), local, user.email.domain().as_str(), &user.name, organization];
    let known = known.into_iter().chain(COMMON).filter(|word| word.len() > 2);
    let mut own = lower.clone();
    for word in known {
        own = own.replace(&word.to_lowercase(), "");
    }
    let own = own.chars().filter(|c| c.is_alphanumeric()).count();
    let is_easy = different.len() < DIFFERENT_CHARACTERS_MIN || own < OWN_CHARACTERS_MIN;
    if is_easy { Err(PasswordProblem::Easy) } else { Ok(()) }
}
