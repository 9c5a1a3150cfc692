//! What one token costs beside the floor, by requests that take turns: a machine is not as quick in one minute as in the
//! next, and shares its caches with whoever else is on it.

use std::fmt::{self, Display, Formatter};
use std::process::ExitCode;
use std::time::Duration;

use portvakt::domain::algorithm::Algorithm;

use crate::TOKEN_ALGORITHMS;
use crate::client::ClientSide;
use crate::http::{Asked, one_core};
use crate::server::{Database, Server};

/// Turns. What is told is the median of ours by that of the floor: a turn that somebody else on the machine has spoilt
/// spoils one of the two only.
const TURNS: usize = 31;

/// Tokens of one turn.
const TOKENS: u32 = 1_000;

/// How many times the floor a token may take.
const fn ratio_max(algorithm: Algorithm, is_file: bool) -> f64 {
    match (algorithm, is_file) {
        (Algorithm::Rs256, true) => 1.12,
        (Algorithm::Rs256, false) => 1.4,
        (_, true) => 1.6,
        (_, false) => 2.2,
    }
}

/// Prints it for each algorithm and database, and fails where one is not kept to.
pub(crate) fn print() -> ExitCode {
    let all = TOKEN_ALGORITHMS.into_iter().flat_map(|algorithm| {
        let postgres = Database::postgres().map(|database| ("PostgreSQL", database));
        let databases = [Some(("SQLite", Database::File)), postgres].into_iter().flatten();
        databases.map(move |(name, database)| print_one(algorithm, name, &database))
    });
    // Each is to be measured, also after one that is not kept to.
    let kept: Vec<bool> = all.collect();
    if kept.into_iter().all(|it| it) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints it for one, and says whether it is kept to.
fn print_one(algorithm: Algorithm, name: &str, database: &Database) -> bool {
    let (client, runtime) = (ClientSide::new(), one_core());
    let kid = client.by_kid("by-kid");
    let server = runtime.block_on(Server::new(&client, algorithm, database));
    runtime.block_on(server.refuses_a_replay(&client.assertion(&kid)));
    let floor = Asked::floor(&runtime, &client, algorithm);
    let ours = Asked::serve(&runtime, &server);
    let turn = |asked: &Asked| asked.cpu(&client, &kid, TOKENS.into()) / TOKENS;
    // Until memory and code are warm.
    let _ = (turn(&floor), turn(&ours));
    let turns: Vec<_> = (0..TURNS).map(|_| (turn(&floor), turn(&ours))).collect();
    let floor = Spread::of(turns.iter().map(|(floor, _)| *floor));
    let ours = Spread::of(turns.iter().map(|(_, ours)| *ours));
    let ratio = ours.median.as_secs_f64() / floor.median.as_secs_f64();
    let most = ratio_max(algorithm, matches!(database, Database::File));
    println!(
        "ratio RS256->{algorithm} on {name}: {ratio:.2} times the floor (at most {most}): {ours}; the floor {floor}"
    );
    ratio <= most
}

/// What a token took in half of the turns.
struct Spread {
    low: Duration,
    median: Duration,
    high: Duration,
}

impl Spread {
    fn of(turns: impl Iterator<Item = Duration>) -> Self {
        let mut turns: Vec<Duration> = turns.collect();
        turns.sort();
        let [low, median, high] = [1, 2, 3].map(|quarter| turns[turns.len() * quarter / 4]);
        Self { low, median, high }
    }
}

impl Display for Spread {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self { low, median, high } = self;
        let per_second = median.as_secs_f64().recip();
        write!(
            formatter,
            "{median:.0?} ({low:.0?} to {high:.0?}), {per_second:.0} tokens per CPU second"
        )
    }
}
