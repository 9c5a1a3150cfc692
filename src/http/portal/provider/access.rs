//! One access: giving it, changing its end and its note, and withdrawing it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::app::App;
use crate::clock::Timestamp;
use crate::domain::access::{AccessCase, AccessState};
use crate::domain::audit::AuditFilter;
use crate::domain::change::ChangedNoun;
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::{Expected, Recorded};
use crate::domain::right::Right;
use crate::http::portal::acts::Act;
use crate::http::portal::fields::Fields;
use crate::http::portal::form_errors::FormErrors;
use crate::http::portal::notice::Notice;
use crate::http::portal::page::{Page, SignedIn, done, go_to, show, show_again};
use crate::http::portal::provider::accesses::Row;
use crate::http::portal::provider::check_text;
use crate::http::portal::provider::scope::{Head, Loaded, Tab, load};
use crate::http::portal::refused::Refused;
use crate::http::portal::times::{end_of_day, last_day_of_field};
use crate::registry::{AccessTerms, Registry, RegistryError};

#[derive(Template)]
#[template(path = "provider/access_new.html", config = ".askama.toml")]
struct NewAccess {
    page: Page,
    head: Head,
    typed: Fields,
    /// Whether nobody of that number is registered here, so that it is asked once more.
    is_unknown: bool,
    errors: FormErrors,
}

