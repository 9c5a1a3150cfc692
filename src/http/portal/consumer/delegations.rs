//! Delegations in our own register: those we have given to suppliers, and those we have received.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::clock::Timestamp;
use crate::domain::access::DelegationSummary;
use crate::domain::integration::IntegrationType;
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::Expected;
use crate::domain::right::Right;
use crate::domain::scope::ScopeName;
use crate::http::portal::consumer::callable::named;
use crate::http::portal::fields::Fields;
use crate::http::portal::form_errors::FormErrors;
use crate::http::portal::notice::Notice;
use crate::http::portal::page::{Page, Section, SignedIn, done, show, show_again};
use crate::http::portal::query::{PAGE_ITEMS, Pager, Query};
use crate::http::portal::refused::Refused;
use crate::http::portal::times::{begin_of_day, end_of_day};
use crate::registry::{DelegationFilter, NewDelegation, RegistryError, ScopeFilter};

/// How a field of a form names today.
const DAY_CHARACTERS: usize = 10;

/// Scopes that are suggested while somebody types.
const SUGGESTIONS_MAX: u32 = 200;

struct Row {
    scope: String,
    /// The other organization.
    other: String,
    supplier: String,
    from: Timestamp,
    to: Option<Timestamp>,
    /// The end of the name of the text of its state, and the kind of its tag.
    state: (&'static str, &'static str),
    is_over: bool,
}

#[derive(Template)]
#[template(path = "consumer/delegations.html", config = ".askama.toml")]
struct Delegations {
    page: Page,
    received: bool,
    rows: Vec<Row>,
    pager: Pager,
    may_write: bool,
}

/// `GET /portal/delegations?show=received`
pub(super) async fn list(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    query: Query,
) -> Result<Response, Refused> {
    let received = query.0.text("show") == "received";
    let own = signed_in.organization;
    let filter = DelegationFilter {
        party: Some(own),
        consumer: (!received).then_some(own),
        supplier: received.then_some(own),
        inactive: true,
        after: after(&query),
        ..DelegationFilter::default()
    };
    let is_later = filter.after.is_some();
    let found = app.registry.delegations(&signed_in.actor, filter, PAGE_ITEMS).await?;
    let last = found.items.last().filter(|_| found.has_more).map(|last| {
        let it = &last.delegation.value;
        format!("{} {} {}", it.consumer, it.supplier, it.scope)
    });
    let now = app.issuer.clock.now();
    let row = |found: DelegationSummary| {
        let it = found.delegation.value;
        let (number, name) = if received {
            (it.consumer, found.consumer_name)
        } else {
            (it.supplier, found.supplier_name)
        };
        Row {
            other: named(number, name.as_deref()),
            state: match &it {
                it if it.revoked_at.is_some() => ("withdrawn", "neutral"),
                it if it.valid_to.is_some_and(|end| end <= now) => ("over", "neutral"),
                it if it.valid_from > now => ("later", "info"),
                _ => ("holds", "success"),
            },
            is_over: it.revoked_at.is_some() || it.valid_to.is_some_and(|end| end <= now),
            supplier: it.supplier.to_string(),
            from: it.valid_from,
            to: it.valid_to,
            scope: it.scope.to_string(),
        }
    };
    let rows = found.items.into_iter().map(row).collect();
    let address =
        format!("/portal/delegations?show={}", if received { "received" } else { "given" });
    let pager = Pager::new(address, is_later, last);
    let page = signed_in.page.at(Section::Delegations);
    let may_write = page.may(Right::WriteClients);
    Ok(show(&Delegations { page, received, rows, pager, may_write }))
}

fn after(query: &Query) -> Option<(OrganizationNumber, OrganizationNumber, ScopeName)> {
    let mut parts = query.0.text("after").split(' ');
    let (consumer, supplier, scope) = (parts.next()?, parts.next()?, parts.next()?);
    Some((consumer.parse().ok()?, supplier.parse().ok()?, scope.parse().ok()?))
}

#[derive(Template)]
#[template(path = "consumer/new_delegation.html", config = ".askama.toml")]
struct NewForm {
    page: Page,
    typed: Fields,
    /// The first day that can be chosen.
    today: String,
    suggestions: Vec<String>,
    errors: FormErrors,
}

/// `GET /portal/delegations/new?scope=`
pub(super) async fn form(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    query: Query,
) -> Result<Response, Refused> {
    signed_in.actor.require(Right::WriteClients)?;
    let typed = Fields::default().with("scope", query.0.text("scope"));
    Ok(show(&new_form(signed_in, &app, typed, FormErrors::default()).await?))
}

async fn new_form(
    signed_in: SignedIn,
    app: &App,
    typed: Fields,
    errors: FormErrors,
) -> Result<NewForm, Refused> {
    let filter = ScopeFilter {
        delegated: Some(true),
        product: Some(IntegrationType::Maskinporten),
        ..ScopeFilter::default()
    };
    let found = app.registry.public_scopes(filter, SUGGESTIONS_MAX).await?;
    let today = app.issuer.clock.now().to_string();
    Ok(NewForm {
        page: signed_in.page.at(Section::Delegations),
        typed,
        today: today.chars().take(DAY_CHARACTERS).collect(),
        suggestions: found.items.iter().map(|found| found.scope.value.name.to_string()).collect(),
        errors,
    })
}

