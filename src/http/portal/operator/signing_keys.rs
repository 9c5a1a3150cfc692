//! Our own signing keys: how they take turns, and the operator's ways to change that.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::clock::{DAY_SECONDS, HOUR_SECONDS, Timestamp};
use crate::domain::signing_key::{SigningKeyRecord, SigningKeyState, SigningTurns};
use crate::http::portal::fields::Fields;
use crate::http::portal::form_errors::FormErrors;
use crate::http::portal::notice::Notice;
use crate::http::portal::operator::AsOperator;
use crate::http::portal::page::{Page, SignedIn, done, show, show_again};
use crate::http::portal::refused::Refused;
use crate::registry::{RegistryError, SigningKey, SigningStart};

const PAGE: &str = "/portal/operator/signing-keys";

/// Days after which a signing key should have a successor: two years, as NIST SP 800-57 part 1 section 5.3.6 has it for
/// private keys that sign.
pub(super) const KEY_OLD_DAYS: u64 = 2 * 365;

/// How many days ago a key was made.
pub(super) fn age_days(key: &SigningKeyRecord, now: Timestamp) -> u64 {
    let seconds = now.seconds().saturating_sub(key.created_at.seconds());
    u64::try_from(seconds / DAY_SECONDS).unwrap_or(0)
}

#[derive(Template)]
#[template(path = "operator/signing_keys.html", config = ".askama.toml")]
struct SigningKeysPage {
    page: Page,
    /// Newest first.
    keys: Vec<SigningKey>,
    turns: SigningTurns,
    now: Timestamp,
    /// Where they are published.
    published: String,
    errors: FormErrors,
}

impl SigningKeysPage {
    /// The end of the name of the text for where a key stands, and the kind of its tag.
    fn standing(&self, key: &SigningKey) -> (&'static str, &'static str) {
        match key.state {
            SigningKeyState::Announced => ("announced", "info"),
            SigningKeyState::Active if age_days(&key.record, self.now) >= KEY_OLD_DAYS => {
                ("is-old", "warning")
            }
            SigningKeyState::Active => ("active", "success"),
            SigningKeyState::Retiring => ("retiring", "neutral"),
            SigningKeyState::Retired => ("retired", "neutral"),
        }
    }

    fn waits(&self) -> bool {
        self.keys.iter().any(|key| key.state == SigningKeyState::Announced)
    }

    /// The keys that can be retired.
    fn spare(&self) -> Vec<&SigningKey> {
        let may = [SigningKeyState::Announced, SigningKeyState::Retiring];
        self.keys.iter().filter(|key| may.contains(&key.state)).collect()
    }

    fn announce_hours(&self) -> i64 {
        self.turns.announce_seconds / HOUR_SECONDS
    }

    /// When the next key will be announced by itself.
    fn next(&self) -> Option<Timestamp> {
        let records: Vec<_> = self.keys.iter().map(|key| key.record.clone()).collect();
        self.turns.successor(self.turns.last(&records)?).map(|(announced, _)| announced)
    }
}

async fn look(
    app: &App,
    operator: AsOperator,
    errors: FormErrors,
) -> Result<SigningKeysPage, Refused> {
    Ok(SigningKeysPage {
        keys: app.registry.signing_keys(&operator.actor).await?,
        turns: app.registry.signing_turns()?,
        now: app.issuer.clock.now(),
        published: format!("{}jwk", app.issuer.rules.grant.issuer),
        page: operator.page,
        errors,
    })
}

/// `GET /portal/operator/signing-keys`
pub(super) async fn list(
    operator: AsOperator,
    State(app): State<Arc<App>>,
) -> Result<Response, Refused> {
    Ok(show(&look(&app, operator, FormErrors::default()).await?))
}

/// `POST /portal/operator/signing-keys`: announces the next key or, with `now`, lets it sign at once.
pub(super) async fn rotate(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    fields: Fields,
) -> Result<Response, Refused> {
    let (start, notice) = if fields.ticked("now") {
        (SigningStart::Now, Notice::SigningKeyReplaced)
    } else {
        (SigningStart::Announced, Notice::SigningKeyAnnounced)
    };
    if start == SigningStart::Now && !fields.ticked("sure") {
        return unsure(&app, signed_in, "sure").await;
    }
    match app.registry.rotate_signing_key(&signed_in.actor, start).await {
        Ok(_) => Ok(done(&app, notice, PAGE)),
        Err(error) => again(&app, signed_in, "rotate", error).await,
    }
}

/// `POST /portal/operator/signing-keys/retire`
pub(super) async fn retire(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    fields: Fields,
) -> Result<Response, Refused> {
    if !fields.ticked("sure") {
        return unsure(&app, signed_in, "sure-retire").await;
    }
    match app.registry.retire_signing_key(&signed_in.actor, fields.text("kid")).await {
        Ok(_) => Ok(done(&app, Notice::SigningKeyRetired, PAGE)),
        Err(error) => again(&app, signed_in, "kid", error).await,
    }
}

async fn unsure(app: &App, signed_in: SignedIn, field: &'static str) -> Result<Response, Refused> {
    let errors = FormErrors::one(field, signed_in.page.say("operator-key-sure-missing"));
    Ok(show_again(&look(app, AsOperator::of(signed_in)?, errors).await?))
}

async fn again(
    app: &App,
    signed_in: SignedIn,
    field: &'static str,
    error: RegistryError,
) -> Result<Response, Refused> {
    let errors = FormErrors::of_registry(&signed_in.page, field, error)?;
    Ok(show_again(&look(app, AsOperator::of(signed_in)?, errors).await?))
}
