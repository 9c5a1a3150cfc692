//! What is kept of a refusal: for each reason, what was seen and what was expected.
//!
//! A record is read by whoever owns the client, so it may say what they may know: their client, their keys'
//! ids, what the assertion said, our clock. It says nothing about other clients and of no claim that is
//! about a person. The request may have been sent by anybody; [`Excerpt`] takes the mischief out of it.

use crate::clock::Timestamp;
use crate::domain::client::KeyId;
use crate::domain::excerpt::Excerpt;
use crate::domain::json::Json;
use crate::domain::organization::OrganizationNumber;
use crate::domain::refused_request::{NamedBusiness, NamedClient, RefusedRequest};
use crate::domain::scope::ScopeName;
use crate::domain::step::Step;
use crate::token::jws::KeyHint;
use crate::token::refusal::{Refusal, TimeFault};
use crate::token::trail::{Facts, Trail};

/// The registered keys that are listed when another one was named. A client has one or two.
const KEYS_LISTED_MAX: usize = 10;

/// What a client that has been refused was answered.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The identifier of the request.
    pub trace_id: &'a str,
    /// The `error`.
    pub error: &'static str,
    /// The sentence.
    pub description: &'a str,
}

/// What a failed check saw and expected, each as far as it can be told.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Comparison {
    /// What it saw.
    pub seen: Option<String>,
    /// What it expected.
    pub expected: Option<String>,
}

/// Makes the record of a request that was refused at `now`. `refusal` is `None` when the form itself could
/// not be read.
pub fn record(
    trail: &Trail<'_>,
    refusal: Option<&Refusal>,
    answer: Answer<'_>,
    now: Timestamp,
) -> RefusedRequest {
    let facts = trail.facts();
    let Comparison { seen, expected } =
        refusal.map(|refusal| refusal.comparison(facts, now)).unwrap_or_default();
    let excerpt = |text: Option<String>| text.map(|text| Excerpt::of(&text));
    let code = refusal.and_then(Refusal::code);
    RefusedRequest {
        trace_id: answer.trace_id.to_owned(),
        at: now,
        client: facts.client().map(|client| NamedClient {
            id: client.client.id.clone(),
            organization: client.client.organization,
        }),
        business: facts.business().map(|business| NamedBusiness {
            identifier: business.identifier.clone(),
            client: business.client_id.clone(),
        }),
        signature_verified: trail.has_passed(Step::Signature),
        error: answer.error.to_owned(),
        code: code.map(|code| code.name().to_owned()),
        answer: Excerpt::of(answer.description),
        passed: Step::ALL.into_iter().filter(|step| trail.has_passed(*step)).collect(),
        failed: trail.failed_at(),
        seen: excerpt(seen),
        expected: excerpt(expected),
        kid: facts.kid().map(Excerpt::of),
        certificate_organization: certificate_organization(trail, refusal),
        scopes: facts.claim("scope").and_then(Json::as_str).map(Excerpt::of),
        consumer: consumer(facts),
    }
}

/// The organization of the certificate, if it is known and not only said.
fn certificate_organization(
    trail: &Trail<'_>,
    refusal: Option<&Refusal>,
) -> Option<OrganizationNumber> {
    if let Some(Refusal::CertificateOrganization { certificate }) = refusal {
        return Some(*certificate);
    }
    let certified = trail.facts().is_certified() && trail.has_passed(Step::Key);
    trail.facts().client().filter(|_| certified).map(|client| client.client.organization)
}

fn consumer(facts: &Facts) -> Option<OrganizationNumber> {
    facts.claim("consumer_org").and_then(Json::as_str)?.parse().ok()
}

