//! PKCS#12 files (RFC 7292), the form in which certificate vendors deliver key and certificates.
//!
//! Many are still encrypted with RC2 or 3DES. OpenSSL 3 keeps RC2 in its "legacy" provider, which is
//! loaded only when a file needs it, and which not every system has.

use openssl::error::ErrorStack;
use openssl::pkcs12::{ParsedPkcs12_2, Pkcs12};
use openssl::pkey::{PKey, Private};
use openssl::provider::Provider;
use openssl::x509::X509;

use crate::cli::failure::Failure;

/// What is in a PKCS#12 file.
pub(super) struct Bundle {
    /// The private key.
    pub(super) key: PKey<Private>,
    /// Its certificate and those above, in whatever order the file has them.
    pub(super) certificates: Vec<X509>,
}

/// Opens a file with its password; `name` is what messages call it.
pub(super) fn open(file: &[u8], password: &str, name: &str) -> Result<Bundle, Failure> {
    let wrong = |problem: &str| Failure::usage(format!("{name} {problem}"));
    if password.contains('\0') {
        return Err(wrong("cannot have a password with a null character"));
    }
    let file = Pkcs12::from_der(file).map_err(|_| wrong("is not a PKCS#12 file"))?;
    let opened = match file.parse2(password) {
        Err(errors) if !is_wrong_password(&errors) => open_legacy(&file, password),
        outcome => outcome.map_err(Refused::File),
    };
    match opened {
        Ok(content) => unpack(content).ok_or_else(|| wrong("holds no private key")),
        Err(Refused::File(errors)) if is_wrong_password(&errors) => {
            Err(wrong("does not open with this password"))
        }
        Err(Refused::File(errors)) => Err(wrong(&format!("cannot be opened: {errors}"))),
        Err(Refused::NoLegacyProvider) => Err(wrong(NO_LEGACY_PROVIDER)),
    }
}

enum Refused {
    File(ErrorStack),
    NoLegacyProvider,
}

const NO_LEGACY_PROVIDER: &str = "is encrypted with an old algorithm (RC2, most likely), for which \
    OpenSSL needs its \"legacy\" provider, and that is not on this system. Install it (package \
    openssl-provider-legacy on Debian, or point OPENSSL_MODULES at the folder of legacy.so), or \
    encrypt the file anew where it is: openssl pkcs12 -legacy -in OLD.p12 -nodes -out ALL.pem, then \
    openssl pkcs12 -export -in ALL.pem -out NEW.p12, and delete ALL.pem";

fn open_legacy(file: &Pkcs12, password: &str) -> Result<ParsedPkcs12_2, Refused> {
    // Unloaded at the end of the function: the keys that come out need nothing of it.
    let retain_default = true;
    let _legacy = Provider::try_load(None, "legacy", retain_default)
        .map_err(|_| Refused::NoLegacyProvider)?;
    file.parse2(password).map_err(Refused::File)
}

/// The integrity of a file is checked before anything is decrypted, so a wrong password shows there.
fn is_wrong_password(errors: &ErrorStack) -> bool {
    errors.errors().iter().any(|error| error.reason() == Some("mac verify failure"))
}

fn unpack(content: ParsedPkcs12_2) -> Option<Bundle> {
    let above = content.ca.into_iter().flatten();
    let certificates = content.cert.into_iter().chain(above).collect();
    content.pkey.map(|key| Bundle { key, certificates })
}

#[cfg(test)]
mod tests {
    use openssl::hash::MessageDigest;
    use openssl::nid::Nid;
    use openssl::stack::Stack;

    use super::*;
    use crate::cli::test_keys;

    /// A file with a key, its certificate and one above, encrypted in the way that is asked for.
    fn file(key: &PKey<Private>, ciphers: Option<(Nid, Nid)>) -> Vec<u8> {
        let leaf = test_keys::certificate("leaf", key, "issuer", key);
        let mut above = Stack::new().unwrap();
        above.push(test_keys::certificate("issuer", key, "root", key)).unwrap();
        let mut builder = Pkcs12::builder();
        builder.pkey(key).cert(&leaf).ca(above);
        if let Some((for_key, for_certificates)) = ciphers {
            let sha1 = MessageDigest::sha1();
            builder.key_algorithm(for_key).cert_algorithm(for_certificates).mac_md(sha1);
        }
        builder.build2("passord \u{e6}").unwrap().to_der().unwrap()
    }

    fn opens(file: &[u8], key: &PKey<Private>) {
        let bundle = open(file, "passord \u{e6}", "the file").map_err(|f| f.message).unwrap();
        assert!(bundle.key.public_eq(key));
        assert_eq!(bundle.certificates.len(), 2);
    }

    #[test]
    fn opens_files_with_aes_and_with_triple_des() {
        let key = test_keys::ec(Nid::X9_62_PRIME256V1);
        opens(&file(&key, None), &key);
        let triple_des = Nid::PBE_WITHSHA1AND3_KEY_TRIPLEDES_CBC;
        opens(&file(&key, Some((triple_des, triple_des))), &key);
    }

    #[test]
    fn opens_files_with_rc2_where_openssl_can_and_says_what_to_do_where_it_cannot() {
        let key = test_keys::rsa();
        let ciphers = (Nid::PBE_WITHSHA1AND3_KEY_TRIPLEDES_CBC, Nid::PBE_WITHSHA1AND40BITRC2_CBC);
        match Provider::try_load(None, "legacy", true) {
            Ok(legacy) => {
                let made = file(&key, Some(ciphers));
                drop(legacy);
                opens(&made, &key);
            }
            Err(_) => assert!(NO_LEGACY_PROVIDER.contains("-legacy")),
        }
    }

    #[test]
    fn a_wrong_password_and_a_damaged_file_are_told_apart() {
        let key = test_keys::ec(Nid::X9_62_PRIME256V1);
        let good = file(&key, None);
        for (bytes, password, problem) in [
            (&good[..], "hunter2", "password"),
            (&good, "", "password"),
            (&good, "a\0b", "null character"),
            (&good[..100], "x", "not a PKCS#12 file"),
            (b"-----BEGIN CERTIFICATE-----", "x", "not a PKCS#12 file"),
        ] {
            let failure = open(bytes, password, "the file").err().unwrap();
            assert!(failure.message.contains(problem), "{failure}");
            assert!(!failure.message.contains("hunter2"));
        }
    }
}
