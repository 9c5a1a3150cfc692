//! Whether a change holds on every node.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::domain::change::ChangeSeq;
use crate::http::admin::body::{NoQuery, PathOf, Reply};
use crate::http::admin::caller::Caller;
use crate::http::admin::error::ApiError;
use crate::http::admin::own::problem::LookErrors;

/// How far a change has come.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Effective)]
struct EffectiveReply {
    /// The number of the change.
    seq: i64,
    /// Whether it and all before it hold on every node that is running. A node that has not been heard of for 20 seconds,
    /// or for longer than it issues tokens without the database, does not count any more.
    effective: bool,
    /// How many nodes are running.
    nodes: usize,
    /// On how many of them it does not hold yet, as far as is known.
    behind: usize,
}

#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct SeqPath {
    /// The number of a change: what `Portvakt-Change-Seq` of an answer says.
    #[param(value_type = i64, minimum = 0, maximum = 9_223_372_036_854_775_807_i64, example = 4711)]
    seq: String,
}

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(effective))
}

/// Whether a change holds on every node.
///
/// Every answer of this server says in `Portvakt-Change-Seq` which change holds on the node that gives it; the answer to
/// a change says at least its number. It holds everywhere within a second as a rule.
#[utoipa::path(
    get,
    path = "/effective/{seq}",
    operation_id = "effective",
    tag = "Me",
    security(("bearer" = [])),
    params(SeqPath),
    responses(LookErrors, (status = 200, description = "How far it has come", body = EffectiveReply))
)]
async fn effective(
    State(app): State<Arc<App>>,
    Caller(_): Caller,
    PathOf(path): PathOf<SeqPath>,
    _: NoQuery,
) -> Result<Reply<EffectiveReply>, ApiError> {
    let seq: Option<i64> = path.seq.parse().ok().filter(|seq| *seq >= 0);
    let seq = seq.ok_or_else(|| {
        ApiError::parameter("seq", "is not the number of a change, as Portvakt-Change-Seq says it")
    })?;
    let reach = app.reach(ChangeSeq(seq)).await?;
    let reply = EffectiveReply {
        seq,
        effective: reach.is_everywhere(),
        nodes: reach.nodes,
        behind: reach.behind,
    };
    Ok(Reply(StatusCode::OK, reply))
}
