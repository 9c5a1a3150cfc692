//! Values that stand as text in addresses and bodies.

use std::str::FromStr;

use crate::clock::Timestamp;
use crate::domain::client::{ClientId, KeyId};
use crate::domain::integration::IntegrationType;
use crate::http::admin::error::ApiError;
use crate::registry::RegistryError;

/// Reads a value that stands under that name.
pub(super) fn read<T: FromStr<Err: ToString>>(
    name: &'static str,
    text: &str,
) -> Result<T, ApiError> {
    text.parse().map_err(|error: T::Err| ApiError::parameter(name, error))
}

/// Reads one of a few words.
pub(super) fn word<T: Copy>(
    name: &'static str,
    text: &str,
    all: &[T],
    name_of: impl Fn(T) -> &'static str,
) -> Result<T, ApiError> {
    all.iter().copied().find(|one| name_of(*one) == text).ok_or_else(|| {
        let known: Vec<_> = all.iter().copied().map(name_of).collect();
        ApiError::parameter(name, format!("it must be one of {}", known.join(", ")))
    })
}

/// Reads the name of a product.
pub(super) fn read_product(name: &'static str, text: &str) -> Result<IntegrationType, ApiError> {
    word(name, text, IntegrationType::ALL, IntegrationType::name)
}

/// What is expected where a time is to stand.
pub(super) const TIME_EXPECTED: &str =
    "it must be a time as RFC 3339 writes it, such as 2027-01-31T00:00:00Z";

/// Reads a time.
pub(super) fn read_time(name: &'static str, text: &str) -> Result<Timestamp, ApiError> {
    Timestamp::from_rfc3339(text).ok_or_else(|| ApiError::parameter(name, TIME_EXPECTED))
}

/// The id of a client in an address. What cannot be one is none that is there.
pub(super) fn read_client_id(text: &str) -> Result<ClientId, ApiError> {
    text.parse().map_err(|_| RegistryError::Absent { noun: "client" }.into())
}

/// The id of a key in an address, in the same way.
pub(super) fn read_key_id(text: &str) -> Result<KeyId, ApiError> {
    text.parse().map_err(|_| RegistryError::Absent { noun: "key" }.into())
}
