//! Which server a client command talks to, and how: addresses from options, settings or published
//! metadata (RFC 8414), and an HTTP client that follows no redirects.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use reqwest::{Certificate, Client, ClientBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::cli::env_file::Settings;
use crate::cli::failure::Failure;
use crate::cli::input;
use crate::remote::outbound::with_causes;

/// The options that say which server is meant.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Server")]
pub(super) struct ServerArgs {
    /// The issuer, byte for byte [default: `MASKINPORTEN_ISSUER`, or what the metadata says].
    #[arg(long, value_name = "URL")]
    pub(super) issuer: Option<String>,
    /// The metadata document [default: `MASKINPORTEN_WELL_KNOWN_URL`, or below the issuer].
    #[arg(long, value_name = "URL")]
    pub(super) well_known: Option<String>,
    /// Certificates in PEM that the server's TLS certificate must lead to, and no others.
    #[arg(long, value_name = "FILE")]
    pub(super) ca_file: Option<PathBuf>,
}

/// A server, as far as clients need to know it.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
pub(super) struct Server {
    /// What it calls itself.
    pub(super) issuer: String,
    /// Where it issues tokens.
    pub(super) token_endpoint: Option<String>,
    /// Where it publishes its keys.
    pub(super) jwks_uri: Option<String>,
}

/// Whether both addresses have scheme, host and port in common.
fn same_origin(one: &str, other: &str) -> bool {
    let origin = |address: &str| Url::parse(address).map(|address| address.origin());
    matches!((origin(one), origin(other)), (Ok(one), Ok(other)) if one == other)
}

impl ServerArgs {
    /// The issuer alone; metadata is fetched only if nothing else tells it.
    pub(super) async fn issuer(&self, settings: &Settings) -> Result<String, Failure> {
        match (&self.issuer, &self.well_known) {
            (Some(issuer), None) => Ok(issuer.clone()),
            (None, None) if let Some(issuer) = settings.value("MASKINPORTEN_ISSUER") => Ok(issuer),
            _ => Ok(self.server(settings, |_| false).await?.issuer),
        }
    }

    /// The server of the options or settings. Metadata is fetched unless the settings alone tell of a
    /// server that `is_enough`.
    ///
    /// An option goes before all settings: whoever names another issuer does not mean the token
    /// endpoint that stands beside the old one.
    pub(super) async fn server(
        &self,
        settings: &Settings,
        is_enough: impl Fn(&Server) -> bool,
    ) -> Result<Server, Failure> {
        let from_options = self.issuer.is_some() || self.well_known.is_some();
        if !from_options && let Some(issuer) = settings.value("MASKINPORTEN_ISSUER") {
            let server = Server {
                issuer,
                token_endpoint: settings.value("MASKINPORTEN_TOKEN_ENDPOINT"),
                jwks_uri: settings.value("MASKINPORTEN_JWKS_URI"),
            };
            if is_enough(&server) {
                return Ok(server);
            }
        }
        let (issuer, well_known) = self.metadata_address(settings)?;
        let server: Server = self.web()?.json(&well_known).await?;
        match issuer {
            // RFC 8414 section 3.3: otherwise one server could pass itself off as another.
            Some(issuer) if issuer != server.issuer => Err(Failure::failed(format!(
                "{well_known} is the metadata of {}, not of {issuer}",
                server.issuer
            ))),
            None if !same_origin(&well_known, &server.issuer) => Err(Failure::failed(format!(
                "{well_known} is the metadata of {}, which is another host; say which server is meant \
                 with --issuer",
                server.issuer
            ))),
            _ => Ok(server),
        }
    }

