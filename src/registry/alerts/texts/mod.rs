//! What alerts say in mails, in each language. A text that lacks one does not compile.

mod en;
mod nb;
mod nn;

use crate::domain::language::Language;

/// The texts of one language. Words in braces stand for values.
pub(super) struct Texts {
    /// The subject of a mail with one alert: `{environment}`; `{what}` is one of the subjects below.
    pub(super) subject: &'static str,
    /// The subject of a mail with several: `{environment}`, `{count}`.
    pub(super) subject_of_several: &'static str,
    /// The first line: `{organization}`, `{number}`, `{issuer}`.
    pub(super) opening: &'static str,
    /// Before what somebody else has written: `{organization}`.
    pub(super) said: &'static str,
    /// The line with the address of the portal: `{address}`.
    pub(super) portal: &'static str,
    /// Why they get this mail.
    pub(super) closing: &'static str,
    /// In subjects, without values.
    pub(super) subjects: Subjects,
    /// `{scope}`, `{organization}`.
    pub(super) access_granted: &'static str,
    /// `{scope}`, `{organization}`.
    pub(super) access_denied: &'static str,
    /// `{scope}`, `{organization}`.
    pub(super) access_requested: &'static str,
    /// `{scope}`, `{organization}`.
    pub(super) access_withdrawn: &'static str,
    /// `{client}`, `{client_id}`, `{kid}`, `{time}`.
    pub(super) certificate_expiring: &'static str,
    /// `{client}`, `{client_id}`, `{kid}`, `{time}`.
    pub(super) key_expiring: &'static str,
    /// `{prefix}`, `{organization}`.
    pub(super) prefix_requested: &'static str,
    /// `{scope}`, `{organization}`.
    pub(super) scope_deactivated: &'static str,
}

/// What a mail with one alert is about.
pub(super) struct Subjects {
    pub(super) access_decided: &'static str,
    pub(super) access_requested: &'static str,
    pub(super) access_withdrawn: &'static str,
    pub(super) certificate_expiring: &'static str,
    pub(super) key_expiring: &'static str,
    pub(super) prefix_requested: &'static str,
    pub(super) scope_deactivated: &'static str,
}

/// The texts of a language.
pub(super) fn texts(language: Language) -> &'static Texts {
    match language {
        Language::Bokmal => &nb::TEXTS,
        Language::English => &en::TEXTS,
        Language::Nynorsk => &nn::TEXTS,
    }
}

/// Puts values in the place of the words in braces. What stands in a value is never read as such a word.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let (word, after) = after.split_once('}').unwrap_or((after, ""));
        let value = values.iter().find(|(known, _)| *known == word);
        text.push_str(value.map_or("", |(_, value)| *value));
        rest = after;
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_put_in_and_not_read() {
        let values = [("a", "{b}"), ("b", "B")];
        assert_eq!(fill("{a} and {b}, {a}.", &values), "{b} and B, {b}.");
        assert_eq!(fill("none", &values), "none");
    }

    #[test]
    fn every_language_says_the_same_things() {
        let words = |text: &str| {
            let mut words: Vec<_> = text
                .split('{')
                .skip(1)
                .map(|rest| rest.split('}').next().unwrap().to_owned())
                .collect();
            words.sort();
            words
        };
        let all = |it: &Texts| {
            let texts = [
                it.subject,
                it.subject_of_several,
                it.opening,
                it.said,
                it.portal,
                it.closing,
                it.access_granted,
                it.access_denied,
                it.access_requested,
                it.access_withdrawn,
                it.certificate_expiring,
                it.key_expiring,
                it.prefix_requested,
                it.scope_deactivated,
            ];
            texts.map(words)
        };
        let english = all(texts(Language::English));
        for language in Language::ALL {
            assert_eq!(all(texts(*language)), english, "{}", language.name());
        }
        assert_eq!(english[11], ["client", "client_id", "kid", "time"]);
    }
}
