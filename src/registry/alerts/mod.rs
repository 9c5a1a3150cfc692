//! Alerts: what an organization should know and has not done itself.
//!
//! What a change tells others is written in its transaction; that keys end is noticed by a task. Alerts are shown on
//! the portal, and mailed to the alert points that their organization has named ([`mailing`]).

mod mailing;
mod texts;

use crate::clock::{DAY_SECONDS, Timestamp};
use crate::domain::access::{AccessCase, AccessState};
use crate::domain::alert::{Alert, AlertDetails, AlertKind};
use crate::domain::organization::OrganizationNumber;
use crate::domain::prefix_request::PrefixRequest;
use crate::domain::record::{Page, Recorded};
use crate::domain::right::Right;
use crate::domain::scope::{Scope, ScopeStatus};
use crate::registry::change::Change;
use crate::registry::{Actor, Registry, RegistryError};
use crate::store::{EndingKey, NewAlert};

/// Days before the end of a key at which its organization is told; the last entry is the end itself.
const THRESHOLD_DAYS: [i64; 6] = [60, 30, 14, 7, 1, 0];

/// Days that an alert is kept: half a year, in which everybody has looked.
const KEPT_DAYS: i64 = 180;

/// Seconds in which the other side is not told again of what was asked, taken back and asked once more: else anybody
/// could fill its mailbox. What waits stands in its list all the same.
const ASKED_AGAIN_SECONDS: i64 = DAY_SECONDS;

/// Alerts that are written in one transaction, so that changes do not wait for long.
const WRITTEN_AT_ONCE: u32 = 100;

impl Registry {
    /// Alerts of an organization, newest first, at most `limit`, before the alert `before`: for whoever may see its
    /// clients.
    pub async fn alerts(
        &self,
        actor: &Actor,
        organization: OrganizationNumber,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Page<Alert>, RegistryError> {
        actor.require(Right::ReadClients)?;
        if !actor.owns(organization) {
            return Err(RegistryError::NotYours { noun: "organization" });
        }
        Ok(self.store.alerts(organization, before, limit).await?)
    }

    /// Writes the alerts about keys that end soon, each once for each threshold. A key whose end was moved nearer than
    /// a threshold was meant to end then, and nobody is told at that threshold.
    pub async fn note_ending_keys(&self) -> Result<(), RegistryError> {
        let now = self.clock.now();
        for pair in THRESHOLD_DAYS.windows(2) {
            let &[days, next] = pair else { continue };
            let (after, until) =
                (now.plus_seconds(next * DAY_SECONDS), now.plus_seconds(days * DAY_SECONDS));
            loop {
                let keys = self.store.ending_keys(after, until, days, WRITTEN_AT_ONCE).await?;
                if keys.is_empty() {
                    break;
                }
                let mut transaction = self.store.begin().await?;
                for key in keys {
                    transaction.insert_alert(&about_key(key), now).await?;
                }
                transaction.commit().await?;
            }
        }
        Ok(())
    }

    /// Deletes alerts that are too old.
    pub async fn forget_old_alerts(&self) -> Result<(), RegistryError> {
        let oldest = self.clock.now().minus_seconds(KEPT_DAYS * DAY_SECONDS);
        while self.store.forget_alerts(oldest).await? {}
        Ok(())
    }
}

impl Change<'_> {
    /// Tells the organization on the other side what has become of an access: the consumer what the owner has decided,
    /// the owner what the consumer asks for. Whoever is both knows already.
    pub(super) async fn alert_of_access(
        &mut self,
        before: Option<&Recorded<AccessCase>>,
        after: &AccessCase,
    ) -> Result<(), RegistryError> {
        let (owner, consumer) = (after.owner, after.access.consumer);
        let was = before.map(|found| found.value.access.state);
        let held = before.is_some_and(|found| found.value.access.holds_at(self.now));
        let (kind, organization, other, granted, said) = match (was, after.access.state) {
            // The owner has not decided that, and sees in its list that nobody waits any more.
            (_, AccessState::Denied) if after.taken_back => return Ok(()),
            (_, AccessState::Requested)
                if before.is_some_and(|it| self.is_told(it.value.taken_back, it.updated_at)) =>
            {
                return Ok(());
            }
            (Some(AccessState::Requested), AccessState::Approved) => {
                (AlertKind::AccessDecided, consumer, owner, Some(true), None)
            }
            (Some(AccessState::Requested), AccessState::Denied) => {
                (AlertKind::AccessDecided, consumer, owner, Some(false), after.reason.clone())
            }
            (_, AccessState::Denied) if held => {
                (AlertKind::AccessWithdrawn, consumer, owner, None, after.reason.clone())
            }
            (_, AccessState::Requested) => {
                (AlertKind::AccessRequested, owner, consumer, None, after.message.clone())
            }
            (_, AccessState::Approved | AccessState::Denied) => return Ok(()),
        };
        if owner == consumer {
            return Ok(());
        }
        let version = before.map_or(1, |found| found.version.0 + 1);
        let scope = &after.access.scope;
        let details = AlertDetails::Scope {
            scope: scope.to_string(),
            organization: other,
            organization_name: self.name_of(other).await?,
            granted,
            said,
        };
        let subject = format!("{scope} {consumer} {version}");
        let new = NewAlert { organization, kind, subject, details };
        Ok(self.transaction.insert_alert(&new, self.now).await?)
    }

