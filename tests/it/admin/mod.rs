//! The admin listener from outside.

mod compatible;
mod coverage;
mod own;
