//! The one way out: every HTTP request of this server to another one goes through an `Outbound`.
//!
//! What it is told to ask has been read as a [`RemoteUrl`], of which there is only one reading. It goes to hosts that
//! were registered when it was made, and to no others, whatever an answer says; the address that is connected to has
//! been let through by the [`Reach`], because names are looked up behind it (`names`). It stays on the host when it is
//! redirected, reads no more and waits no longer than it was told, undoes no compression, and neither knows the proxies of the
//! environment nor falls back from TLS.

mod names;

use std::collections::BTreeSet;
use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, HeaderMap, HeaderValue, LOCATION,
};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Method, Response, StatusCode, Url};
use thiserror::Error;

use crate::domain::network::{Reach, UnreachableAddress};
use crate::domain::remote_url::{Host, RemoteUrl, RemoteUrlError};
use names::GuardedNames;

pub use names::{Names, SystemNames};

/// Connections that are kept open while nobody asks.
const IDLE_CONNECTIONS_MAX: usize = 8;

/// How long a connection may take, TLS included: a host that does not answer at all shall not use up the whole time.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);

/// How often a host may send a request on, to another path of its own.
const REDIRECTS_MAX: usize = 3;

/// What holds for everything that goes out.
#[derive(Clone)]
pub struct OutboundRules {
    /// Which addresses are connected to.
    pub reach: Reach,
    /// Authorities, in PEM, that count for TLS beside those of the operating system.
    pub authorities_pem: Vec<Vec<u8>>,
    /// Who turns names into addresses.
    pub names: Arc<dyn Names>,
}

/// What one kind of request may do.
#[derive(Clone, Copy, Debug)]
pub struct Purpose {
    /// What may be asked without TLS.
    pub clear: ClearText,
    /// The most that is read of an answer, in bytes.
    pub bytes_max: usize,
    /// The longest that one exchange takes, redirects and all of the answer included.
    pub time_max: Duration,
    /// Whether a host may send a request on to another path of its own.
    pub redirects: Redirects,
}

/// What may be asked without TLS.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClearText {
    /// Everything: what comes back is signed, and holds no secret.
    Anything,
    /// Only this machine.
    Loopback,
}

/// Whether redirects are followed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Redirects {
    /// They are, on the same host.
    SameHost,
    /// They are not; the answer is the redirect itself.
    Never,
}

/// A client that goes to some hosts, for one purpose.
pub(super) struct Outbound {
    client: Client,
    reach: Arc<Reach>,
    hosts: BTreeSet<Host>,
    purpose: Purpose,
}

/// What is asked.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) method: Method,
    pub(super) url: RemoteUrl,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// A whole answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// Why there is no answer. It never holds the path or the query of what was asked, in which people and organizations
