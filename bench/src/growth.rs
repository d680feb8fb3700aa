//! Whether reading and publishing cost more as a repository or a package fills.

mod native;

use std::collections::BTreeMap;

use larder_testkit::Registry;

use crate::fill::{Template, fill};
use crate::load::{Connection, Prepared, Run, send_all};
use crate::peers::{self, ABBREVIATED, Endpoint, Larder};
use crate::report::{Report, Section, ms, ratio};
use crate::wrk::median;
use crate::{Context, Result, corpus};

/// Versions in the repository.
const IN_REPOSITORY: [usize; 4] = [1, 1_000, 10_000, 100_000];
/// Versions of each of its packages.
const PER_PACKAGE: usize = 10;
/// Versions of one package.
const OF_PACKAGE: [usize; 4] = [1, 100, 1_000, 10_000];
/// Verdaccio is asked up to here.
const OF_PACKAGE_VERDACCIO: usize = 1_000;
/// Requests of one kind in one round.
const SAMPLES: usize = 300;

/// What is done at each size, with what its time may grow to from 1,000 to 100,000 versions.
const KINDS: [&str; 4] = [
    "GET packument, hot",
    "GET packument, not asked for before",
    "GET tarball, not asked for before",
    "publish a new package",
];

/// Measures Larders of all sizes in turns.
pub(crate) fn measure(rounds: usize, largest: usize, report: &mut Report) -> Result {
    let sizes: Vec<usize> = IN_REPOSITORY.into_iter().filter(|size| *size <= largest).collect();
    let mut larders = Vec::new();
    for size in &sizes {
        println!("  filling {size}");
        larders.push((*size, filled(*size)?));
    }
    let mut runs: BTreeMap<(usize, usize), Vec<Run>> = BTreeMap::new();
    for round in 0..rounds {
        for (size, larder) in &larders {
            for kind in 0..KINDS.len() {
                let requests = requests(kind, *size, round, rounds, &larder.npm);
                let run = send_all(larder.npm.address, larder.server.pid(), &requests, 1)?;
                runs.entry((kind, *size)).or_default().push(run);
            }
        }
    }
    let notes = "Larder, one connection, medians over the rounds of the rounds' medians. Every size is a server of its \
                 own, measured in turns; packages have ten versions each.";
    let columns = ["request", "versions in the repository", "p50 ms", "CPU ms/request"];
    let mut section = Section::new("Growth of the repository", notes, &columns);
    for (kind, title) in KINDS.iter().enumerate() {
        let of = |size: usize, value: fn(&Run) -> f64| {
            let runs = runs.get(&(kind, size)).map(Vec::as_slice).unwrap_or_default();
            median(runs.iter().map(value).collect())
        };
        for size in &sizes {
            section.row(vec![
                (*title).to_owned(),
                size.to_string(),
                ms(of(*size, Run::median_ms)),
                ms(of(*size, |run| run.cpu_ms)),
            ]);
        }
        let grown = |value| of(100_000, value) / of(1_000, value);
        let (latency, cpu) = (grown(Run::median_ms), grown(|run| run.cpu_ms));
        if latency.is_finite() {
            let what = format!("{title}: latency at 100,000 versions within 1.3 of that at 1,000");
            report.goal(what, format!("latency {}, CPU {}", ratio(latency), ratio(cpu)), latency <= 1.3);
        }
    }
    report.sections.push(section);
    of_one_package(rounds, report)?;
    native::measure(rounds, report)
}

/// A Larder with so many versions, the template's included.
fn filled(size: usize) -> Result<Larder> {
    let larder = Larder::start(None, "warn")?;
    let mut connection = Connection::open(larder.npm.address).context("Larder")?;
    let template = Template::npm();
    template.publish(&larder, &mut connection)?;
    let versions = (0..size).map(|number| (package(number / PER_PACKAGE), format!("1.{}.0", number % PER_PACKAGE)));
    fill(&larder.server.data(), &template, versions)?;
    Ok(larder)
}

fn package(number: usize) -> String {
    format!("fill-{number}")
}

