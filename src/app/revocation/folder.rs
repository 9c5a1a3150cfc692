//! Fetched revocation lists on disk, so that a start does not depend on a network.
//!
//! One file for each address, with the address, the validators and the list. What it holds is judged like everything else
//! that was fetched.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::app::revocation::kept_file;
use crate::domain::remote_url::RemoteUrl;
use crate::pki::crl::CRL_BYTES_MAX;
use crate::remote::revocation_list::Validators;

/// How the names of files end; nothing else in the folder is touched.
const ENDING: &str = ".fetched";

/// A folder of fetched lists.
pub(super) struct Folder(PathBuf);

/// A list that was fetched, before it is read.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Kept {
    pub(super) validators: Validators,
    pub(super) bytes: Vec<u8>,
}

#[derive(Deserialize, Serialize)]
struct Head {
    url: String,
    validators: Validators,
}

impl Folder {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// What is kept from an address; `None` if nothing is, or something else.
    pub(super) fn read(&self, url: &RemoteUrl) -> io::Result<Option<Kept>> {
        match kept_file::read::<Head>(&self.file(url), CRL_BYTES_MAX)? {
            None => Ok(None),
            Some((head, bytes)) if head.url == url.as_str() => {
                Ok(Some(Kept { validators: head.validators, bytes }))
            }
            Some(_) => Err(io::Error::other("it is from another address")),
        }
    }

    /// Keeps a list for the next start.
    pub(super) fn write(&self, url: &RemoteUrl, kept: &Validators, bytes: &[u8]) -> io::Result<()> {
        let head = Head { url: url.as_str().to_owned(), validators: kept.clone() };
        // A name without its content would be the worst of both.
        kept_file::write(&self.file(url), &head, bytes, fs::File::sync_all)
    }

    /// Removes what was fetched from addresses that are fetched from no more.
    pub(super) fn keep_only<'a>(
        &self,
        urls: impl Iterator<Item = &'a RemoteUrl>,
    ) -> io::Result<()> {
        let kept: Vec<PathBuf> = urls.map(|url| self.file(url)).collect();
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        for entry in entries {
            let path = entry?.path();
            let is_ours = path.to_str().is_some_and(|path| path.ends_with(ENDING));
            if is_ours && !kept.contains(&path) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    fn file(&self, url: &RemoteUrl) -> PathBuf {
        self.0.join(kept_file::name([url.as_str().as_bytes()], ENDING))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn url(text: &str) -> RemoteUrl {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_kept_is_read_again_and_only_its_owner_reads_it() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path().join("lists"));
        let (a, b) = (url("http://a.example/\u{25}2f?x"), url("http://b.example/"));
        assert_eq!(folder.read(&a).unwrap(), None);
        let validators: Validators =
            serde_json::from_str(r#"{"etag":"\"1\"","last_modified":null}"#).unwrap();
        for bytes in [&b"0\n1"[..], b"2\n"] {
            folder.write(&a, &validators, bytes).unwrap();
            let kept = folder.read(&a).unwrap().unwrap();
            assert_eq!((&kept.validators, &kept.bytes[..]), (&validators, bytes));
        }
        folder.write(&b, &Validators::default(), b"3").unwrap();
        let files = || fs::read_dir(place.path().join("lists")).unwrap();
        assert_eq!(files().count(), 2);
        for file in files() {
            let mode = file.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(place.path().join("lists/other"), "x").unwrap();
        folder.keep_only([&a].into_iter()).unwrap();
        assert_eq!(folder.read(&b).unwrap(), None);
        assert_eq!(files().count(), 2);
    }

    #[test]
    fn a_file_of_another_address_or_of_nothing_is_not_believed() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path().to_owned());
        let (a, b) = (url("http://a.example/"), url("http://b.example/"));
        folder.write(&a, &Validators::default(), b"list").unwrap();
        fs::rename(folder.file(&a), folder.file(&b)).unwrap();
        assert!(folder.read(&b).is_err());
        for text in ["", "{}\nlist", "list"] {
            fs::write(folder.file(&a), text).unwrap();
            assert!(folder.read(&a).is_err(), "{text:?}");
        }
    }
}
