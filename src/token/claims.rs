//! Step 6: what a verified assertion says, checked against our rules and our clock (RFC 7523 section 3).

use crate::clock::Timestamp;
use crate::domain::json::{Json, JsonObject};
use crate::domain::organization::OrganizationNumber;
use crate::domain::scope::{RequestedScopes, RequestedScopesError};
use crate::token::refusal::{Refusal, TimeFault};

/// The longest `jti`, in bytes; identifiers in use have 16 to 64.
const JTI_BYTES_MAX: usize = 255;

/// The most values of `resource`, and the longest.
const RESOURCES_MAX: usize = 10;
const RESOURCE_BYTES_MAX: usize = 2_048;

/// What assertions are held against.
#[derive(Clone, Debug)]
pub struct GrantRules {
    /// The only `aud` that counts.
    pub issuer: String,
    /// Seconds from `iat` to `exp`, at most.
    pub lifetime_seconds_max: i64,
    /// Seconds by which clocks may differ.
    pub clock_skew_seconds: i64,
}

/// What a client asks for, in an assertion that has been found in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// When the assertion was issued.
    pub issued_at: Timestamp,
    /// When the assertion dies.
    pub expires_at: Timestamp,
    /// What makes it unlike the client's other assertions, if it says.
    pub jti: Option<String>,
    /// The scopes.
    pub scopes: RequestedScopes,
    /// The APIs that the token is for, to become its `aud`.
    pub resource: Vec<String>,
    /// The person that the token is about.
    pub pid: Option<String>,
    /// The organization on whose behalf it is asked for.
    pub consumer: Option<OrganizationNumber>,
}

impl Grant {
    /// Checks the claims of an assertion whose signature is right.
    pub fn check(claims: &JsonObject, rules: &GrantRules, now: Timestamp) -> Result<Self, Refusal> {
        check_subject(claims)?;
        check_audience(claims, &rules.issuer)?;
        let (issued_at, expires_at) = check_times(claims, rules, now)?;
        check_authorization_details(claims)?;
        Ok(Self {
            issued_at,
            expires_at,
            jti: read_jti(claims)?,
            resource: read_resource(claims)?,
            pid: read_pid(claims)?,
            consumer: read_consumer(claims)?,
            scopes: read_scopes(claims)?,
        })
    }
}

/// `sub` is the client, when it is there: this server issues tokens about machines, not people.
fn check_subject(claims: &JsonObject) -> Result<(), Refusal> {
    let fault = Refusal::Claim { name: "sub", expected: "it must be absent or equal to iss" };
    match claims.member("sub") {
        None => Ok(()),
        Some(sub) if sub.as_str().is_some() && Some(sub) == claims.member("iss") => Ok(()),
        Some(_) => Err(fault),
    }
}

/// `aud` is our issuer, byte for byte, alone: as a string or in an array of one.
fn check_audience(claims: &JsonObject, issuer: &str) -> Result<(), Refusal> {
    let said = match claims.member("aud") {
        Some(Json::String(aud)) => Some(aud.as_str()),
        Some(Json::Array(auds)) => match &auds[..] {
            [aud] => aud.as_str(),
            _ => None,
        },
        _ => None,
    };
    if said == Some(issuer) {
        return Ok(());
    }
    let hint = match said.and_then(|said| said.strip_prefix(issuer.trim_end_matches('/'))) {
        Some("") => " (the slash at the end is missing)",
        Some("/token") => " (not the token endpoint)",
        _ => "",
    };
    Err(Refusal::Audience { expected: issuer.to_owned(), hint })
}

/// When the assertion was issued, and when it dies.
fn check_times(
    claims: &JsonObject,
    rules: &GrantRules,
    now: Timestamp,
) -> Result<(Timestamp, Timestamp), Refusal> {
    let exp = required_seconds(claims, "exp")?;
    let iat = required_seconds(claims, "iat")?;
    let nbf = optional_seconds(claims, "nbf")?;
    let skew = rules.clock_skew_seconds;
    let lifetime = exp.seconds().saturating_sub(iat.seconds());
    let fault = if now.minus_seconds(skew) > exp {
        TimeFault::Expired(exp.seconds())
    } else if now.plus_seconds(skew) < iat {
        TimeFault::IssuedAhead(iat.seconds())
    } else if lifetime > rules.lifetime_seconds_max {
        TimeFault::Lifetime { seen: lifetime, most: rules.lifetime_seconds_max }
    } else if lifetime < 0 || nbf.is_some_and(|nbf| nbf > exp) {
        TimeFault::Order
    } else if let Some(nbf) = nbf.filter(|nbf| now.plus_seconds(skew) < *nbf) {
        TimeFault::NotYet(nbf.seconds())
    } else {
        return Ok((iat, exp));
    };
    Err(Refusal::Time { fault, now })
}

