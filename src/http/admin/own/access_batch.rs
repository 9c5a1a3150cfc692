//! Many accesses to one scope, granted and withdrawn at once.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::clock::Timestamp;
use crate::http::admin::body::{JsonBody, NoQuery, PathOf, Reply};
use crate::http::admin::caller::Caller;
use crate::http::admin::error::ApiError;
use crate::http::admin::own::path::ScopePath;
use crate::http::admin::own::problem::MakeErrors;
use crate::http::admin::value::TIME_EXPECTED;
use crate::registry::{AccessTerms, AccessWish, BatchMode, WishOutcome};

/// Who is to be granted the scope, and from whom it is to be withdrawn: at most 1,000 organizations together.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AccessBatch {
    #[serde(default)]
    #[schema(max_items = 1000)]
    grant: Vec<BatchGrant>,
    #[serde(default)]
    #[schema(max_items = 1000, example = json!(["991825827"]))]
    withdraw: Vec<String>,
    /// Change nothing, and say what would happen.
    #[serde(default)]
    dry_run: bool,
}

/// An organization that is to be granted the scope.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BatchGrant {
    #[schema(example = "991825827")]
    consumer: String,
    /// From this moment on it no longer holds; if it is not said, it has no end.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// A note that only the owner sees; one of more than 1023 characters is refused alone.
    note: Option<String>,
}

/// What has come of a batch, or would come of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccessBatchResult)]
struct AccessBatchReply {
    /// Whether nothing was changed because only that was asked.
    dry_run: bool,
    /// In the order of the request: what was to be granted, then what was to be withdrawn.
    results: Vec<WishReply>,
}

/// What has come of one wish.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccessBatchOutcome)]
struct WishReply {
    consumer: String,
    /// grant or withdraw.
    action: &'static str,
    /// done; unchanged, when the access was like that already; or refused.
    outcome: &'static str,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(batch))
}

/// Grants and withdraws many accesses to a scope at once. What can be done is done; the answer tells of each.
#[utoipa::path(
    post,
    path = "/scopes/{scope}/accesses/batch",
    operation_id = "accesses_batch",
    tag = "Accesses",
    params(ScopePath),
    request_body = AccessBatch,
    security(("bearer" = ["idporten:scopes.write"])),
    responses(MakeErrors, (status = 200, body = AccessBatchReply))
)]
async fn batch(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    PathOf(path): PathOf<ScopePath>,
    JsonBody(batch): JsonBody<AccessBatch>,
) -> Result<Reply<AccessBatchReply>, ApiError> {
    let dry_run = batch.dry_run;
    let mode = if dry_run { BatchMode::Try } else { BatchMode::Change };
    let wishes = batch.wishes()?;
    let asked: Vec<(String, &'static str)> = wishes
        .iter()
        .map(|wish| {
            let action = if wish.grant.is_some() { "grant" } else { "withdraw" };
            (wish.consumer.clone(), action)
        })
        .collect();
    let outcomes = app.registry.change_accesses(&actor, &path.name()?, wishes, mode).await?;
    let results = asked.into_iter().zip(outcomes).map(|((consumer, action), outcome)| {
        let (outcome, detail) = match outcome {
            WishOutcome::Done => ("done", None),
            WishOutcome::Refused { why } => ("refused", Some(why)),
            WishOutcome::Unchanged => ("unchanged", None),
        };
        WishReply { consumer, action, outcome, detail }
    });
    Ok(Reply(StatusCode::OK, AccessBatchReply { dry_run, results: results.collect() }))
}

impl AccessBatch {
    /// What is to become of each organization, in the order of the request.
    fn wishes(self) -> Result<Vec<AccessWish>, ApiError> {
        let mut wishes = Vec::with_capacity(self.grant.len() + self.withdraw.len());
        for (index, grant) in self.grant.into_iter().enumerate() {
            let expires_at = match grant.expires_at {
                Some(text) => Some(read_end(index, &text)?),
                None => None,
            };
            let terms = AccessTerms { expires_at, note: grant.note };
            wishes.push(AccessWish { consumer: grant.consumer, grant: Some(terms) });
        }
        let withdrawn = self.withdraw.into_iter();
        wishes.extend(withdrawn.map(|consumer| AccessWish { consumer, grant: None }));
        Ok(wishes)
    }
}

fn read_end(index: usize, text: &str) -> Result<Timestamp, ApiError> {
    Timestamp::from_rfc3339(text).ok_or_else(|| ApiError::Body {
        status: StatusCode::BAD_REQUEST,
        field: Some(format!("grant[{index}].expires_at")),
        problem: TIME_EXPECTED.to_owned(),
    })
}
