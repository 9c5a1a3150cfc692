//! Requests that carried an Idempotency-Key, and their answers.

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::Timestamp;
use crate::domain::organization::OrganizationNumber;
use crate::store::database::query;
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
    /// Nothing, and so much is kept for its organization that no more is.
    NoRoom,
    /// It is being done.
    UnderWay,
}

/// How long what is known counts, and how much is kept.
#[derive(Clone, Copy, Debug)]
pub struct MarkBounds {
    /// Rows from before this moment are as good as gone.
    pub oldest: Timestamp,
    /// A request that has been under way since before this moment has died with its server.
    pub oldest_under_way: Timestamp,
    /// Requests of one organization that are kept, at most.
    pub kept_max: u32,
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
    /// what is too old. What an organization has kept is bounded by numbering it, because counting it would take
    /// longer with each.
    pub async fn begin_marked(
        &self,
        request: &MarkedRequest,
        organization: Option<OrganizationNumber>,
        bounds: MarkBounds,
        now: Timestamp,
    ) -> Result<Repetition, StoreError> {
        type Row = (String, Option<i64>, Option<String>, Option<String>);
        let mut transaction = self.begin().await?;
        query(
            "delete from idempotency where id in (select id from idempotency \
             where created_at < $1 order by created_at limit $2)",
        )
        .bind(bounds.oldest.seconds())
        .bind(SLICE_ROWS)
        .execute(transaction.connection())
        .await?;
        let organization = organization.map(|number| number.to_string()).unwrap_or_default();
        let (first, last): (Option<i64>, Option<i64>) = query(
            "select (select place from idempotency where organization = $1 and created_at >= $2 \
             order by created_at, place limit 1), (select place from idempotency \
             where organization = $1 and created_at >= $2 order by created_at desc, place desc limit 1)",
        )
        .bind(&organization)
        .bind(bounds.oldest.seconds())
        .fetch_one(transaction.connection())
        .await?;
        let place = last.map_or(0, |last| last + 1);
        let has_room = place - first.unwrap_or(place) < i64::from(bounds.kept_max);
        // Takes the place of a row that does not count any more.
        let taken = query(
            "insert into idempotency (id, request_hash, created_at, organization, place) \
             values ($1, $2, $3, $6, $7) \
             on conflict (id) do update set request_hash = excluded.request_hash, status = null, \
             headers = null, body = null, created_at = excluded.created_at, \
             organization = excluded.organization, place = excluded.place \
             where idempotency.created_at < $4 \
             or (idempotency.status is null and idempotency.created_at < $5)",
        )
        .bind(&request.id)
        .bind(&request.hash)
        .bind(now.seconds())
        .bind(bounds.oldest.seconds())
        .bind(bounds.oldest_under_way.seconds())
        .bind(&organization)
        .bind(place)
        .execute(transaction.connection())
        .await?;
        let found: Option<Row> = match taken {
            0 => {
                query("select request_hash, status, headers, body from idempotency where id = $1")
                    .bind(&request.id)
                    .fetch_optional(transaction.connection())
                    .await?
            }
            _ => None,
        };
        if found.is_none() && !has_room {
            query("delete from idempotency where id = $1")
                .bind(&request.id)
                .execute(transaction.connection())
                .await?;
            transaction.commit().await?;
            return Ok(Repetition::NoRoom);
        }
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
        query(
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
        query(
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
    use crate::store::tests::{migrated, number, plan_of, stores};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    async fn begin(store: &Store, request: &MarkedRequest, now: i64) -> Repetition {
        begin_of(store, request, "310000116", now, 1_000).await
    }

    async fn begin_of(
        store: &Store,
        request: &MarkedRequest,
        organization: &str,
        now: i64,
        kept_max: u32,
    ) -> Repetition {
        let (oldest, oldest_under_way) = (at(now - 100), at(now - 10));
        let bounds = MarkBounds { oldest, oldest_under_way, kept_max };
        let organization = organization.parse().ok();
        store.begin_marked(request, organization, bounds, at(now)).await.unwrap()
    }

    #[tokio::test]
    async fn an_organization_has_so_many_kept_and_each_has_its_own() {
        for (store, _kept) in stores().await {
            let request = |key: &str| MarkedRequest::new("caller", key, "POST", "/a", b"{}");
            let begin =
                async |key: &str, now| begin_of(&store, &request(key), "310000116", now, 3).await;
            for (key, now) in [("a", 1_000), ("b", 1_000), ("c", 1_050)] {
                assert_eq!(begin(key, now).await, Repetition::First);
            }
            assert_eq!(begin("d", 1_051).await, Repetition::NoRoom);
            assert_eq!(begin("d", 1_051).await, Repetition::NoRoom, "nothing is left of a refusal");
            assert_eq!(begin("c", 1_051).await, Repetition::UnderWay, "what is known is told");
            let other = begin_of(&store, &request("e"), "310000108", 1_051, 3).await;
            assert_eq!(other, Repetition::First);
            assert_eq!(begin("d", 1_100).await, Repetition::NoRoom);
            for (key, now) in [("d", 1_101), ("e-2", 1_101)] {
                assert_eq!(begin(key, now).await, Repetition::First, "the first two are too old");
            }
            assert_eq!(begin("f", 1_101).await, Repetition::NoRoom);
        }
    }

    #[tokio::test]
    async fn the_newest_of_an_organization_is_found_in_an_index() {
        let (store, _folder) = migrated().await;
        let newest = "select place from idempotency where organization = '' and created_at >= 0 \
             order by created_at desc, place desc limit 1";
        let plan = plan_of(&store, newest).await;
        assert!(plan.iter().all(|step| step.contains("COVERING INDEX idempotency_organization")));
    }

    #[tokio::test]
    async fn a_request_is_done_once_until_it_is_forgotten() {
        for (store, _kept) in stores().await {
            let request = MarkedRequest::new("caller", "key", "POST", "/a", b"{}");
            let other = MarkedRequest::new("caller", "key", "POST", "/a", b"{ }");
            let foreign = MarkedRequest::new("another", "key", "POST", "/a", b"{ }");
            let answer =
                |status| KeptAnswer { status, headers: "{}".to_owned(), body: "b".to_owned() };
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
            let rows = number(&store, "select count(*) from idempotency").await;
            assert_eq!(rows, 1, "what is too old goes");
        }
    }
}
