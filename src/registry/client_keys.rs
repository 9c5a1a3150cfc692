//! The public keys that clients register: at most five, each for at most a year.

use crate::clock::{DAY_SECONDS, Timestamp};
use crate::domain::algorithm::Algorithm;
use crate::domain::client::{ClientId, ClientKey, ClientStatus, KeyId};
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::{Page, Version};
use crate::domain::registration::{CLIENT_KEYS_MAX, ClientFile, RegisteredKey};
use crate::domain::right::Right;
use crate::keys::client_jwk::{ClientJwk, KeyCertificates};
use crate::registry::change::check_version;
use crate::registry::clients::on_client;
use crate::registry::{Actor, Registry, RegistryError, views};
use crate::token::client_key::PresentedCertificates;
use crate::token::refusal::Refusal;

/// Days that a registered key lives, as in Maskinporten.
pub const KEY_DAYS: i64 = 365;

impl Registry {
    /// Puts these keys in the place of all that the client has. A key that was there with the same document
    /// begins its year again, unless it says when it ends. One that is over may stay as it is: tools send
    /// everything they have read, and add to it.
    pub async fn replace_client_keys(
        &self,
        actor: &Actor,
        id: &ClientId,
        jwks: &[String],
        expected: Option<Version>,
    ) -> Result<ClientFile, RegistryError> {
        Box::pin(self.learn_of(jwks)).await;
        self.edit_keys(actor, "replace keys", id, expected, |known, organization, now| {
            let read = |jwk: &String| {
                let read = ClientJwk::parse(jwk.as_bytes())?;
                match known.iter().find(|old| old.key.id == read.id) {
                    Some(old) if is_over_as_known(&read, old, now) => Ok(old.key.clone()),
                    _ => self.accept_key(read, organization, now),
                }
            };
            let new = read_set(jwks, read)?;
            let gone = known.iter().filter(|old| new.iter().all(|new| new.id != old.key.id));
            Ok(KeyEdit { put: new.clone(), withdraw: gone.map(|old| old.key.id.clone()).collect() })
        })
        .await
    }

    /// Registers one more key: a JWK, or PEM with a public key or a certificate, which gets a `kid` of ours.
    pub async fn add_client_key(
        &self,
        actor: &Actor,
        id: &ClientId,
        text: &str,
        expected: Option<Version>,
    ) -> Result<RegisteredKey, RegistryError> {
        Box::pin(self.learn_of(&[text.to_owned()])).await;
        let mut added = None;
        let file = self
            .edit_keys(actor, "add key", id, expected, |known, organization, now| {
                let read = ClientJwk::from_text(text, &KeyId::from_uuid(self.new_uuid()))?;
                let key = self.accept_key(read, organization, now)?;
                if known.iter().any(|old| old.key.id == key.id) {
                    return Err(RegistryError::conflict(
                        "the client has a key of that kid already; choose another, or replace the key",
                    ));
                }
                added = Some(key.id.clone());
                Ok(KeyEdit { put: vec![key], withdraw: Vec::new() })
            })
            .await?;
        added.and_then(|kid| file.key(&kid).cloned()).ok_or(RegistryError::Stale)
    }

    /// Puts a key in the place of the one of that id, which must be there, and begins its year again.
    pub async fn put_client_key(
        &self,
        actor: &Actor,
        id: &ClientId,
        kid: &KeyId,
        jwk: &str,
        expected: Option<Version>,
    ) -> Result<RegisteredKey, RegistryError> {
        Box::pin(self.learn_of(&[jwk.to_owned()])).await;
        let file = self
            .edit_keys(actor, "put key", id, expected, |known, organization, now| {
                let key = self.read_key(jwk, organization, now)?;
                if key.id != *kid {
                    let problem =
                        "it must be the kid in the address; the kid of a key never changes";
                    return Err(RegistryError::invalid("kid", problem));
                }
                if known.iter().all(|old| old.key.id != *kid) {
                    return Err(RegistryError::Absent { noun: "key" });
                }
                Ok(KeyEdit { put: vec![key], withdraw: Vec::new() })
            })
            .await?;
        file.key(kid).cloned().ok_or(RegistryError::Stale)
    }

