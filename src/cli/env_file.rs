//! Settings of client commands, from the environment or from a file such as `dev.env`.
//!
//! The file is what a shell could source: `NAME='value'` and `export NAME='value'`, with the quoting
//! of a POSIX shell (section 2.2). It is data and not a program: what a shell would replace or run
//! (`$NAME`, `` `command` ``) is refused instead of being taken for something it is not.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::path::Path;
use std::str::Chars;

use thiserror::Error;

use crate::cli::failure::Failure;
use crate::cli::input;

/// Settings by name. What stands in the file goes before what stands in the environment.
pub(super) struct Settings {
    file: BTreeMap<String, String>,
}

impl Settings {
    /// The environment, behind the settings of `file` if one is given.
    pub(super) fn load(file: Option<&Path>) -> Result<Self, Failure> {
        let file = match file {
            None => BTreeMap::new(),
            Some(path) => parse(&input::read_text(path)?)
                .map_err(|error| Failure::usage(format!("{}, {error}", path.display())))?,
        };
        Ok(Self { file })
    }

    /// The settings of a text alone.
    #[cfg(test)]
    pub(super) fn of(text: &str) -> Self {
        Self { file: parse(text).unwrap() }
    }

    /// A setting; one that is empty is not set.
    pub(super) fn value(&self, name: &str) -> Option<String> {
        let from_file = self.file.get(name).filter(|value| !value.is_empty()).cloned();
        from_file.or_else(|| environment_variable(name))
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where client commands read it")]
fn environment_variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Why a file of settings cannot be read. It never says what a value is.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("line {line}: {problem}")]
pub(super) struct EnvFileError {
    line: usize,
    problem: &'static str,
}

/// Reads the settings of a file.
pub(super) fn parse(text: &str) -> Result<BTreeMap<String, String>, EnvFileError> {
    let mut reader = Reader { rest: text.chars().peekable(), line: 1 };
    let mut settings = BTreeMap::new();
    while let Some((name, value)) = reader.assignment()? {
        settings.insert(name, value);
    }
    Ok(settings)
}

/// A place in the text.
struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    /// The line of that place, counted from one.
    line: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let character = self.rest.next();
        self.line += usize::from(character == Some('\n'));
        character
    }

    fn wrong<T>(&self, problem: &'static str) -> Result<T, EnvFileError> {
        Err(EnvFileError { line: self.line, problem })
    }

    /// The next assignment, or nothing at the end of the text.
    fn assignment(&mut self) -> Result<Option<(String, String)>, EnvFileError> {
        self.skip_to_word();
        if self.rest.peek().is_none() {
            return Ok(None);
        }
        let mut name = self.name();
        if name == "export" && self.rest.peek().is_some_and(|c| matches!(c, ' ' | '\t')) {
            while self.rest.peek().is_some_and(|c| matches!(c, ' ' | '\t')) {
                self.next();
            }
            name = self.name();
        }
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return self.wrong("expected NAME='value'");
        }
        if self.rest.peek() != Some(&'=') {
            return self.wrong("expected = after the name, without spaces");
        }
        self.next();
        Ok(Some((name, self.word()?)))
    }

    /// Skips white space, the ends of commands, and comments.
    fn skip_to_word(&mut self) {
        while let Some(&character) = self.rest.peek() {
            match character {
                '#' => while self.next().is_some_and(|c| c != '\n') {},
                ';' => _ = self.next(),
                blank if blank.is_ascii_whitespace() => _ = self.next(),
                _ => return,
            }
        }
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(&c) = self.rest.peek()
            && (c.is_ascii_alphanumeric() || c == '_')
        {
            name.push(c);
            self.next();
        }
        name
    }

    /// One shell word: quoted and bare pieces without a space between them.
    fn word(&mut self) -> Result<String, EnvFileError> {
        let mut word = String::new();
        while let Some(&character) = self.rest.peek() {
            match character {
                blank if blank.is_ascii_whitespace() => break,
                ';' => break,
                '\'' => self.single_quoted(&mut word)?,
                '"' => self.double_quoted(&mut word)?,
                '\\' => {
                    self.next();
                    // A line that ends in a backslash goes on in the next.
                    word.extend(self.next().filter(|c| *c != '\n'));
                }
                '$' | '`' => return self.wrong("$ and ` are not replaced here: use single quotes"),
                '&' | '|' | '<' | '>' | '(' | ')' => {
                    return self.wrong("this character needs quotes around it");
                }
                plain => {
                    word.push(plain);
                    self.next();
                }
            }
        }
        Ok(word)
    }

    fn single_quoted(&mut self, word: &mut String) -> Result<(), EnvFileError> {
        let opened = self.line;
        self.next();
        loop {
            match self.next() {
                Some('\'') => return Ok(()),
                Some(character) => word.push(character),
                None => return Err(EnvFileError { line: opened, problem: UNCLOSED }),
            }
        }
    }

    fn double_quoted(&mut self, word: &mut String) -> Result<(), EnvFileError> {
        let opened = self.line;
        self.next();
        loop {
            match self.next() {
                Some('"') => return Ok(()),
                Some('$' | '`') => {
                    return self.wrong("$ and ` are not replaced here: use single quotes");
                }
                Some('\\') => match self.next() {
                    Some('\n') => {}
                    Some(escaped @ ('$' | '`' | '"' | '\\')) => word.push(escaped),
                    other => {
                        word.push('\\');
                        word.extend(other);
                    }
                },
                Some(character) => word.push(character),
                None => return Err(EnvFileError { line: opened, problem: UNCLOSED }),
            }
        }
    }
}

