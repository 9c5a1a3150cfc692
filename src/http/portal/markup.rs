//! Text in markup that is made outside of templates.

use askama::filters::{Html, Safe, escape};

/// The text with what would be markup escaped, as templates do it.
pub(super) fn escaped(text: &str) -> String {
    escape(text, Html).map(|text| text.to_string()).unwrap_or_default()
}

/// The name of a scope, which may break where it has parts and nowhere else, unless it must.
pub(super) fn in_parts(name: &str) -> Safe<String> {
    let mut markup = String::with_capacity(name.len());
    for c in name.chars() {
        markup.push_str(&escaped(c.encode_utf8(&mut [0; 4])));
        if matches!(c, ':' | '/' | '.' | '_') {
            markup.push_str("<wbr>");
        }
    }
    Safe(markup)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(in_parts("a:b.<c").0, "a:<wbr>b.<wbr>&#60;c");
        assert_eq!(escaped("<a b=\"c\">'&"), "&#60;a b=&#34;c&#34;&#62;&#39;&#38;");
    }
}
