//! The authorities whose certificates count, as metrics.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::clock::{Clock, Timestamp};
use crate::token::client_key::EnterpriseCertificates;

/// When authorities end, since when responders fail, and how much is wrong with each trust set. Their number is that of
/// the configuration.
pub(super) struct TrustMetrics {
    pub(super) sets: Arc<EnterpriseCertificates>,
    pub(super) clock: Arc<dyn Clock>,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct AuthorityLabels {
    trust_set: String,
    role: &'static str,
    subject: String,
    /// Two of one name are told apart by it.
    fingerprint: String,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct ResponderLabels {
    trust_set: String,
    url: String,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct TrustSetLabels {
    trust_set: String,
}

impl fmt::Debug for TrustMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TrustMetrics")
    }
}

impl Collector for TrustMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let now = self.clock.now();
        let sets: Vec<_> = self.sets.sets().iter().map(|set| set.summary(now)).collect();
        if sets.is_empty() {
            return Ok(());
        }
        let gauge = ConstGauge::new(0_i64).metric_type();
        let help = "When the certificate of an authority ends, in seconds since 1970";
        let name = "trust_authority_not_after";
        let mut ends = encoder.encode_descriptor(name, help, Some(&Unit::Seconds), gauge)?;
        for set in &sets {
            for authority in &set.authorities {
                let labels = AuthorityLabels {
                    trust_set: set.name.clone(),
                    role: authority.role.name(),
                    subject: authority.subject.clone(),
                    fingerprint: authority.fingerprint.clone(),
                };
                let end = ConstGauge::new(authority.not_after.seconds());
                end.encode(ends.encode_family(&labels)?)?;
            }
        }
        let help =
            "Since when a responder (OCSP) has told nothing, in seconds since 1970; 0 if it has";
        let name = "ocsp_responder_failing_since_timestamp_seconds";
        let mut failing = encoder.encode_descriptor(name, help, None, gauge)?;
        for set in &sets {
            for responder in &set.responders {
                let labels =
                    ResponderLabels { trust_set: set.name.clone(), url: responder.url.clone() };
                let since = responder.failing_since.map_or(0, Timestamp::seconds);
                ConstGauge::new(since).encode(failing.encode_family(&labels)?)?;
            }
        }
        let help = "Certificates of which a responder (OCSP) has told whether they are revoked";
        let mut known = encoder.encode_descriptor("ocsp_certificates", help, None, gauge)?;
        for set in &sets {
            let labels = TrustSetLabels { trust_set: set.name.clone() };
            let count = i64::try_from(set.ocsp_certificates).unwrap_or(i64::MAX);
            ConstGauge::new(count).encode(known.encode_family(&labels)?)?;
        }
        let help = "What will refuse good clients of a trust set: how many things";
        let mut warnings = encoder.encode_descriptor("trust_set_warnings", help, None, gauge)?;
        for set in &sets {
            let labels = TrustSetLabels { trust_set: set.name.clone() };
            let count = i64::try_from(set.warnings.len()).unwrap_or(i64::MAX);
            ConstGauge::new(count).encode(warnings.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
