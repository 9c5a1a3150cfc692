//! Step 2: the shape of an assertion, a compact JWS (RFC 7515), read under strict limits.
//!
//! Nothing here is believed yet. Three parts of canonical base64url, a header and a claims set that are
//! strict JSON objects, one accepted algorithm, one way to name the key, and nothing that asks us to do
//! something that we do not do (`crit`, `b64`, `zip`, `jku` ...). All of it costs microseconds.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::domain::algorithm::Algorithm;
use crate::domain::client::KeyId;
use crate::domain::json::{Json, JsonObject};
use crate::pki::certificate::CERTIFICATE_BYTES_MAX;
use crate::pki::chain::CHAIN_CERTIFICATES_MAX;
use crate::token::refusal::{HeaderFault, Refusal};

/// The longest text of one certificate in `x5c`: base64 takes a third more than the DER, and a sixth is for
/// the client that breaks lines.
const CERTIFICATE_CHARACTERS_MAX: usize = CERTIFICATE_BYTES_MAX * 3 / 2;

/// An assertion whose shape is right and whose signature has not been looked at.
#[derive(Debug)]
pub struct UnverifiedAssertion<'a> {
    /// What the signature is over.
    pub(super) signed: &'a [u8],
    pub(super) signature: Vec<u8>,
    /// What it says, not yet believed; shared, so that a refusal can be explained after the fact.
    pub(super) said: Arc<Said>,
}

/// What an assertion says.
#[derive(Debug)]
pub struct Said {
    pub(super) algorithm: Algorithm,
    /// How it names the key that signed it.
    pub(super) key: KeyHint,
    pub(super) claims: JsonObject,
}

/// How an assertion names the key that signed it: exactly one of the two.
#[derive(Debug)]
pub enum KeyHint {
    /// `x5c`: the DER of the certificates, leaf first.
    Certificates(Vec<Vec<u8>>),
    /// `kid`: a key registered on the client; `None` when the text can be no such id.
    Registered(Option<KeyId>),
}

impl<'a> UnverifiedAssertion<'a> {
    /// Reads the text of an assertion.
    pub fn parse(text: &'a str) -> Result<Self, Refusal> {
        let (header, claims, signature) = split(text).ok_or(Refusal::MalformedAssertion)?;
        let signed = &text.as_bytes()[..header.len() + 1 + claims.len()];
        let header = decode_object(header)?;
        let claims = decode_object(claims)?;
        let signature = decode(signature)?;
        refuse_extensions(&header)?;
        check_type(&header)?;
        let algorithm = read_algorithm(&header)?;
        let key = read_key_hint(&header)?;
        Ok(Self { signed, signature, said: Arc::new(Said { algorithm, key, claims }) })
    }
}

impl UnverifiedAssertion<'_> {
    /// Whether it brings certificates along, whatever they are worth.
    pub fn is_certified(&self) -> bool {
        matches!(self.said.key, KeyHint::Certificates(_))
    }
}

/// Three parts with two dots between them, and nothing else.
pub(super) fn split(text: &str) -> Option<(&str, &str, &str)> {
    let mut parts = text.split('.');
    let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
    parts.next().is_none().then_some((header, claims, signature))
}

fn decode(part: &str) -> Result<Vec<u8>, Refusal> {
    // The decoder refuses padding, white space, foreign characters and unused bits that are set.
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::MalformedAssertion)
}

pub(super) fn decode_object(part: &str) -> Result<JsonObject, Refusal> {
    JsonObject::parse(&decode(part)?).map_err(|_| Refusal::MalformedAssertion)
}

/// Members that change how a JWS is read or where keys come from. We do none of it, so we refuse
/// rather than ignore: `crit` (RFC 7515 section 4.1.11), `b64` (RFC 7797 section 7), `zip` and `enc`
/// (RFC 7516), a nested JWT (`cty`), and keys that the sender brings along (`jwk`, `jku`, `x5u`).
const REFUSED_MEMBERS: [&str; 8] = ["crit", "b64", "zip", "enc", "cty", "jwk", "jku", "x5u"];

pub(super) fn refuse_extensions(header: &JsonObject) -> Result<(), Refusal> {
    match REFUSED_MEMBERS.into_iter().find(|name| header.member(name).is_some()) {
        Some(name) => Err(Refusal::Header(HeaderFault::Refused(name))),
        None => Ok(()),
    }
}

