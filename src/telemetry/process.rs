//! What the process takes of the machine, read from `/proc` whenever somebody asks; where there is no such folder,
//! nothing is told.
//!
//! The names are those that Prometheus clients of every language give these figures, so that dashboards find them.

use std::fmt;
use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

/// Units of CPU time a second in `/proc`; Linux shows every program a hundred, whatever its kernel counts in
/// (proc(5), `USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// Collects the figures.
#[derive(Debug)]
pub(super) struct Process;

/// CPU time in seconds (user and system) and resident memory in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Taken {
    cpu_seconds: f64,
    resident_bytes: i64,
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let files =
            (fs::read_to_string("/proc/self/stat"), fs::read_to_string("/proc/self/status"));
        let (Ok(stat), Ok(status)) = files else { return Ok(()) };
        if let Some(taken) = read(&stat, &status) {
            let cpu = ConstCounter::new(taken.cpu_seconds);
            let name = "process_cpu";
            let help = "CPU time that the process has taken, user and system";
            let metric =
                encoder.encode_descriptor(name, help, Some(&Unit::Seconds), cpu.metric_type())?;
            cpu.encode(metric)?;
            let memory = ConstGauge::new(taken.resident_bytes);
            let name = "process_resident_memory";
            let help = "Memory of the process that is in RAM";
            let metric =
                encoder.encode_descriptor(name, help, Some(&Unit::Bytes), memory.metric_type())?;
            memory.encode(metric)?;
        }
        if let Ok(open) = fs::read_dir("/proc/self/fd") {
            let open = ConstGauge::new(i64::try_from(open.count()).unwrap_or(i64::MAX));
            let help = "File descriptors that the process has open";
            let metric =
                encoder.encode_descriptor("process_open_fds", help, None, open.metric_type())?;
            open.encode(metric)?;
        }
        Ok(())
    }
}

fn read(stat: &str, status: &str) -> Option<Taken> {
    // The second field is the name of the program in parentheses, which may itself hold some.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u32>().ok().map(f64::from);
    // Fields 14 and 15, counted from one; the third is the first after the name.
    let ticks = ticks(11)? + ticks(12)?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: i64 = resident.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(Taken { cpu_seconds: ticks / TICKS_PER_SECOND, resident_bytes: kibibytes * 1024 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_whatever_the_program_is_called() {
        let stat = "42 (a) 9 (b) S 1 2 3 4 5 6 7 8 9 10 150 25 0 0 20 0 7 0 1 2 3";
        let taken = read(stat, "Name:\tx\nVmRSS:\t    2048 kB\n");
        let expected = Taken { cpu_seconds: 1.75, resident_bytes: 2_097_152 };
        assert_eq!(taken, Some(expected));
        assert_eq!(read("42 (x) S 1", "VmRSS: 1 kB"), None);
    }
}