    /// Registers the successor of a key. Both are valid until the old one ends, at `old_ends_at` or when it would
    /// have ended anyway.
    pub async fn renew_client_key(
        &self,
        actor: &Actor,
        id: &ClientId,
        old: &KeyId,
        jwk: &str,
        old_ends_at: Timestamp,
        expected: Option<Version>,
    ) -> Result<ClientFile, RegistryError> {
        Box::pin(self.learn_of(&[jwk.to_owned()])).await;
        self.edit_keys(actor, "renew key", id, expected, |known, organization, now| {
            let Some(old) = known.iter().find(|known| known.key.id == *old) else {
                return Err(RegistryError::Absent { noun: "key" });
            };
            let new = self.read_key(jwk, organization, now)?;
            if known.iter().any(|known| known.key.id == new.id) {
                let rule = "the client has a key of that kid already; the new key needs its own";
                return Err(RegistryError::conflict(rule));
            }
            if old_ends_at <= now {
                let problem = "it must be in the future; to end the old key now, withdraw it";
                return Err(RegistryError::invalid("old_ends_at", problem));
            }
            let expires_at = old.key.expires_at.min(old_ends_at);
            let old = ClientKey { expires_at, ..old.key.clone() };
            Ok(KeyEdit { put: vec![old, new], withdraw: Vec::new() })
        })
        .await
    }

    /// Withdraws a key.
    pub async fn withdraw_client_key(
        &self,
        actor: &Actor,
        id: &ClientId,
        kid: &KeyId,
        expected: Option<Version>,
    ) -> Result<ClientFile, RegistryError> {
        self.edit_keys(actor, "withdraw key", id, expected, |known, _, _| {
            if known.iter().all(|old| old.key.id != *kid) {
                return Err(RegistryError::Absent { noun: "key" });
            }
            Ok(KeyEdit { put: Vec::new(), withdraw: vec![kid.clone()] })
        })
        .await
    }

    /// Withdraws every key.
    pub async fn withdraw_client_keys(
        &self,
        actor: &Actor,
        id: &ClientId,
        expected: Option<Version>,
    ) -> Result<ClientFile, RegistryError> {
        self.edit_keys(actor, "withdraw keys", id, expected, |known, _, _| {
            let all = known.iter().map(|old| old.key.id.clone()).collect();
            Ok(KeyEdit { put: Vec::new(), withdraw: all })
        })
        .await
    }

    async fn edit_keys(
        &self,
        actor: &Actor,
        verb: &'static str,
        id: &ClientId,
        expected: Option<Version>,
        edit: impl FnOnce(
            &[RegisteredKey],
            OrganizationNumber,
            Timestamp,
        ) -> Result<KeyEdit, RegistryError>
        + Send,
    ) -> Result<ClientFile, RegistryError> {
        let act = on_client(verb, id);
        let (mut change, before) =
            self.begin_on_client(actor, Right::ModifyClients, act, id).await?;
        let seen = before.registration.version;
        check_version(seen, expected)?;
        let organization = before.registration.value.client.organization;
        let edit = edit(&before.keys, organization, change.now)?;
        if !edit.put.is_empty() && before.registration.value.client.status != ClientStatus::Active {
            let rule = "the client is deactivated, and a key would not revive it; restore it first";
            return Err(RegistryError::conflict(rule));
        }
        let after = edit.applied_to(&before.keys);
        check_set(&after)?;
        for kid in &edit.withdraw {
            change.transaction.withdraw_client_key(id, kid, change.now).await?;
        }
        for key in &edit.put {
            change.transaction.put_client_key(id, key, change.now).await?;
        }
        change.transaction.touch_client(id, seen, change.now).await?;
        let view = views::client(&before.registration.value, &after);
        change.finish(Some(views::client_file(&before)), Some(view)).await?;
        self.client_again(id).await
    }

    /// Keys of the actor's own organization, or of any for the operator, first to end first, at most `limit`.
    pub async fn keys_by_expiry(
        &self,
        actor: &Actor,
        organization: Option<OrganizationNumber>,
        before: Option<Timestamp>,
        after: Option<(Timestamp, &ClientId, &KeyId)>,
        limit: u32,
    ) -> Result<Page<RegisteredKey>, RegistryError> {
        actor.require(Right::ReadClients)?;
        let organization = actor.organization_to_list(organization)?;
        Ok(self.store.keys_by_expiry(organization, before, after, limit).await?)
    }

    /// Sees to it, before anything is begun, that what can be known in a moment of the certificates of these keys is known.
    pub(super) async fn learn_of(&self, texts: &[String]) {
        if !self.certificates.asks_responders() {
            return;
        }
        let id = KeyId::from_uuid(self.new_uuid());
        for text in texts.iter().take(CLIENT_KEYS_MAX) {
            // What cannot be read is refused when it is registered.
            let Ok(read) = ClientJwk::from_text(text, &id) else { continue };
            if let Some(certificates) = &read.certificates {
                let algorithm = read.key.algorithm();
                let presented = PresentedCertificates::new(&certificates.chain, algorithm);
                self.certificates.learn(presented, self.clock.now()).await;
            }
        }
    }

