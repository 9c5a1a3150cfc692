//! What the page of each MP code says, in English and in Norwegian bokmål.
//!
//! The texts are for people who have just been refused a token: what happened, what usually lies behind
//! it, and what to do, in the order in which to do it. They follow the rules of [`crate::token`]; who
//! changes a rule there changes the text here.
//!
//! They are put into HTML without escaping, so none of them may contain `<`, `>` or `&`, which a test
//! asserts. Between two backticks stands what is typed as it is. The organization number is a synthetic
//! one, and the issuer is that of the configuration's manual.

use super::error_texts_access::{MP_200, MP_201, MP_250, MP_251, MP_301, MP_302, MP_303};
use super::error_texts_keys::{MP_120, MP_121, MP_122, MP_123, MP_124};
use super::error_texts_request::{MP_011, MP_012, MP_100, MP_110, MP_130};
use crate::token::refusal::MpCode;

/// What is said about one code.
pub(super) struct Page {
    /// The code.
    pub(super) code: MpCode,
    /// For everybody.
    pub(super) english: Text,
    /// For most of those who come here, in bokmål.
    pub(super) norwegian: Text,
}

/// The same in one language.
pub(super) struct Text {
    /// What is wrong, in a few words. No backticks, because it also stands where no markup can.
    pub(super) title: &'static str,
    /// What happened, and what is already known to be in order.
    pub(super) what: &'static str,
    /// What usually lies behind it, the most usual first.
    pub(super) causes: &'static [&'static str],
    /// What to do, step by step.
    pub(super) remedy: &'static [&'static str],
}

/// What is said about `code`. A match and not a map, so that a code without texts does not compile.
pub(super) const fn text_of(code: MpCode) -> &'static Page {
    match code {
        MpCode::Mp011 => &MP_011,
        MpCode::Mp012 => &MP_012,
        MpCode::Mp100 => &MP_100,
        MpCode::Mp110 => &MP_110,
        MpCode::Mp120 => &MP_120,
        MpCode::Mp121 => &MP_121,
        MpCode::Mp122 => &MP_122,
        MpCode::Mp123 => &MP_123,
        MpCode::Mp124 => &MP_124,
        MpCode::Mp130 => &MP_130,
        MpCode::Mp200 => &MP_200,
        MpCode::Mp201 => &MP_201,
        MpCode::Mp250 => &MP_250,
        MpCode::Mp251 => &MP_251,
        MpCode::Mp301 => &MP_301,
        MpCode::Mp302 => &MP_302,
        MpCode::Mp303 => &MP_303,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn texts() -> impl Iterator<Item = (&'static str, &'static Text)> {
        MpCode::ALL.into_iter().flat_map(|code| {
            let page = text_of(code);
            [(code.name(), &page.english), (code.name(), &page.norwegian)]
        })
    }

    fn sentences(text: &Text) -> impl Iterator<Item = &'static str> {
        let lists = text.causes.iter().chain(text.remedy).copied();
        [text.title, text.what].into_iter().chain(lists)
    }

    #[test]
    fn every_code_has_a_page_in_both_languages() {
        for code in MpCode::ALL {
            assert_eq!(text_of(code).code, code);
        }
        for (name, text) in texts() {
            assert!(!text.title.is_empty() && !text.what.is_empty(), "{name}");
            assert!(text.causes.len() >= 2 && text.remedy.len() >= 2, "{name}");
        }
        let titles: HashSet<&str> = texts().map(|(_, text)| text.title).collect();
        assert_eq!(titles.len(), 2 * MpCode::ALL.len(), "no title stands twice");
    }

    #[test]
    fn both_languages_say_the_same_number_of_things() {
        for code in MpCode::ALL {
            let Page { english, norwegian, .. } = text_of(code);
            assert_eq!(english.causes.len(), norwegian.causes.len(), "{}", code.name());
            assert_eq!(english.remedy.len(), norwegian.remedy.len(), "{}", code.name());
        }
    }

    #[test]
    fn texts_can_stand_in_html_as_they_are() {
        for (name, text) in texts() {
            assert!(!text.title.contains('`'), "{name}: {}", text.title);
            for sentence in sentences(text) {
                assert!(!sentence.contains(['<', '>', '&']), "{name}: {sentence}");
                assert_eq!(sentence.matches('`').count() % 2, 0, "{name}: {sentence}");
                assert!(!sentence.contains("  "), "{name}: {sentence}");
            }
        }
    }

    #[test]
    fn texts_name_no_organization_but_the_synthetic_one() {
        for (name, text) in texts() {
            for sentence in sentences(text) {
                let numbers = sentence.split(|c: char| !c.is_ascii_digit());
                for number in numbers.filter(|number| number.len() == 9) {
                    assert_eq!(number, "310000108", "{name}: {sentence}");
                }
            }
        }
    }
}
