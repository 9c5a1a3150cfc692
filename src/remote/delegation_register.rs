//! A register of delegations on another server, asked as Maskinporten asks Altinn.
//!
//! `GET {url}?supplierOrg=&consumerOrg=&scope=` with a bearer token; the answer is an array of delegations, and
//! an empty one means none. An entry counts only if it names the consumer, the supplier and the scope that
//! were asked for: a register that answers another question has not said yes to this one.

use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderValue};
use reqwest::{StatusCode, Url};
use serde::Deserialize;
use thiserror::Error;

use crate::clock::Timestamp;
use crate::domain::remote_url::RemoteUrl;
use crate::remote::outbound::{
    ClearText, Outbound, OutboundRules, Purpose, Question, Redirects, bearer,
};
use crate::remote::server_token::ServerTokens;
use crate::token::delegation::{Answer, DelegationQuestion, DelegationRegister, Verdict};
use crate::token::refusal::Refusal;

/// The largest answer that is read. One delegation is about 300 bytes, and one or two are expected.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// How long an exchange goes on, whatever who asks has patience for ([`crate::token::delegation::memory`]).
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

/// A register on another server.
pub struct RemoteRegister {
    name: String,
    url: RemoteUrl,
    outbound: Outbound,
    tokens: Option<ServerTokens>,
}

/// Why a register cannot be asked at all.
#[derive(Debug, Error)]
pub enum RemoteRegisterError {
    /// The HTTP client cannot be set up, mostly because the system has no certificate authorities.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// One delegation, as far as it matters here. An answer in which one of these is missing is not understood.
#[derive(Debug, Deserialize)]
struct Entry {
    consumer_org: String,
    supplier_org: String,
    scopes: Vec<String>,
}

impl RemoteRegister {
    /// The register at `url`, which logs call `name`. Without `tokens` it is asked without authentication.
    pub fn new(
        name: String,
        url: RemoteUrl,
        tokens: Option<ServerTokens>,
        rules: &OutboundRules,
    ) -> Result<Self, RemoteRegisterError> {
        let purpose = Purpose {
            clear: ClearText::Loopback,
            bytes_max: ANSWER_BYTES_MAX,
            time_max: ANSWER_TIME_MAX,
            redirects: Redirects::Never,
        };
        let outbound = Outbound::new(rules, purpose, [url.host().clone()], url.is_https())
            .map_err(RemoteRegisterError::Tls)?;
        Ok(Self { name, url, outbound, tokens })
    }

    async fn look_up(&self, asked: &DelegationQuestion, now: Timestamp) -> Result<Verdict, String> {
        let mut question = Question::get(self.address(asked)?);
        question.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(tokens) = &self.tokens {
            bearer(&mut question.headers, &tokens.mint(now)?)?;
        }
        let answer = self.outbound.ask(question).await.map_err(|error| error.to_string())?;
        if answer.status != StatusCode::OK {
            return Err(format!("answers with status {}", answer.status.as_u16()));
        }
        // What is wrong is said without the text of the answer, which is another's.
        let entries: Vec<Entry> = serde_json::from_slice(&answer.body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            format!("answers with no array of delegations (line {line}, column {column})")
        })?;
        let delegated = entries.iter().any(|entry| entry.answers(asked));
        Ok(if delegated { Verdict::Delegated } else { Verdict::NotDelegated })
    }

    /// Where a question is asked.
    fn address(&self, asked: &DelegationQuestion) -> Result<RemoteUrl, String> {
        let mut url = Url::parse(self.url.as_str()).map_err(|error| error.to_string())?;
        url.query_pairs_mut()
            .append_pair("supplierOrg", asked.supplier.as_str())
            .append_pair("consumerOrg", asked.consumer.as_str())
            .append_pair("scope", asked.scope.as_str());
        url.as_str().parse().map_err(|error| format!("its address with the question {error}"))
    }
}

impl DelegationRegister for RemoteRegister {
    fn ask<'a>(&'a self, question: &'a DelegationQuestion, now: Timestamp) -> Answer<'a> {
        Box::pin(async move {
            self.look_up(question, now).await.map_err(|problem| {
                let cause = format!("delegation register {}: {problem}", self.name);
                Refusal::Unavailable { cause }
            })
        })
    }
}

impl Entry {
    /// Whether this is the delegation that was asked about.
    fn answers(&self, question: &DelegationQuestion) -> bool {
        self.consumer_org == question.consumer.as_str()
            && self.supplier_org == question.supplier.as_str()
            && self.scopes.iter().any(|scope| scope == question.scope.as_str())
    }
}
