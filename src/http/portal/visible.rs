//! Names as they are shown where somebody decides about them: nothing in them hides.

use std::fmt::Write as _;

/// The text with characters that cannot be seen, or that turn the direction of writing, shown by their numbers.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if hides(c) {
            let _ = write!(shown, "[U+{:04X}]", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Controls, and Unicode's format characters that a name has no use for.
fn hides(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{180b}'..='\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hides_in_a_name() {
        assert_eq!(visible("Fjordbyen «ÅØÆ» – 北"), "Fjordbyen «ÅØÆ» – 北");
        assert_eq!(visible("a\u{202e}b\u{200b}\n"), "a[U+202E]b[U+200B][U+000A]");
    }
}
