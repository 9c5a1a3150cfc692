//! E-mail that the server sends: to one address, a subject and a plain text.

use std::fmt;
use std::fmt::Write as _;

use thiserror::Error;

use crate::clock::Random;
use crate::domain::email_address::EmailAddress;

/// The longest subject, in characters. Programs show the first fifty or so; a name of an organization has up to 255.
pub const SUBJECT_CHARACTERS_MAX: usize = 500;

/// The longest text, in bytes: a few screens. What is longer belongs on a page.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// Random bytes in the id of a mail.
const ID_BYTES: usize = 16;

/// A mail to be sent.
#[derive(Clone, Eq, PartialEq)]
pub struct Mail {
    id: String,
    recipient: EmailAddress,
    subject: String,
    body: String,
}

/// What a mail cannot be made of.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum MailError {
    /// The text is too long, or holds control characters other than line breaks and tabs.
    #[error(
        "the text of a mail has at most {BODY_BYTES_MAX} bytes, and no control characters but line breaks and tabs"
    )]
    Body,
    /// The subject is empty, too long, or no line.
    #[error(
        "the subject of a mail is one line of 1 to {SUBJECT_CHARACTERS_MAX} characters without control characters"
    )]
    Subject,
}

impl Mail {
    /// A mail with an id of its own.
    pub fn new(
        random: &dyn Random,
        recipient: EmailAddress,
        subject: impl Into<String>,
        body: impl Into<String>,
    ) -> Result<Self, MailError> {
        let mut bytes = [0; ID_BYTES];
        random.fill(&mut bytes);
        let mut id = String::with_capacity(2 * ID_BYTES);
        for byte in bytes {
            // Writing to a string cannot fail.
            let _ = write!(id, "{byte:02x}");
        }
        Self::restore(id, recipient, subject.into(), body.into())
    }

    /// A mail that was made before.
    pub fn restore(
        id: String,
        recipient: EmailAddress,
        subject: String,
        body: String,
    ) -> Result<Self, MailError> {
        // The two separators end a line for some readers, and are no control characters.
        let no_line = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        let characters = subject.chars().count();
        if !(1..=SUBJECT_CHARACTERS_MAX).contains(&characters) || subject.contains(no_line) {
            return Err(MailError::Subject);
        }
        let not_text = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        if body.len() > BODY_BYTES_MAX || body.contains(not_text) {
            return Err(MailError::Body);
        }
        Ok(Self { id, recipient, subject, body })
    }

    /// Its id: 32 hexadecimal digits.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Who gets it.
    pub fn recipient(&self) -> &EmailAddress {
        &self.recipient
    }

    /// What it is about, in one line.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// What it says. It may hold a link that lets somebody in, so it belongs in no log.
    pub fn body(&self) -> &str {
        &self.body
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Mail");
        shown.field("id", &self.id).field("recipient", &self.recipient);
        shown.field("subject", &self.subject).field("body", &"not shown").finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemRandom;

    #[test]
    fn a_subject_is_one_line_and_a_text_is_bounded() {
        let to: EmailAddress = "a@example.no".parse().unwrap();
        let new = |subject: &str, body: &str| Mail::new(&SystemRandom, to.clone(), subject, body);
        let mail = new("Nøkkel går snart ut", "Hei\n\tå\r\n").unwrap();
        assert_eq!((mail.id().len(), mail.subject()), (32, "Nøkkel går snart ut"));
        let injected = ["a\r\nBcc: b@example.no", "a\nb", "a\rb", "a\0", "a\u{85}b", "a\u{2028}b"];
        for subject in injected.into_iter().chain(["", &"a".repeat(501)]) {
            assert_eq!(new(subject, "x"), Err(MailError::Subject), "{subject:?}");
        }
        for body in ["a\0b", "\u{1b}[0m", &"a".repeat(64 * 1024 + 1)] {
            assert_eq!(new("x", body), Err(MailError::Body), "{body:.20?}");
        }
        assert!(!format!("{:?}", new("x", "secret link").unwrap()).contains("secret"));
    }
}
