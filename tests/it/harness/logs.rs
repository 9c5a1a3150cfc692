//! What the servers of all tests log, kept so that tests can look for what must not be there.

use std::io;
use std::sync::{Mutex, Once};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::harness::queries;

static LOGGED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Begins to keep what is logged; a second call changes nothing. Statements of the database are kept of requests that
/// are to be counted only.
pub(crate) fn capture() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_env_filter(EnvFilter::new(format!(
                "info,portvakt=trace,[{}]=debug",
                queries::SPAN
            )))
            .with_writer(Shared)
            .init();
    });
}

/// Everything that has been logged so far.
pub(crate) fn all() -> String {
    let logged = LOGGED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    String::from_utf8(logged.clone()).unwrap()
}

/// The lines in which `text` stands.
pub(crate) fn lines_with(text: &str) -> Vec<String> {
    all().lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
}

/// What no log may hold: the beginning of a JSON object in base64url, as every assertion and token has
/// it, and PEM.
pub(crate) fn assert_clean() {
    let all = all();
    for secret in ["eyJ", "-----BEGIN", "\u{1b}"] {
        let line = all.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{secret:?} has been logged: {}", line.unwrap());
    }
    for line in all.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "no JSON: {line}");
    }
}

struct Shared;

impl<'a> MakeWriter<'a> for Shared {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}

impl io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut logged = LOGGED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        logged.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
