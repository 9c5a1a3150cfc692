//! The token API: `POST /token`, the published keys, the metadata, and a page for every error code.

mod admin_errors_page;
mod error_pages;
mod error_texts;
mod error_texts_access;
mod error_texts_keys;
mod error_texts_request;
mod form;
mod published;
mod token;

pub use form::TokenForm;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;
use crate::keys::PublishedDocument;
use crate::token::refusal::MpCode;

/// Every route of the token API, at the root and, if the issuer has a path, under that path as well:
/// clients build addresses from the issuer, proxies may or may not strip its path.
pub(super) fn routes(app: &App) -> Router<Arc<App>> {
    let metadata = published::metadata_of(app);
    let path = issuer_path(&app.issuer.rules.grant.issuer);
    let routes = endpoints(&metadata, "");
    if path.is_empty() {
        return routes;
    }
    // RFC 8414 section 3.1 puts the path of the issuer behind the well-known part.
    let inserted =
        ["oauth-authorization-server", "openid-configuration"].into_iter().flat_map(|name| {
            [format!("/.well-known/{name}{path}"), format!("/.well-known/{name}{path}/")]
        });
    let served = |routes: Router<Arc<App>>, address: String| {
        routes.route(&address, get(published::metadata).with_state(metadata.clone()))
    };
    inserted.fold(routes.merge(endpoints(&metadata, path)), served)
}

/// What to do about a refusal with the code of that name, in English, one step a line.
pub(super) fn what_to_do(code: &str) -> Option<String> {
    let code = MpCode::ALL.into_iter().find(|known| known.name() == code)?;
    Some(error_texts::text_of(code).english.remedy.join("\n"))
}

/// The path of the issuer without the slash at its end: empty, or something like `/t1`.
fn issuer_path(issuer: &str) -> &str {
    let rest = issuer.split_once("://").map_or("", |(_, rest)| rest);
    rest.find('/').map_or("", |at| rest[at..].trim_end_matches('/'))
}

fn endpoints(metadata: &PublishedDocument, base: &str) -> Router<Arc<App>> {
    let at = |path: &str| format!("{base}{path}");
    let metadata = || get(published::metadata).with_state(metadata.clone());
    let keys = || get(published::keys);
    Router::new()
        .route(&at("/token"), post(token::token))
        // Documents in use name three paths for the keys.
        .route(&at("/jwk"), keys())
        .route(&at("/jwks"), keys())
        .route(&at("/.well-known/jwks.json"), keys())
        // Clients join the issuer, which ends in a slash, and the path in every way there is.
        .route(&at("/.well-known/oauth-authorization-server"), metadata())
        .route(&at("/.well-known/oauth-authorization-server/"), metadata())
        .route(&at("//.well-known/oauth-authorization-server"), metadata())
        .route(&at("/.well-known/openid-configuration"), metadata())
        .route(&at("/.well-known/openid-configuration/"), metadata())
        .route(&at("//.well-known/openid-configuration"), metadata())
        .route(&at("/errors/"), get(error_pages::index))
        .route(&at("/errors/style.css"), get(error_pages::style))
        .route(&at("/errors/admin"), get(admin_errors_page::page))
        .route(&at("/errors/{code}"), get(error_pages::page))
}
