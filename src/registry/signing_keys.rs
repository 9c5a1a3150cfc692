//! Our own signing keys, which take turns; for the operator.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::clock::Timestamp;
use crate::domain::change::ChangedNoun;
use crate::domain::right::Right;
use crate::domain::signing_key::{SigningKeyRecord, SigningKeyState, SigningTurns};
use crate::keys::{KeyError, KeyKeeper, KeyKeeperError};
use crate::registry::change::Act;
use crate::registry::{Actor, Registry, RegistryError};
use crate::store::SigningKeyRow;

/// Signing keys in use at a time, at most: every API fetches them all, and more than a few mean that something rotates
/// them by mistake.
pub const SIGNING_KEYS_MAX: usize = 10;

/// When a new signing key begins to sign.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SigningStart {
    /// When every API has had time to fetch it.
    Announced,
    /// At once, because the one before cannot be trusted any more. APIs that keep the key set for hours refuse its
    /// tokens until they fetch it again.
    Now,
}

/// What becomes of the keys of another algorithm than that of tokens when nobody holds a token of theirs any more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OtherAlgorithms {
    /// They are retired, as every key is.
    Retired,
    /// They stay: there are nodes with other settings, or may have been lately, which may sign with them.
    Kept,
}

/// A signing key, and how it stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SigningKey {
    /// The key.
    pub record: SigningKeyRecord,
    /// Where it stands just now.
    pub state: SigningKeyState,
}

impl Registry {
    /// Every signing key there is or was, newest first.
    pub async fn signing_keys(&self, actor: &Actor) -> Result<Vec<SigningKey>, RegistryError> {
        actor.require(Right::Operate)?;
        let (records, now) = (self.store.signing_keys().await?, self.clock.now());
        let turns = self.keeper()?.turns();
        let key = |record: &SigningKeyRecord| SigningKey {
            state: turns.state(record, &records, now),
            record: record.clone(),
        };
        Ok(records.iter().map(key).collect())
    }

    /// Makes the next signing key. When one has been announced already, it is brought forward if it is to sign now,
    /// and else that is refused.
    pub async fn rotate_signing_key(
        &self,
        actor: &Actor,
        start: SigningStart,
    ) -> Result<SigningKey, RegistryError> {
        let keeper = self.keeper()?;
        let (turns, now) = (keeper.turns(), self.clock.now());
        if actor.require(Right::Operate).is_err() {
            // The attempt goes into the trail; no key is made for whoever may not.
            self.begin(actor, Right::Operate, on_signing_key("rotate", "next")).await?;
        }
        let records = self.store.signing_keys().await?;
        let last = turns.last(&records).ok_or(RegistryError::Absent { noun: "signing key" })?;
        let kid = match (last.signs_from > now, start) {
            (true, SigningStart::Announced) => {
                return Err(RegistryError::conflict(format!(
                    "the next key is announced already, and signs from {}; to have it sign now, say so",
                    last.signs_from
                )));
            }
            (true, SigningStart::Now) => {
                let active = turns.active(&records, now);
                self.bring_forward(actor, last, after(active, now)).await?
            }
            (false, SigningStart::Now) => {
                self.make_successor(actor, last, after(Some(last), now)).await?
            }
            (false, SigningStart::Announced) => {
                let signs_from = now.plus_seconds(turns.announce_seconds);
                self.make_successor(actor, last, after(Some(last), signs_from)).await?
            }
        };
        self.signing_key(actor, &kid).await
    }

    /// Retires a signing key: it leaves the key set, and its private half is destroyed. Tokens that it has signed are
    /// refused by APIs from then on.
    pub async fn retire_signing_key(
        &self,
        actor: &Actor,
        kid: &str,
    ) -> Result<SigningKey, RegistryError> {
        let turns = self.keeper()?.turns();
        let mut change = self.begin(actor, Right::Operate, on_signing_key("retire", kid)).await?;
        let records = change.transaction.signing_keys().await?;
        let key = records.iter().find(|key| key.kid == kid && !key.is_retired);
        let key = key.ok_or(RegistryError::Absent { noun: "signing key" })?;
        if turns.state(key, &records, change.now) == SigningKeyState::Active {
            let rule = "this key signs; let another sign now, and then retire it";
            return Err(RegistryError::conflict(rule));
        }
        change.transaction.retire_signing_key(kid).await?;
        let before = view(key);
        change.finish(Some(before), None).await?;
        self.signing_key(actor, kid).await
    }

