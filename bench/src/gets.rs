//! Reads that repeat: each case at every server that has it, in rounds, so that what else the machine does hits all
//! alike.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::Result;
use crate::load::{self, Prepared};
use crate::peers::{Case, Peer, Target};
use crate::report::{Report, Section, ms, rate, ratio};
use crate::wrk::{self, Rate, median};

/// How many connections.
const CONNECTIONS: [u32; 2] = [1, 32];

/// Measures every case whose title contains `wanted`.
pub(crate) fn measure(peers: &[Peer], wanted: &str, rounds: usize, duration: Duration, report: &mut Report) -> Result {
    let notes = "Requests a second, server processor time of one request, median latency; medians over the rounds. The \
                 ratios are to nginx in the same round: rate, and processor time of a request. nginx has the bytes of \
                 Larder's answers as files, compressed beforehand where Larder compresses. Rows of Maven, Cargo and gem are \
                 what their clients ask for: metadata of an artifact and of a snapshot, a POM, a jar, its HEAD and its \
                 checksum; index files and a crate; the compact index, the end of `versions` that a client with an older \
                 copy asks for, and a gem. maven-proxy answers one request on a connection. HEAD is asked for by this \
                 program instead of wrk, at all servers alike.";
    let columns = ["case", "server", "connections", "req/s", "CPU ms/req", "p50 ms", "rate / nginx", "CPU / nginx"];
    let mut section = Section::new("Reads", notes, &columns);
    for case in Case::ALL.into_iter().filter(|case| case.title().contains(wanted)) {
        for connections in CONNECTIONS {
            let measured = measure_case(peers, case, connections, rounds, case.duration(duration))?;
            for peer in peers {
                let Some(rates) = measured.get(peer.name) else { continue };
                let (by_rate, by_cpu) = ratios(rates, measured.get("nginx"));
                let of = |value: fn(&Rate) -> f64| median(rates.iter().map(value).collect());
                section.row(vec![
                    case.title().to_owned(),
                    peer.name.to_owned(),
                    connections.to_string(),
                    rate(of(|rate| rate.per_second)),
                    ms(of(|rate| rate.cpu_ms)),
                    ms(of(|rate| rate.median_ms)),
                    ratio(by_rate),
                    ratio(by_cpu),
                ]);
                if peer.name == "larder" {
                    judge(case, connections, by_rate, by_cpu, report);
                }
            }
        }
    }
    report.sections.push(section);
    Ok(())
}

fn measure_case(
    peers: &[Peer],
    case: Case,
    connections: u32,
    rounds: usize,
    duration: Duration,
) -> Result<BTreeMap<&'static str, Vec<Rate>>> {
    let mut measured: BTreeMap<_, Vec<Rate>> = BTreeMap::new();
    for round in 0..rounds {
        for peer in peers {
            let Some(target) = peer.targets.get(&case) else { continue };
            // The others are there for comparison only: they are slower by orders of magnitude.
            let is_compared = !matches!(peer.name, "larder" | "nginx");
            // Verdaccio works on what it was asked for long after wrk has gone.
            if is_compared && (round > 0 || case == Case::LargePackument && connections > 1) {
                continue;
            }
            if round == 0 {
                target.get()?;
            }
            measured.entry(peer.name).or_default().push(rate_of(target, peer.pid, connections, duration)?);
        }
    }
    Ok(measured)
}

/// Asks for so long, with `wrk` where it can: it waits for the body of an answer to HEAD.
fn rate_of(target: &Target, pid: u32, connections: u32, duration: Duration) -> Result<Rate> {
    match target.method {
        "HEAD" => {
            let request = Prepared::new("HEAD", &target.path, target.address, &target.headers, b"");
            let run = load::send_for(target.address, pid, &request, connections as usize, duration)?;
            Ok(Rate { per_second: run.per_second(), cpu_ms: run.cpu_ms, median_ms: run.median_ms() })
        }
        _ => wrk::run(target, pid, connections, duration),
    }
}

/// The medians over the rounds of rate and processor time, as ratios to nginx in the same round.
fn ratios(rates: &[Rate], nginx: Option<&Vec<Rate>>) -> (f64, f64) {
    let pairs: Vec<_> = rates.iter().zip(nginx.into_iter().flatten()).collect();
    let of = |value: fn(&Rate) -> f64| median(pairs.iter().map(|(rate, nginx)| value(rate) / value(nginx)).collect());
    (of(|rate| rate.per_second), of(|rate| rate.cpu_ms))
}

fn judge(case: Case, connections: u32, by_rate: f64, by_cpu: f64, report: &mut Report) {
    let (bound, reached) = case.bound(by_rate, by_cpu);
    let what = format!("{}, {connections} connection(s): {bound}", case.title());
    report.goal(what, format!("rate {}, CPU {}", ratio(by_rate), ratio(by_cpu)), reached);
}
