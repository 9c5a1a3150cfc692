//! How often one caller may ask, whatever it asks: by the client of its token, and by where it comes from as long as
//! it has no token that counts. What is too much is refused before anything is looked up or written.

use std::sync::Arc;

use axum::extract::{FromRequestParts as _, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::app::App;
use crate::domain::source::Source;
use crate::http::admin::caller::Caller;
use crate::http::admin::error::ApiError;
use crate::token::bearer::BearerRefusal;
use crate::token::limit::TooMany;

/// Stands in front of every operation.
pub(super) async fn limit(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    // Looked at before the limit of strangers: who has a token is not to suffer from those who share its address.
    let allowed = match Caller::from_request_parts(&mut parts, &app).await {
        Ok(Caller(actor)) => app.limits.admin_callers.allow(&actor.name).inspect_err(|_| {
            app.metrics.limited("admin_caller");
        }),
        // It is not the caller's doing that it cannot be known.
        Err(ApiError::Bearer(BearerRefusal::Unavailable { .. })) => Ok(()),
        Err(_) => stranger(&app, parts.extensions.get::<Source>()),
    };
    match allowed {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(too_many) => ApiError::TooMany(too_many).into_response(),
    }
}

fn stranger(app: &App, source: Option<&Source>) -> Result<(), TooMany> {
    let Some(source) = source else { return Ok(()) };
    app.limits.admin_strangers.allow(source).inspect_err(|_| {
        app.metrics.limited("admin_source");
    })
}
