//! `kill -9` in the middle of concurrent publishes, and a disk and a database that fail: what was acknowledged is there
//! whole, the rest is there whole or not at all.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use larder_testkit::packages::{NpmPackage, PythonPackage, multipart};
use larder_testkit::server::Stopped;
use larder_testkit::{Client, Request, Response, Server, skip, tests};
use serde_json::Value;

tests![
    crash_kill_9_during_concurrent_publishes,
    crash_stop_finishes_running_requests,
    crash_disk_full,
    crash_database_locked,
];

/// Threads that publish at once.
const PUBLISHERS: u64 = 4;

/// What was sent of one package name, and whether it was acknowledged.
#[derive(Clone)]
enum Sent {
    Npm(NpmPackage),
    Python(PythonPackage),
}

fn crash_kill_9_during_concurrent_publishes() {
    let rounds = if std::env::var_os("LARDER_LONG").is_some() { 200 } else { 20 };
    let mut stopped: Option<Stopped> = None;
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut acknowledged_in_all = 0;
    for round in 0..rounds {
        let server = stopped.take().map_or_else(Server::start, Stopped::start);
        let token = server.token();
        let sent = Mutex::new(BTreeMap::new());
        let over = AtomicBool::new(false);
        let delay = Duration::from_millis(5 + random.next() % 250);
        let killed = std::thread::scope(|scope| {
            for publisher in 0..PUBLISHERS {
                let (server, token, sent, over) = (&server, &token, &sent, &over);
                let address = server.address();
                let npm = server.path("npm", "my-repo");
                let pypi = server.path("pypi", "my-repo");
                scope.spawn(move || {
                    for number in 0.. {
                        if over.load(Ordering::SeqCst) {
                            return;
                        }
                        let name = format!("r{round}-p{publisher}-n{number}");
                        let (package, request) = publication(&name, number, address, (&npm, &pypi), token);
                        record(sent, &name, &package, false);
                        match request.try_send() {
                            Ok(answer) if answer.is_success() => record(sent, &name, &package, true),
                            Ok(answer) => assert!(over.load(Ordering::SeqCst), "{name}: {answer:?}"),
                            Err(_) => return,
                        }
                    }
                });
            }
            // The moment is the test's input, not something that is waited for.
            std::thread::sleep(delay);
            over.store(true, Ordering::SeqCst);
            let pid = server.pid().to_string();
            let status = std::process::Command::new("kill").args(["-KILL", &pid]).status();
            status.is_ok_and(|status| status.success())
        });
        assert!(killed, "the server was gone before it was killed");
        let server = server.kill().start();
        let token = server.token();
        let sent = sent.into_inner().expect("no publisher panicked");
        acknowledged_in_all += sent.values().filter(|(_, acknowledged)| *acknowledged).count();
        for (name, (package, acknowledged)) in &sent {
            check(&server, &token, name, package, *acknowledged);
        }
        let after = server.stop();
        after.verify();
        stopped = Some(after);
    }
    assert!(acknowledged_in_all > rounds, "hardly anything was published: {acknowledged_in_all}");
}

type Log = Mutex<BTreeMap<String, (Sent, bool)>>;

fn record(log: &Log, name: &str, package: &Sent, acknowledged: bool) {
    log.lock().expect("no publisher panicked").insert(name.to_owned(), (package.clone(), acknowledged));
}

fn publication(
    name: &str,
    number: u64,
    address: std::net::SocketAddr,
    (npm, pypi): (&str, &str),
    token: &str,
) -> (Sent, Request) {
    let data = vec![u8::try_from(number % 251).unwrap_or_default(); 30_000];
    if number.is_multiple_of(2) {
        let package = NpmPackage::new(name, "1.0.0").file("data", data);
        let request = Request::new(address, "PUT", &format!("{npm}/{name}")).token(token).json(&package.publish_body());
        return (Sent::Npm(package), request);
    }
    let package = PythonPackage::new(name, "1.0").file("data", data);
    let wheel = package.wheel();
    let (content_type, body) = multipart(&package.form(&wheel), Some((&wheel.name, &wheel.bytes)));
    let request = Request::new(address, "POST", &format!("{pypi}/")).basic("aws", token);
    (Sent::Python(package), request.header("content-type", content_type).body(body))
}

/// Everything of the package is there, or, if it was not acknowledged, nothing.
fn check(server: &Server, token: &str, name: &str, package: &Sent, acknowledged: bool) {
    let (document, file, bytes) = match package {
        Sent::Npm(package) => {
            let base = server.path("npm", "my-repo");
            (format!("{base}/{name}"), format!("{base}/{name}/-/{name}-1.0.0.tgz"), package.tarball())
        }
        Sent::Python(package) => {
            let base = format!("{}/simple/{name}/", server.path("pypi", "my-repo"));
            let wheel = package.wheel();
            (base.clone(), format!("{base}1.0/{}", wheel.name), wheel.bytes)
        }
    };
    let get = |target: &str| server.request("GET", target).token(token).send();
    let (document, file): (Response, Response) = (get(&document), get(&file));
    if acknowledged || document.status == 200 || file.status == 200 {
        assert_eq!((document.status, file.status), (200, 200), "{name}, acknowledged: {acknowledged}");
        assert!(file.body == bytes, "{name} has other bytes");
    } else {
        assert_eq!((document.status, file.status), (404, 404), "{name}");
    }
}

/// Marsaglia's xorshift: the same moments in every run, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

