//! Refused token requests of everybody.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::clock::Timestamp;
use crate::domain::refused_request::{RefusedRequest, RefusedRequestPlace};
use crate::http::portal::form_errors::FormErrors;
use crate::http::portal::operator::AsOperator;
use crate::http::portal::page::{Page, go_to, show};
use crate::http::portal::query::{PAGE_ITEMS, Pager, Query};
use crate::http::portal::refused::Refused;
use crate::registry::RegistryError;

const LIST: &str = "/portal/operator/refusals";

#[derive(Template)]
#[template(path = "operator/refusals.html", config = ".askama.toml")]
struct RefusalsPage {
    page: Page,
    refusals: Vec<RefusedRequest>,
    pager: Pager,
    /// The trace id that was looked for.
    trace: String,
    errors: FormErrors,
}

/// `GET /portal/operator/refusals?trace=&after=`
pub(super) async fn list(
    operator: AsOperator,
    State(app): State<Arc<App>>,
    query: Query,
) -> Result<Response, Refused> {
    let AsOperator { page, actor } = operator;
    let trace = query.0.text("trace").to_ascii_lowercase();
    let mut errors = FormErrors::default();
    if !trace.is_empty() {
        match app.registry.refused_request(&actor, &trace).await {
            Ok(found) => return Ok(go_to(&format!("/portal/refusals/{}", found.trace_id))),
            Err(RegistryError::Absent { .. }) => {
                errors.add("trace", page.say("operator-refusals-unknown"));
            }
            Err(other) => return Err(other.into()),
        }
    }
    let after = query.0.filled("after").and_then(place);
    let found = app.registry.refused_requests(&actor, None, after.as_ref(), PAGE_ITEMS).await?;
    let last = found.items.last().filter(|_| found.has_more);
    let last = last.map(|last| format!("{}.{}", last.at.seconds(), last.trace_id));
    let pager = Pager::new(LIST.to_owned(), after.is_some(), last);
    Ok(show(&RefusalsPage { page, refusals: found.items, pager, trace, errors }))
}

/// The place in the list that a link to the next page names: `seconds.trace`.
fn place(text: &str) -> Option<RefusedRequestPlace> {
    let (seconds, trace_id) = text.split_once('.')?;
    let at = Timestamp::from_seconds(seconds.parse().ok()?);
    Some(RefusedRequestPlace { at, trace_id: trace_id.to_owned() })
}
