//! E-mail on its way out. Enqueued with the change that it tells of, sent by one task of each node.
//!
//! A node that takes a mail on moves its next attempt into the future, the *lease*, in the statement that finds it: so
//! two nodes never have one mail at the same time, and that of a node that dies is taken on by another.

use sqlx::FromRow;

use crate::clock::Timestamp;
use crate::domain::mail::Mail;
use crate::store::database::query;
use crate::store::{Store, StoreError, Transaction};

/// Rows that are deleted at once, so that changes do not wait for long.
const SLICE_ROWS: i64 = 500;

/// A mail that this node has taken on.
#[derive(Clone, Debug)]
pub struct ClaimedMail {
    /// The mail.
    pub mail: Mail,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// Which attempt this is, beginning with one.
    pub attempt: u32,
}

#[derive(FromRow)]
struct Row {
    id: String,
    recipient: String,
    subject: String,
    body: String,
    created_at: i64,
    attempts: i64,
}

impl Transaction {
    /// Puts a mail on its way, due at once.
    pub async fn enqueue_mail(&mut self, mail: &Mail, now: Timestamp) -> Result<(), StoreError> {
        query(
            "insert into outgoing_mail (id, recipient, subject, body, created_at, next_attempt_at) \
             values ($1, $2, $3, $4, $5, $5)",
        )
        .bind(mail.id())
        .bind(mail.recipient().as_str())
        .bind(mail.subject())
        .bind(mail.body())
        .bind(now.seconds())
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

impl Store {
    /// Takes on the mail that has been due for longest, if one is due. Nobody else gets it before `lease_end`.
    pub async fn claim_mail(
        &self,
        now: Timestamp,
        lease_end: Timestamp,
    ) -> Result<Option<ClaimedMail>, StoreError> {
        let due: Option<(i64,)> =
            query(DUE).bind(now.seconds()).fetch_optional(&self.readers).await?;
        if due.is_none() {
            return Ok(None);
        }
        let row: Option<Row> = query(CLAIM)
            .bind(now.seconds())
            .bind(lease_end.seconds())
            .fetch_optional(&self.writer)
            .await?;
        row.map(ClaimedMail::try_from).transpose()
    }

    /// Notes that a mail was sent, and empties its body.
    pub async fn mail_sent(&self, mail: &Mail, now: Timestamp) -> Result<(), StoreError> {
        self.end_mail(mail, Some(now)).await
    }

    /// Notes that a mail is given up, and empties its body.
    pub async fn mail_given_up(&self, mail: &Mail) -> Result<(), StoreError> {
        self.end_mail(mail, None).await
    }

    async fn end_mail(&self, mail: &Mail, sent_at: Option<Timestamp>) -> Result<(), StoreError> {
        query(
            "update outgoing_mail set sent_at = $2, next_attempt_at = null, body = '' where id = $1",
        )
        .bind(mail.id())
        .bind(sent_at.map(Timestamp::seconds))
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Says when a mail that was not sent is tried again.
    pub async fn mail_failed(&self, mail: &Mail, next: Timestamp) -> Result<(), StoreError> {
        query(
            "update outgoing_mail set next_attempt_at = $2 where id = $1 and next_attempt_at is not null",
        )
        .bind(mail.id())
        .bind(next.seconds())
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Deletes a slice of the mails from before `oldest`. Returns whether there may be more.
    pub async fn forget_mail(&self, oldest: Timestamp) -> Result<bool, StoreError> {
        let done =
            query(FORGET).bind(oldest.seconds()).bind(SLICE_ROWS).execute(&self.writer).await?;
        Ok(done == SLICE_ROWS.unsigned_abs())
    }
}

const DUE: &str = "select next_attempt_at from outgoing_mail where next_attempt_at <= $1 limit 1";

const CLAIM: &str = "update outgoing_mail set attempts = attempts + 1, next_attempt_at = $2 where id = \
     (select id from outgoing_mail where next_attempt_at <= $1 order by next_attempt_at, id limit 1) \
     and next_attempt_at <= $1 returning id, recipient, subject, body, created_at, attempts";

const FORGET: &str = "delete from outgoing_mail where id in \
     (select id from outgoing_mail where created_at < $1 order by created_at, id limit $2)";

impl TryFrom<Row> for ClaimedMail {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let corrupt = |problem: &dyn ToString| StoreError::corrupt("outgoing_mail", problem);
        let recipient = row.recipient.parse().map_err(|e| corrupt(&e))?;
        let mail =
            Mail::restore(row.id, recipient, row.subject, row.body).map_err(|e| corrupt(&e))?;
        Ok(Self {
            mail,
            created_at: Timestamp::from_seconds(row.created_at),
            attempt: u32::try_from(row.attempts).map_err(|e| corrupt(&e))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemRandom;
    use crate::store::tests::{assert_indexed, migrated, number, stores};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    async fn enqueue(store: &Store, seconds: i64) -> Mail {
        let to = "a@example.no".parse().unwrap();
        let mail = Mail::new(&SystemRandom, to, "Subject", "Body").unwrap();
        let mut transaction = store.begin().await.unwrap();
        transaction.enqueue_mail(&mail, at(seconds)).await.unwrap();
        transaction.commit().await.unwrap();
        mail
    }

    async fn body(store: &Store, mail: &Mail) -> String {
        let body = query("select body from outgoing_mail where id = $1");
        let (body,) = body.bind(mail.id()).fetch_one(&store.readers).await.unwrap();
        body
    }

    #[tokio::test]
    async fn a_mail_is_one_nodes_until_its_lease_ends() {
        for (store, _kept) in stores().await {
            let mail = enqueue(&store, 100).await;
            assert!(store.claim_mail(at(99), at(200)).await.unwrap().is_none());
            let claimed = store.claim_mail(at(100), at(200)).await.unwrap().unwrap();
            assert_eq!((claimed.mail, claimed.attempt), (mail.clone(), 1));
            assert!(store.claim_mail(at(199), at(300)).await.unwrap().is_none());
            let again = store.claim_mail(at(200), at(300)).await.unwrap().unwrap();
            assert_eq!((again.attempt, again.created_at), (2, at(100)));
            assert_eq!(body(&store, &mail).await, "Body");
            store.mail_sent(&mail, at(201)).await.unwrap();
            assert!(store.claim_mail(at(10_000), at(10_100)).await.unwrap().is_none());
            assert_eq!(body(&store, &mail).await, "");
            // Whoever had it before comes too late to have it sent again.
            store.mail_failed(&mail, at(300)).await.unwrap();
            assert!(store.claim_mail(at(10_000), at(10_100)).await.unwrap().is_none());
        }
    }

    #[tokio::test]
    async fn many_claims_at_once_find_each_mail_once() {
        for (store, _kept) in stores().await {
            for _ in 0..20 {
                enqueue(&store, 100).await;
            }
            let claims = (0..40).map(|_| {
                let store = store.clone();
                tokio::spawn(async move { store.claim_mail(at(100), at(200)).await.unwrap() })
            });
            let mut found = std::collections::BTreeSet::new();
            for claim in claims.collect::<Vec<_>>() {
                if let Some(claimed) = claim.await.unwrap() {
                    assert!(found.insert(claimed.mail.id().to_owned()));
                }
            }
            assert_eq!(found.len(), 20);
        }
    }

    #[tokio::test]
    async fn old_mails_go() {
        for (store, _kept) in stores().await {
            let old = enqueue(&store, 100).await;
            enqueue(&store, 200).await;
            store.mail_given_up(&old).await.unwrap();
            assert_eq!(body(&store, &old).await, "");
            assert!(!store.forget_mail(at(150)).await.unwrap());
            assert_eq!(number(&store, "select count(*) from outgoing_mail").await, 1);
        }
    }

    #[tokio::test]
    async fn no_statement_reads_the_whole_table() {
        let (store, _folder) = migrated().await;
        for statement in [DUE, CLAIM, FORGET] {
            assert_indexed(&store, statement, statement).await;
        }
    }
}
