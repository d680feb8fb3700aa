//! The progress lines of a run of several steps.

use std::time::{Duration, Instant};

use crate::process::{Failure, Result};

/// Numbered steps with their times. A failed step does not stop the run: what else is wrong is worth knowing.
pub(crate) struct Steps {
    started: Instant,
    total: usize,
    done: usize,
    times: Vec<(String, Duration, bool)>,
    failures: Vec<String>,
}

impl Steps {
    /// `total` is the number of steps that will follow.
    pub(crate) fn new(total: usize) -> Self {
        Self { started: Instant::now(), total, done: 0, times: Vec::new(), failures: Vec::new() }
    }

    /// Runs one step. `advice` says what to do when it fails.
    pub(crate) fn step(&mut self, name: &str, advice: &str, action: impl FnOnce() -> Result) -> bool {
        self.done += 1;
        println!("\n== [{}/{}] {name}", self.done, self.total);
        let started = Instant::now();
        let result = action();
        let time = started.elapsed();
        let passed = result.is_ok();
        match result {
            Ok(()) => println!("== {name}: ok, {}", seconds(time)),
            Err(Failure(message)) => {
                println!("== {name}: FAILED, {}\n{message}\nwhat to do: {advice}", seconds(time));
                self.failures.push(format!("{name}: {}", message.lines().next().unwrap_or_default()));
            }
        }
        self.times.push((name.to_owned(), time, passed));
        passed
    }

    /// Notes a step that is not run because what it needs failed.
    pub(crate) fn skip(&mut self, name: &str, reason: &str) {
        self.done += 1;
        println!("\n== [{}/{}] {name}: not run, {reason}", self.done, self.total);
        self.failures.push(format!("{name}: not run, {reason}"));
    }

    /// Prints the times. Fails if a step did.
    pub(crate) fn finish(self) -> Result {
        println!("\n== times");
        for (name, time, passed) in &self.times {
            println!("{:>9}  {name}{}", seconds(*time), if *passed { "" } else { "  FAILED" });
        }
        println!("{:>9}  together", seconds(self.started.elapsed()));
        if self.failures.is_empty() { Ok(()) } else { Err(Failure(self.failures.join("\n  "))) }
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
