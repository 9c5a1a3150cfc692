//! What commands read: files that options name, and tokens.

use std::io::{self, Read as _};
use std::path::Path;

use crate::cli::failure::Failure;

/// The largest file or token that is read; whatever a client has is far smaller.
const BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Reads a file that the command line or the environment names.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    let problem = |error: &dyn std::fmt::Display| {
        Failure::usage(format!("{} cannot be read: {error}", path.display()))
    };
    let file = std::fs::File::open(path).map_err(|error| problem(&error))?;
    read_limited(file).map_err(|error| problem(&error))
}

/// Reads a file of text.
pub(super) fn read_text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(read_file(path)?)
        .map_err(|_| Failure::usage(format!("{} is not UTF-8 text", path.display())))
}

/// A token from the command line, or from standard input if it is `-` there.
pub(super) fn read_token(argument: &str) -> Result<String, Failure> {
    if argument != "-" {
        return Ok(argument.trim().to_owned());
    }
    let problem = |error| Failure::failed(format!("standard input cannot be read: {error}"));
    let bytes = read_limited(io::stdin().lock()).map_err(problem)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::failed("what standard input gave is not text"))?;
    Ok(text.trim().to_owned())
}

fn read_limited(source: impl io::Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = source.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if u64::try_from(read).is_ok_and(|read| read <= BYTES_MAX) {
        Ok(bytes)
    } else {
        Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 32 MiB"))
    }
}
