//! Numbers as people read them.

use crate::domain::language::Language;

/// Digits that stand together.
const GROUP_DIGITS: usize = 3;

/// The number with its thousands apart: by a space that does not break (U+00A0), in English by a comma.
pub(super) fn grouped(number: u64, language: Language) -> String {
    let digits = number.to_string();
    let between = match language {
        Language::Bokmal | Language::Nynorsk => '\u{a0}',
        Language::English => ',',
    };
    let mut text = String::with_capacity(2 * digits.len());
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(GROUP_DIGITS) {
            text.push(between);
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_284_906, "1,284,906")] {
            assert_eq!(grouped(number, Language::English), text);
        }
        assert_eq!(grouped(12_345, Language::Nynorsk), "12\u{a0}345");
    }
}
