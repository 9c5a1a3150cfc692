//! One organization, as the operator sees it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::app::App;
use crate::domain::organization::{
    EmailDomain, Organization, OrganizationNumber, OrganizationStatus,
};
use crate::domain::prefix::{Prefix, PrefixStatus};
use crate::domain::record::Recorded;
use crate::domain::user::{User, UserStatus};
use crate::http::portal::fields::Fields;
use crate::http::portal::form_errors::FormErrors;
use crate::http::portal::notice::Notice;
use crate::http::portal::operator::AsOperator;
use crate::http::portal::operator::organizations::LIST;
use crate::http::portal::page::{Page, SignedIn, done, show, show_again};
use crate::http::portal::query::PAGE_ITEMS;
use crate::http::portal::refused::Refused;
use crate::http::portal::visible::visible;
use crate::registry::{Actor, ClientFilter, PrefixFilter, ScopeFilter, UserFilter};

/// Days of use that are shown before an organization is deactivated.
const USE_DAYS: u32 = 30;

#[derive(Template)]
#[template(path = "operator/organization.html", config = ".askama.toml")]
struct OrganizationPage {
    page: Page,
    organization: Recorded<Organization>,
    name: String,
    domains: Vec<EmailDomain>,
    prefixes: Vec<Recorded<Prefix>>,
    more_prefixes: bool,
    users: Vec<Recorded<User>>,
    more_users: bool,
    /// Whether it is the one that the reader belongs to.
    is_own: bool,
    /// What was typed.
    fields: Fields,
    errors: FormErrors,
}

impl OrganizationPage {
    fn is_active(&self) -> bool {
        self.organization.value.status == OrganizationStatus::Active
    }

    fn is_retired(&self, prefix: &Prefix) -> bool {
        prefix.status == PrefixStatus::Retired
    }

    fn roles(&self, user: &User) -> String {
        let roles: Vec<String> =
            user.roles.iter().map(|role| self.page.word("role", role.name())).collect();
        roles.join(", ")
    }

    fn tag(&self, user: &User) -> &'static str {
        match user.status {
            UserStatus::Active => "success",
            UserStatus::Deactivated => "neutral",
            UserStatus::Unconfirmed => "warning",
        }
    }
}

/// `GET /portal/operator/organizations/{number}`
pub(super) async fn show_one(
    operator: AsOperator,
    State(app): State<Arc<App>>,
    Path(number): Path<String>,
) -> Result<Response, Refused> {
    let page = look(&app, operator, read(&number)?, Fields::default(), FormErrors::default());
    Ok(show(&page.await?))
}

fn read(number: &str) -> Result<OrganizationNumber, Refused> {
    number.parse().map_err(|_| Refused::NotFound)
}

async fn look(
    app: &App,
    operator: AsOperator,
    number: OrganizationNumber,
    fields: Fields,
    errors: FormErrors,
) -> Result<OrganizationPage, Refused> {
    let AsOperator { page, actor } = operator;
    let (organization, domains) = app.registry.organization(&actor, number).await?;
    let filter = PrefixFilter { owner: Some(number), inactive: true, after: None };
    let prefixes = app.registry.prefixes(&filter, PAGE_ITEMS).await?;
    let filter = UserFilter { organization: Some(number), ..UserFilter::default() };
    let users = app.registry.users(&actor, filter, PAGE_ITEMS).await?;
    let is_own = actor.organization == Some(number);
    let name = visible(&organization.value.name);
    let fields = match fields.filled("name") {
        Some(_) => fields,
        None => fields.with("name", organization.value.name.as_str()),
    };
    Ok(OrganizationPage {
        page,
        organization,
        name,
        domains,
        more_prefixes: prefixes.has_more,
        prefixes: prefixes.items.into_iter().map(|(prefix, _)| prefix).collect(),
        more_users: users.has_more,
        users: users.items,
        is_own,
        fields,
        errors,
    })
}

async fn look_again(
    app: &App,
    signed_in: SignedIn,
    number: OrganizationNumber,
    fields: Fields,
    errors: FormErrors,
) -> Result<Response, Refused> {
    let page = look(app, AsOperator::of(signed_in)?, number, fields, errors).await?;
    Ok(show_again(&page))
}

/// `POST /portal/operator/organizations/{number}`
pub(super) async fn rename(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(number): Path<String>,
    fields: Fields,
) -> Result<Response, Refused> {
    let number = read(&number)?;
    if fields.text("name").is_empty() {
        let errors = FormErrors::one("name", signed_in.page.say("operator-name-missing"));
        return look_again(&app, signed_in, number, fields, errors).await;
    }
    let name = fields.text("name").to_owned();
    let edit = |organization: &mut Organization| organization.name = name;
    let changed =
        app.registry.change_organization(&signed_in.actor, number, fields.version(), edit).await;
    match changed {
        Ok(()) => Ok(done(&app, Notice::Saved, &format!("{LIST}/{number}"))),
        Err(error) => {
            let errors = FormErrors::of_registry(&signed_in.page, "name", error)?;
            look_again(&app, signed_in, number, fields, errors).await
        }
    }
}

