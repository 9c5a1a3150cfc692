//! E-mail that the server sends: to one address, a subject and a plain text.

use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::clock::Random;
use crate::domain::organization::EmailDomain;

/// The longest part before the `@`, in characters (RFC 5321 section 4.5.3.1.1).
const LOCAL_CHARACTERS_MAX: usize = 64;

/// The longest address, in characters: a path of 256 less its angle brackets (RFC 5321 section 4.5.3.1.3).
const ADDRESS_CHARACTERS_MAX: usize = 254;

/// The longest subject, in characters. Programs show the first fifty or so; a name of an organization has up to 255.
pub const SUBJECT_CHARACTERS_MAX: usize = 500;

/// The longest text, in bytes: a few screens. What is longer belongs on a page.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// Random bytes in the id of a mail.
const ID_BYTES: usize = 16;

/// One e-mail address, such as `name@example.no`.
///
/// It is ASCII and has no quotes, comments or address literals; so nothing in it means anything to a mail server or
/// in a header. The domain is in lower case; the part before the `@` stays as it was written, because it is the
/// domain's to say whether case matters there.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress {
    text: String,
    /// Where the `@` is.
    at: usize,
}

/// The text is not an e-mail address.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error(
    "an e-mail address is one address such as name@example.no: before the @ at most 64 letters, digits and \
     !#$%&'*+/=?^_`{{|}}~-, with single dots between them, and after it a domain"
)]
pub struct EmailAddressError;

impl EmailAddress {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The part before the `@`.
    pub fn local_part(&self) -> &str {
        &self.text[..self.at]
    }

    /// The part after the `@`, in lower case.
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }
}

impl FromStr for EmailAddress {
    type Err = EmailAddressError;

    /// Reads a dot-atom, an `@` and a domain (RFC 5321 section 4.1.2, without quoted strings and address literals).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (local, domain) = text.split_once('@').ok_or(EmailAddressError)?;
        let atom = |atom: &str| {
            let fits = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&b);
            !atom.is_empty() && atom.bytes().all(fits)
        };
        let fits = local.len() <= LOCAL_CHARACTERS_MAX
            && text.len() <= ADDRESS_CHARACTERS_MAX
            && local.split('.').all(atom);
        let domain: EmailDomain = domain.parse().map_err(|_| EmailAddressError)?;
        if fits {
            Ok(Self { text: format!("{local}@{domain}"), at: local.len() })
        } else {
            Err(EmailAddressError)
        }
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = EmailAddressError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.text
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

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
    use proptest::prelude::*;

    use super::*;
    use crate::clock::SystemRandom;

    #[test]
    fn an_address_is_kept_but_for_the_case_of_its_domain() {
        let address: EmailAddress = "Kari.Nordmann+a@Example.NO".parse().unwrap();
        assert_eq!(address.as_str(), "Kari.Nordmann+a@example.no");
        assert_eq!((address.local_part(), address.domain()), ("Kari.Nordmann+a", "example.no"));
        let longest = format!("{}@example.no", "a".repeat(64));
        assert!(longest.parse::<EmailAddress>().is_ok());
    }

    #[test]
    fn what_could_mean_more_than_one_address_is_refused() {
        let long = format!("{}@example.no", "a".repeat(65));
        let long_in_all = format!("a@{}.no", ["b".repeat(63).as_str(); 4].join("."));
        for text in [
            "",
            "@",
            "a",
            "a@",
            "@example.no",
            "a@example",
            "a@@example.no",
            "a@b@example.no",
            ".a@example.no",
            "a.@example.no",
            "a..b@example.no",
            "\"a\"@example.no",
            "\"a b\"@example.no",
            "a(comment)@example.no",
            "A <a@example.no>",
            "<a@example.no>",
            "a@example.no,b@example.no",
            "a@example.no;b@example.no",
            "a@example.no b@example.no",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            " a@example.no",
            "a@example.no ",
            "a@example.no\r\nBcc: b@example.no",
            "a\r\nRCPT TO:<b@example.no>@example.no",
            "a\n@example.no",
            "a\0@example.no",
            "å@example.no",
            "a@ås.no",
            "a@example.no.",
            &long,
            &long_in_all,
        ] {
            assert_eq!(text.parse::<EmailAddress>(), Err(EmailAddressError), "{text:?}");
        }
    }

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

    proptest! {
        #[test]
        fn no_address_holds_what_a_header_or_a_mail_server_would_read(
            text in "[a-z.@\"<>()\\r\\n ,;:\\\\\\[\\]åß0-9]{0,40}"
        ) {
            if let Ok(address) = text.parse::<EmailAddress>() {
                prop_assert!(address.as_str().bytes().all(|b| b.is_ascii_graphic()));
                prop_assert!(!address.as_str().contains(['"', '<', '>', '(', ')', ',', ';', ':', '\\', '[', ']']));
                prop_assert_eq!(address.as_str().matches('@').count(), 1);
            }
        }
    }
}
