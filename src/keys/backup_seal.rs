//! Seals backups: streams of any length, piece by piece, so that none has to fit into memory.
//!
//! A sealed stream opens with a head: what it is, 32 random bytes, and 16 bytes that say whether a key is the one. Each
//! stream has a key of its own, which is made of the secret and those random bytes, so that a nonce can simply be the
//! number of a piece. The nonce of the last piece says that it is the last: pieces can neither be changed nor moved nor
//! left out, and a stream that ends too early is found out.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;

use crate::clock::Random;

/// What every sealed stream begins with.
const MAGIC: &[u8; 18] = b"portvakt backup 1\n";

/// Random bytes of a stream.
const SALT_BYTES: usize = 32;

/// Bytes that say whether a key is the one.
const PROOF_BYTES: usize = 16;

/// Bytes of a piece before it is sealed: enough that sealing costs next to nothing, few enough to be held.
const PIECE_BYTES: usize = 64 * 1024;

/// What the tag adds to a piece.
const TAG_BYTES: usize = 16;

/// What tells the two uses of the secret apart.
const KEY_PURPOSE: &[u8] = b"key of a stream";
const PROOF_PURPOSE: &[u8] = b"proof of a key";

/// What backups are sealed with.
#[derive(Clone)]
pub struct BackupSeal(Arc<hmac::Key>);

impl BackupSeal {
    pub(super) fn new(secret: &[u8]) -> Self {
        Self(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, secret)))
    }

    /// Begins a sealed stream; it is whole after [`SealedWriter::finish`] and not before.
    pub fn writer<W: Write>(&self, mut to: W, random: &dyn Random) -> io::Result<SealedWriter<W>> {
        let mut salt = [0; SALT_BYTES];
        random.fill(&mut salt);
        to.write_all(MAGIC)?;
        to.write_all(&salt)?;
        to.write_all(&self.proof(&salt))?;
        let pieces = self.pieces(&salt)?;
        Ok(SealedWriter { to, pieces, piece: Vec::with_capacity(PIECE_BYTES + TAG_BYTES) })
    }

    /// Opens a sealed stream. Errors of the kind `InvalidData` say what is wrong with it: that it is none, that it has
    /// another key, or that it has been changed or cut.
    pub fn reader<R: Read>(&self, mut from: R) -> io::Result<SealedReader<R>> {
        let mut head = [0; MAGIC.len() + SALT_BYTES + PROOF_BYTES];
        from.read_exact(&mut head).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => invalid("is no backup, or has been cut"),
            _ => error,
        })?;
        let (magic, rest) = head.split_at(MAGIC.len());
        let (salt, proof) = rest.split_at(SALT_BYTES);
        if magic != MAGIC {
            return Err(invalid("is no backup of a version that this program knows"));
        }
        if self.proof(salt) != proof {
            return Err(invalid(
                "is sealed with another key; it needs the sealing key of the server that it was taken from",
            ));
        }
        let pieces = self.pieces(salt)?;
        let mut reader =
            SealedReader { from, pieces, ahead: Vec::new(), opened: Vec::new(), at: 0 };
        reader.ahead = reader.sealed_piece()?;
        Ok(reader)
    }

    fn proof(&self, salt: &[u8]) -> [u8; PROOF_BYTES] {
        let whole = hmac::sign(&self.0, &[PROOF_PURPOSE, salt].concat());
        let mut proof = [0; PROOF_BYTES];
        proof.copy_from_slice(&whole.as_ref()[..PROOF_BYTES]);
        proof
    }

    fn pieces(&self, salt: &[u8]) -> io::Result<Pieces> {
        let key = hmac::sign(&self.0, &[KEY_PURPOSE, salt].concat());
        let key = UnboundKey::new(&AES_256_GCM, key.as_ref()).map_err(io::Error::other)?;
        Ok(Pieces { key: LessSafeKey::new(key), next: 0 })
    }
}

/// The key of a stream, and the number of its next piece.
struct Pieces {
    key: LessSafeKey,
    next: u32,
}

impl Pieces {
    /// The nonce of the next piece; no other piece under this key has it.
    fn nonce(&mut self, is_last: bool) -> io::Result<Nonce> {
        let mut nonce = [0; NONCE_LEN];
        nonce[NONCE_LEN - 5..NONCE_LEN - 1].copy_from_slice(&self.next.to_be_bytes());
        nonce[NONCE_LEN - 1] = u8::from(is_last);
        self.next = self.next.checked_add(1).ok_or_else(|| invalid("is longer than 256 TiB"))?;
        Ok(Nonce::assume_unique_for_key(nonce))
    }
}

/// Seals what is written to it.
pub struct SealedWriter<W> {
    to: W,
    pieces: Pieces,
    piece: Vec<u8>,
}

impl<W: Write> SealedWriter<W> {
    /// Ends the stream, and gives back what it was written to.
    pub fn finish(mut self) -> io::Result<W> {
        self.seal(true)?;
        self.to.flush()?;
        Ok(self.to)
    }

