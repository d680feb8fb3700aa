//! What is done to the data behind Larder's back, `larder verify` names; what is in the journal, somebody else can check.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use larder_testkit::packages::NpmPackage;
use larder_testkit::server::{Stopped, succeeds};
use larder_testkit::{Client, Server, tests, tools};
use serde_json::Value;

tests![
    journal_a_flipped_byte_in_a_blob_is_named,
    journal_a_changed_record_is_named,
    journal_a_record_changed_with_its_hash_is_named,
    journal_a_dropped_record_is_named,
    journal_an_older_database_is_found,
    journal_an_unsealed_tail_is_sealed_at_the_next_start,
    journal_proofs_are_checked_by_a_verifier_of_its_own,
];

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn publish(server: &Server, name: &str) -> NpmPackage {
    let package = NpmPackage::new(name, "1.0.0");
    let target = format!("{}/{name}", server.path("npm", "my-repo"));
    let answer = server.request("PUT", &target).token(&server.token()).json(&package.publish_body()).send();
    assert!(answer.is_success(), "{answer:?}");
    package
}

/// A server that held some packages and was stopped, so that all is sealed.
fn stopped() -> Stopped {
    let server = Server::start();
    for number in 0..5 {
        let _ = publish(&server, &format!("package-{number}"));
    }
    let stopped = server.stop();
    stopped.verify();
    stopped
}

/// Runs Python lines on the database, which they have as `c`.
fn sql(data: &Path, lines: &str) -> String {
    let client = Client::unconfigured();
    let database = data.join("larder.db");
    let program =
        format!("import sqlite3\nc = sqlite3.connect({:?})\n{lines}\nc.commit()\n", database.display().to_string());
    client.system("python3").args(["-c", &program]).succeeds().text().trim().to_owned()
}

/// `larder verify` must fail and say this.
fn finds(stopped: &Stopped, expected: &str) {
    let found = stopped.larder(&["verify"]);
    assert_eq!(found.status.code(), Some(1), "{}", text(&found));
    assert!(text(&found).contains(expected), "not said: {expected}\n{}", text(&found));
}

/// The sequence of the record that published a package.
fn sequence(stopped: &Stopped, package: &str) -> i64 {
    let query = format!(
        "print(c.execute(\"SELECT sequence FROM journal WHERE resource LIKE '%//{package}#%'\").fetchone()[0])"
    );
    sql(&stopped.data(), &query).parse().expect("a number")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() { found.extend(files(&entry.path())) } else { found.push(entry.path()) }
    }
    found
}

fn journal_a_flipped_byte_in_a_blob_is_named() {
    let server = Server::start();
    let bytes = publish(&server, "flipped").tarball();
    let stopped = server.stop();
    let blobs = files(&stopped.data().join("storage/blobs"));
    let blob = blobs.iter().find(|path| fs::read(path).is_ok_and(|content| content == bytes)).expect("the blob");
    let mut changed = bytes.clone();
    changed[50] ^= 1;
    fs::remove_file(blob).expect("removed");
    fs::write(blob, changed).expect("written");
    let name = blob.file_name().expect("a name").to_string_lossy().into_owned();
    finds(&stopped, &format!("blob {}", &name[..16]));
}

fn journal_a_changed_record_is_named() {
    let stopped = stopped();
    let changed = sequence(&stopped, "package-2");
    let flip = "UPDATE journal SET principal = replace(principal, 'admin', 'bdmin')";
    let _ = sql(&stopped.data(), &format!("c.execute(\"{flip} WHERE sequence = {changed}\")"));
    finds(&stopped, &format!("journal record {changed} was changed"));
}

fn journal_a_record_changed_with_its_hash_is_named() {
    let stopped = stopped();
    let _ = sql(
        &stopped.data(),
        "h = bytearray(c.execute('SELECT hashes FROM journal_tile WHERE level = 0').fetchone()[0])\n\
        h[40] ^= 1\nc.execute('UPDATE journal_tile SET hashes = ? WHERE level = 0', (bytes(h),))",
    );
    finds(&stopped, "the journal is not what was signed at ");
    finds(&stopped, "the journal was rewritten");
}

fn journal_a_dropped_record_is_named() {
    let stopped = stopped();
    let dropped = sequence(&stopped, "package-3");
    let _ = sql(&stopped.data(), &format!("c.execute('DELETE FROM journal WHERE sequence = {dropped}')"));
    finds(&stopped, &format!("journal record {dropped} was dropped"));
}

