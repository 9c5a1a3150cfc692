//! The settings that must be the same on every node: with others, what one node accepts or issues another would not.
//!
//! Nodes compare what both of them know by name, so that nodes of two versions run beside each other while one takes
//! the place of the other. How large a node is, where it listens and what it logs is its own.

use std::collections::BTreeMap;
use std::fmt;

use crate::clock::Timestamp;
use crate::config::{self, Config, OcspNonce, OrganizationAttribute, Revocation};
use crate::domain::remote_url::RemoteUrl;
use crate::domain::trust::{AuthorityRole, OcspRule};
use crate::pki::trust_set::TrustSet;

/// Digits of an authority's fingerprint by which it is told from others: 64 bits.
const FINGERPRINT_DIGITS: usize = 16;

/// A setting that is not the same on two nodes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Difference {
    /// Its name, as the configuration has it.
    pub setting: String,
    /// What it is here.
    pub here: String,
    /// What it is on the other node.
    pub there: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { setting, here, there } = self;
        write!(f, "{setting} is {here} on this node and {there} on another")
    }
}

/// The first setting of these nodes that differs, if one does.
pub(super) fn difference(
    here: &BTreeMap<String, String>,
    there: &BTreeMap<String, String>,
) -> Option<Difference> {
    let both = here.iter().filter_map(|(name, here)| Some((name, here, there.get(name)?)));
    let mut different = both.filter(|(_, here, there)| here != there);
    let (setting, here, there) = different.next()?;
    let text = |text: &String| if text.is_empty() { "nothing".to_owned() } else { text.clone() };
    Some(Difference { setting: setting.clone(), here: text(here), there: text(there) })
}

/// The settings that must be the same, by their names, with the authorities that are in use.
pub(super) fn shared<'a>(
    config: &Config,
    sets: impl Iterator<Item = &'a TrustSet>,
    now: Timestamp,
) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    let mut add = |name: &str, value: String| settings.insert(name.to_owned(), value);
    let token = &config.token;
    add("server.issuer", config.issuer.clone());
    add("environment.name", config.environment.name.clone());
    add("token.assertion_lifetime_seconds_max", token.assertion_lifetime_seconds_max.to_string());
    add("token.clock_skew_seconds", token.clock_skew_seconds.to_string());
    add("token.lifetime_seconds_max", token.lifetime_seconds_max.to_string());
    let profile = match token.profile {
        config::TokenProfile::Maskinporten => "maskinporten",
        config::TokenProfile::Rfc9068 => "rfc9068",
    };
    add("token.profile", profile.to_owned());
    add("token.signing_algorithm", token.signing_algorithm.name().to_owned());
    add("keys.announce_hours", config.signing.announce_hours.to_string());
    add("keys.rotate_days", config.signing.rotate_days.unwrap_or_default().to_string());
    add("feed.stale_seconds_max", config.feed.stale_max.as_secs().to_string());
    add("outage.issue_seconds_max", config.outage.issue.as_secs().to_string());
    let registers = config.delegation_registers.iter().map(|register| register.issuer.as_str());
    add("delegation_register", sorted(registers));
    add("trust", sorted(config.trust.iter().map(|set| set.name.as_str())));
    for set in &config.trust {
        for (key, value) in rules(set) {
            add(&format!("trust.{}.{key}", set.name), value);
        }
    }
    // Where nobody is asked, it makes no difference how.
    if config.trust.iter().any(|set| set.ocsp != OcspRule::NotUsed) {
        add("ocsp.answer_seconds_max", config.ocsp.answer.as_secs().to_string());
        let nonce = match config.ocsp.nonce {
            OcspNonce::None => "none",
            OcspNonce::Required => "required",
            OcspNonce::Sent => "sent",
        };
        add("ocsp.nonce", nonce.to_owned());
    }
    for set in sets {
        let authorities = set.summary(now).authorities;
        let anchors = authorities.iter().filter(|it| it.role == AuthorityRole::Anchor);
        let anchors =
            anchors.map(|it| it.fingerprint.get(..FINGERPRINT_DIGITS).unwrap_or_default());
        add(&format!("trust.{}.anchors", set.name()), sorted(anchors));
    }
    settings
}

