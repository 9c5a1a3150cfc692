//! Keeps the ring of keys in step with the database: reads it, makes the first key, follows changes.

use crate::clock::{Clock, Random, Timestamp};
use crate::domain::algorithm::Algorithm;
use crate::domain::change::ChangedNoun;
use crate::domain::right::Right;
use crate::domain::signing_key::SigningTurns;
use crate::keys::ring::{KeyRing, SharedKeyRing};
use crate::keys::sealing::SealingKey;
use crate::keys::signing_key::{SigningKey, TokenType};
use crate::keys::{KeyError, KeyKeeperError};
use crate::store::{AuditEntry, SigningKeyRow, Store};

/// What kind of keys this installation signs with.
#[derive(Clone, Copy, Debug)]
pub struct KeyRules {
    /// How they take turns, and the algorithm of tokens.
    pub turns: SigningTurns,
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
    /// Reads the keys in use, and makes one if there is none for the algorithm of tokens: where keys of another algorithm
    /// sign it is announced first, because APIs have not seen it.
    pub async fn open(
        store: Store,
        sealing_key: SealingKey,
        clock: &dyn Clock,
        random: &dyn Random,
        rules: KeyRules,
    ) -> Result<Self, KeyKeeperError> {
        let in_use = store.signing_keys_in_use().await?;
        if rules.turns.begins(in_use.iter().map(turn)).is_none() {
            make_first(&store, &sealing_key, clock, random, (rules, in_use.is_empty())).await?;
        }
        let ring = read_ring(&store, &sealing_key, rules).await?;
        let ring = ring.ok_or(KeyKeeperError::Key(KeyError::Generation))?;
        Ok(Self { store, sealing_key, rules, ring: SharedKeyRing::new(ring) })
    }

    /// The ring, which later changes replace.
    pub fn ring(&self) -> SharedKeyRing {
        self.ring.clone()
    }

    /// How the keys take turns.
    pub fn turns(&self) -> SigningTurns {
        self.rules.turns
    }

    /// Makes a key of the algorithm of tokens, to follow the key of that id and to sign from `signs_from` on. It is
    /// kept nowhere yet. Making an RSA key takes a good part of a second.
    pub fn make_successor(
        &self,
        follows: &str,
        now: Timestamp,
        signs_from: Timestamp,
        random: &dyn Random,
    ) -> Result<SigningKeyRow, KeyError> {
        let follows = follows.to_owned();
        make(&self.sealing_key, random, self.rules, now, Turn { signs_from, follows })
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

/// When a new key is to sign, and after which.
struct Turn {
    signs_from: Timestamp,
    follows: String,
}

fn make(
    sealing_key: &SealingKey,
    random: &dyn Random,
    rules: KeyRules,
    now: Timestamp,
    turn: Turn,
) -> Result<SigningKeyRow, KeyError> {
    let (key, pkcs8) = SigningKey::generate(rules.turns.algorithm, rules.rsa_bits)?;
    Ok(SigningKeyRow {
        kid: key.kid().to_owned(),
        algorithm: key.algorithm(),
        jwk: serde_json::to_string(key.jwk()).map_err(|_| KeyError::Generation)?,
        sealed_private: Some(sealing_key.seal(&pkcs8, key.kid(), random)?),
        created_at: now,
        signs_from: turn.signs_from,
        follows: Some(turn.follows),
    })
}

/// The ring as the database has it: keys of the algorithm of tokens sign in turn, and before them those of another that was
/// theirs; all keys in use are published. Nothing where there is none.
async fn read_ring(
    store: &Store,
    sealing_key: &SealingKey,
    rules: KeyRules,
) -> Result<Option<KeyRing>, KeyKeeperError> {
    let rows = store.signing_keys_in_use().await?;
    let begins = rules.turns.begins(rows.iter().map(turn));
    let (mut signers, mut others) = (Vec::new(), Vec::new());
    for row in rows {
        let sealed = row.sealed_private.as_deref().ok_or(KeyError::Sealed)?;
        let key = SigningKey::from_pkcs8(row.algorithm, &sealing_key.open(sealed, &row.kid)?)?;
        if rules.turns.takes_turns(turn(&row), begins) {
            signers.push((row.signs_from, key));
        } else {
            others.push(key);
        }
    }
    Ok(KeyRing::new(signers, &others, rules.token_type)?)
}

fn turn(row: &SigningKeyRow) -> (Algorithm, Timestamp) {
    (row.algorithm, row.signs_from)
}

/// Makes the first key of the algorithm, which signs at once if it is the first of all. When another node is faster, its
/// key is the one.
async fn make_first(
    store: &Store,
    sealing_key: &SealingKey,
    clock: &dyn Clock,
    random: &dyn Random,
    (rules, is_first_of_all): (KeyRules, bool),
) -> Result<(), KeyKeeperError> {
    let now = clock.now();
    let announced = if is_first_of_all { 0 } else { rules.turns.announce_seconds };
    let turn = Turn {
        signs_from: now.plus_seconds(announced),
        follows: rules.turns.algorithm.name().to_owned(),
    };
    let row = make(sealing_key, random, rules, now, turn)?;
    let entry = AuditEntry {
        actor: "server".to_owned(),
        actor_organization: None,
        by_right: Right::Operate.name().to_owned(),
        action: "create",
        noun: ChangedNoun::SigningKey,
        key: row.kid.clone(),
        organization: None,
        before: None,
        after: Some(row.jwk.clone()),
        trace_id: None,
    };
    let mut transaction = store.begin().await?;
    if transaction.insert_signing_key(&row).await? {
        transaction.record(&entry, &sealing_key.audit_seal(), now).await?;
        transaction.commit().await?;
    }
    Ok(())
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
        let turns = SigningTurns {
            algorithm,
            announce_seconds: 100,
            rotate_seconds: None,
            token_seconds_max: 120,
        };
        let rules = KeyRules { turns, rsa_bits: 2048, token_type: TokenType::Unsaid };
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

        // What is new to APIs signs when they have had time to fetch it.
        let (ring, now) = (other.ring(), SystemClock.now());
        for (after, algorithm) in [(0, "ES256"), (90, "ES256"), (100, "EdDSA")] {
            let signed = ring.sign(b"{}", now.plus_seconds(after)).unwrap();
            let header = jsonwebtoken::decode_header(signed).unwrap();
            assert_eq!(header.alg, algorithm.parse().unwrap(), "after {after} seconds");
        }

        // Retired before its turn, it never signs: the keys before it go on.
        let records = store.signing_keys().await.unwrap();
        let announced = records.iter().find(|key| key.algorithm == Algorithm::EdDsa).unwrap();
        let mut transaction = store.begin().await.unwrap();
        transaction.retire_signing_key(&announced.kid).await.unwrap();
        transaction.commit().await.unwrap();
        other.reload().await.unwrap();
        assert!(!ring.published().text.contains(&announced.kid));
        let signed = ring.sign(b"{}", now.plus_seconds(100)).unwrap();
        assert_eq!(jsonwebtoken::decode_header(signed).unwrap().alg, "ES256".parse().unwrap());

        let wrong = open(&store, &SealingKey::generate(&SystemRandom), Algorithm::Es256).await;
        assert!(matches!(wrong, Err(KeyKeeperError::Key(KeyError::Sealed))));
    }
}
