//! Holds the texts of the three languages together, and to what templates and code ask for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::*;
use crate::http::portal::notice::Notice;
use crate::http::portal::page::{NAVIGATION, Page};

/// The names in a file with their placeholders and selectors.
fn names(file: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut current = String::new();
    for line in file.lines().filter(|line| !line.starts_with('#')) {
        if line.chars().next().is_some_and(char::is_alphabetic)
            && let Some((name, _)) = line.split_once(" =")
        {
            current = name.to_owned();
            assert!(
                found.insert(current.clone(), BTreeSet::new()).is_none(),
                "{name} is there twice"
            );
        }
        let mut rest = line;
        while let Some((_, after)) = rest.split_once('$') {
            let placeholder = after.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'));
            let placeholder = placeholder.into_iter().next().unwrap_or_default();
            found.entry(current.clone()).or_default().insert(placeholder.to_owned());
            rest = after;
        }
    }
    found
}

#[test]
fn every_language_says_the_same_with_the_same_placeholders() {
    let all = |files: [&str; 9]| files.map(names);
    let (nb, nn, en) = (all(files!("nb")), all(files!("nn")), all(files!("en")));
    for (area, bokmal) in nb.iter().enumerate() {
        assert_eq!(bokmal, &nn[area], "nynorsk differs");
        assert_eq!(bokmal, &en[area], "English differs");
    }
}

#[test]
fn every_file_can_be_read_to_its_end() {
    for files in [files!("nb"), files!("nn"), files!("en")] {
        let (_, problems) = bundle("nb", &files);
        assert_eq!(problems, Vec::<String>::new());
    }
    let (_, problems) = bundle("nb", &["a = { $x", "b = 1\nb = 2"]);
    assert_eq!(problems.len(), 2, "{problems:?}");
}

/// Every literal that stands first in a call of one of these.
fn asked_for(text: &str, calls: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for call in calls {
        for after in text.split(call).skip(1) {
            let after = after.trim_start();
            if let Some(literal) = after.strip_prefix('"') {
                found.push(literal.split('"').next().unwrap_or_default().to_owned());
            }
        }
    }
    found
}

fn every_source() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http/portal")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs" || kind == "html") {
                found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

#[test]
fn what_pages_ask_for_is_there() {
    let mut missing = Vec::new();
    let mut asked = 0;
    for (file, text) in every_source() {
        if file.ends_with("texts/tests.rs") {
            continue;
        }
        for name in asked_for(&text, &[".say(", ".fill(", ".fill1(", ".fill2("]) {
            asked += 1;
            if !Texts::of(Language::Bokmal).has(&name) {
                missing.push(format!("{file}: {name}"));
            }
        }
    }
    assert!(asked > 10, "the sources are not where this test looks for them");
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn what_is_named_by_a_word_is_there() {
    let notices = Notice::ALL.iter().map(|notice| format!("notice-{}", notice.name()));
    let schemes = Page::SCHEMES.iter().map(|scheme| format!("appearance-{}", scheme.name()));
    let sections = NAVIGATION.iter().map(|(section, _)| format!("section-{}", section.name()));
    let numbers = ["operator", "provider"].map(|area| format!("{area}-number-check"));
    let shapes = ["operator", "provider"].map(|area| format!("{area}-number-shape"));
    for name in notices.chain(schemes).chain(sections).chain(numbers).chain(shapes) {
        assert!(Texts::of(Language::Bokmal).has(&name), "{name}");
    }
}

#[test]
fn every_act_of_the_trail_has_a_verb() {
    const CALLS: [&str; 9] = [
        "on_access(",
        "on_client(",
        "on_delegation(",
        "on_organization(",
        "on_prefix(",
        "on_request(",
        "on_scope(",
        "on_user(",
        "edit_keys(actor, ",
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/registry");
    let mut verbs = Vec::new();
    for folder in [root.clone(), root.join("people")] {
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        for file in files.filter(|path| path.is_file()) {
            verbs.extend(asked_for(&fs::read_to_string(file).unwrap(), &CALLS));
        }
    }
    assert!(verbs.len() > 40, "the sources are not where this test looks for them: {verbs:?}");
    verbs.retain(|verb| {
        !Texts::of(Language::Bokmal).has(&format!("act-verb-{}", verb.replace([' ', '_'], "-")))
    });
    assert_eq!(verbs, Vec::<String>::new());
}

fn is_template(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|kind| kind == "html")
}

#[test]
fn templates_have_no_words_of_their_own() {
    let mut words = Vec::new();
    for (file, text) in every_source().iter().filter(|(file, _)| is_template(file)) {
        for run in outside_of_markup(text) {
            // Units, names of formats and marks are the same in every language.
            if run.chars().filter(|c| c.is_alphabetic()).count() > 1 && !run.starts_with('&') {
                words.push(format!("{file}: {run}"));
            }
        }
    }
    assert_eq!(words, Vec::<String>::new());
}

/// The words that everybody would see: what is neither a tag nor an expression, but for what is marked as the same in
/// every language by standing in `<code>` or being translated with `translate="no"`.
fn outside_of_markup(text: &str) -> Vec<String> {
    let mut bare = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '<']) {
        bare.push_str(&rest[..at]);
        bare.push('\n');
        rest = &rest[at..];
        let pairs = [
            ("{% block body_class", "endblock %}"),
            ("{{", "}}"),
            ("{%", "%}"),
            ("{#", "#}"),
            ("<code", "</code>"),
            ("<pre", "</pre>"),
        ];
        let pair = pairs.iter().find(|(begin, _)| rest.starts_with(begin));
        let length = match pair {
            Some((_, end)) => rest.find(end).map_or(rest.len(), |at| at + end.len()),
            None if rest.starts_with('<') => tag_length(rest),
            None => 1,
        };
        let untranslated = pair.is_none() && rest[..length].contains("translate=\"no\"");
        rest = &rest[length..];
        if untranslated {
            rest = rest.find('<').map_or("", |at| &rest[at..]);
        }
    }
    bare.push_str(rest);
    bare.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// The length of a tag, whose attributes may hold expressions with `>` in them.
fn tag_length(tag: &str) -> usize {
    let mut depth = 0_usize;
    let bytes = tag.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b'>' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    tag.len()
}

#[test]
fn words_in_templates_are_found() {
    assert_eq!(outside_of_markup("<p>Hei</p>{{ page.say(\"x\") }}"), ["Hei"]);
    assert_eq!(outside_of_markup("<p class=\"{% if a > b %}c{% endif %}\">{{ x }}"), [""; 0]);
    assert_eq!(outside_of_markup("<code>curl</code><b translate=\"no\">Portvakt</b>"), [""; 0]);
}
