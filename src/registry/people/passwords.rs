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

/// What people take who are told to take twelve characters, each also with something behind it; the longest first,
/// because short ones are parts of others.
#[rustfmt::skip]
const COMMON: &[&str] = &[
    "administrator", "1q2w3e4r5t6y", "kristiansand", "maskinporten", "passphrase", "987654321",
    "christmas", "sarpsborg", "september", "stavanger", "trondheim", "utvikling", "velkommen",
    "12345678", "1q2w3e4r", "abcdefgh", "changeme", "computer", "december", "desember", "eksempel",
    "february", "football", "hemmelig", "iloveyou", "november", "password", "portvakt", "princess",
    "qwertyui", "sunshine", "superman", "trustno1", "velkomen", "whatever", "default", "drammen",
    "februar", "fotball", "january", "laurdag", "letmein", "lørdag", "michael", "måndag",
    "october", "oktober", "passord", "søndag", "tirsdag", "torsdag", "welcome", "abc123", "asdfgh",
    "august", "autumn", "bergen", "dragon", "fredag", "friday", "januar", "london", "mandag",
    "master", "monday", "monkey", "norway", "påske", "qazwsx", "qwerty", "secret", "sommar",
    "sommer", "spring", "summer", "sunday", "vinter", "winter", "zxcvbn", "gjest", "hallo",
    "haust", "hello", "høst", "jesus", "kaffe", "march", "noreg", "norge", "juli", "july", "june",
    "juni", "mars", "oslo", "test", "vår", "jul",
];

/// Digits in a row from which on they look like a year, a date or a count behind a word.
const YEAR: usize = 4;

/// How many of such are no secret.
const DIGITS_FREE: usize = 6;

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
    let whole =
        [user.email.as_str(), local, user.email.domain().as_str(), &user.name, organization];
    let known = whole.into_iter().chain(whole.into_iter().flat_map(str::split_whitespace));
    let known = known.chain(COMMON.iter().copied()).filter(|word| word.len() > 2);
    let mut own = lower.clone();
    for word in known {
        own = own.replace(&word.to_lowercase(), "");
    }
    let letters = own.chars().filter(|c| c.is_alphabetic()).count();
    let runs = own.split(|c: char| !c.is_numeric()).map(|run| run.chars().count());
    let digits: usize =
        runs.map(|run| if run < YEAR { run } else { run.saturating_sub(DIGITS_FREE) }).sum();
    let own = letters + digits;
    let is_easy = different.len() < DIFFERENT_CHARACTERS_MIN || own < OWN_CHARACTERS_MIN;
    if is_easy { Err(PasswordProblem::Easy) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::language::Language;
    use crate::domain::user::UserStatus;

    #[test]
    fn what_anybody_would_try_first_is_refused_and_what_people_make_up_is_not() {
        let user = User {
            id: "u".parse().unwrap(),
            email: "kari.nordmann@fjord.example".parse().unwrap(),
            name: "Kari Nordmann".to_owned(),
            organization: "310000108".parse().unwrap(),
            language: Language::Bokmal,
            status: UserStatus::Active,
            roles: Vec::new(),
        };
        let judged = |password| check_password(password, &user, "Fjord Data AS", 12);
        for easy in [
            "Vinter2026!!",
            "Welcome123456",
            "1q2w3e4r5t6y",
            "Oslo2026Oslo",
            "hemmelig1234",
            "norge1234567",
            "abc123abc123x",
            "KariNordmann1",
            "fjord.example7",
            "aaaaaaaaaaaa1",
        ] {
            assert_eq!(judged(easy), Err(PasswordProblem::Easy), "{easy}");
        }
        for good in ["seks grønne elger", "korrekt hest batteri", "T7#kd93Lq!zx", "839201758264518"]
        {
            assert_eq!(judged(good), Ok(()), "{good}");
        }
    }
}
