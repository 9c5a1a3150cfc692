//! Alerts become mails: what an organization has not been mailed yet goes to each of its alert points that wants to
//! know, in that point's language, in one mail.

use crate::clock::Timestamp;
use crate::domain::alert::{Alert, AlertDetails, AlertKind};
use crate::domain::business::AlertPoint;
use crate::domain::mail::{BODY_BYTES_MAX, Mail};
use crate::domain::organization::OrganizationNumber;
use crate::registry::alerts::DAY_SECONDS;
use crate::registry::alerts::texts::{Texts, fill, texts};
use crate::registry::{Registry, RegistryError};

/// The most alerts in one mail; more wait for the next. Longer mails are not read, and one of these has a page at most.
const ALERTS_IN_MAIL: u32 = 50;

/// The most that alerts say in one mail, in bytes: what stands around them needs less than what a mail may have beyond
/// that. Who asks for access writes a thousand characters at most, and must not be able to make a mail too long.
const ALERTS_BYTES_MAX: usize = BODY_BYTES_MAX / 2;

/// Days that an alert may wait to be mailed. Without e-mail alerts gather; who sets it up is not told of last year.
const FRESH_DAYS: i64 = 1;

impl Registry {
    /// Mails what has not been mailed: all of it, but no more than one mail to each alert point. Nothing, while e-mail
    /// is not set up.
    pub async fn mail_alerts(&self) -> Result<(), RegistryError> {
        let Some(outbox) = &self.outbox else { return Ok(()) };
        let oldest = self.clock.now().minus_seconds(FRESH_DAYS * DAY_SECONDS);
        let (mut after, mut outcome) = (None, Ok(()));
        while let Some(organization) = self.store.organization_to_mail(after, oldest).await? {
            match self.mail_alerts_of(organization, oldest).await {
                Ok(true) => outbox.ring(),
                Ok(false) => {}
                // What is wrong with one must not keep the others from being told.
                Err(error) => outcome = Err(error),
            }
            after = Some(organization);
        }
        outcome
    }

    /// Does it for one organization. Returns whether there is mail.
    async fn mail_alerts_of(
        &self,
        number: OrganizationNumber,
        oldest: Timestamp,
    ) -> Result<bool, RegistryError> {
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        let alerts = transaction.claim_alerts(number, oldest, ALERTS_IN_MAIL, now).await?;
        let data = transaction.business_data(number).await?;
        let organization = transaction.organization(number).await?;
        let name = organization.map_or_else(|| number.to_string(), |found| found.value.name);
        let mut mails = false;
        for point in data.iter().flat_map(|data| &data.value.alert_points) {
            let wanted = alerts.iter().filter(|alert| point.kinds.contains(&alert.kind));
            let wanted: Vec<&Alert> = wanted.collect();
            if wanted.is_empty() {
                continue;
            }
            let letter = self.letter(point, &wanted, &name, number);
            let mail = Mail::new(&*self.random, point.email.clone(), letter.subject, letter.body);
            let mail = mail.map_err(|error| RegistryError::invalid("mail", error))?;
            transaction.enqueue_mail(&mail, now).await?;
            mails = true;
        }
        transaction.commit().await?;
        Ok(mails)
    }

    fn letter(
        &self,
        point: &AlertPoint,
        alerts: &[&Alert],
        name: &str,
        number: OrganizationNumber,
    ) -> Letter {
        let texts = texts(point.language);
        // Whoever has several environments must see at once which one it is that writes.
        let environment = ("environment", self.rules.people.environment.name.as_str());
        let subject = match alerts {
            [one] => fill(texts.subject, &[environment, ("what", subject(texts, one.kind))]),
            several => {
                let count = several.len().to_string();
                fill(texts.subject_of_several, &[environment, ("count", &count)])
            }
        };
        let issuer = self.rules.issuer.as_str();
        let values = [("organization", name), ("number", number.as_str()), ("issuer", issuer)];
        let mut parts = vec![fill(texts.opening, &values)];
        parts.extend(paragraphs(texts, alerts));
        // From there each alert leads to what it is about.
        let address = format!("{}portal/organization/alerts", self.rules.people.portal_url);
        parts.push(fill(texts.portal, &[("address", &address)]));
        parts.push(texts.closing.to_owned());
        Letter { subject, body: parts.join("\n\n") + "\n" }
    }
}

/// What is written to one alert point.
struct Letter {
    subject: String,
    body: String,
}

const fn subject(texts: &Texts, kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::AccessDecided => texts.subjects.access_decided,
        AlertKind::AccessRequested => texts.subjects.access_requested,
        AlertKind::AccessWithdrawn => texts.subjects.access_withdrawn,
        AlertKind::CertificateExpiring => texts.subjects.certificate_expiring,
        AlertKind::KeyExpiring => texts.subjects.key_expiring,
        AlertKind::PrefixRequested => texts.subjects.prefix_requested,
        AlertKind::ScopeDeactivated => texts.subjects.scope_deactivated,
    }
}

