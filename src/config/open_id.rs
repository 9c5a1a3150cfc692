//! One OpenID provider: who it is, who we are to it, and which of its claims count.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::config::error::ConfigError;
use crate::config::outbound::{Clear, Outbound};
use crate::config::raw::RawOpenId;
use crate::config::{check_address, required};
use crate::domain::remote_url::Host;

/// An OpenID provider.
#[derive(Clone, Debug)]
pub struct OpenIdProvider {
    /// The name its operator gave it in the configuration; a part of addresses.
    pub section: String,
    /// Who it is.
    pub issuer: String,
    /// The hosts that it may be asked at: the issuer's first.
    pub hosts: Vec<Host>,
    /// Its name for people.
    pub name: String,
    /// Who we are to it.
    pub client_id: String,
    /// The file with our secret, unless we are a public client.
    pub client_secret_file: Option<PathBuf>,
    /// What we ask for.
    pub scopes: Vec<String>,
    /// What else we send with the question.
    pub parameters: Vec<(String, String)>,
    /// The claim that says that an address is verified.
    pub email_verified_claim: String,
    /// The claim that names an organization, or the path to it.
    pub organization_claim: Option<String>,
}

/// Providers, at most: each is a button, and among more nobody finds theirs.
const PROVIDERS_MAX: usize = 8;

/// Hosts of a provider beside that of its issuer, at most: none is known that has more than three.
const HOSTS_MAX: usize = 8;

/// The longest section, in bytes: it stands in addresses that are typed in at the provider.
const SECTION_BYTES_MAX: usize = 40;

/// The longest name for people, in characters: it stands on a button.
const NAME_CHARACTERS_MAX: usize = 40;

/// The longest text that is sent to a provider, in bytes: addresses of a few thousand bytes arrive everywhere.
const TEXT_BYTES_MAX: usize = 1_000;

/// What is asked for when nothing is said.
const SCOPES: [&str; 3] = ["openid", "email", "profile"];

/// The claim that OpenID Connect Core section 5.1 defines.
const EMAIL_VERIFIED: &str = "email_verified";

/// What this server says itself in every question.
const OWN_PARAMETERS: [&str; 10] = [
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "redirect_uri",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "state",
];

impl OpenIdProvider {
    /// Checks all of them: each has an issuer of its own, so that none can speak for another.
    pub(super) fn check_all(
        raw: BTreeMap<String, RawOpenId>,
        folder: &Path,
        outbound: &Outbound,
    ) -> Result<Vec<Self>, ConfigError> {
        let mut providers: Vec<Self> = Vec::new();
        for (section, raw) in raw {
            let provider = Self::check(section, raw, folder, outbound)?;
            let key = format!("open_id.{}", provider.section);
            if providers.len() == PROVIDERS_MAX {
                let problem = format!("is one more than {PROVIDERS_MAX} providers");
                return Err(ConfigError::key(key, problem));
            }
            if let Some(other) = providers.iter().find(|other| other.issuer == provider.issuer) {
                let problem = format!("is that of open_id.{} as well", other.section);
                return Err(ConfigError::key(format!("{key}.issuer"), problem));
            }
            providers.push(provider);
        }
        Ok(providers)
    }

    fn check(
        section: String,
        raw: RawOpenId,
        folder: &Path,
        outbound: &Outbound,
    ) -> Result<Self, ConfigError> {
        let key = |key: &str| format!("open_id.{section}.{key}");
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if section.len() > SECTION_BYTES_MAX || !section.bytes().all(fits) {
            let problem = format!(
                "its name must be 1 to {SECTION_BYTES_MAX} of a-z, 0-9 and -, because it stands in addresses"
            );
            return Err(ConfigError::key(format!("open_id.{section}"), problem));
        }
        let issuer = required(&key("issuer"), raw.issuer)?;
        check_address(&issuer)
            .map_err(|problem| ConfigError::key(key("issuer"), format!("{issuer:?} {problem}")))?;
        let own = outbound.url(&key("issuer"), &issuer, Clear::Loopback)?.host().clone();
        let hosts = check_hosts(&key("hosts"), own, &raw.hosts.unwrap_or_default())?;
        let name = required(&key("name"), raw.name)?;
        let characters = name.chars().count();
        if characters > NAME_CHARACTERS_MAX || name.trim().is_empty() || has_control(&name) {
            let problem = format!("must be a line of 1 to {NAME_CHARACTERS_MAX} characters");
            return Err(ConfigError::key(key("name"), problem));
        }
        let client_id = required(&key("client_id"), raw.client_id)?;
        let email_verified_claim =
            raw.email_verified_claim.unwrap_or_else(|| EMAIL_VERIFIED.to_owned());
        for (name, text) in [
            ("client_id", Some(&client_id)),
            ("email_verified_claim", Some(&email_verified_claim)),
            ("organization_claim", raw.organization_claim.as_ref()),
        ] {
            if text.is_some_and(|text| {
                text.is_empty() || text.len() > TEXT_BYTES_MAX || has_control(text)
            }) {
                let problem = format!("must be a line of 1 to {TEXT_BYTES_MAX} bytes");
                return Err(ConfigError::key(key(name), problem));
            }
        }
        Ok(Self {
            scopes: check_scopes(&key("scopes"), raw.scopes)?,
            parameters: check_parameters(&key("parameters"), raw.parameters.unwrap_or_default())?,
            issuer,
            hosts,
            name,
            client_id,
            client_secret_file: raw.client_secret_file.map(|file| folder.join(file)),
            email_verified_claim,
            organization_claim: raw.organization_claim,
            section,
        })
    }
}

