//! The machine: which core runs what, and what a process has cost so far.

use std::fs;
use std::process::{Child, Command};

use rustix::process::{getpriority_process, setpriority_process};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::{Context, Result};

/// The core of the server under test.
pub(crate) const SERVER_CORE: usize = 0;
/// The core of whatever asks it.
pub(crate) const LOAD_CORE: usize = 1;

/// Clock ticks per second in `/proc`: a constant of Linux's interface.
const TICKS: f64 = 100.0;
/// On a shared machine the measured programs go first, all alike.
const NICE: i32 = -15;

/// Puts this program on the core of the load and, if it may, ahead of what else runs here. Everything started later
/// inherits both.
pub(crate) fn settle() -> Result<String> {
    let cores = sched_getaffinity(None).context("the cores of this process")?.count();
    if cores < 2 {
        return Err("the benchmark needs two cores: one for the server, one for the load".into());
    }
    pin(LOAD_CORE)?;
    // May fail for want of rights; then everybody shares alike.
    let _ = setpriority_process(None, NICE);
    let nice = getpriority_process(None).context("the priority of this process")?;
    Ok(format!("server on core {SERVER_CORE}, load on core {LOAD_CORE}, nice {nice} for both"))
}

fn pin(core: usize) -> Result {
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set).context(format!("running on core {core}"))
}

/// Runs something that starts a server, so that the server is on its core from its first instruction and counts its
/// threads by it.
pub(crate) fn on_server_core<T>(start: impl FnOnce() -> T) -> Result<T> {
    pin(SERVER_CORE)?;
    let started = start();
    pin(LOAD_CORE)?;
    Ok(started)
}

/// A server process, killed when dropped.
pub(crate) struct Process(Child);

impl Process {
    /// Starts it on the server's core.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let shown = format!("{command:?}");
        Ok(Self(on_server_core(|| command.spawn())?.context(shown)?))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        for child in children(self.0.id()) {
            if let Some(pid) = i32::try_from(child).ok().and_then(rustix::process::Pid::from_raw) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn children(pid: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// A process and its children.
fn family(pid: u32) -> impl Iterator<Item = u32> {
    std::iter::once(pid).chain(children(pid))
}

/// Seconds of processor time, user and system, that a process and its children have used, ended threads included.
pub(crate) fn cpu_seconds(pid: u32) -> f64 {
    family(pid).map(cpu_of_one).sum()
}

fn cpu_of_one(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in parentheses may hold blanks; utime and stime are the 12th and 13th fields after it.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: f64 = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks / TICKS
}

/// Resident memory in MiB: now, and at its highest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) now_mib: f64,
    pub(crate) peak_mib: f64,
}

/// The memory of a process and its children.
pub(crate) fn memory(pid: u32) -> Memory {
    let sum = |field: &str| family(pid).map(|pid| status_kib(pid, field)).sum::<f64>() / 1024.0;
    Memory { now_mib: sum("VmRSS:"), peak_mib: sum("VmHWM:") }
}

fn status_kib(pid: u32, field: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0.0)
}

/// The first line that a program prints about its version.
pub(crate) fn version_of(program: &str, argument: &str) -> String {
    let Ok(output) = Command::new(program).arg(argument).output() else { return "not installed".to_owned() };
    // nginx and wrk say it on standard error.
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().next().unwrap_or_default().trim();
    // pip goes on about where it is installed, and names itself.
    let line = line.split_once(" from ").map_or(line, |(version, _)| version);
    line.strip_prefix("pip ").unwrap_or(line).to_owned()
}

/// Processor, memory, kernel and load, for the head of the results.
pub(crate) fn description() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let model = model.trim_start_matches([' ', '\t', ':']);
    let cores = cpuinfo.lines().filter(|line| line.starts_with("processor")).count();
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse().ok());
    let gib = kib.unwrap_or(0.0) / 1024.0 / 1024.0;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
    format!("{cores} cores ({model}), {gib:.0} GiB, Linux {}; load average at start {load}", kernel.trim())
}
