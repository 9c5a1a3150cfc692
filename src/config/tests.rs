//! What a configuration may and may not say.

use super::*;
use crate::domain::trust::{OcspRule, TrustEnvironment};

const MINIMAL: &str = "[server]\nissuer = \"https://a.example/\"\n[keys]\nsealing_key = \"x\"\n";

fn load(text: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portvakt.toml");
    std::fs::write(&file, text).unwrap();
    let environment = environment.iter().map(|(name, value)| (name.to_string(), value.to_string()));
    Config::load(&file, environment)
}

fn refusal(text: &str, environment: &[(&str, &str)]) -> String {
    load(text, environment).unwrap_err().to_string()
}

#[test]
fn little_needs_to_be_said() {
    let config = load(MINIMAL, &[]).unwrap();
    assert_eq!(config.issuer, "https://a.example/");
    assert_eq!(config.token_listener.address.port(), 7080);
    assert_eq!(config.token.assertion_lifetime_seconds_max, 120);
    assert!(config.trust.is_empty());
}

#[test]
fn an_unknown_key_is_refused_with_file_line_and_key() {
    let text = format!("{MINIMAL}\n[token]\nlifetime_second_max = 3\n");
    let refusal = refusal(&text, &[]);
    assert!(refusal.contains("portvakt.toml, line 7"), "{refusal}");
    assert!(refusal.contains("lifetime_second_max"), "{refusal}");
}

#[test]
fn a_value_of_the_wrong_kind_is_refused_with_its_line() {
    let refusal = refusal(&format!("{MINIMAL}[token]\nrsa_key_bits = \"big\"\n"), &[]);
    assert!(refusal.contains("line 6"), "{refusal}");
}

#[test]
fn the_environment_overrules_the_file() {
    let config = load(
        MINIMAL,
        &[
            ("PORTVAKT__TOKEN__SIGNING_ALGORITHM", "ES256"),
            ("PORTVAKT__TOKEN__CLOCK_SKEW_SECONDS", "5"),
            ("PORTVAKT__SERVER__ISSUER", "https://b.example/"),
            ("PORTVAKT_ADMIN_URL", "not a setting"),
        ],
    )
    .unwrap();
    assert_eq!(config.token.signing_algorithm, Algorithm::Es256);
    assert_eq!(config.token.clock_skew_seconds, 5);
    assert_eq!(config.issuer, "https://b.example/");
}

#[test]
fn an_unknown_variable_is_refused_without_its_value() {
    let refusal = refusal(MINIMAL, &[("PORTVAKT__TOKEN__SECRET", "hunter2")]);
    assert!(refusal.contains("PORTVAKT__TOKEN__SECRET"), "{refusal}");
    assert!(!refusal.contains("hunter2"), "{refusal}");
}

#[test]
fn an_issuer_is_https_and_ends_in_a_slash() {
    for issuer in [
        "https://a.example",
        "http://a.example/",
        "http://127.evil.example/",
        "https://:/",
        "https://x:99999/",
        "https://x/:a/",
        "https://x/a/../",
        "https://x/.well-known/y/",
        "ftp://a.example/",
        "https:///",
        "https://a.example/?x=/",
        "https://a.example/#/",
        "https://a b/",
    ] {
        assert!(check_issuer(issuer.to_owned()).is_err(), "{issuer}");
    }
    for issuer in [
        "https://a.example/",
        "https://a.example/t1/",
        "http://127.0.0.1:7080/",
        "http://localhost/",
    ] {
        assert!(check_issuer(issuer.to_owned()).is_ok(), "{issuer}");
    }
}

#[test]
fn plain_http_beyond_loopback_needs_a_proxy_in_front() {
    let open = format!("{MINIMAL}[token_listener]\naddress = \"0.0.0.0:80\"\n");
    assert!(refusal(&open, &[]).contains("token_listener.address"));
    assert!(load(&format!("{open}behind_proxy = true\n"), &[]).is_ok());
    let half = format!("{open}tls_certificate_file = \"a.pem\"\n");
    assert!(refusal(&half, &[]).contains("token_listener.tls_key_file"));
}

