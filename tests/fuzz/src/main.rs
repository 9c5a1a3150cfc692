//! Every place where bytes of somebody else are read, under libFuzzer. One program for all targets, so that it is linked
//! once; `PORTVAKT_FUZZ` says which one it is. No input may make one panic, and what a target accepts must keep what its
//! function promises.

#![no_main]

mod certificates;
mod requests;

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

/// A target: its name, and what it does with an input.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 8] = [
    ("chain", certificates::chain),
    ("claims", requests::claims),
    ("crl", certificates::crl),
    ("form", requests::form),
    ("jwk", requests::jwk),
    ("jws", requests::jws),
    ("ocsp", certificates::ocsp),
    ("subject", certificates::subject),
];

/// The target of this process.
fn target() -> fn(&[u8]) {
    static TARGET: OnceLock<fn(&[u8])> = OnceLock::new();
    *TARGET.get_or_init(|| {
        let wanted = std::env::var("PORTVAKT_FUZZ").unwrap_or_default();
        let found = TARGETS.iter().find(|(name, _)| *name == wanted);
        let names = TARGETS.map(|(name, _)| name).join(", ");
        found.unwrap_or_else(|| panic!("PORTVAKT_FUZZ is {wanted:?}; there are {names}")).1
    })
}

fuzz_target!(|data: &[u8]| target()(data));
