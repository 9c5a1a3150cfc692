//! The report of a load: figures, and their text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use crate::cli::failure::Failure;
use crate::cli::load::tally::{Outcome, Tally, Times};
use crate::clock::Timestamp;

/// What a load has shown. Its JSON form is for programs that compare runs.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// The issuer that was loaded.
    pub(super) issuer: String,
    /// When the load began, by RFC 3339.
    pub(super) began_at: String,
    /// The pace and what was asked, in words.
    pub(super) load: String,
    /// From the first request to the last answer.
    pub(super) seconds: f64,
    /// Requests that got a token.
    pub(super) issued: u64,
    /// Requests with a wrong signature that were refused, as they had to be.
    pub(super) refused: u64,
    /// Everything else, by what came of it.
    pub(super) failed: BTreeMap<String, u64>,
    /// Tokens a second.
    pub(super) tokens_per_second: f64,
    /// Times of the requests that ended as they had to. At a rate they count from when a request was due.
    pub(super) milliseconds: Milliseconds,
    /// How much later than due requests were sent. When this is large, the tool was short of something, not
    /// the server.
    pub(super) late_milliseconds: Milliseconds,
    /// What the server took, if it tells.
    pub(super) server_cpu: Option<CpuUse>,
    /// An assertion that was sent twice before the load was refused the second time; without that there is no
    /// report.
    pub(super) replay_refused: bool,
    /// Each second, by when requests were due.
    pub(super) by_second: Vec<SecondFigures>,
}

/// Times in milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Milliseconds {
    pub(super) mean: f64,
    pub(super) p50: f64,
    pub(super) p90: f64,
    pub(super) p99: f64,
    pub(super) p99_9: f64,
    pub(super) max: f64,
}

/// CPU time of the server.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct CpuUse {
    /// In all, user and system.
    pub(super) seconds: f64,
    /// For each answer, in microseconds.
    pub(super) micros_per_answer: f64,
}

/// What happened in a second.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct SecondFigures {
    pub(super) as_meant: u64,
    pub(super) failed: u64,
    pub(super) p50: f64,
    pub(super) p99: f64,
}

impl Milliseconds {
    fn of(times: &Times) -> Self {
        Self {
            mean: rounded(times.mean()),
            p50: rounded(times.percentile(50.0)),
            p90: rounded(times.percentile(90.0)),
            p99: rounded(times.percentile(99.0)),
            p99_9: rounded(times.percentile(99.9)),
            max: rounded(times.max()),
        }
    }
}

/// To three places; more of a millisecond means nothing.
fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "counts of requests are far below 2^53"
)]
pub(super) fn float(count: u64) -> f64 {
    count as f64
}

impl Report {
    /// The report of a tally.
    pub(super) fn new(
        server: &str,
        began_at: Timestamp,
        load: String,
        tally: &Tally,
        cpu_seconds: Option<f64>,
    ) -> Self {
        let (issued, refused) = (tally.count(&Outcome::Issued), tally.count(&Outcome::Refused));
        let failed = tally.outcomes.iter();
        let failed = failed.filter_map(|(it, count)| Some((it.wrong()?.to_owned(), *count)));
        let answers = float(issued + refused + tally.failed());
        let whole = tally.lasted.as_secs_f64();
        let by_second = tally.seconds.iter().map(|it| SecondFigures {
            as_meant: it.as_meant,
            failed: it.failed,
            p50: rounded(it.times.percentile(50.0)),
            p99: rounded(it.times.percentile(99.0)),
        });
        Self {
            issuer: server.to_owned(),
            began_at: began_at.to_string(),
            load,
            seconds: rounded(whole),
            issued,
            refused,
            failed: failed.collect(),
            tokens_per_second: rounded(float(issued) / whole),
            milliseconds: Milliseconds::of(&tally.times),
            late_milliseconds: Milliseconds::of(&tally.late),
            server_cpu: cpu_seconds.map(|seconds| CpuUse {
                seconds: rounded(seconds),
                micros_per_answer: rounded(seconds * 1_000_000.0 / answers),
            }),
            replay_refused: true,
            by_second: by_second.collect(),
        }
    }

    /// Failure, when a request did not end as it had to: the figures of such a run compare with nothing.
    pub(super) fn judged(&self) -> Result<(), Failure> {
        let failed: u64 = self.failed.values().sum();
        match failed {
            0 => Ok(()),
            failed => Err(Failure::failed(format!(
                "{failed} of {} requests did not end as they had to",
                self.issued + self.refused + failed
            ))),
        }
    }

    /// The report for a person.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: String| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{name:<18} {value}");
        };
        line("server", self.issuer.clone());
        line("load", self.load.clone());
        line("lasted", format!("{:.1} s", self.seconds));
        line("tokens", format!("{} ({:.0} a second)", self.issued, self.tokens_per_second));
        if self.refused > 0 {
            line("refused", format!("{} with a wrong signature, as they had to be", self.refused));
        }
        for (what, count) in &self.failed {
            line("FAILED", format!("{count}: {what}"));
        }
        line("milliseconds", times(&self.milliseconds));
        if self.late_milliseconds.p99 >= LATE {
            line("sent late by", times(&self.late_milliseconds));
            line(
                "",
                "the tool was short of CPU or connections; the times above are its own, too".into(),
            );
        }
        match self.server_cpu {
            Some(cpu) => line(
                "server CPU",
                format!("{:.2} s, {:.0} us an answer", cpu.seconds, cpu.micros_per_answer),
            ),
            None => line("server CPU", "unknown (give --management-url)".into()),
        }
        line("replay", "refused, when it was tried before the load".into());
        text
    }
}

/// Milliseconds at the 99th percentile from which sending late is told: less is what a shared machine takes.
const LATE: f64 = 5.0;

fn times(it: &Milliseconds) -> String {
    format!(
        "p50 {:.2}  p90 {:.2}  p99 {:.2}  p99.9 {:.2}  max {:.2}  mean {:.2}",
        it.p50, it.p90, it.p99, it.p99_9, it.max, it.mean
    )
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cli::load::tally::Ended;

    /// A report of four seconds, with three tokens, a refusal and a failure.
    pub(in crate::cli::load) fn report() -> Report {
        let mut tally = Tally { lasted: Duration::from_secs(4), ..Tally::default() };
        let failed = || Outcome::Failed("503 <temporarily_unavailable>".to_owned());
        for (at, outcome) in [
            (0, Outcome::Issued),
            (1, Outcome::Issued),
            (1, Outcome::Refused),
            (3, failed()),
            (3, Outcome::Issued),
        ] {
            let (due, took) = (Duration::from_secs(at), Duration::from_millis(at + 1));
            tally.add(Ended { outcome, due, took, late: Duration::from_micros(20) });
        }
        let began_at = Timestamp::from_seconds(1_800_000_000);
        Report::new("https://as.example/", began_at, "5 requests".to_owned(), &tally, Some(0.01))
    }

    #[test]
    fn a_report_tells_what_was_counted_and_fails_for_what_went_wrong() {
        let report = report();
        let text = report.text();
        for part in ["3 (1 a second)", "1 with a wrong signature", "1: 503", "p50 2.00", "2000 us"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("sent late"), "{text}");
        assert_eq!(
            report.judged().unwrap_err().message,
            "1 of 5 requests did not end as they had to"
        );
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["by_second"].as_array().unwrap().len(), 4);
        assert_eq!(json["by_second"][2]["as_meant"], 0);
        assert_eq!(json["failed"]["503 <temporarily_unavailable>"], 1);
    }
}