    fn seal(&mut self, is_last: bool) -> io::Result<()> {
        let nonce = self.pieces.nonce(is_last)?;
        let sealed = self.pieces.key.seal_in_place_append_tag(nonce, Aad::empty(), &mut self.piece);
        sealed.map_err(io::Error::other)?;
        self.to.write_all(&self.piece)?;
        self.piece.clear();
        Ok(())
    }
}

impl<W: Write> Write for SealedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full piece waits for more, because the last one is sealed as such.
        if self.piece.len() == PIECE_BYTES && !bytes.is_empty() {
            self.seal(false)?;
        }
        let count = bytes.len().min(PIECE_BYTES - self.piece.len());
        self.piece.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Opens what it reads. Nothing comes out of it that has been changed; whether it was whole is known at its end.
pub struct SealedReader<R> {
    from: R,
    pieces: Pieces,
    /// The next piece, sealed; empty after the last.
    ahead: Vec<u8>,
    opened: Vec<u8>,
    at: usize,
}

impl<R: Read> SealedReader<R> {
    fn sealed_piece(&mut self) -> io::Result<Vec<u8>> {
        let most = u64::try_from(PIECE_BYTES + TAG_BYTES).unwrap_or(u64::MAX);
        let mut piece = Vec::with_capacity(PIECE_BYTES + TAG_BYTES);
        self.from.by_ref().take(most).read_to_end(&mut piece)?;
        Ok(piece)
    }

    fn open(&mut self) -> io::Result<()> {
        let following = self.sealed_piece()?;
        self.opened = std::mem::replace(&mut self.ahead, following);
        let (number, is_last) = (self.pieces.next, self.ahead.is_empty());
        let nonce = self.pieces.nonce(is_last)?;
        self.at = 0;
        let opened = self.pieces.key.open_in_place(nonce, Aad::empty(), &mut self.opened);
        let length = opened.map(|text| text.len());
        if length.is_err() {
            // Whoever reads on reads nothing of it.
            self.opened.clear();
            self.ahead.clear();
        }
        let length = length.map_err(|_| {
            let place = u64::from(number) * 64;
            let what = if is_last {
                "has been cut, or changed in its last part"
            } else {
                "has been changed"
            };
            invalid(&format!("{what}, {place} KiB from its beginning"))
        })?;
        self.opened.truncate(length);
        Ok(())
    }
}

impl<R: Read> Read for SealedReader<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        while self.at == self.opened.len() {
            if self.ahead.is_empty() {
                return if self.pieces.next == 0 { Err(invalid("has been cut")) } else { Ok(0) };
            }
            self.open()?;
        }
        let rest = &self.opened[self.at..];
        let count = bytes.len().min(rest.len());
        bytes[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

fn invalid(problem: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemRandom;

    fn seal(text: &[u8]) -> Vec<u8> {
        let mut writer = BackupSeal::new(b"one").writer(Vec::new(), &SystemRandom).unwrap();
        writer.write_all(text).unwrap();
        writer.finish().unwrap()
    }

    fn open(sealed: &[u8]) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        BackupSeal::new(b"one").reader(sealed)?.read_to_end(&mut text)?;
        Ok(text)
    }

    #[test]
    fn what_is_sealed_opens_whatever_its_length() {
        for length in
            [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 2 * PIECE_BYTES, 200_000]
        {
            let text: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let sealed = seal(&text);
            assert_eq!(open(&sealed).unwrap(), text, "{length}");
            assert!(length < 9 || !sealed.windows(8).any(|part| part == &text[..8]), "{length}");
        }
        assert_ne!(seal(b"text"), seal(b"text"), "each stream has a key of its own");
    }

    #[test]
    fn another_key_does_not_open_it() {
        let sealed = seal(b"text");
        let refused = BackupSeal::new(b"two").reader(&sealed[..]).err().unwrap();
        assert!(refused.to_string().contains("another key"), "{refused}");
    }

    #[test]
    fn every_bit_counts_and_every_end_but_the_right_one_is_found() {
        let text = vec![7; PIECE_BYTES + 100];
        let sealed = seal(&text);
        let near = |at: usize| at < 70 || at > sealed.len() - 20 || at.is_multiple_of(4_099);
        for at in (0..sealed.len()).filter(|at| near(*at)) {
            let mut changed = sealed.clone();
            changed[at] ^= 1 << (at % 8);
            assert!(open(&changed).is_err(), "byte {at} of {}", sealed.len());
            assert!(open(&sealed[..at]).is_err(), "cut at {at}");
        }
        // At the end of a piece as well, and with a piece too many or two in the place of each other.
        let head = MAGIC.len() + SALT_BYTES + PROOF_BYTES;
        let first = head + PIECE_BYTES + TAG_BYTES;
        assert!(open(&sealed[..head]).is_err());
        assert!(open(&sealed[..first]).is_err());
        assert!(open(&[&sealed[..], &sealed[first..]].concat()).is_err());
        assert!(open(&[&sealed[..head], &sealed[first..], &sealed[head..first]].concat()).is_err());
    }
}
