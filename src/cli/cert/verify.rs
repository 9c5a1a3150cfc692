//! `portvakt cert verify`: the server's own judgement of a chain, check by check.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::cli::env_file::Settings;
use crate::cli::failure::Failure;
use crate::cli::input;
use crate::cli::output::{self, TextOrJson};
use crate::clock::{Clock as _, SystemClock, Timestamp};
use crate::config::{EXTENDED_KEY_USAGES, OrganizationAttribute, TrustProfile};
use crate::domain::organization::OrganizationNumber;
use crate::domain::organization_identifier::OrganizationIdentifier;
use crate::domain::seal::SealKind;
use crate::domain::trust::{OcspRule, TrustEnvironment};
use crate::pki::chain::CertificateChain;
use crate::pki::ocsp::{OcspError, OcspRules};
use crate::pki::trust_set::{
    OrganizationRule, PolicyRule, RevocationPolicy, SerialNumberRule, TrustRules, TrustSet,
    TrustSetError, TrustSetSource,
};

/// An answer that does not say until when it holds counts for an hour, as on a server that is told nothing else.
const OCSP: OcspRules = OcspRules { age_seconds_max: 3_600, nonce_required: false };

/// Judges a chain as the server does, check by check.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct VerifyCommand {
    /// The chain in PEM, the client's own certificate first; or that one alone in DER.
    chain: PathBuf,
    /// Roots in PEM [default: `PORTVAKT_TRUST_ANCHORS`].
    #[arg(long, value_name = "FILE")]
    anchors: Option<PathBuf>,
    /// Certificates between roots and clients in PEM, for chains that leave them out.
    #[arg(long, value_name = "FILE")]
    intermediates: Option<PathBuf>,
    /// A revocation list, PEM or DER; may be repeated. With one, or an answer of a responder, every certificate must be on
    /// record as not revoked; without, revocation is not checked.
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,
    /// An answer of a responder (OCSP) to a question without a nonce, DER; may be repeated. It counts beside the lists, as
    /// with `ocsp = "alternative"`.
    #[arg(long, value_name = "FILE")]
    ocsp: Vec<PathBuf>,
    /// The moment to judge as of, RFC 3339 [default: now].
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    at: Option<Timestamp>,
    /// The kind of certificates it must be one of, as in the configuration: policies and how it names its organization.
    #[arg(long, value_name = "PROFILE", default_value = TrustProfile::Norwegian.name(), value_parser = parse_profile)]
    profile: TrustProfile,
    /// Certificate policies of which one is needed, or "any" [default: those of the profile; Norwegian ones of
    /// production, test and SEID 1].
    #[arg(long, value_name = "OID", value_delimiter = ',')]
    policy: Vec<String>,
    /// Whether the certificate must name an organization.
    #[arg(long, value_name = "RULE", default_value = "required")]
    organization: Organization,
    /// Nine digits in serialNumber name the organization too.
    #[arg(long)]
    organization_from_serial_number: bool,
    /// Extended key usages of which one is needed where there are any.
    #[arg(long, value_name = "OID", value_delimiter = ',', default_values = EXTENDED_KEY_USAGES)]
    extended_key_usage: Vec<String>,
    /// How to print the outcome.
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: TextOrJson,
}

/// Whether a certificate must name an organization.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Organization {
    /// It may be without.
    None,
    /// It must.
    Required,
}

/// The outcome, as programs see it.
#[derive(Debug, Serialize)]
struct Outcome {
    accepted: bool,
    organization_number: Option<OrganizationNumber>,
    /// With the European profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    organization_identifier: Option<OrganizationIdentifier>,
    /// What tokens would call the proof, with the European profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_amr: Option<&'static str>,
    checks: Vec<Check>,
}

/// One check, as programs see it.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    passed: bool,
    detail: String,
}

impl VerifyCommand {
    /// Judges the chain and prints the outcome.
    pub(super) fn run(self) -> Result<(), Failure> {
        let outcome = self.judge()?;
        match self.output {
            TextOrJson::Json => output::print_json(&outcome)?,
            TextOrJson::Text => output::print(&outcome.text())?,
        }
        if outcome.accepted { Ok(()) } else { Err(Failure::failed("the chain is refused")) }
    }

