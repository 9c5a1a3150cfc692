//! What organizations have asked for: prefixes, which only the operator assigns.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::app::App;
use crate::domain::organization::OrganizationNumber;
use crate::domain::prefix::PrefixName;
use crate::domain::prefix_request::{PrefixRequest, PrefixRequestState};
use crate::domain::record::Recorded;
use crate::http::portal::fields::{Decision, Fields};
use crate::http::portal::form_errors::FormErrors;
use crate::http::portal::notice::Notice;
use crate::http::portal::operator::AsOperator;
use crate::http::portal::page::{Page, SignedIn, done, show, show_again};
use crate::http::portal::query::{PAGE_ITEMS, Pager, Query};
use crate::http::portal::refused::Refused;
use crate::http::portal::visible::visible;
use crate::registry::{PrefixRequestFilter, RegistryError};

const LIST: &str = "/portal/operator/prefix-requests";

/// The kind of tag that a request has.
fn tag(request: &PrefixRequest) -> &'static str {
    match request.state {
        PrefixRequestState::Approved => "success",
        PrefixRequestState::Denied => "neutral",
        PrefixRequestState::Requested => "info",
    }
}

/// The end of the name of the text for the state of a request.
fn word(request: &PrefixRequest) -> String {
    if request.taken_back {
        "taken-back".to_owned()
    } else {
        request.state.name().to_ascii_lowercase()
    }
}

#[derive(Template)]
#[template(path = "operator/prefix_requests.html", config = ".askama.toml")]
struct RequestsPage {
    page: Page,
    requests: Vec<Recorded<PrefixRequest>>,
    pager: Pager,
    /// Whether those that are answered are shown too.
    all: bool,
}

impl RequestsPage {
    fn tag(&self, request: &PrefixRequest) -> &'static str {
        tag(request)
    }

    fn state(&self, request: &PrefixRequest) -> String {
        self.page.word("operator-request", &word(request))
    }

    fn name(&self, request: &PrefixRequest) -> String {
        visible(request.organization_name.as_deref().unwrap_or_default())
    }
}

/// `GET /portal/operator/prefix-requests?all=&after=`: those that wait, or all of them.
pub(super) async fn list(
    operator: AsOperator,
    State(app): State<Arc<App>>,
    query: Query,
) -> Result<Response, Refused> {
    let all = query.0.ticked("all");
    let state = (!all).then_some(PrefixRequestState::Requested);
    let after = query.0.text("after").split_once(' ').and_then(|(prefix, organization)| {
        Some((prefix.parse::<PrefixName>().ok()?, organization.parse().ok()?))
    });
    let is_later = after.is_some();
    let filter = PrefixRequestFilter { organization: None, state, after };
    let found = app.registry.prefix_requests(&operator.actor, filter, PAGE_ITEMS).await?;
    let last = found.items.last().filter(|_| found.has_more);
    let last = last.map(|it| format!("{} {}", it.value.prefix, it.value.organization));
    let address = if all { format!("{LIST}?all=1") } else { LIST.to_owned() };
    let pager = Pager::new(address, is_later, last);
    Ok(show(&RequestsPage { page: operator.page, requests: found.items, pager, all }))
}

#[derive(Template)]
#[template(path = "operator/prefix_request.html", config = ".askama.toml")]
struct RequestPage {
    page: Page,
    request: Recorded<PrefixRequest>,
    name: String,
    reason: String,
    /// Who has the prefix already.
    taken_by: Option<OrganizationNumber>,
    fields: Fields,
    errors: FormErrors,
}

impl RequestPage {
    fn waits(&self) -> bool {
        self.request.value.state == PrefixRequestState::Requested
    }

    fn tag(&self) -> &'static str {
        tag(&self.request.value)
    }

    fn state(&self) -> String {
        self.page.word("operator-request", &word(&self.request.value))
    }
}

type Asked = (PrefixName, OrganizationNumber);

fn read((prefix, organization): (String, String)) -> Result<Asked, Refused> {
    let prefix = prefix.parse().map_err(|_| Refused::NotFound)?;
    Ok((prefix, organization.parse().map_err(|_| Refused::NotFound)?))
}

async fn look(
    app: &App,
    operator: AsOperator,
    (prefix, organization): &Asked,
    fields: Fields,
    errors: FormErrors,
) -> Result<RequestPage, Refused> {
    let AsOperator { page, actor } = operator;
    let request = app.registry.prefix_request(&actor, prefix, *organization).await?;
    let taken_by = match app.registry.prefix(prefix).await {
        Ok(found) => Some(found.value.owner),
        Err(RegistryError::Absent { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let name = visible(request.value.organization_name.as_deref().unwrap_or_default());
    let reason: Vec<String> = request.value.reason.lines().map(visible).collect();
    let reason = reason.join("\n");
    Ok(RequestPage { page, request, name, reason, taken_by, fields, errors })
}

/// `GET /portal/operator/prefix-requests/{prefix}/{organization}`
pub(super) async fn show_one(
    operator: AsOperator,
    State(app): State<Arc<App>>,
    Path(asked): Path<(String, String)>,
) -> Result<Response, Refused> {
    let (fields, errors) = (Fields::default(), FormErrors::default());
    Ok(show(&look(&app, operator, &read(asked)?, fields, errors).await?))
}

/// `POST /portal/operator/prefix-requests/{prefix}/{organization}`: with `approve` assigns the
/// prefix, with `deny` says why not.
pub(super) async fn answer(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(asked): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Refused> {
    let asked = read(asked)?;
    let (prefix, organization) = (&asked.0, asked.1);
    let (actor, seen) = (&signed_in.actor, fields.version());
    let said = fields.filled("answer").map(str::to_owned);
    let answered = match fields.decision() {
        None => Err(signed_in.page.say("operator-decision-missing")),
        Some(Decision::Deny) if said.is_none() => {
            Err(signed_in.page.say("operator-answer-missing"))
        }
        Some(Decision::Deny) => Ok((
            Notice::RequestDenied,
            app.registry.deny_prefix_request(actor, prefix, organization, said, seen).await,
        )),
        Some(Decision::Approve) => Ok((
            Notice::PrefixAssigned,
            app.registry.approve_prefix_request(actor, prefix, organization, said, seen).await,
        )),
    };
    let errors = match answered {
        Err(missing) => FormErrors::one("answer", missing),
        Ok((notice, Ok(_))) => return Ok(done(&app, notice, LIST)),
        Ok((_, Err(error))) => FormErrors::of_registry(&signed_in.page, "answer", error)?,
    };
    Ok(show_again(&look(&app, AsOperator::of(signed_in)?, &asked, fields, errors).await?))
}
