//! `cargo xtask bench`: Larder beside nginx, verdaccio, devpi and maven-proxy, in one run on one machine. README of the numbers:
//! `bench/RESULTS.md`, which this program writes.

mod corpus;
mod fill;
mod gets;
mod growth;
mod host;
mod installs;
mod life;
mod load;
mod peers;
mod policies;
mod publishes;
mod recorder;
mod report;
mod wrk;

use std::fmt::Display;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use larder_testkit::Registry;

use life::Loads;
use peers::{Case, Peer};
use report::Report;

/// Why the benchmark could not be run.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl<T: Display> From<T> for Failure {
    fn from(message: T) -> Self {
        Self(message.to_string())
    }
}

pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

/// Adds what was tried to an error.
pub(crate) trait Context<T> {
    fn context(self, what: impl Display) -> Result<T>;
}

impl<T, E: Display> Context<T> for std::result::Result<T, E> {
    fn context(self, what: impl Display) -> Result<T> {
        self.map_err(|error| Failure(format!("{what}: {error}")))
    }
}

/// How thorough the run is.
#[derive(Debug, Clone)]
struct Plan {
    quick: bool,
    /// The sections to run; all when empty.
    only: Vec<String>,
    /// Part of the titles of the reads that are measured.
    case: String,
    /// Leaves verdaccio, devpi and maven-proxy out.
    alone: bool,
    output: PathBuf,
    rounds: usize,
    duration: Duration,
    large_versions: usize,
}

impl Plan {
    fn read(arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut plan = Self {
            quick: false,
            only: Vec::new(),
            case: String::new(),
            alone: false,
            output: larder_testkit::tools::repository().join("bench/RESULTS.md"),
            rounds: 3,
            duration: Duration::from_secs(2),
            large_versions: 1000,
        };
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => {
                    plan.quick = true;
                    (plan.rounds, plan.duration) = (1, Duration::from_secs(1));
                }
                "--alone" => plan.alone = true,
                "--only" => {
                    plan.only.extend(arguments.next().iter().flat_map(|names| names.split(',')).map(str::to_owned));
                }
                "--case" => plan.case = arguments.next().ok_or("--case needs a part of a title")?,
                "--seconds" => {
                    let seconds = arguments.next().and_then(|seconds| seconds.parse().ok());
                    plan.duration = Duration::from_secs(seconds.ok_or("--seconds needs a number")?);
                }
                "--output" => plan.output = arguments.next().ok_or("--output needs a path")?.into(),
                other => return Err(format!("there is no option {other}").into()),
            }
        }
        Ok(plan)
    }

    fn wants(&self, section: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == section)
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(message)) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result {
    let plan = Plan::read(std::env::args().skip(1))?;
    let started = Instant::now();
    let mut report = Report::default();
    let machine = host::description();
    let pinning = host::settle()?;
    println!("{machine}\n{pinning}");
    let registry = Registry::start();
    if plan.wants("reads") {
        println!("reads");
        let peers = all_peers(&plan, &registry)?;
        let mut loads = Loads::new();
        loads.after_filling(&peers);
        gets::measure(&peers, &plan.case, plan.rounds, plan.duration, &mut report)?;
        loads.after_reading(&peers, &mut report)?;
    }
    if plan.wants("installs") {
        println!("installs");
        installs::measure(plan.rounds, &mut report)?;
    }
    if plan.wants("rules") {
        println!("rules");
        policies::measure(plan.rounds, plan.duration / 2, &mut report)?;
    }
    if plan.wants("publishes") {
        println!("publishes");
        publishes::measure(plan.rounds, if plan.quick { 4 } else { 1 }, &mut report)?;
    }
    if plan.wants("start") {
        println!("start");
        life::measure(&mut report)?;
    }
    if plan.wants("growth") {
        println!("growth");
        growth::measure(plan.rounds, if plan.quick { 10_000 } else { 100_000 }, &mut report)?;
    }
    report.head = format!(
        "{machine}; {pinning}. {}; {}; {}. Made by `cargo xtask bench` in {} s.",
        peers::versions().join("; "),
        host::version_of("wrk", "-v").split(" Copyright").next().unwrap_or_default(),
        "token check and authorization included for Larder, no access log anywhere",
        started.elapsed().as_secs(),
    );
    std::fs::write(&plan.output, report.markdown()).context(plan.output.display())?;
    for goal in &report.goals {
        println!("{}  {}: {}", if goal.reached { "yes" } else { "NO " }, goal.what, goal.measured);
    }
    Ok(())
}

/// All servers, each holding the same packages.
fn all_peers(plan: &Plan, registry: &Registry) -> Result<Vec<Peer>> {
    let larder = peers::larder(registry, plan.large_versions, "warn")?;
    let nginx = peers::nginx(&larder)?;
    let mut all = vec![larder, nginx];
    if !plan.alone {
        let large = all[0].targets[&Case::LargePackument].clone();
        all.extend(peers::verdaccio(registry, &large)?);
        all.extend(peers::devpi(registry)?);
        all.extend(peers::maven_proxy()?);
    }
    Ok(all)
}
