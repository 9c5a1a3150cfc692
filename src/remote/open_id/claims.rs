//! What an `id_token` must be and say, for somebody to be let in by it (OpenID Connect Core section 3.1.3.7).

use std::time::{Duration, UNIX_EPOCH};

use openidconnect::core::{CoreGenderClaim, CoreJwsSigningAlgorithm};
use openidconnect::{
    AdditionalClaims, ClaimsVerificationError, ClientId, IdTokenClaims, IdTokenVerifier, Nonce,
    SignatureVerificationError,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::clock::Timestamp;
use crate::domain::organization::OrganizationNumber;
use crate::remote::open_id::known::Known;
use crate::remote::open_id::{OpenIdError, Person, Token};

/// The algorithms that count: those with a key of the provider's that nobody else has. There is no `none`, and no HMAC,
/// whose key could be any text that others know.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
];

/// Seconds by which the provider's clock may be ahead.
const AHEAD_SECONDS_MAX: i64 = 60;

/// The longest name by which a provider knows somebody, in bytes (OpenID Connect Core section 2).
const SUBJECT_BYTES_MAX: usize = 255;

/// What stands before organization numbers in the registers of the public sector (ISO 6523 has 0192 for Norway's).
const NUMBER_PREFIX: &str = "0192:";

/// The claims beside those of OpenID Connect Core.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct AllClaims {
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl AdditionalClaims for AllClaims {}

/// What an `id_token` is held against.
pub(super) struct Expected<'a> {
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a Nonce,
    pub(super) now: Timestamp,
    pub(super) email_verified_claim: &'a str,
    pub(super) organization_claim: Option<&'a str>,
}

/// Why an `id_token` is not believed.
pub(super) enum Judgement {
    /// The provider may have the key that it names, but it is not known here.
    UnknownKey,
    /// Anything else.
    Refused(OpenIdError),
}

impl From<Judgement> for OpenIdError {
    fn from(judgement: Judgement) -> Self {
        match judgement {
            Judgement::UnknownKey => Self::Unbelievable(
                "id_token: it is signed with none of the provider's keys".to_owned(),
            ),
            Judgement::Refused(error) => error,
        }
    }
}

impl From<OpenIdError> for Judgement {
    fn from(error: OpenIdError) -> Self {
        Self::Refused(error)
    }
}

/// Whom an `id_token` names, if it is the provider's, for us, about this sign-in and of now.
pub(super) fn judge(
    token: &Token,
    known: &Known,
    expected: &Expected<'_>,
) -> Result<Person, Judgement> {
    let now = expected.now;
    let seconds = u64::try_from(now.seconds()).unwrap_or_default();
    let client_id = ClientId::new(expected.client_id.to_owned());
    let (issuer, keys) = (known.metadata.issuer().clone(), known.metadata.jwks().clone());
    // As that of a public client, whatever we are: our secret is no key of the provider's.
    let verifier = IdTokenVerifier::new_public_client(client_id, issuer, keys)
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || (UNIX_EPOCH + Duration::from_secs(seconds)).into())
        .set_issue_time_verifier_fn(move |issued_at| {
            let is_past = issued_at.timestamp() <= now.plus_seconds(AHEAD_SECONDS_MAX).seconds();
            if is_past { Ok(()) } else { Err("iat is in the future".to_owned()) }
        });
    let claims = token.claims(&verifier, expected.nonce).map_err(|error| match error {
        ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::NoMatchingKey,
        ) => Judgement::UnknownKey,
        error => unbelievable(&reason(&error)).into(),
    })?;
    if claims.authorized_party().is_some_and(|party| party.as_str() != expected.client_id) {
        return Err(unbelievable("it was issued to another client (azp)").into());
    }
    Ok(person(claims, expected)?)
}

