//! Text in markup that is made outside of templates.

use askama::filters::{Html, escape};

/// The text with what would be markup escaped, as templates do it.
pub(super) fn escaped(text: &str) -> String {
    escape(text, Html).map(|text| text.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(escaped("<a b=\"c\">'&"), "&#60;a b=&#34;c&#34;&#62;&#39;&#38;");
    }
}