/// are named.
#[derive(Debug, Error)]
pub(super) enum OutboundError {
    #[error("{0}")]
    Address(#[from] UnreachableAddress),
    #[error("{host} is asked without TLS, which only a loopback host may be")]
    ClearText { host: Host },
    #[error("answers compressed, which was not asked for")]
    Compressed,
    #[error("{host} is no host that is configured for this")]
    Host { host: Host },
    #[error("answers with more than {} KiB", bytes_max / 1024)]
    Large { bytes_max: usize },
    #[error("sends the request on to {problem}")]
    Redirect { problem: String },
    #[error("no answer within {} seconds", time_max.as_secs_f64())]
    Slow { time_max: Duration },
    #[error("{0}")]
    Transport(String),
    #[error("an address that {0}")]
    Url(#[from] RemoteUrlError),
}

impl Question {
    /// A question without a body.
    pub(super) fn get(url: RemoteUrl) -> Self {
        Self { method: Method::GET, url, headers: HeaderMap::new(), body: Vec::new() }
    }
}

impl Outbound {
    /// A client that goes to `hosts`. Without `tls` it never asks over TLS, and so needs no authorities, which a small
    /// container has none of. The error says why there is none.
    pub(super) fn new(
        rules: &OutboundRules,
        purpose: Purpose,
        hosts: impl IntoIterator<Item = Host>,
        tls: bool,
    ) -> Result<Self, String> {
        let reach = Arc::new(rules.reach.clone());
        let names = GuardedNames::new(Arc::clone(&rules.names), Arc::clone(&reach));
        let mut builder = Client::builder()
            .user_agent(concat!("portvakt/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(names))
            .connect_timeout(CONNECT_TIME_MAX)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX);
        if tls {
            for pem in &rules.authorities_pem {
                let authorities = Certificate::from_pem_bundle(pem).map_err(with_causes)?;
                builder = builder.tls_certs_merge(authorities);
            }
        } else {
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(with_causes)?;
        Ok(Self { client, reach, hosts: hosts.into_iter().collect(), purpose })
    }

    /// Asks, and reads the whole answer.
    pub(super) async fn ask(&self, question: Question) -> Result<Answer, OutboundError> {
        let time_max = self.purpose.time_max;
        let exchange = tokio::time::timeout(time_max, self.follow(question));
        exchange.await.unwrap_or(Err(OutboundError::Slow { time_max }))
    }

    async fn follow(&self, mut question: Question) -> Result<Answer, OutboundError> {
        for _ in 0..=REDIRECTS_MAX {
            let response = self.send(&question).await?;
            match self.redirected(&question.url, &response)? {
                Some(url) => question.url = url,
                None => return self.read(response).await,
            }
        }
        let problem = format!("another place for the {}th time", REDIRECTS_MAX + 1);
        Err(OutboundError::Redirect { problem })
    }

    async fn send(&self, question: &Question) -> Result<Response, OutboundError> {
        let url = self.admit(&question.url)?;
        let request = self
            .client
            .request(question.method.clone(), url)
            .headers(question.headers.clone())
            .header(ACCEPT_ENCODING, HeaderValue::from_static("identity"))
            .body(question.body.clone());
        request.send().await.map_err(|error| OutboundError::Transport(with_causes(error)))
    }

    /// Lets an address through to the library, whose reading of it must be ours.
    fn admit(&self, url: &RemoteUrl) -> Result<Url, OutboundError> {
        let host = url.host();
        if !self.hosts.contains(host) {
            return Err(OutboundError::Host { host: host.clone() });
        }
        if !url.is_https() && self.purpose.clear == ClearText::Loopback && !host.is_loopback() {
            return Err(OutboundError::ClearText { host: host.clone() });
        }
        // A name is looked at when it has been looked up; an address is never looked up.
        if let Host::Address(address) = host {
            self.reach.admit(*address)?;
        }
        let read = Url::parse(url.as_str()).map_err(|_| RemoteUrlError::Host)?;
        let is_same = read.host_str() == Some(host.to_string().as_str())
            && read.port_or_known_default() == Some(url.port());
        if is_same { Ok(read) } else { Err(RemoteUrlError::Host.into()) }
    }

    /// Where an answer sends the request on to, if it does and that is followed.
    fn redirected(
        &self,
        from: &RemoteUrl,
        response: &Response,
    ) -> Result<Option<RemoteUrl>, OutboundError> {
        let is_redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
        if self.purpose.redirects == Redirects::Never || !is_redirect {
            return Ok(None);
        }
        let refuse = |problem: &str| OutboundError::Redirect { problem: problem.to_owned() };
        let location = response.headers().get(LOCATION).and_then(|it| it.to_str().ok());
        let location = location.ok_or_else(|| refuse("no place"))?;
        let base = Url::parse(from.as_str()).map_err(|_| RemoteUrlError::Host)?;
        // A path alone is completed; anything with a host is read as strictly as what is configured.
        let is_path = location.starts_with('/') && !location.starts_with("//");
        let to = if is_path {
            base.join(location).map(String::from).map_err(|_| refuse("no address"))?
        } else {
            location.to_owned()
        };
        let to: RemoteUrl = to.parse()?;
        if to.host() != from.host() {
            return Err(refuse("another host"));
        }
        if from.is_https() && !to.is_https() {
            return Err(refuse("an address without TLS"));
        }
        if from.is_https() == to.is_https() && from.port() != to.port() {
            return Err(refuse("another port"));
        }
        Ok(Some(to))
    }

    /// The whole answer, if it is not larger than it may be.
    async fn read(&self, mut response: Response) -> Result<Answer, OutboundError> {
        let bytes_max = self.purpose.bytes_max;
        let encoding = response.headers().get(CONTENT_ENCODING);
        if encoding.is_some_and(|encoding| encoding != "identity") {
            return Err(OutboundError::Compressed);
        }
        let announced = response.content_length().and_then(|size| usize::try_from(size).ok());
        let announced = announced.unwrap_or_default();
        if announced > bytes_max {
            return Err(OutboundError::Large { bytes_max });
        }
        let mut body = Vec::with_capacity(announced);
        let broken = |error| OutboundError::Transport(with_causes(error));
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            if body.len() + chunk.len() > bytes_max {
                return Err(OutboundError::Large { bytes_max });
            }
            body.extend_from_slice(&chunk);
        }
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        Ok(Answer { status, headers, body })
    }
}

/// A header that proves who asks; it is kept out of logs.
pub(super) fn bearer(headers: &mut HeaderMap, token: &str) -> Result<(), String> {
    let mut bearer =
        HeaderValue::try_from(format!("Bearer {token}")).map_err(|error| error.to_string())?;
    bearer.set_sensitive(true);
    headers.insert(AUTHORIZATION, bearer);
    Ok(())
}

/// The error with its causes: the first sentence alone never says what happened. Without the address, in which
/// organizations and people are named.
pub fn with_causes(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
