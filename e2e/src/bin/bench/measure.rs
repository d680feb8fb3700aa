//! Rates, CPU time and memory.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use larder_testkit::{Request, Server};

use crate::report::Report;
use crate::rivals::{Rival, Target};

/// How long each request is repeated.
const SECONDS: u64 = 4;

/// Clock ticks per second in `/proc`; Linux has shown this number to programs since 2.4.
const TICKS: f64 = 100.0;

/// A rate and what it cost.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Measured {
    /// Requests per second.
    pub(crate) rate: f64,
    /// CPU time of the server per request, in milliseconds.
    pub(crate) cpu_ms: f64,
    /// Median and 99th percentile of the latency, in milliseconds.
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

/// A process and all that descend from it.
pub(crate) fn family(pid: u32) -> Vec<u32> {
    let mut found = vec![pid];
    let mut position = 0;
    while let Some(parent) = found.get(position).copied() {
        position += 1;
        let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
        found.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
    }
    found
}

/// Seconds of CPU time that a process and its children have used.
pub(crate) fn cpu_seconds(pid: u32) -> f64 {
    let of_one = |pid: u32| -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default();
        (ticks(11) + ticks(12)) / TICKS
    };
    family(pid).into_iter().map(of_one).sum()
}

/// A line of `/proc/PID/status` in MB.
fn memory_mb(pid: u32, line: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let value = status.lines().find_map(|have| have.strip_prefix(line)?.strip_prefix(':'));
    let kb = value.and_then(|value| value.split_whitespace().next()?.parse::<f64>().ok());
    kb.unwrap_or_default() / 1024.0
}

/// Repeats a request with wrk on core 1.
pub(crate) fn wrk(rival: &Rival, target: &Target, connections: u32) -> Measured {
    let headers = with_entity_tag(rival.address, target);
    let _ = run_wrk(rival.address, &target.path, &headers, connections, 1, None);
    let before = cpu_seconds(rival.pid);
    let output = run_wrk(rival.address, &target.path, &headers, connections, SECONDS, None);
    let cpu = cpu_seconds(rival.pid) - before;
    read_wrk(&output, cpu)
}

/// Repeats the requests of a script with wrk on core 1.
pub(crate) fn wrk_script(address: SocketAddr, pid: u32, script: &str, connections: u32) -> Measured {
    let _ = run_wrk(address, "/", &[], connections, 1, Some(script));
    let before = cpu_seconds(pid);
    let output = run_wrk(address, "/", &[], connections, SECONDS, Some(script));
    let cpu = cpu_seconds(pid) - before;
    read_wrk(&output, cpu)
}

/// The entity tag that the server gives, in place of `ETAG`.
fn with_entity_tag(address: SocketAddr, target: &Target) -> Vec<(String, String)> {
    let mut headers = target.headers.clone();
    let Some(position) = headers.iter().position(|(_, value)| value == "ETAG") else { return headers };
    let (name, _) = headers.remove(position);
    let mut request = Request::new(address, "GET", &target.path);
    for (name, value) in &headers {
        request = request.header(name, value.clone());
    }
    let tag = request.send().expect(200).need_header("etag").to_owned();
    headers.push((name, tag));
    headers
}

fn run_wrk(
    address: SocketAddr,
    path: &str,
    headers: &[(String, String)],
    connections: u32,
    seconds: u64,
    script: Option<&str>,
) -> String {
    let mut command = Command::new("taskset");
    command.args(["-c", "1", "wrk", "--latency", "-t", "1"]);
    command.args(["-c", &connections.to_string(), "-d", &format!("{seconds}s"), "--timeout", "30s"]);
    for (name, value) in headers {
        command.args(["-H", &format!("{name}: {value}")]);
    }
    if let Some(script) = script {
        command.args(["-s", script]);
    }
    let output = command.arg(format!("http://{address}{path}")).output().expect("wrk runs (apt-get install wrk)");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "wrk: {text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(!text.contains("Non-2xx") || text.contains("Non-2xx or 3xx responses: 0"), "{path} was refused:\n{text}");
    text
}

fn read_wrk(output: &str, cpu_seconds: f64) -> Measured {
    let line = |name: &str| {
        output.lines().map(str::trim).find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
    };
    let rate = line("Requests/sec:").parse().unwrap_or_default();
    let requests = output
        .lines()
        .find_map(|line| line.trim().split_once(" requests in "))
        .and_then(|(count, _)| count.parse::<f64>().ok());
    Measured {
        rate,
        cpu_ms: cpu_seconds * 1000.0 / requests.unwrap_or(1.0).max(1.0),
        p50_ms: milliseconds(&line("50%")),
        p99_ms: milliseconds(&line("99%")),
    }
}

/// `1.23ms`, `456.00us` or `1.20s` of wrk.
fn milliseconds(text: &str) -> f64 {
    let (factor, number) = if let Some(number) = text.strip_suffix("us") {
        (0.001, number)
    } else if let Some(number) = text.strip_suffix("ms") {
        (1.0, number)
    } else {
        (1000.0, text.trim_end_matches('s'))
    };
    number.parse::<f64>().map_or(f64::NAN, |number| number * factor)
}

/// Time from starting the program to its first answer, and memory idle and under load.
pub(crate) fn start_and_memory(report: &mut Report) {
    let mut times = Vec::new();
    let mut stopped = Some(Server::start().stop());
    for _ in 0..5 {
        let started = Instant::now();
        let server = stopped.take().expect("a stopped server").start();
        assert_eq!(server.request("GET", "/-/health/ready").send().status, 200);
        times.push(started.elapsed());
        stopped = Some(server.stop());
    }
    times.sort();
    let first = Instant::now();
    let server = Server::start();
    let with_bootstrap = first.elapsed();
    // The moment is what is measured: memory a second after the start.
    std::thread::sleep(Duration::from_secs(1));
    let idle = memory_mb(server.pid(), "VmRSS");
    let mut text = String::new();
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    let _ = writeln!(text, "| start to first answer, existing data (median of 5) | {:.0} ms |", ms(times[2]));
    let _ = writeln!(text, "| the same, first start with bootstrap | {:.0} ms |", ms(with_bootstrap));
    let _ = writeln!(text, "| idle memory (RSS) | {idle:.1} MB |");
    let loaded = crate::publishing::under_load(&server);
    let _ = writeln!(
        text,
        "| memory under load (highest RSS; 8 publishers of 2 MB packages, then 32 readers) | {loaded:.1} MB |"
    );
    report.section("Start-up and memory of Larder", &format!("| | |\n|---|---:|\n{text}"));
}

/// The highest memory use so far, in MB.
pub(crate) fn peak_mb(pid: u32) -> f64 {
    memory_mb(pid, "VmHWM")
}