fn rules(set: &config::TrustSet) -> [(&'static str, String); 7] {
    let revocation = match set.revocation {
        Revocation::HardFail => "hard_fail".to_owned(),
        Revocation::NotChecked => "not_checked".to_owned(),
        Revocation::SoftFail { hours } => format!("soft_fail for {hours} hours"),
    };
    let ocsp = match set.ocsp {
        OcspRule::Alternative => "alternative",
        OcspRule::Fallback => "fallback",
        OcspRule::NotUsed => "not_used",
    };
    // What comes of a profile is told by the setting that would overrule it.
    let from_serial_number = match set.organization {
        OrganizationAttribute::AnyCountry => "never, but any country",
        OrganizationAttribute::Norwegian => "false",
        OrganizationAttribute::NorwegianOrSerialNumber => "true",
    };
    let policies = set.policies.as_ref();
    let policies = policies.map(|all| sorted(all.iter().map(String::as_str)));
    [
        ("environment", set.environment.name().to_owned()),
        ("revocation", revocation),
        ("ocsp", ocsp.to_owned()),
        ("ocsp_responders", sorted(set.ocsp_responders.iter().map(RemoteUrl::as_str))),
        ("policies", policies.unwrap_or_else(|| "any".to_owned())),
        ("organization_from_serial_number", from_serial_number.to_owned()),
        ("extended_key_usages", sorted(set.extended_key_usages.iter().map(String::as_str))),
    ]
}

fn sorted<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut words: Vec<&str> = words.collect();
    words.sort_unstable();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(all: &[(&str, &str)]) -> BTreeMap<String, String> {
        all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_one_version_does_not_know_is_no_difference() {
        let older = settings(&[("a", "1"), ("b", "2")]);
        let newer = settings(&[("a", "1"), ("b", "2"), ("c", "3")]);
        assert_eq!(difference(&older, &newer), None);
        assert_eq!(difference(&newer, &older), None);
        assert_eq!(difference(&newer, &settings(&[])), None);
    }

    /// The settings of a node with one trust set that has these lines, and these after it.
    fn of(set: &str, more: &str) -> BTreeMap<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("portvakt.toml");
        let server = "[server]\nissuer = \"https://a.example/\"\n[keys]\nsealing_key = \"x\"\n";
        let trust = "[trust.n]\nanchors = [\"a\"]\npolicies = [\"any\"]\n";
        std::fs::write(&file, format!("{server}{trust}{set}{more}")).unwrap();
        let config = Config::load(&file, std::iter::empty()).unwrap();
        shared(&config, std::iter::empty(), Timestamp::from_seconds(0))
    }

    #[test]
    fn what_nodes_ask_responders_and_how_they_take_silence_is_compared() {
        const FALLBACK: &str = "ocsp = \"fallback\"\nocsp_responders = [\"http://b.example\"]\n";
        let differ = |here: &BTreeMap<_, _>, there: &BTreeMap<_, _>| {
            difference(here, there).unwrap().to_string()
        };
        let asking = of(FALLBACK, "");
        assert_eq!(
            differ(&asking, &of("", "")),
            "trust.n.ocsp is fallback on this node and not_used on another"
        );
        let elsewhere = FALLBACK.replace("b.example", "c.example");
        let soft = format!("{FALLBACK}revocation = \"soft_fail\"\n");
        for (set, more, told) in [
            (FALLBACK.replace("fallback", "alternative"), "", "trust.n.ocsp is alternative on"),
            (elsewhere, "", "trust.n.ocsp_responders is http://c.example on"),
            (soft, "", "trust.n.revocation is soft_fail for 24 hours on"),
            (FALLBACK.to_owned(), "[ocsp]\nnonce = \"none\"\n", "ocsp.nonce is none on"),
            (
                FALLBACK.to_owned(),
                "[ocsp]\nanswer_seconds_max = 60\n",
                "ocsp.answer_seconds_max is 60 on",
            ),
        ] {
            let told_here = differ(&of(&set, more), &asking);
            assert!(told_here.starts_with(told), "{told_here}");
        }
        // How often is a node's own, and where nobody is asked, so is how.
        assert_eq!(difference(&of(FALLBACK, "[ocsp]\nrefresh_seconds = 5\n"), &asking), None);
        assert_eq!(difference(&of("", "[ocsp]\nnonce = \"none\"\n"), &of("", "")), None);
    }

    #[test]
    fn how_a_certificate_names_its_organization_is_compared() {
        let told = difference(&of("organization_from_serial_number = true\n", ""), &of("", ""));
        let setting = "trust.n.organization_from_serial_number";
        assert_eq!(
            told.unwrap().to_string(),
            format!("{setting} is true on this node and false on another")
        );
    }

    #[test]
    fn a_difference_names_the_setting_and_both_values() {
        let (here, there) =
            (settings(&[("a", "1"), ("b", "")]), settings(&[("a", "1"), ("b", "2")]));
        let text = difference(&here, &there).unwrap().to_string();
        assert_eq!(text, "b is nothing on this node and 2 on another");
    }
}
