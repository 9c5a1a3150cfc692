//! Properties: what must hold for every input, tried on many.
//!
//! The assertions are signed with josekit, the other implementation, so that one misunderstanding cannot hide
//! on both sides.

mod assertions;
mod certificates;
mod forms;
mod grammars;
mod signed;

use proptest::test_runner::Config;

/// So many cases. A failure prints the smallest input that shows it, and leaves no file behind.
fn cases(cases: u32) -> Config {
    Config { cases, failure_persistence: None, ..Config::default() }
}