/// `typ` is absent in half of the clients. A type that is said must be that of an assertion, so that a
/// token made for something else cannot be used here (RFC 8725 section 3.11).
fn check_type(header: &JsonObject) -> Result<(), Refusal> {
    let Some(typ) = header.member("typ") else { return Ok(()) };
    let typ = typ.as_str().ok_or(Refusal::Header(HeaderFault::Type))?;
    let known = ["JWT", "authorization-grant+jwt", "application/authorization-grant+jwt"];
    if known.iter().any(|known| known.eq_ignore_ascii_case(typ)) {
        Ok(())
    } else {
        Err(Refusal::Header(HeaderFault::Type))
    }
}

fn read_algorithm(header: &JsonObject) -> Result<Algorithm, Refusal> {
    let algorithm = header.member("alg").and_then(Json::as_str).and_then(|name| name.parse().ok());
    algorithm.ok_or(Refusal::Header(HeaderFault::Algorithm))
}

fn read_key_hint(header: &JsonObject) -> Result<KeyHint, Refusal> {
    match (header.member("kid"), header.member("x5c")) {
        (Some(_), Some(_)) => Err(Refusal::Header(HeaderFault::TwoKeys)),
        (None, None) => Err(Refusal::Header(HeaderFault::NoKey)),
        (Some(Json::String(kid)), None) => Ok(KeyHint::Registered(kid.parse().ok())),
        (Some(_), None) => Ok(KeyHint::Registered(None)),
        (None, Some(x5c)) => {
            let certificates = read_certificates(x5c)?;
            check_thumbprints(header, &certificates)?;
            Ok(KeyHint::Certificates(certificates))
        }
    }
}

/// RFC 7515 section 4.1.6: an array of standard base64. One widely used client leaves carriage returns
/// inside, so ASCII white space is dropped; what remains is decoded strictly.
fn read_certificates(x5c: &Json) -> Result<Vec<Vec<u8>>, Refusal> {
    let Json::Array(entries) = x5c else { return Err(Refusal::CertificateHeader) };
    if entries.is_empty() || entries.len() > CHAIN_CERTIFICATES_MAX {
        return Err(Refusal::CertificateHeader);
    }
    let decode = |entry: &Json| {
        let text = entry.as_str().filter(|text| text.len() <= CERTIFICATE_CHARACTERS_MAX)?;
        let text: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
        STANDARD.decode(text).ok().filter(|der| !der.is_empty())
    };
    entries.iter().map(|entry| decode(entry).ok_or(Refusal::CertificateHeader)).collect()
}

