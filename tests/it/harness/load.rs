//! How long tokens take while something else is going on.

use std::time::Duration;

use crate::harness::clock::tick;
use crate::harness::http::{exchange, form, post};
use crate::harness::server::{TestServer, caller};

/// Fetches so many tokens, one after the other, and says how long each took.
pub(crate) async fn timed_tokens(server: &TestServer, count: usize) -> Vec<Duration> {
    let caller = caller("es256");
    let mut times = Vec::new();
    for _ in 0..count {
        let request = post(&form(&caller.assertion()));
        let began = tick();
        let reply = exchange(server.address, &request).await.unwrap();
        times.push(began.elapsed());
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    times
}

/// The time that all but one in a hundred stay below; of fewer than a hundred, all but the slowest.
pub(crate) fn percentile_99(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort();
    let place = (sorted.len() * 99 / 100).min(sorted.len() - 2);
    sorted[place]
}
