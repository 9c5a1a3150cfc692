//! Closing a scope, with a look at what it cuts off, and opening it again.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::app::App;
use crate::domain::right::Right;
use crate::domain::scope::ScopeStatus;
use crate::http::portal::fields::Fields;
use crate::http::portal::form_errors::FormErrors;
use crate::http::portal::notice::Notice;
use crate::http::portal::page::{Page, SignedIn, done, show, show_again};
use crate::http::portal::provider::scope::{Head, Loaded, Tab, load};
use crate::http::portal::refused::Refused;
use crate::http::portal::visible::visible;
use crate::registry::ScopeReach;

/// Days that are looked back at: a scope that has been used in them is in use, and closing it takes its name.
const USED_DAYS: u32 = 30;

/// The consumers with the most tokens that are named.
const CONSUMERS_NAMED: usize = 5;

#[derive(Template)]
#[template(path = "provider/deactivate.html", config = ".askama.toml")]
struct Deactivate {
    page: Page,
    head: Head,
    reach: ScopeReach,
    tokens: u64,
    /// Names of those that use it most, with their tokens.
    most: Vec<(String, u64)>,
    errors: FormErrors,
}

impl Deactivate {
    fn is_in_use(&self) -> bool {
        self.tokens > 0 || self.reach.clients > 0
    }
}

async fn look(app: &App, it: Loaded, errors: FormErrors) -> Result<Deactivate, Refused> {
    it.actor.require(Right::WriteScopes)?;
    let reach = app.registry.scope_reach(&it.actor, &it.head.name).await?;
    let usage = app.registry.usage_of_scope(&it.actor, &it.head.name, USED_DAYS).await?;
    let most = usage.consumers.into_iter().take(CONSUMERS_NAMED).map(|consumer| {
        let name = consumer.name.unwrap_or_else(|| consumer.consumer.to_string());
        (visible(&name), consumer.tokens)
    });
    Ok(Deactivate {
        most: most.collect(),
        page: it.page,
        head: it.head,
        reach,
        tokens: usage.tokens,
        errors,
    })
}

/// `GET /portal/scopes/{scope}/deactivate`
pub(super) async fn form(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Response, Refused> {
    let it = load(signed_in, &app, &name, Tab::About).await?;
    Ok(show(&look(&app, it, FormErrors::default()).await?))
}

/// `POST /portal/scopes/{scope}/deactivate`
pub(super) async fn deactivate(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Response, Refused> {
    let it = load(signed_in, &app, &name, Tab::About).await?;
    let (actor, scope, back) = (it.actor.clone(), it.head.name.clone(), it.head.address.clone());
    let mut again = look(&app, it, FormErrors::default()).await?;
    if again.is_in_use() && fields.text("confirm") != scope.as_str() {
        again.errors.add("confirm", again.page.say("provider-confirm-wrong"));
        return Ok(show_again(&again));
    }
    let status = ScopeStatus::Deactivated;
    match app.registry.set_scope_status(&actor, &scope, status, fields.version()).await {
        Ok(_) => Ok(done(&app, Notice::ScopeDeactivated, &back)),
        Err(error) => {
            again.errors = FormErrors::of_registry(&again.page, "confirm", error)?;
            Ok(show_again(&again))
        }
    }
}

/// `POST /portal/scopes/{scope}/restore`
pub(super) async fn restore(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Response, Refused> {
    let it = load(signed_in, &app, &name, Tab::About).await?;
    let (status, scope) = (ScopeStatus::Active, &it.head.name);
    app.registry.set_scope_status(&it.actor, scope, status, fields.version()).await?;
    Ok(done(&app, Notice::ScopeRestored, &it.head.address))
}
