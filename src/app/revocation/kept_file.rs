//! A file of something that came over the network: a line of JSON that says what it is, then the bytes as they came.
//!
//! It is written under another name first, so that whoever sees it sees all of it.

use std::fmt::Write as _;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::pki::chain::fingerprint;

/// The longest first line: an address and two validators.
const HEAD_BYTES_MAX: usize = 8 * 1024;

/// What such a file is called: names of other things make no names of files, so a digest does.
pub(super) fn name<'a>(of: impl IntoIterator<Item = &'a [u8]>, ending: &str) -> String {
    let mut name = String::new();
    for octet in fingerprint(of) {
        // Writing to a string cannot fail.
        let _ = write!(name, "{octet:02x}");
    }
    name + ending
}

/// What a file holds; `None` if it is not there. More than `bytes_max` after the first line are not read.
pub(super) fn read<Head: DeserializeOwned>(
    file: &Path,
    bytes_max: usize,
) -> io::Result<Option<(Head, Vec<u8>)>> {
    let size = match fs::metadata(file) {
        Ok(metadata) => usize::try_from(metadata.len()).unwrap_or(usize::MAX),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if size > HEAD_BYTES_MAX + bytes_max {
        return Err(io::Error::other(format!("it has {size} bytes, more than is ever kept")));
    }
    let mut bytes = fs::read(file)?;
    let end = bytes.iter().take(HEAD_BYTES_MAX).position(|&byte| byte == b'\n');
    let head = end.and_then(|end| serde_json::from_slice(&bytes[..end]).ok());
    match (end, head) {
        (Some(end), Some(head)) => {
            bytes.drain(..=end);
            Ok(Some((head, bytes)))
        }
        _ => Err(io::Error::other("it does not begin with a line that says what it is")),
    }
}

/// Writes a file in a folder, which is made if it is not there; only its owner reads it. `before_it_counts` is done with
/// it while it has not got its name yet.
pub(super) fn write<Head: Serialize>(
    file: &Path,
    head: &Head,
    bytes: &[u8],
    before_it_counts: impl FnOnce(&File) -> io::Result<()>,
) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let new = file.with_extension("new");
    let mut options = OpenOptions::new();
    let mut written = options.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    let mut whole = serde_json::to_vec(head)?;
    whole.push(b'\n');
    written.write_all(&whole)?;
    written.write_all(bytes)?;
    before_it_counts(&written)?;
    fs::rename(&new, file)
}
