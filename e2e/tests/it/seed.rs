//! The workflow that Larder exists for, from a clean home, with the commands as a person types them.

use std::fs;

use larder_e2e::{World, copy_files};
use larder_testkit::packages::{NpmPackage, PythonPackage};
use larder_testkit::{Client, tests, tools};
use serde_json::json;

tests![seed_1_token, seed_2_npm_application_and_private_package, seed_3_pip_and_twine, seed_4_buildspec];

fn seed_1_token() {
    let world = World::empty();
    let client = Client::new(&world.server);
    let arguments = "codeartifact get-authorization-token --domain my-domain --query authorizationToken --output text";
    let ran = client.program("aws").args(arguments.split(' ')).succeeds();
    let target = format!("{}/-/ping", world.server.path("npm", "my-repo"));
    let _ = world.server.request("GET", &target).token(ran.text()).send().expect(200);
}

fn login(client: &Client, tool: &str) {
    let arguments = format!("codeartifact login --tool {tool} --domain my-domain --repository my-repo");
    client.program("aws").args(arguments.split(' ')).succeeds().says("Login expires in");
}

fn seed_2_npm_application_and_private_package() {
    let world = World::recorded();
    let client = Client::new(&world.server);
    login(&client, "npm");

    let app = client.folder("app");
    copy_files(&tools::repository().join("e2e/fixtures/app"), &app);
    let _ = client.program("npm").arg("install").in_folder(&app).succeeds();
    let lock: serde_json::Value = serde_json::from_str(&client.read("app/package-lock.json")).expect("a lock file");
    let packages = lock["packages"].as_object().expect("packages");
    assert!(packages.len() > 100, "only {} packages", packages.len());
    let endpoint = world.server.endpoint("npm", "my-repo");
    for (name, entry) in packages.iter().filter(|(name, _)| !name.is_empty()) {
        let resolved = entry["resolved"].as_str().unwrap_or_default();
        assert!(resolved.starts_with(&endpoint), "{name} was resolved to {resolved}");
    }
    let _ = client.system("node").args(["-e", "require('express')"]).in_folder(&app).succeeds();

    fs::remove_dir_all(app.join("node_modules")).expect("node_modules");
    let _ = client.program("npm").arg("ci").in_folder(&app).succeeds();
    let _ = client.system("node").args(["-e", "require('express')"]).in_folder(&app).succeeds();

    let package = NpmPackage::new("price-list", "1.0.0");
    package.write_to(&client.folder("price-list"));
    client
        .program("npm")
        .arg("publish")
        .in_folder(client.home().join("price-list"))
        .succeeds()
        .says("+ price-list@1.0.0");
    let other = client.folder("other");
    let _ = client.program("npm").args(["install", "price-list"]).in_folder(&other).succeeds();
    let ran = client.system("node").args(["-p", "require('price-list')"]).in_folder(&other).succeeds();
    assert_eq!(ran.text(), "price-list@1.0.0");
}

fn seed_3_pip_and_twine() {
    let world = World::recorded();
    let client = Client::new(&world.server);
    login(&client, "pip");
    login(&client, "twine");
    let requirements = tools::repository().join("e2e/fixtures/app/requirements.txt");
    let _ = client.program("pip").args(["install", "--target", "site", "-r"]).arg(requirements).succeeds();
    let import = |module: &str| {
        let code = format!("import {module}; print({module}.__name__)");
        client.system("python3").args(["-c", &code]).env("PYTHONPATH", "site").succeeds()
    };
    let _ = import("flask");

    let project = PythonPackage::new("price-list", "1.0.0");
    project.write_dist(&client.folder("dist"));
    let _ = client.shell("twine upload --repository codeartifact dist/*").succeeds();
    let _ = client.program("pip").args(["install", "--target", "site", "price-list"]).succeeds();
    assert_eq!(import("price_list").text(), "price_list");
}

/// The commands of a phase, in order.
fn commands(buildspec: &str, phase: &str) -> String {
    let mut lines = buildspec.lines().skip_while(|line| line.trim() != format!("{phase}:"));
    lines.next().expect("the phase");
    assert_eq!(lines.next().map(str::trim), Some("commands:"));
    let commands = lines.map_while(|line| line.trim_start().strip_prefix("- "));
    commands.collect::<Vec<_>>().join("\n")
}

fn seed_4_buildspec() {
    let world = World::recorded();
    let client = Client::new(&world.server);
    run_buildspec(&world, &client, "2.0.0");
}

/// Runs the buildspec as it stands, on the source of a project of this version, and checks that it was published.
pub(crate) fn run_buildspec(world: &World, client: &Client, version: &str) {
    let source = client.folder("source");
    NpmPackage::new("built", version)
        .with("dependencies", json!({"tape": "5.9.0"}))
        .with("scripts", json!({"test": "node -e \"require('tape')\""}))
        .write_to(&source);
    PythonPackage::new("built", version).write_dist(&source.join("dist"));
    let path = tools::repository().join("e2e/fixtures/buildspec.yml");
    let buildspec = fs::read_to_string(path).expect("the buildspec");
    for tool in ["aws", "npm", "pip", "twine"] {
        let _ = tools::need(tool);
    }
    for phase in ["pre_build", "build", "post_build"] {
        let _ = client.shell(&commands(&buildspec, phase)).in_folder(&source).succeeds();
    }
    assert_eq!(world.packument("built")["dist-tags"]["latest"], version);
    let files = world.page("built")["files"].clone();
    let of_version = |file: &&serde_json::Value| file["filename"].as_str().is_some_and(|name| name.contains(version));
    assert_eq!(files.as_array().map(|files| files.iter().filter(of_version).count()), Some(2));
}
