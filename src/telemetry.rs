//! Logs and metrics: set up once, handed to `app`.
//!
//! No label ever names a client, an organization or a scope: their number has no bound, and who asks for
//! what is nobody's business who may read metrics.

use std::fmt;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use tracing_subscriber::EnvFilter;

use crate::clock::Clock;
use crate::domain::step::Step;
use crate::token::client_key::EnterpriseCertificates;
use crate::token::trail::Trail;

/// For whom logs are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// Lines for people.
    Text,
}

/// Says whether a log filter can be read.
pub fn check_filter(filter: &str) -> Result<(), String> {
    EnvFilter::try_new(filter).map(|_| ()).map_err(|error| format!("log filter: {error}"))
}

/// Sends logs to standard error. A filter that cannot be read is an error; a second call changes nothing.
pub fn start_logging(format: LogFormat, filter: &str) -> Result<(), String> {
    let filter = EnvFilter::try_new(filter).map_err(|error| format!("log filter: {error}"))?;
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // A subscriber is already there when several servers run in one process, as in tests.
    let _ = match format {
        LogFormat::Json => logs.json().flatten_event(true).try_init(),
        LogFormat::Text => logs.with_target(false).try_init(),
    };
    Ok(())
}

/// The metrics of the server.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    seconds: Histogram,
    steps: Vec<(Step, Histogram)>,
    unrecorded: Counter,
    limited: Family<LimitLabels, Counter>,
    mails: MailCounts,
}

/// Counts mails by what has become of an attempt to send them.
#[derive(Clone, Default)]
pub struct MailCounts(Family<MailLabels, Counter>);

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct MailLabels {
    result: &'static str,
}

/// How token requests are counted: a handful of results, and the codes that are documented.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct RequestLabels {
    result: &'static str,
    code: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct LimitLabels {
    limit: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct StepLabels {
    step: &'static str,
}

impl Metrics {
    /// Metrics at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("portvakt");
        let requests = Family::<RequestLabels, Counter>::default();
        registry.register(
            "token_requests",
            "Token requests by result (the error, or issued) and code",
            requests.clone(),
        );
        let seconds = duration_histogram();
        registry.register_with_unit(
            "token_request_duration",
            "Time from the head of a token request having been read to its answer being made",
            Unit::Seconds,
            seconds.clone(),
        );
        let family = Family::<StepLabels, Histogram>::new_with_constructor(duration_histogram);
        registry.register_with_unit(
            "token_step_duration",
            "Time of each step of a token request",
            Unit::Seconds,
            family.clone(),
        );
        let histogram = |step: Step| family.get_or_create_owned(&StepLabels { step: step.name() });
        let steps = Step::ALL.map(|step| (step, histogram(step))).into();
        let unrecorded = Counter::default();
        registry.register(
            "refused_requests_unrecorded",
            "Refused token requests of which no record could be kept, because there were too many",
            unrecorded.clone(),
        );
        let limited = Family::<LimitLabels, Counter>::default();
        registry.register(
            "limited_requests",
            "Requests refused because their caller makes too many, by the limit that they were held to",
            limited.clone(),
        );
        let mails = MailCounts::default();
        registry.register(
            "mails",
            "Attempts to send a mail by result: sent, failed (and tried again later), given_up",
            mails.0.clone(),
        );
        Self { registry, requests, seconds, steps, unrecorded, limited, mails }
    }

    /// Counts a token request that has been answered.
    pub fn token_request(&self, result: &'static str, code: &'static str, duration: Duration) {
        self.requests.get_or_create(&RequestLabels { result, code }).inc();
        self.seconds.observe(duration.as_secs_f64());
    }

    /// Adds the steps of a token request.
    pub fn token_steps(&self, trail: &Trail<'_>) {
        for (step, duration) in trail.taken() {
            if let Some((_, histogram)) = self.steps.iter().find(|(known, _)| known == step) {
                histogram.observe(duration.as_secs_f64());
            }
        }
    }

    /// Counts a refused token request of which no record is kept.
    pub fn refusal_unrecorded(&self) {
        self.unrecorded.inc();
    }

    /// Counts a request that a limit has refused.
    pub fn limited(&self, limit: &'static str) {
        self.limited.get_or_create(&LimitLabels { limit }).inc();
    }

    /// The counts of mails, for whoever sends them.
    pub fn mail_counts(&self) -> MailCounts {
        self.mails.clone()
    }

    /// Shows the authorities of these trust sets, read anew whenever somebody looks.
    pub fn watch_trust(&mut self, sets: Arc<EnterpriseCertificates>, clock: Arc<dyn Clock>) {
        self.registry.register_collector(Box::new(TrustMetrics { sets, clock }));
    }

    /// The metrics in the text format of `OpenMetrics`.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// When authorities end, and how much is wrong with each trust set. Their number is that of the configuration.
struct TrustMetrics {
    sets: Arc<EnterpriseCertificates>,
    clock: Arc<dyn Clock>,
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

impl MailCounts {
    /// Counts a mail that was sent.
    pub fn sent(&self) {
        self.count("sent");
    }

    /// Counts an attempt that failed, and will be made again.
    pub fn failed(&self) {
        self.count("failed");
    }

    /// Counts a mail that will not be sent.
    pub fn given_up(&self) {
        self.count("given_up");
    }

    fn count(&self, result: &'static str) {
        self.0.get_or_create(&MailLabels { result }).inc();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// From ten microseconds, a cache hit, to five seconds, when requests give up.
fn duration_histogram() -> Histogram {
    Histogram::new(exponential_buckets(0.000_01, 2.0, 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_name_results_and_steps() {
        let metrics = Metrics::new();
        metrics.token_request("issued", "", Duration::from_millis(1));
        metrics.token_request("invalid_grant", "MP-012", Duration::from_millis(1));
        let text = metrics.to_text();
        assert!(
            text.contains(
                r#"portvakt_token_requests_total{result="invalid_grant",code="MP-012"} 1"#
            ),
            "{text}"
        );
        assert!(text.contains("portvakt_token_request_duration_seconds_count 2"), "{text}");
        assert!(text.ends_with("# EOF\n"));
    }
}
