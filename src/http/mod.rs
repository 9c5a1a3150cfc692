//! The only place that knows axum, status codes and the shapes of replies.
//!
//! Three routers for three listeners: the token API for the world, the admin API for operators and
//! organizations, and the management API for the machines that watch. `Host` and forwarding headers are not
//! believed: who this server is stands in its configuration, and which header names the caller ([`SourceRule`]).

#[cfg(not(fuzzing))]
mod admin;
mod error;
mod guard;
pub mod listen;
mod management;
mod oauth;
mod origin;
#[cfg(not(fuzzing))]
#[expect(
    clippy::trivially_copy_pass_by_ref,
    clippy::unused_self,
    reason = "templates call what they need on the page they are given, and hand on what they hold by reference"
)]
mod portal;
mod source;
mod stall;
mod tls;
mod waiting;

use std::sync::Arc;

use axum::Router;

use crate::app::App;

pub use error::OAuthError;
pub use oauth::TokenForm;
pub use source::SourceRule;
pub use tls::{TlsError, TlsKeys};
pub use waiting::Waiting;

/// The token API, at the root and under the path of the issuer, if it has one.
pub fn token_router(app: Arc<App>) -> Router {
    let routes = oauth::routes(&app).with_state(Arc::clone(&app));
    guard::protect(guard::with_fallbacks(routes), app)
}

/// The portal and the admin API. What is no page of the portal is the API's to answer.
#[cfg(not(fuzzing))]
pub fn admin_router(app: Arc<App>) -> Router {
    let routes = portal::routes(&app).fallback_service(admin::routes(&app));
    guard::protect(routes, app)
}

/// Liveness, readiness and metrics.
pub fn management_router(app: Arc<App>) -> Router {
    let routes = management::routes().with_state(Arc::clone(&app));
    guard::protect(guard::with_fallbacks(routes), app)
}
