//! Requests that carried an Idempotency-Key, and their answers.

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::Timestamp;
use crate::store::{Store, StoreError};

/// Rows that are deleted at once: more than are added at once, and few enough that nobody waits for it.
const SLICE_ROWS: i64 = 50;

/// A request as it is known here. Neither the key nor the body can be read back from it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MarkedRequest {
    id: String,
    hash: String,
}

/// An answer as it is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeptAnswer {
    /// Its HTTP status.
    pub status: u16,
    /// Its headers, as the keeper has written them.
    pub headers: String,
    /// Its body.
    pub body: String,
}

/// What is known about a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Repetition {
    /// It has been answered so.
    Answered(KeptAnswer),
    /// Its key has been used for another request.
    Different,
    /// Nothing: whoever asks is to do it now, and to say what came of it.
    First,
    /// It is being done.
    UnderWay,
}

/// How long what is known counts.
#[derive(Clone, Copy, Debug)]
pub struct MarkBounds {
    /// Rows from before this moment are as good as gone.
    pub oldest: Timestamp,
    /// A request that has been under way since before this moment has died with its server.
    pub oldest_under_way: Timestamp,
}

impl MarkedRequest {
    /// The request of a caller with a key. Each part is framed by its length, so that no two look the same.
    pub fn new(caller: &str, key: &str, method: &str, target: &str, body: &[u8]) -> Self {
        let parts = [method.as_bytes(), target.as_bytes(), body];
        Self { id: hash(&[caller.as_bytes(), key.as_bytes()]), hash: hash(&parts) }
    }
}

fn hash(parts: &[&[u8]]) -> String {
    let mut hash = Context::new(&SHA256);
    for part in parts {
        hash.update(format!("{}:", part.len()).as_bytes());
        hash.update(part);
    }
    URL_SAFE_NO_PAD.encode(hash.finish())
}

impl Store {
    /// Says what is known about a request; if nothing, notes that it is under way since `now`. Forgets a slice of
    /// what is too old.
    pub async fn begin_marked(
        &self,
        request: &MarkedRequest,
        bounds: MarkBounds,
        now: Timestamp,
    ) -> Result<Repetition, StoreError> {
        type Row = (String, Option<i64>, Option<String>, Option<String>);
        let mut transaction = self.begin().await?;
        let connection = transaction.connection();
        sqlx::query(
            "delete from idempotency where id in (select id from idempotency \
             where created_at < $1 order by created_at limit $2)",
        )
        .bind(bounds.oldest.seconds())
        .bind(SLICE_ROWS)
        .execute(&mut *connection)
        .await?;
        // Takes the place of a row that does not count any more.
        let taken = sqlx::query(
            "insert into idempotency (id, request_hash, created_at) values ($1, $2, $3) \
             on conflict (id) do update set request_hash = excluded.request_hash, status = null, \
             headers = null, body = null, created_at = excluded.created_at \
             where idempotency.created_at < $4 \
             or (idempotency.status is null and idempotency.created_at < $5)",
        )
        .bind(&request.id)
        .bind(&request.hash)
        .bind(now.seconds())
        .bind(bounds.oldest.seconds())
        .bind(bounds.oldest_under_way.seconds())
        .execute(&mut *connection)
        .await?;
        let found: Option<Row> = match taken.rows_affected() {
            0 => {
                sqlx::query_as(
                    "select request_hash, status, headers, body from idempotency where id = $1",
                )
                .bind(&request.id)
                .fetch_optional(&mut *connection)
                .await?
            }
            _ => None,
        };
        transaction.commit().await?;
        let Some((hash, status, headers, body)) = found else { return Ok(Repetition::First) };
        if hash != request.hash {
            return Ok(Repetition::Different);
        }
        let Some(status) = status else { return Ok(Repetition::UnderWay) };
        Ok(Repetition::Answered(KeptAnswer {
            status: status.try_into().map_err(|e| StoreError::corrupt("idempotency", &e))?,
            headers: headers.unwrap_or_default(),
            body: body.unwrap_or_default(),
        }))
    }

    /// Keeps the answer to a request that has been under way since `began`.
    pub async fn keep_answer(
        &self,
        request: &MarkedRequest,
        began: Timestamp,
        answer: &KeptAnswer,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "update idempotency set status = $4, headers = $5, body = $6 \
             where id = $1 and request_hash = $2 and created_at = $3 and status is null",
        )
        .bind(&request.id)
        .bind(&request.hash)
        .bind(began.seconds())
        .bind(i64::from(answer.status))
        .bind(&answer.headers)
        .bind(&answer.body)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Forgets a request that has been under way since `began`, so that it can be made again.
    pub async fn forget_marked(
        &self,
        request: &MarkedRequest,
        began: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "delete from idempotency \
             where id = $1 and request_hash = $2 and created_at = $3 and status is null",
        )
        .bind(&request.id)
        .bind(&request.hash)
        .bind(began.seconds())
        .execute(&self.writer)
        .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    async fn begin(store: &Store, request: &MarkedRequest, now: i64) -> Repetition {
        let bounds = MarkBounds { oldest: at(now - 100), oldest_under_way: at(now - 10) };
        store.begin_marked(request, bounds, at(now)).await.unwrap()
    }

    #[tokio::test]
    async fn a_request_is_done_once_until_it_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("a.db")).await.unwrap();
        store.migrate().await.unwrap();
        let request = MarkedRequest::new("caller", "key", "POST", "/a", b"{}");
        let other = MarkedRequest::new("caller", "key", "POST", "/a", b"{ }");
        let foreign = MarkedRequest::new("another", "key", "POST", "/a", b"{ }");
        let answer = |status| KeptAnswer { status, headers: "{}".to_owned(), body: "b".to_owned() };
        assert_eq!(begin(&store, &request, 1_000).await, Repetition::First);
        assert_eq!(begin(&store, &request, 1_010).await, Repetition::UnderWay);
        assert_eq!(begin(&store, &other, 1_010).await, Repetition::Different);
        assert_eq!(begin(&store, &foreign, 1_010).await, Repetition::First);
        // The server died: somebody else does it, and what the dead one says does not count.
        assert_eq!(begin(&store, &request, 1_011).await, Repetition::First);
        store.keep_answer(&request, at(1_000), &answer(500)).await.unwrap();
        store.keep_answer(&request, at(1_011), &answer(201)).await.unwrap();
        assert_eq!(begin(&store, &request, 1_012).await, Repetition::Answered(answer(201)));
        store.forget_marked(&request, at(1_011)).await.unwrap();
        assert_eq!(begin(&store, &request, 1_111).await, Repetition::Answered(answer(201)));
        assert_eq!(begin(&store, &request, 1_112).await, Repetition::First);
        store.forget_marked(&request, at(1_112)).await.unwrap();
        assert_eq!(begin(&store, &other, 1_112).await, Repetition::First);
        let rows: i64 = sqlx::query_scalar("select count(*) from idempotency")
            .fetch_one(&store.readers)
            .await
            .unwrap();
        assert_eq!(rows, 1, "what is too old goes");
    }
}
