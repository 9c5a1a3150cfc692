//! A token taken apart, not checked in any way.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::cli::failure::Failure;
use crate::clock::Timestamp;

/// What a token says about itself.
#[derive(Clone, Debug)]
pub(super) struct DecodedToken {
    pub(super) header: Map<String, Value>,
    pub(super) claims: Map<String, Value>,
}

impl DecodedToken {
    /// Takes a compact JWS (RFC 7515 section 7.1) apart.
    pub(super) fn read(token: &str) -> Result<Self, Failure> {
        let parts: Vec<&str> = token.split('.').collect();
        let [header, claims, _signature] = parts[..] else {
            return Err(Failure::failed(format!(
                "this is not a signed token: it has {} parts between dots, and not three",
                parts.len()
            )));
        };
        Ok(Self { header: object(header, "header")?, claims: object(claims, "claims")? })
    }

    /// The text of a member of the header.
    pub(super) fn header_text(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }
}

/// A time among the claims; fractions of seconds are dropped (RFC 7519 section 2 allows them).
pub(super) fn time(claims: &Map<String, Value>, name: &str) -> Option<Timestamp> {
    let seconds = claims.get(name)?;
    let whole = seconds.as_i64().or_else(|| {
        let text = seconds.as_number()?.to_string();
        text.split_once('.').and_then(|(whole, _)| whole.parse().ok())
    });
    whole.map(Timestamp::from_seconds)
}

fn object(part: &str, name: &str) -> Result<Map<String, Value>, Failure> {
    let wrong = |problem: &str| {
        Failure::failed(format!("this is not a signed token: its {name} {problem}"))
    };
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| wrong("is not base64url"))?;
    serde_json::from_slice(&bytes).map_err(|_| wrong("is not a JSON object"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn refuses_what_is_no_token_and_says_which_part_is_wrong() {
        for (token, problem) in [
            ("", "1 parts"),
            ("a.b", "2 parts"),
            ("a.b.c.d.e", "5 parts"),
            ("e30=.e30.", "header is not base64url"),
            ("e30.W10.", "claims is not a JSON object"),
        ] {
            let failure = DecodedToken::read(token).unwrap_err();
            assert!(failure.message.contains(problem), "{failure}");
        }
        assert!(DecodedToken::read("e30.e30.").is_ok());
    }

    #[test]
    fn times_are_whole_seconds() {
        let claims = json!({"a": 12, "b": 12.75, "c": "12", "d": null});
        let seconds = |name| time(claims.as_object().unwrap(), name).map(Timestamp::seconds);
        assert_eq!(["a", "b", "c", "d", "e"].map(seconds), [Some(12), Some(12), None, None, None]);
    }
}