    /// Does what is due: retires keys of which nobody holds a token any more, and announces the successor of one that has
    /// signed long enough. Nodes that do so at the same time do it once.
    pub async fn keep_signing_keys(&self, others: OtherAlgorithms) -> Result<(), RegistryError> {
        let actor = Actor::server("rotation");
        let (turns, now) = (self.keeper()?.turns(), self.clock.now());
        let records = self.store.signing_keys().await?;
        let may_go = |key: &&SigningKeyRecord| {
            others == OtherAlgorithms::Retired || key.algorithm == turns.algorithm
        };
        // First, because there may be no room for another before.
        for key in turns.done(&records, now).into_iter().filter(may_go) {
            self.retire_signing_key(&actor, &key.kid).await?;
            tracing::info!(kid = key.kid, "a signing key is retired");
        }
        if let Some(last) = turns.last(&records)
            && let Some((announced, signs_from)) = turns.successor(last)
            && announced <= now
        {
            // Who has been away for long still announces before it signs.
            let signs_from = signs_from.max(now.plus_seconds(turns.announce_seconds));
            let kid = self.make_successor(&actor, last, signs_from).await?;
            tracing::info!(kid, %signs_from, "the next signing key is announced");
        }
        Ok(())
    }

    async fn make_successor(
        &self,
        actor: &Actor,
        last: &SigningKeyRecord,
        signs_from: Timestamp,
    ) -> Result<String, RegistryError> {
        let in_use = self.store.signing_keys_in_use().await?.len();
        if in_use >= SIGNING_KEYS_MAX {
            return Err(RegistryError::conflict(format!(
                "there are {in_use} signing keys in use, the most that there may be; retire some first"
            )));
        }
        // Before the change begins, because it takes long and changes wait for each other.
        let row = self.new_key(&last.kid, signs_from).await?;
        let mut change =
            self.begin(actor, Right::Operate, on_signing_key("rotate", &row.kid)).await?;
        if !change.transaction.insert_signing_key(&row).await? {
            let rule =
                "somebody else has made the next key at the same moment; look at the keys again";
            return Err(RegistryError::conflict(rule));
        }
        let made = json!({ "jwk": row.jwk, "signs_from": signs_from.to_string() });
        change.finish(None, Some(made)).await?;
        Ok(row.kid)
    }

    async fn new_key(
        &self,
        follows: &str,
        signs_from: Timestamp,
    ) -> Result<SigningKeyRow, RegistryError> {
        let (keeper, random) = (Arc::clone(self.keeper()?), Arc::clone(&self.random));
        let (now, follows) = (self.clock.now(), follows.to_owned());
        let made = tokio::task::spawn_blocking(move || {
            keeper.make_successor(&follows, now, signs_from, &*random)
        });
        let made = made.await.unwrap_or(Err(KeyError::Generation));
        made.map_err(|error| RegistryError::Unfollowed(KeyKeeperError::Key(error)))
    }

    async fn bring_forward(
        &self,
        actor: &Actor,
        key: &SigningKeyRecord,
        now: Timestamp,
    ) -> Result<String, RegistryError> {
        let act = on_signing_key("rotate", &key.kid);
        let mut change = self.begin(actor, Right::Operate, act).await?;
        change.transaction.set_signing_turn(&key.kid, now).await?;
        let forward = SigningKeyRecord { signs_from: now, ..key.clone() };
        change.finish(Some(view(key)), Some(view(&forward))).await?;
        Ok(key.kid.clone())
    }

    async fn signing_key(&self, actor: &Actor, kid: &str) -> Result<SigningKey, RegistryError> {
        let mut keys = self.signing_keys(actor).await?.into_iter();
        keys.find(|key| key.record.kid == kid).ok_or(RegistryError::Absent { noun: "signing key" })
    }

    /// How long keys are announced, and after how long they are replaced.
    pub fn signing_turns(&self) -> Result<SigningTurns, RegistryError> {
        Ok(self.keeper()?.turns())
    }

    fn keeper(&self) -> Result<&Arc<KeyKeeper>, RegistryError> {
        // A process that issues no tokens has no signing keys either.
        self.keys.as_ref().ok_or(RegistryError::Absent { noun: "signing key" })
    }
}

/// That moment, or the one after the key has begun: no two begin in the same second, so it is never in doubt which
/// signs.
fn after(key: Option<&SigningKeyRecord>, moment: Timestamp) -> Timestamp {
    let begun = key.map(|key| key.signs_from.plus_seconds(1));
    begun.map_or(moment, |begun| begun.max(moment))
}

fn on_signing_key(verb: &'static str, kid: &str) -> Act {
    Act { verb, noun: ChangedNoun::SigningKey, key: kid.to_owned() }
}

/// How the audit trail shows a key.
fn view(key: &SigningKeyRecord) -> Value {
    json!({ "alg": key.algorithm.name(), "signs_from": key.signs_from.to_string() })
}
