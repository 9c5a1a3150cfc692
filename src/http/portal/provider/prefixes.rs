//! The prefixes of the organization, asking for one, and taking that back.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::clock::Timestamp;
use crate::domain::prefix::{Prefix, PrefixName, PrefixStatus};
use crate::domain::prefix_request::{PrefixRequest, PrefixRequestState};
use crate::domain::record::Recorded;
use crate::domain::right::Right;
use crate::http::portal::fields::Fields;
use crate::http::portal::form_errors::FormErrors;
use crate::http::portal::notice::Notice;
use crate::http::portal::page::{Page, Section, SignedIn, done, show, show_again};
use crate::http::portal::provider::check_text;
use crate::http::portal::provider::scopes::PREFIXES_SHOWN_MAX;
use crate::http::portal::query::{PAGE_ITEMS, Query};
use crate::http::portal::refused::Refused;
use crate::http::portal::take_back::TakeBack;
use crate::http::portal::visible::visible;
use crate::registry::{PrefixFilter, PrefixRequestFilter, RegistryError};

const LIST: &str = "/portal/prefixes";

/// A request that is not granted: what is granted stands among the prefixes.
struct Asked {
    prefix: PrefixName,
    reason: String,
    by: String,
    at: Timestamp,
    state: AskedState,
    answer: String,
}

/// How it stands with a request that is not granted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum AskedState {
    /// The operator has refused.
    Denied,
    /// The organization has taken it back.
    TakenBack,
    /// The organization waits for an answer.
    Waits,
}

impl Asked {
    /// The name of the text of its state, and the kind of its tag.
    fn tag(&self) -> (&'static str, &'static str) {
        match self.state {
            AskedState::Denied => ("provider-access-denied", "danger"),
            AskedState::TakenBack => ("callable-state-taken-back", "neutral"),
            AskedState::Waits => ("provider-prefix-waits", "info"),
        }
    }

    fn waits(&self) -> bool {
        self.state == AskedState::Waits
    }
}

#[derive(Template)]
#[template(path = "provider/prefixes.html", config = ".askama.toml")]
struct PrefixesPage {
    page: Page,
    prefixes: Vec<Recorded<Prefix>>,
    asked: Vec<Asked>,
    may_write: bool,
}

impl PrefixesPage {
    fn is_active(&self, prefix: &Prefix) -> bool {
        prefix.status == PrefixStatus::Active
    }
}

fn asked(it: Recorded<PrefixRequest>) -> Option<Asked> {
    let lines = |text: &str| text.lines().map(visible).collect::<Vec<_>>().join("\n");
    let request = it.value;
    (request.state != PrefixRequestState::Approved).then(|| Asked {
        reason: lines(&request.reason),
        by: visible(&request.requested_by),
        at: it.updated_at,
        state: match request.state {
            PrefixRequestState::Requested => AskedState::Waits,
            _ if request.taken_back => AskedState::TakenBack,
            _ => AskedState::Denied,
        },
        answer: lines(request.answer.as_deref().unwrap_or_default()),
        prefix: request.prefix,
    })
}

/// `GET /portal/prefixes`
pub(super) async fn list(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
) -> Result<Response, Refused> {
    let own = Some(signed_in.organization);
    let filter = PrefixFilter { owner: own, inactive: true, after: None };
    let prefixes = app.registry.prefixes(&filter, PREFIXES_SHOWN_MAX).await?;
    let filter = PrefixRequestFilter { organization: own, ..PrefixRequestFilter::default() };
    let requests = app.registry.prefix_requests(&signed_in.actor, filter, PAGE_ITEMS).await?;
    let page = signed_in.page.at(Section::Prefixes);
    Ok(show(&PrefixesPage {
        may_write: page.may(Right::WriteScopes),
        page,
        prefixes: prefixes.items.into_iter().map(|(prefix, _)| prefix).collect(),
        asked: requests.items.into_iter().filter_map(asked).collect(),
    }))
}

#[derive(Template)]
#[template(path = "provider/prefix_new.html", config = ".askama.toml")]
struct NewPrefix {
    page: Page,
    typed: Fields,
    errors: FormErrors,
}

/// `GET /portal/prefixes/new`
pub(super) async fn form(signed_in: SignedIn) -> Result<Response, Refused> {
    signed_in.actor.require(Right::WriteScopes)?;
    let page = signed_in.page.at(Section::Prefixes);
    Ok(show(&NewPrefix { page, typed: Fields::default(), errors: FormErrors::default() }))
}

/// `POST /portal/prefixes/new`
pub(super) async fn ask(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    fields: Fields,
) -> Result<Response, Refused> {
    let page = signed_in.page.at(Section::Prefixes);
    let mut errors = FormErrors::default();
    // Whoever writes a colon after it means the prefix.
    let prefix = fields.text("prefix").trim_end_matches(':').parse::<PrefixName>().ok();
    if prefix.is_none() {
        errors.add("prefix", page.say("provider-prefix-wrong"));
    }
    let reason = fields.text("reason").to_owned();
    if reason.is_empty() {
        errors.add("reason", page.say("provider-prefix-reason-missing"));
    }
    check_text(&page, "reason", &reason, &mut errors);
    if let (Some(prefix), true) = (prefix, errors.is_empty()) {
        match app.registry.request_prefix(&signed_in.actor, &prefix, reason).await {
            Ok(_) => return Ok(done(&app, Notice::PrefixRequested, LIST)),
            Err(error @ RegistryError::Invalid { .. }) => {
                errors = FormErrors::of_registry(&page, "reason", error)?;
            }
            Err(error) => errors = FormErrors::of_registry(&page, "prefix", error)?,
        }
    }
    Ok(show_again(&NewPrefix { page, typed: fields, errors }))
}

/// `GET /portal/prefixes/take-back?name=`
pub(super) async fn ask_to_take_back(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    query: Query,
) -> Result<Response, Refused> {
    let prefix: PrefixName = query.read("name").ok_or(Refused::NotFound)?;
    Ok(show(&take_back_view(signed_in, &app, &prefix).await?))
}

/// `POST /portal/prefixes/take-back`
pub(super) async fn take_back(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    fields: Fields,
) -> Result<Response, Refused> {
    let prefix: PrefixName = fields.text("name").parse().map_err(|_| Refused::NotFound)?;
    let (actor, own) = (&signed_in.actor, signed_in.organization);
    match app.registry.take_back_prefix_request(actor, &prefix, own, fields.version()).await {
        Ok(_) => Ok(done(&app, Notice::RequestTakenBack, LIST)),
        Err(error) => {
            let mut view = take_back_view(signed_in, &app, &prefix).await?;
            view.errors = FormErrors::of_registry(&view.page, "take-back", error)?;
            Ok(show_again(&view))
        }
    }
}

async fn take_back_view(
    signed_in: SignedIn,
    app: &App,
    prefix: &PrefixName,
) -> Result<TakeBack, Refused> {
    signed_in.actor.require(Right::WriteScopes)?;
    let own = signed_in.organization;
    let found = app.registry.prefix_request(&signed_in.actor, prefix, own).await?;
    Ok(TakeBack {
        page: signed_in.page.at(Section::Prefixes),
        thing: prefix.to_string(),
        about: visible(found.value.reason.lines().next().unwrap_or_default()),
        version: found.version,
        waits: found.value.state == PrefixRequestState::Requested,
        action: "/portal/prefixes/take-back",
        list: LIST,
        errors: FormErrors::default(),
    })
}
