//! The admin listener. Its API is not there yet; what answers is a page that says so.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;

/// Every route of the admin listener.
pub(super) fn routes() -> Router {
    let page = "Portvakt. The admin API and the portal will be here.\n";
    let headers = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
    Router::new().route("/", get(move || async move { (headers, page) }))
}
