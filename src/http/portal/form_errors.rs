//! What is wrong with a form, said at its fields and above it.

use askama::filters::{Html, Safe, escape};

use crate::domain::organization::{OrganizationNumber, OrganizationNumberError};
use crate::http::portal::fields::Fields;
use crate::http::portal::page::Page;
use crate::http::portal::refused::Refused;
use crate::http::portal::rules::translate;
use crate::registry::RegistryError;

/// One thing that is wrong.
pub(super) struct FormError {
    /// The id of the field, which is also its name.
    pub(super) field: String,
    /// What to say.
    pub(super) text: String,
    /// Whether the registry says it in its own language, English.
    pub(super) is_english: bool,
}

/// Everything that is wrong with a form, in the order of its fields.
#[derive(Default)]
pub(super) struct FormErrors {
    errors: Vec<FormError>,
    /// What was typed and is not in the form any more, because it shows how things stand now: labels and texts.
    unsaved: Vec<(String, String)>,
}

impl FormErrors {
    /// Adds something in the reader's language.
    pub(super) fn add(&mut self, field: &str, text: String) {
        self.errors.push(FormError { field: field.to_owned(), text, is_english: false });
    }

    /// One thing that is wrong.
    pub(super) fn one(field: &str, text: String) -> Self {
        let mut errors = Self::default();
        errors.add(field, text);
        errors
    }

    /// What the registry says about `field`. What no field is to blame for comes back as it is.
    pub(super) fn of_registry(
        page: &Page,
        field: &str,
        error: RegistryError,
    ) -> Result<Self, Refused> {
        let said = match error {
            RegistryError::Stale | RegistryError::Unseen => {
                return Ok(Self::one(field, page.say("form-stale")));
            }
            RegistryError::Invalid { problem, .. } => problem,
            RegistryError::Conflict { rule } => rule,
            RegistryError::Key(error) => error.to_string(),
            other => return Err(other.into()),
        };
        let known = translate(page.texts(), &said);
        let is_english = known.is_none();
        let text = sentence(&known.unwrap_or(said));
        let errors = vec![FormError { field: field.to_owned(), text, is_english }];
        Ok(Self { errors, unsaved: Vec::new() })
    }

    /// The same with what was typed into these fields and differs from `now`, so that it need not be thought of again.
    /// Beside the name of each field stands that of the text which is its label.
    #[must_use]
    pub(super) fn beside<'a>(
        mut self,
        page: &Page,
        typed: &Fields,
        now: &Fields,
        fields: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let lost = |(field, _): &(&str, &str)| {
            !typed.text(field).is_empty() && typed.text(field) != now.text(field)
        };
        let lines = fields.into_iter().filter(lost);
        self.unsaved =
            lines.map(|(field, label)| (page.say(label), typed.text(field).to_owned())).collect();
        self
    }

    /// What was typed and is not in the form any more.
    pub(super) fn unsaved(&self) -> &[(String, String)] {
        &self.unsaved
    }

    /// Whether nothing is wrong.
    pub(super) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// The number in a field, as people write it; where it is none, what is wrong is added in the words of the area:
    /// `AREA-number-check` and `AREA-number-shape`.
    pub(super) fn read_number(
        &mut self,
        page: &Page,
        area: &str,
        field: &str,
        text: &str,
    ) -> Option<OrganizationNumber> {
        // In groups of three, that is.
        let digits: String = text.split_whitespace().collect();
        let wrong = match digits.parse() {
            Ok(number) => return Some(number),
            Err(OrganizationNumberError::CheckDigit) => "number-check",
            Err(OrganizationNumberError::Shape) => "number-shape",
        };
        self.add(field, page.word(area, wrong));
        None
    }

    /// All of it.
    pub(super) fn all(&self) -> &[FormError] {
        &self.errors
    }

    /// What marks a field that is wrong.
    pub(super) fn mark(&self, field: &str) -> Safe<&'static str> {
        let is_wrong = self.errors.iter().any(|error| error.field == field);
        Safe(if is_wrong { " aria-invalid=\"true\"" } else { "" })
    }

    /// What is said at a field, in an element that its `aria-describedby` can name: `FIELD-error`.
    pub(super) fn at(&self, page: &Page, field: &str) -> Safe<String> {
        let of_field = self.errors.iter().filter(|error| error.field == field);
        let texts = of_field.filter_map(|error| {
            let text = escape(&error.text, Html).ok()?;
            let lang = if error.is_english { " lang=\"en\"" } else { "" };
            Some(format!("<span{lang}>{text}</span>"))
        });
        let texts = texts.collect::<Vec<_>>().join(" ");
        if texts.is_empty() {
            return Safe(texts);
        }
        Safe(format!(
            "<p class=\"error\" id=\"{field}-error\">{}{texts}</p>",
            page.icon("danger").0
        ))
    }
}

/// A rule as a sentence of its own.
fn sentence(rule: &str) -> String {
    let mut letters = rule.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}
