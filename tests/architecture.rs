//! The house rules, held by reading the source: which layer may import which, which library lives in which
//! room, how large a file may be, and that every file says what it is.

use std::fs;
use std::path::{Path, PathBuf};

/// A layer may import only what stands to its right.
const LAYERS: [&str; 13] = [
    "cli",
    "http",
    "app",
    "telemetry",
    "registry",
    "remote",
    "token",
    "keys",
    "pki",
    "store",
    "config",
    "domain",
    "clock",
];

/// Imports that the order would allow and the house does not: lower layers are handed plain values, and what
/// a request may do to the database goes through a verb.
const FENCES: [(&str, &[&str]); 9] = [
    ("http", &["store", "pki", "config", "telemetry", "remote"]),
    ("telemetry", &["config", "store", "pki", "keys", "registry", "remote"]),
    ("registry", &["config", "pki", "telemetry", "remote"]),
    ("remote", &["config", "pki", "store"]),
    ("token", &["config"]),
    ("keys", &["config"]),
    ("pki", &["config", "store"]),
    ("store", &["config"]),
    ("config", &["store"]),
];

/// Each library is named in these layers only.
const ROOMS: &[(&str, &[&str])] = &[
    ("anyhow", &["cli"]),
    ("argon2", &["keys"]),
    ("askama", &["http"]),
    ("aws_lc_rs", &["clock", "keys", "pki", "store", "token"]),
    ("axum", &["http"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("flate2", &["http"]),
    ("fluent_bundle", &["http"]),
    ("form_urlencoded", &["http"]),
    ("hdrhistogram", &["cli"]),
    ("http_body_util", &["http"]),
    ("hyper", &["http"]),
    ("hyper_util", &["http"]),
    ("josekit", &["cli"]),
    ("jsonwebtoken", &["keys"]),
    ("lettre", &["remote"]),
    ("moka", &["token"]),
    ("num_bigint", &["pki"]),
    ("openidconnect", &["remote"]),
    ("openssl", &["cli"]),
    ("prometheus_client", &["telemetry"]),
    ("qrcode", &["http"]),
    ("rcgen", &["cli"]),
    ("rlimit", &["cli"]),
    ("reqwest", &["cli", "remote"]),
    ("rustls", &["http"]),
    ("rustls_pki_types", &["pki", "cli"]),
    ("sqlx", &["store"]),
    ("tokio_rustls", &["http"]),
    ("toml", &["config", "cli"]),
    ("totp_rs", &["keys"]),
    ("tracing_subscriber", &["telemetry"]),
    ("unic_langid", &["http"]),
    ("webpki", &["pki"]),
    ("x509_parser", &["pki"]),
];

/// Lines of a file: nearly all stay below the first, none is above the second.
const LINES_USUAL: usize = 400;
const LINES_MAX: usize = 600;

struct Source {
    path: PathBuf,
    layer: String,
    text: String,
}

/// Every file under `src`, with what is compiled into the program: without its tests.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let inside = path.strip_prefix(&root).unwrap();
                let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
                let layer = first.trim_end_matches(".rs").to_owned();
                let is_test = inside
                    .components()
                    .any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "tests.rs")));
                let text = fs::read_to_string(&path).unwrap();
                let text = if is_test { String::new() } else { without_tests(&text) };
                found.push(Source { path, layer, text });
            }
        }
    }
    assert!(found.len() > 50, "the source is not where this test looks for it");
    found
}

fn without_tests(text: &str) -> String {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned()
}

/// The layers that a text names in paths that begin with `crate::`.
fn imports(text: &str) -> Vec<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code: String = code.collect::<Vec<_>>().join("\n");
    let name = |rest: &str| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let mut found: Vec<String> = Vec::new();
    for part in code.split("crate::").skip(1) {
        match part.strip_prefix('{') {
            Some(group) => {
                let group = group.split('}').next().unwrap_or_default();
                found.extend(group.split(',').map(|one| name(one.trim())));
            }
            None => found.push(name(part)),
        }
    }
    found
}

fn rank(layer: &str) -> Option<usize> {
    LAYERS.iter().position(|known| *known == layer)
}