/// The host of the issuer, and those beside it.
fn check_hosts(key: &str, own: Host, beside: &[String]) -> Result<Vec<Host>, ConfigError> {
    if beside.len() > HOSTS_MAX {
        let problem = format!("has {} hosts; at most {HOSTS_MAX}", beside.len());
        return Err(ConfigError::key(key, problem));
    }
    let read = |host: &String| {
        host.parse().map_err(|error| ConfigError::key(key, format!("{host:?} {error}")))
    };
    let beside = beside.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(std::iter::once(own).chain(beside).collect())
}

/// The scopes without `openid`, which is always asked for.
fn check_scopes(key: &str, scopes: Option<Vec<String>>) -> Result<Vec<String>, ConfigError> {
    let scopes = scopes.unwrap_or_else(|| SCOPES.map(ToOwned::to_owned).into());
    // The characters of RFC 6749 appendix A.4.
    let fits = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
    for scope in &scopes {
        if scope.is_empty() || scope.len() > TEXT_BYTES_MAX || !scope.bytes().all(fits) {
            return Err(ConfigError::key(key, format!("{scope:?} is no scope")));
        }
    }
    Ok(scopes.into_iter().filter(|scope| scope != "openid").collect())
}

fn check_parameters(
    key: &str,
    parameters: BTreeMap<String, String>,
) -> Result<Vec<(String, String)>, ConfigError> {
    for (name, value) in &parameters {
        let key = format!("{key}.{name}");
        if OWN_PARAMETERS.contains(&name.as_str()) || name == "scope" {
            return Err(ConfigError::key(key, "is what this server says itself; leave it out"));
        }
        if value.len() > TEXT_BYTES_MAX || has_control(value) {
            let problem = format!("must be a line of at most {TEXT_BYTES_MAX} bytes");
            return Err(ConfigError::key(key, problem));
        }
    }
    Ok(parameters.into_iter().collect())
}

fn has_control(text: &str) -> bool {
    text.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::network::Reach;

    fn check(text: &str) -> Result<Vec<OpenIdProvider>, String> {
        let raw = toml::from_str(text).map_err(|error| error.to_string())?;
        let outbound = Outbound { reach: Reach::default(), tls_authorities: Vec::new() };
        let checked = OpenIdProvider::check_all(raw, Path::new("/etc"), &outbound);
        checked.map_err(|error| error.to_string())
    }

    const GOOD: &str = "[a]\nissuer = \"https://a.example/r\"\nname = \"A\"\nclient_id = \"c\"\n";

    #[test]
    fn little_needs_to_be_said_of_a_provider() {
        let provider = check(GOOD).unwrap().remove(0);
        assert_eq!(provider.scopes, ["email", "profile"]);
        assert_eq!(provider.email_verified_claim, "email_verified");
        assert_eq!(provider.client_secret_file, None);
        let provider = check(&format!("{GOOD}client_secret_file = \"s\"")).unwrap().remove(0);
        assert_eq!(provider.client_secret_file.as_deref(), Some(Path::new("/etc/s")));
    }

    #[test]
    fn what_is_wrong_with_a_provider_is_said_with_its_key() {
        let long = "n".repeat(41);
        for (change, key) in [
            (GOOD.replace("issuer", "name_of"), "name_of"),
            (GOOD.replace("https:", "http:"), "open_id.a.issuer"),
            (GOOD.replace("\"A\"", "\" \""), "open_id.a.name"),
            (GOOD.replace("\"A\"", &format!("\"{long}\"")), "open_id.a.name"),
            (GOOD.replace("client_id = \"c\"", ""), "open_id.a.client_id"),
            (GOOD.replace("\"c\"", "\"\""), "open_id.a.client_id"),
            (GOOD.replace("[a]", "[A_b]"), "open_id.A_b"),
            (format!("{GOOD}scopes = [\"a b\"]"), "open_id.a.scopes"),
            (format!("{GOOD}parameters = {{ state = \"x\" }}"), "open_id.a.parameters.state"),
            (format!("{GOOD}parameters = {{ x = \"\\u0000\" }}"), "open_id.a.parameters.x"),
            (format!("{GOOD}organization_claim = \"\""), "open_id.a.organization_claim"),
            (format!("{GOOD}hosts = [\"https://keys.example\"]"), "open_id.a.hosts"),
            (GOOD.replace("a.example", "10.0.0.1"), "open_id.a.issuer"),
            (format!("{GOOD}{}", GOOD.replace("[a]", "[b]")), "open_id.b.issuer"),
        ] {
            let refusal = check(&change).unwrap_err();
            assert!(refusal.contains(key), "{change}: {refusal}");
        }
    }

    #[test]
    fn there_are_not_too_many_buttons() {
        let all: String = (0..9)
            .map(|n| {
                GOOD.replace("[a]", &format!("[p{n}]"))
                    .replace("a.example", &format!("{n}.example"))
            })
            .collect();
        assert!(check(&all).unwrap_err().contains("open_id.p8"));
    }
}