    /// Reads a set of keys that is to be all a client has.
    pub(super) fn read_keys(
        &self,
        jwks: &[String],
        organization: OrganizationNumber,
        now: Timestamp,
    ) -> Result<Vec<ClientKey>, RegistryError> {
        read_set(jwks, |jwk| self.read_key(jwk, organization, now))
    }

    fn read_key(
        &self,
        jwk: &str,
        organization: OrganizationNumber,
        now: Timestamp,
    ) -> Result<ClientKey, RegistryError> {
        self.accept_key(ClientJwk::parse(jwk.as_bytes())?, organization, now)
    }

    /// A key ends when it says, but after a year at the latest, and with the certificate that it is locked to,
    /// if there is one.
    fn accept_key(
        &self,
        read: ClientJwk,
        organization: OrganizationNumber,
        now: Timestamp,
    ) -> Result<ClientKey, RegistryError> {
        // An address with such a part means another, so the key could not be reached (RFC 3986 section 5.2.4).
        if matches!(read.id.as_str(), "." | "..") {
            return Err(RegistryError::invalid("kid", "a kid has more in it than dots"));
        }
        let mut expires_at = now.plus_seconds(KEY_DAYS * DAY_SECONDS);
        if let Some(said) = read.expires_at {
            if said <= now {
                return Err(RegistryError::invalid("exp", "it must be in the future"));
            }
            expires_at = expires_at.min(said);
        }
        if let Some(certificates) = &read.certificates {
            self.check_certificates(certificates, read.key.algorithm(), organization, now)?;
            expires_at = expires_at.min(certificates.not_after);
        }
        Ok(ClientKey {
            id: read.id,
            algorithm: read.key.algorithm(),
            jwk: read.document,
            expires_at,
        })
    }

    /// The certificate of a key must count here and be the organization's own.
    fn check_certificates(
        &self,
        certificates: &KeyCertificates,
        algorithm: Algorithm,
        organization: OrganizationNumber,
        now: Timestamp,
    ) -> Result<(), RegistryError> {
        let presented = PresentedCertificates::new(&certificates.chain, algorithm);
        let judged = self.certificates.verify(presented, now).and_then(|it| it.organization());
        // It is the caller's own certificate, so all that is known of it may be told.
        let of = judged.map_err(|refusal| match refusal {
            Refusal::Certificate { detail, .. } | Refusal::CertificateOfStranger { detail } => {
                RegistryError::invalid("x5c", detail)
            }
            Refusal::Unavailable { cause } => RegistryError::invalid("x5c", cause),
            other => RegistryError::invalid("x5c", other),
        })?;
        if of == organization {
            Ok(())
        } else {
            Err(RegistryError::invalid("x5c", format!("the certificate is that of {of}")))
        }
    }
}

/// Which keys are put into a client's set, and which are taken out.
struct KeyEdit {
    put: Vec<ClientKey>,
    withdraw: Vec<KeyId>,
}

impl KeyEdit {
    fn applied_to(&self, known: &[RegisteredKey]) -> Vec<ClientKey> {
        let goes =
            |id: &KeyId| self.withdraw.contains(id) || self.put.iter().any(|new| new.id == *id);
        let stays = known.iter().map(|old| &old.key).filter(|key| !goes(&key.id));
        stays.chain(&self.put).cloned().collect()
    }
}

/// Reads the keys of a set, if it is not too large to look at.
fn read_set(
    jwks: &[String],
    read: impl Fn(&String) -> Result<ClientKey, RegistryError>,
) -> Result<Vec<ClientKey>, RegistryError> {
    check_count(jwks.len())?;
    let keys: Vec<ClientKey> = jwks.iter().map(read).collect::<Result<_, _>>()?;
    check_set(&keys)?;
    Ok(keys)
}

/// Whether what was read is a key that is over, exactly as it is known.
fn is_over_as_known(read: &ClientJwk, known: &RegisteredKey, now: Timestamp) -> bool {
    let end = known.key.expires_at;
    end <= now && read.expires_at == Some(end) && read.document == known.key.jwk
}

fn check_count(keys: usize) -> Result<(), RegistryError> {
    if keys <= CLIENT_KEYS_MAX {
        return Ok(());
    }
    let problem = format!("a client can have at most {CLIENT_KEYS_MAX} keys; withdraw one first");
    Err(RegistryError::invalid("keys", problem))
}

/// What holds for all keys of a client together.
fn check_set(keys: &[ClientKey]) -> Result<(), RegistryError> {
    check_count(keys.len())?;
    for (index, key) in keys.iter().enumerate() {
        for other in &keys[..index] {
            if other.id == key.id {
                return Err(RegistryError::conflict("two keys have the same kid"));
            }
            if ClientJwk::is_same_key(&other.jwk, &key.jwk) {
                return Err(RegistryError::conflict("the same key is there under two kids"));
            }
        }
    }
    Ok(())
}
