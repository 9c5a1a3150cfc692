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
    statements.map(|line| line["summary"].to_string() + &line["db.statement"].to_string()).collect()
}
