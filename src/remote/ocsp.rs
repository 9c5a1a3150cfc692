//! Responders that tell whether certificates are revoked (RFC 6960), asked over HTTP (its appendix A.1).
//!
//! They are asked without TLS more often than not, because an answer is signed. Whether it is the right one is judged
//! where answers are read; here is only held how much is read of it, for how long it is waited, and from whom.

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, StatusCode};

use crate::domain::remote_url::RemoteUrl;
use crate::remote::outbound::{ClearText, Outbound, OutboundRules, Purpose, Question, Redirects};

/// How long an answer is waited for, with the one time that is tried again: who uses a certificate for the first time
/// waits for it.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(2);

/// Asks responders at registered hosts.
pub struct ResponderClient(Outbound);

impl ResponderClient {
    /// Goes to the hosts of `urls`, and reads at most `bytes_max`. The error says why there is none.
    pub fn new(
        rules: &OutboundRules,
        urls: &[RemoteUrl],
        bytes_max: usize,
    ) -> Result<Self, String> {
        let purpose = Purpose {
            clear: ClearText::Anything,
            bytes_max,
            time_max: ANSWER_TIME_MAX,
            redirects: Redirects::Never,
        };
        let tls = urls.iter().any(RemoteUrl::is_https);
        let hosts = urls.iter().map(|url| url.host().clone());
        Outbound::new(rules, purpose, hosts, tls).map(Self)
    }

    /// Puts a question in DER and reads the answer; tries once more if there is none, as long as there is time. The error
    /// says what was seen.
    pub async fn ask(&self, url: &RemoteUrl, question: &[u8]) -> Result<Vec<u8>, String> {
        let exchanges = async {
            match self.exchange(url, question).await {
                Ok(answer) => Ok(answer),
                Err(_) => self.exchange(url, question).await,
            }
        };
        let slow = |_| Err(format!("no answer within {} seconds", ANSWER_TIME_MAX.as_secs()));
        tokio::time::timeout(ANSWER_TIME_MAX, exchanges).await.unwrap_or_else(slow)
    }

    async fn exchange(&self, url: &RemoteUrl, question: &[u8]) -> Result<Vec<u8>, String> {
        let mut asked = Question::get(url.clone());
        asked.method = Method::POST;
        asked.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/ocsp-request"));
        let kinds = HeaderValue::from_static("application/ocsp-response, */*;q=0.5");
        asked.headers.insert(ACCEPT, kinds);
        asked.body = question.to_vec();
        let answer = self.0.ask(asked).await.map_err(|error| error.to_string())?;
        match answer.status {
            StatusCode::OK => Ok(answer.body),
            status => Err(format!("answers with status {}", status.as_u16())),
        }
    }
}