    /// The issuer that is wanted, if one is, and the address of the metadata.
    fn metadata_address(&self, settings: &Settings) -> Result<(Option<String>, String), Failure> {
        let below = |issuer: &str| {
            format!("{}/.well-known/oauth-authorization-server", issuer.trim_end_matches('/'))
        };
        if let Some(well_known) = &self.well_known {
            return Ok((self.issuer.clone(), well_known.clone()));
        }
        if let Some(issuer) = &self.issuer {
            return Ok((Some(issuer.clone()), below(issuer)));
        }
        let issuer = settings.value("MASKINPORTEN_ISSUER");
        match (settings.value("MASKINPORTEN_WELL_KNOWN_URL"), issuer) {
            (Some(well_known), issuer) => Ok((issuer, well_known)),
            (None, Some(issuer)) => Ok((Some(issuer.clone()), below(&issuer))),
            (None, None) => Err(Failure::usage(
                "there is no server to talk to: give --issuer or --well-known, or set \
                 MASKINPORTEN_ISSUER (in the environment, or in a file with --env-file)",
            )),
        }
    }

    /// The client that talks to the server.
    pub(super) fn web(&self) -> Result<Web, Failure> {
        let Some(file) = &self.ca_file else { return Ok(Web { authorities: None }) };
        let wrong = || Failure::usage(format!("{} is not certificates in PEM", file.display()));
        let authorities =
            Certificate::from_pem_bundle(&input::read_file(file)?).map_err(|_| wrong())?;
        if authorities.is_empty() {
            Err(wrong())
        } else {
            Ok(Web { authorities: Some(authorities) })
        }
    }
}

/// An HTTP client.
#[derive(Debug)]
pub(super) struct Web {
    /// What TLS certificates must lead to; the system's own authorities if nothing is said.
    authorities: Option<Vec<Certificate>>,
}

/// An answer, with its body as text.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// The status.
    pub(super) status: StatusCode,
    /// The body.
    pub(super) body: String,
}

const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);
/// The largest answer that is read; tokens and key sets are far smaller.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

impl Web {
    /// Posts a form.
    pub(super) async fn post_form(
        &self,
        url: &str,
        form: &[(&str, &str)],
    ) -> Result<Answer, Failure> {
        let url = parse_url(url)?;
        let request = self.client(&url)?.post(url.clone()).form(form);
        let request = request.header("accept", "application/json");
        let response = request.send().await.map_err(|error| unreachable(&url, error))?;
        read(&url, response).await
    }

    /// Fetches a JSON document.
    pub(super) async fn json<T: DeserializeOwned>(&self, url: &str) -> Result<T, Failure> {
        let text = self.get(url, "application/json").await?;
        serde_json::from_str(&text).map_err(|error| {
            Failure::failed(format!("{url} is not the document that was expected: {error}"))
        })
    }

    /// Fetches a document of text.
    pub(super) async fn text(&self, url: &str) -> Result<String, Failure> {
        self.get(url, "text/plain, */*").await
    }

    async fn get(&self, url: &str, accept: &str) -> Result<String, Failure> {
        let url = parse_url(url)?;
        let request = self.client(&url)?.get(url.clone()).header("accept", accept);
        let response = request.send().await.map_err(|error| unreachable(&url, error))?;
        let answer = read(&url, response).await?;
        if answer.status == StatusCode::OK {
            Ok(answer.body)
        } else {
            Err(unexpected(&url, answer.status))
        }
    }

    /// A client for the server at `url`, which keeps its connection.
    pub(super) fn client(&self, url: &Url) -> Result<Client, Failure> {
        self.builder(url).build().map_err(|error| {
            Failure::failed(format!("TLS cannot be set up: {}", with_causes(error)))
        })
    }

