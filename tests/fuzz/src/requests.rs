//! What a token request and a registration are read from.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portvakt::clock::Timestamp;
use portvakt::domain::json::JsonObject;
use portvakt::http::TokenForm;
use portvakt::keys::client_jwk::ClientJwk;
use portvakt::token::claims::{Grant, GrantRules};
use portvakt::token::jws::UnverifiedAssertion;

/// The moment of the seeds.
const NOW: Timestamp = Timestamp::from_seconds(1_795_867_200);

/// A JWS that is accepted has one spelling: decoded and encoded again it is the same.
pub fn jws(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if UnverifiedAssertion::parse(text).is_err() {
        return;
    }
    let again = |part: &str| URL_SAFE_NO_PAD.encode(URL_SAFE_NO_PAD.decode(part).unwrap());
    let parts: Vec<String> = text.split('.').map(again).collect();
    assert_eq!(parts.len(), 3);
    assert_eq!(parts.join("."), text);
}

/// Claims that are accepted have not expired, and do not live long.
pub fn claims(data: &[u8]) {
    let rules = GrantRules {
        issuer: "https://as.test/".to_owned(),
        lifetime_seconds_max: 120,
        clock_skew_seconds: 10,
    };
    let Ok(claims) = JsonObject::parse(data) else { return };
    let Ok(grant) = Grant::check(&claims, &rules, NOW) else { return };
    let lives = grant.expires_at.seconds() - NOW.seconds();
    assert!((-10..=130).contains(&lives), "{lives}");
}

/// A key that is accepted is kept as a document that is accepted as well, and is the same key.
pub fn jwk(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = ClientJwk::from_text(text, &"made".parse().unwrap());
    }
    let Ok(jwk) = ClientJwk::parse(data) else { return };
    let again = ClientJwk::parse(jwk.document.as_bytes()).unwrap();
    assert_eq!(again.id, jwk.id);
    assert_eq!(again.document, jwk.document);
    assert!(ClientJwk::is_same_key(&again.document, &jwk.document));
}

/// A form that is accepted has an assertion; its query string is what comes before the first line feed.
pub fn form(data: &[u8]) {
    let end = data.iter().position(|&byte| byte == b'\n');
    let (query, body) = end.map_or((&[][..], data), |end| (&data[..end], &data[end + 1..]));
    let Ok(query) = std::str::from_utf8(query) else { return };
    let mut headers = HeaderMap::new();
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    headers.insert(CONTENT_TYPE, kind);
    if let Ok(form) = TokenForm::read(&headers, Some(query), body) {
        assert!(!form.assertion.is_empty());
    }
}
