//! The limits that requests are held to before anything else is known about them.

use std::sync::Arc;

use crate::clock::Clock;
use crate::config;
use crate::domain::source::Source;
use crate::token::limit::RateLimit;

/// Limits by caller. That of a client at the token endpoint stands in [`crate::token::Issuer`], behind its signature.
pub struct Limits {
    /// Requests to the admin listener by callers that have proved who they are, by the name that the audit trail has
    /// for them.
    pub admin_callers: RateLimit<String>,
    /// Requests to the admin listener by anybody else.
    pub admin_strangers: RateLimit<Source>,
    /// Token requests that cost an effort and came to nothing: certificates and signatures that do not hold, and
    /// assertions that have been spent.
    pub token_failures: RateLimit<Source>,
}

impl Limits {
    pub(super) fn new(config: config::Limits, clock: &Arc<dyn Clock>) -> Self {
        Self {
            admin_callers: RateLimit::per_second(config.admin_requests_by_caller, clock),
            admin_strangers: RateLimit::per_second(config.admin_requests_by_source, clock),
            token_failures: RateLimit::per_second(config.token_failures_by_source, clock),
        }
    }
}