#[test]
fn a_server_does_not_start_without_a_sealing_key() {
    assert!(refusal("[server]\nissuer = \"https://a.example/\"", &[]).contains("sealing_key_file"));
}

#[test]
fn a_trust_set_names_its_anchors_and_policies() {
    let set = |rest: &str| format!("{MINIMAL}[trust.n]\n{rest}\n");
    assert!(refusal(&set("policies = [\"any\"]"), &[]).contains("trust.n.anchors"));
    assert!(refusal(&set("anchors = [\"a\"]"), &[]).contains("trust.n.policies"));
    let config = load(&set("anchors = [\"a\"]\npolicies = [\"any\"]"), &[]).unwrap();
    assert_eq!(config.trust[0].policies, None);
    assert_eq!(config.trust[0].revocation, Revocation::HardFail);
}

#[test]
fn a_delegation_register_is_somebody_else_and_has_an_address() {
    let register = |name: &str, rest: &str| {
        let issuer = format!("issuer = \"https://{name}.example/\"");
        format!("\n[delegation_register.{name}]\n{issuer}\n{rest}\n")
    };
    let good = "name = \"R\"\nurl = \"https://r.example/d\"";
    let load = |more: &str| load(&format!("{MINIMAL}{more}"), &[]);
    let registers = load(&register("r", good)).unwrap().delegation_registers;
    assert_eq!(registers[0].section, "r");
    assert_eq!(registers[0].token_scope, None);
    assert_eq!(registers[0].time_max, Duration::from_millis(500));
    assert_eq!(registers[0].cache_time, Duration::from_secs(10));
    let loopback = "name = \"R\"\nurl = \"http://127.0.0.1:8080/d\"\ntoken_scope = \"a:b\"";
    let allowed = "[outbound]\nallowed_networks = [\"127.0.0.0/8\"]\n";
    let registers = load(&format!("{allowed}{}", register("r", loopback))).unwrap();
    assert!(registers.delegation_registers[0].token_scope.is_some());
    let refused = load(&register("r", loopback)).unwrap_err().to_string();
    assert!(refused.contains("outbound.allowed_networks"), "{refused}");
    for (name, rest, problem) in [
        ("r", "name = \"R\"", "r.url is not set"),
        ("r", "url = \"https://r.example/d\"", "r.name is not set"),
        ("r", "name = \" \"\nurl = \"https://r.example/d\"", "r.name"),
        ("r", "name = \"R\"\nurl = \"http://r.example/d\"", "only a loopback host"),
        ("r", "name = \"R\"\nurl = \"https://r.example/d?a=b\"", "r.url"),
        ("r", "name = \"R\"\nurl = \"https://u@r.example/d\"", "r.url"),
        ("r", &format!("{good}\ntoken_scope = \"x\""), "r.token_scope"),
        ("r", &format!("{good}\ntimeout_milliseconds = 0"), "r.timeout_milliseconds"),
        ("r", &format!("{good}\ntimeout_milliseconds = 5001"), "r.timeout_milliseconds"),
        ("r", &format!("{good}\ncache_seconds = 0"), "r.cache_seconds"),
        ("r", &format!("{good}\ncache_seconds = 301"), "r.cache_seconds"),
        ("r", &format!("{good}\ncache_second = 3"), "cache_second"),
        ("a", good, "is server.issuer"),
    ] {
        let refusal = load(&register(name, rest)).unwrap_err().to_string();
        assert!(refusal.contains(problem), "{refusal}");
    }
    let twin = register("r", good).replace("register.r", "register.s");
    let refusal = load(&(register("r", good) + &twin)).unwrap_err().to_string();
    assert!(refusal.contains("delegation_register.r as well"), "{refusal}");
}

#[test]
fn the_manual_shows_the_defaults_of_delegation_registers() {
    use super::delegation_register as it;
    for (key, default, most) in [
        ("timeout_milliseconds", it::TIMEOUT_MILLISECONDS, it::TIMEOUT_MILLISECONDS_MAX),
        ("cache_seconds", it::CACHE_SECONDS, it::CACHE_SECONDS_MAX),
    ] {
        assert!(DEFAULT.contains(&format!("# {key} = {default}\n")), "{key}");
        assert!(DEFAULT.contains(&format!("1 to {most}.")), "{key}");
    }
}