/// `POST /portal/delegations`
pub(super) async fn give(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    fields: Fields,
) -> Result<Response, Refused> {
    let (wish, mut errors) = read(&signed_in, &app, &fields);
    if let (Some(wish), true) = (wish, errors.is_empty()) {
        match app.registry.put_delegation(&signed_in.actor, wish, Expected::Anything).await {
            Ok(_) => return Ok(done(&app, Notice::Delegated, "/portal/delegations")),
            Err(error) => errors = explain(&signed_in.page, error)?,
        }
    }
    Ok(show_again(&new_form(signed_in, &app, fields, errors).await?))
}

/// What is wished for, and what is wrong with it.
fn read(signed_in: &SignedIn, app: &App, fields: &Fields) -> (Option<NewDelegation>, FormErrors) {
    let page = &signed_in.page;
    let mut errors = FormErrors::default();
    let supplier: Option<OrganizationNumber> =
        fields.text("supplier").replace(' ', "").parse().ok();
    match supplier {
        None => errors.add("supplier", page.say("delegations-supplier-wrong")),
        Some(number) if number == signed_in.organization => {
            errors.add("supplier", page.say("delegations-supplier-own"));
        }
        Some(_) => {}
    }
    let scope: Option<ScopeName> = fields.text("scope").parse().ok();
    if scope.is_none() {
        errors.add("scope", page.say("scope-name-wrong"));
    }
    let from = fields.filled("from").map(begin_of_day);
    let to = fields.filled("to").map(end_of_day);
    if from == Some(None) {
        errors.add("from", page.say("delegations-day-wrong"));
    }
    let now = app.issuer.clock.now();
    let begins = from.flatten().unwrap_or(now);
    match to {
        Some(None) => errors.add("to", page.say("delegations-day-wrong")),
        Some(Some(end)) if end <= now || end <= begins => {
            errors.add("to", page.say("delegations-end-wrong"));
        }
        _ => {}
    }
    let wish = supplier.zip(scope).map(|(supplier, scope)| NewDelegation {
        consumer: signed_in.organization,
        supplier,
        scope,
        valid_from: from.flatten(),
        valid_to: to.flatten(),
    });
    (wish, errors)
}

fn explain(page: &Page, error: RegistryError) -> Result<FormErrors, Refused> {
    match error {
        RegistryError::Absent { noun: "scope" } => {
            Ok(FormErrors::one("scope", page.say("delegations-scope-unknown")))
        }
        RegistryError::Conflict { .. } => FormErrors::of_registry(page, "scope", error),
        other => FormErrors::of_registry(page, "supplier", other),
    }
}

#[derive(Template)]
#[template(path = "consumer/withdraw_delegation.html", config = ".askama.toml")]
struct Withdraw {
    page: Page,
    scope: String,
    supplier: String,
    supplier_name: String,
    version: i64,
    is_withdrawn: bool,
    errors: FormErrors,
}

/// `GET /portal/delegations/withdraw?supplier=&scope=`
pub(super) async fn ask(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    query: Query,
) -> Result<Response, Refused> {
    let supplier = query.read("supplier").ok_or(Refused::NotFound)?;
    let scope = query.read("scope").ok_or(Refused::NotFound)?;
    Ok(show(&withdraw_form(signed_in, &app, supplier, &scope).await?))
}

async fn withdraw_form(
    signed_in: SignedIn,
    app: &App,
    supplier: OrganizationNumber,
    scope: &ScopeName,
) -> Result<Withdraw, Refused> {
    let own = signed_in.organization;
    let found = app.registry.delegation(&signed_in.actor, own, supplier, scope).await?;
    let name = app.registry.organization_name(supplier).await?;
    Ok(Withdraw {
        page: signed_in.page.at(Section::Delegations),
        scope: scope.to_string(),
        supplier: supplier.to_string(),
        supplier_name: named(supplier, name.as_deref()),
        version: found.version.0,
        is_withdrawn: found.value.revoked_at.is_some(),
        errors: FormErrors::default(),
    })
}

/// `POST /portal/delegations/withdraw`
pub(super) async fn withdraw(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    fields: Fields,
) -> Result<Response, Refused> {
    let supplier = fields.text("supplier").parse().map_err(|_| Refused::NotFound)?;
    let scope: ScopeName = fields.text("scope").parse().map_err(|_| Refused::NotFound)?;
    let expected = fields.version();
    let own = signed_in.organization;
    let registry = &app.registry;
    match registry.withdraw_delegation(&signed_in.actor, own, supplier, &scope, expected).await {
        Ok(_) => Ok(done(&app, Notice::DelegationWithdrawn, "/portal/delegations")),
        Err(error) => {
            let mut view = withdraw_form(signed_in, &app, supplier, &scope).await?;
            view.errors = FormErrors::of_registry(&view.page, "withdraw", error)?;
            Ok(show_again(&view))
        }
    }
}
