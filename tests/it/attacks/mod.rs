//! The tables of attacks, one file a group.

mod framing;
mod jws;
mod signatures;
mod x5c;
