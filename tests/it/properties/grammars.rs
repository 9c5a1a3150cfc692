//! What is read is written back as it was, and nothing else is read.

use std::str::FromStr as _;

use portvakt::domain::algorithm::Algorithm;
use portvakt::domain::client::ClientId;
use portvakt::domain::json::JsonObject;
use portvakt::domain::organization::OrganizationNumber;
use portvakt::domain::scope::{RequestedScopes, ScopeName};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::string::string_regex;

/// The check digit of the first eight, as the register's own description computes it: the sum of the digits
/// times 3, 2, 7, 6, 5, 4, 3, 2, and the check digit itself, is divisible by eleven.
fn is_divisible(digits: &[u32]) -> bool {
    let weights = [3, 2, 7, 6, 5, 4, 3, 2, 1];
    digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum::<u32>() % 11 == 0
}

fn scope_name() -> impl Strategy<Value = String> {
    string_regex("[a-z0-9][a-z0-9_.-]{0,12}:[A-Za-z0-9][A-Za-z0-9_./:-]{0,20}").unwrap()
}

/// Texts near a scope name, and far from it.
fn near_scope_name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9A-Z_.:/ -]{0,12}", "\\PC{0,12}", scope_name()]
}

proptest! {
    #![proptest_config(crate::properties::cases(2_000))]

    #[test]
    fn an_organization_number_is_nine_digits_whose_weighted_sum_is_divisible(
        digits in vec(0..10_u32, 9),
    ) {
        let text: String = digits.iter().map(u32::to_string).collect();
        let read = OrganizationNumber::from_str(&text);
        prop_assert_eq!(read.is_ok(), is_divisible(&digits));
        if let Ok(read) = read {
            prop_assert_eq!(read.as_str(), &text);
            prop_assert_eq!(read.iso6523(), format!("0192:{text}"));
            prop_assert_eq!(serde_json::to_string(&read).unwrap(), format!("\"{text}\""));
        }
    }

    #[test]
    fn at_most_one_digit_completes_an_organization_number(eight in "[0-9]{8}") {
        let complete = |digit: &u32| format!("{eight}{digit}").parse::<OrganizationNumber>().is_ok();
        prop_assert!((0..10).filter(complete).count() <= 1);
    }

    #[test]
    fn no_other_text_is_an_organization_number(text in "\\PC{0,12}|[0-9 ]{8,11}|[٠-٩]{9}") {
        if let Ok(read) = text.parse::<OrganizationNumber>() {
            prop_assert_eq!(read.as_str(), &text);
            prop_assert!(text.len() == 9 && text.bytes().all(|byte| byte.is_ascii_digit()));
        }
    }

    #[test]
    fn a_scope_name_is_written_back_as_it_was(name in scope_name()) {
        let read: ScopeName = name.parse().unwrap();
        prop_assert_eq!(read.as_str(), &name);
        prop_assert_eq!(Some(read.prefix()), name.split(':').next());
    }

    #[test]
    fn a_text_that_is_a_scope_name_is_one_scope_token(text in near_scope_name()) {
        if let Ok(read) = text.parse::<ScopeName>() {
            prop_assert_eq!(read.to_string(), text.clone());
            // RFC 6749 section 3.3.
            let in_token = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            prop_assert!(text.bytes().all(in_token));
            let requested: RequestedScopes = text.parse().unwrap();
            prop_assert_eq!(requested.names(), &[read]);
        }
    }

    #[test]
    fn requested_scopes_keep_their_order_and_lose_what_is_repeated(
        names in vec(scope_name(), 1..8),
        repeated in any::<prop::sample::Index>(),
    ) {
        let mut asked = names.clone();
        asked.push(names[repeated.index(names.len())].clone());
        let mut expected: Vec<&str> = Vec::new();
        for name in &names {
            if !expected.contains(&name.as_str()) {
                expected.push(name);
            }
        }
        let read: RequestedScopes = asked.join(" ").parse().unwrap();
        prop_assert_eq!(read.to_string(), expected.join(" "));
        prop_assert_eq!(read.to_string().parse::<RequestedScopes>(), Ok(read));
    }

    #[test]
    fn requested_scopes_have_one_space_between_them(
        names in vec(near_scope_name(), 0..4),
        space in "[ \t+]{1,2}",
    ) {
        let text = names.join(&space);
        if let Ok(read) = text.parse::<RequestedScopes>() {
            prop_assert!(!text.contains("  ") && !text.starts_with(' ') && !text.ends_with(' '));
            let once: RequestedScopes = read.to_string().parse().unwrap();
            prop_assert_eq!(once, read);
        }
    }

    #[test]
    fn names_of_clients_and_algorithms_are_written_back_as_they_were(text in "[ -~]{0,12}|\\PC{0,6}") {
        if let Ok(client) = text.parse::<ClientId>() {
            prop_assert_eq!(client.as_str(), &text);
        }
        if let Ok(algorithm) = text.parse::<Algorithm>() {
            prop_assert_eq!(algorithm.name(), &text);
        }
    }

    #[test]
    fn strict_json_is_json_and_keeps_every_member(bytes in "\\{(\"[ab]\":(1|-2|\"x\"|null|\\[\\]),?){0,3}\\}") {
        let lenient: Result<serde_json::Map<String, serde_json::Value>, _> = serde_json::from_str(&bytes);
        match (JsonObject::parse(bytes.as_bytes()), lenient) {
            (Ok(strict), Ok(lenient)) => {
                let names: Vec<&str> = strict.names().collect();
                prop_assert_eq!(names.len(), bytes.matches(':').count());
                prop_assert!(names.iter().all(|name| lenient.contains_key(*name)));
                prop_assert_eq!(names.len(), lenient.len());
            }
            (Err(_), Ok(lenient)) => prop_assert!(lenient.len() < bytes.matches(':').count()),
            (strict, Err(_)) => prop_assert!(strict.is_err()),
        }
    }
}
