//! What the portal says, in three languages: one folder of `texts/` a language, one file an area.
//!
//! Templates hold no words of their own. A text that is asked for and is not there would be shown as its name; a test
//! holds that every name in templates and code is there, in every language, with the same placeholders.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

use crate::domain::language::Language;

/// The texts of one language.
pub(super) struct Texts {
    language: Language,
    bundle: FluentBundle<FluentResource>,
}

/// The files of a language, one for each area.
macro_rules! files {
    ($language:literal) => {
        [
            include_str!(concat!($language, "/consumer.ftl")),
            include_str!(concat!($language, "/errors.ftl")),
            include_str!(concat!($language, "/help.ftl")),
            include_str!(concat!($language, "/layout.ftl")),
            include_str!(concat!($language, "/operator.ftl")),
            include_str!(concat!($language, "/organization.ftl")),
            include_str!(concat!($language, "/people.ftl")),
            include_str!(concat!($language, "/provider.ftl")),
            include_str!(concat!($language, "/rules.ftl")),
        ]
    };
}

static BOKMAL: LazyLock<Texts> = LazyLock::new(|| {
    let (bundle, _) = bundle("nb", &files!("nb"));
    Texts { language: Language::Bokmal, bundle }
});
static NYNORSK: LazyLock<Texts> = LazyLock::new(|| {
    let (bundle, _) = bundle("nn", &files!("nn"));
    Texts { language: Language::Nynorsk, bundle }
});
static ENGLISH: LazyLock<Texts> = LazyLock::new(|| {
    let (bundle, _) = bundle("en", &files!("en"));
    Texts { language: Language::English, bundle }
});

/// The texts of a language, and what is wrong with its files: nothing, as a test holds.
fn bundle(language: &str, files: &[&str]) -> (FluentBundle<FluentResource>, Vec<String>) {
    let identifier: LanguageIdentifier = language.parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![identifier]);
    let mut problems = Vec::new();
    // The marks around what is filled in would end up in copied text.
    bundle.set_use_isolating(false);
    for file in files {
        let resource =
            FluentResource::try_new((*file).to_owned()).unwrap_or_else(|(read, errors)| {
                problems.extend(errors.iter().map(ToString::to_string));
                read
            });
        if let Err(errors) = bundle.add_resource(resource) {
            problems.extend(errors.iter().map(ToString::to_string));
        }
    }
    (bundle, problems)
}

impl Texts {
    /// The texts of that language.
    pub(super) fn of(language: Language) -> &'static Self {
        match language {
            Language::Bokmal => &BOKMAL,
            Language::English => &ENGLISH,
            Language::Nynorsk => &NYNORSK,
        }
    }

    /// The language.
    pub(super) fn language(&self) -> Language {
        self.language
    }

    /// The text of that name.
    pub(super) fn say(&self, name: &str) -> String {
        self.format(name, None)
    }

    /// The same with something filled in for each placeholder.
    pub(super) fn fill(&self, name: &str, values: &[(&'static str, FluentValue<'_>)]) -> String {
        let mut args = FluentArgs::with_capacity(values.len());
        for (placeholder, value) in values {
            args.set(*placeholder, value.clone());
        }
        self.format(name, Some(&args))
    }

    /// Whether there is a text of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.bundle.get_message(name).is_some_and(|message| message.value().is_some())
    }

    fn format(&self, name: &str, args: Option<&FluentArgs<'_>>) -> String {
        let pattern = self.bundle.get_message(name).and_then(|message| message.value());
        let Some(pattern) = pattern else {
            tracing::error!(name, language = self.language.name(), "a text is missing");
            return name.to_owned();
        };
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, args, &mut errors).into_owned();
        if !errors.is_empty() {
            tracing::error!(name, ?errors, "a text lacks what it is to be filled with");
        }
        text
    }
}

#[cfg(test)]
mod tests;
