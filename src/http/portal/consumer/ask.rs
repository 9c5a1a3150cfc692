//! Asking the owner of a scope for access.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::domain::access::AccessState;
use crate::domain::right::Right;
use crate::domain::scope::{ScopeAudience, ScopeName};
use crate::http::portal::consumer::callable::named;
use crate::http::portal::fields::Fields;
use crate::http::portal::form_errors::FormErrors;
use crate::http::portal::notice::Notice;
use crate::http::portal::page::{Page, Section, SignedIn, done, show, show_again};
use crate::http::portal::query::Query;
use crate::http::portal::refused::Refused;
use crate::http::portal::visible::visible;
use crate::registry::RegistryError;

/// The longest message, in characters, as the registry has it.
const MESSAGE_CHARACTERS_MAX: usize = 1_023;

#[derive(Template)]
#[template(path = "consumer/ask.html", config = ".askama.toml")]
struct Ask {
    page: Page,
    scope: String,
    description: String,
    owner: String,
    /// Why there is nothing to ask for: the end of the name of a text.
    needless: Option<&'static str>,
    message: String,
    errors: FormErrors,
}

/// `GET /portal/callable/ask?scope=`
pub(super) async fn form(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    query: Query,
) -> Result<Response, Refused> {
    let scope: ScopeName = query.read("scope").ok_or(Refused::NotFound)?;
    Ok(show(&view(signed_in, &app, &scope).await?))
}

/// `POST /portal/callable/ask`
pub(super) async fn ask(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    fields: Fields,
) -> Result<Response, Refused> {
    let scope: ScopeName = fields.text("scope").parse().map_err(|_| Refused::NotFound)?;
    let (actor, own) = (signed_in.actor.clone(), signed_in.organization);
    let message = fields.filled("message").map(str::to_owned);
    let too_long = message.as_ref().is_some_and(|it| it.chars().count() > MESSAGE_CHARACTERS_MAX);
    let refusal = if too_long {
        None
    } else {
        match app.registry.request_access(&actor, &scope, own, message).await {
            Ok(_) => {
                return Ok(done(&app, Notice::AccessRequested, "/portal/callable?show=requested"));
            }
            Err(error) => Some(error),
        }
    };
    let mut view = view(signed_in, &app, &scope).await?;
    fields.text("message").clone_into(&mut view.message);
    view.errors = match refusal {
        Some(error) => FormErrors::of_registry(&view.page, "message", error)?,
        None => FormErrors::one("message", view.page.say("ask-too-long")),
    };
    Ok(show_again(&view))
}

async fn view(signed_in: SignedIn, app: &App, name: &ScopeName) -> Result<Ask, Refused> {
    signed_in.actor.require(Right::WriteClients)?;
    let scope = app.registry.visible_scope(&signed_in.actor, name).await?.value;
    let owner_name = app.registry.organization_name(scope.owner).await?;
    let access = match app.registry.access(&signed_in.actor, name, signed_in.organization).await {
        Ok(found) => Some(found.value.access),
        Err(RegistryError::Absent { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let now = app.issuer.clock.now();
    let needless = match &access {
        _ if scope.audience == ScopeAudience::AnyOrganization => Some("open"),
        Some(access) if access.holds_at(now) => Some("granted"),
        Some(access) if access.state == AccessState::Requested => Some("requested"),
        _ => None,
    };
    Ok(Ask {
        page: signed_in.page.at(Section::Callable),
        scope: name.to_string(),
        description: visible(&scope.description),
        owner: named(scope.owner, owner_name.as_deref()),
        needless,
        message: String::new(),
        errors: FormErrors::default(),
    })
}
