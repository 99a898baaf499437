//! A process as the kernel keeps books about it, all threads together: the same book for every side.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// By its id.
#[derive(Clone, Copy, Debug)]
pub struct Process(pub u32);

/// What a process uses from a moment on.
pub struct Meter {
    process: Process,
    started: Instant,
    cpu_before: Duration,
}

/// What a process has used between two moments.
#[derive(Clone, Copy, Debug)]
pub struct Used {
    /// By the clock on the wall.
    pub time: Duration,
    /// User and system time.
    pub cpu: Duration,
}

impl Process {
    /// From now on.
    pub fn measure(self) -> Result<Meter> {
        Ok(Meter {
            process: self,
            cpu_before: self.cpu()?,
            started: Instant::now(),
        })
    }

    /// User and system time so far.
    pub fn cpu(self) -> Result<Duration> {
        /// Of a tick in /proc, on every platform of Linux that runs Node (`getconf CLK_TCK`).
        const TICK: Duration = Duration::from_millis(10);
        let stat = self.read("stat")?;
        // After the name, which may have anything in it, begins field 3; the two are fields 14 and 15.
        let (_, fields) = stat.rsplit_once(')').context("/proc has no stat")?;
        let ticks = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(str::parse::<u32>);
        Ok(ticks.sum::<Result<u32, _>>()? * TICK)
    }

    /// What is resident, in KiB.
    pub fn memory(self) -> Result<usize> {
        self.kib("VmRSS")
    }

    /// What of that is not the program's own file, whose code is several times as large where it is not optimised, in
    /// KiB.
    pub fn memory_beside_code(self) -> Result<usize> {
        self.kib("RssAnon")
    }

    /// The most that was resident at once, in bytes.
    pub fn peak_memory(self) -> Result<f64> {
        Ok(self.kib("VmHWM")? as f64 * 1024.0)
    }

    fn kib(self, what: &str) -> Result<usize> {
        let status = self.read("status")?;
        let mut lines = status.lines();
        let line = lines.find_map(|line| line.strip_prefix(what)?.strip_prefix(':'));
        let size = line.and_then(|line| line.trim().strip_suffix(" kB"));
        Ok(size
            .with_context(|| format!("/proc has no {what}"))?
            .parse()?)
    }

    fn read(self, file: &str) -> Result<String> {
        fs::read_to_string(format!("/proc/{}/{file}", self.0)).context("the process has ended")
    }
}

impl Meter {
    /// Until now.
    pub fn used(&self) -> Result<Used> {
        Ok(Used {
            time: self.started.elapsed(),
            cpu: self.process.cpu()? - self.cpu_before,
        })
    }
}
