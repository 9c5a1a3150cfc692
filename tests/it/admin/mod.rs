//! The admin listener from outside.

mod compatible;
mod coverage;
pub(crate) mod own;
