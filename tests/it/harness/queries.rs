//! What a page asks of the database.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use portvakt::http::admin_router;
use serde_json::Value;
use tower::ServiceExt as _;
use tracing::Instrument as _;

use crate::harness::admin::AdminServer;
use crate::harness::logs;

/// The name of the span within which [`logs`] keeps statements.
pub(crate) const SPAN: &str = "counted";

/// How long a thread of the database may take to log a statement whose answer is there.
const LOG_PATIENCE: Duration = Duration::from_millis(100);

/// The statements with which the admin listener answers a request for `path` with these headers.
pub(crate) async fn statements(
    server: &AdminServer,
    path: &str,
    headers: &[(&str, &str)],
) -> Vec<String> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mark = format!("request-{}-of-the-test", NEXT.fetch_add(1, Ordering::Relaxed));
    let mut request = Request::builder().uri(path).header("Host", "127.0.0.1");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    let router = admin_router(Arc::clone(&server.server.app));
    let span = tracing::info_span!("counted", mark);
    let reply = router.oneshot(request).instrument(span).await.unwrap();
    assert_eq!(reply.status(), 200, "{path}");
    tokio::time::sleep(LOG_PATIENCE).await;
    let lines = logs::lines_with(&mark).into_iter();
    let lines = lines.map(|line| serde_json::from_str::<Value>(&line).unwrap());
    let statements = lines.filter(|line| line["target"] == "sqlx::query");
    // What is short has no longer form than its summary.
    let whole = statements.map(|line| match line["db.statement"].as_str() {
        Some(statement) if !statement.trim().is_empty() => statement.to_owned(),
        _ => line["summary"].as_str().unwrap_or_default().to_owned(),
    });
    whole.map(|statement| statement.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// The table that a statement reads first: the one behind the `from` that stands in no parentheses, also where that is a
/// statement of its own.
pub(crate) fn table_of(statement: &str) -> String {
    let (mut depth, mut level) = (0_usize, 0);
    let mut is_next = false;
    for word in statement.split(' ') {
        match word {
            "(select" if is_next => level += 1,
            _ if is_next => return word.to_owned(),
            _ => {}
        }
        is_next = word == "from" && depth == level;
        depth = (depth + word.matches('(').count()).saturating_sub(word.matches(')').count());
    }
    String::new()
}
