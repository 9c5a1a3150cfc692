//! What waits for the operator, and how the server is.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::domain::prefix_request::{PrefixRequest, PrefixRequestState};
use crate::domain::record::Recorded;
use crate::domain::refused_request::RefusedRequest;
use crate::domain::signing_key::{SigningKeyRecord, SigningKeyState};
use crate::http::portal::operator::AsOperator;
use crate::http::portal::operator::signing_keys::{KEY_OLD_DAYS, age_days};
use crate::http::portal::page::{Page, show};
use crate::http::portal::refused::Refused;
use crate::http::portal::visible::visible;
use crate::registry::PrefixRequestFilter;

/// Things of one kind that are shown: enough to see what is going on.
const SHOWN: u32 = 5;

#[derive(Template)]
#[template(path = "operator/start.html", config = ".askama.toml")]
struct Start {
    page: Page,
    requests: Vec<Recorded<PrefixRequest>>,
    more_requests: bool,
    /// What will refuse good clients: the trust set, and what the server says about it.
    warnings: Vec<(String, String)>,
    /// Signing keys that are older than they should become.
    old_keys: Vec<(SigningKeyRecord, u64)>,
    /// Why the server takes no work, in its own words.
    not_ready: Option<String>,
    refusals: Vec<RefusedRequest>,
    sends_mail: bool,
    uptime_hours: u64,
}

impl Start {
    fn waits(&self) -> bool {
        !self.requests.is_empty() || !self.warnings.is_empty() || !self.old_keys.is_empty()
    }

    fn asks(&self, request: &PrefixRequest) -> String {
        let name = visible(request.organization_name.as_deref().unwrap_or_default());
        self.page.fill2("operator-asks", ("organization", &name), ("prefix", &request.prefix))
    }

    fn old(&self, key: &SigningKeyRecord, days: &u64) -> String {
        let days = self.page.number(days);
        let algorithm = key.algorithm.name();
        self.page.fill2("operator-key-old", ("algorithm", &algorithm), ("days", &days))
    }
}

/// `GET /portal/operator`
pub(super) async fn start(
    operator: AsOperator,
    State(app): State<Arc<App>>,
) -> Result<Response, Refused> {
    let AsOperator { page, actor } = operator;
    let waiting = PrefixRequestFilter {
        state: Some(PrefixRequestState::Requested),
        ..PrefixRequestFilter::default()
    };
    let requests = app.registry.prefix_requests(&actor, waiting, SHOWN).await?;
    let sets = app.registry.trust_sets(&actor)?;
    let warnings = sets.into_iter().flat_map(|set| {
        let name = set.name;
        set.warnings.into_iter().map(move |warning| (name.clone(), warning))
    });
    let now = app.issuer.clock.now();
    let keys = app.registry.signing_keys(&actor).await?.into_iter();
    let old_keys = keys
        .filter(|key| key.state == SigningKeyState::Active)
        .map(|key| (age_days(&key.record, now), key.record))
        .filter(|(days, _)| *days >= KEY_OLD_DAYS)
        .map(|(days, key)| (key, days));
    Ok(show(&Start {
        page,
        requests: requests.items,
        more_requests: requests.has_more,
        warnings: warnings.collect(),
        old_keys: old_keys.collect(),
        not_ready: app.ready().err(),
        refusals: app.registry.refused_requests(&actor, None, None, SHOWN).await?.items,
        sends_mail: app.registry.sends_mail(),
        uptime_hours: app.uptime().as_secs() / (60 * 60),
    }))
}