fn person(
    claims: &IdTokenClaims<AllClaims, CoreGenderClaim>,
    expected: &Expected<'_>,
) -> Result<Person, OpenIdError> {
    let rest = &claims.additional_claims().rest;
    let is_verified = match expected.email_verified_claim {
        "email_verified" => claims.email_verified() == Some(true),
        name => rest.get(name).is_some_and(is_true),
    };
    let email = claims.email().filter(|_| is_verified).and_then(|email| email.parse().ok());
    let no_email = || OpenIdError::Email { claim: expected.email_verified_claim.to_owned() };
    let subject = claims.subject().as_str();
    if !(1..=SUBJECT_BYTES_MAX).contains(&subject.len()) {
        return Err(unbelievable("sub is empty or longer than 255 bytes"));
    }
    let organization = match expected.organization_claim {
        Some(claim) => Some(organization(rest, claim)?),
        None => None,
    };
    Ok(Person {
        subject: subject.to_owned(),
        email: email.ok_or_else(no_email)?,
        name: claims.name().and_then(|name| name.get(None)).map(|name| name.to_string()),
        organization,
    })
}

/// The organization that a claim names. Whom the provider names none for is not let in by their address: the operator
/// trusts this claim, and not that.
fn organization(
    claims: &Map<String, Value>,
    claim: &str,
) -> Result<OrganizationNumber, OpenIdError> {
    let found = match claim.strip_prefix('/') {
        Some(path) => {
            let (first, deeper) = path.split_once('/').unwrap_or((path, ""));
            let pointer = if deeper.is_empty() { String::new() } else { format!("/{deeper}") };
            claims.get(first).and_then(|value| value.pointer(&pointer))
        }
        None => claims.get(claim),
    };
    let number = found.and_then(Value::as_str).and_then(|text| {
        let digits = text.strip_prefix(NUMBER_PREFIX).unwrap_or(text);
        digits.parse().ok()
    });
    number.ok_or_else(|| OpenIdError::Organization { claim: claim.to_owned() })
}

/// Whether a claim is true, as providers write it that do not follow the standard.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(said) => *said,
        Value::Number(number) => number.as_u64() == Some(1),
        Value::String(text) => matches!(text.as_str(), "true" | "1"),
        _ => false,
    }
}

fn unbelievable(problem: &str) -> OpenIdError {
    OpenIdError::Unbelievable(format!("id_token: {problem}"))
}

/// Why an `id_token` is refused, without what stands in it.
fn reason(error: &ClaimsVerificationError) -> String {
    let what = match error {
        ClaimsVerificationError::Expired(_) => "it has expired, or is issued in the future",
        ClaimsVerificationError::InvalidAudience(_) => "it is not for us alone (aud)",
        ClaimsVerificationError::InvalidIssuer(_) => "it is another issuer's (iss)",
        ClaimsVerificationError::InvalidNonce(_) => "it is about another sign-in (nonce)",
        ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::DisallowedAlg(_) | SignatureVerificationError::NoSignature,
        ) => "its algorithm is none of those that count",
        ClaimsVerificationError::SignatureVerification(_) => "its signature does not hold",
        _ => "it is not what is understood here",
    };
    what.to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(claims: Value, claim: &str) -> Option<String> {
        let Value::Object(claims) = claims else { panic!("claims are an object") };
        organization(&claims, claim).ok().map(|number| number.to_string())
    }

    #[test]
    fn an_organization_is_named_by_a_claim_or_a_path() {
        let number = "889640782";
        for value in [number.to_owned(), format!("0192:{number}")] {
            assert_eq!(found(json!({ "orgno": value }), "orgno").as_deref(), Some(number));
            let deep = json!({ "d": [{ "p": [{ "orgno": { "ID": value } }] }] });
            assert_eq!(found(deep, "/d/0/p/0/orgno/ID").as_deref(), Some(number));
            assert_eq!(found(json!({ "orgno": value }), "/orgno").as_deref(), Some(number));
        }
        for wrong in [json!({}), json!({ "orgno": 889_640_782 }), json!({ "orgno": "889640783" })] {
            assert_eq!(found(wrong, "orgno"), None);
        }
    }

    #[test]
    fn true_is_true_and_nothing_else() {
        for yes in [json!(true), json!("true"), json!("1"), json!(1)] {
            assert!(is_true(&yes), "{yes}");
        }
        for no in [json!(false), json!("false"), json!(0), json!(2), json!(null), json!([true])] {
            assert!(!is_true(&no), "{no}");
        }
    }
}
