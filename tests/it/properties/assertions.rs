//! No text is taken for an assertion that is not one, byte for byte.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use portvakt::token::jws::UnverifiedAssertion;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::properties::signed::SIGNED;

/// Bytes that a form can carry into an assertion, with those of base64url most often.
fn character() -> impl Strategy<Value = char> {
    prop_oneof![
        6 => prop::char::ranges(vec!['A'..='Z', 'a'..='z', '0'..='9', '-'..='-', '_'..='_'].into()),
        1 => prop::char::range('\u{1}', '\u{7f}'),
        1 => any::<char>(),
    ]
}

/// A part of a token in one of the ways in which bytes are written in base64, and whether it is the right one.
fn part(content: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = String> {
    (content, 0..12_u8, any::<usize>()).prop_map(|(bytes, form, at)| {
        let right = URL_SAFE_NO_PAD.encode(&bytes);
        let at = at % (right.len() + 1);
        match form {
            0 => URL_SAFE.encode(&bytes),
            1 => STANDARD_NO_PAD.encode(&bytes),
            2 => format!("{}\n{}", &right[..at], &right[at..]),
            3 => format!("{}{}", &right[..at], &right[at..].to_ascii_uppercase()),
            4 => format!("{right}A"),
            _ => right,
        }
    })
}

fn header() -> impl Strategy<Value = Vec<u8>> {
    ("[ \t\r\n]{0,3}", "[ -~]{0,8}", prop::bool::weighted(0.1)).prop_map(
        |(space, extra, broken)| {
            let extra = serde_json::to_string(&extra).unwrap();
            let end = if broken { "" } else { "}" };
            format!(r#"{space}{{"alg":"ES256",{space}"kid":"a","x":{extra}{end}"#).into_bytes()
        },
    )
}

fn claims() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => "[ -~]{0,20}".prop_map(|text| {
            format!(r#"{{"iss":{}}}"#, serde_json::to_string(&text).unwrap()).into_bytes()
        }),
        1 => vec(any::<u8>(), 0..20),
    ]
}

#[test]
fn what_was_signed_is_accepted() {
    for signed in SIGNED.iter() {
        assert!(signed.accepts(&signed.assertion), "{:?}", signed.key.algorithm());
        assert!(signed.accepts(&signed.other), "{:?}", signed.key.algorithm());
    }
}

#[test]
fn a_header_that_names_another_algorithm_is_refused_however_it_is_signed() {
    for signed in SIGNED.iter() {
        assert_eq!(signed.mislabelled.len(), 10);
        assert!(!signed.mislabelled.iter().any(|text| signed.accepts(text)));
    }
}

#[test]
fn every_character_counts() {
    for signed in SIGNED.iter() {
        let text = &signed.assertion;
        for (at, old) in text.char_indices() {
            for new in ['A', 'B', 'e', 'w', '_', '=', '.', '+', '/', ' '] {
                let changed = format!("{}{new}{}", &text[..at], &text[at + 1..]);
                assert!(new == old || !signed.accepts(&changed), "{at}: {old} to {new} in {text}");
            }
            assert!(!signed.accepts(&text[..at]), "cut at {at}: {text}");
            assert!(!signed.accepts(&text[at + 1..]), "begun after {at}: {text}");
        }
    }
}

#[test]
fn parts_of_two_assertions_make_no_third() {
    for signed in SIGNED.iter() {
        let two = [&signed.assertion, &signed.other];
        let parts: Vec<&str> = two.into_iter().flat_map(|text| text.split('.')).collect();
        let mut accepted = BTreeSet::new();
        for a in &parts {
            for b in &parts {
                for c in &parts {
                    let text = format!("{a}.{b}.{c}");
                    if signed.accepts(&text) {
                        accepted.insert(text);
                    }
                }
            }
        }
        let originals = [signed.assertion.clone(), signed.other.clone()];
        assert_eq!(accepted, originals.into());
    }
}

#[test]
fn a_key_accepts_nothing_that_another_has_signed() {
    for (number, signed) in SIGNED.iter().enumerate() {
        for (other, key) in SIGNED.iter().enumerate() {
            assert_eq!(key.accepts(&signed.assertion), number == other);
        }
    }
}

proptest! {
    #![proptest_config(crate::properties::cases(1_000))]

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in vec(any::<u8>(), 0..400)) {
        let _ = UnverifiedAssertion::parse(&String::from_utf8_lossy(&bytes));
        let part = URL_SAFE_NO_PAD.encode(&bytes);
        let _ = UnverifiedAssertion::parse(&format!("{part}.{part}.{part}"));
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","kid":"a"}"#);
        if let Ok(read) = UnverifiedAssertion::parse(&format!("{header}.e30.{part}")) {
            prop_assert!(read.verify(&SIGNED[3].key).is_err());
        }
    }

    #[test]
    fn no_change_of_a_few_characters_verifies(
        which in 0..4_usize,
        changes in vec((any::<prop::sample::Index>(), character(), 0..3_u8), 1..4),
    ) {
        let signed = &SIGNED[which];
        let mut text: Vec<char> = signed.assertion.chars().collect();
        for (at, character, how) in changes {
            let at = at.index(text.len());
            match how {
                0 => text[at] = character,
                1 => text.insert(at, character),
                _ => drop(text.remove(at)),
            }
        }
        let text = String::from_iter(text);
        prop_assert!(text == signed.assertion || !signed.accepts(&text));
    }

    #[test]
    fn nothing_can_be_put_before_or_behind(which in 0..4_usize, added in vec(character(), 1..6)) {
        let signed = &SIGNED[which];
        let (text, added) = (&signed.assertion, String::from_iter(added));
        for longer in [format!("{text}{added}"), format!("{added}{text}")] {
            prop_assert!(!signed.accepts(&longer));
        }
    }

    #[test]
    fn no_other_bytes_are_a_signature(which in 0..4_usize, signature in vec(any::<u8>(), 0..300)) {
        let signed = &SIGNED[which];
        let (message, right) = signed.assertion.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.encode(signature);
        let text = format!("{message}.{signature}");
        prop_assert!(signature == right || !signed.accepts(&text));
    }

    #[test]
    fn what_is_read_is_canonical(
        header in part(header()),
        claims in part(claims()),
        signature in part(vec(any::<u8>(), 0..8)),
    ) {
        let text = format!("{header}.{claims}.{signature}");
        if UnverifiedAssertion::parse(&text).is_ok() {
            let again: Option<Vec<String>> = text
                .split('.')
                .map(|part| Some(URL_SAFE_NO_PAD.encode(lenient(part)?)))
                .collect();
            prop_assert_eq!(again.map(|parts| parts.join(".")), Some(text));
        }
    }
}

/// Reads base64 as the most forgiving reader does, so that what differs from it shows.
fn lenient(part: &str) -> Option<Vec<u8>> {
    use base64::alphabet::URL_SAFE as ALPHABET;
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
    let text: String = part.chars().filter(|c| !c.is_whitespace()).collect();
    let text = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone);
    GeneralPurpose::new(&ALPHABET, config).decode(text).ok()
}
