//! Our own signing keys, as rows; the private half is sealed before it gets here.

use crate::clock::Timestamp;
use crate::domain::algorithm::Algorithm;
use crate::domain::signing_key::SigningKeyRecord;
use crate::store::database::query;
use crate::store::{Store, StoreError, Transaction};

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
    /// When it begins to sign.
    pub signs_from: Timestamp,
    /// The key that it takes over from, or the algorithm for the first of one; `None` for keys of before there were
    /// turns, and once it is retired.
    pub follows: Option<String>,
}

/// What a column says of a key that is published or signs.
const IN_USE: &str = "ACTIVE";

/// What it says of a key that is neither any more.
const RETIRED: &str = "RETIRED";

impl Store {
    /// The signing keys that are published or sign, newest first.
    pub async fn signing_keys_in_use(&self) -> Result<Vec<SigningKeyRow>, StoreError> {
        type Row = (String, String, String, Option<String>, i64, i64, Option<String>);
        let rows: Vec<Row> = query(
            "select kid, algorithm, jwk, sealed_private, created_at, signs_from, follows from signing_key \
             where state = $1 order by created_at desc, kid",
        )
        .bind(IN_USE)
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|(kid, algorithm, jwk, sealed_private, created_at, signs_from, follows)| {
                Ok(SigningKeyRow {
                    algorithm: read_algorithm(&algorithm)?,
                    created_at: Timestamp::from_seconds(created_at),
                    signs_from: Timestamp::from_seconds(signs_from),
                    kid,
                    jwk,
                    sealed_private,
                    follows,
                })
            })
            .collect()
    }

    /// Every signing key there is or was, newest first, without its halves.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKeyRecord>, StoreError> {
        let rows: Vec<RecordRow> = query(EVERY_KEY).fetch_all(&self.readers).await?;
        rows.into_iter().map(read_record).collect()
    }
}

const EVERY_KEY: &str = "select kid, algorithm, state, created_at, signs_from from signing_key \
                         order by created_at desc, kid";

type RecordRow = (String, String, String, i64, i64);

fn read_record(
    (kid, algorithm, state, created_at, signs_from): RecordRow,
) -> Result<SigningKeyRecord, StoreError> {
    Ok(SigningKeyRecord {
        kid,
        algorithm: read_algorithm(&algorithm)?,
        is_retired: state == RETIRED,
        created_at: Timestamp::from_seconds(created_at),
        signs_from: Timestamp::from_seconds(signs_from),
    })
}

fn read_algorithm(word: &str) -> Result<Algorithm, StoreError> {
    word.parse().map_err(|_| StoreError::corrupt("signing_key", &word))
}

impl Transaction {
    /// Every signing key there is or was, newest first, without its halves.
    pub async fn signing_keys(&mut self) -> Result<Vec<SigningKeyRecord>, StoreError> {
        let rows: Vec<RecordRow> = query(EVERY_KEY).fetch_all(self.connection()).await?;
        rows.into_iter().map(read_record).collect()
    }

    /// Keeps a new signing key, unless there is one already that follows the same. Says whether it did.
    pub async fn insert_signing_key(&mut self, key: &SigningKeyRow) -> Result<bool, StoreError> {
        let done = query(
            "insert into signing_key (kid, algorithm, jwk, sealed_private, state, created_at, signs_from, follows) \
             values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (follows) do nothing",
        )
        .bind(&key.kid)
        .bind(key.algorithm.name())
        .bind(&key.jwk)
        .bind(&key.sealed_private)
        .bind(IN_USE)
        .bind(key.created_at.seconds())
        .bind(key.signs_from.seconds())
        .bind(&key.follows)
        .execute(self.connection())
        .await?;
        Ok(done == 1)
    }

    /// Lets a signing key sign from that moment on.
    pub async fn set_signing_turn(
        &mut self,
        kid: &str,
        signs_from: Timestamp,
    ) -> Result<(), StoreError> {
        let done = query("update signing_key set signs_from = $2 where kid = $1 and state = $3")
            .bind(kid)
            .bind(signs_from.seconds())
            .bind(IN_USE)
            .execute(self.connection())
            .await?;
        Self::met_one_row("signing_key", done)
    }

    /// Retires a signing key: its private half is gone for good.
    pub async fn retire_signing_key(&mut self, kid: &str) -> Result<(), StoreError> {
        let done = query(
            "update signing_key set state = $2, sealed_private = null, follows = null \
             where kid = $1 and state = $3",
        )
        .bind(kid)
        .bind(RETIRED)
        .bind(IN_USE)
        .execute(self.connection())
        .await?;
        Self::met_one_row("signing_key", done)
    }
}
