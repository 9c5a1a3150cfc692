//! Taking back a request for access that its owner has not answered.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::domain::access::AccessState;
use crate::domain::right::Right;
use crate::domain::scope::ScopeName;
use crate::http::portal::consumer::callable::named;
use crate::http::portal::fields::Fields;
use crate::http::portal::form_errors::FormErrors;
use crate::http::portal::notice::Notice;
use crate::http::portal::page::{Section, SignedIn, done, show, show_again};
use crate::http::portal::query::Query;
use crate::http::portal::refused::Refused;
use crate::http::portal::take_back::TakeBack;

const LIST: &str = "/portal/callable?show=requested";

/// `GET /portal/callable/take-back?name=`
pub(super) async fn ask(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    query: Query,
) -> Result<Response, Refused> {
    let scope: ScopeName = query.read("name").ok_or(Refused::NotFound)?;
    Ok(show(&view(signed_in, &app, &scope).await?))
}

/// `POST /portal/callable/take-back`
pub(super) async fn take_back(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    fields: Fields,
) -> Result<Response, Refused> {
    let scope: ScopeName = fields.text("name").parse().map_err(|_| Refused::NotFound)?;
    let (actor, own) = (&signed_in.actor, signed_in.organization);
    match app.registry.take_back_request(actor, &scope, own, fields.version()).await {
        Ok(_) => Ok(done(&app, Notice::RequestTakenBack, LIST)),
        Err(error) => {
            let mut view = view(signed_in, &app, &scope).await?;
            view.errors = FormErrors::of_registry(&view.page, "take-back", error)?;
            Ok(show_again(&view))
        }
    }
}

async fn view(signed_in: SignedIn, app: &App, scope: &ScopeName) -> Result<TakeBack, Refused> {
    signed_in.actor.require(Right::WriteClients)?;
    let own = signed_in.organization;
    let found = app.registry.access(&signed_in.actor, scope, own).await?;
    Ok(TakeBack {
        page: signed_in.page.at(Section::Callable),
        thing: scope.to_string(),
        about: named(found.value.owner, found.value.owner_name.as_deref()),
        version: found.version,
        waits: found.value.access.state == AccessState::Requested,
        action: "/portal/callable/take-back",
        list: LIST,
        errors: FormErrors::default(),
    })
}
