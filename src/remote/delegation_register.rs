//! A register of delegations on another server, asked as Maskinporten asks Altinn.
//!
//! `GET {url}?supplierOrg=&consumerOrg=&scope=` with a bearer token; the answer is an array of delegations, and
//! an empty one means none. An entry counts only if it names the consumer, the supplier and the scope that
//! were asked for: a register that answers another question has not said yes to this one.

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;
use thiserror::Error;

use crate::clock::Timestamp;
use crate::remote::server_token::ServerTokens;
use crate::remote::web::{client, read, with_causes};
use crate::token::delegation::{Answer, DelegationQuestion, DelegationRegister, Verdict};
use crate::token::refusal::Refusal;

/// The largest answer that is read. One delegation is about 300 bytes, and one or two are expected.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// A register on another server.
pub struct RemoteRegister {
    name: String,
    url: Url,
    client: Client,
    tokens: Option<ServerTokens>,
}

/// Why a register cannot be asked at all.
#[derive(Debug, Error)]
pub enum RemoteRegisterError {
    /// The address is none.
    #[error("{0:?} is not the address of a register")]
    Address(String),
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
        url: &str,
        tokens: Option<ServerTokens>,
    ) -> Result<Self, RemoteRegisterError> {
        let address = || RemoteRegisterError::Address(url.to_owned());
        let url = Url::parse(url).map_err(|_| address())?;
        let client = client(url.scheme() == "https").map_err(RemoteRegisterError::Tls)?;
        Ok(Self { name, url, client, tokens })
    }

    async fn look_up(
        &self,
        question: &DelegationQuestion,
        now: Timestamp,
    ) -> Result<Verdict, String> {
        let mut url = self.url.clone();
        url.query_pairs_mut()
            .append_pair("supplierOrg", question.supplier.as_str())
            .append_pair("consumerOrg", question.consumer.as_str())
            .append_pair("scope", question.scope.as_str());
        let mut request = self.client.get(url).header(ACCEPT, "application/json");
        if let Some(tokens) = &self.tokens {
            let bearer = format!("Bearer {}", tokens.mint(now)?);
            let mut bearer = HeaderValue::try_from(bearer).map_err(|error| error.to_string())?;
            bearer.set_sensitive(true);
            request = request.header(AUTHORIZATION, bearer);
        }
        let response = request.send().await.map_err(with_causes)?;
        if response.status() != StatusCode::OK {
            return Err(format!("answers with status {}", response.status().as_u16()));
        }
        let body = read(response, ANSWER_BYTES_MAX).await?;
        // What is wrong is said without the text of the answer, which is another's.
        let entries: Vec<Entry> = serde_json::from_slice(&body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            format!("answers with no array of delegations (line {line}, column {column})")
        })?;
        let delegated = entries.iter().any(|entry| entry.answers(question));
        Ok(if delegated { Verdict::Delegated } else { Verdict::NotDelegated })
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
