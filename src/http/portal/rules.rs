//! The rules of the registry in the reader's language.
//!
//! The registry says in English which rule a change breaks, as its APIs want it, and the record of a refused token request
//! what was seen and what was expected. `texts/en/rules.ftl` holds the same
//! sentences, with placeholders where they vary; a sentence that fits one of them is said with the text of that
//! name. What fits none is shown as it is, and marked as English.

use std::sync::LazyLock;

use askama::filters::Safe;

use crate::http::portal::markup::escaped;
use crate::http::portal::texts::Texts;

/// A sentence of the registry: what is fixed in it, with the names of the placeholders in between.
struct Sentence {
    name: &'static str,
    begin: &'static str,
    /// Each placeholder with the fixed text after it.
    rest: Vec<(&'static str, &'static str)>,
}

const ENGLISH: &str = include_str!("texts/en/rules.ftl");

/// Sentences with more fixed text first, because a short one may fit what a long one says better.
static SENTENCES: LazyLock<Vec<Sentence>> = LazyLock::new(|| {
    let lines = ENGLISH.lines().filter_map(|line| line.split_once(" = "));
    let mut sentences: Vec<_> = lines.map(|(name, text)| sentence(name, text)).collect();
    sentences.sort_by_key(|sentence| std::cmp::Reverse(sentence.fixed()));
    sentences
});

fn sentence(name: &'static str, text: &'static str) -> Sentence {
    let mut parts = text.split("{ $");
    let begin = parts.next().unwrap_or_default();
    Sentence { name, begin, rest: parts.filter_map(|part| part.split_once(" }")).collect() }
}

impl Sentence {
    /// Bytes of fixed text.
    fn fixed(&self) -> usize {
        self.begin.len() + self.rest.iter().map(|(_, text)| text.len()).sum::<usize>()
    }

    /// What stands at the placeholders, if the text is this sentence.
    fn read<'a>(&self, text: &'a str) -> Option<Vec<(&'static str, &'a str)>> {
        let mut rest = text.strip_prefix(self.begin)?;
        let mut values = Vec::new();
        for (at, (placeholder, after)) in self.rest.iter().enumerate() {
            let last = at + 1 == self.rest.len();
            let (value, next) = match (last, *after) {
                (true, after) => (rest.strip_suffix(after)?, ""),
                (false, after) => rest.split_once(after)?,
            };
            values.push((*placeholder, value));
            rest = next;
        }
        rest.is_empty().then_some(values)
    }
}

/// A rule in the language of `texts`, if it is known.
pub(super) fn translate(texts: &Texts, english: &str) -> Option<String> {
    SENTENCES.iter().find_map(|sentence| {
        let values = sentence.read(english)?;
        let values: Vec<_> =
            values.into_iter().map(|(place, value)| (place, value.to_owned().into())).collect();
        Some(texts.fill(sentence.name, &values))
    })
}

/// A rule as a page shows it: in the reader's language, or else in English and marked so.
pub(super) fn markup(texts: &Texts, english: &str) -> Safe<String> {
    Safe(match translate(texts, english) {
        Some(text) => escaped(&text),
        None => format!("<span lang=\"en\">{}</span>", escaped(english)),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::domain::language::Language;

    #[test]
    fn a_rule_is_said_in_the_language_of_the_reader_with_what_varies_in_it() {
        let say = |language, text| translate(Texts::of(language), text);
        let rule = "it may have at most 255 characters";
        assert_eq!(say(Language::Bokmal, rule).unwrap(), "det kan ha høyst 255 tegn");
        assert_eq!(say(Language::English, rule).unwrap(), rule);
        let rule = "nav:a has not been granted to the organization; ask its owner for access";
        let said = "virksomheten har ikke tilgang til nav:a; be eieren om tilgang";
        assert_eq!(say(Language::Bokmal, rule).unwrap(), said);
        assert_eq!(say(Language::Bokmal, "something else"), None);
        let shown = markup(Texts::of(Language::Bokmal), "<b>").0;
        assert_eq!(shown, "<span lang=\"en\">&#60;b&#62;</span>");
    }

    #[test]
    fn every_rule_of_the_registry_is_known() {
        let mut unknown = Vec::new();
        let mut known = 0;
        for rule in rules_in_source() {
            if translate(Texts::of(Language::English), &rule).as_ref() == Some(&rule) {
                known += 1;
            } else {
                unknown.push(rule);
            }
        }
        assert!(known > 40, "the sources are not where this test looks for them: {known}");
        assert_eq!(unknown, Vec::<String>::new());
    }

    /// The sentences with which the registry refuses, from its source.
    fn rules_in_source() -> Vec<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut rules = Vec::new();
        let files = fs::read_dir(root.join("registry")).unwrap().map(|file| file.unwrap().path());
        for file in files.filter(|file| file.is_file()) {
            let source = fs::read_to_string(file).unwrap().replace("\\\n", "");
            for call in
                ["RegistryError::invalid(", "RegistryError::conflict(", "problem = ", "taken("]
            {
                rules.extend(source.split(call).skip(1).filter_map(first_sentence));
            }
        }
        let words = ["domain/organization.rs", "domain/scope.rs", "domain/prefix.rs"];
        for file in words.iter().chain(&["domain/email_address.rs", "keys/client_jwk.rs"]) {
            let source = fs::read_to_string(root.join(file)).unwrap().replace("\\\n", "");
            rules.extend(source.split("#[error(").skip(1).filter_map(first_sentence));
        }
        // What has to do with token requests, headers and log-in products is said in APIs only; and one sentence is
        // put together from two that are there.
        let elsewhere = [
            "clients here are machines and have no secret",
            "it must be scope names with",
            "it names more than",
            "it names no scope",
            "the organization has sent {KEPT_ANSWERS_MAX} requests",
            "{name} {problem}",
        ];
        rules.retain(|rule| !elsewhere.iter().any(|begin| rule.starts_with(begin)));
        rules
    }

    /// The first text with spaces in it before the statement ends, with its white space and quotes as they are shown.
    fn first_sentence(source: &str) -> Option<String> {
        let statement = source.split(");").next()?.split("pub ").next()?;
        let mut literals = statement.replace("\\\"", "\u{1}");
        literals =
            literals.split('"').skip(1).step_by(2).find(|text| text.contains(' '))?.to_owned();
        let words: Vec<&str> = literals.split_whitespace().collect();
        Some(words.join(" ").replace('\u{1}', "\""))
    }
}