const SECONDS: &str = "it must be a whole number of seconds since 1970";

/// The largest number that every JSON reader keeps exact.
const SECONDS_MAX: i64 = 1 << 53;

fn required_seconds(claims: &JsonObject, name: &'static str) -> Result<Timestamp, Refusal> {
    optional_seconds(claims, name)?.ok_or(Refusal::Claim { name, expected: SECONDS })
}

fn optional_seconds(claims: &JsonObject, name: &'static str) -> Result<Option<Timestamp>, Refusal> {
    match claims.member(name) {
        None => Ok(None),
        Some(Json::Integer(seconds)) if (0..=SECONDS_MAX).contains(seconds) => {
            Ok(Some(Timestamp::from_seconds(*seconds)))
        }
        Some(_) => Err(Refusal::Claim { name, expected: SECONDS }),
    }
}

/// Several clients send no `jti`; then the assertion itself is what may be used once.
fn read_jti(claims: &JsonObject) -> Result<Option<String>, Refusal> {
    match claims.member("jti") {
        None => Ok(None),
        Some(Json::String(jti)) if (1..=JTI_BYTES_MAX).contains(&jti.len()) => {
            Ok(Some(jti.clone()))
        }
        Some(_) => {
            Err(Refusal::Claim { name: "jti", expected: "it must be a text of 1 to 255 bytes" })
        }
    }
}

fn read_scopes(claims: &JsonObject) -> Result<RequestedScopes, Refusal> {
    match claims.member("scope") {
        None => Err(Refusal::ScopeClaim(RequestedScopesError::Empty)),
        Some(Json::String(scope)) => Ok(scope.parse::<RequestedScopes>()?),
        Some(_) => Err(Refusal::Claim {
            name: "scope",
            expected: "it must be a text of scope names with one space between them",
        }),
    }
}

/// Every client sends a bare string; the documentation says array. Both are taken.
fn read_resource(claims: &JsonObject) -> Result<Vec<String>, Refusal> {
    let values: Vec<&Json> = match claims.member("resource") {
        None => return Ok(Vec::new()),
        Some(Json::Array(values)) => values.iter().collect(),
        Some(value) => vec![value],
    };
    if values.is_empty() || values.len() > RESOURCES_MAX {
        return Err(Refusal::Resource);
    }
    let read = |value: &Json| value.as_str().filter(|text| is_resource(text)).map(str::to_owned);
    values.into_iter().map(|value| read(value).ok_or(Refusal::Resource)).collect()
}

/// An absolute URI without fragment (RFC 8707 section 2), of a scheme that names an API: http and https
/// with a host, or a URN.
fn is_resource(text: &str) -> bool {
    let in_uri = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()*+,;=%".contains(&b);
    if text.len() > RESOURCE_BYTES_MAX || !text.bytes().all(in_uri) {
        return false;
    }
    let escapes_are_whole = text
        .split('%')
        .skip(1)
        .all(|part| part.len() >= 2 && part.bytes().take(2).all(|b| b.is_ascii_hexdigit()));
    if !escapes_are_whole {
        return false;
    }
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" => {
            let host = rest.strip_prefix("//").and_then(|rest| rest.split(['/', '?']).next());
            host.is_some_and(is_host)
        }
        "urn" => rest.split_once(':').is_some_and(|(space, name)| {
            !space.is_empty() && !name.is_empty() && space.bytes().all(|b| b != b'/')
        }),
        _ => false,
    }
}

/// A host, perhaps with a port: a name, an IPv4 address, or an IPv6 address in brackets.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !text.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let plain = host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b));
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host_is_fine = match bracketed {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => plain && host.bytes().any(|b| b.is_ascii_alphanumeric()),
    };
    host_is_fine && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// A national identity number, by its form: eleven digits that begin with a day and a month. Day plus 40