#[test]
fn imports_go_one_way() {
    let mut wrong = Vec::new();
    for source in sources() {
        let own = rank(&source.layer);
        for target in imports(&source.text) {
            let Some(there) = rank(&target) else { continue };
            let fenced = FENCES
                .iter()
                .any(|(layer, closed)| *layer == source.layer && closed.contains(&target.as_str()));
            if own.is_some_and(|own| there < own) || fenced {
                wrong.push(format!("{} imports {target}", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_layer_is_known() {
    for source in sources() {
        let known =
            matches!(source.layer.as_str(), "main" | "lib") || rank(&source.layer).is_some();
        assert!(known, "{} is in no layer", source.path.display());
    }
}

#[test]
fn the_program_only_starts_the_command_line() {
    let main = sources().into_iter().find(|source| source.layer == "main").unwrap();
    assert!(main.text.contains("portvakt::cli::main()"));
    assert_eq!(main.text.matches("portvakt::").count(), 1);
}

#[test]
fn each_library_stays_in_its_room() {
    let mut wrong = Vec::new();
    for source in sources() {
        for line in source.text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for &(library, rooms) in ROOMS {
                let named = line.match_indices(&format!("{library}::")).any(|(at, _)| {
                    let before = line[..at].chars().next_back();
                    !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
                });
                if named && !rooms.contains(&source.layer.as_str()) {
                    wrong.push(format!("{}: {}", source.path.display(), line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn files_are_small() {
    let lines: Vec<(usize, PathBuf)> = sources()
        .into_iter()
        .map(|source| (fs::read_to_string(&source.path).unwrap().lines().count(), source.path))
        .collect();
    let too_large: Vec<_> = lines.iter().filter(|(lines, _)| *lines > LINES_MAX).collect();
    assert!(too_large.is_empty(), "{too_large:#?}");
    let large = lines.iter().filter(|(lines, _)| *lines > LINES_USUAL).count();
    assert!(
        large * 20 <= lines.len(),
        "{large} of {} files have over {LINES_USUAL} lines",
        lines.len()
    );
}

#[test]
fn every_file_says_what_it_is() {
    for source in sources() {
        let text = fs::read_to_string(&source.path).unwrap();
        assert!(text.starts_with("//! "), "{} does not open with //!", source.path.display());
    }
}

/// What a migration may do: the version before runs on beside the new one, so nothing that it reads or writes goes away,
/// and what it does not know is no row's to lack.
fn only_adds(statement: &str) -> bool {
    let adds = [
        "create table ",
        "create index ",
        "create unique index ",
        "drop index ",
        "insert into ",
        "update ",
    ];
    let words: Vec<&str> = statement.split_whitespace().collect();
    if let ["alter", "table", _, "add", "column", ..] = &words[..] {
        return !statement.contains("not null") || statement.contains("default");
    }
    adds.iter().any(|begin| words.join(" ").starts_with(begin.trim_end()))
}

#[test]
fn migrations_only_add() {
    // Made anew before anybody had run this server.
    const EXCEPT: (&str, &str) = ("20261122202000_replay_log.sql", "drop table replay");
    let mut wrong = Vec::new();
    // Those of PostgreSQL alone lie in a folder of their own.
    let folders = ["migrations", "migrations/postgres"];
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let paths = files.map(|file| file.unwrap().path());
    for path in paths.filter(|path| path.extension().is_some_and(|it| it == "sql")) {
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().map(|line| line.split("--").next().unwrap_or_default());
        let statements = lines.collect::<Vec<_>>().join("\n");
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        for statement in statements.split(';').map(str::trim).filter(|it| !it.is_empty()) {
            if !only_adds(statement) && (name.as_str(), statement) != EXCEPT {
                wrong.push(format!("{name}: {statement}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_checks_see_what_they_look_for() {
    assert!(!only_adds("alter table scope drop column details"));
    assert!(!only_adds("alter table scope add column x text not null"));
    assert!(!only_adds("drop table scope") && !only_adds("delete from scope"));

    assert_eq!(
        imports("use crate::{http, store::Store};\nlet x = crate::cli::main();"),
        ["http", "store", "cli"]
    );
    assert_eq!(imports("// crate::http is not imported here"), Vec::<String>::new());
}
