//! Keeps the ring of keys in step with the database: reads it, makes the first key, follows changes.

use crate::clock::{Clock, Random};
use crate::domain::algorithm::Algorithm;
use crate::domain::change::ChangedNoun;
use crate::domain::right::Right;
use crate::keys::ring::{KeyRing, SharedKeyRing};
use crate::keys::sealing::SealingKey;
use crate::keys::signing_key::{SigningKey, TokenType};
use crate::keys::{KeyError, KeyKeeperError};
use crate::store::{AuditEntry, SigningKeyRow, Store};

/// What kind of keys this installation signs with.
#[derive(Clone, Copy, Debug)]
pub struct KeyRules {
    /// The algorithm of tokens.
    pub algorithm: Algorithm,
    /// Bits of new RSA keys.
    pub rsa_bits: u32,
    /// What headers of tokens say.
    pub token_type: TokenType,
}

/// The keeper of the ring.
pub struct KeyKeeper {
    store: Store,
    sealing_key: SealingKey,
    rules: KeyRules,
    ring: SharedKeyRing,
}

impl KeyKeeper {
    /// Reads the keys in use, and makes one if there is none for the algorithm of tokens.
    pub async fn open(
        store: Store,
        sealing_key: SealingKey,
        clock: &dyn Clock,
        random: &dyn Random,
        rules: KeyRules,
    ) -> Result<Self, KeyKeeperError> {
        let ring = match read_ring(&store, &sealing_key, rules).await? {
            Some(ring) => ring,
            None => make_ring(&store, &sealing_key, clock, random, rules).await?,
        };
        Ok(Self { store, sealing_key, rules, ring: SharedKeyRing::new(ring) })
    }

    /// The ring, which later changes replace.
    pub fn ring(&self) -> SharedKeyRing {
        self.ring.clone()
    }

    /// Reads the keys in use again and puts them into the ring. When there is none to sign with, the ring
    /// stays as it is.
    pub async fn reload(&self) -> Result<(), KeyKeeperError> {
        if let Some(ring) = read_ring(&self.store, &self.sealing_key, self.rules).await? {
            self.ring.replace(ring);
        }
        Ok(())
    }
}

/// The ring as the database has it: the newest key of the algorithm signs, all keys in use are published.
async fn read_ring(
    store: &Store,
    sealing_key: &SealingKey,
    rules: KeyRules,
) -> Result<Option<KeyRing>, KeyKeeperError> {
    let mut active = None;
    let mut others = Vec::new();
    for row in store.active_signing_keys().await? {
        let sealed = row.sealed_private.as_deref().ok_or(KeyError::Sealed)?;
        let key = SigningKey::from_pkcs8(row.algorithm, &sealing_key.open(sealed, &row.kid)?)?;
        if active.is_none() && row.algorithm == rules.algorithm {
            active = Some(key);
        } else {
            others.push(key);
        }
    }
    let ring = active.map(|active| KeyRing::new(active, &others, rules.token_type));
    Ok(ring.transpose()?)
}

async fn make_ring(
    store: &Store,
    sealing_key: &SealingKey,
    clock: &dyn Clock,
    random: &dyn Random,
    rules: KeyRules,
) -> Result<KeyRing, KeyKeeperError> {
    let (key, pkcs8) = SigningKey::generate(rules.algorithm, rules.rsa_bits)?;
    let now = clock.now();
    let jwk = serde_json::to_string(key.jwk()).map_err(|_| KeyError::Generation)?;
    let row = SigningKeyRow {
        kid: key.kid().to_owned(),
        algorithm: key.algorithm(),
        jwk: jwk.clone(),
        sealed_private: Some(sealing_key.seal(&pkcs8, key.kid(), random)?),
        created_at: now,
    };
    let entry = AuditEntry {
        actor: "server".to_owned(),
        actor_organization: None,
        by_right: Right::Operate.name().to_owned(),
        action: "create",
        noun: ChangedNoun::SigningKey,
        key: row.kid.clone(),
        organization: None,
        before: None,
        after: Some(jwk),
        trace_id: None,
    };
    let mut transaction = store.begin().await?;
    // A node that starts at the same time may have made one since.
    if !transaction.has_signing_key(row.algorithm).await? {
        transaction.insert_signing_key(&row).await?;
        transaction.record(&entry, &sealing_key.audit_seal(), now).await?;
        transaction.commit().await?;
    }
    let ring = read_ring(store, sealing_key, rules).await?;
    ring.ok_or(KeyKeeperError::Key(KeyError::Generation))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{SystemClock, SystemRandom};

    async fn open(
        store: &Store,
        sealing_key: &str,
        algorithm: Algorithm,
    ) -> Result<KeyKeeper, KeyKeeperError> {
        let rules = KeyRules { algorithm, rsa_bits: 2048, token_type: TokenType::Unsaid };
        let sealing_key = SealingKey::from_base64(sealing_key)?;
        KeyKeeper::open(store.clone(), sealing_key, &SystemClock, &SystemRandom, rules).await
    }

    #[tokio::test]
    async fn the_first_start_makes_a_key_and_later_ones_find_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("a.db")).await.unwrap();
        store.migrate().await.unwrap();
        let sealing_key = SealingKey::generate(&SystemRandom);
        let first = open(&store, &sealing_key, Algorithm::Es256).await.unwrap();
        let again = open(&store, &sealing_key, Algorithm::Es256).await.unwrap();
        assert_eq!(first.ring().published().text, again.ring().published().text);

        let other = open(&store, &sealing_key, Algorithm::EdDsa).await.unwrap();
        assert_ne!(first.ring().published().etag, other.ring().published().etag);
        first.reload().await.unwrap();
        let both: serde_json::Value = serde_json::from_str(&first.ring().published().text).unwrap();
        assert_eq!(both["keys"].as_array().unwrap().len(), 2);

        let wrong = open(&store, &SealingKey::generate(&SystemRandom), Algorithm::Es256).await;
        assert!(matches!(wrong, Err(KeyKeeperError::Key(KeyError::Sealed))));
    }
}