impl Refusal {
    /// What the check that failed saw and what it expected, at `now`.
    pub fn comparison(&self, facts: &Facts, now: Timestamp) -> Comparison {
        let claim = |name| shown(facts.claim(name));
        let client = facts.client().map(|client| &client.client);
        match self {
            Self::AlgorithmOfKey { registered, said } => both(
                format!("alg {}", said.name()),
                format!("alg {}, for which the key is registered", registered.name()),
            ),
            Self::Audience { expected, .. } => {
                both(format!("aud {}", claim("aud")), format!("aud \"{expected}\""))
            }
            // What such details say may be about a person.
            Self::AuthorizationDetailsShape => only_expected("an array of objects with a type"),
            Self::AuthorizationDetailsType => only_expected("no authorization_details"),
            Self::Certificate { check, detail } => comparison_of_certificate(check, detail),
            Self::CertificateOfStranger { detail } => comparison_of_certificate("path", detail),
            Self::CertificateHeader => only_expected(
                "x5c: an array of one to six certificates in standard base64 DER, the signing \
                 certificate first and each followed by its issuer",
            ),
            Self::CertificateOrganization { certificate } => Comparison {
                seen: Some(format!("a certificate of {certificate}")),
                expected: client.map(|it| format!("a certificate of {}", it.organization)),
            },
            Self::Claim { name: "pid", expected } => only_expected(format!("pid: {expected}")),
            Self::Claim { name, expected } => {
                both(format!("{name} {}", claim(name)), format!("{name}: {expected}"))
            }
            Self::ClientMismatch => both(
                "another client_id in the form".to_owned(),
                format!("client_id {}, or none", claim("iss")),
            ),
            Self::Delegation { consumer, scope, supplier } => both(
                format!("no delegation of {scope} by {consumer} to {supplier} that holds now"),
                "one in the register that the owner of the scope accepts".to_owned(),
            ),
            Self::ExpiredKey { expired_at } => both(
                format!("a key that expired at {expired_at}, {}", apart(*expired_at, now)),
                "a registered key that has not expired".to_owned(),
            ),
            Self::Fenced { until, .. } => both(
                format!("iat {}", claim("iat")),
                format!(
                    "an iat after {}, because the database has forgotten what was used before",
                    until.seconds()
                ),
            ),
            Self::Header(fault) => only_expected(fault.to_string()),
            Self::KeyRequired => both("x5c".to_owned(), kids_of(facts)),
            Self::MalformedAssertion => only_expected(
                "three parts of base64url without padding, the first two JSON objects with each \
                 member once",
            ),
            Self::NoAccess { scope } => comparison_of_access(facts, scope),
            Self::OwnConsumer => both(
                format!("consumer_org {}", claim("consumer_org")),
                "another organization than the client's own, or none".to_owned(),
            ),
            Self::Replayed if facts.claim("jti").is_some() => both(
                format!("jti {}, which has been used", claim("jti")),
                "a jti that the client has not used".to_owned(),
            ),
            Self::Replayed => both(
                "an assertion without jti that has been used".to_owned(),
                "a new assertion".to_owned(),
            ),
            Self::Resource => both(
                format!("resource {}", claim("resource")),
                "one to ten absolute URIs (https, http or urn) without fragment".to_owned(),
            ),
            Self::ScopeClaim(error) => {
                both(format!("scope {}", claim("scope")), format!("scope: {error}"))
            }
            Self::ScopeProduct { scope } => {
                both(scope.to_string(), "a scope for tokens between machines".to_owned())
            }
            Self::ScopeOfBusiness { scope } => comparison_of_business(scope),
            Self::ScopeOfClient { scope } => comparison_of_scope(facts, scope),
            Self::Signature => both(
                "a signature by another key, or over another text".to_owned(),
                match facts.kid() {
                    Some(kid) => format!("a signature by the key {kid}"),
                    None => "a signature by the key of the first certificate".to_owned(),
                },
            ),
            Self::Time { fault, now } => comparison_of_times(fault, *now),
            // What it is that does not answer is in the log, for the operator. Of what was too much no record is kept.
            Self::TooManyRequests(_) | Self::Unavailable { .. } => Comparison::default(),
            Self::UnknownClient => match client {
                Some(client) => both(
                    format!("the client {}, which has been deactivated", client.id),
                    "an active client".to_owned(),
                ),
                None => both(format!("iss {}", claim("iss")), "the id of a client".to_owned()),
            },
            Self::UnknownKey => {
                let kid = facts.kid().unwrap_or("that is no key id");
                both(format!("kid {kid}"), kids_of(facts))
            }
        }
    }
}

fn comparison_of_certificate(check: &str, detail: &str) -> Comparison {
    let expected = "a certificate that leads to an authority that counts here, and keeps its rules";
    both(format!("{check}: {detail}"), expected.to_owned())
}

