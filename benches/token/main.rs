//! What one token costs, in CPU time, and how far that is from the floor.
//!
//! * `http/floor <assertion key>-><token key>`: a server that reads a request, checks one signature, makes one and
//!   answers, with keys already parsed. No server that checks and signs with these algorithms can be cheaper.
//! * `http/<assertion key>-><token key>/<client key>`: ours, with everything on, on SQLite: by a registered key
//!   (`kid`) and by an enterprise certificate (`x5c`, a chain of three that is cached, as it is from the second
//!   request on).
//! * `http on PostgreSQL/...`: the same on the cluster at `PORTVAKT_TEST_POSTGRES` (`tests/postgres run cargo bench --bench
//!   token`), with the CPU time of all its processes.
//! * `ratio` (`cargo bench --bench token ratio`): the floor and ours in turns, and how many times the floor ours takes, beside
//!   what it may. That is the figure that lasts. It fails where that is more.
//! * `floor/...` and `issue/...`: the same without HTTP, the two signatures and the whole of `Issuer::issue`; also with
//!   a chain of two, with certificates that are seen for the first time, and with 100,000 clients in turns.
//! * `issue on PostgreSQL/...`: the same there, without what the database takes.
//! * `part/...`: the steps, to see where the difference goes.
//!
//! 32 requests are under way at a time, so commits are shared as they are under load. Assertions are signed before
//! the clock starts, and each is used once: before each measurement one is used twice, and the second use must be
//! refused. What the threads take that send requests is not counted.

mod client;
mod cpu;
mod http;
mod path;
mod ratio;
mod server;

use std::process::ExitCode;

use criterion::{Criterion, criterion_group};
use portvakt::domain::algorithm::Algorithm;
use tokio::runtime::Runtime;

use crate::cpu::CpuTime;

/// The allocator of the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Requests under way at a time.
const CONCURRENCY: usize = 32;

/// What tokens are signed with.
const TOKEN_ALGORITHMS: [Algorithm; 2] = [Algorithm::Rs256, Algorithm::Es256];

fn benches(criterion: &mut Criterion<CpuTime>) {
    let runtime = Runtime::new().expect("threads");
    for algorithm in TOKEN_ALGORITHMS {
        http::http(criterion, algorithm);
    }
    path::floor(criterion);
    for algorithm in TOKEN_ALGORITHMS {
        path::issue(criterion, &runtime, algorithm);
    }
    path::clients(criterion, &runtime);
    path::parts(criterion, &runtime);
}

criterion_group! {
    name = all;
    config = Criterion::default().with_measurement(CpuTime).sample_size(20);
    targets = benches
}

/// The ratio where it is asked for by name, and else what criterion measures.
fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "ratio") {
        return ratio::print();
    }
    all();
    Criterion::default().configure_from_args().final_summary();
    ExitCode::SUCCESS
}
