//! The HTTP client with which other servers are asked, and how much of an answer is read.

use std::error::Error as _;
use std::sync::Arc;

use reqwest::redirect::Policy;
use reqwest::{Client, Response};

use crate::remote::resolver::FewResolutions;

/// Connections that are kept open while nobody asks.
const IDLE_CONNECTIONS_MAX: usize = 8;

/// A client that goes where it is told and nowhere else, over TLS or, without `tls`, to a loopback host; or why there
/// is none, mostly because the system has no certificate authorities.
pub(super) fn client(tls: bool) -> Result<Client, String> {
    let mut builder = Client::builder()
        .user_agent(concat!("portvakt/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .no_proxy()
        .https_only(tls)
        .dns_resolver(Arc::new(FewResolutions::default()))
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX);
    if !tls {
        // Without TLS the system's authorities are not needed, and a small container has none.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(with_causes)
}

/// The body of an answer, if it is not larger than that.
pub(super) async fn read(mut response: Response, bytes_max: usize) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(with_causes)? {
        if body.len() + chunk.len() > bytes_max {
            return Err(format!("answers with more than {} KiB", bytes_max / 1024));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The error with its causes: the first sentence alone never says what happened. Without the address, in which
/// organizations and people are named.
pub(super) fn with_causes(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
