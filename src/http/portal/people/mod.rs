//! Signing up and in, one's own account, and the users of an organization.

mod links;
mod open_id;
mod problem;
mod profile;
mod second_factor;
mod sign_in;
mod sign_up;
mod users;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};

use crate::app::App;
use crate::domain::user::{Role, User};
use crate::http::portal::page::{Page, SignedIn, show};
use crate::http::portal::refused::Refused;

/// The pages.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/portal/sign-in", get(sign_in::form).post(sign_in::sign_in))
        .route("/portal/sign-in/code", get(sign_in::code_form).post(sign_in::prove))
        .route("/portal/sign-in/open-id/{name}", post(open_id::ask))
        .route("/portal/sign-in/open-id/{name}/callback", get(open_id::come_back))
        .route("/portal/sign-out", post(sign_in::sign_out))
        .route("/portal/sign-up", get(sign_up::form).post(sign_up::sign_up))
        .route("/portal/forgotten", get(sign_up::forgotten_form).post(sign_up::forgotten))
        .route("/portal/link", get(links::form).post(links::follow))
        .route("/portal/no-access", get(no_access))
        .route("/portal/profile", get(profile::profile).post(profile::save))
        .route("/portal/profile/password", post(profile::change_password))
        .route("/portal/profile/sign-out-everywhere", post(profile::sign_out_everywhere))
        .route("/portal/profile/second-factor", post(second_factor::enrol))
        .route("/portal/profile/second-factor/confirm", post(second_factor::confirm))
        .route("/portal/profile/second-factor/remove", post(second_factor::remove))
        .route("/portal/organization/users", get(users::list))
        .route("/portal/organization/users/new", get(users::invite_form).post(users::invite))
        .route("/portal/organization/users/{id}", get(users::user))
        .route("/portal/organization/users/{id}/roles", post(users::set_roles))
        .route("/portal/organization/users/{id}/deactivate", post(users::deactivate))
        .route("/portal/organization/users/{id}/restore", post(users::restore))
}

#[derive(Template)]
#[template(path = "people/no_access.html", config = ".askama.toml")]
struct NoAccess {
    page: Page,
    /// The roles that the reader has.
    roles: Vec<Role>,
    whom: Vec<User>,
}

/// `GET /portal/no-access`: who can give a role to somebody who has none, or not enough.
async fn no_access(State(app): State<Arc<App>>, signed_in: SignedIn) -> Result<Response, Refused> {
    let whom = app.registry.whom_to_ask(&signed_in.session).await?;
    let roles = signed_in.session.roles.clone();
    Ok(show(&NoAccess { page: signed_in.page, roles, whom }))
}
