//! How many packages a second can be published, each acknowledged before the next is sent on its connection.

use larder_testkit::Registry;

use crate::load::{Prepared, Run, send_all};
use crate::peers::{self, Endpoint, Larder};
use crate::report::{Report, Section, ms, rate, ratio};
use crate::wrk::median;
use crate::{Result, corpus};

/// How many publishers at once.
const AT_ONCE: [usize; 2] = [1, 8];
/// Publishes per publisher count and round.
const LARDER: usize = 800;
const VERDACCIO: usize = 160;

/// Measures Larder and verdaccio in turns.
pub(crate) fn measure(rounds: usize, part: usize, report: &mut Report) -> Result {
    let notes = "New npm packages with tarballs of 20 KB into a repository without upstreams, connections that stay open; \
                 medians over the rounds. Larder answers when the bytes and their record are flushed to disk; verdaccio \
                 flushes nothing.";
    let columns = ["server", "at once", "publishes/s", "CPU ms/publish", "p50 ms", "rate / verdaccio"];
    let mut section = Section::new("Publishing", notes, &columns);
    let larder = Larder::start(None, "warn")?;
    let verdaccio = peers::start_verdaccio(&Registry::start())?;
    for at_once in AT_ONCE {
        let mut measured: [Vec<Run>; 2] = [Vec::new(), Vec::new()];
        for round in 0..rounds {
            let label = format!("{at_once}-{round}");
            measured[0].push(publish(&larder.npm, larder.server.pid(), &label, LARDER / part, at_once)?);
            if let Some((process, npm)) = &verdaccio {
                measured[1].push(publish(npm, process.pid(), &label, VERDACCIO / part, at_once)?);
            }
        }
        let of = |runs: &[Run], value: fn(&Run) -> f64| median(runs.iter().map(value).collect());
        let pairs = measured[0].iter().zip(&measured[1]);
        let times = median(pairs.map(|(larder, other)| larder.per_second() / other.per_second()).collect());
        for (name, runs) in [("larder", &measured[0]), ("verdaccio", &measured[1])] {
            if !runs.is_empty() {
                section.row(vec![
                    name.to_owned(),
                    at_once.to_string(),
                    rate(of(runs, Run::per_second)),
                    ms(of(runs, |run| run.cpu_ms)),
                    ms(of(runs, Run::median_ms)),
                    ratio(if name == "larder" { times } else { 1.0 }),
                ]);
            }
        }
        if verdaccio.is_some() {
            let what = format!("publishing durably, {at_once} at once: at least 8 times verdaccio's rate");
            report.goal(what, format!("{times:.1} times"), times >= 8.0);
        }
    }
    report.sections.push(section);
    Ok(())
}

/// Publishes so many packages that were not there.
fn publish(npm: &Endpoint, pid: u32, label: &str, count: usize, at_once: usize) -> Result<Run> {
    let requests: Vec<Prepared> = (0..count)
        .map(|number| {
            let name = format!("bench-published-{label}-{number}");
            npm.publish(&corpus::published(&name, "1.0.0", number as u64, 19_500))
        })
        .collect();
    send_all(npm.address, pid, &requests, at_once)
}
