//! What responders have told, on disk, so that a start does not depend on them.
//!
//! One file for each certificate of a trust set, with the answer as it came, the nonce that was sent, and when it came.
//! It is judged like an answer that comes now, but as of that moment, so that it counts for as long as it would have
//! without a start in between. Whoever can write here can play back an answer that he has, until its own end.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::app::revocation::kept_file;
use crate::clock::Timestamp;
use crate::pki::ocsp::{OCSP_KEY_BYTES, OCSP_NONCE_BYTES, OCSP_RESPONSE_BYTES_MAX};

/// How the names of files end; nothing else in the folder is touched, but for what was not finished.
const ENDING: &str = ".answer";
const UNFINISHED: &str = ".new";

/// Files, at most, as many as certificates are looked after; one has 2 to 6 KiB, and never more than 72.
const FILES_MAX: usize = 20_000;

/// What tells a certificate from all others.
type CertificateKey = [u8; OCSP_KEY_BYTES];

/// A folder of answers.
pub(super) struct Answers {
    folder: PathBuf,
    /// How many files there are, as far as it is known.
    files: AtomicUsize,
    files_max: usize,
}

/// An answer, before it is read.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Kept {
    /// When it came.
    pub(super) received: Timestamp,
    /// The nonce of the question.
    pub(super) nonce: Option<[u8; OCSP_NONCE_BYTES]>,
    pub(super) bytes: Vec<u8>,
}

#[derive(Deserialize, Serialize)]
struct Head {
    trust_set: String,
    certificate: CertificateKey,
    received: i64,
    nonce: Option<[u8; OCSP_NONCE_BYTES]>,
}

