//! `portvakt cert inspect`: what each certificate of a file says.

use std::path::PathBuf;

use clap::Args;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Serialize;

use crate::cli::failure::Failure;
use crate::cli::input;
use crate::cli::output::{self, TextOrJson};
use crate::pki::describe::{CertificateDescription, describe};

/// Shows what certificates say, without judging them.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct InspectCommand {
    /// Certificates in PEM, or one in DER.
    file: PathBuf,
    /// How to print them.
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: TextOrJson,
}

/// A certificate, or why it cannot be read.
#[derive(Serialize)]
#[serde(untagged)]
enum Shown {
    Certificate(Box<CertificateDescription>),
    Unreadable { error: String },
}

impl InspectCommand {
    /// Prints what the certificates say.
    pub(super) fn run(self) -> Result<(), Failure> {
        let shown: Vec<Shown> = certificates(&input::read_file(&self.file)?)?
            .iter()
            .map(|der| match describe(der) {
                Ok(description) => Shown::Certificate(Box::new(description)),
                Err(error) => Shown::Unreadable { error: error.to_string() },
            })
            .collect();
        match self.output {
            TextOrJson::Json => output::print_json(&shown)?,
            TextOrJson::Text => {
                let texts: Vec<String> = (1..).zip(&shown).map(|(n, s)| text(n, s)).collect();
                output::print(&texts.join("\n\n"))?;
            }
        }
        let unreadable = shown.iter().filter(|s| matches!(s, Shown::Unreadable { .. })).count();
        match unreadable {
            0 => Ok(()),
            count => Err(Failure::failed(format!("{count} of {} cannot be read", shown.len()))),
        }
    }
}

/// The certificates of a file in DER; what else stands in a PEM file is passed over.
fn certificates(file: &[u8]) -> Result<Vec<Vec<u8>>, Failure> {
    if file.first() == Some(&super::DER_SEQUENCE) {
        return Ok(vec![file.to_vec()]);
    }
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(file).collect();
    let found = found.map_err(|error| {
        Failure::failed(format!("the file is not certificates in PEM: {error}"))
    })?;
    if found.is_empty() {
        return Err(Failure::failed("the file holds no certificate"));
    }
    Ok(found.into_iter().map(|der| der.to_vec()).collect())
}

fn text(number: usize, shown: &Shown) -> String {
    let certificate = match shown {
        Shown::Unreadable { error } => return format!("certificate {number}\n  {error}"),
        Shown::Certificate(certificate) => certificate,
    };
    let validity = format!("{} to {}", certificate.not_before, certificate.not_after);
    let authority = if certificate.authority { "yes" } else { "no" };
    let mut lines = vec![format!("certificate {number}")];
    let mut add = |name: &str, value: &str| lines.push(format!("  {name:<20}{value}"));
    add("subject", &certificate.subject);
    add("issuer", &certificate.issuer);
    add("serial number", &certificate.serial_number);
    add("valid", &validity);
    add("key", &certificate.key);
    add("authority", authority);
    add("key usage", or_none(&certificate.key_usage));
    for (name, values) in [
        ("extended key usage", &certificate.extended_key_usages),
        ("policy", &certificate.policies),
        ("organization", &certificate.organization_numbers),
        ("revocation list", &certificate.crl_distribution_points),
    ] {
        if values.is_empty() {
            add(name, "none");
        }
        for value in values {
            add(name, value);
        }
    }
    lines.join("\n")
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
}

#[cfg(test)]
mod tests {
    use openssl::nid::Nid;

    use super::*;
    use crate::cli::test_keys;

    #[test]
    fn reads_pem_with_anything_around_it_and_der() {
        let key = test_keys::ec(Nid::X9_62_PRIME256V1);
        let certificate = test_keys::certificate("leaf", &key, "issuer", &key);
        let der = certificate.to_der().unwrap();
        assert_eq!(certificates(&der).unwrap(), vec![der.clone()]);
        let pem = String::from_utf8(certificate.to_pem().unwrap()).unwrap();
        let key_pem = String::from_utf8(key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        let file = format!("Bag Attributes\r\n{pem}{key_pem}{pem}");
        assert_eq!(certificates(file.as_bytes()).unwrap(), [der.clone(), der]);
    }

    #[test]
    fn a_file_without_certificates_is_an_error() {
        for file in ["", "hello", "-----BEGIN CERTIFICATE-----\n%\n-----END CERTIFICATE-----"] {
            assert!(certificates(file.as_bytes()).is_err(), "{file}");
        }
    }

    #[test]
    fn a_certificate_is_told_line_by_line_and_a_damaged_one_too() {
        let key = test_keys::ec(Nid::X9_62_PRIME256V1);
        let der = test_keys::certificate("leaf", &key, "issuer", &key).to_der().unwrap();
        let told = text(1, &Shown::Certificate(Box::new(describe(&der).unwrap())));
        assert!(told.starts_with("certificate 1\n  subject             "), "{told}");
        for line in ["key                 EC P-256", "policy              none"] {
            assert!(told.contains(line), "{told}");
        }
        assert!(describe(&der[1..]).is_err());
    }
}
