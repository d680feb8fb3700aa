//! How fast Larder starts and what memory it needs.

use std::time::{Duration, Instant};

use crate::host::{memory, on_server_core};
use crate::load::{Prepared, send_all};
use crate::peers::{Larder, Peer};
use crate::report::{Report, Section};
use crate::wrk::median;
use crate::{Context, Result, corpus};

/// Starts that the median is taken of.
const STARTS: usize = 5;

/// Memory of servers that were idle, then read from and published to.
pub(crate) struct Loads {
    section: Section,
}

impl Loads {
    pub(crate) fn new() -> Self {
        let notes = "Resident memory of the server and its children: after start with the packages of the reads in store, \
                     and at its highest over all reads, followed for Larder by 8 publishers of 2 MB packages and 32 readers \
                     of these.";
        Self { section: Section::new("Memory", notes, &["server", "when", "MiB"]) }
    }

    /// Notes what a server that holds packages uses before it is read from.
    pub(crate) fn after_filling(&mut self, peers: &[Peer]) {
        for peer in peers {
            self.row(peer.name, "holding packages", memory(peer.pid).now_mib);
        }
    }

    /// Notes the highest use, after the load that is still to come.
    pub(crate) fn after_reading(mut self, peers: &[Peer], report: &mut Report) -> Result {
        for peer in peers {
            if let Some(npm) = peer.npm.as_ref().filter(|_| peer.name == "larder") {
                let packages = || (0..40).map(|number| (number, format!("bench-load-{number}")));
                let publishes: Vec<Prepared> = packages()
                    .map(|(seed, name)| npm.publish(&corpus::published(&name, "1.0.0", seed, 2_000_000)))
                    .collect();
                send_all(npm.address, peer.pid, &publishes, 8)?;
                let get = |name| {
                    Prepared::new(
                        "GET",
                        &format!("{0}/{name}/-/{name}-1.0.0.tgz", npm.prefix),
                        npm.address,
                        &npm.headers,
                        b"",
                    )
                };
                let reads: Vec<Prepared> = packages().cycle().take(320).map(|(_, name)| get(name)).collect();
                send_all(npm.address, peer.pid, &reads, 32)?;
            }
            let peak = memory(peer.pid).peak_mib;
            self.row(peer.name, "at its highest", peak);
            if peer.name == "larder" {
                report.goal("memory under load below 200 MB", format!("{peak:.0} MiB"), peak * 1.048_576 < 200.0);
            }
        }
        report.sections.push(self.section);
        Ok(())
    }

    fn row(&mut self, server: &str, when: &str, mib: f64) {
        self.section.row(vec![server.to_owned(), when.to_owned(), format!("{mib:.0}")]);
    }
}

/// From starting the program to its first answer, and memory when nothing was ever asked.
pub(crate) fn measure(report: &mut Report) -> Result {
    let mut section = Section::new("Start", "From starting the program to the first answer.", &["what", "how", "ms"]);
    let started = Instant::now();
    let mut larder = Larder::start(None, "warn")?.server;
    let first = answered(&larder, started)?;
    section.row(vec!["larder".to_owned(), "first start, with bootstrap".to_owned(), format!("{first:.0}")]);
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let stopped = larder.stop();
        let started = Instant::now();
        larder = on_server_core(|| stopped.start())?;
        times.push(answered(&larder, started)?);
    }
    let time = median(times);
    section.row(vec!["larder".to_owned(), format!("on existing data, median of {STARTS}"), format!("{time:.0}")]);
    report.goal("first answer within 0.1 s of start", format!("{time:.0} ms"), time <= 100.0);
    report.sections.push(section);
    // What a start needs and gives back is given back by then.
    std::thread::sleep(Duration::from_secs(2));
    let idle = memory(larder.pid()).now_mib;
    report.goal("idle memory below 40 MB", format!("{idle:.1} MiB"), idle * 1.048_576 < 40.0);
    Ok(())
}

/// Milliseconds until the server has answered a request.
fn answered(larder: &larder_testkit::Server, started: Instant) -> Result<f64> {
    let answer = larder.request("GET", "/-/health/ready").try_send().context("the first request")?;
    if answer.is_success() { Ok(started.elapsed().as_secs_f64() * 1000.0) } else { Err("Larder is not ready".into()) }
}
