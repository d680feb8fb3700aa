//! `cargo xtask bench`: Larder beside nginx with static files (the practical limit), verdaccio and devpi, in one run on
//! one machine, pinned alike: the server to core 0, the client to core 1. Writes `bench/RESULTS.md`.

mod content;
mod growth;
mod installs;
mod measure;
mod publishing;
mod report;
mod rivals;

use larder_e2e::World;
use larder_testkit::{Registry, tools};
use report::Report;
use rivals::Rival;

fn main() {
    let only = std::env::args().nth(1).unwrap_or_default();
    let mut report = Report::new();
    let wants = |name: &str| only.is_empty() || only == name;
    if wants("reads") {
        reads(&mut report);
    }
    if wants("installs") {
        installs::run(&mut report);
    }
    if wants("publishing") {
        publishing::run(&mut report);
    }
    if wants("start") {
        measure::start_and_memory(&mut report);
    }
    if wants("growth") {
        growth::run(&mut report);
    }
    println!("{}", report.text());
    if only.is_empty() {
        let path = tools::repository().join("bench/RESULTS.md");
        std::fs::create_dir_all(tools::repository().join("bench")).expect("the folder bench");
        std::fs::write(&path, report.text()).expect("bench/RESULTS.md");
        println!("written to {}", path.display());
    }
}

/// Documents and files, one and 32 connections.
fn reads(report: &mut Report) {
    println!("filling Larder");
    let world = World::with(Registry::start(), |builder| builder);
    let content = content::Content::make(&world);
    let rivals = [
        Some(rivals::nginx(&content)),
        rivals::verdaccio(&content),
        rivals::devpi(&content),
        Some(Rival::larder(&world, &content)),
    ];
    for rival in rivals.into_iter().flatten() {
        println!("measuring {}", rival.name);
        rival.pin();
        for target in &rival.targets {
            for connections in [1, 32] {
                let measured = measure::wrk(&rival, target, connections);
                println!(
                    "  {:<28} {connections:>2}: {:>9.0}/s {:.4} ms CPU",
                    target.what, measured.rate, measured.cpu_ms
                );
                report.read(target.what, connections, rival.name, measured);
            }
        }
    }
}
