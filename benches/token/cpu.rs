//! CPU time as what is measured.

use std::fs;
use std::time::Duration;

use cpu_time::ProcessTime;
use criterion::measurement::{Measurement, ValueFormatter, WallTime};

/// CPU time of the process, user and system, all threads: what a token costs, whatever else the machine
/// does and however long the disk takes.
pub(crate) struct CpuTime;

impl Measurement for CpuTime {
    type Intermediate = ProcessTime;
    type Value = Duration;

    fn start(&self) -> ProcessTime {
        ProcessTime::now()
    }

    fn end(&self, began: ProcessTime) -> Duration {
        began.elapsed()
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        WallTime.to_f64(value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

/// What Linux counts processor time of other processes in, on every processor that this runs on.
const TICKS_A_SECOND: u64 = 100;

/// A cluster of PostgreSQL on this machine, by the process that starts all others of it.
#[derive(Clone, Copy)]
pub(crate) struct Cluster {
    postmaster: u32,
}

impl Cluster {
    /// The cluster of which that process is one.
    pub(crate) fn of(backend: u32) -> Self {
        let status = Status::of(backend).expect("the cluster is on this machine");
        Self { postmaster: status.parent }
    }

    /// CPU time of all its processes so far, user and system, those that have ended among them.
    pub(crate) fn cpu(self) -> Duration {
        let processes = fs::read_dir("/proc").expect("processes");
        let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let ticks = ids.filter_map(|id: u32| {
            let status = Status::of(id)?;
            let ended = if id == self.postmaster { status.ticks_of_ended } else { 0 };
            let is_of_it = id == self.postmaster || status.parent == self.postmaster;
            is_of_it.then_some(status.ticks + ended)
        });
        Duration::from_millis(ticks.sum::<u64>() * 1_000 / TICKS_A_SECOND)
    }
}

/// What the kernel says of a process.
struct Status {
    parent: u32,
    ticks: u64,
    ticks_of_ended: u64,
}

impl Status {
    fn of(process: u32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // Its name comes first, and may hold anything.
        let fields: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
        let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
        Some(Self {
            parent: fields.get(1)?.parse().ok()?,
            ticks: number(11)? + number(12)?,
            ticks_of_ended: number(13)? + number(14)?,
        })
    }
}
