//! The tables of attacks, one file a group.

mod certificates;
mod claims;
mod framing;
mod jws;
mod leaks;
mod replay;
mod requests;
mod signatures;
mod x5c;