    fn judge(&self) -> Result<Outcome, Failure> {
        let chain = input::read_file(&self.chain)?;
        let now = self.at.unwrap_or_else(|| SystemClock.now());
        let set = match TrustSet::load(self.source(now)?, now) {
            Ok(set) => set,
            Err(error @ TrustSetError::ObjectIdentifier { .. }) => {
                return Err(Failure::usage(error.to_string()));
            }
            // Nothing is accepted below authorities that no server would start with.
            Err(error) => return Ok(Outcome::refused("trust set", error.to_string())),
        };
        let chain = if chain.first() == Some(&super::DER_SEQUENCE) {
            CertificateChain::from_der(vec![chain])
        } else {
            CertificateChain::from_pem(&chain)
        };
        let chain = match chain {
            Ok(chain) => chain,
            Err(error) => return Ok(Outcome::refused("chain", error.to_string())),
        };
        let set = self.with_answers(set, &chain, now)?;
        let report = set.report(&chain, now);
        let checks = report.checks.into_iter().map(|check| Check {
            name: check.name,
            passed: check.passed,
            detail: check.detail,
        });
        Ok(Outcome {
            accepted: report.accepted,
            organization_number: report.organization_number,
            organization_identifier: report.organization_identifier,
            client_amr: report.seal.map(SealKind::name),
            checks: checks.collect(),
        })
    }

    /// The set, knowing what the answers tell. One that tells nothing is named, because leaving it out can only refuse.
    fn with_answers(
        &self,
        set: TrustSet,
        chain: &CertificateChain,
        now: Timestamp,
    ) -> Result<TrustSet, Failure> {
        if self.ocsp.is_empty() {
            return Ok(set);
        }
        let set = set.asking(OcspRule::Alternative, Vec::new());
        let questions = set.ocsp_questions(chain, now, || None);
        for file in &self.ocsp {
            let answer = input::read_file(file)?;
            let taken =
                questions.iter().map(|question| set.take_ocsp(question, &answer, OCSP, now));
            let errors: Vec<OcspError> = taken.filter_map(Result::err).collect();
            if errors.len() == questions.len() {
                // It is about one certificate at most, and says of that what is wrong.
                let other = |error: &&OcspError| !matches!(error, OcspError::OtherCertificate);
                let error = errors.iter().find(other).or_else(|| errors.first());
                let reason =
                    error.map_or_else(|| "there is no path".to_owned(), ToString::to_string);
                output::note(&format!("{} tells nothing: {reason}", file.display()));
            }
        }
        Ok(set)
    }

    fn source(&self, now: Timestamp) -> Result<TrustSetSource, Failure> {
        let anchors = match &self.anchors {
            Some(file) => file.clone(),
            None => Settings::load(None)?
                .value("PORTVAKT_TRUST_ANCHORS")
                .ok_or_else(|| Failure::usage("give --anchors, or set PORTVAKT_TRUST_ANCHORS"))?
                .into(),
        };
        let read = |file: &PathBuf| input::read_file(Path::new(file));
        let name = anchors.display().to_string();
        let intermediates = self.intermediates.as_ref().map(read).transpose()?.unwrap_or_default();
        Ok(TrustSetSource {
            anchors_pem: fit_blocks(&read(&anchors)?, |pem| self.loads_alone(pem, &name, now)),
            intermediates_pem: fit_blocks(&intermediates, |pem| {
                CertificateChain::from_pem(pem).map(|_| ()).map_err(|error| error.to_string())
            }),
            name,
            environment: TrustEnvironment::Production,
            crls: self.crl.iter().map(read).collect::<Result<_, _>>()?,
            rules: self.rules(),
        })
    }

    fn loads_alone(&self, anchor: &[u8], name: &str, now: Timestamp) -> Result<(), String> {
        let source = TrustSetSource {
            name: name.to_owned(),
            environment: TrustEnvironment::Production,
            anchors_pem: anchor.to_vec(),
            intermediates_pem: Vec::new(),
            crls: Vec::new(),
            rules: self.rules(),
        };
        TrustSet::load(source, now).map(|_| ()).map_err(|error| error.to_string())
    }

    /// A chain is looked at wherever it is from, so those for real and for tests count alike, as do the older ones.
    fn policies_of_profile(&self) -> Vec<String> {
        let profile = match self.profile {
            TrustProfile::Norwegian => TrustProfile::NorwegianSeid1,
            other => other,
        };
        TrustEnvironment::ALL.iter().flat_map(|it| profile.policies(*it)).collect()
    }