fn crash_stop_finishes_running_requests() {
    use std::io::{Read, Write};
    let server = Server::start();
    let token = server.token();
    let package = NpmPackage::new("late", "1.0.0");
    let body = package.publish_body().to_string();
    let target = format!("{}/late", server.path("npm", "my-repo"));
    let request = server.request("PUT", &target).token(&token).header("content-type", "application/json");
    let mut stream = request.lying_about_its_length(&body.len().to_string()).open().expect("a connection");
    stream.write_all(&body.as_bytes()[..body.len() / 2]).expect("half of the body");
    // The server knows of the request once it answers another one on a later connection.
    let health = server.request("GET", "/-/health/ready").send();
    assert_eq!(health.status, 200);
    let stopping = std::thread::spawn(move || server.stop());
    std::thread::sleep(Duration::from_millis(300));
    stream.write_all(&body.as_bytes()[body.len() / 2..]).expect("the other half");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
    let server = stopping.join().expect("it ended").start();
    let token = server.token();
    let _ = server.request("GET", &target).token(&token).send().expect(200);
}

/// On a file system of 24 MB of its own, which needs the right to mount one.
fn crash_disk_full() {
    let client = Client::unconfigured();
    let disk = client.folder("disk");
    let disk_path = disk.to_string_lossy().into_owned();
    let mounted = client.system("mount").args(["-t", "tmpfs", "-o", "size=24m", "larder-test", &disk_path]).ends();
    if !mounted.success {
        skip(format!("a small file system cannot be mounted here: {}", mounted.stderr.trim()));
    }
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| disk_full(&disk_path)));
    let _ = client.system("umount").args(["-l", &disk_path]).ends();
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// Bytes that do not compress.
fn noise(size_bytes: usize) -> Vec<u8> {
    let mut random = Random(size_bytes as u64 + 1);
    (0..size_bytes / 8).flat_map(|_| random.next().to_le_bytes()).collect()
}

fn disk_full(disk: &str) {
    let server = Server::builder().env("LARDER_STORAGE_URL", &format!("file:{disk}")).start();
    let token = server.token();
    let publish = |name: &str, size: usize| {
        let body: Value = NpmPackage::new(name, "1.0.0").file("data", noise(size)).publish_body();
        let target = format!("{}/{name}", server.path("npm", "my-repo"));
        server.request("PUT", &target).token(&token).json(&body).send()
    };
    assert!(publish("fits", 1_000_000).is_success());
    let refused = publish("does-not-fit", 40_000_000);
    assert!(matches!(refused.status, 503 | 507), "{refused:?}");
    assert!(refused.json()["error"].as_str().is_some_and(|error| error.contains("full")), "{refused:?}");
    let package = PythonPackage::new("does-not-fit-either", "1.0").file("data", noise(40_000_000));
    let wheel = package.wheel();
    let (content_type, body) = multipart(&package.form(&wheel), Some((&wheel.name, &wheel.bytes)));
    let upload = server.request("POST", &format!("{}/", server.path("pypi", "my-repo"))).basic("aws", &token);
    let refused = upload.header("content-type", content_type).body(body).send();
    assert!(matches!(refused.status, 503 | 507), "{refused:?}");
    assert!(format!("{} {}", refused.reason, refused.text()).contains("full"), "{refused:?}");
    let staged = std::fs::read_dir(Path::new(disk).join("staging")).expect("the staging folder").count();
    assert_eq!(staged, 0, "unfinished files keep the disk full");
    let target = format!("{}/does-not-fit", server.path("npm", "my-repo"));
    assert_eq!(server.request("GET", &target).token(&token).send().status, 404);
    let after = publish("fits-too", 1_000_000);
    assert!(after.is_success(), "the space was not given back: {after:?}");
    assert!(!server.log().contains("panicked"));
    server.stop().verify();
}

/// Another process holds SQLite's write lock for longer than the server waits for it.
fn crash_database_locked() {
    let server = Server::start();
    let token = server.token();
    let database = find_database(&server.data());
    let client = Client::unconfigured();
    let publish = |name: &str| {
        let target = format!("{}/{name}", server.path("npm", "my-repo"));
        server.request("PUT", &target).token(&token).json(&NpmPackage::new(name, "1.0.0").publish_body()).send()
    };
    assert!(publish("before").is_success());
    let hold = format!(
        "import sqlite3, time\nc = sqlite3.connect({database:?}, timeout=5)\nc.execute('BEGIN IMMEDIATE')\n\
         open('held', 'w').close()\ntime.sleep(3)\nc.rollback()\n"
    );
    std::thread::scope(|scope| {
        let holder = scope.spawn(|| client.system("python3").args(["-c", &hold]).succeeds());
        while !client.home().join("held").exists() {
            std::thread::sleep(Duration::from_millis(5));
        }
        // Reading goes on; writing waits, or says that the database is busy.
        let read = server.request("GET", &format!("{}/before", server.path("npm", "my-repo"))).token(&token).send();
        assert_eq!(read.status, 200);
        let during = publish("during");
        assert!(during.is_success() || matches!(during.status, 500 | 503), "{during:?}");
        let _ = holder.join().expect("the holder");
    });
    assert!(publish("after").is_success());
    server.stop().verify();
}

fn find_database(folder: &Path) -> String {
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read(&path).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3\0")) {
                return path.to_string_lossy().into_owned();
            }
        }
    }
    panic!("no database below {}", folder.display())
}