    /// The same, of which more can be said.
    pub(super) fn builder(&self, url: &Url) -> ClientBuilder {
        let mut builder = Client::builder()
            .user_agent(concat!("portvakt/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIME_MAX)
            .timeout(ANSWER_TIME_MAX);
        if is_loopback(url) {
            // A proxy's loopback is another machine's.
            builder = builder.no_proxy();
        }
        match &self.authorities {
            Some(authorities) => builder = builder.tls_certs_only(authorities.clone()),
            // Without TLS the system's authorities are not needed, and a small container has none.
            None if url.scheme() == "http" => builder = builder.tls_certs_only([]),
            None => {}
        }
        builder
    }
}

/// An address of HTTP.
pub(super) fn parse_url(url: &str) -> Result<Url, Failure> {
    let parsed = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    parsed.ok_or_else(|| Failure::usage(format!("\"{url}\" is not an http or https URL")))
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

/// Reads the body of an answer, within limits.
pub(super) async fn read(url: &Url, mut response: Response) -> Result<Answer, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(url, error))? {
        body.extend_from_slice(&chunk);
        if body.len() > ANSWER_BYTES_MAX {
            return Err(Failure::failed(format!("{url} answers with more than 4 MiB")));
        }
    }
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok(Answer { status: response.status(), body })
}

/// An answer whose status says that it is not what was asked for.
pub(super) fn unexpected(url: impl std::fmt::Display, status: StatusCode) -> Failure {
    let message = format!("{url} answers {status}");
    match status {
        // What a proxy says when there is no server behind it.
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            Failure::unreachable(message)
        }
        _ => Failure::failed(message),
    }
}

/// Why there is no answer.
pub(super) fn unreachable(url: &Url, error: reqwest::Error) -> Failure {
    Failure::unreachable(format!("{url} cannot be reached: {}", with_causes(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: &str = "MASKINPORTEN_ISSUER=https://set/\n\
        MASKINPORTEN_TOKEN_ENDPOINT=https://set/token\n\
        MASKINPORTEN_JWKS_URI=https://set/jwk\n\
        MASKINPORTEN_WELL_KNOWN_URL=https://set/metadata";

    #[tokio::test]
    async fn settings_that_tell_enough_need_no_metadata() {
        let settings = Settings::of(SETTINGS);
        let server = ServerArgs::default().server(&settings, |_| true).await.unwrap();
        assert_eq!(server.token_endpoint.as_deref(), Some("https://set/token"));
        let named = ServerArgs { issuer: Some("https://named/".to_owned()), ..Default::default() };
        assert_eq!(named.issuer(&settings).await.unwrap(), "https://named/");
    }

    #[test]
    fn whoever_names_an_issuer_gets_the_metadata_of_that_issuer() {
        let settings = Settings::of(SETTINGS);
        let address = |issuer: Option<&str>, well_known: Option<&str>| {
            let (issuer, well_known) = (issuer.map(str::to_owned), well_known.map(str::to_owned));
            let args = ServerArgs { issuer, well_known, ca_file: None };
            args.metadata_address(&settings).unwrap().1
        };
        assert_eq!(address(None, None), "https://set/metadata");
        assert_eq!(address(None, Some("https://b/c")), "https://b/c");
        assert_eq!(address(Some("https://a/"), Some("https://b/c")), "https://b/c");
        let expected = "https://a/.well-known/oauth-authorization-server";
        assert_eq!(address(Some("https://a/"), None), expected);
    }

    #[test]
    fn only_this_machine_is_loopback_and_only_http_is_an_address() {
        for (url, expected) in [
            ("http://127.0.0.1:7080/", true),
            ("http://[::1]:7080/", true),
            ("https://localhost/", true),
            ("https://localhost.example.org/", false),
            ("https://10.0.0.1/", false),
        ] {
            assert_eq!(is_loopback(&parse_url(url).unwrap()), expected, "{url}");
        }
        for url in ["", "localhost:7080", "file:///etc/passwd", "ftp://a/"] {
            assert!(parse_url(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_server_that_is_down_behind_a_proxy_counts_as_unreachable() {
        for (status, exit) in [(404, 1), (500, 1), (502, 9), (503, 9), (504, 9)] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(unexpected("https://a/", status).exit.code(), exit);
        }
    }
}
