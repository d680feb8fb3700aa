//! `wrk`, one thread, and what it reports.

use std::process::Command;
use std::time::Duration;

use crate::host::cpu_seconds;
use crate::peers::Target;
use crate::{Context, Result};

/// One measurement of a target.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    /// Requests a second.
    pub(crate) per_second: f64,
    /// Server processor time of one request, in milliseconds.
    pub(crate) cpu_ms: f64,
    /// The median latency in milliseconds.
    pub(crate) median_ms: f64,
}

/// Asks for the target over so many connections for so long.
pub(crate) fn run(target: &Target, pid: u32, connections: u32, duration: Duration) -> Result<Rate> {
    let mut command = Command::new("wrk");
    command.args(["--threads", "1", "--latency", "--timeout", "30s"]);
    command.arg("--connections").arg(connections.to_string());
    // wrk counts in whole seconds.
    command.arg("--duration").arg(format!("{}s", duration.as_secs().max(1)));
    for (name, value) in &target.headers {
        command.arg("--header").arg(format!("{name}: {value}"));
    }
    command.arg(format!("http://{}{}", target.address, target.path));
    let before = cpu_seconds(pid);
    let output = command.output().context("wrk")?;
    let cpu = cpu_seconds(pid) - before;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if text.contains("Non-2xx") || text.contains("Socket errors") {
        return Err(format!("{}{} was not answered every time:\n{text}", target.address, target.path).into());
    }
    let line = |start: &str| text.lines().find_map(|line| line.trim().strip_prefix(start)).map(str::trim);
    let requests: Option<f64> = text
        .lines()
        .find_map(|line| line.split_once(" requests in ").map(|(count, _)| count.trim()))
        .and_then(|count| count.parse().ok());
    let rate = line("Requests/sec:").and_then(|rate| rate.parse::<f64>().ok());
    let median = line("50%").and_then(milliseconds);
    match (requests, rate, median) {
        // Slower than the measurement is long.
        (Some(0.0), ..) => Ok(Rate { per_second: 0.0, cpu_ms: f64::NAN, median_ms: f64::NAN }),
        (Some(requests), Some(per_second), Some(median_ms)) => {
            Ok(Rate { per_second, cpu_ms: cpu * 1000.0 / requests, median_ms })
        }
        _ => Err(format!("wrk said something else than expected:\n{text}").into()),
    }
}

/// `12.34us`, `1.20ms`, `2.00s`.
fn milliseconds(text: &str) -> Option<f64> {
    for (unit, factor) in [("us", 0.001), ("ms", 1.0), ("s", 1000.0)] {
        if let Some(number) = text.strip_suffix(unit) {
            return number.parse::<f64>().ok().map(|number| number * factor);
        }
    }
    None
}

/// The middle one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_are_read_in_every_unit() {
        assert_eq!(milliseconds("250.00us"), Some(0.25));
        assert_eq!(milliseconds("1.50ms"), Some(1.5));
        assert_eq!(milliseconds("2.00s"), Some(2000.0));
        assert_eq!(milliseconds("x"), None);
    }

    #[test]
    fn the_median_of_an_even_number_is_the_upper_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0, 4.0]), 3.0);
    }
}
