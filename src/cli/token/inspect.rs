//! `portvakt token inspect`: what a token says, in words.

use std::fmt::Write as _;

use clap::Args;
use serde_json::{Map, Value, json};

use crate::cli::failure::Failure;
use crate::cli::input;
use crate::cli::output::{self, TextOrJson};
use crate::cli::token::decoded::{DecodedToken, time};
use crate::clock::{Clock as _, SystemClock, Timestamp};

/// Shows what a token says, without checking it.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct InspectCommand {
    /// The token, or - for standard input.
    token: String,
    /// How to print it.
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: TextOrJson,
}

impl InspectCommand {
    /// Prints what the token says.
    pub(super) fn run(self) -> Result<(), Failure> {
        let token = DecodedToken::read(&input::read_token(&self.token)?)?;
        output::note("not verified: this is what the token says, whoever made it");
        match self.output {
            TextOrJson::Json => {
                output::print_json(&json!({ "header": token.header, "claims": token.claims }))
            }
            TextOrJson::Text => output::print(describe(&token, SystemClock.now()).trim_end()),
        }
    }
}

fn describe(token: &DecodedToken, now: Timestamp) -> String {
    let mut text = String::from("header\n");
    list(&mut text, &token.header, |_, _| None);
    text.push_str("claims\n");
    list(&mut text, &token.claims, |name, claims| when(name, time(claims, name)?, now));
    text
}

/// One line a member; texts are shown without quotes, which nobody needs to see.
fn list(
    text: &mut String,
    members: &Map<String, Value>,
    remark: impl Fn(&str, &Map<String, Value>) -> Option<String>,
) {
    let width = members.keys().map(String::len).max().unwrap_or_default();
    for (name, value) in members {
        let value = value.as_str().map_or_else(|| value.to_string(), output::printable);
        // Whoever made the token may have put in what a terminal would obey.
        let name_shown = output::printable(name);
        let remark = remark(name, members).map_or_else(String::new, |remark| format!("  {remark}"));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name_shown:width$}  {value}{remark}");
    }
}

/// A time in words.
fn when(name: &str, moment: Timestamp, now: Timestamp) -> Option<String> {
    if !matches!(name, "exp" | "iat" | "nbf") {
        return None;
    }
    let ahead = moment.seconds().saturating_sub(now.seconds());
    let distance = match (name, ahead) {
        ("exp", 1..) => format!("{} left", duration(ahead)),
        ("exp", _) => format!("expired {} ago", duration(-ahead)),
        (_, 1..) => format!("in {}", duration(ahead)),
        _ => format!("{} ago", duration(-ahead)),
    };
    Some(format!("{moment}, {distance}"))
}

fn duration(seconds: i64) -> String {
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    let (minutes, rest) = (seconds / 60 % 60, seconds % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest} s"),
        (0, 0, _) => format!("{minutes} min {rest} s"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_with_the_life_that_is_left() {
        let token = DecodedToken {
            header: Map::from_iter([("alg".to_owned(), json!("RS256"))]),
            claims: Map::from_iter([
                ("exp".to_owned(), json!(1_763_834_520)),
                ("iat".to_owned(), json!(1_763_834_400)),
                ("iss".to_owned(), json!("https://as/\u{1b}[31m")),
            ]),
        };
        let expected = "header\n  alg  RS256\nclaims\n\
            \x20 exp  1763834520  2025-11-22T18:02:00Z, 1 min 30 s left\n\
            \x20 iat  1763834400  2025-11-22T18:00:00Z, 30 s ago\n\
            \x20 iss  https://as/\\u{1b}[31m\n";
        assert_eq!(describe(&token, Timestamp::from_seconds(1_763_834_430)), expected);
    }

    #[test]
    fn an_expired_token_and_one_from_the_future_are_told() {
        let now = Timestamp::from_seconds(100_000);
        let told = |name, seconds| when(name, Timestamp::from_seconds(seconds), now);
        assert!(told("exp", 100_000).unwrap().ends_with("expired 0 s ago"));
        assert!(told("exp", 0).unwrap().ends_with("expired 1 d 3 h ago"));
        assert!(told("iat", 103_700).unwrap().ends_with("in 1 h 1 min"));
        assert_eq!(told("consumer", 1), None);
    }
}