/// is a D-number; month plus 40, 65 or 80 is synthetic.
fn read_pid(claims: &JsonObject) -> Result<Option<String>, Refusal> {
    let Some(pid) = claims.member("pid") else { return Ok(None) };
    let plausible = |pid: &&str| {
        pid.len() == 11 && pid.bytes().all(|b| b.is_ascii_digit()) && {
            let day: u8 = pid[..2].parse().unwrap_or(0);
            let month: u8 = pid[2..4].parse().unwrap_or(0);
            matches!(day, 1..=31 | 41..=71) && matches!(month, 1..=12 | 41..=52 | 66..=77 | 81..=92)
        }
    };
    let pid = pid.as_str().filter(plausible);
    let expected = "it must be a national identity number of eleven digits";
    pid.map(|pid| Some(pid.to_owned())).ok_or(Refusal::Claim { name: "pid", expected })
}

fn read_consumer(claims: &JsonObject) -> Result<Option<OrganizationNumber>, Refusal> {
    let expected = "it is not supported; name the consumer with consumer_org";
    if claims.member("iss_onbehalfof").is_some() {
        return Err(Refusal::Claim { name: "iss_onbehalfof", expected });
    }
    let Some(consumer) = claims.member("consumer_org") else { return Ok(None) };
    let number = consumer.as_str().and_then(|text| text.parse().ok());
    let expected = "it must be an organization number of nine digits, as a text";
    number.map(Some).ok_or(Refusal::Claim { name: "consumer_org", expected })
}

