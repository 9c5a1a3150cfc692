//! Comma-separated values (RFC 4180): files for spreadsheets, and lines that people paste from them.

/// What separates cells, the most telling first: notes hold commas.
const SEPARATORS: [char; 3] = [';', '\t', ','];

/// A line of a file. A text that a spreadsheet would take for a formula gets an apostrophe before it, because others
/// than the reader choose names.
pub(super) fn line<const CELLS: usize>(values: [String; CELLS]) -> String {
    let quoted = values.map(|value| {
        let guard = if is_formula(&value) { "'" } else { "" };
        format!("\"{guard}{}\"", value.replace('"', "\"\""))
    });
    format!("{}\r\n", quoted.join(","))
}

/// Spreadsheets take the full-width signs for the others.
fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'])
}

/// The cells of a line with one of the usual separators, without white space around them and without the apostrophe
/// that [`line()`] puts before what looks like a formula.
pub(super) fn cells(line: &str) -> Vec<String> {
    let separator = SEPARATORS.into_iter().find(|separator| line.contains(*separator));
    let mut cells = vec![String::new()];
    let mut in_quotes = false;
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        let Some(cell) = cells.last_mut() else { break };
        match c {
            '"' if in_quotes && rest.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' if in_quotes => in_quotes = false,
            '"' if cell.trim().is_empty() => {
                cell.clear();
                in_quotes = true;
            }
            c if !in_quotes && Some(c) == separator => cells.push(String::new()),
            c => cell.push(c),
        }
    }
    let unguarded = |cell: String| {
        let cell = cell.trim();
        cell.strip_prefix('\'').filter(|text| is_formula(text)).unwrap_or(cell).to_owned()
    };
    cells.into_iter().map(unguarded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_no_formula_and_ends_where_it_should() {
        let line = line(["=1+1", "a\"b", "-", "x", ""].map(str::to_owned));
        assert_eq!(line, "\"'=1+1\",\"a\"\"b\",\"'-\",\"x\",\"\"\r\n");
        assert_eq!(cells(line.trim_end()), ["=1+1", "a\"b", "-", "x", ""]);
        assert_eq!(super::line(["＝1+1".to_owned()]), "\"'＝1+1\"\r\n");
    }

    #[test]
    fn cells_are_found_whatever_separates_them() {
        assert_eq!(cells("310000108;;a, b"), ["310000108", "", "a, b"]);
        assert_eq!(cells("310000108\t2027-01-01\tnote"), ["310000108", "2027-01-01", "note"]);
        assert_eq!(cells("a, b"), ["a", "b"]);
        assert_eq!(cells("\"a;b\"; c"), ["a;b", "c"]);
        assert_eq!(cells("it's \"so\""), ["it's \"so\""]);
        assert_eq!(cells(""), [""]);
    }
}