#[test]
fn the_manual_shows_the_defaults_of_trust_sets() {
    for usage in EXTENDED_KEY_USAGES {
        assert!(DEFAULT.contains(usage), "{usage}");
    }
    for profile in TrustProfile::ALL {
        assert!(DEFAULT.contains(&format!("\"{}\"", profile.name())), "{profile:?}");
    }
}

#[test]
fn a_profile_gives_a_trust_set_the_rules_that_it_does_not_set() {
    let set = |rest: &str| {
        let config = load(&format!("{MINIMAL}[trust.n]\nanchors = [\"a\"]\n{rest}\n"), &[]);
        config.map(|config| config.trust[0].clone())
    };
    let norwegian = set("profile = \"norwegian\"").unwrap();
    assert_eq!(norwegian.environment, TrustEnvironment::Production);
    assert_eq!(norwegian.organization, OrganizationAttribute::Norwegian);
    assert!(norwegian.policies.unwrap().contains(&"2.16.578.1.26.1.3.2".to_owned()));
    let test = set("profile = \"norwegian-seid1\"\nenvironment = \"test\"").unwrap();
    assert_eq!(test.organization, OrganizationAttribute::NorwegianOrSerialNumber);
    let policies = test.policies.unwrap();
    assert!(policies.contains(&"2.16.578.1.29.913.1.1.0".to_owned()), "{policies:?}");
    assert!(!policies.iter().any(|it| it.starts_with("2.16.578.1.29.13.200")), "{policies:?}");
    let own = "profile = \"norwegian-seid1\"\npolicies = [\"1.2.3\"]\n\
               organization_from_serial_number = false";
    let own = set(own).unwrap();
    assert_eq!(own.policies.unwrap(), ["1.2.3"]);
    assert_eq!(own.organization, OrganizationAttribute::Norwegian);
    let european = set("profile = \"european-seal\"").unwrap();
    assert_eq!(european.organization, OrganizationAttribute::AnyCountry);
    for (rest, told) in [
        ("profile = \"swedish\"", "trust.n.profile"),
        ("profile = \"norwegian\"\nenvironment = \"dev\"", "trust.n.environment"),
        (
            "profile = \"european-seal\"\norganization_from_serial_number = true",
            "trust.n.organization_from_serial_number",
        ),
        ("", "trust.n.policies"),
    ] {
        let refused = set(rest).unwrap_err().to_string();
        assert!(refused.contains(told), "{refused}");
    }
}

#[test]
fn norwegian_certificates_for_real_and_for_tests_do_not_count_on_one_server() {
    let set = |name: &str, profile: &str, environment: &str| {
        format!(
            "[trust.{name}]\nanchors = [\"a\"]\nprofile = \"{profile}\"\nenvironment = \"{environment}\"\n"
        )
    };
    let both = set("p", "norwegian", "production") + &set("t", "norwegian-seid1", "test");
    let refused = refusal(&format!("{MINIMAL}{both}"), &[]);
    assert!(refused.contains("trust.t.environment") && refused.contains("trust.p"), "{refused}");
    let european = set("e", "european-seal", "production") + &set("t", "norwegian", "test");
    assert_eq!(load(&format!("{MINIMAL}{european}"), &[]).unwrap().trust.len(), 2);
    let tests = set("e", "european-seal", "test") + &set("t", "norwegian", "test");
    assert_eq!(load(&format!("{MINIMAL}{tests}"), &[]).unwrap().trust.len(), 2);
    for profile in ["norwegian", "european-seal"] {
        let both = set("e", "european-seal", "test") + &set("p", profile, "production");
        let refused = refusal(&format!("{MINIMAL}{both}"), &[]);
        assert!(refused.contains("trust.e.environment"), "{refused}");
    }
}

#[test]
fn the_example_for_production_is_a_valid_file() {
    let text = include_str!("../../config/production.example.toml");
    let config = load(text, &[]).unwrap();
    assert_eq!(config.trust[0].name, "norway");
    assert!(config.operator.unwrap().client.is_some());
}