    fn rules(&self) -> TrustRules {
        let policies: Vec<String> = match &self.policy[..] {
            [] => self.policies_of_profile(),
            given => given.to_vec(),
        };
        let of_serial_number = self.organization_from_serial_number
            || self.profile.organization() == OrganizationAttribute::NorwegianOrSerialNumber;
        let serial_number =
            if of_serial_number { SerialNumberRule::Accept } else { SerialNumberRule::Ignore };
        TrustRules {
            policies: if policies == ["any"] {
                PolicyRule::Any
            } else {
                PolicyRule::OneOf(policies)
            },
            extended_key_usages: self.extended_key_usage.clone(),
            organization: match self.organization {
                Organization::None => OrganizationRule::NotRequired,
                Organization::Required
                    if self.profile.organization() == OrganizationAttribute::AnyCountry =>
                {
                    OrganizationRule::RequiredOfAnyCountry
                }
                Organization::Required => OrganizationRule::Required { serial_number },
            },
            revocation: if self.crl.is_empty() && self.ocsp.is_empty() {
                RevocationPolicy::NotChecked
            } else {
                RevocationPolicy::HardFail
            },
        }
    }
}

fn parse_profile(text: &str) -> Result<TrustProfile, String> {
    let names = || TrustProfile::ALL.iter().map(|it| it.name()).collect::<Vec<_>>().join(", ");
    TrustProfile::from_name(text).ok_or_else(|| format!("not one of {}", names()))
}

/// The blocks of a PEM file that are fit to be used. A server does not start with a certificate that is not;
/// here, where chains of all kinds are tried, it is left out and named, because leaving out can only refuse.
/// Unless nothing is left: then the file is handed on whole, to be refused with its reason.
fn fit_blocks(pem: &[u8], is_fit: impl Fn(&[u8]) -> Result<(), String>) -> Vec<u8> {
    const END: &str = "-----END CERTIFICATE-----";
    let text = String::from_utf8_lossy(pem);
    let blocks = text.split_inclusive(END).filter(|block| block.contains(END));
    let mut fit = String::new();
    for (at, block) in blocks.enumerate() {
        match is_fit(block.as_bytes()) {
            Ok(()) => fit.extend([block, "\n"]),
            Err(reason) => output::note(&format!("certificate {} is left out: {reason}", at + 1)),
        }
    }
    if fit.is_empty() { pem.to_vec() } else { fit.into_bytes() }
}

impl Outcome {
    fn refused(name: &'static str, detail: String) -> Self {
        let checks = vec![Check { name, passed: false, detail }];
        Self {
            accepted: false,
            organization_number: None,
            organization_identifier: None,
            client_amr: None,
            checks,
        }
    }

    fn text(&self) -> String {
        let line = |check: &Check| {
            let mark = if check.passed { "ok" } else { "FAILED" };
            format!("{mark:<8}{:<22}{}", check.name, check.detail)
        };
        let mut lines: Vec<String> = self.checks.iter().map(line).collect();
        lines.push(self.verdict());
        lines.join("\n")
    }

    fn verdict(&self) -> String {
        if !self.accepted {
            let failed = self.checks.iter().filter(|check| !check.passed).map(|check| check.name);
            return format!("refused: {}", failed.collect::<Vec<_>>().join(", "));
        }
        if let (Some(identifier), Some(amr)) = (&self.organization_identifier, self.client_amr) {
            return format!("accepted, for {identifier} by {amr}");
        }
        match self.organization_number {
            Some(number) => format!("accepted, for organization {number}"),
            None => "accepted, for no organization".to_owned(),
        }
    }
}

