//! The `OpenAPI` document of the admin listener, made from the routes themselves, and a page to browse it.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi as Document, Server};
use utoipa::{Modify, OpenApi};
use utoipa_swagger_ui::Config;

use crate::app::App;
use crate::http::error::json;

/// What the page of the document may load: nothing from anywhere else, and no script or style inside the page.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Portvakt admin API",
        description = "Prefixes, scopes, accesses, clients, keys and delegations. The addresses under \
            /api/portvakt are Portvakt's own; the others are those of Digdir's self-service API. Every answer says in the header \
            Portvakt-Change-Seq which change holds on the node that gives it; effective/{seq} says whether one holds on \
            all nodes.",
    ),
    modifiers(&Bearer),
)]
struct Head;

/// Declares how callers show who they are.
struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut Document) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some(
                "An access token of this server, with the scopes that an operation names",
            ))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// `/openapi.json` and `/docs/`.
pub(super) fn routes(app: &App, own: Document, compatible: Document) -> Router<Arc<App>> {
    let mut document = Head::openapi();
    document.merge(own);
    document.merge(compatible);
    // The compatible API has everything at older addresses as well: once is enough.
    document.paths.paths.retain(|path, _| path.starts_with("/api/"));
    document.servers = Some(vec![Server::new(app.admin_url.as_deref().unwrap_or("/"))]);
    let text = serde_json::to_string(&document).unwrap_or_default();
    Router::new()
        .route("/openapi.json", get(move || async move { json(StatusCode::OK, text) }))
        .route("/docs", get(|| async { Redirect::permanent("/docs/") }))
        .route("/docs/", get(|| async { file("index.html") }))
        .route("/docs/{file}", get(|Path(name): Path<String>| async move { file(&name) }))
}

/// A file of the page. They come with the program and change with it only.
fn file(name: &str) -> Response {
    let config = Arc::new(Config::from("/openapi.json").use_base_layout().try_it_out_enabled(true));
    match utoipa_swagger_ui::serve(name, config) {
        Ok(Some(file)) => {
            let bytes: Cow<'_, [u8]> = file.bytes;
            let headers: [(HeaderName, HeaderValue); 3] = [
                (
                    CONTENT_TYPE,
                    HeaderValue::from_str(&file.content_type)
                        .unwrap_or(HeaderValue::from_static("application/octet-stream")),
                ),
                (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
                (CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY)),
            ];
            (headers, bytes.into_owned()).into_response()
        }
        Ok(None) | Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}
