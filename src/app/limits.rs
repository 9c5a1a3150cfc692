//! The limits that requests are held to before anything else is known about them.

use std::sync::Arc;

use crate::clock::Clock;
use crate::config;
use crate::domain::email_address::EmailAddress;
use crate::domain::organization::EmailDomain;
use crate::domain::source::Source;
use crate::token::limit::RateLimit;

/// Mails an hour that people who are not signed in have sent to one address, at most: who gets more than a few links has
/// not asked for them.
const RECIPIENT_MAILS_AN_HOUR: u32 = 4;

/// Who has a mail sent without being signed in.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Asker {
    /// Somebody at that address.
    Source(Source),
    /// Nobody knows who; so all who ask for the same organization are one.
    SomebodyFor(EmailDomain),
}

/// Limits by caller. That of a client at the token endpoint stands in [`crate::token::Issuer`], behind its signature.
pub struct Limits {
    /// Requests to the admin listener by callers that have proved who they are, by the name that the audit trail has
    /// for them.
    pub admin_callers: RateLimit<String>,
    /// Requests to the admin listener by anybody else.
    pub admin_strangers: RateLimit<Source>,
    /// Mails that people who are not signed in have sent, by who asks, or where that is not known by whom it concerns.
    pub mails_by_asker: RateLimit<Asker>,
    /// The same, by who gets them.
    pub mails_by_recipient: RateLimit<EmailAddress>,
    /// Token requests that cost an effort and came to nothing: clients that there are not, certificates and signatures
    /// that do not hold, and assertions that have been spent.
    pub token_failures: RateLimit<Source>,
}

impl Limits {
    pub(super) fn new(config: config::Limits, clock: &Arc<dyn Clock>) -> Self {
        Self {
            admin_callers: RateLimit::per_second(config.admin_requests_by_caller, clock),
            admin_strangers: RateLimit::per_second(config.admin_requests_by_source, clock),
            mails_by_asker: RateLimit::per_hour(config.portal_mails_by_source, clock),
            mails_by_recipient: RateLimit::per_hour(RECIPIENT_MAILS_AN_HOUR, clock),
            token_failures: RateLimit::per_second(config.token_failures_by_source, clock),
        }
    }
}
