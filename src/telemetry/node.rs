//! What is measured of the node itself.

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// How a node is.
#[derive(Clone, Copy, Debug)]
pub struct NodeMeasures {
    /// Whether it takes work.
    pub is_ready: bool,
    /// By how many seconds its clock is ahead of the database's.
    pub clock_apart_seconds: i64,
    /// Whether another node has a setting that should be the same.
    pub has_differing_setting: bool,
    /// Rows of the database that could not be read when they were last met.
    pub unreadable_rows: usize,
    /// For how many seconds the database has been away while tokens are issued all the same; 0 if it is not.
    pub outage_seconds: i64,
    /// Tokens that were issued in the outage under way or the last one.
    pub outage_tokens: u64,
}

/// The measures of a node.
#[derive(Default)]
pub(super) struct NodeGauges {
    ready: Gauge,
    clock_apart: Gauge,
    differing: Gauge,
    unreadable: Gauge,
    outage_seconds: Gauge,
    outage_tokens: Gauge,
}

impl NodeGauges {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let gauges = Self::default();
        for (name, help, gauge) in [
            ("ready", "Whether the server takes work", &gauges.ready),
            (
                "clock_apart_seconds",
                "By how many seconds the clock of this node is ahead of the database's; beyond 2 either way no token \
                 is issued",
                &gauges.clock_apart,
            ),
            (
                "differing_settings",
                "Whether another node has a setting otherwise that should be the same on all",
                &gauges.differing,
            ),
            (
                "unreadable_rows",
                "Rows of the database that could not be read when they were last met; /health names them",
                &gauges.unreadable,
            ),
            (
                "outage_seconds",
                "For how many seconds the database has been away while scopes that allow it are issued",
                &gauges.outage_seconds,
            ),
            (
                "outage_tokens",
                "Tokens that were issued in the outage under way or the last one",
                &gauges.outage_tokens,
            ),
        ] {
            registry.register(name, help, gauge.clone());
        }
        gauges
    }

    pub(super) fn measure(&self, node: NodeMeasures) {
        self.ready.set(node.is_ready.into());
        self.clock_apart.set(node.clock_apart_seconds);
        self.differing.set(node.has_differing_setting.into());
        self.unreadable.set(i64::try_from(node.unreadable_rows).unwrap_or(i64::MAX));
        self.outage_seconds.set(node.outage_seconds);
        self.outage_tokens.set(i64::try_from(node.outage_tokens).unwrap_or(i64::MAX));
    }
}
