//! Text that came with a request, made fit to be kept and shown.
//!
//! Whoever sends a request chooses its every byte, and some send by mistake what must not be kept: a token
//! where an identifier belongs, or the number of a person. So what is kept is short, plain and without
//! anything that looks like either.

use std::fmt;

/// The longest excerpt, in characters: longer than any value or answer that is in order, but for lists of
/// many scopes.
pub const EXCERPT_CHARACTERS_MAX: usize = 300;

/// The longest word that is kept. Identifiers and thumbprints in hexadecimal have up to 64 characters; what
/// is longer is a token, a signature or a key.
const WORD_CHARACTERS_MAX: usize = 64;

/// The digits of a Norwegian national identity number.
const NATIONAL_ID_DIGITS: usize = 11;

/// What a text holds that has a key in it, as PEM or as a JWK. Such a text is not kept at all, because its
/// lines and members are as short as identifiers.
const MARKS_OF_KEYS: [&str; 2] = ["-----BEGIN", "\"kty\""];

/// What stands in the place of a word that is not kept.
const NOT_KEPT: &str = "(not kept)";

/// Printable ASCII of at most [`EXCERPT_CHARACTERS_MAX`] characters, without tokens, keys and national
/// identity numbers. Any other character is written as `\u{...}`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Excerpt(String);

impl Excerpt {
    /// What may be kept of `text`.
    pub fn of(text: &str) -> Self {
        if MARKS_OF_KEYS.iter().any(|mark| text.contains(mark)) {
            return Self(NOT_KEPT.to_owned());
        }
        let mut kept = String::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if kept.len() > EXCERPT_CHARACTERS_MAX {
                break;
            }
            let length = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
            if length == 0 {
                match first {
                    ' '..='~' => kept.push(first),
                    other => kept.extend(other.escape_unicode()),
                }
                rest = &rest[first.len_utf8()..];
            } else {
                let (word, after) = rest.split_at(length);
                kept.push_str(if may_be_kept(word) { word } else { NOT_KEPT });
                rest = after;
            }
        }
        if kept.len() > EXCERPT_CHARACTERS_MAX {
            kept.truncate(EXCERPT_CHARACTERS_MAX - "...".len());
            kept.push_str("...");
        }
        Self(kept)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The characters of base64 and base64url.
fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_+/=".contains(c)
}

fn may_be_kept(word: &str) -> bool {
    let mut numbers = word.split(|c: char| !c.is_ascii_digit());
    word.len() <= WORD_CHARACTERS_MAX
        // How every JSON object begins in base64, and so every assertion and token.
        && !word.contains("eyJ")
        && !numbers.any(|digits| digits.len() == NATIONAL_ID_DIGITS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keeps_what_is_in_order() {
        for text in [
            "",
            "https://as.example/token?x=1",
            "altinn:accessmanagement/enduser:connections:fromothers.read",
            "3f8c6f3e-8f5b-4f0e-9d53-2b8f3e1c9a77",
            "exp is 1780315200, 71 seconds before the server's time",
            "310000116",
        ] {
            assert_eq!(Excerpt::of(text).as_str(), text);
        }
        let thumbprint = "ab".repeat(32);
        assert_eq!(Excerpt::of(&thumbprint).as_str(), thumbprint);
    }

    #[test]
    fn keeps_no_token_no_key_and_no_person() {
        for (text, kept) in [
            ("eyJhbGciOiJFUzI1NiJ9.eyJhIjoxfQ.AA", "(not kept).(not kept).AA"),
            ("a:eyJhbGci", "a:(not kept)"),
            ("41818012345", "(not kept)"),
            ("NO-41818012345", "(not kept)"),
            ("aud \"-----BEGIN PRIVATE KEY-----\nMIGHAgEA", "(not kept)"),
            (r#"{"kty":"EC","d":"AAAAAA"}"#, "(not kept)"),
        ] {
            assert_eq!(Excerpt::of(text).as_str(), kept);
        }
        assert_eq!(Excerpt::of(&"k".repeat(65)).as_str(), NOT_KEPT);
    }

    #[test]
    fn keeps_nothing_that_a_terminal_or_a_reader_would_obey() {
        let text = "a\r\nb\u{1b}[31m\u{202e}\u{430}";
        assert_eq!(Excerpt::of(text).as_str(), "a\\u{d}\\u{a}b\\u{1b}[31m\\u{202e}\\u{430}");
    }

    proptest! {
        #[test]
        fn whatever_comes_it_is_short_plain_and_stays_so(text in ".{0,700}") {
            let kept = Excerpt::of(&text);
            prop_assert!(kept.as_str().len() <= EXCERPT_CHARACTERS_MAX);
            prop_assert!(kept.as_str().bytes().all(|b| matches!(b, b' '..=b'~')));
            prop_assert!(!kept.as_str().contains("eyJ"));
        }
    }
}