fn comparison_of_access(facts: &Facts, scope: &ScopeName) -> Comparison {
    let client = facts.client().map(|client| client.client.organization);
    let number = consumer(facts).or(client);
    let number = number.map_or_else(String::new, |number| format!(" of {number}"));
    both(
        format!("no access{number} to {scope} that holds now"),
        "one that the owner of the scope has granted".to_owned(),
    )
}

/// Whether a scope exists that does not let European businesses in is not told.
fn comparison_of_business(scope: &ScopeName) -> Comparison {
    both(scope.to_string(), "an active scope whose owner supports European businesses".to_owned())
}

/// Whether a scope exists that the client does not have is not told.
fn comparison_of_scope(facts: &Facts, scope: &ScopeName) -> Comparison {
    let listed = facts.client().is_some_and(|client| client.client.scopes.contains(scope));
    let expected = if listed {
        "an active scope; this one is on the client and is not active"
    } else {
        "a scope that has been added to the client"
    };
    both(scope.to_string(), expected.to_owned())
}

fn comparison_of_times(fault: &TimeFault, now: Timestamp) -> Comparison {
    let time = |name: &str, seconds: i64| {
        let moment = Timestamp::from_seconds(seconds);
        format!("{name} {seconds} ({moment}), {}", apart(moment, now))
    };
    let ours = format!("the server's time, {now} ({})", now.seconds());
    match fault {
        TimeFault::Expired(exp) => both(time("exp", *exp), format!("exp after {ours}")),
        TimeFault::IssuedAhead(iat) => both(time("iat", *iat), format!("iat at or before {ours}")),
        TimeFault::Lifetime { seen, most } => both(
            format!("exp - iat is {seen} seconds"),
            format!("exp - iat is at most {most} seconds"),
        ),
        TimeFault::NotYet(nbf) => both(time("nbf", *nbf), format!("nbf at or before {ours}")),
        TimeFault::Order => only_expected("exp at or after iat and nbf"),
    }
}

/// How far a moment is from ours.
fn apart(moment: Timestamp, now: Timestamp) -> String {
    let seconds = moment.seconds().saturating_sub(now.seconds());
    let side = if seconds < 0 { "before" } else { "after" };
    format!("{} seconds {side} the server's time", seconds.unsigned_abs())
}

/// The ids of the keys that are registered on the client.
fn kids_of(facts: &Facts) -> String {
    let keys = facts.client().map_or(&[][..], |client| &client.keys);
    if keys.is_empty() {
        return "x5c: the client has no registered key".to_owned();
    }
    let kids: Vec<&str> = keys.iter().take(KEYS_LISTED_MAX).map(|key| key.id.as_str()).collect();
    let more = keys.len().saturating_sub(KEYS_LISTED_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("kid of a key that is registered on the client: {}{more}", kids.join(", "))
}

/// A claim as it can be shown: texts and numbers, and of everything else only what it is.
fn shown(value: Option<&Json>) -> String {
    match value {
        None => "absent".to_owned(),
        Some(Json::String(text)) => format!("\"{text}\""),
        Some(Json::Integer(number)) => number.to_string(),
        Some(Json::Bool(value)) => value.to_string(),
        Some(Json::Null) => "null".to_owned(),
        Some(Json::Other(number)) => number.to_string(),
        Some(Json::Array(values)) => match &values[..] {
            [Json::String(text)] => format!("[\"{text}\"]"),
            values => format!("an array of {}", values.len()),
        },
        Some(Json::Object(_)) => "an object".to_owned(),
    }
}

fn both(seen: String, expected: String) -> Comparison {
    Comparison { seen: Some(seen), expected: Some(expected) }
}

fn only_expected(expected: impl Into<String>) -> Comparison {
    Comparison { seen: None, expected: Some(expected.into()) }
}

impl Facts {
    fn kid(&self) -> Option<&str> {
        match &self.said()?.key {
            KeyHint::Registered(id) => id.as_ref().map(KeyId::as_str),
            KeyHint::Certificates(_) => None,
        }
    }

    fn is_certified(&self) -> bool {
        self.said().is_some_and(|said| matches!(said.key, KeyHint::Certificates(_)))
    }

    fn claim(&self, name: &str) -> Option<&Json> {
        self.said()?.claims.member(name)
    }
}

#[cfg(test)]
mod tests;
