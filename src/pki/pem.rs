//! PEM text (RFC 7468) with certificates or revocation lists in it.

use rustls_pki_types::pem::{PemObject, SectionKind};

/// The DER of every section of `kind`, in order.
///
/// Text outside the sections is ignored, as the format allows; a section of another kind is refused,
/// because it is a mistake of whoever put the file together, and sometimes a private key.
pub(super) fn sections(text: &[u8], kind: SectionKind) -> Result<Vec<Vec<u8>>, String> {
    let mut found = Vec::new();
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(text) {
        let (section_kind, der) = section.map_err(|error| error.to_string())?;
        if section_kind != kind {
            return Err(format!("it holds a section of another kind ({section_kind:?})"));
        }
        found.push(der);
    }
    Ok(found)
}
