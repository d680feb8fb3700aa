//! How reading and publishing get slower as a repository fills.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use larder_testkit::packages::NpmPackage;
use larder_testkit::{Request, Server};

use crate::report::Report;

/// Versions in the repository when it is measured.
const SIZES: [usize; 4] = [1, 1_000, 10_000, 100_000];

/// How many requests a median is taken of.
const SAMPLES: usize = 300;

pub(crate) fn run(report: &mut Report) {
    println!("filling a repository, measured at {SIZES:?} versions");
    let server = Server::start();
    let token = server.token();
    let base = format!("{}/", server.path("npm", "my-repo"));
    let mut there = 0;
    let mut text = String::from(
        "| versions in the repository | GET packument, hot, p50 ms | GET packument, cold, p50 ms | GET tarball p50 ms | publish p50 ms | publish p99 ms |\n\
         |---:|---:|---:|---:|---:|---:|\n",
    );
    for size in SIZES {
        fill(&server, &token, &base, there, size);
        there = size;
        let get = |path: &str| {
            Request::new(server.address(), "GET", &format!("{base}{path}")).token(&token).send().expect(200)
        };
        let hot = times(|_| drop(get("fill-0")));
        // Each of these was not asked for since it was published.
        let cold = times(|number| drop(get(&format!("fill-{}", number % size.max(1)))));
        let tarball = times(|number| {
            let name = format!("fill-{}", number * 7 % size.max(1));
            drop(get(&format!("{name}/-/{name}-1.0.0.tgz")));
        });
        let publish = times(|number| {
            let name = format!("extra-{size}-{number}");
            let body = NpmPackage::new(&name, "1.0.0").publish_body();
            let request = Request::new(server.address(), "PUT", &format!("{base}{name}")).token(&token).json(&body);
            assert!(request.send().is_success(), "{name} was refused");
        });
        let at = |times: &[f64], part: f64| times[((times.len() - 1) as f64 * part) as usize];
        println!(
            "  {size}: hot {:.3} cold {:.3} tarball {:.3} publish {:.3}",
            at(&hot, 0.5),
            at(&cold, 0.5),
            at(&tarball, 0.5),
            at(&publish, 0.5)
        );
        let _ = writeln!(
            text,
            "| {size} | {:.3} | {:.3} | {:.3} | {:.3} | {:.3} |",
            at(&hot, 0.5),
            at(&cold, 0.5),
            at(&tarball, 0.5),
            at(&publish, 0.5),
            at(&publish, 0.99)
        );
    }
    report.section("Latency as the repository fills, one client, a new connection per request", &text);
}

fn fill(server: &Server, token: &str, base: &str, from: usize, to: usize) {
    let next = AtomicUsize::new(from);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= to {
                        return;
                    }
                    let name = format!("fill-{number}");
                    let body = NpmPackage::new(&name, "1.0.0").publish_body();
                    let request =
                        Request::new(server.address(), "PUT", &format!("{base}{name}")).token(token).json(&body);
                    assert!(request.send().is_success(), "{name} was refused");
                }
            });
        }
    });
}

/// Milliseconds of each of the requests, in order of size.
fn times(request: impl Fn(usize)) -> Vec<f64> {
    let mut times: Vec<f64> = (0..SAMPLES)
        .map(|number| {
            let started = Instant::now();
            request(number);
            started.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times
}