const UNCLOSED: &str = "a quote is opened here and never closed";

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> String {
        parse(text).unwrap().remove("NAME").unwrap()
    }

    #[test]
    fn reads_exported_and_plain_assignments_and_skips_comments() {
        let text =
            "# made by portvakt dev\n\nexport A='1'\r\n  B=2 # not B\n\texport  C=\nD='x';E=y";
        let found = parse(text).unwrap();
        let expected = [("A", "1"), ("B", "2"), ("C", ""), ("D", "x"), ("E", "y")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(found, BTreeMap::from(expected));
    }

    #[test]
    fn json_in_single_quotes_is_kept_byte_for_byte() {
        let json = r#"{"kty":"RSA","n":"a\\b $HOME `x`","x5c":["MII\n"]}"#;
        assert_eq!(value(&format!("export NAME='{json}'\n")), json);
    }

    #[test]
    fn quotes_and_escapes_mean_what_they_mean_to_a_shell() {
        for (text, expected) in [
            (r"NAME='it'\''s'", "it's"),
            (r#"NAME="a \"b\" \$c \\ \d""#, r#"a "b" $c \ \d"#),
            (r"NAME=a\ b\#c", "a b#c"),
            ("NAME=a#b", "a#b"),
            ("NAME='two\nlines'", "two\nlines"),
            ("NAME=one\\\ntwo", "onetwo"),
            (r#"NAME=a'b'"c"d"#, "abcd"),
            ("NAME=first\nNAME=second", "second"),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn refuses_what_a_shell_would_replace_or_run_and_says_the_line_but_not_the_value() {
        for (text, line) in [
            ("A=1\nNAME=$HOME", 2),
            ("NAME=\"`hunter2`\"", 1),
            ("NAME = hunter2", 1),
            ("hunter2", 1),
            ("\n\nNAME='hunter2\n\n", 3),
            ("NAME=\"hunter2", 1),
            ("NAME=$(hunter2)", 1),
            ("NAME=a&hunter2", 1),
            ("1A=b", 1),
            ("export", 1),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.line, line, "{text}");
            assert!(!format!("{error:?} {error}").contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn the_file_goes_before_the_environment_and_empty_is_not_set() {
        let file = BTreeMap::from([("PATH", "/file"), ("HOME", "")]);
        let file = file.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let settings = Settings { file: file.collect() };
        assert_eq!(settings.value("PATH").as_deref(), Some("/file"));
        assert_ne!(settings.value("HOME").as_deref(), Some(""));
        assert_eq!(settings.value("PORTVAKT_THAT_NOBODY_SETS"), None);
    }
}
