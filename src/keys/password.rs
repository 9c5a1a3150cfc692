//! Passwords, as they are kept: Argon2id, slow on purpose.

use std::sync::OnceLock;

use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use thiserror::Error;

use crate::clock::Random;
use crate::keys::secret_token::LinkToken;

/// What one attempt costs: 19 MiB and two passes on one thread, the least that OWASP's password storage cheat sheet
/// takes. Some 30 ms; more would let fewer people sign in at once than an office has in the morning.
const MEMORY_KIB: u32 = 19 * 1_024;
const PASSES: u32 = 2;
const THREADS: u32 = 1;

/// Random bytes of a salt (RFC 9106 section 3.1).
const SALT_BYTES: usize = 16;

/// What is kept of a password, in PHC form.
#[derive(Clone, Eq, PartialEq)]
pub struct PasswordHash(String);

/// The library could not hash a password.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("a password could not be hashed")]
pub struct PasswordHashError;

impl PasswordHash {
    /// Hashes a password. It takes a while: call it where nobody else waits.
    pub fn of(password: &str, random: &dyn Random) -> Result<Self, PasswordHashError> {
        let mut salt = [0; SALT_BYTES];
        random.fill(&mut salt);
        let hashed = hasher()?.hash_password_with_salt(password.as_bytes(), &salt);
        hashed.map(|phc| Self(phc.to_string())).map_err(|_| PasswordHashError)
    }

    /// What the database holds.
    pub fn from_kept(text: String) -> Self {
        Self(text)
    }

    /// What the database is to hold.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the hash of that password. It takes as long as [`PasswordHash::of`].
    pub fn is_of(&self, password: &str) -> bool {
        let (Ok(hasher), Ok(phc)) = (hasher(), Phc::new(&self.0)) else { return false };
        hasher.verify_password(password.as_bytes(), &phc).is_ok()
    }

    /// The hash of no password that anybody knows, to be compared with where there is none: that takes just as long.
    pub fn of_nobody(random: &dyn Random) -> Result<Self, PasswordHashError> {
        static NOBODY: OnceLock<PasswordHash> = OnceLock::new();
        if let Some(known) = NOBODY.get() {
            return Ok(known.clone());
        }
        let made = Self::of(LinkToken::generate(random).as_str(), random)?;
        Ok(NOBODY.get_or_init(|| made).clone())
    }
}

fn hasher() -> Result<Argon2<'static>, PasswordHashError> {
    let params = Params::new(MEMORY_KIB, PASSES, THREADS, None).map_err(|_| PasswordHashError)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(not shown)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemRandom;

    #[test]
    fn a_hash_is_of_one_password_and_never_the_same_twice() {
        let hash = PasswordHash::of("correct horse battery", &SystemRandom).unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.as_str());
        assert!(hash.is_of("correct horse battery"));
        assert!(!hash.is_of("correct horse batterz"));
        assert_ne!(hash, PasswordHash::of("correct horse battery", &SystemRandom).unwrap());
        assert!(!PasswordHash::of_nobody(&SystemRandom).unwrap().is_of(""));
        assert!(!PasswordHash::from_kept("not a hash".to_owned()).is_of("not a hash"));
        assert!(!format!("{hash:?}").contains("argon2"));
    }
}
