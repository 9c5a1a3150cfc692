//! What signatures rest on: our own signing keys, and the authorities whose certificates count.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::clock::Timestamp;
use crate::domain::signing_key::{SigningKeyRecord, SigningKeyState};
use crate::domain::trust::{RevocationList, TrustSetSummary, TrustedAuthority};
use crate::http::portal::operator::AsOperator;
use crate::http::portal::page::{Page, show};
use crate::http::portal::refused::Refused;

/// Days after which a signing key should have a successor: two years, as NIST SP 800-57 part 1 section 5.3.6 has it for
/// private keys that sign.
pub(super) const KEY_OLD_DAYS: u64 = 2 * 365;

/// Days before the end of an authority's certificate at which the operator should have its successor.
const AUTHORITY_SOON_DAYS: i64 = 90;

const SECONDS_OF_HOUR: i64 = 60 * 60;
const SECONDS_OF_DAY: i64 = 24 * SECONDS_OF_HOUR;

/// How many days ago a key was made.
pub(super) fn age_days(key: &SigningKeyRecord, now: Timestamp) -> u64 {
    let seconds = now.seconds().saturating_sub(key.created_at.seconds());
    u64::try_from(seconds / SECONDS_OF_DAY).unwrap_or(0)
}

#[derive(Template)]
#[template(path = "operator/signing_keys.html", config = ".askama.toml")]
struct SigningKeysPage {
    page: Page,
    /// Each with its age in days.
    keys: Vec<(SigningKeyRecord, u64)>,
    /// Where they are published.
    published: String,
}

/// `GET /portal/operator/signing-keys`
pub(super) async fn signing_keys(
    operator: AsOperator,
    State(app): State<Arc<App>>,
) -> Result<Response, Refused> {
    let now = app.issuer.clock.now();
    let keys = app.registry.signing_keys(&operator.actor).await?;
    let keys = keys.into_iter().map(|key| (age_days(&key, now), key)).map(|(age, key)| (key, age));
    let published = format!("{}jwk", app.issuer.rules.grant.issuer);
    Ok(show(&SigningKeysPage { page: operator.page, keys: keys.collect(), published }))
}

impl SigningKeysPage {
    fn is_active(&self, key: &SigningKeyRecord) -> bool {
        key.state == SigningKeyState::Active
    }

    fn is_old(&self, days: &u64) -> bool {
        *days >= KEY_OLD_DAYS
    }
}

#[derive(Template)]
#[template(path = "operator/trust.html", config = ".askama.toml")]
struct TrustPage {
    page: Page,
    sets: Vec<TrustSetSummary>,
    now: Timestamp,
}

impl TrustPage {
    /// The end of the name of the text for how an authority's certificate stands, and the kind of its tag.
    fn standing(&self, authority: &TrustedAuthority) -> (&'static str, &'static str) {
        let soon = self.now.plus_seconds(AUTHORITY_SOON_DAYS * SECONDS_OF_DAY);
        if self.now < authority.not_before {
            ("not-yet", "warning")
        } else if self.now > authority.not_after {
            ("expired", "danger")
        } else if soon > authority.not_after {
            ("soon", "warning")
        } else {
            ("valid", "success")
        }
    }

    /// The same of a revocation list.
    fn list_standing(&self, list: &RevocationList) -> (&'static str, &'static str) {
        match list.next_update {
            None => ("endless", "warning"),
            Some(due) if due < self.now => ("stale", "danger"),
            Some(_) if list.this_update > self.now => ("not-yet", "warning"),
            Some(_) => ("fresh", "success"),
        }
    }

    /// How many hours ago a list was issued.
    fn age_hours(&self, list: &RevocationList) -> i64 {
        self.now.seconds().saturating_sub(list.this_update.seconds()).max(0) / SECONDS_OF_HOUR
    }
}

/// `GET /portal/operator/trust`
pub(super) async fn trust_sets(
    operator: AsOperator,
    State(app): State<Arc<App>>,
) -> Result<Response, Refused> {
    let sets = app.registry.trust_sets(&operator.actor)?;
    Ok(show(&TrustPage { page: operator.page, sets, now: app.issuer.clock.now() }))
}
