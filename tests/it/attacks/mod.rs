//! The tables of attacks, one file a group.

mod certificates;
mod claims;
mod framing;
mod jws;
mod leaks;
mod limits;
mod list;
mod load;
mod replay;
mod requests;
mod signatures;
mod tls;
mod wire;
mod x5c;
