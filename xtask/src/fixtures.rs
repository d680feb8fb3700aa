//! Real packages, recorded once into `.tools/fixtures` so that tests run on them without a network.

use std::fs;
use std::process::Command;

use crate::process::{Context, Failure, Result, find_program, output, root, tools};

/// What decides what is recorded.
const INPUTS: &[&str] =
    &["e2e/recorder/record.py", "e2e/fixtures/app/package.json", "e2e/fixtures/app/requirements.txt"];

/// Records the packages that `e2e/fixtures/app` needs, unless that was done already.
pub(crate) fn record() -> Result {
    let folder = tools().join("fixtures");
    let mut inputs = String::new();
    for input in INPUTS {
        let path = root().join(input);
        inputs += &fs::read_to_string(&path).context(path.display())?;
    }
    let stamp = folder.join("inputs");
    if folder.join("complete").is_file() && fs::read_to_string(&stamp).is_ok_and(|text| text == inputs) {
        return Ok(());
    }
    println!("recording packages from the registries that npm and pip are configured for");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).context(folder.display())?;
    let bin = tools().join("bin");
    let mut path = vec![bin.clone()];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let mut command = Command::new(tools().join("python/pip/bin/python"));
    command.env("PATH", std::env::join_paths(path).context("PATH")?);
    command.arg(root().join("e2e/recorder/record.py")).arg(&folder).arg(root().join("e2e/fixtures/app"));
    output(command.arg(tools().join("python/pip/bin/python")))?;
    fs::write(&stamp, inputs).context(stamp.display())
}

/// What the recorder of Maven artifacts runs.
const MAVEN_RECORDER: &str = "e2e/recorder/maven.sh";
const MAVEN_BUILDS: &str = "e2e/fixtures/maven";

/// Records the artifacts that the builds of `e2e/fixtures/maven` need, and a newer Maven, unless that was done already.
pub(crate) fn record_maven() -> Result {
    if find_program("mvn", None).is_none() {
        return Err(Failure("mvn is not installed".to_owned()));
    }
    let folder = tools().join("maven");
    let mut inputs = read(MAVEN_RECORDER)?;
    for build in ["app", "app/lib", "app/cli", "plugin", "consumer"] {
        inputs += &read(&format!("{MAVEN_BUILDS}/{build}/pom.xml"))?;
    }
    let stamp = folder.join("complete");
    if fs::read_to_string(&stamp).is_ok_and(|text| text == inputs) {
        return Ok(());
    }
    println!("recording artifacts from the repositories that Maven is configured for");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).context(folder.display())?;
    let mut command = Command::new("sh");
    output(command.arg(root().join(MAVEN_RECORDER)).arg(&folder).arg(root().join(MAVEN_BUILDS)))?;
    fs::write(&stamp, inputs).context(stamp.display())
}

fn read(path: &str) -> Result<String> {
    let path = root().join(path);
    fs::read_to_string(&path).context(path.display())
}
