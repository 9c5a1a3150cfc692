//! How much CPU the loaded server takes, as it says itself.

use crate::cli::server::Web;

/// The metric, by the name that Prometheus clients of every language give it.
const METRIC: &str = "process_cpu_seconds_total ";

/// Where a server tells its CPU time, if it is known.
pub(super) struct ServerCpu(Option<(Web, String)>);

impl ServerCpu {
    /// At the management listener of that address.
    pub(super) fn at(web: Web, management_url: &str) -> Self {
        Self(Some((web, format!("{}/metrics", management_url.trim_end_matches('/')))))
    }

    /// Nowhere.
    pub(super) fn unknown() -> Self {
        Self(None)
    }

    /// Seconds of CPU since the server began; nothing when it does not tell.
    pub(super) async fn read(&self) -> Option<f64> {
        let (web, url) = self.0.as_ref()?;
        seconds_in(&web.text(url).await.ok()?)
    }
}

fn seconds_in(metrics: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix(METRIC))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metric_is_found_among_others() {
        let metrics = "# TYPE process_cpu_seconds counter\nprocess_cpu_seconds_total 12.25\nx 1\n";
        assert_eq!(seconds_in(metrics), Some(12.25));
        assert_eq!(seconds_in("x 1\n"), None);
    }
}
