//! Stylesheet, scripts and pictures of the portal, compiled into the program.
//!
//! Their addresses hold a hash of them all, so that browsers may keep them for good and still never show an old one
//! beside a new page. Scripts that import each other by relative addresses stay within the same version.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse as _, Response};

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Declares the files with their types.
macro_rules! files {
    ($($name:literal: $kind:ident),* $(,)?) => {
        &[$(($name, $kind, include_str!(concat!("assets/", $name)))),*]
    };
}

const FILES: &[(&str, &str, &str)] = files! {
    "favicon.svg": SVG,
    "icons.svg": SVG,
    "jwk.js": JS,
    "key-maker.js": JS,
    "key-paste.js": JS,
    "key-store.js": JS,
    "messages.js": JS,
    "page.js": JS,
    "portal.css": CSS,
    "try-it.js": JS,
};

const FOLDER: &str = "/portal/assets/";

static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = DefaultHasher::new();
    FILES.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
});

/// Where the file of that name is.
pub(super) fn address(name: &str) -> String {
    debug_assert!(FILES.iter().any(|(known, ..)| *known == name), "there is no asset {name}");
    format!("{FOLDER}{}/{name}", *VERSION)
}

/// Whether a path is that of an asset, for which it does not matter who asks.
pub(super) fn is_asset(path: &str) -> bool {
    path.starts_with(FOLDER)
}

/// `GET /portal/assets/{version}/{name}`
pub(super) async fn asset(Path((version, name)): Path<(String, String)>) -> Response {
    const KEEP: (HeaderName, &str) = (CACHE_CONTROL, "public, max-age=31536000, immutable");
    let file = FILES.iter().find(|(known, ..)| *known == name).filter(|_| version == *VERSION);
    match file {
        Some((_, kind, content)) => ([(CONTENT_TYPE, *kind), KEEP], *content).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