/// What the alerts say. Where it is too much for a mail, the rest stands on the portal alone.
fn paragraphs(texts: &Texts, alerts: &[&Alert]) -> Vec<String> {
    let (mut all, mut bytes) = (Vec::new(), 0);
    for alert in alerts {
        let next = format!("* {}", paragraph(texts, alert));
        bytes += next.len();
        if bytes > ALERTS_BYTES_MAX {
            all.push("* ...".to_owned());
            break;
        }
        all.push(next);
    }
    all
}

/// What one alert says.
fn paragraph(texts: &Texts, alert: &Alert) -> String {
    match &alert.details {
        AlertDetails::Key { client, client_name, kid, expires_at } => {
            let template = match alert.kind {
                AlertKind::CertificateExpiring => texts.certificate_expiring,
                _ => texts.key_expiring,
            };
            let time = minute(Timestamp::from_seconds(*expires_at));
            let values = [
                ("client", client_name.as_str()),
                ("client_id", client),
                ("kid", kid),
                ("time", &time),
            ];
            fill(template, &values)
        }
        AlertDetails::Prefix { prefix, organization, organization_name, said } => {
            let other = who(*organization, organization_name.as_deref());
            let values = [("prefix", prefix.as_str()), ("organization", other.as_str())];
            with_words(texts, fill(texts.prefix_requested, &values), &other, said)
        }
        AlertDetails::Scope { scope, organization, organization_name, granted, said } => {
            let template = match (alert.kind, granted) {
                (AlertKind::AccessDecided, Some(true)) => texts.access_granted,
                (AlertKind::AccessDecided, _) => texts.access_denied,
                (AlertKind::AccessRequested, _) => texts.access_requested,
                (AlertKind::AccessWithdrawn, _) => texts.access_withdrawn,
                _ => texts.scope_deactivated,
            };
            let other = who(*organization, organization_name.as_deref());
            let text = fill(template, &[("scope", scope), ("organization", &other)]);
            with_words(texts, text, &other, said.as_deref().unwrap_or_default())
        }
    }
}

/// An organization by its name, if that is known, and its number.
fn who(number: OrganizationNumber, name: Option<&str>) -> String {
    name.map_or_else(|| number.to_string(), |name| format!("{name} ({number})"))
}

/// What there is to say, and below it what the other organization has written, if it has: marked line by line, so that
/// nobody can write as if it were this server.
fn with_words(texts: &Texts, mut text: String, other: &str, said: &str) -> String {
    if said.trim().is_empty() {
        return text;
    }
    text = format!("{text}\n\n  {}", fill(texts.said, &[("organization", other)]));
    for line in said.split(['\n', '\r']).filter(|line| !line.trim().is_empty()) {
        text = format!("{text}\n  > {line}");
    }
    text
}

/// A time for people, to the minute: `2026-12-01 12:00 UTC`.
fn minute(time: Timestamp) -> String {
    let text = time.to_string();
    match text.split_once('T').zip(text.get(11..16)) {
        Some(((date, _), minute)) => format!("{date} {minute} UTC"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::language::Language;

    fn asked(said: &str) -> Alert {
        Alert {
            id: 1,
            organization: "310000108".parse().unwrap(),
            kind: AlertKind::AccessRequested,
            details: AlertDetails::Scope {
                scope: "a:b".to_owned(),
                organization: "310000116".parse().unwrap(),
                organization_name: Some("{scope} AS".to_owned()),
                granted: None,
                said: Some(said.to_owned()),
            },
            created_at: Timestamp::from_seconds(0),
        }
    }

    #[test]
    fn what_others_write_is_marked_on_every_line() {
        let text =
            paragraph(texts(Language::English), &asked("Hi\r\n\r\n* Your key {kid} ends\ntoday"));
        let expected = "{scope} AS (310000116) asks for access to the scope a:b. Grant it or deny it.\n\n  \
             {scope} AS (310000116) writes:\n  > Hi\n  > * Your key {kid} ends\n  > today";
        assert_eq!(text, expected);
    }

    #[test]
    fn nobody_can_write_so_much_that_there_is_no_mail() {
        let alerts = vec![asked(&"\u{1f511}\n".repeat(500)); 50];
        let texts = texts(Language::Nynorsk);
        let all = paragraphs(texts, &alerts.iter().collect::<Vec<_>>());
        assert_eq!(all.last().unwrap(), "* ...");
        assert!(all.len() > 5 && all.join("\n\n").len() < BODY_BYTES_MAX * 3 / 4, "{}", all.len());
        assert_eq!(paragraphs(texts, &[&asked("x"), &asked("y")]).len(), 2);
    }

    #[test]
    fn a_key_is_named_with_its_client_and_its_end() {
        let mut alert = asked("");
        alert.kind = AlertKind::KeyExpiring;
        alert.details = AlertDetails::Key {
            client: "c1".to_owned(),
            client_name: "Maskin".to_owned(),
            kid: "k1".to_owned(),
            expires_at: 1_796_126_400,
        };
        let text = paragraph(texts(Language::Bokmal), &alert);
        let expected = "Nøkkelen k1 på klienten Maskin (c1) utløper 2026-12-01 12:00 UTC. ";
        assert!(text.starts_with(expected), "{text}");
    }
}
