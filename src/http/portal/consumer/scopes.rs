//! The scopes of a client: one at a time, so that nobody's change is lost under another's.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::app::App;
use crate::domain::scope::ScopeName;
use crate::http::portal::consumer::client::{Head, Tab, load};
use crate::http::portal::consumer::new_client::{Candidate, Picked, candidates};
use crate::http::portal::consumer::standing::{Standing, standings};
use crate::http::portal::fields::Fields;
use crate::http::portal::form_errors::FormErrors;
use crate::http::portal::notice::Notice;
use crate::http::portal::page::{Page, SignedIn, done, show, show_again};
use crate::http::portal::query::{Query, encoded};
use crate::http::portal::refused::Refused;

#[derive(Template)]
#[template(path = "consumer/scopes.html", config = ".askama.toml")]
struct ScopesPage {
    page: Page,
    head: Head,
    scopes: Vec<Standing>,
    picked: Picked,
    errors: FormErrors,
}

impl ScopesPage {
    fn filters(&self) -> [&'static str; 3] {
        Picked::FILTERS
    }

    /// Those that are not on the client.
    fn others(&self) -> impl Iterator<Item = &Candidate> {
        self.picked
            .candidates
            .iter()
            .filter(|it| self.scopes.iter().all(|has| has.scope.as_str() != it.scope))
    }

    fn next(&self) -> Option<String> {
        let after = encoded(self.picked.next.as_deref()?);
        let q = encoded(&self.picked.q);
        let show = self.picked.filter;
        Some(format!("/portal/clients/{}/scopes?show={show}&q={q}&after={after}", self.head.id))
    }
}

/// `GET /portal/clients/{id}/scopes?show=granted&q=`
pub(super) async fn list(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, Refused> {
    Ok(show(&view(signed_in, &app, &id, &query, FormErrors::default()).await?))
}

async fn view(
    signed_in: SignedIn,
    app: &App,
    id: &str,
    query: &Query,
    errors: FormErrors,
) -> Result<ScopesPage, Refused> {
    let picked = candidates(app, &signed_in, query).await?;
    let actor = signed_in.actor.clone();
    let it = load(signed_in, app, id, Tab::Scopes).await?;
    let client = &it.file.registration.value.client;
    let scopes = standings(app, &actor, client).await?.scopes;
    Ok(ScopesPage { page: it.page, head: it.head, scopes, picked, errors })
}

/// `POST /portal/clients/{id}/scopes`: adds a scope, or takes one off.
pub(super) async fn change(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Refused> {
    let actor = signed_in.actor.clone();
    let client = id.parse().map_err(|_| Refused::NotFound)?;
    let removes = fields.filled("remove");
    let name = removes.unwrap_or_else(|| fields.text("scope"));
    let expected = fields.version();
    let registry = &app.registry;
    let outcome = match (name.parse::<ScopeName>(), removes) {
        (Err(_), _) => None,
        (Ok(scope), Some(_)) => {
            let done = registry.remove_client_scope(&actor, &client, &scope, expected).await;
            Some(done.map(|_| Notice::ScopeRemoved))
        }
        (Ok(scope), None) => {
            let done = registry.put_client_scope(&actor, &client, &scope, expected).await;
            Some(done.map(|_| Notice::ScopeAdded))
        }
    };
    let error = match outcome {
        Some(Ok(notice)) => {
            return Ok(done(&app, notice, &format!("/portal/clients/{client}/scopes")));
        }
        Some(Err(error)) => Some(error),
        None => None,
    };
    let mut view =
        view(signed_in, &app, &id, &Query(Fields::default()), FormErrors::default()).await?;
    view.errors = match error {
        Some(error) => FormErrors::of_registry(&view.page, "scope", error)?,
        None => FormErrors::one("scope", view.page.say("scope-name-wrong")),
    };
    Ok(show_again(&view))
}
