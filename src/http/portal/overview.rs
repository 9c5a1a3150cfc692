//! The first page: what needs whoever has signed in, and where to go on.

use askama::Template;
use axum::response::Response;

use crate::http::portal::page::{Page, Section, SignedIn, go_to, show};

#[derive(Template)]
#[template(path = "overview.html", config = ".askama.toml")]
struct Overview {
    page: Page,
    name: String,
}

/// `GET /portal`. Whoever has no role yet is told who can give them one.
pub(super) async fn overview(signed_in: SignedIn) -> Response {
    if signed_in.session.rights.is_empty() {
        return go_to("/portal/no-access");
    }
    let name = signed_in.session.user.name.clone();
    show(&Overview { page: signed_in.page.at(Section::Overview), name })
}