#[test]
fn a_header_is_believed_only_behind_a_proxy() {
    let listener = |more: &str| {
        format!("{MINIMAL}[admin_listener]\nsource_address_header = \"X-Real-IP\"\n{more}\n")
    };
    let config = load(&listener("behind_proxy = true"), &[]).unwrap();
    assert_eq!(config.admin_listener.source_address_header.as_deref(), Some("X-Real-IP"));
    assert!(refusal(&listener(""), &[]).contains("behind_proxy"));
    for name in ["", "X Real IP", "X:"] {
        let odd = listener("behind_proxy = true").replace("X-Real-IP", name);
        assert!(refusal(&odd, &[]).contains("source_address_header"), "{name:?}");
    }
}

#[test]
fn limits_leave_one_client_alone_unless_they_are_set() {
    let config = load(MINIMAL, &[]).unwrap();
    assert_eq!(config.limits.token_requests_by_client, 0);
    let config = load(MINIMAL, &[("PORTVAKT__LIMITS__TOKEN_REQUESTS_BY_CLIENT", "10")]).unwrap();
    assert_eq!(config.limits.token_requests_by_client, 10);
    let far = format!("{MINIMAL}[limits]\nadmin_requests_by_caller = 1000001\n");
    assert!(refusal(&far, &[]).contains("limits.admin_requests_by_caller"));
}

#[test]
fn a_zero_that_would_stop_everything_is_refused() {
    for (section, key) in [
        ("token_listener", "connections_max"),
        ("token", "lifetime_seconds_max"),
        ("token", "assertion_lifetime_seconds_max"),
        ("feed", "poll_milliseconds"),
        ("feed", "stale_seconds_max"),
    ] {
        let refusal = refusal(&format!("{MINIMAL}[{section}]\n{key} = 0\n"), &[]);
        assert!(refusal.contains(&format!("{section}.{key}")), "{refusal}");
    }
}

#[test]
fn what_is_remembered_has_an_end() {
    for key in ["assertion_lifetime_seconds_max", "clock_skew_seconds"] {
        let with = |seconds| format!("{MINIMAL}[token]\n{key} = {seconds}\n");
        load(&with(300), &[]).unwrap();
        let refusal = refusal(&with(301), &[]);
        assert!(refusal.contains(&format!("token.{key}: 301 is more than 300")), "{refusal}");
    }
}

#[test]
fn nodes_with_other_settings_are_refused_unless_that_is_said() {
    assert_eq!(load(MINIMAL, &[]).unwrap().differing_settings, DifferingSettings::Refuse);
    let said = [("PORTVAKT__NODES__DIFFERING_SETTINGS", "warn")];
    assert_eq!(load(MINIMAL, &said).unwrap().differing_settings, DifferingSettings::Warn);
    let wrong = [("PORTVAKT__NODES__DIFFERING_SETTINGS", "ignore")];
    assert!(refusal(MINIMAL, &wrong).contains("nodes.differing_settings"));
}

#[test]
fn in_an_outage_nothing_is_issued_unless_it_is_said_and_never_for_more_than_an_hour() {
    assert!(load(MINIMAL, &[]).unwrap().outage.issue.is_zero());
    let said = |seconds| [("PORTVAKT__OUTAGE__ISSUE_SECONDS_MAX", seconds)];
    assert_eq!(load(MINIMAL, &said("3600")).unwrap().outage.issue.as_secs(), 3_600);
    for wrong in ["3601", "9"] {
        assert!(refusal(MINIMAL, &said(wrong)).contains("outage.issue_seconds_max"), "{wrong}");
    }
}

