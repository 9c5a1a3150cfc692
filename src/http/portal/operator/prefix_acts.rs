//! What is done to a prefix and touches others: each asks first, with what it touches in front of the reader.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::app::App;
use crate::domain::organization::OrganizationNumber;
use crate::domain::prefix::{PrefixName, PrefixStatus};
use crate::http::portal::fields::Fields;
use crate::http::portal::form_errors::FormErrors;
use crate::http::portal::notice::Notice;
use crate::http::portal::operator::AsOperator;
use crate::http::portal::operator::prefixes::{LIST, look, read};
use crate::http::portal::page::{Page, SignedIn, done, show, show_again};
use crate::http::portal::query::Query;
use crate::http::portal::refused::Refused;
use crate::http::portal::visible::visible;
use crate::registry::RegistryError;

#[derive(Template)]
#[template(path = "operator/prefix_confirm.html", config = ".askama.toml")]
struct Confirm {
    page: Page,
    name: PrefixName,
    version: i64,
    owner: OrganizationNumber,
    owner_name: String,
    /// The new owner and its name, when the prefix is handed over; it is retired otherwise.
    to: Option<(OrganizationNumber, String)>,
    scopes: usize,
    more_scopes: bool,
    errors: FormErrors,
}

impl Confirm {
    /// The question, with what the act touches as that is now.
    async fn ask(
        app: &App,
        operator: AsOperator,
        name: &PrefixName,
        to: Option<(OrganizationNumber, String)>,
        errors: FormErrors,
    ) -> Result<Self, Refused> {
        let found = look(app, operator, name, Fields::default(), FormErrors::default()).await?;
        let prefix = found.prefix.value;
        Ok(Self {
            page: found.page,
            name: prefix.name,
            version: found.prefix.version.0,
            owner: prefix.owner,
            owner_name: found.owner_name,
            to,
            scopes: found.scopes,
            more_scopes: found.more_scopes,
            errors,
        })
    }

    /// The begin of the names of its texts.
    fn word(&self) -> &'static str {
        if self.to.is_some() { "operator-transfer" } else { "operator-retire" }
    }
}

/// Holds that the name of the prefix was typed.
fn check_typed(page: &Page, fields: &Fields, name: &PrefixName) -> FormErrors {
    if fields.text("confirm") == name.as_str() {
        FormErrors::default()
    } else {
        FormErrors::one("confirm", page.say("operator-prefix-confirm-wrong"))
    }
}

/// The organization that is to have the prefix, which must be registered, with its name.
async fn receiver(
    app: &App,
    page: &Page,
    text: &str,
) -> Result<Result<(OrganizationNumber, String), FormErrors>, Refused> {
    let mut errors = FormErrors::default();
    let Some(number) = errors.read_number(page, "operator", "to", text) else {
        return Ok(Err(errors));
    };
    match app.registry.organization_name(number).await? {
        Some(name) => Ok(Ok((number, visible(&name)))),
        None => Ok(Err(FormErrors::one("to", page.say("operator-organization-absent")))),
    }
}

/// `GET /portal/operator/prefixes/{prefix}/transfer?to=`
pub(super) async fn ask_transfer(
    operator: AsOperator,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    query: Query,
) -> Result<Response, Refused> {
    let name = read(&name)?;
    match receiver(&app, &operator.page, query.0.text("to")).await? {
        Ok(to) => {
            let none = FormErrors::default();
            Ok(show(&Confirm::ask(&app, operator, &name, Some(to), none).await?))
        }
        Err(errors) => Ok(show_again(&look(&app, operator, &name, query.0, errors).await?)),
    }
}

/// `POST /portal/operator/prefixes/{prefix}/transfer`
pub(super) async fn transfer(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Response, Refused> {
    let name = read(&name)?;
    let actor = signed_in.actor.clone();
    let operator = AsOperator::of(signed_in)?;
    let to = match receiver(&app, &operator.page, fields.text("to")).await? {
        Ok(to) => to,
        Err(errors) => return Ok(show_again(&look(&app, operator, &name, fields, errors).await?)),
    };
    let mut errors = check_typed(&operator.page, &fields, &name);
    if errors.is_empty() {
        match app.registry.transfer_prefix(&actor, &name, to.0, fields.version()).await {
            Ok(()) => {
                return Ok(done(&app, Notice::PrefixTransferred, &format!("{LIST}/{name}")));
            }
            Err(RegistryError::Absent { noun: "organization" }) => {
                errors = FormErrors::one("to", operator.page.say("operator-organization-absent"));
            }
            Err(error) => errors = FormErrors::of_registry(&operator.page, "confirm", error)?,
        }
    }
    Ok(show_again(&Confirm::ask(&app, operator, &name, Some(to), errors).await?))
}

/// `GET /portal/operator/prefixes/{prefix}/retire`
pub(super) async fn ask_retire(
    operator: AsOperator,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Response, Refused> {
    let (name, none) = (read(&name)?, FormErrors::default());
    Ok(show(&Confirm::ask(&app, operator, &name, None, none).await?))
}

/// `POST /portal/operator/prefixes/{prefix}/retire`
pub(super) async fn retire(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Response, Refused> {
    let name = read(&name)?;
    let actor = signed_in.actor.clone();
    let operator = AsOperator::of(signed_in)?;
    let mut errors = check_typed(&operator.page, &fields, &name);
    if errors.is_empty() {
        let (status, seen) = (PrefixStatus::Retired, fields.version());
        match app.registry.set_prefix_status(&actor, &name, status, seen).await {
            Ok(()) => return Ok(done(&app, Notice::PrefixRetired, &format!("{LIST}/{name}"))),
            Err(error) => errors = FormErrors::of_registry(&operator.page, "confirm", error)?,
        }
    }
    Ok(show_again(&Confirm::ask(&app, operator, &name, None, errors).await?))
}

/// `POST /portal/operator/prefixes/{prefix}/restore`
pub(super) async fn restore(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Response, Refused> {
    let (name, seen) = (read(&name)?, fields.version());
    app.registry.set_prefix_status(&signed_in.actor, &name, PrefixStatus::Active, seen).await?;
    Ok(done(&app, Notice::PrefixRestored, &format!("{LIST}/{name}")))
}
