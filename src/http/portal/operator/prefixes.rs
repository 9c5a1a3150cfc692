//! Prefixes: who has which, and handing them out.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::app::App;
use crate::domain::organization::OrganizationNumber;
use crate::domain::prefix::{Prefix, PrefixName, PrefixStatus};
use crate::domain::record::Recorded;
use crate::http::portal::fields::Fields;
use crate::http::portal::form_errors::FormErrors;
use crate::http::portal::notice::Notice;
use crate::http::portal::operator::AsOperator;
use crate::http::portal::page::{Page, SignedIn, done, show, show_again};
use crate::http::portal::query::{PAGE_ITEMS, Pager, Query};
use crate::http::portal::refused::Refused;
use crate::http::portal::visible::visible;
use crate::registry::{PrefixFilter, RegistryError, ScopeFilter};

pub(super) const LIST: &str = "/portal/operator/prefixes";

#[derive(Template)]
#[template(path = "operator/prefixes.html", config = ".askama.toml")]
struct PrefixesPage {
    page: Page,
    /// Each with its owner's name.
    prefixes: Vec<(Recorded<Prefix>, String)>,
    pager: Pager,
    owner: String,
    retired: bool,
    errors: FormErrors,
}

impl PrefixesPage {
    fn is_active(&self, prefix: &Prefix) -> bool {
        prefix.status == PrefixStatus::Active
    }
}

/// `GET /portal/operator/prefixes?owner=&retired=&after=`
pub(super) async fn list(
    operator: AsOperator,
    State(app): State<Arc<App>>,
    query: Query,
) -> Result<Response, Refused> {
    let page = operator.page;
    let mut errors = FormErrors::default();
    let owner = query.0.filled("owner");
    let owner = owner.and_then(|text| errors.read_number(&page, "operator", "owner", text));
    let after = query.read::<PrefixName>("after");
    let inactive = query.0.ticked("retired");
    let filter = PrefixFilter { owner, inactive, after: after.clone() };
    let found = app.registry.prefixes(&filter, PAGE_ITEMS).await?;
    let mut asked: Vec<String> = owner.iter().map(|owner| format!("owner={owner}")).collect();
    asked.extend(inactive.then(|| "retired=1".to_owned()));
    let address =
        if asked.is_empty() { LIST.to_owned() } else { format!("{LIST}?{}", asked.join("&")) };
    let last = found.items.last().filter(|_| found.has_more);
    let last = last.map(|(prefix, _)| prefix.value.name.to_string());
    let pager = Pager::new(address, after.is_some(), last);
    let prefixes = found.items.into_iter().map(|(prefix, name)| (prefix, visible(&name)));
    let owner = query.0.text("owner").to_owned();
    let prefixes = prefixes.collect();
    Ok(show(&PrefixesPage { page, prefixes, pager, owner, retired: inactive, errors }))
}

#[derive(Template)]
#[template(path = "operator/prefix_new.html", config = ".askama.toml")]
struct NewPrefix {
    page: Page,
    fields: Fields,
    errors: FormErrors,
}

/// `GET /portal/operator/assign-prefix?organization=`
pub(super) async fn form(operator: AsOperator, query: Query) -> Response {
    let (fields, errors) = (query.0, FormErrors::default());
    show(&NewPrefix { page: operator.page, fields, errors })
}

/// `POST /portal/operator/assign-prefix`
pub(super) async fn assign(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    fields: Fields,
) -> Result<Response, Refused> {
    let page = &signed_in.page;
    let mut errors = FormErrors::default();
    let prefix = fields.text("prefix").parse::<PrefixName>().ok();
    if prefix.is_none() {
        errors.add("prefix", page.say("operator-prefix-wrong"));
    }
    let number = fields.text("organization");
    let owner = errors.read_number(page, "operator", "organization", number);
    if let (Some(prefix), Some(owner)) = (prefix, owner) {
        match app.registry.assign_prefix(&signed_in.actor, &prefix, owner).await {
            Ok(()) => {
                return Ok(done(&app, Notice::PrefixAssigned, &format!("{LIST}/{prefix}")));
            }
            Err(RegistryError::Absent { .. }) => {
                errors.add("organization", page.say("operator-organization-absent"));
            }
            Err(error) => errors = FormErrors::of_registry(page, "prefix", error)?,
        }
    }
    let page = AsOperator::of(signed_in)?.page;
    Ok(show_again(&NewPrefix { page, fields, errors }))
}

#[derive(Template)]
#[template(path = "operator/prefix.html", config = ".askama.toml")]
pub(super) struct PrefixPage {
    pub(super) page: Page,
    pub(super) prefix: Recorded<Prefix>,
    pub(super) owner_name: String,
    /// How many scopes are under it, and whether there are more.
    pub(super) scopes: usize,
    pub(super) more_scopes: bool,
    fields: Fields,
    errors: FormErrors,
}

impl PrefixPage {
    fn is_active(&self) -> bool {
        self.prefix.value.status == PrefixStatus::Active
    }
}

pub(super) fn read(name: &str) -> Result<PrefixName, Refused> {
    name.parse().map_err(|_| Refused::NotFound)
}

pub(super) async fn look(
    app: &App,
    operator: AsOperator,
    name: &PrefixName,
    fields: Fields,
    errors: FormErrors,
) -> Result<PrefixPage, Refused> {
    let AsOperator { page, actor } = operator;
    let prefix = app.registry.prefix(name).await?;
    let owner: OrganizationNumber = prefix.value.owner;
    let owner_name = app.registry.organization_name(owner).await?.unwrap_or_default();
    let filter = ScopeFilter { prefix: Some(name.to_string()), ..ScopeFilter::default() };
    let scopes = app.registry.scopes(&actor, filter, PAGE_ITEMS).await?;
    Ok(PrefixPage {
        page,
        prefix,
        owner_name: visible(&owner_name),
        scopes: scopes.items.len(),
        more_scopes: scopes.has_more,
        fields,
        errors,
    })
}

/// `GET /portal/operator/prefixes/{prefix}`
pub(super) async fn show_one(
    operator: AsOperator,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Response, Refused> {
    let (fields, errors) = (Fields::default(), FormErrors::default());
    Ok(show(&look(&app, operator, &read(&name)?, fields, errors).await?))
}