/// RFC 9396 section 5: what we do not know, we refuse; we know no type yet.
fn check_authorization_details(claims: &JsonObject) -> Result<(), Refusal> {
    let typed = |detail: &Json| match detail {
        Json::Object(detail) => detail.member("type").is_some_and(|typ| typ.as_str().is_some()),
        _ => false,
    };
    match claims.member("authorization_details") {
        None => Ok(()),
        Some(Json::Array(details)) if !details.is_empty() && details.iter().all(typed) => {
            Err(Refusal::AuthorizationDetailsType)
        }
        Some(_) => Err(Refusal::AuthorizationDetailsShape),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn check(change: &[(&str, Option<serde_json::Value>)]) -> Result<Grant, Refusal> {
        let mut claims = serde_json::json!({
            "iss": "client", "aud": "https://as.example/", "scope": "a:b", "iat": NOW, "exp": NOW + 120, "jti": "1",
        });
        for (name, value) in change {
            match value {
                Some(value) => claims[name] = value.clone(),
                None => {
                    claims.as_object_mut().unwrap().remove(*name);
                }
            }
        }
        let rules = GrantRules {
            issuer: "https://as.example/".to_owned(),
            lifetime_seconds_max: 120,
            clock_skew_seconds: 10,
        };
        let claims = JsonObject::parse(claims.to_string().as_bytes()).unwrap();
        Grant::check(&claims, &rules, Timestamp::from_seconds(NOW))
    }

    fn set(name: &str, value: impl Into<serde_json::Value>) -> Result<Grant, Refusal> {
        check(&[(name, Some(value.into()))])
    }

    #[test]
    fn accepts_what_clients_send() {
        assert_eq!(check(&[]).unwrap().jti.as_deref(), Some("1"));
        for (name, value) in [
            ("aud", serde_json::json!(["https://as.example/"])),
            ("sub", "client".into()),
            ("nbf", (NOW + 10).into()),
            ("iat", (NOW + 10).into()),
            ("resource", "https://api.example/x?y=1".into()),
            ("resource", serde_json::json!(["urn:altinn:app", "HTTPS://api.example"])),
            ("pid", "01010199999".into()),
            ("pid", "41818012345".into()),
            ("consumer_org", "991825827".into()),
            ("unknown", "ignored".into()),
        ] {
            assert!(set(name, value.clone()).is_ok(), "{name} {value}");
        }
        assert_eq!(check(&[("jti", None)]).unwrap().jti, None);
    }

    #[test]
    fn times_are_judged_with_ten_seconds_of_grace() {
        let times =
            |iat: i64, exp: i64| check(&[("iat", Some(iat.into())), ("exp", Some(exp.into()))]);
        assert!(times(NOW - 130, NOW - 10).is_ok());
        assert!(times(NOW - 131, NOW - 11).is_err());
        assert!(times(NOW + 10, NOW + 130).is_ok());
        assert!(times(NOW + 11, NOW + 60).is_err());
        assert!(times(NOW, NOW + 121).is_err());
        assert!(times(NOW + 5, NOW + 4).is_err());
        assert!(set("nbf", NOW + 11).is_err());
        assert!(
            check(&[("nbf", Some((NOW + 5).into())), ("exp", Some((NOW + 4).into()))]).is_err()
        );
    }

    #[test]
    fn a_time_is_a_whole_number() {
        for name in ["exp", "iat", "nbf"] {
            for value in [
                serde_json::json!("1800000000"),
                serde_json::json!(null),
                serde_json::json!(true),
                serde_json::json!([]),
                serde_json::json!({}),
                serde_json::json!(1.8e9),
                serde_json::json!(1_800_000_000.5),
                serde_json::json!(-1),
                serde_json::json!(u64::MAX),
                serde_json::json!(1e19),
            ] {
                let refusal = set(name, value.clone()).unwrap_err();
                assert!(matches!(refusal, Refusal::Claim { .. }), "{name} {value} {refusal}");
            }
        }
        assert!(check(&[("exp", None)]).is_err());
        assert!(check(&[("iat", None)]).is_err());
    }

    #[test]
    fn the_audience_is_the_issuer_and_nothing_else() {
        for aud in [
            serde_json::json!("https://as.example"),
            serde_json::json!("https://as.example//"),
            serde_json::json!("https://AS.example/"),
            serde_json::json!("https://as.example:443/"),
            serde_json::json!("http://as.example/"),
            serde_json::json!("https://as.example/token"),
            serde_json::json!("https://as.example/#"),
            serde_json::json!("https://as.example.evil.com/"),
            serde_json::json!(""),
            serde_json::json!([]),
            serde_json::json!(null),
            serde_json::json!(1),
            serde_json::json!({"a": 1}),
            serde_json::json!(true),
            serde_json::json!(["https://as.example/", "https://evil.example/"]),
            serde_json::json!(["https://as.example/", "https://as.example/"]),
            serde_json::json!([["https://as.example/"]]),
        ] {
            assert!(matches!(set("aud", aud.clone()), Err(Refusal::Audience { .. })), "{aud}");
        }
        assert!(matches!(check(&[("aud", None)]), Err(Refusal::Audience { .. })));
    }

    #[test]
    fn refuses_values_that_claims_cannot_have() {
        for (name, value) in [
            ("sub", serde_json::json!("other")),
            ("sub", serde_json::json!(null)),
            ("jti", serde_json::json!("")),
            ("jti", serde_json::json!(1)),
            ("jti", serde_json::json!("x".repeat(256))),
            ("jti", serde_json::json!([])),
            ("scope", serde_json::json!(["a:b"])),
            ("scope", serde_json::json!(1)),
            ("pid", serde_json::json!("0101019999")),
            ("pid", serde_json::json!(1_010_199_999)),
            ("pid", serde_json::json!("99999999999")),
            ("consumer_org", serde_json::json!(991_825_827)),
            ("consumer_org", serde_json::json!("991825828")),
            ("consumer_org", serde_json::json!("0192:991825827")),
            ("iss_onbehalfof", serde_json::json!("x")),
        ] {
            assert!(
                matches!(set(name, value.clone()), Err(Refusal::Claim { .. })),
                "{name} {value}"
            );
        }
        assert!(matches!(check(&[("scope", None)]), Err(Refusal::ScopeClaim(_))));
        for resource in [
            serde_json::json!("/api"),
            serde_json::json!("api"),
            serde_json::json!("https://a/#x"),
            serde_json::json!("javascript:alert(1)"),
            serde_json::json!([]),
            serde_json::json!([1]),
            serde_json::json!(null),
            serde_json::json!("https://"),
            serde_json::json!("https:///x"),
            serde_json::json!("https://["),
            serde_json::json!("https://a/%zz"),
            serde_json::json!("https://a:99999"),
            serde_json::json!("https://.."),
            serde_json::json!("https://a b/"),
            serde_json::json!("urn:x"),
            serde_json::json!("https://u@h/"),
            serde_json::json!(vec!["https://a/"; 11]),
        ] {
            assert_eq!(set("resource", resource.clone()), Err(Refusal::Resource), "{resource}");
        }
        assert_eq!(
            set("authorization_details", serde_json::json!([{"type": "urn:altinn:consent"}])),
            Err(Refusal::AuthorizationDetailsType)
        );
        for details in [
            serde_json::json!({}),
            serde_json::json!([]),
            serde_json::json!([1]),
            serde_json::json!([{"x": 1}]),
        ] {
            assert_eq!(
                set("authorization_details", details),
                Err(Refusal::AuthorizationDetailsShape)
            );
        }
    }
}