fn requests(kind: usize, size: usize, round: usize, rounds: usize, npm: &Endpoint) -> Vec<Prepared> {
    let packages = size.div_ceil(PER_PACKAGE);
    let headers = |accept: &str| {
        let asked = [("accept", accept), ("accept-encoding", "gzip")];
        let asked = asked.map(|(name, value)| (name.to_owned(), value.to_owned()));
        [npm.headers.clone(), asked.to_vec()].concat()
    };
    let get =
        |path: &str| Prepared::new("GET", &format!("{}/{path}", npm.prefix), npm.address, &headers(ABBREVIATED), b"");
    // Spread over the whole, each package and each version in one round only, as far as there are enough.
    let spread = |count: usize| {
        let of_round = (count / rounds).max(1);
        let samples = of_round.min(SAMPLES);
        (0..samples).map(move |sample| (sample * of_round / samples * rounds + round).min(count - 1))
    };
    match kind {
        0 => (0..SAMPLES).map(|_| get(&package(packages / 2))).collect(),
        1 => spread(packages).map(|number| get(&package(number))).collect(),
        2 => spread(size)
            .map(|number| (package(number / PER_PACKAGE), number % PER_PACKAGE))
            .map(|(name, minor)| get(&format!("{name}/-/{name}-1.{minor}.0.tgz")))
            .collect(),
        _ => (0..SAMPLES)
            .map(|number| {
                let name = format!("grown-{round}-{number}");
                npm.publish(&corpus::published(&name, "1.0.0", number as u64, 19_500))
            })
            .collect(),
    }
}

/// Publishing another version of a package that has many.
fn of_one_package(rounds: usize, report: &mut Report) -> Result {
    let larder = Larder::start(None, "warn")?;
    let mut connection = Connection::open(larder.npm.address).context("Larder")?;
    let template = Template::npm();
    template.publish(&larder, &mut connection)?;
    let name = |versions: usize| format!("bench-of-{versions}");
    for versions in OF_PACKAGE {
        fill(&larder.server.data(), &template, (0..versions).map(|number| (name(versions), format!("1.{number}.0"))))?;
    }
    let verdaccio = peers::start_verdaccio(&Registry::start())?;
    let mut runs: BTreeMap<(&str, usize), Vec<Run>> = BTreeMap::new();
    for versions in OF_PACKAGE {
        if let Some((process, _)) = &verdaccio
            && versions <= OF_PACKAGE_VERDACCIO
        {
            process.put_document(&larder.npm.target(&name(versions)), &name(versions))?;
        }
    }
    for round in 0..rounds {
        for versions in OF_PACKAGE {
            let publishes = |npm: &Endpoint, count: usize| -> Vec<Prepared> {
                let version = |number: usize| format!("2.{round}.{number}");
                let package = |number| corpus::published(&name(versions), &version(number), number as u64, 19_500);
                (0..count).map(|number| npm.publish(&package(number))).collect()
            };
            let run = send_all(larder.npm.address, larder.server.pid(), &publishes(&larder.npm, 100), 1)?;
            runs.entry(("larder", versions)).or_default().push(run);
            if let Some((process, npm)) = &verdaccio
                && versions <= OF_PACKAGE_VERDACCIO
            {
                let run = send_all(npm.address, process.pid(), &publishes(npm, 10), 1)?;
                runs.entry(("verdaccio", versions)).or_default().push(run);
            }
        }
    }
    let notes = "Publishing another version of 20 KB, one connection.";
    let columns = ["server", "versions of the package", "p50 ms", "CPU ms/publish"];
    let mut section = Section::new("Growth of one package", notes, &columns);
    let of =
        |key: &(&str, usize), value: fn(&Run) -> f64| median(runs.get(key).into_iter().flatten().map(value).collect());
    for key in runs.keys() {
        let (latency, cpu) = (of(key, Run::median_ms), of(key, |run| run.cpu_ms));
        section.row(vec![key.0.to_owned(), key.1.to_string(), ms(latency), ms(cpu)]);
    }
    let grown = of(&("larder", 10_000), Run::median_ms) / of(&("larder", 1), Run::median_ms);
    let what = "publishing is flat in the versions of the package: 10,000 within 1.3 of 1";
    report.goal(what, format!("latency {}", ratio(grown)), grown <= 1.3);
    report.sections.push(section);
    Ok(())
}
