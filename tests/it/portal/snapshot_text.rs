//! What stays of a page from one run to the next: without what is made at random.

/// Letters of a run from which on it is no word.
const ID_MIN: usize = 32;

/// What a page is about, without what stands around all pages.
pub(super) fn main_of(page: &str) -> &str {
    let (_, rest) = page.split_once("<main").unwrap_or_else(|| panic!("no main part: {page}"));
    let (_, rest) = rest.split_once('>').unwrap();
    rest.split_once("</main>").unwrap().0
}

/// The text without empty lines, and with a word for everything random: ids, keys, tokens, and the pictures and addresses
/// that are made from them.
pub(super) fn steady(text: &str) -> String {
    let text = between(text, "name=\"form_token\" value=\"", '"');
    let text = between(&text, "name=\"id\" value=\"", '"');
    let text = between(&text, "after=", '"');
    let text = between(&text, "/portal/assets/", '/');
    let text = between(&text, "<svg xmlns=\"http://www.w3.org/2000/svg\" version", '>');
    let text = between(&text, "<path fill=\"#000\" d=\"", '"');
    let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    let lines: Vec<String> = lines.map(without_ids).collect();
    lines.join("\n")
}

/// Replaces what stands between `before` and `end`, wherever it does.
fn between(text: &str, before: &str, end: char) -> String {
    let mut parts = text.split(before);
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.find(end).map_or("", |at| &part[at..]);
        kept.push_str(before);
        kept.push('…');
        kept.push_str(rest);
    }
    kept
}

fn without_ids(line: &str) -> String {
    let is_part = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_');
    let mut kept = String::with_capacity(line.len());
    let mut run = String::new();
    for letter in line.chars().chain(['\n']) {
        if is_part(letter) {
            run.push(letter);
            continue;
        }
        kept.push_str(if is_id(&run) { "…" } else { &run });
        run.clear();
        kept.push(letter);
    }
    kept.pop();
    kept
}

/// Whether a run of letters is no word: hexadecimal, base 32 or base 64.
fn is_id(run: &str) -> bool {
    let any = |test: fn(&char) -> bool| run.chars().any(|it| test(&it));
    let hexadecimal = run.chars().all(|it| it.is_ascii_hexdigit() || it == '-');
    let capitals = run.chars().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit());
    let mixed = any(char::is_ascii_uppercase) && any(char::is_ascii_lowercase);
    run.len() >= ID_MIN && (hexadecimal || capitals || mixed)
}
