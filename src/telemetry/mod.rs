//! Logs and metrics: set up once, handed to `app`.
//!
//! No label ever names a client, an organization or a scope: their number has no bound, and who asks for
//! what is nobody's business who may read metrics.

mod authorities;
mod node;
mod process;

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use tracing_subscriber::EnvFilter;

use crate::clock::Clock;
use crate::domain::step::Step;
use crate::telemetry::authorities::TrustMetrics;
use crate::telemetry::node::NodeGauges;
use crate::telemetry::process::Process;
use crate::token::client_key::EnterpriseCertificates;
use crate::token::trail::Trail;

pub use node::NodeMeasures;

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

/// What the names of our own metrics begin with.
const PREFIX: &str = "portvakt";

/// The metrics of the server.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    seconds: Histogram,
    steps: Vec<(Step, Histogram)>,
    unrecorded: Counter,
    panics: Counter,
    limited: Family<LimitLabels, Counter>,
    mails: MailCounts,
    fetches: FetchCounts,
    answers: AnswerCounts,
    lists: ListGauges,
    node: NodeGauges,
}

/// Counts fetches of revocation lists by what has come of them.
#[derive(Clone, Default)]
pub struct FetchCounts(Family<FetchLabels, Counter>);

/// Counts questions to responders by what has come of them.
#[derive(Clone, Default)]
pub struct AnswerCounts(Family<FetchLabels, Counter>);

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct FetchLabels {
    result: &'static str,
}

/// What is measured of revocation lists. Their number is that of the configuration.
#[derive(Default)]
struct ListGauges {
    this_update: Family<ListLabels, Gauge>,
    next_update: Family<ListLabels, Gauge>,
    entries: Family<ListLabels, Gauge>,
    failing_since: Family<ListLabels, Gauge>,
}

/// Which revocation list is measured.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct ListLabels {
    /// The trust set that it is for.
    pub trust_set: String,
    /// Whose it is; empty where there is none.
    pub issuer: String,
    /// Where it is fetched from; empty for one of the files.
    pub url: String,
}

/// The measures of a revocation list; moments are in seconds since 1970.
#[derive(Clone, Copy, Debug, Default)]
pub struct ListMeasures {
    /// When it was issued.
    pub this_update: Option<i64>,
    /// When the next one is to be there.
    pub next_update: Option<i64>,
    /// How many certificates it revokes.
    pub entries: Option<i64>,
    /// Since when fetching it has failed; 0 if it has not.
    pub failing_since: Option<i64>,
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
        let mut all = Registry::default();
        all.register_collector(Box::new(Process));
        let registry = all.sub_registry_with_prefix(PREFIX);
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
        let panics = Counter::default();
        registry.register(
            "panics",
            "Requests that have met a fault of the server's own; each is in the log",
            panics.clone(),
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
        let fetches = FetchCounts::default();
        registry.register(
            "revocation_list_fetches",
            "Attempts to fetch a revocation list by result: taken, unchanged, failed, refused",
            fetches.0.clone(),
        );
        let answers = AnswerCounts::default();
        registry.register(
            "ocsp_answers",
            "Questions to responders (OCSP) by result: taken, unchanged, failed, refused, or the \
             status in place of an answer (RFC 6960 section 4.2.1), such as tryLater",
            answers.0.clone(),
        );
        let lists = ListGauges::register(registry);
        let node = NodeGauges::register(registry);
        Self {
            registry: all,
            requests,
            seconds,
            steps,
            unrecorded,
            panics,
            limited,
            mails,
            fetches,
            answers,
            lists,
            node,
        }
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

    /// Counts a request that has met a fault of the server's own.
    pub fn panicked(&self) {
        self.panics.inc();
    }

    /// Counts a request that a limit has refused.
    pub fn limited(&self, limit: &'static str) {
        self.limited.get_or_create(&LimitLabels { limit }).inc();
    }

    /// The counts of mails, for whoever sends them.
    pub fn mail_counts(&self) -> MailCounts {
        self.mails.clone()
    }

    /// The counts of fetches, for whoever fetches revocation lists.
    pub fn fetch_counts(&self) -> FetchCounts {
        self.fetches.clone()
    }

    /// The counts of answers, for whoever asks responders.
    pub fn answer_counts(&self) -> AnswerCounts {
        self.answers.clone()
    }

    /// Takes the measures of the node.
    pub fn measure_node(&self, node: NodeMeasures) {
        self.node.measure(node);
    }

    /// Takes the measures of all revocation lists in place of those that were taken before.
    pub fn measure_lists(&self, lists: impl Iterator<Item = (ListLabels, ListMeasures)>) {
        let gauges = &self.lists;
        let all =
            [&gauges.this_update, &gauges.next_update, &gauges.entries, &gauges.failing_since];
        for gauge in all {
            gauge.clear();
        }
        for (labels, of) in lists {
            let values = [of.this_update, of.next_update, of.entries, of.failing_since];
            for (gauge, value) in all.into_iter().zip(values) {
                if let Some(value) = value {
                    gauge.get_or_create(&labels).set(value);
                }
            }
        }
    }

    /// Shows the authorities of these trust sets, read anew whenever somebody looks.
    pub fn watch_trust(&mut self, sets: Arc<EnterpriseCertificates>, clock: Arc<dyn Clock>) {
        let ours = self.registry.sub_registry_with_prefix(PREFIX);
        ours.register_collector(Box::new(TrustMetrics { sets, clock }));
    }

    /// The metrics in the text format of `OpenMetrics`.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

impl ListGauges {
    fn register(registry: &mut Registry) -> Self {
        let gauges = Self::default();
        for (name, help, gauge) in [
            (
                "revocation_list_this_update_timestamp_seconds",
                "When each revocation list that is in use was issued",
                &gauges.this_update,
            ),
            (
                "revocation_list_next_update_timestamp_seconds",
                "When the next issue of each revocation list is to be there",
                &gauges.next_update,
            ),
            (
                "revocation_list_entries",
                "Certificates that each revocation list revokes",
                &gauges.entries,
            ),
            (
                "revocation_list_failing_since_timestamp_seconds",
                "Since when fetching each revocation list has failed; 0 if it has not",
                &gauges.failing_since,
            ),
        ] {
            registry.register(name, help, gauge.clone());
        }
        gauges
    }
}

impl FetchCounts {
    /// Counts a fetch with this result.
    pub fn fetched(&self, result: &'static str) {
        self.0.get_or_create(&FetchLabels { result }).inc();
    }
}

impl AnswerCounts {
    /// Counts a question with this result.
    pub fn answered(&self, result: &'static str) {
        self.0.get_or_create(&FetchLabels { result }).inc();
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
        assert!(text.contains("\nprocess_cpu_seconds_total "), "{text}");
        assert!(text.contains("\nprocess_resident_memory_bytes "), "{text}");
        assert!(text.contains("\nprocess_open_fds "), "{text}");
        assert!(text.ends_with("# EOF\n"));
    }
}
