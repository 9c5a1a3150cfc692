//! Attempts to sign in that have failed: with one address from anywhere, and with it from one place.

use crate::clock::Timestamp;
use crate::domain::email_address::EmailAddress;
use crate::store::database::{query, query_of};
use crate::store::{StoreError, Transaction};

/// Attempts that have failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Attempts {
    /// How many have failed since the last one that did not.
    pub failed: u32,
    /// No attempt counts before this.
    pub locked_until: Timestamp,
}

/// Which attempts are counted together.
#[derive(Clone, Copy, Debug)]
pub struct AttemptsOf<'a> {
    /// The address that they are made with.
    pub email: &'a EmailAddress,
    /// Where they come from; `None` is anywhere.
    pub place: Option<&'a str>,
}

impl Transaction {
    /// The attempts that have failed.
    pub async fn attempts(&mut self, of: AttemptsOf<'_>) -> Result<Attempts, StoreError> {
        let sql = match of.place {
            None => {
                "select failed, locked_until from sign_in_attempt where email = $1 and $2 is null"
            }
            Some(_) => {
                "select failed, locked_until from sign_in_attempt_place where email = $1 and place = $2"
            }
        };
        let row: Option<(i64, i64)> = query(sql)
            .bind(of.email.as_str())
            .bind(of.place)
            .fetch_optional(self.connection())
            .await?;
        let (failed, locked_until) = row.unwrap_or_default();
        let failed = u32::try_from(failed).unwrap_or(u32::MAX);
        Ok(Attempts { failed, locked_until: Timestamp::from_seconds(locked_until) })
    }

    /// Writes attempts. Those from before `oldest` go, and the oldest beyond `most`.
    pub async fn put_attempts(
        &mut self,
        of: AttemptsOf<'_>,
        attempts: Attempts,
        now: Timestamp,
        oldest: Timestamp,
        most: i64,
    ) -> Result<(), StoreError> {
        let table = match of.place {
            None => "sign_in_attempt",
            Some(_) => "sign_in_attempt_place",
        };
        let (column, value, key) = match of.place {
            None => ("", "", "email"),
            Some(_) => (", place", ", $5", "email, place"),
        };
        let sql = format!(
            "insert into {table} (email, failed, locked_until, tried_at{column}) values ($1, $2, $3, $4{value}) \
             on conflict ({key}) do update set failed = excluded.failed, \
             locked_until = excluded.locked_until, tried_at = excluded.tried_at"
        );
        let mut insert = query_of(sql)
            .bind(of.email.as_str())
            .bind(i64::from(attempts.failed))
            .bind(attempts.locked_until.seconds())
            .bind(now.seconds());
        if let Some(place) = of.place {
            insert = insert.bind(place);
        }
        insert.execute(self.connection()).await?;
        let sql = format!(
            "delete from {table} where tried_at < $1 or tried_at < \
             (select tried_at from {table} order by tried_at desc limit 1 offset $2)"
        );
        query_of(sql).bind(oldest.seconds()).bind(most).execute(self.connection()).await?;
        Ok(())
    }

    /// Forgets the attempts with an address from one place.
    pub async fn forget_attempts_from(
        &mut self,
        email: &EmailAddress,
        place: &str,
    ) -> Result<(), StoreError> {
        query("delete from sign_in_attempt_place where email = $1 and place = $2")
            .bind(email.as_str())
            .bind(place)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Forgets the attempts with an address, wherever they came from.
    pub async fn forget_attempts(&mut self, email: &EmailAddress) -> Result<(), StoreError> {
        for sql in [
            "delete from sign_in_attempt where email = $1",
            "delete from sign_in_attempt_place where email = $1",
        ] {
            query(sql).bind(email.as_str()).execute(self.connection()).await?;
        }
        Ok(())
    }
}
