//! Helpers of the Python checks.

use larder_testkit::packages::PythonPackage;
use larder_testkit::{Client, Ran};
use serde_json::Value;

use crate::{World, virtual_environment};

/// The media type of a project page as JSON.
pub const JSON_PAGE: &str = "application/vnd.pypi.simple.v1+json";

/// Uploads wheel and source distribution.
///
/// # Panics
/// If one is refused.
pub fn upload_both(world: &World, package: &PythonPackage) {
    for file in [package.wheel(), package.sdist()] {
        let _ = world.upload(package, &file).expect(200);
    }
}

/// Installs into a new virtual environment with pip.
#[must_use]
pub fn pip_install(client: &Client, environment: &str, arguments: &[&str]) -> Ran {
    let python = virtual_environment(client, environment);
    client.program("pip").args(["--python", &python, "install"]).args(arguments.iter().copied()).ends()
}

/// The version that a module made by [`PythonPackage`] tells of itself.
#[must_use]
pub fn installed_version(client: &Client, environment: &str, module: &str) -> String {
    let python = client.home().join(environment).join("bin/python");
    let code = format!("import {module}; print({module}.VERSION)");
    client.system(&python.to_string_lossy()).args(["-c", &code]).succeeds().text().to_owned()
}

/// The entry of a file on a project's page.
///
/// # Panics
/// If it is not there.
#[must_use]
pub fn file_entry(page: &Value, name: &str) -> Value {
    let files = page["files"].as_array().expect("files");
    files.iter().find(|file| file["filename"] == name).unwrap_or_else(|| panic!("no {name} in {page}")).clone()
}

/// The path of a listed file below `my-repo`'s endpoint.
///
/// # Panics
/// If it is not listed.
#[must_use]
pub fn file_path(world: &World, project: &str, name: &str) -> String {
    let url = file_entry(&world.page(project), name)["url"].as_str().expect("a URL").to_owned();
    let url = url.split('#').next().unwrap_or_default();
    match url.split_once("/pypi/my-repo/") {
        Some((_, path)) => path.to_owned(),
        None => format!("simple/{project}/{url}"),
    }
}