#[test]
fn mail_is_off_until_it_is_set_up() {
    assert!(load(MINIMAL, &[]).unwrap().mail.is_none());
    let with = |more: &str| format!("{MINIMAL}[mail]\nfrom = \"a@example.org\"\n{more}");
    let smtp =
        |more: &str| with(&format!("transport = \"smtp\"\nhost = \"smtp.example.org\"\n{more}"));
    let server = |text: &str| match load(text, &[]).unwrap().mail.unwrap().transport {
        MailTransport::Smtp(server) => server,
        MailTransport::Folder { folder, .. } => panic!("{folder:?}"),
    };
    let usual = server(&smtp(""));
    assert_eq!((usual.port, usual.tls), (587, MailTls::StartTls));
    assert_eq!(server(&smtp("tls = \"tls\"\n")).port, 465);
    assert_eq!(server(&smtp("port = 2525\n")).port, 2525);
    let logged_in = server(&smtp("user = \"a\"\npassword_file = \"p\"\n")).login.unwrap();
    assert!(logged_in.0 == "a" && logged_in.1.is_absolute());
    for host in ["localhost", "127.0.0.1", "::1"] {
        let text = format!("transport = \"smtp\"\nhost = \"{host}\"\ntls = \"none\"\n");
        assert_eq!(server(&with(&text)).port, 25);
    }
    let folder = load(&with("transport = \"folder\"\nfolder = \"outbox\"\n"), &[]).unwrap();
    assert!(
        matches!(folder.mail.unwrap().transport, MailTransport::Folder { folder, is_shown: false } if folder.is_absolute())
    );
}

#[test]
fn mail_that_could_not_be_sent_is_refused_with_the_key() {
    let from = "from = \"a@example.org\"\n";
    let smtp = "transport = \"smtp\"\nhost = \"smtp.example.org\"\n";
    for (text, key) in [
        ("transport = \"post\"\n".to_owned(), "mail.transport"),
        (format!("transport = \"smtp\"\n{from}"), "mail.host"),
        (format!("transport = \"folder\"\n{from}"), "mail.folder"),
        (smtp.to_owned(), "mail.from"),
        (format!("{smtp}from = \"A <a@example.org>\"\n"), "mail.from"),
        (
            format!("{smtp}{from}reply_to = \"a@example.org\\r\\nBcc: b@example.org\"\n"),
            "mail.reply_to",
        ),
        (format!("{smtp}{from}from_name = \"\"\n"), "mail.from_name"),
        (format!("{smtp}{from}from_name = \"A\\r\\nBcc: b\"\n"), "mail.from_name"),
        (format!("{smtp}{from}tls = \"none\"\n"), "mail.tls"),
        (format!("{smtp}{from}tls = \"maybe\"\n"), "mail.tls"),
        (format!("{smtp}{from}port = 0\n"), "mail.port"),
        (format!("{smtp}{from}port = 65536\n"), "mail.port"),
        (format!("{smtp}{from}user = \"a\"\n"), "mail.password_file"),
        (format!("{smtp}{from}password_file = \"a\"\n"), "mail.user"),
        (format!("transport = \"smtp\"\nhost = \"a:25\\r\\n\"\n{from}"), "mail.host"),
        (
            format!(
                "transport = \"smtp\"\nhost = \"127.0.0.1.example.org\"\ntls = \"none\"\n{from}"
            ),
            "mail.tls",
        ),
    ] {
        let refusal = refusal(&format!("{MINIMAL}[mail]\n{text}"), &[]);
        assert!(refusal.contains(&format!("key {key}")), "{text}: {refusal}");
    }
}