fn parse_time(text: &str) -> Result<Timestamp, &'static str> {
    Timestamp::from_rfc3339(text).ok_or("not an RFC 3339 time, such as 2026-11-22T18:00:00Z")
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use openssl::nid::Nid;
    use serde_json::json;

    use super::*;
    use crate::cli::failure::ExitStatus;
    use crate::cli::test_keys;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        command: VerifyCommand,
    }

    fn command(options: &[&str]) -> VerifyCommand {
        Line::try_parse_from([&["portvakt"], options].concat()).unwrap().command
    }

    /// A folder with an authority, and a chain with the content that is given.
    fn folder(chain: &[u8]) -> (tempfile::TempDir, String, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name).to_str().unwrap().to_owned();
        let (anchors, chain_file) = (path("anchors.pem"), path("chain.pem"));
        let key = test_keys::ec(Nid::X9_62_PRIME256V1);
        std::fs::write(&anchors, test_keys::authority("root", &key).to_pem().unwrap()).unwrap();
        std::fs::write(&chain_file, chain).unwrap();
        (folder, anchors, chain_file)
    }

    #[test]
    fn without_options_the_rules_are_those_of_norwegian_certificates() {
        let rules = command(&["chain.pem"]).rules();
        let PolicyRule::OneOf(policies) = &rules.policies else { panic!("any policy") };
        assert!(policies.contains(&"2.16.578.1.26.1.3.2".to_owned()));
        assert_eq!(rules.extended_key_usages, EXTENDED_KEY_USAGES);
        let serial_number = SerialNumberRule::Ignore;
        assert_eq!(rules.organization, OrganizationRule::Required { serial_number });
        assert_eq!(rules.revocation, RevocationPolicy::NotChecked);
    }

    #[test]
    fn options_change_the_rules() {
        let options = "--policy any --organization none --crl a --extended-key-usage 1.2,1.3 chain";
        let rules = command(&options.split(' ').collect::<Vec<_>>()).rules();
        assert_eq!(rules.policies, PolicyRule::Any);
        assert_eq!(rules.organization, OrganizationRule::NotRequired);
        assert_eq!(rules.revocation, RevocationPolicy::HardFail);
        assert_eq!(rules.extended_key_usages, ["1.2", "1.3"]);
        let rules = command(&["--policy", "1.2.*,1.3", "chain"]).rules();
        let expected = ["1.2.*", "1.3"].map(str::to_owned).to_vec();
        assert_eq!(rules.policies, PolicyRule::OneOf(expected));
    }

    #[test]
    fn a_malformed_chain_is_refused_and_a_missing_file_or_wrong_option_is_usage() {
        for content in ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
        {
            let (_folder, anchors, chain) = folder(content.as_bytes());
            let outcome = command(&["--anchors", &anchors, &chain]).judge().unwrap();
            assert!(!outcome.accepted);
            assert_eq!((outcome.checks.len(), outcome.checks[0].name), (1, "chain"), "{content}");
        }
        let (_folder, anchors, chain) = folder(b"");
        let usage = |options: &[&str]| command(options).judge().unwrap_err().exit;
        assert_eq!(usage(&["--anchors", &anchors, "/nowhere"]), ExitStatus::Usage);
        assert_eq!(usage(&["--anchors", "/nowhere", &chain]), ExitStatus::Usage);
        assert_eq!(usage(&["--anchors", &anchors, "--crl", "/nowhere", &chain]), ExitStatus::Usage);
        assert_eq!(usage(&["--anchors", &anchors, "--policy", "x", &chain]), ExitStatus::Usage);
        assert!(Line::try_parse_from(["portvakt", "--at", "yesterday", &chain]).is_err());
    }

    #[test]
    fn authorities_that_cannot_be_used_refuse_every_chain() {
        let (_folder, _, chain) = folder(b"hello");
        let outcome = command(&["--anchors", &chain, &chain]).judge().unwrap();
        assert_eq!((outcome.accepted, outcome.checks[0].name), (false, "trust set"));
    }

    #[test]
    fn every_check_of_a_chain_is_told_for_people_and_for_programs() {
        let key = test_keys::ec(Nid::X9_62_PRIME256V1);
        let leaf = test_keys::certificate("leaf", &key, "nobody", &key);
        for chain in [leaf.to_pem().unwrap(), leaf.to_der().unwrap()] {
            let (_folder, anchors, chain) = folder(&chain);
            let outcome = command(&["--anchors", &anchors, &chain]).judge().unwrap();
            let text = outcome.text();
            assert!(text.starts_with("FAILED  path                  "), "{text}");
            assert!(text.contains("\nFAILED  organization          "), "{text}");
            assert!(text.lines().last().unwrap().starts_with("refused: path, "), "{text}");
            let json = serde_json::to_value(&outcome).unwrap();
            assert_eq!(json["accepted"], json!(false));
            assert_eq!(json["organization_number"], json!(null));
            assert_eq!(json["checks"][0]["name"], json!("path"));
        }
    }
}
