//! Pages of an API consumer: what may be called, clients, their keys, refusals, delegations.

mod ask;
pub(super) mod callable;
mod client;
mod clients;
mod deactivate;
mod delegations;
mod edit;
mod history;
mod keys;
mod new_client;
mod new_key;
mod ready;
mod refusals;
mod scopes;
mod snippets;
mod standing;
mod take_back;
mod try_it;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;

/// The pages.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/portal/callable", get(callable::list))
        .route("/portal/callable/ask", get(ask::form).post(ask::ask))
        .route("/portal/callable/take-back", get(take_back::ask).post(take_back::take_back))
        .route("/portal/clients", get(clients::list).post(new_client::create))
        .route("/portal/clients/new", get(new_client::purpose))
        .route("/portal/clients/new/scopes", get(new_client::choose_scopes))
        .route("/portal/clients/new/key", get(new_client::choose_key))
        .route("/portal/clients/{id}", get(client::overview))
        .route("/portal/clients/{id}/ready", get(ready::ready))
        .route("/portal/clients/{id}/edit", get(edit::form).post(edit::save))
        .route(
            "/portal/clients/{id}/deactivate",
            get(deactivate::form).post(deactivate::deactivate),
        )
        .route("/portal/clients/{id}/restore", post(deactivate::restore))
        .route("/portal/clients/{id}/keys", get(keys::list).post(new_key::add))
        .route("/portal/clients/{id}/keys/new", get(new_key::form))
        .route("/portal/clients/{id}/keys/{kid}/withdraw", get(keys::ask).post(keys::withdraw))
        .route("/portal/clients/{id}/scopes", get(scopes::list).post(scopes::change))
        .route("/portal/clients/{id}/try", get(try_it::try_it))
        .route("/portal/clients/{id}/refusals", get(refusals::of_client))
        .route("/portal/clients/{id}/history", get(history::list))
        .route("/portal/clients/{id}/history/{seq}", get(history::show_one))
        .route("/portal/refusals", get(refusals::list))
        .route("/portal/refusals/{trace_id}", get(refusals::one))
        .route("/portal/delegations", get(delegations::list).post(delegations::give))
        .route("/portal/delegations/new", get(delegations::form))
        .route("/portal/delegations/withdraw", get(delegations::ask).post(delegations::withdraw))
}
