//! How many packages a second can be published durably, one after the other and eight at once.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use larder_testkit::packages::{NpmPackage, PythonPackage};
use larder_testkit::{Request, Server};

use crate::content::noise;
use crate::measure::cpu_seconds;
use crate::report::Report;
use crate::rivals;

/// How long is published.
const TIME: Duration = Duration::from_secs(5);

/// Publishes new packages of about 20 KB until the time is over: rate and CPU per publish in milliseconds.
pub(crate) fn rate(pid: u32, publishers: usize, publish: impl Fn(usize) -> bool + Sync) -> (f64, f64) {
    let next = AtomicUsize::new(0);
    let before = cpu_seconds(pid);
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..publishers {
            scope.spawn(|| {
                while started.elapsed() < TIME {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    assert!(publish(number), "publish {number} was refused");
                }
            });
        }
    });
    let count = next.load(Ordering::Relaxed) as f64;
    (count / started.elapsed().as_secs_f64(), (cpu_seconds(pid) - before) * 1000.0 / count)
}

/// A request that publishes a package that was not there.
pub(crate) fn npm_request(address: SocketAddr, base: &str, token: Option<&str>, name: &str) -> Request {
    let package = NpmPackage::new(name, "1.0.0").file("data.bin", noise(20_000, name.len() as u64));
    let request = Request::new(address, "PUT", &format!("{base}{name}")).json(&package.publish_body());
    match token {
        Some(token) => request.token(token),
        None => request,
    }
}

pub(crate) fn run(report: &mut Report) {
    let mut text = String::from("| server | at once | publishes/s | CPU ms per publish |\n|---|---:|---:|---:|\n");
    let mut line = |name: &str, at_once: usize, (rate, cpu): (f64, f64)| {
        println!("  {name} {at_once}: {rate:.0}/s {cpu:.2} ms");
        let _ = writeln!(text, "| {name} | {at_once} | {rate:.0} | {cpu:.2} |");
    };
    println!("publishing");
    let server = Server::start();
    let token = server.token();
    let base = format!("{}/", server.path("npm", "my-repo"));
    for at_once in [1, 8] {
        let measured = rate(server.pid(), at_once, |number| {
            npm_request(server.address(), &base, Some(&token), &format!("p{at_once}-{number}")).send().is_success()
        });
        line("Larder, npm", at_once, measured);
    }
    let uploads = format!("{}/", server.path("pypi", "my-repo"));
    for at_once in [1, 8] {
        let measured = rate(server.pid(), at_once, |number| {
            upload(server.address(), &uploads, &token, &format!("u{at_once}-{number}"))
        });
        line("Larder, PyPI", at_once, measured);
    }
    drop(server);
    if let Some((process, address)) = rivals::start_verdaccio(&[], None) {
        for at_once in [1, 8] {
            let measured = rate(process.child.id(), at_once, |number| {
                npm_request(address, "/", None, &format!("p{at_once}-{number}")).send().is_success()
            });
            line("verdaccio", at_once, measured);
        }
    }
    if let Some((process, address)) = rivals::start_devpi(None) {
        for at_once in [1, 8] {
            let measured = rate(process.child.id(), at_once, |number| {
                let package =
                    PythonPackage::new(&format!("u{at_once}-{number}"), "1.0").file("data.bin", noise(20_000, 1));
                let wheel = package.wheel();
                rivals::upload_to_devpi(address, &package, &wheel.name, &wheel.bytes)
            });
            line("devpi", at_once, measured);
        }
    }
    report.section("Publishing packages of 20 KB, each acknowledged when durable, one connection each", &text);
}

fn upload(address: SocketAddr, path: &str, token: &str, name: &str) -> bool {
    let package = PythonPackage::new(name, "1.0").file("data.bin", noise(20_000, 1));
    let wheel = package.wheel();
    let (content_type, body) =
        larder_testkit::packages::multipart(&package.form(&wheel), Some((&wheel.name, &wheel.bytes)));
    let request = Request::new(address, "POST", path).basic("aws", token).header("content-type", content_type);
    request.body(body).send().is_success()
}

/// Publishes and reads as hard as 8 and 32 clients can, and returns the server's highest memory use in MB.
pub(crate) fn under_load(server: &Server) -> f64 {
    let token = server.token();
    let base = format!("{}/", server.path("npm", "my-repo"));
    let data = noise(2_000_000, 9);
    std::thread::scope(|scope| {
        for publisher in 0..8 {
            let (token, base, data) = (&token, &base, &data);
            scope.spawn(move || {
                for number in 0..10 {
                    let name = format!("load{publisher}-{number}");
                    let body = NpmPackage::new(&name, "1.0.0").file("data.bin", data.clone()).publish_body();
                    let request =
                        Request::new(server.address(), "PUT", &format!("{base}{name}")).token(token).json(&body);
                    assert!(request.send().is_success(), "{name} was refused");
                }
            });
        }
    });
    std::thread::scope(|scope| {
        for reader in 0..32 {
            let (token, base) = (&token, &base);
            scope.spawn(move || {
                for number in 0..10 {
                    let name = format!("load{}-{number}", reader % 8);
                    let target = format!("{base}{name}/-/{name}-1.0.0.tgz");
                    let _ = Request::new(server.address(), "GET", &target).token(token).send().expect(200);
                }
            });
        }
    });
    crate::measure::peak_mb(server.pid())
}
