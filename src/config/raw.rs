//! The mirror of a configuration file: every key optional, no key unknown.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Declares a section whose keys are all optional and can be overruled by a later layer.
macro_rules! section {
    ($(#[$meta:meta])* $name:ident { $($key:ident: $type:ty),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub(super) struct $name {
            $(pub(super) $key: Option<$type>,)*
        }

        impl $name {
            fn overlay(&mut self, over: Self) {
                $(if over.$key.is_some() { self.$key = over.$key; })*
            }
        }
    };
}

section!(RawServer { issuer: String, admin_url: String, drain_seconds: u32 });
section!(RawOperator {
    organization_number: String,
    organization_name: String,
    client_id: String,
    client_jwk_file: String,
});
section!(RawEnvironment {
    name: String,
    colour: String,
    self_service: String,
    accessibility_statement_url: String,
    privacy_statement_url: String,
    support_email: String,
    sister: BTreeMap<String, RawSister>,
});
section!(RawPortal {
    sign_in: String,
    idle_minutes: u32,
    session_hours: u32,
    password_characters_min: u32,
    sign_in_attempts: u32,
    sign_in_wait_seconds: u32,
    sign_in_wait_seconds_max: u32,
});
section!(RawListener {
    address: String,
    tls_certificate_file: String,
    tls_key_file: String,
    behind_proxy: bool,
    source_address_header: String,
    connections_max: u32,
});
section!(RawLimits {
    admin_requests_by_caller: u32,
    admin_requests_by_source: u32,
    portal_mails_by_source: u32,
    token_failures_by_source: u32,
    token_requests_by_client: u32,
});
section!(RawDatabase { file: String, url: String, url_file: String });
section!(RawToken {
    assertion_lifetime_seconds_max: u32,
    clock_skew_seconds: u32,
    lifetime_seconds_max: u32,
    profile: String,
    signing_algorithm: String,
    rsa_key_bits: u32,
});
section!(RawKeys {
    sealing_key_file: String,
    sealing_key: String,
    announce_hours: u32,
    rotate_days: u32,
});
section!(RawOutage { issue_seconds_max: u32 });
section!(RawNodes { differing_settings: String });
section!(RawFeed { poll_milliseconds: u32, stale_seconds_max: u32 });
section!(RawExplain { retention_days: u32, records_max: u32 });
section!(RawMail {
    transport: String,
    host: String,
    port: u32,
    tls: String,
    user: String,
    password_file: String,
    folder: String,
    folder_shown: bool,
    from: String,
    from_name: String,
    reply_to: String,
});
section!(RawLog { format: String, filter: String });
section!(RawOutbound { allowed_networks: Vec<String>, tls_authorities: Vec<String> });
section!(RawRevocationLists { refresh_seconds: u32, fetch_seconds_max: u32, folder: String });
section!(RawOcsp { refresh_seconds: u32, answer_seconds_max: u32, nonce: String });
section!(RawTrust {
    profile: String,
    environment: String,
    anchors: Vec<String>,
    intermediates: Vec<String>,
    crls: Vec<String>,
    crl_urls: Vec<String>,
    crl_distribution_points: bool,
    revocation: String,
    soft_fail_hours: u32,
    ocsp: String,
    ocsp_responders: Vec<String>,
    policies: Vec<String>,
    extended_key_usages: Vec<String>,
    organization_from_serial_number: bool,
});
section!(RawDelegationRegister {
    issuer: String,
    name: String,
    url: String,
    token_scope: String,
    timeout_milliseconds: u32,
    cache_seconds: u32,
});

section!(RawOpenId {
    issuer: String,
    name: String,
    client_id: String,
    client_secret_file: String,
    scopes: Vec<String>,
    parameters: BTreeMap<String, String>,
    email_verified_claim: String,
    organization_claim: String,
    hosts: Vec<String>,
});

/// The portal of another environment.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawSister {
    pub(super) name: Option<String>,
    pub(super) url: Option<String>,
}

/// A whole file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Raw {
    pub(super) server: RawServer,
    pub(super) operator: RawOperator,
    pub(super) environment: RawEnvironment,
    pub(super) portal: RawPortal,
    pub(super) token_listener: RawListener,
    pub(super) admin_listener: RawListener,
    pub(super) management_listener: RawListener,
    pub(super) limits: RawLimits,
    pub(super) database: RawDatabase,
    pub(super) token: RawToken,
    pub(super) keys: RawKeys,
    pub(super) nodes: RawNodes,
    pub(super) feed: RawFeed,
    pub(super) outage: RawOutage,
    pub(super) explain: RawExplain,
    pub(super) mail: RawMail,
    pub(super) log: RawLog,
    pub(super) outbound: RawOutbound,
    pub(super) revocation_lists: RawRevocationLists,
    pub(super) ocsp: RawOcsp,
    pub(super) trust: BTreeMap<String, RawTrust>,
    pub(super) delegation_register: BTreeMap<String, RawDelegationRegister>,
    pub(super) open_id: BTreeMap<String, RawOpenId>,
}

impl Raw {
    /// Lets every key that `over` sets overrule this layer.
    pub(super) fn overlay(&mut self, over: Self) {
        self.server.overlay(over.server);
        self.operator.overlay(over.operator);
        self.environment.overlay(over.environment);
        self.portal.overlay(over.portal);
        self.token_listener.overlay(over.token_listener);
        self.admin_listener.overlay(over.admin_listener);
        self.management_listener.overlay(over.management_listener);
        self.limits.overlay(over.limits);
        self.database.overlay(over.database);
        self.token.overlay(over.token);
        self.keys.overlay(over.keys);
        self.nodes.overlay(over.nodes);
        self.feed.overlay(over.feed);
        self.outage.overlay(over.outage);
        self.explain.overlay(over.explain);
        self.mail.overlay(over.mail);
        self.log.overlay(over.log);
        self.outbound.overlay(over.outbound);
        self.revocation_lists.overlay(over.revocation_lists);
        self.ocsp.overlay(over.ocsp);
        for (name, trust) in over.trust {
            self.trust.entry(name).or_default().overlay(trust);
        }
        for (name, register) in over.delegation_register {
            self.delegation_register.entry(name).or_default().overlay(register);
        }
        for (name, provider) in over.open_id {
            self.open_id.entry(name).or_default().overlay(provider);
        }
    }
}
