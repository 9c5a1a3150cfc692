//! The private halves of signing keys, encrypted at rest.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::clock::Random;
use crate::keys::KeyError;
use crate::keys::backup_seal::BackupSeal;
use crate::keys::cursor::CursorSeal;
use crate::keys::second_factor::SecretSeal;
use crate::store::AuditSeal;

/// Bytes of a sealing key: AES-256.
const KEY_BYTES: usize = 32;

/// The key under which private halves are encrypted in the database. It comes from outside the
/// database, so that a copy of the database alone signs nothing.
pub struct SealingKey {
    private_halves: LessSafeKey,
    audit: AuditSeal,
    cursors: CursorSeal,
    secrets: SecretSeal,
    backups: BackupSeal,
}

/// What tells the keys for other purposes apart that are made from the same secret.
const AUDIT_PURPOSE: &[u8] = b"portvakt audit trail, version 1";
const CURSOR_PURPOSE: &[u8] = b"portvakt list cursors, version 1";
const BACKUP_PURPOSE: &[u8] = b"portvakt backups, version 1";
const SECRET_PURPOSE: &[u8] = b"portvakt secrets of users, version 1";

impl SealingKey {
    /// Reads 32 bytes of standard base64, white space around them ignored.
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        let bytes = STANDARD.decode(text.trim()).map(Zeroizing::new);
        let bytes =
            bytes.ok().filter(|bytes| bytes.len() == KEY_BYTES).ok_or(KeyError::SealingKey)?;
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| KeyError::SealingKey)?;
        let secret = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
        Ok(Self {
            private_halves: LessSafeKey::new(key),
            audit: AuditSeal::new(hmac::sign(&secret, AUDIT_PURPOSE).as_ref()),
            cursors: CursorSeal::new(hmac::sign(&secret, CURSOR_PURPOSE).as_ref()),
            secrets: SecretSeal::new(hmac::sign(&secret, SECRET_PURPOSE).as_ref())?,
            backups: BackupSeal::new(hmac::sign(&secret, BACKUP_PURPOSE).as_ref()),
        })
    }

    /// What the audit trail is sealed with.
    pub fn audit_seal(&self) -> AuditSeal {
        self.audit.clone()
    }

    /// What the cursors of lists are sealed with.
    pub fn cursor_seal(&self) -> CursorSeal {
        self.cursors.clone()
    }

    /// What the secrets of users are sealed with.
    pub fn secret_seal(&self) -> SecretSeal {
        self.secrets.clone()
    }

    /// What backups are sealed with.
    pub fn backup_seal(&self) -> BackupSeal {
        self.backups.clone()
    }

    /// A new sealing key in the form that [`SealingKey::from_base64`] reads.
    pub fn generate(random: &dyn Random) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        random.fill(bytes.as_mut());
        Zeroizing::new(STANDARD.encode(bytes.as_ref()))
    }

    /// Encrypts `secret` so that it opens only with this key and under the same `kid`: the row of one
    /// key cannot be put in the place of another's.
    pub fn seal(&self, secret: &[u8], kid: &str, random: &dyn Random) -> Result<String, KeyError> {
        seal(&self.private_halves, secret, kid, random)
    }

    /// Decrypts what [`SealingKey::seal`] made for this `kid`.
    pub fn open(&self, sealed: &str, kid: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        open(&self.private_halves, sealed, kid)
    }
}

/// Encrypts `secret` so that it opens only with `key` and under the same `name`.
pub(super) fn seal(
    key: &LessSafeKey,
    secret: &[u8],
    name: &str,
    random: &dyn Random,
) -> Result<String, KeyError> {
    let mut nonce = [0; NONCE_LEN];
    random.fill(&mut nonce);
    let mut text = secret.to_vec();
    let nonce_of_key = Nonce::assume_unique_for_key(nonce);
    key.seal_in_place_append_tag(nonce_of_key, Aad::from(name.as_bytes()), &mut text)
        .map_err(|_| KeyError::Sealed)?;
    Ok(URL_SAFE_NO_PAD.encode([&nonce[..], &text].concat()))
}

/// Decrypts what [`seal`] made under this `name`.
pub(super) fn open(
    key: &LessSafeKey,
    sealed: &str,
    name: &str,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| KeyError::Sealed)?;
    let (nonce, text) = bytes.split_at_checked(NONCE_LEN).ok_or(KeyError::Sealed)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| KeyError::Sealed)?;
    let mut text = Zeroizing::new(text.to_vec());
    let opened = key.open_in_place(nonce, Aad::from(name.as_bytes()), &mut text);
    let length = opened.map_err(|_| KeyError::Sealed)?.len();
    text.truncate(length);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemRandom;

    #[test]
    fn opens_only_what_this_key_sealed_for_this_kid() {
        let key = SealingKey::from_base64(&SealingKey::generate(&SystemRandom)).unwrap();
        let other = SealingKey::from_base64(&SealingKey::generate(&SystemRandom)).unwrap();
        let sealed = key.seal(b"secret", "a", &SystemRandom).unwrap();
        assert_eq!(&*key.open(&sealed, "a").unwrap(), b"secret");
        assert!(key.open(&sealed, "b").is_err());
        assert!(other.open(&sealed, "a").is_err());
        assert!(key.open(&sealed[..20], "a").is_err());
        assert!(key.open("", "a").is_err());
    }

    #[test]
    fn a_sealing_key_is_32_bytes() {
        for text in ["", "c2hvcnQ=", "not base64!", &STANDARD.encode([0; 33])] {
            assert!(SealingKey::from_base64(text).is_err(), "{text}");
        }
    }
}
