//! Real packages, recorded once into `.tools/fixtures` and `.tools/crates` so that tests run on them without a network.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::process::{Context, Failure, Result, find_program, output, root, tools};

/// What decides what is recorded of npm and PyPI.
const INPUTS: &[&str] =
    &["e2e/recorder/record.py", "e2e/fixtures/app/package.json", "e2e/fixtures/app/requirements.txt"];
/// What decides which crates are recorded.
const CRATE_INPUTS: &[&str] = &[
    "e2e/recorder/crates.py",
    "e2e/fixtures/crates/Cargo.toml",
    "e2e/fixtures/crates/app/Cargo.toml",
    "e2e/fixtures/crates/many/Cargo.toml",
];

/// Records the packages that `e2e/fixtures/app` needs, unless that was done already.
pub(crate) fn record() -> Result {
    record_once(&tools().join("fixtures"), INPUTS, |folder| {
        println!("recording packages from the registries that npm and pip are configured for");
        let bin = tools().join("bin");
        let mut path = vec![bin.clone()];
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        let mut command = Command::new(tools().join("python/pip/bin/python"));
        command.env("PATH", std::env::join_paths(path).context("PATH")?);
        command.arg(root().join("e2e/recorder/record.py")).arg(folder).arg(root().join("e2e/fixtures/app"));
        output(command.arg(tools().join("python/pip/bin/python"))).map(drop)
    })
}

/// Records the crates that `e2e/fixtures/crates` needs, unless that was done already.
pub(crate) fn record_crates() -> Result {
    record_once(&tools().join("crates"), CRATE_INPUTS, |folder| {
        println!("recording crates from the registry that cargo is configured for");
        let mut command = Command::new(tools().join("python/pip/bin/python"));
        command.arg(root().join("e2e/recorder/crates.py")).arg(folder).arg(root().join("e2e/fixtures/crates"));
        output(&mut command).map(drop)
    })
}

fn record_once(folder: &Path, inputs: &[&str], record: impl FnOnce(&Path) -> Result) -> Result {
    let mut text = String::new();
    for input in inputs {
        let path = root().join(input);
        text += &fs::read_to_string(&path).context(path.display())?;
    }
    let stamp = folder.join("inputs");
    if folder.join("complete").is_file() && fs::read_to_string(&stamp).is_ok_and(|stamped| stamped == text) {
        return Ok(());
    }
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).context(folder.display())?;
    record(folder)?;
    fs::write(&stamp, text).context(stamp.display())
}

/// What decides which Maven artifacts are recorded.
const MAVEN_INPUTS: &[&str] = &[
    "e2e/recorder/maven.sh",
    "e2e/fixtures/maven/app/pom.xml",
    "e2e/fixtures/maven/app/lib/pom.xml",
    "e2e/fixtures/maven/app/cli/pom.xml",
    "e2e/fixtures/maven/plugin/pom.xml",
    "e2e/fixtures/maven/consumer/pom.xml",
];

/// Records the artifacts that the builds of `e2e/fixtures/maven` need, and a newer Maven, unless that was done already.
pub(crate) fn record_maven() -> Result {
    if find_program("mvn", None).is_none() {
        return Err(Failure("mvn is not installed".to_owned()));
    }
    record_once(&tools().join("maven"), MAVEN_INPUTS, |folder| {
        println!("recording artifacts from the repositories that Maven is configured for");
        let mut command = Command::new("sh");
        command.arg(root().join("e2e/recorder/maven.sh")).arg(folder).arg(root().join("e2e/fixtures/maven"));
        output(&mut command).map(drop)
    })
}

/// What decides which other years' RubyGems and Bundler are there.
const RUBY_INPUTS: &[&str] = &["e2e/recorder/ruby.sh"];

/// Gets RubyGems and Bundler of other years than the machine's, unless that was done already.
pub(crate) fn record_ruby() -> Result {
    if find_program("mvn", None).is_none() {
        return Err(Failure("mvn is not installed, which gets them".to_owned()));
    }
    record_once(&tools().join("ruby"), RUBY_INPUTS, |folder| {
        println!("getting RubyGems and Bundler of other years from the repositories that Maven is configured for");
        let mut command = Command::new("sh");
        command.arg(root().join("e2e/recorder/ruby.sh")).arg(folder);
        output(&mut command).map(drop)
    })
}

/// Gets the AWS SDK for Java that `e2e/java` runs with, unless that was done already.
pub(crate) fn record_java_sdk() -> Result {
    let Some(mvn) = find_program("mvn", None) else {
        return Err(Failure("mvn is not installed, which gets it".to_owned()));
    };
    let pom = "e2e/java/pom.xml";
    record_once(&tools().join("java-sdk"), &[pom], |folder| {
        println!("getting the AWS SDK for Java from the repositories that Maven is configured for");
        // Maven's own cache is the user's and stays as it is.
        let repository = folder.join("repository");
        let mut command = Command::new(mvn);
        command.args(["-B", "-q", "-ntp", "-f"]).arg(root().join(pom));
        command.arg(format!("-Dmaven.repo.local={}", repository.display()));
        command.arg("org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies");
        output(command.arg(format!("-DoutputDirectory={}", folder.display())))?;
        fs::remove_dir_all(&repository).context(repository.display())?;
        fs::write(folder.join("complete"), "").context(folder.display())
    })
}

/// What decides how the program with the AWS SDK for Go is built.
const GO_INPUTS: &[&str] = &["e2e/go/main.go", "e2e/go/go.mod", "e2e/go/go.sum"];

/// Builds `e2e/go` with the AWS SDK for Go, unless that was done already.
pub(crate) fn build_go_sdk() -> Result {
    let Some(go) = find_program("go", None) else {
        return Err(Failure("go is not installed, which builds it".to_owned()));
    };
    record_once(&tools().join("go-sdk"), GO_INPUTS, |folder| {
        println!("building with the AWS SDK for Go from the module proxy that go is configured for");
        // Go's own caches are the user's and stay as they are.
        let caches = folder.join("caches");
        let mut command = Command::new(go);
        command.args(["build", "-modcacherw", "-o"]).arg(folder.join("sdk")).arg(".");
        command.env("GOPATH", caches.join("path")).env("GOCACHE", caches.join("build"));
        output(command.current_dir(root().join("e2e/go")))?;
        fs::remove_dir_all(&caches).context(caches.display())?;
        fs::write(folder.join("complete"), "").context(folder.display())
    })
}