fn journal_an_older_database_is_found() {
    let stopped = stopped();
    let data = stopped.data();
    let backup = Client::unconfigured();
    let kept = backup.home().join("larder.db");
    fs::copy(data.join("larder.db"), &kept).expect("a backup");
    let server = stopped.start();
    let _ = publish(&server, "published-after-the-backup");
    let stopped = server.stop();
    stopped.verify();
    for name in ["larder.db", "larder.db-wal", "larder.db-shm"] {
        let _ = fs::remove_file(data.join(name));
    }
    fs::copy(&kept, data.join("larder.db")).expect("restored");
    finds(&stopped, "the database was rolled back");
    // Going on with it does not hide it: the log is then another than the one that was witnessed.
    let server = stopped.start();
    for number in 0..5 {
        let _ = publish(&server, &format!("published-after-the-restore-{number}"));
    }
    let stopped = server.stop();
    finds(&stopped, "the journal was rewritten");
    // Whoever did it on purpose says so.
    let _ = succeeds(&stopped.larder(&["audit", "accept-restore"]));
    let stopped = stopped.start().stop();
    stopped.verify();
}

fn journal_an_unsealed_tail_is_sealed_at_the_next_start() {
    let server = Server::start();
    let _ = publish(&server, "just-before-the-crash");
    let stopped = server.kill();
    stopped.verify();
    let stopped = stopped.start().stop();
    stopped.verify();
    assert_eq!(
        sql(&stopped.data(), "print(c.execute('SELECT count(*) FROM journal WHERE leaf IS NULL').fetchone()[0])"),
        "0"
    );
    let sealed =
        "print(c.execute('SELECT count(*), max(leaf) + 1, (SELECT size FROM journal_log) FROM journal').fetchone())";
    let counts = sql(&stopped.data(), sealed);
    let numbers: Vec<&str> = counts.trim_matches(['(', ')']).split(", ").collect();
    assert!(numbers[0] == numbers[1] && numbers[1] == numbers[2], "{counts}");
}

fn journal_proofs_are_checked_by_a_verifier_of_its_own() {
    let server = Server::start();
    let client = Client::unconfigured();
    let _ = publish(&server, "early");
    let checkpoint = |least: u64| -> (String, String) {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let output = server.larder(&["audit", "checkpoint"]);
            let note = String::from_utf8_lossy(&output.stdout).into_owned();
            let size: u64 = note.lines().nth(1).and_then(|line| line.parse().ok()).unwrap_or(0);
            if size >= least {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                let key = said.split("verifier key: ").nth(1).expect("a key").trim().to_owned();
                return (note, key);
            }
            assert!(Instant::now() < until, "not sealed: {output:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    let (early, key) = checkpoint(1);
    let size: u64 = early.lines().nth(1).and_then(|line| line.parse().ok()).expect("a size");
    for number in 0..300 {
        let _ = publish(&server, &format!("later-{number}"));
    }
    let (newest, _) = checkpoint(size + 300);
    let verify = |arguments: &[&str]| {
        let script = tools::repository().join("e2e/journal/verify.py");
        client
            .system("python3")
            .arg(script)
            .arg(key.as_str())
            .args(arguments.iter().copied())
            .succeeds()
            .text()
            .to_owned()
    };
    let proof = |arguments: &[&str], name: &str| {
        let output = server.larder(arguments);
        client.write(name, succeeds(&output));
        client.home().join(name).to_string_lossy().into_owned()
    };
    for sequence in ["1", "2", "57", "256", "257", "300"] {
        let file = proof(&["audit", "prove", sequence], "inclusion.json");
        assert!(verify(&["inclusion", &file]).contains("verified"));
    }
    client.write("early", &early);
    let earlier = client.home().join("early").to_string_lossy().into_owned();
    let file = proof(&["audit", "consistency", &size.to_string()], "consistency.json");
    assert!(verify(&["consistency", &file, &earlier]).contains("verified"));
    // The verifier would notice.
    let mut forged: Value = serde_json::from_str(&client.read("inclusion.json")).expect("JSON");
    forged["leaf"] = Value::from(forged["leaf"].as_str().expect("text").replace("admin", "nobody"));
    client.write("forged.json", forged.to_string());
    let file = client.home().join("forged.json").to_string_lossy().into_owned();
    let script = tools::repository().join("e2e/journal/verify.py");
    let _ = client.system("python3").arg(script).args([key.as_str(), "inclusion", file.as_str()]).fails();
    assert_ne!(early, newest);
    server.stop().verify();
}