#[test]
fn what_people_are_told_and_held_to_is_refused_with_the_key() {
    for (section, line, key) in [
        ("environment", "name = \" \"", "environment.name"),
        ("environment", "colour = \"pink\"", "environment.colour"),
        ("environment", "self_service = \"all\"", "environment.self_service"),
        (
            "environment",
            "privacy_statement_url = \"javascript:alert(1)\"",
            "environment.privacy_statement_url",
        ),
        (
            "environment",
            "accessibility_statement_url = \"http://x.example/\"",
            "environment.accessibility_statement_url",
        ),
        ("environment", "support_email = \"nobody\"", "environment.support_email"),
        ("environment.sister.test", "name = \"Test\"", "environment.sister.test.url"),
        (
            "environment.sister.test",
            "name = \"Test\"\nurl = \"javascript:alert(1)\"",
            "environment.sister.test.url",
        ),
        ("portal", "sign_in = \"passkey\"", "portal.sign_in"),
        ("portal", "idle_minutes = 0", "portal.idle_minutes"),
        ("portal", "idle_minutes = 481", "portal.idle_minutes"),
        ("portal", "session_hours = 25", "portal.session_hours"),
        ("portal", "password_characters_min = 7", "portal.password_characters_min"),
        ("portal", "sign_in_attempts = 101", "portal.sign_in_attempts"),
        ("portal", "sign_in_wait_seconds_max = 86401", "portal.sign_in_wait_seconds_max"),
        (
            "portal",
            "sign_in_wait_seconds = 61\nsign_in_wait_seconds_max = 60",
            "portal.sign_in_wait_seconds",
        ),
    ] {
        let refusal = refusal(&format!("{MINIMAL}[{section}]\n{line}\n"), &[]);
        assert!(refusal.contains(&format!("key {key}")), "{line}: {refusal}");
    }
}

#[test]
fn what_goes_out_is_refused_with_the_key() {
    let set = "[trust.n]\nanchors = [\"a\"]\npolicies = [\"any\"]\n";
    for (lines, key) in [
        ("[outbound]\nallowed_networks = [\"10.0.0.1/8\"]".to_owned(), "outbound.allowed_networks"),
        ("[revocation_lists]\nrefresh_seconds = 0".to_owned(), "revocation_lists.refresh_seconds"),
        (
            "[revocation_lists]\nfetch_seconds_max = 301".to_owned(),
            "revocation_lists.fetch_seconds_max",
        ),
        (format!("{set}soft_fail_hours = 1"), "trust.n.soft_fail_hours"),
        (
            format!("{set}revocation = \"soft_fail\"\nsoft_fail_hours = 0"),
            "trust.n.soft_fail_hours",
        ),
        (format!("{set}crl_urls = [\"ldap://a.example/\"]"), "trust.n.crl_urls"),
        (format!("{set}crl_urls = [\"file:///etc/passwd\"]"), "trust.n.crl_urls"),
        (format!("{set}crl_urls = [\"http://169.254.169.254/latest\"]"), "trust.n.crl_urls"),
        (format!("{set}crl_urls = [\"http://[::1]/\"]"), "trust.n.crl_urls"),
        (format!("{set}crl_urls = [{}]", "\"http://a.example/\",".repeat(33)), "trust.n.crl_urls"),
        ("[ocsp]\nrefresh_seconds = 86401".to_owned(), "ocsp.refresh_seconds"),
        ("[ocsp]\nanswer_seconds_max = 0".to_owned(), "ocsp.answer_seconds_max"),
        ("[ocsp]\nnonce = \"maybe\"".to_owned(), "ocsp.nonce"),
        (format!("{set}ocsp = \"always\""), "trust.n.ocsp"),
        (format!("{set}ocsp = \"fallback\""), "trust.n.ocsp_responders"),
        (format!("{set}ocsp_responders = [\"http://a.example/\"]"), "trust.n.ocsp_responders"),
        (
            format!("{set}ocsp = \"fallback\"\nocsp_responders = [\"http://10.0.0.1/\"]"),
            "trust.n.ocsp_responders",
        ),
        (
            format!(
                "{set}revocation = \"not_checked\"\nocsp = \"alternative\"\nocsp_responders = [\"http://a.example\"]"
            ),
            "trust.n.ocsp",
        ),
    ] {
        let refusal = refusal(&format!("{MINIMAL}{lines}\n"), &[]);
        assert!(refusal.contains(&format!("key {key}")), "{lines}: {refusal}");
    }
}

