//! A token request (RFC 7523 section 2.1), as clients send it, and what comes back.

use serde_json::Value;

use crate::cli::failure::{ExitStatus, Failure};
use crate::cli::server::{self, Answer, Web};

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Why there is no token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::cli) struct NoToken {
    /// The error of the token endpoint (RFC 6749 section 5.2), if it has answered with one.
    pub(in crate::cli) error: Option<String>,
    /// How a command ends that was to print the token.
    pub(in crate::cli) failure: Failure,
}

impl From<Failure> for NoToken {
    fn from(failure: Failure) -> Self {
        Self { error: None, failure }
    }
}

impl From<NoToken> for Failure {
    fn from(no_token: NoToken) -> Self {
        no_token.failure
    }
}

/// The form of a token request.
pub(in crate::cli) fn form(assertion: &str) -> [(&'static str, &str); 2] {
    [("grant_type", JWT_BEARER), ("assertion", assertion)]
}

/// Fetches a token with an assertion: the token, and the reply that it came in.
pub(in crate::cli) async fn fetch(
    web: &Web,
    endpoint: &str,
    assertion: &str,
) -> Result<(String, Value), NoToken> {
    judge(endpoint, &web.post_form(endpoint, &form(assertion)).await?)
}

/// The token and the reply that it came in, or why there is none.
fn judge(endpoint: &str, answer: &Answer) -> Result<(String, Value), NoToken> {
    let reply: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    if answer.status.is_success() {
        // RFC 6749 appendix A.12; anything else a terminal might obey.
        let token = reply["access_token"]
            .as_str()
            .filter(|token| token.bytes().all(|b| b.is_ascii_graphic()));
        let token = token.map(str::to_owned);
        let token = token.ok_or_else(|| {
            Failure::failed(format!("{endpoint} answers {} without a token", answer.status))
        })?;
        return Ok((token, reply));
    }
    let mut failure = server::unexpected(endpoint, answer.status);
    let error = reply["error"].as_str();
    if let Some(error) = error {
        if answer.status.is_client_error() {
            failure.exit = ExitStatus::RefusedToken;
        }
        failure.message = refusal(error, &reply);
    }
    Err(NoToken { error: error.map(str::to_owned), failure })
}

/// The refusal in words, with the code that documentation and support know it by.
fn refusal(error: &str, reply: &Value) -> String {
    let uri = reply["error_uri"].as_str();
    // The page about an error is named after its code.
    let code = uri.and_then(|uri| uri.rsplit('/').next()).filter(|code| code.starts_with("MP"));
    let mut text = format!("no token: {error}");
    if let Some(code) = code {
        text = format!("{text} ({code})");
    }
    if let Some(description) = reply["error_description"].as_str() {
        text = format!("{text}: {description}");
    }
    match uri {
        Some(uri) => format!("{text}\nsee {uri}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::*;

    fn judged(status: u16, body: &str) -> Result<(String, Value), Failure> {
        let status = StatusCode::from_u16(status).unwrap();
        Ok(judge("https://as/token", &Answer { status, body: body.to_owned() })?)
    }

    #[test]
    fn a_reply_gives_its_token() {
        let (token, reply) = judged(200, r#"{"access_token":"a.b.c","expires_in":119}"#).unwrap();
        assert_eq!((token.as_str(), &reply["expires_in"]), ("a.b.c", &Value::from(119)));
    }

    #[test]
    fn a_refusal_is_told_with_its_code_and_has_an_exit_status_of_its_own() {
        let body = r#"{"error":"invalid_grant","error_description":"Expired key (trace_id: 0)",
            "error_uri":"https://as/errors/MP-121"}"#;
        let failure = judged(400, body).unwrap_err();
        assert_eq!(failure.exit, ExitStatus::RefusedToken);
        let expected = "no token: invalid_grant (MP-121): Expired key (trace_id: 0)\n\
            see https://as/errors/MP-121";
        assert_eq!(failure.message, expected);
        let failure = judged(403, r#"{"error":"forbidden"}"#).unwrap_err();
        assert_eq!((failure.exit.code(), &*failure.message), (7, "no token: forbidden"));
    }

    #[test]
    fn what_is_no_answer_of_a_token_endpoint_is_not_taken_for_a_refusal() {
        for (status, body, exit) in [
            (200, "<html>", ExitStatus::Failure),
            (200, r#"{"access_token":7}"#, ExitStatus::Failure),
            (302, "", ExitStatus::Failure),
            (404, "<html>", ExitStatus::Failure),
            (500, r#"{"error":"server_error"}"#, ExitStatus::Failure),
            (502, "", ExitStatus::Unreachable),
            (503, r#"{"error":"temporarily_unavailable"}"#, ExitStatus::Unreachable),
        ] {
            assert_eq!(judged(status, body).unwrap_err().exit, exit, "{status}");
        }
    }
}
