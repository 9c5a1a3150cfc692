//! What people paste to give many organizations access: a line each, from a list, a letter or a spreadsheet.

use crate::clock::Timestamp;
use crate::domain::organization::{OrganizationNumber, OrganizationNumberError};
use crate::http::portal::csv;
use crate::http::portal::times::end_of_day;
use crate::registry::{ACCESS_BATCH_MAX, AccessTerms};

use super::TEXT_CHARACTERS_MAX;

/// A line that was pasted.
pub(super) struct Line {
    /// Which one, beginning with 1.
    pub(super) at: usize,
    /// What stands where the number should.
    pub(super) written: String,
    /// What it asks for, or the end of the name of the text about what is wrong with it.
    pub(super) read: Result<(OrganizationNumber, AccessTerms), &'static str>,
}

/// The lines of a text, and how many are left over because no more can be changed at once. Empty lines do not count,
/// nor does a first line with the names of columns, nor the mark with which some programs begin a file.
pub(super) fn read(text: &str, now: Timestamp) -> (Vec<Line>, usize) {
    let text = text.trim_start_matches('\u{feff}');
    let numbered = text.lines().enumerate().map(|(at, line)| (at + 1, line));
    let filled = numbered.filter(|(_, line)| !line.trim().is_empty());
    let has_digit = |line: &str| line.contains(|c: char| c.is_ascii_digit());
    let mut lines: Vec<_> =
        filled.filter(|(at, line)| *at > 1 || has_digit(line)).map(|it| line(it, now)).collect();
    let left = lines.len().saturating_sub(ACCESS_BATCH_MAX);
    lines.truncate(ACCESS_BATCH_MAX);
    let mut met = std::collections::HashSet::new();
    for line in &mut lines {
        if line.read.as_ref().is_ok_and(|(number, _)| !met.insert(*number)) {
            line.read = Err("twice");
        }
    }
    (lines, left)
}

fn line((at, text): (usize, &str), now: Timestamp) -> Line {
    let mut cells = csv::cells(text);
    if cells.len() == 1 {
        // A number with a note after it, as in a letter.
        let end = text.find(|c: char| !c.is_ascii_digit() && !c.is_whitespace());
        let (number, note) = text.split_at(end.unwrap_or(text.len()));
        if !number.trim().is_empty() {
            cells = vec![number.to_owned(), String::new(), note.trim().to_owned()];
        }
    }
    let mut cells = cells.into_iter();
    let written: String = cells.next().unwrap_or_default().split_whitespace().collect();
    let (end, note) = (cells.next().unwrap_or_default(), cells.next().unwrap_or_default());
    let number = match written.parse::<OrganizationNumber>() {
        Ok(number) => Ok(number),
        Err(OrganizationNumberError::CheckDigit) => Err("check"),
        Err(OrganizationNumberError::Shape) => Err("shape"),
    };
    let read = number.and_then(|number| Ok((number, terms(&end, note, now)?)));
    Line { at, written, read }
}

fn terms(written: &str, note: String, now: Timestamp) -> Result<AccessTerms, &'static str> {
    let expires_at = match written {
        "" => None,
        text => Some(end(text).ok_or("expires")?),
    };
    if expires_at.is_some_and(|end| end <= now) {
        return Err("past");
    }
    if note.chars().count() > TEXT_CHARACTERS_MAX || note.contains(char::is_control) {
        return Err("note");
    }
    Ok(AccessTerms { expires_at, note: Some(note).filter(|note| !note.is_empty()) })
}

/// The end of a day as browsers and spreadsheets in Norway write it, 2027-06-30 or 30.06.2027, or the moment that our own
/// files have.
fn end(text: &str) -> Option<Timestamp> {
    let norwegian = || {
        let mut parts = text.split('.');
        let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
        end_of_day(&format!("{year}-{month:0>2}-{day:0>2}"))
    };
    end_of_day(text).or_else(norwegian).or_else(|| Timestamp::from_rfc3339(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<(usize, String)> {
        let now = Timestamp::from_rfc3339("2026-11-28T12:00:00Z").unwrap();
        let said = |line: Line| match line.read {
            Ok((number, terms)) => {
                let end = terms.expires_at.map(|end| end.to_string()).unwrap_or_default();
                (line.at, format!("{number}|{end}|{}", terms.note.unwrap_or_default()))
            }
            Err(why) => (line.at, why.to_owned()),
        };
        read(text, now).0.into_iter().map(said).collect()
    }

    #[test]
    fn a_list_is_read_as_people_have_it() {
        let text = "\u{feff}number;expiry;note\r\n310000108;2027-06-30;a, b\n\n310 000 116  Skogheim 2\n\
                    991825827\t30.6.2027\n310000108\n310000107;;\n31000011\n310000116,2020-01-01\nabc";
        let end = "2027-06-30T22:00:00Z";
        let lines = [
            (2, format!("310000108|{end}|a, b")),
            (4, "310000116||Skogheim 2".to_owned()),
            (5, format!("991825827|{end}|")),
            (6, "twice".to_owned()),
            (7, "check".to_owned()),
            (8, "shape".to_owned()),
            (9, "past".to_owned()),
            (10, "shape".to_owned()),
        ];
        assert_eq!(shown(text), lines);
        assert_eq!(shown("991825827;soon"), [(1, "expires".to_owned())]);
    }

    #[test]
    fn no_more_is_read_than_can_be_changed_at_once() {
        let many = "991825827\n".repeat(ACCESS_BATCH_MAX + 7);
        let (lines, left) = read(&many, Timestamp::from_seconds(0));
        assert_eq!((lines.len(), left), (ACCESS_BATCH_MAX, 7));
    }
}