/// `GET /portal/scopes/{scope}/accesses/new`
pub(super) async fn new(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Response, Refused> {
    signed_in.actor.require(Right::WriteScopes)?;
    let it = load(signed_in, &app, &name, Tab::Accesses).await?;
    let (typed, errors) = (Fields::default(), FormErrors::default());
    Ok(show(&NewAccess { page: it.page, head: it.head, typed, is_unknown: false, errors }))
}

/// `POST /portal/scopes/{scope}/accesses/new`
pub(super) async fn give(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Response, Refused> {
    let it = load(signed_in, &app, &name, Tab::Accesses).await?;
    let now = app.issuer.clock.now();
    let mut errors = FormErrors::default();
    let number = errors.read_number(&it.page, "provider", "number", fields.text("number"));
    let terms = read_terms(&it.page, &fields, None, now, &mut errors);
    let is_unknown = match number {
        Some(number) => app.registry.organization_name(number).await?.is_none(),
        None => false,
    };
    if is_unknown && !fields.ticked("unknown") {
        errors.add("number", it.page.say("provider-unknown"));
    }
    if let (Some(number), true) = (number, errors.is_empty()) {
        match expected(&app.registry, &it, number, now).await? {
            None => errors.add("number", it.page.say("provider-access-there")),
            Some(expected) => {
                let scope = &it.head.name;
                match app.registry.grant_access(&it.actor, scope, number, terms, expected).await {
                    Ok(_) => return Ok(done(&app, Notice::AccessGiven, &it.head.address)),
                    Err(error) => errors = FormErrors::of_registry(&it.page, "number", error)?,
                }
            }
        }
    }
    let (page, head, typed) = (it.page, it.head, fields);
    Ok(show_again(&NewAccess { page, head, typed, is_unknown, errors }))
}

/// What giving an access expects to find. `None` when the organization has it: what is there is changed on its own
/// page, where one sees it.
async fn expected(
    registry: &Registry,
    it: &Loaded,
    number: OrganizationNumber,
    now: Timestamp,
) -> Result<Option<Expected>, Refused> {
    match registry.access(&it.actor, &it.head.name, number).await {
        Ok(found) if found.value.access.holds_at(now) => Ok(None),
        Ok(found) => Ok(Some(Expected::At(found.version))),
        Err(RegistryError::Absent { .. }) => Ok(Some(Expected::Nothing)),
        Err(error) => Err(error.into()),
    }
}

/// The end and the note that a form says. The end that is there already stays what it is to the second.
pub(super) fn read_terms(
    page: &Page,
    fields: &Fields,
    found: Option<&AccessCase>,
    now: Timestamp,
    errors: &mut FormErrors,
) -> AccessTerms {
    let there = found.and_then(|case| case.access.expires_at);
    let typed = fields.filled("expires");
    let expires_at = match typed {
        Some(text) if there.is_some_and(|end| last_day_of_field(end) == text) => there,
        Some(text) => end_of_day(text),
        None => None,
    };
    if typed.is_some() && expires_at.is_none() {
        errors.add("expires", page.say("provider-expires-wrong"));
    } else if expires_at.is_some_and(|end| end <= now) {
        errors.add("expires", page.say("provider-expires-past"));
    }
    let note = fields.filled("note").map(str::to_owned);
    check_text(page, "note", note.as_deref().unwrap_or_default(), errors);
    AccessTerms { expires_at, note }
}

#[derive(Template)]
#[template(path = "provider/access.html", config = ".askama.toml")]
struct EditAccess {
    page: Page,
    head: Head,
    row: Row,
    reason: Option<String>,
    /// What was last done to it, by whom and when.
    last: Option<Act>,
    version: i64,
    typed: Fields,
    errors: FormErrors,
}

/// An access with the scope that it is to.
struct LoadedAccess {
    of: Loaded,
    case: Recorded<AccessCase>,
    row: Row,
    last: Option<Act>,
}

/// Acts among which the last that was done is looked for: attempts that were refused stand there too.
const ACTS_READ: u32 = 20;

async fn load_access(
    signed_in: SignedIn,
    app: &App,
    (scope, number): (String, String),
) -> Result<LoadedAccess, Refused> {
    let number: OrganizationNumber = number.parse().map_err(|_| Refused::NotFound)?;
    let of = load(signed_in, app, &scope, Tab::Accesses).await?;
    let case = app.registry.access(&of.actor, &of.head.name, number).await?;
    let row = Row::new(&case, &of.head.address, app.issuer.clock.now());
    let filter = AuditFilter {
        organization: Some(case.value.owner),
        noun: Some(ChangedNoun::Access.name().to_owned()),
        key: Some(format!("{} {number}", of.head.name)),
        ..AuditFilter::default()
    };
    let acts = app.registry.audit_rows(&of.actor, filter, None, ACTS_READ).await?;
    let last =
        acts.items.into_iter().map(|row| Act::new(&of.page, row)).find(|it| !it.is_refused());
    Ok(LoadedAccess { of, case, row, last })
}

fn as_it_is(case: &AccessCase) -> Fields {
    let expires = case.access.expires_at.map(last_day_of_field).unwrap_or_default();
    Fields::default().with("expires", expires).with("note", case.note.clone().unwrap_or_default())
}

/// The terms on which an organization had access before, for a form that gives it again: an end that has been is none.
pub(super) fn as_before(case: &AccessCase, now: Timestamp) -> Fields {
    let mut case = case.clone();
    case.access.expires_at = case.access.expires_at.filter(|end| *end > now);
    as_it_is(&case)
}

fn view(it: LoadedAccess, typed: Fields, errors: FormErrors) -> EditAccess {
    EditAccess {
        page: it.of.page,
        head: it.of.head,
        row: it.row,
        reason: it.case.value.reason.clone(),
        last: it.last,
        version: it.case.version.0,
        typed,
        errors,
    }
}

/// `GET /portal/scopes/{scope}/accesses/{number}`
pub(super) async fn edit(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(key): Path<(String, String)>,
) -> Result<Response, Refused> {
    let it = load_access(signed_in, &app, key).await?;
    if it.case.value.access.state == AccessState::Requested {
        return Ok(go_to(&it.row.address));
    }
    let typed = if it.row.holds {
        as_it_is(&it.case.value)
    } else {
        as_before(&it.case.value, app.issuer.clock.now())
    };
    Ok(show(&view(it, typed, FormErrors::default())))
}

/// `POST /portal/scopes/{scope}/accesses/{number}`: changes its end and note; what was withdrawn is given again.
pub(super) async fn save(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(key): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Refused> {
    let mut it = load_access(signed_in, &app, key).await?;
    let mut errors = FormErrors::default();
    let (found, now) = (Some(&it.case.value), app.issuer.clock.now());
    let terms = read_terms(&it.of.page, &fields, found, now, &mut errors);
    let (scope, number) = (it.of.head.name.clone(), it.row.number);
    if errors.is_empty() {
        let expected = fields.version().map_or(Expected::At(it.case.version), Expected::At);
        let done_so = app.registry.grant_access(&it.of.actor, &scope, number, terms, expected);
        match done_so.await {
            Ok(_) => return Ok(done(&app, Notice::Saved, &it.of.head.address)),
            Err(error @ (RegistryError::Stale | RegistryError::Unseen)) => {
                errors = FormErrors::of_registry(&it.of.page, "note", error)?;
                it.case = app.registry.access(&it.of.actor, &scope, number).await?;
                let now = as_it_is(&it.case.value);
                let labels = [("expires", "provider-expires"), ("note", "provider-note")];
                let errors = errors.beside(&it.of.page, &fields, &now, labels);
                return Ok(show_again(&view(it, now, errors)));
            }
            Err(error) => errors = FormErrors::of_registry(&it.of.page, "expires", error)?,
        }
    }
    Ok(show_again(&view(it, fields, errors)))
}

#[derive(Template)]
#[template(path = "provider/withdraw.html", config = ".askama.toml")]
struct Withdraw {
    page: Page,
    head: Head,
    row: Row,
    version: i64,
    reason: String,
    errors: FormErrors,
}

fn ask_view(it: LoadedAccess, reason: &str, errors: FormErrors) -> Withdraw {
    Withdraw {
        page: it.of.page,
        head: it.of.head,
        row: it.row,
        version: it.case.version.0,
        reason: reason.to_owned(),
        errors,
    }
}

/// `GET /portal/scopes/{scope}/accesses/{number}/withdraw`
pub(super) async fn ask(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(key): Path<(String, String)>,
) -> Result<Response, Refused> {
    signed_in.actor.require(Right::WriteScopes)?;
    let it = load_access(signed_in, &app, key).await?;
    Ok(show(&ask_view(it, "", FormErrors::default())))
}

/// `POST /portal/scopes/{scope}/accesses/{number}/withdraw`
pub(super) async fn withdraw(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(key): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Refused> {
    let it = load_access(signed_in, &app, key).await?;
    let mut errors = FormErrors::default();
    let reason = fields.filled("reason").map(str::to_owned);
    check_text(&it.of.page, "reason", reason.as_deref().unwrap_or_default(), &mut errors);
    if errors.is_empty() {
        let (scope, number, seen) = (&it.of.head.name, it.row.number, fields.version());
        match app.registry.withdraw_access(&it.of.actor, scope, number, reason, seen).await {
            Ok(_) => return Ok(done(&app, Notice::AccessWithdrawn, &it.of.head.address)),
            Err(error) => errors = FormErrors::of_registry(&it.of.page, "reason", error)?,
        }
    }
    Ok(show_again(&ask_view(it, fields.raw("reason"), errors)))
}
