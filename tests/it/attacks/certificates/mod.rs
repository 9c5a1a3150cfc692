//! Group D: enterprise certificates.
//!
//! Where a certificate cannot be read the answer is MP-123, and where it can and does not count MP-120.

mod keys;
mod leaves;
mod organizations;
mod paths;
mod replaced;
mod revocation;

use crate::harness::caller::Key;
use crate::harness::chain::Leaf;
use crate::harness::row::{Expect, Row, draft, invalid_grant, refused};
use crate::harness::server::certified;

/// The certificate cannot be read.
const UNREADABLE: Expect = invalid_grant("MP-123");
/// It can, and does not count.
const REFUSED: Expect = invalid_grant("MP-120");
/// Whether it counts cannot be told now.
const UNKNOWN: Expect = refused(503, "temporarily_unavailable", "");

/// A row that sends the leaf and these certificates above it, and signs with the leaf's key.
fn sent(id: &'static str, what: &str, leaf: &Leaf, above: &[&[u8]], expect: Expect) -> Row {
    signed(id, what, &leaf.key, &leaf.der, above, expect)
}

/// The same with a key and a certificate that may not belong together.
fn signed(
    id: &'static str,
    what: &str,
    key: &Key,
    der: &[u8],
    above: &[&[u8]],
    expect: Expect,
) -> Row {
    let chain: Vec<&[u8]> = std::iter::once(der).chain(above.iter().copied()).collect();
    draft(id, what, &certified(key, &chain).draft(), expect)
}
