//! The admin listener from outside.

mod compatible;
mod own;
