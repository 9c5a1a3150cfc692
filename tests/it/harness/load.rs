//! How long tokens take while something else is going on.

use std::time::Duration;

use crate::harness::clock::tick;
use crate::harness::http::{Connection, exchange, form, post};
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

/// Sends these requests over a few connections that are kept, and checks that all are refused with `code`.
/// Returns the mean time of one.
pub(crate) async fn flood(
    server: &TestServer,
    assertions: Vec<String>,
    code: &'static str,
) -> Duration {
    let count = u32::try_from(assertions.len()).unwrap();
    let began = tick();
    let mut tasks = tokio::task::JoinSet::new();
    for share in assertions.chunks(assertions.len().div_ceil(4)) {
        let (address, share) = (server.address, share.to_vec());
        tasks.spawn(async move {
            let mut connection = Connection::open(address).await;
            for assertion in share {
                let request = String::from_utf8(post(&form(&assertion))).unwrap();
                connection.send(request.replace("Connection: close\r\n", "").as_bytes()).await;
                let reply = connection.reply().await.unwrap();
                assert!(reply.text().contains(code), "{}", reply.text());
                assert_ne!(reply.status, 200);
            }
        });
    }
    tasks.join_all().await;
    began.elapsed() / count
}
