//! The authorities whose certificates count.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::clock::{DAY_SECONDS, HOUR_SECONDS, Timestamp};
use crate::domain::trust::{RevocationList, TrustSetSummary, TrustedAuthority};
use crate::http::portal::operator::AsOperator;
use crate::http::portal::page::{Page, show};
use crate::http::portal::refused::Refused;

/// Days before the end of an authority's certificate at which the operator should have its successor.
const AUTHORITY_SOON_DAYS: i64 = 90;

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
        let soon = self.now.plus_seconds(AUTHORITY_SOON_DAYS * DAY_SECONDS);
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
        self.now.seconds().saturating_sub(list.this_update.seconds()).max(0) / HOUR_SECONDS
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