#[test]
fn lists_lie_beside_the_database_and_are_fetched_where_it_is_said() {
    let set = "[trust.n]\nanchors = [\"a\"]\npolicies = [\"any\"]\n";
    let config = load(&format!("{MINIMAL}[database]\nfile = \"/var/p/a.db\"\n{set}"), &[]).unwrap();
    assert_eq!(config.revocation_lists.folder, Path::new("/var/p/revocation-lists"));
    assert_eq!(config.revocation_lists.refresh, Duration::from_mins(10));
    assert!(config.trust[0].crl_urls.is_empty() && config.trust[0].crl_distribution_points);
    let more =
        "revocation = \"soft_fail\"\nsoft_fail_hours = 72\ncrl_urls = [\"http://a.example/b\"]";
    let config = load(&format!("{MINIMAL}{set}{more}\n"), &[]).unwrap();
    assert_eq!(config.trust[0].revocation, Revocation::SoftFail { hours: 72 });
    assert_eq!(config.trust[0].crl_urls[0].as_str(), "http://a.example/b");
    assert_eq!(config.trust[0].ocsp, OcspRule::NotUsed);
}

#[test]
fn responders_are_asked_where_it_is_said() {
    let set = "[trust.n]\nanchors = [\"a\"]\npolicies = [\"any\"]\n";
    let asking = "ocsp = \"alternative\"\nocsp_responders = [\"http://ocsp.example\"]\n";
    let config = load(&format!("{MINIMAL}{set}{asking}"), &[]).unwrap();
    assert_eq!(config.trust[0].ocsp, OcspRule::Alternative);
    assert_eq!(config.trust[0].ocsp_responders[0].as_str(), "http://ocsp.example");
    assert_eq!(config.ocsp.refresh, Duration::from_mins(10));
    assert_eq!(config.ocsp.answer, Duration::from_hours(1));
    assert_eq!(config.ocsp.nonce, OcspNonce::Sent);
}

#[test]
fn people_come_from_a_provider_that_is_described_and_can_be_sent_back() {
    for ways in ["open_id", "both"] {
        let portal = format!("{MINIMAL}[portal]\nsign_in = \"{ways}\"\n");
        assert!(refusal(&portal, &[]).contains("key portal.sign_in"));
        let provider =
            "[open_id.a]\nissuer = \"https://a.example\"\nname = \"A\"\nclient_id = \"c\"\n";
        let whole = format!("{portal}{provider}");
        assert_eq!(load(&whole, &[]).unwrap().open_id_providers[0].section, "a");
        let elsewhere =
            format!("{whole}[admin_listener]\naddress = \"0.0.0.0:80\"\nbehind_proxy = true\n");
        assert!(refusal(&elsewhere, &[]).contains("key server.admin_url"));
        let known = [("PORTVAKT__SERVER__ADMIN_URL", "https://portal.example/")];
        assert!(load(&elsewhere, &known).is_ok());
    }
}

#[test]
fn the_providers_of_the_manual_are_valid() {
    let (_, manual) = DEFAULT.split_once("# [open_id.keycloak]").unwrap();
    let is_key = |line: &&str| {
        let name = line.split(" = ").next().unwrap_or_default();
        line.starts_with("[open_id.") || name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
    };
    let lines: Vec<_> =
        manual.lines().filter_map(|line| line.strip_prefix("# ")).filter(is_key).collect();
    let text = format!("{MINIMAL}[open_id.keycloak]\n{}\n", lines.join("\n"));
    let providers = load(&text, &[]).unwrap().open_id_providers;
    let sections: Vec<_> = providers.iter().map(|it| it.section.as_str()).collect();
    assert_eq!(sections, ["ansattporten", "entra", "keycloak"]);
    assert_eq!(providers[0].parameters.len(), 2);
    assert_eq!(providers[2].scopes, ["email", "profile"]);
}

#[test]
fn a_url_takes_the_place_of_the_file_and_is_not_shown() {
    let file = load(MINIMAL, &[]).unwrap().database;
    assert!(matches!(file, DatabaseSource::File(file) if file.ends_with("portvakt.db")));
    let url = ("PORTVAKT__DATABASE__URL", "postgres://a:secret@localhost/portvakt");
    let source = load(MINIMAL, &[url]).unwrap().database;
    assert!(matches!(&source, DatabaseSource::Url(url) if url.ends_with("/portvakt")));
    assert!(!format!("{source:?}").contains("secret"));
    let both = refusal(&format!("{MINIMAL}[database]\nurl_file = \"u\"\n"), &[url]);
    assert!(both.contains("database.url_file") && !both.contains("secret"), "{both}");
}
