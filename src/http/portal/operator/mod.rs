//! Pages of the operator: organizations, prefixes, signing keys, trust, audit, refusals. Users have theirs beside those
//! of every organization.

mod audit;
mod audit_export;
mod organization;
mod organizations;
mod prefix_acts;
mod prefix_requests;
mod prefixes;
mod refusals;
mod signing_keys;
mod start;
mod trust;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::routing::{get, post};

use crate::app::App;
use crate::domain::right::Right;
use crate::http::portal::page::{Page, Section, SignedIn};
use crate::http::portal::refused::Refused;
use crate::registry::Actor;

/// The pages.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/portal/operator", get(start::start))
        .route("/portal/operator/organizations", get(organizations::list))
        .route(
            "/portal/operator/organizations/new",
            get(organizations::form).post(organizations::admit),
        )
        .route(
            "/portal/operator/organizations/{number}",
            get(organization::show_one).post(organization::rename),
        )
        .route(
            "/portal/operator/organizations/{number}/domains",
            post(organization::change_domains),
        )
        .route(
            "/portal/operator/organizations/{number}/deactivate",
            get(organization::ask).post(organization::deactivate),
        )
        .route("/portal/operator/organizations/{number}/restore", post(organization::restore))
        .route("/portal/operator/prefixes", get(prefixes::list))
        .route("/portal/operator/assign-prefix", get(prefixes::form).post(prefixes::assign))
        .route("/portal/operator/prefixes/{prefix}", get(prefixes::show_one))
        .route(
            "/portal/operator/prefixes/{prefix}/transfer",
            get(prefix_acts::ask_transfer).post(prefix_acts::transfer),
        )
        .route(
            "/portal/operator/prefixes/{prefix}/retire",
            get(prefix_acts::ask_retire).post(prefix_acts::retire),
        )
        .route("/portal/operator/prefixes/{prefix}/restore", post(prefix_acts::restore))
        .route("/portal/operator/prefix-requests", get(prefix_requests::list))
        .route(
            "/portal/operator/prefix-requests/{prefix}/{organization}",
            get(prefix_requests::show_one).post(prefix_requests::answer),
        )
        .route("/portal/operator/signing-keys", get(signing_keys::list).post(signing_keys::rotate))
        .route("/portal/operator/signing-keys/retire", post(signing_keys::retire))
        .route("/portal/operator/trust", get(trust::trust_sets))
        .route("/portal/operator/audit", get(audit::list))
        .route("/portal/operator/audit/verify", post(audit::verify))
        .route("/portal/operator/audit/export", get(audit_export::export))
        .route("/portal/operator/audit/{seq}", get(audit::show_one))
        .route("/portal/operator/refusals", get(refusals::list))
}

/// The operator, who looks at something. Whether somebody may change it is for the verb to say.
struct AsOperator {
    page: Page,
    actor: Actor,
}

impl AsOperator {
    /// Whoever has signed in, if they operate this server.
    fn of(signed_in: SignedIn) -> Result<Self, Refused> {
        signed_in.actor.require(Right::Operate)?;
        Ok(Self { page: signed_in.page.at(Section::Operator), actor: signed_in.actor })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for AsOperator {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        Self::of(SignedIn::from_request_parts(parts, state).await?)
    }
}
