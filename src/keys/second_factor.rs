//! The second factor: codes of an authenticator (RFC 6238), and recovery codes for when it is lost.

use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use totp_rs::{Builder, Secret};
use zeroize::Zeroizing;

use crate::clock::{Random, Timestamp};
use crate::keys::secret_token::hash_of;
use crate::keys::{KeyError, sealing};

/// Bytes of a secret (RFC 4226 section 4).
const SECRET_BYTES: usize = 20;

/// Recovery codes that somebody gets at once, and the letters of each: 50 random bits.
const RECOVERY_CODES: usize = 10;
const RECOVERY_CODE_LETTERS: usize = 10;

/// Letters of recovery codes: base32 (RFC 4648 section 6), in which no digit looks like a letter.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// The key under which the secrets of second factors are kept.
#[derive(Clone)]
pub struct SecretSeal(Arc<LessSafeKey>);

impl SecretSeal {
    /// Seals with these 32 bytes.
    pub(super) fn new(key: &[u8]) -> Result<Self, KeyError> {
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| KeyError::SealingKey)?;
        Ok(Self(Arc::new(LessSafeKey::new(key))))
    }

    /// Encrypts `secret` so that it opens only with this key and for the same `owner`.
    pub fn seal(
        &self,
        secret: &[u8],
        owner: &str,
        random: &dyn Random,
    ) -> Result<String, KeyError> {
        sealing::seal(&self.0, secret, owner, random)
    }

    /// Decrypts what [`SecretSeal::seal`] made for this `owner`.
    pub fn open(&self, sealed: &str, owner: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        sealing::open(&self.0, sealed, owner)
    }
}

/// What an authenticator and this server share.
pub struct Authenticator {
    secret: Zeroizing<Vec<u8>>,
}

impl Authenticator {
    /// A new secret.
    pub fn generate(random: &dyn Random) -> Self {
        let mut secret = Zeroizing::new(vec![0; SECRET_BYTES]);
        random.fill(&mut secret);
        Self { secret }
    }

    /// The one whose secret [`Authenticator::seal`] has encrypted for this `owner`.
    pub fn open(seal: &SecretSeal, sealed: &str, owner: &str) -> Result<Self, KeyError> {
        Ok(Self { secret: seal.open(sealed, owner)? })
    }

    /// The secret as it is kept.
    pub fn seal(
        &self,
        seal: &SecretSeal,
        owner: &str,
        random: &dyn Random,
    ) -> Result<String, KeyError> {
        seal.seal(&self.secret, owner, random)
    }

    /// The secret as people type it into an authenticator.
    pub fn as_text(&self) -> String {
        Secret::from(self.secret.to_vec()).to_base32()
    }

    /// The `otpauth:` address that authenticators read, for an account of the server `name`.
    pub fn address(&self, name: &str, account: &str) -> Result<String, KeyError> {
        // A colon stands between the two.
        let name = name.replace(':', " ");
        let builder = self.builder().with_account_name(account).with_issuer(Some(name));
        let totp = builder.build().map_err(|_| KeyError::SecondFactor)?;
        totp.to_url().map_err(|_| KeyError::SecondFactor)
    }

    /// The step of time that a code is of, if it is one of now, of the step before or of the step after. Each step
    /// counts once: whoever asks holds that it is later than the last.
    pub fn step_of(&self, code: &str, now: Timestamp) -> Option<i64> {
        let totp = self.builder().build().ok()?;
        let step = totp.check(code, u64::try_from(now.seconds()).ok()?)?;
        i64::try_from(step).ok()
    }

    /// The code of that moment.
    #[cfg(test)]
    pub fn code_at(&self, now: Timestamp) -> String {
        let totp = self.builder().build();
        let seconds = u64::try_from(now.seconds()).unwrap_or_default();
        totp.map(|totp| totp.generate(seconds).to_string()).unwrap_or_default()
    }

    /// Six digits of 30 seconds by SHA-1, which is what every authenticator can do.
    fn builder(&self) -> Builder {
        Builder::new().with_secret(self.secret.to_vec())
    }
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authenticator(not shown)")
    }
}

/// New recovery codes.
pub fn recovery_codes(random: &dyn Random) -> Vec<String> {
    let code = |_| {
        let mut bytes = [0; RECOVERY_CODE_LETTERS];
        random.fill(&mut bytes);
        bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
    };
    (0..RECOVERY_CODES).map(code).collect()
}

/// What is kept of a recovery code. It is random enough for a quick hash; how people space and write it does not
/// matter.
pub fn recovery_code_hash(code: &str) -> String {
    let letters = code.chars().filter(char::is_ascii_alphanumeric);
    hash_of(&letters.collect::<String>().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemRandom;

    #[test]
    fn codes_are_those_of_rfc_6238() {
        let secret = Zeroizing::new(b"12345678901234567890".to_vec());
        let authenticator = Authenticator { secret };
        // Appendix B, of which six digits are shown.
        for (at, code) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")] {
            let at = Timestamp::from_seconds(at);
            assert_eq!(authenticator.step_of(code, at), Some(at.seconds() / 30));
            assert_eq!(authenticator.step_of(code, at.plus_seconds(90)), None);
        }
        for wrong in ["", "28708", "2870820", "28708a", "287083", "-87082", "\u{0662}87082"] {
            assert_eq!(authenticator.step_of(wrong, Timestamp::from_seconds(59)), None, "{wrong}");
        }
        assert_eq!(authenticator.as_text(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let address = authenticator.address("Etat: test", "kari@etat.example").unwrap();
        assert!(address.starts_with("otpauth://totp/Etat"), "{address}");
        assert!(address.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), "{address}");
    }

    #[test]
    fn a_secret_opens_for_its_owner_only() {
        let seal = SecretSeal::new(&[7; 32]).unwrap();
        let authenticator = Authenticator::generate(&SystemRandom);
        let sealed = authenticator.seal(&seal, "kari", &SystemRandom).unwrap();
        let opened = Authenticator::open(&seal, &sealed, "kari").unwrap();
        assert_eq!(opened.as_text(), authenticator.as_text());
        assert!(Authenticator::open(&seal, &sealed, "ola").is_err());
        assert!(Authenticator::open(&SecretSeal::new(&[8; 32]).unwrap(), &sealed, "kari").is_err());
    }

    #[test]
    fn recovery_codes_differ_and_are_read_as_people_write_them() {
        let codes = recovery_codes(&SystemRandom);
        assert_eq!(codes.len(), 10);
        assert!(
            codes.iter().all(|code| code.len() == 10 && *code != codes[0] || code == &codes[0])
        );
        let spaced = format!(" {}-{} ", &codes[0][..5].to_uppercase(), &codes[0][5..]);
        assert_eq!(recovery_code_hash(&spaced), recovery_code_hash(&codes[0]));
        assert_ne!(recovery_code_hash(&codes[0]), recovery_code_hash(&codes[1]));
    }
}