impl Answers {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, files: AtomicUsize::new(0), files_max: FILES_MAX }
    }

    /// What is kept of a certificate; `None` if nothing is.
    pub(super) fn read(&self, trust_set: &str, key: &CertificateKey) -> io::Result<Option<Kept>> {
        let file = self.file(trust_set, key);
        match kept_file::read::<Head>(&file, OCSP_RESPONSE_BYTES_MAX)? {
            None => Ok(None),
            Some((head, bytes)) if head.trust_set == trust_set && head.certificate == *key => {
                let received = Timestamp::from_seconds(head.received);
                Ok(Some(Kept { received, nonce: head.nonce, bytes }))
            }
            Some(_) => Err(io::Error::other("it is about another certificate")),
        }
    }

    /// Keeps an answer for the next start. When there are too many already, it is not kept.
    pub(super) fn write(
        &self,
        trust_set: &str,
        key: &CertificateKey,
        kept: &Kept,
    ) -> io::Result<()> {
        let file = self.file(trust_set, key);
        let is_new = !file.try_exists()?;
        if is_new && self.files.load(Ordering::Relaxed) >= self.files_max {
            return Ok(());
        }
        let head = Head {
            trust_set: trust_set.to_owned(),
            certificate: *key,
            received: kept.received.seconds(),
            nonce: kept.nonce,
        };
        // One that a crash has spoilt is asked for again, so no disk has to hurry for it.
        kept_file::write(&file, &head, &kept.bytes, |_| Ok(()))?;
        self.files.fetch_add(usize::from(is_new), Ordering::Relaxed);
        Ok(())
    }

    /// Removes what was written before then, and what was written first where there is hardly any room left.
    pub(super) fn drop_older(&self, then: Timestamp) -> io::Result<()> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let then = u64::try_from(then.seconds()).unwrap_or_default();
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(then);
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            let ends = |ending: &str| path.to_str().is_some_and(|path| path.ends_with(ending));
            // Somebody may be giving it its name right now.
            if (ends(ENDING) || ends(UNFINISHED))
                && let Ok(changed) = entry.metadata().and_then(|file| file.modified())
            {
                files.push((changed, path));
            }
        }
        files.sort_unstable();
        let room = self.files_max / 10 * 9;
        let too_many = files.len().saturating_sub(room);
        let mut left = files.len();
        for (place, (changed, path)) in files.into_iter().enumerate() {
            if place < too_many || changed < then {
                fs::remove_file(path)?;
                left -= 1;
            }
        }
        self.files.store(left, Ordering::Relaxed);
        Ok(())
    }

    fn file(&self, trust_set: &str, key: &CertificateKey) -> PathBuf {
        self.folder.join(kept_file::name([trust_set.as_bytes(), key], ENDING))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn kept(seconds: i64, bytes: &[u8]) -> Kept {
        let received = Timestamp::from_seconds(seconds);
        Kept { received, nonce: Some([7; OCSP_NONCE_BYTES]), bytes: bytes.to_vec() }
    }

    fn files(answers: &Answers) -> usize {
        fs::read_dir(&answers.folder).unwrap().count()
    }

    #[test]
    fn what_is_kept_of_a_certificate_is_read_again_and_of_no_other() {
        let place = tempfile::tempdir().unwrap();
        let answers = Answers::new(place.path().join("answers"));
        let (a, b) = ([1; OCSP_KEY_BYTES], [2; OCSP_KEY_BYTES]);
        assert_eq!(answers.read("n", &a).unwrap(), None);
        for bytes in [&b"0\n1"[..], b"2\n"] {
            answers.write("n", &a, &kept(5, bytes)).unwrap();
            assert_eq!(answers.read("n", &a).unwrap(), Some(kept(5, bytes)));
        }
        assert_eq!(answers.read("m", &a).unwrap(), None);
        assert_eq!(answers.read("n", &b).unwrap(), None);
        for (set, key) in [("m", &a), ("n", &b)] {
            fs::copy(answers.file("n", &a), answers.file(set, key)).unwrap();
            assert!(answers.read(set, key).is_err(), "{set}");
        }
        let long = vec![b'x'; OCSP_RESPONSE_BYTES_MAX + 10_000];
        for text in [&b""[..], b"{}\nanswer", b"answer", &long] {
            fs::write(answers.file("n", &a), text).unwrap();
            assert!(answers.read("n", &a).is_err());
        }
    }

    #[test]
    fn what_is_old_goes_and_there_are_never_too_many() {
        let place = tempfile::tempdir().unwrap();
        let answers = Answers { files_max: 10, ..Answers::new(place.path().join("answers")) };
        let key = |id: u8| [id; OCSP_KEY_BYTES];
        let write = |id: u8| answers.write("n", &key(id), &kept(5, b"x")).unwrap();
        let date = |file: &Path, seconds: u64| {
            let file = fs::OpenOptions::new().write(true).open(file).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        };
        answers.drop_older(Timestamp::from_seconds(0)).unwrap();
        for id in 0..12 {
            write(id);
        }
        assert_eq!(files(&answers), 10);
        // One that is there is replaced all the same.
        write(0);
        assert_eq!(files(&answers), 10);
        for id in 0..10 {
            date(&answers.file("n", &key(id)), 2_000 + u64::from(id));
        }
        answers.drop_older(Timestamp::from_seconds(1_000)).unwrap();
        assert_eq!(files(&answers), 9);
        assert_eq!(answers.read("n", &key(0)).unwrap(), None);
        let (other, unfinished) = (answers.folder.join("other"), answers.folder.join("x.new"));
        for file in [&other, &unfinished] {
            fs::write(file, "x").unwrap();
            date(file, 999);
        }
        answers.drop_older(Timestamp::from_seconds(2_003)).unwrap();
        assert!(other.exists() && !unfinished.exists());
        assert_eq!(answers.read("n", &key(2)).unwrap(), None);
        assert_eq!(answers.read("n", &key(3)).unwrap(), Some(kept(5, b"x")));
        assert_eq!(files(&answers), 8);
        write(11);
        assert_eq!(files(&answers), 9);
    }
}
