//! Reads the command line, runs the command, and turns how it ends into an exit code.

use std::process::ExitCode;

/// Requests allocate small things in great number; this allocator is made for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    portvakt::cli::main()
}