/// `x5t` and `x5t#S256` beside `x5c` must be those of the leaf (RFC 7515 sections 4.1.7 and 4.1.8).
fn check_thumbprints(header: &JsonObject, certificates: &[Vec<u8>]) -> Result<(), Refusal> {
    use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
    let Some(leaf) = certificates.first() else { return Err(Refusal::CertificateHeader) };
    for (name, hash) in [("x5t", &SHA1_FOR_LEGACY_USE_ONLY), ("x5t#S256", &SHA256)] {
        let Some(said) = header.member(name) else { continue };
        let actual = URL_SAFE_NO_PAD.encode(digest(hash, leaf));
        if said.as_str() != Some(&actual) {
            return Err(Refusal::CertificateHeader);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn assertion(header: &str, claims: &str) -> String {
        format!("{}.{}.AA", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
    }

    fn refusal(header: &str) -> Refusal {
        UnverifiedAssertion::parse(&assertion(header, "{}")).unwrap_err()
    }

    #[test]
    fn reads_the_headers_of_real_clients() {
        for header in [
            r#"{"alg":"RS256","kid":"a"}"#,
            r#"{"typ":"JWT","alg":"RS512","kid":"a","something":{"new":1}}"#,
            r#"{"typ":"jwt","alg":"RS256","x5c":["AAAA"]}"#,
            r#"{"typ":"authorization-grant+jwt","alg":"ES256","kid":"a"}"#,
            "{\"alg\":\"RS256\",\"x5c\":[\"AA\\r\\nAA\\r\",\"AAAA\"]}",
        ] {
            assert!(UnverifiedAssertion::parse(&assertion(header, "{}")).is_ok(), "{header}");
        }
    }

    #[test]
    fn refuses_headers_that_ask_for_more_than_we_do() {
        for name in REFUSED_MEMBERS {
            let header = format!(r#"{{"alg":"RS256","kid":"a","{name}":null}}"#);
            assert_eq!(refusal(&header), Refusal::Header(HeaderFault::Refused(name)));
        }
        for typ in [r#""at+jwt""#, r#""dpop+jwt""#, "1", "null", r#""""#] {
            let header = format!(r#"{{"alg":"RS256","kid":"a","typ":{typ}}}"#);
            assert_eq!(refusal(&header), Refusal::Header(HeaderFault::Type), "{typ}");
        }
        for alg in
            [r#""none""#, r#""HS256""#, r#""rs256""#, "null", "1", "[]", r#""""#, r#""ES512""#]
        {
            let header = format!(r#"{{"alg":{alg},"kid":"a"}}"#);
            assert_eq!(refusal(&header), Refusal::Header(HeaderFault::Algorithm), "{alg}");
        }
    }

    #[test]
    fn wants_exactly_one_way_to_name_the_key() {
        let both = r#"{"alg":"RS256","kid":"a","x5c":["AAAA"]}"#;
        assert_eq!(refusal(both), Refusal::Header(HeaderFault::TwoKeys));
        assert_eq!(refusal(r#"{"alg":"RS256"}"#), Refusal::Header(HeaderFault::NoKey));
    }

    #[test]
    fn refuses_certificates_that_are_not_an_array_of_base64() {
        let seven = format!("[{}]", [r#""AAAA""#; 7].join(","));
        let long = format!(r#"["{}"]"#, "A".repeat(CERTIFICATE_CHARACTERS_MAX + 4));
        for x5c in [
            "[]",
            r#""AAAA""#,
            "null",
            "[null]",
            r#"[""]"#,
            "[1]",
            r#"[["AAAA"]]"#,
            r#"["AA-_"]"#,
            r#"["AAA"]"#,
            r#"["AAAA="]"#,
            r#"["AB=="]"#,
            r#"["-----BEGIN"]"#,
            &seven,
            &long,
        ] {
            let header = format!(r#"{{"alg":"RS256","x5c":{x5c}}}"#);
            assert_eq!(refusal(&header), Refusal::CertificateHeader, "{x5c:.40}");
        }
        let wrong = r#"{"alg":"RS256","x5c":["AAAA"],"x5t":"AAAA"}"#;
        assert_eq!(refusal(wrong), Refusal::CertificateHeader);
        let zeros = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &[0, 0, 0]);
        let right = URL_SAFE_NO_PAD.encode(zeros);
        let right = format!(r#"{{"alg":"RS256","x5c":["AAAA"],"x5t#S256":"{right}"}}"#);
        assert!(UnverifiedAssertion::parse(&assertion(&right, "{}")).is_ok());
    }

    #[test]
    fn refuses_what_is_not_three_parts_of_canonical_base64url() {
        let good = assertion(r#"{"alg":"RS256","kid":"a"}"#, "{}");
        assert!(UnverifiedAssertion::parse(&good).is_ok());
        for bad in [
            String::new(),
            "..".to_owned(),
            "a.b.c".to_owned(),
            format!(".{good}"),
            format!("{good}."),
            format!("{good}\n"),
            format!("{good}=="),
            good.replacen('.', "..", 1),
            good.replacen('.', "", 1),
            good.replacen('e', "+", 1),
            format!("{}B", &good[..good.len() - 1]),
            format!("{{\"payload\":\"{good}\"}}"),
        ] {
            assert_eq!(
                UnverifiedAssertion::parse(&bad).unwrap_err(),
                Refusal::MalformedAssertion,
                "{bad}"
            );
        }
        for claims in ["[]", "null", "", "\"x\"", "{\"a\":1,\"a\":1}", "\u{feff}{}"] {
            let bad = assertion(r#"{"alg":"RS256","kid":"a"}"#, claims);
            assert_eq!(UnverifiedAssertion::parse(&bad).unwrap_err(), Refusal::MalformedAssertion);
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,200}") {
            let _ = UnverifiedAssertion::parse(&text);
        }

        #[test]
        fn what_is_accepted_is_canonical(header in "[ -~]{0,12}", claims in "[ -~]{0,12}", tail in "[A-Za-z0-9_=-]{0,6}") {
            let header = format!(r#"{{"alg":"ES256","kid":"a","x":{}}}"#, serde_json::to_string(&header).unwrap());
            let claims = format!(r#"{{"x":{}}}"#, serde_json::to_string(&claims).unwrap());
            let text = format!("{}.{}.{tail}", URL_SAFE_NO_PAD.encode(&header), URL_SAFE_NO_PAD.encode(&claims));
            if let Ok(parsed) = UnverifiedAssertion::parse(&text) {
                prop_assert_eq!(URL_SAFE_NO_PAD.encode(&parsed.signature), tail);
            }
        }
    }
}
