//! Stylesheet, scripts and pictures of the portal, compiled into the program.
//!
//! Their addresses hold a hash of them all, so that browsers may keep them for good and still never show an old one
//! beside a new page. Scripts that import each other by relative addresses stay within the same version.
//!
//! They go out compressed to browsers that can read it. Pages do not: they hold what makes a form its reader's own
//! beside what others may have written, and the length of the two compressed together would tell about the one.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse as _, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

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

/// Each file compressed, in the order of [`FILES`]. Compressing into memory does not fail; if it did, the file would
/// go out as it is.
static COMPRESSED: LazyLock<Vec<Option<Vec<u8>>>> = LazyLock::new(|| {
    let compress = |content: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(content.as_bytes()).and_then(|()| encoder.finish()).ok()
    };
    FILES.iter().map(|(_, _, content)| compress(content)).collect()
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
pub(super) async fn asset(
    Path((version, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    const KEEP: [(HeaderName, &str); 2] =
        [(CACHE_CONTROL, "public, max-age=31536000, immutable"), (VARY, "accept-encoding")];
    let place = FILES.iter().position(|(known, ..)| *known == name);
    let Some(place) = place.filter(|_| version == *VERSION) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let (_, kind, content) = FILES[place];
    match COMPRESSED.get(place).and_then(Option::as_ref).filter(|_| reads_gzip(&headers)) {
        Some(compressed) => {
            let encoded = [(CONTENT_TYPE, kind), (CONTENT_ENCODING, "gzip")];
            (KEEP, encoded, compressed.as_slice()).into_response()
        }
        None => (KEEP, [(CONTENT_TYPE, kind)], content).into_response(),
    }
}

/// Whether a browser says that it can read gzip (RFC 9110 section 12.5.3), without saying that it would rather not.
fn reads_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| {
        accepted.split(',').any(|coding| {
            let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
            name.trim() == "gzip" && !matches!(weight.trim(), "q=0" | "q=0.0")
        })
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    /// What a browser fetches with the heaviest page, beside the page: the promise is 60 KB with it.
    const ALL_BYTES_MAX: usize = 40 * 1024;

    #[test]
    fn everything_together_is_light_when_it_is_compressed() {
        let all: usize = COMPRESSED.iter().map(|file| file.as_ref().unwrap().len()).sum();
        assert!(all < ALL_BYTES_MAX, "{all}");
    }

    #[test]
    fn compressed_files_go_to_whoever_can_read_them() {
        let reads = |accepted: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(accepted));
            reads_gzip(&headers)
        };
        assert!(reads("gzip, deflate, br") && reads("br;q=1.0, gzip;q=0.8"));
        assert!(!reads("br") && !reads("gzip;q=0") && !reads_gzip(&HeaderMap::new()));
    }
}
