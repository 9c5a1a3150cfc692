//! Seals for the cursors of lists: a cursor that was given to one caller is worth nothing in another's hands, and
//! none can be made up.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign, verify};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The key with which cursors are sealed.
#[derive(Clone)]
pub struct CursorSeal(Key);

impl CursorSeal {
    /// Seals with this secret.
    pub(super) fn new(secret: &[u8]) -> Self {
        Self(Key::new(HMAC_SHA256, secret))
    }

    /// A cursor that says `place` in the list `list` of `owner`.
    pub fn seal(&self, owner: &str, list: &str, place: &str) -> String {
        let tag = sign(&self.0, framed(owner, list, place).as_bytes());
        format!("{}.{}", URL_SAFE_NO_PAD.encode(place), URL_SAFE_NO_PAD.encode(tag))
    }

    /// The place that a cursor says, if it was made for this list of this owner.
    pub fn open(&self, owner: &str, list: &str, cursor: &str) -> Option<String> {
        let (place, tag) = cursor.split_once('.')?;
        let place = String::from_utf8(URL_SAFE_NO_PAD.decode(place).ok()?).ok()?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        verify(&self.0, framed(owner, list, &place).as_bytes(), &tag).ok()?;
        Some(place)
    }
}

/// With lengths in front, so that no two triples look the same.
fn framed(owner: &str, list: &str, place: &str) -> String {
    format!("{}:{owner}{}:{list}{place}", owner.len(), list.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_only_for_whom_and_for_what_it_was_made() {
        let seal = CursorSeal::new(b"secret");
        let cursor = seal.seal("a", "scopes", "x:y");
        assert_eq!(seal.open("a", "scopes", &cursor).as_deref(), Some("x:y"));
        assert_eq!(seal.open("b", "scopes", &cursor), None);
        assert_eq!(seal.open("a", "clients", &cursor), None);
        assert_eq!(CursorSeal::new(b"other").open("a", "scopes", &cursor), None);
        for forged in ["", ".", "eDp5.", &cursor[1..], &format!("{cursor}A")] {
            assert_eq!(seal.open("a", "scopes", forged), None, "{forged}");
        }
    }
}
