//! Revocation lists that authorities publish over HTTP.
//!
//! They come without TLS more often than not (RFC 5280 section 8 wants it so): a list is signed, and whether it is
//! the right one is judged where lists are read. Here is only asked whether there is another than the one that was
//! seen last (RFC 9110 section 13).

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{
    ACCEPT, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LAST_MODIFIED,
};
use serde::{Deserialize, Serialize};

use crate::domain::remote_url::RemoteUrl;
use crate::remote::outbound::{ClearText, Outbound, OutboundRules, Purpose, Question, Redirects};

/// The longest validator that is kept, in bytes; a longer one is as good as none.
const VALIDATOR_BYTES_MAX: usize = 512;

/// Fetches revocation lists from registered hosts.
pub struct ListFetcher(Outbound);

/// What a server has said of a list that came from it, by which it knows whether there is a newer one.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Validators {
    etag: Option<String>,
    last_modified: Option<String>,
}

/// What came of asking for a list.
#[derive(Debug)]
pub enum Fetched {
    /// These bytes.
    List {
        /// What may be a list.
        bytes: Vec<u8>,
        /// What to ask with next time, once the list has been found good.
        validators: Validators,
    },
    /// The list is still the one that the validators are of.
    Unchanged,
}

impl ListFetcher {
    /// Goes to the hosts of `urls`, reads at most `bytes_max` and gives up after `time_max`. The error says why
    /// there is none.
    pub fn new(
        rules: &OutboundRules,
        urls: &[RemoteUrl],
        bytes_max: usize,
        time_max: Duration,
    ) -> Result<Self, String> {
        let purpose = Purpose {
            clear: ClearText::Anything,
            bytes_max,
            time_max,
            redirects: Redirects::SameHost,
        };
        let tls = urls.iter().any(RemoteUrl::is_https);
        let hosts = urls.iter().map(|url| url.host().clone());
        Outbound::new(rules, purpose, hosts, tls).map(Self)
    }

    /// Asks for the list at `url`, unless it is still the one that `known` is of. The error says what was seen.
    pub async fn fetch(&self, url: &RemoteUrl, known: &Validators) -> Result<Fetched, String> {
        let mut question = Question::get(url.clone());
        let kinds = HeaderValue::from_static("application/pkix-crl, */*;q=0.5");
        question.headers.insert(ACCEPT, kinds);
        known.say(&mut question.headers);
        let answer = self.0.ask(question).await.map_err(|error| error.to_string())?;
        match answer.status {
            StatusCode::NOT_MODIFIED if *known != Validators::default() => Ok(Fetched::Unchanged),
            StatusCode::OK => {
                let validators = Validators::of(&answer.headers);
                Ok(Fetched::List { bytes: answer.body, validators })
            }
            status => Err(format!("answers with status {}", status.as_u16())),
        }
    }
}

impl Validators {
    fn of(headers: &HeaderMap) -> Self {
        let text = |name: HeaderName| {
            let value = headers.get(name).and_then(|value| value.to_str().ok())?;
            (value.len() <= VALIDATOR_BYTES_MAX).then(|| value.to_owned())
        };
        Self { etag: text(ETAG), last_modified: text(LAST_MODIFIED) }
    }

    fn say(&self, headers: &mut HeaderMap) {
        for (name, value) in [(IF_NONE_MATCH, &self.etag), (IF_MODIFIED_SINCE, &self.last_modified)]
        {
            let value = value.as_deref().and_then(|value| HeaderValue::from_str(value).ok());
            headers.extend(value.map(|value| (name, value)));
        }
    }
}