    /// Tells everybody who has access to a scope that it has been deactivated, if it has.
    pub(super) async fn alert_of_scope(
        &mut self,
        before: &Recorded<Scope>,
        after: &Scope,
    ) -> Result<(), RegistryError> {
        if (before.value.status, after.status) != (ScopeStatus::Active, ScopeStatus::Deactivated) {
            return Ok(());
        }
        let details = AlertDetails::Scope {
            scope: after.name.to_string(),
            organization: after.owner,
            organization_name: self.name_of(after.owner).await?,
            granted: None,
            said: None,
        };
        let new = NewAlert {
            organization: after.owner,
            kind: AlertKind::ScopeDeactivated,
            subject: format!("{} {}", after.name, before.version.0 + 1),
            details,
        };
        Ok(self.transaction.alert_consumers(&after.name, &new, self.now).await?)
    }

    /// Tells the operator that somebody asks for a prefix. The operator's own request is no news.
    pub(super) async fn alert_of_prefix_request(
        &mut self,
        operator: Option<OrganizationNumber>,
        before: Option<&Recorded<PrefixRequest>>,
        asked: &PrefixRequest,
    ) -> Result<(), RegistryError> {
        let Some(operator) = operator.filter(|operator| *operator != asked.organization) else {
            return Ok(());
        };
        if before.is_some_and(|it| self.is_told(it.value.taken_back, it.updated_at)) {
            return Ok(());
        }
        let version = before.map_or(1, |found| found.version.0 + 1);
        let details = AlertDetails::Prefix {
            prefix: asked.prefix.to_string(),
            organization: asked.organization,
            organization_name: self.name_of(asked.organization).await?,
            said: asked.reason.clone(),
        };
        let new = NewAlert {
            organization: operator,
            kind: AlertKind::PrefixRequested,
            subject: format!("{} {} {version}", asked.prefix, asked.organization),
            details,
        };
        Ok(self.transaction.insert_alert(&new, self.now).await?)
    }

    /// Whether what is asked now was asked lately, told of, and taken back at `then`.
    fn is_told(&self, taken_back: bool, then: Timestamp) -> bool {
        taken_back && self.now < then.plus_seconds(ASKED_AGAIN_SECONDS)
    }

    async fn name_of(
        &mut self,
        number: OrganizationNumber,
    ) -> Result<Option<String>, RegistryError> {
        Ok(self.transaction.organization(number).await?.map(|found| found.value.name))
    }
}

fn about_key(key: EndingKey) -> NewAlert {
    let kind = if has_certificate(&key.jwk) {
        AlertKind::CertificateExpiring
    } else {
        AlertKind::KeyExpiring
    };
    let (client, client_name) = key.client;
    let expires_at = key.expires_at.seconds();
    let details = AlertDetails::Key { client, client_name, kid: key.kid, expires_at };
    NewAlert { organization: key.organization, kind, subject: key.subject, details }
}

/// Whether a key is locked to a certificate: it then ends when that does.
fn has_certificate(jwk: &str) -> bool {
    let jwk = serde_json::from_str::<serde_json::Value>(jwk);
    jwk.is_ok_and(|jwk| jwk.get("x5c").is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_came_with_a_certificate_ends_with_it() {
        let key = |jwk: &str| EndingKey {
            organization: "310000116".parse().unwrap(),
            subject: "c k 1 60".to_owned(),
            client: ("c".to_owned(), "x5c".to_owned()),
            kid: "x5c".to_owned(),
            jwk: jwk.to_owned(),
            expires_at: Timestamp::from_seconds(1),
        };
        assert_eq!(about_key(key(r#"{"kid":"x5c"}"#)).kind, AlertKind::KeyExpiring);
        let certified = about_key(key(r#"{"kid":"k","x5c":["MII"]}"#));
        assert_eq!(certified.kind, AlertKind::CertificateExpiring);
    }
}
