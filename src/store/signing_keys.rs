//! Our own signing keys, as rows; the private half is sealed before it gets here.

use crate::clock::Timestamp;
use crate::domain::algorithm::Algorithm;
use crate::domain::signing_key::{SigningKeyRecord, SigningKeyState};
use crate::store::database::query;
use crate::store::{Store, StoreError, Transaction, named};

/// A signing key as it is kept.
#[derive(Clone, Debug)]
pub struct SigningKeyRow {
    /// Its RFC 7638 thumbprint.
    pub kid: String,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// The public half as a JWK document.
    pub jwk: String,
    /// The private half, sealed; `None` once the key is retired.
    pub sealed_private: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Store {
    /// The signing keys that are in use, newest first.
    pub async fn active_signing_keys(&self) -> Result<Vec<SigningKeyRow>, StoreError> {
        type Row = (String, String, String, Option<String>, i64);
        let rows: Vec<Row> = query(
            "select kid, algorithm, jwk, sealed_private, created_at from signing_key \
             where state = 'ACTIVE' order by created_at desc, kid",
        )
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|(kid, algorithm, jwk, sealed_private, created_at)| {
                let algorithm = algorithm
                    .parse()
                    .map_err(|_| StoreError::corrupt("signing_key", &algorithm))?;
                let created_at = Timestamp::from_seconds(created_at);
                Ok(SigningKeyRow { kid, algorithm, jwk, sealed_private, created_at })
            })
            .collect()
    }

    /// Every signing key there is or was, newest first, without its halves.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKeyRecord>, StoreError> {
        let rows: Vec<(String, String, String, i64)> = query(
            "select kid, algorithm, state, created_at from signing_key order by created_at desc, kid",
        )
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|(kid, algorithm, state, created_at)| {
                Ok(SigningKeyRecord {
                    kid,
                    algorithm: algorithm
                        .parse()
                        .map_err(|_| StoreError::corrupt("signing_key", &algorithm))?,
                    state: named("signing_key", SigningKeyState::from_name, &state)?,
                    created_at: Timestamp::from_seconds(created_at),
                })
            })
            .collect()
    }
}

impl Transaction {
    /// Whether there is a signing key of that algorithm in use, as this change sees it.
    pub async fn has_signing_key(&mut self, algorithm: Algorithm) -> Result<bool, StoreError> {
        let count =
            query("select count(*) from signing_key where state = 'ACTIVE' and algorithm = $1");
        let count = count.bind(algorithm.name());
        let (count,): (i64,) = count.fetch_one(self.connection()).await?;
        Ok(count > 0)
    }

    /// Keeps a new signing key.
    pub async fn insert_signing_key(&mut self, key: &SigningKeyRow) -> Result<(), StoreError> {
        query(
            "insert into signing_key (kid, algorithm, jwk, sealed_private, state, created_at) \
             values ($1, $2, $3, $4, 'ACTIVE', $5)",
        )
        .bind(&key.kid)
        .bind(key.algorithm.name())
        .bind(&key.jwk)
        .bind(&key.sealed_private)
        .bind(key.created_at.seconds())
        .execute(self.connection())
        .await?;
        Ok(())
    }
}
