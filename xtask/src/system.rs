//! Programs of the operating system: found, installed when this run may do that, else named.

use std::process::Command;

use crate::process::{find_program, output};

/// A program that clients, tests or the benchmark need from the system.
pub(crate) struct SystemProgram {
    pub(crate) program: String,
    pub(crate) also_in: Option<String>,
    /// Debian's package names, separated by spaces.
    pub(crate) package: String,
    pub(crate) needed_by: String,
}

/// Makes the programs available. Returns a line for each that is still missing.
pub(crate) fn ensure(programs: &[SystemProgram]) -> Vec<String> {
    let missing: Vec<&SystemProgram> = programs.iter().filter(|program| !is_there(program)).collect();
    if missing.is_empty() {
        return Vec::new();
    }
    let packages: Vec<&str> = missing.iter().flat_map(|program| program.package.split_whitespace()).collect();
    let failed = install(&packages).err();
    let still_missing = missing.iter().filter(|program| !is_there(program));
    still_missing
        .map(|program| {
            let reason = failed.as_deref().unwrap_or("the installation did not bring it");
            format!(
                "{} (Debian package {}), needed by {}: {reason}",
                program.program, program.package, program.needed_by
            )
        })
        .collect()
}

fn is_there(program: &SystemProgram) -> bool {
    find_program(&program.program, program.also_in.as_deref()).is_some()
}

fn install(packages: &[&str]) -> Result<(), String> {
    if find_program("apt-get", None).is_none() {
        return Err("not installed, and there is no apt-get to install it with".to_owned());
    }
    let user = output(Command::new("id").arg("-u")).unwrap_or_default();
    if user.trim() != "0" {
        return Err(format!("not installed, and only root may: sudo apt-get install {}", packages.join(" ")));
    }
    println!("installing {}", packages.join(" "));
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").args(["-q", "-y"]).args(arguments);
        output(&mut command).map_err(|failure| failure.0)
    };
    apt(&["update"])?;
    apt(&[&["install", "--no-install-recommends"], packages].concat())?;
    Ok(())
}