/// `POST /portal/operator/organizations/{number}/domains`: adds the one in `domain`, or takes the one in `remove` away.
pub(super) async fn change_domains(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(number): Path<String>,
    fields: Fields,
) -> Result<Response, Refused> {
    let number = read(&number)?;
    let (page, actor) = (&signed_in.page, &signed_in.actor);
    let text = fields.filled("remove").unwrap_or_else(|| fields.text("domain"));
    let errors = match text.trim_start_matches('@').parse::<EmailDomain>() {
        Err(_) => {
            let shown = visible(text);
            FormErrors::one("domain", page.fill1("operator-domain-wrong", "domain", &shown))
        }
        Ok(domain) => {
            let changed = if fields.ticked("remove") {
                app.registry.remove_email_domain(actor, number, &domain).await
            } else {
                app.registry.add_email_domain(actor, number, &domain).await
            };
            match changed {
                Ok(()) => return Ok(done(&app, Notice::Saved, &format!("{LIST}/{number}"))),
                Err(error) => FormErrors::of_registry(page, "domain", error)?,
            }
        }
    };
    look_again(&app, signed_in, number, fields, errors).await
}

/// What is cut off with an organization; a count beyond a page is shown as "more than".
struct CutOff {
    clients: (u64, bool),
    scopes: (u64, bool),
    users: (u64, bool),
    consumed: u64,
    provided: u64,
}

#[derive(Template)]
#[template(path = "operator/organization_deactivate.html", config = ".askama.toml")]
struct DeactivatePage {
    page: Page,
    organization: Recorded<Organization>,
    name: String,
    cut_off: CutOff,
    is_own: bool,
    errors: FormErrors,
}

impl DeactivatePage {
    /// A count, with a plus where there are more.
    fn counted(&self, (count, has_more): &(u64, bool)) -> String {
        let more = if *has_more { "+" } else { "" };
        format!("{}{more}", self.page.number(count))
    }
}

async fn look_before(
    app: &App,
    operator: AsOperator,
    number: OrganizationNumber,
    errors: FormErrors,
) -> Result<DeactivatePage, Refused> {
    let AsOperator { page, actor } = operator;
    let (organization, _) = app.registry.organization(&actor, number).await?;
    let cut_off = cut_off(app, &actor, number).await?;
    let name = visible(&organization.value.name);
    let is_own = actor.organization == Some(number);
    Ok(DeactivatePage { page, organization, name, cut_off, is_own, errors })
}

async fn cut_off(app: &App, actor: &Actor, number: OrganizationNumber) -> Result<CutOff, Refused> {
    let organization = Some(number);
    let filter = ClientFilter { organization, ..ClientFilter::default() };
    let clients = app.registry.clients(actor, filter, PAGE_ITEMS).await?;
    let filter = ScopeFilter { owner: organization, ..ScopeFilter::default() };
    let scopes = app.registry.scopes(actor, filter, PAGE_ITEMS).await?;
    let filter = UserFilter { organization, ..UserFilter::default() };
    let users = app.registry.users(actor, filter, PAGE_ITEMS).await?;
    let usage = app.registry.usage_of_organization(actor, number, USE_DAYS).await?;
    let count = |items: usize| u64::try_from(items).unwrap_or(u64::MAX);
    Ok(CutOff {
        clients: (count(clients.items.len()), clients.has_more),
        scopes: (count(scopes.items.len()), scopes.has_more),
        users: (count(users.items.len()), users.has_more),
        consumed: usage.consumed.tokens,
        provided: usage.provided.tokens,
    })
}

/// `GET /portal/operator/organizations/{number}/deactivate`
pub(super) async fn ask(
    operator: AsOperator,
    State(app): State<Arc<App>>,
    Path(number): Path<String>,
) -> Result<Response, Refused> {
    Ok(show(&look_before(&app, operator, read(&number)?, FormErrors::default()).await?))
}

/// `POST /portal/operator/organizations/{number}/deactivate`
pub(super) async fn deactivate(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(number): Path<String>,
    fields: Fields,
) -> Result<Response, Refused> {
    let number = read(&number)?;
    let typed: String = fields.text("confirm").split_whitespace().collect();
    let errors = if typed == number.as_str() {
        let edit = |it: &mut Organization| it.status = OrganizationStatus::Deactivated;
        let seen = fields.version();
        match app.registry.change_organization(&signed_in.actor, number, seen, edit).await {
            Ok(()) => {
                let address = format!("{LIST}/{number}");
                return Ok(done(&app, Notice::OrganizationDeactivated, &address));
            }
            Err(error) => FormErrors::of_registry(&signed_in.page, "confirm", error)?,
        }
    } else {
        FormErrors::one("confirm", signed_in.page.say("operator-confirm-wrong"))
    };
    let operator = AsOperator::of(signed_in)?;
    Ok(show_again(&look_before(&app, operator, number, errors).await?))
}

/// `POST /portal/operator/organizations/{number}/restore`
pub(super) async fn restore(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(number): Path<String>,
    fields: Fields,
) -> Result<Response, Refused> {
    let number = read(&number)?;
    let edit = |it: &mut Organization| it.status = OrganizationStatus::Active;
    let seen = fields.version();
    app.registry.change_organization(&signed_in.actor, number, seen, edit).await?;
    Ok(done(&app, Notice::OrganizationRestored, &format!("{LIST}/{number}")))
}
