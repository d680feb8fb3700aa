//! Checks N-20 to N-22: pnpm, yarn 1, yarn berry, bun, deno, and an older npm.

use std::fs;

use larder_e2e::World;
use larder_testkit::packages::NpmPackage;
use larder_testkit::{Client, tests};
use serde_json::json;

tests![
    n_20_pnpm,
    n_20_pnpm_minimum_release_age,
    n_21_yarn_1,
    n_21_yarn_berry,
    n_22_bun,
    n_22_deno,
    n_npm_10_publishes_and_installs,
];

/// An application that depends on a public package and on a private, scoped one.
fn application(world: &World, client: &Client) -> std::path::PathBuf {
    world.registry.add_npm(&NpmPackage::new("public-lib", "1.2.3"));
    assert!(world.publish_npm(&NpmPackage::new("@team/private-lib", "2.0.0")).is_success());
    let folder = client.folder("app");
    NpmPackage::new("app", "1.0.0")
        .with("dependencies", json!({"public-lib": "^1.0.0", "@team/private-lib": "^2.0.0"}))
        .write_to(&folder);
    folder
}

fn runs(client: &Client, folder: &std::path::Path) {
    let code = "console.log(require('public-lib'), require('@team/private-lib'))";
    let ran = client.system("node").args(["-e", code]).in_folder(folder).succeeds();
    assert_eq!(ran.text(), "public-lib@1.2.3 @team/private-lib@2.0.0");
}

fn n_20_pnpm() {
    let world = World::empty();
    let client = world.npm_client();
    let app = application(&world, &client);
    let _ = client.program("pnpm").arg("install").in_folder(&app).succeeds();
    runs(&client, &app);
    assert!(!client.read("app/pnpm-lock.yaml").contains("tarball:"));
    fs::remove_dir_all(app.join("node_modules")).expect("node_modules");
    let _ = client.program("pnpm").args(["install", "--frozen-lockfile"]).in_folder(&app).succeeds();
    runs(&client, &app);

    NpmPackage::new("from-pnpm", "1.0.0").write_to(&client.folder("from-pnpm"));
    let publish =
        client.program("pnpm").args(["publish", "--no-git-checks"]).in_folder(client.home().join("from-pnpm"));
    let _ = publish.succeeds();
    assert_eq!(world.packument("from-pnpm")["dist-tags"]["latest"], "1.0.0");
    client.program("pnpm").arg("audit").in_folder(&app).fails().does_not_say("No known vulnerabilities");
}

fn n_20_pnpm_minimum_release_age() {
    let world = World::empty();
    let client = world.npm_client();
    // The public one is from 2020, the private one from just now.
    let app = application(&world, &client);
    client.write("app/pnpm-workspace.yaml", "packages: []\nminimumReleaseAge: 1440\n");
    client.program("pnpm").arg("install").in_folder(&app).fails().does_not_say("MISSING_TIME");
    let settings = "packages: []\nminimumReleaseAge: 1440\nminimumReleaseAgeExclude: ['@team/private-lib']\n";
    client.write("app/pnpm-workspace.yaml", settings);
    let _ = client.program("pnpm").arg("install").in_folder(&app).succeeds();
    runs(&client, &app);
}

fn n_21_yarn_1() {
    let world = World::empty();
    let client = world.npm_client();
    let app = application(&world, &client);
    let yarn = |arguments: &[&str]| client.program("yarn").args(arguments.iter().copied()).in_folder(&app).succeeds();
    let _ = yarn(&["install", "--non-interactive"]);
    runs(&client, &app);
    let lock = client.read("app/yarn.lock");
    assert!(lock.contains(&world.server.endpoint("npm", "my-repo")) && lock.contains("integrity sha512-"), "{lock}");
    fs::remove_dir_all(app.join("node_modules")).expect("node_modules");
    let _ = yarn(&["install", "--frozen-lockfile", "--non-interactive"]);
    runs(&client, &app);
    yarn(&["info", "@team/private-lib", "version"]).says("2.0.0");

    NpmPackage::new("from-yarn", "1.0.0").write_to(&client.folder("from-yarn"));
    let from_yarn = client.home().join("from-yarn");
    let arguments = ["publish", "--new-version", "1.5.0", "--non-interactive", "--no-git-tag-version"];
    let _ = client.program("yarn").args(arguments).in_folder(&from_yarn).succeeds();
    let _ = yarn(&["tag", "add", "from-yarn@1.5.0", "stable"]);
    assert_eq!(world.packument("from-yarn")["dist-tags"], json!({"latest": "1.5.0", "stable": "1.5.0"}));
}

fn n_21_yarn_berry() {
    let world = World::empty();
    let mut client = world.npm_client();
    client.set("YARN_NPM_REGISTRY_SERVER", &world.server.endpoint("npm", "my-repo"));
    client.set("YARN_NPM_AUTH_TOKEN", &world.token);
    client.set("YARN_NPM_ALWAYS_AUTH", "true");
    client.set("YARN_NPM_MINIMAL_AGE_GATE", "0");
    client.set("YARN_NODE_LINKER", "node-modules");
    client.set("YARN_ENABLE_IMMUTABLE_INSTALLS", "false");
    let app = application(&world, &client);
    client.write("app/yarn.lock", "");
    let yarn = |arguments: &[&str]| client.program("yarn4").args(arguments.iter().copied()).in_folder(&app);
    let _ = yarn(&["install"]).succeeds();
    runs(&client, &app);
    let lock = client.read("app/yarn.lock");
    assert!(!lock.contains("__archiveUrl"), "{lock}");
    fs::remove_dir_all(app.join("node_modules")).expect("node_modules");
    let _ = yarn(&["install", "--immutable"]).succeeds();
    runs(&client, &app);

    NpmPackage::new("from-berry", "1.0.0").write_to(&client.folder("from-berry"));
    client.write("from-berry/yarn.lock", "");
    let from_berry = client.home().join("from-berry");
    let _ = client.program("yarn4").arg("install").in_folder(&from_berry).succeeds();
    let _ = client.program("yarn4").args(["npm", "publish"]).in_folder(&from_berry).succeeds();
    let _ = yarn(&["npm", "tag", "add", "from-berry@1.0.0", "stable"]).succeeds();
    assert_eq!(world.packument("from-berry")["dist-tags"]["stable"], "1.0.0");
    yarn(&["npm", "audit"]).ends().does_not_say("No audit suggestions");
}

fn n_22_bun() {
    let world = World::empty();
    let client = world.npm_client();
    let app = application(&world, &client);
    let _ = client.program("bun").arg("install").in_folder(&app).succeeds();
    runs(&client, &app);
    fs::remove_dir_all(app.join("node_modules")).expect("node_modules");
    let _ = client.program("bun").args(["install", "--frozen-lockfile"]).in_folder(&app).succeeds();
    NpmPackage::new("from-bun", "1.0.0").write_to(&client.folder("from-bun"));
    let _ = client.program("bun").arg("publish").in_folder(client.home().join("from-bun")).succeeds();
    assert_eq!(world.packument("from-bun")["dist-tags"]["latest"], "1.0.0");
}

fn n_22_deno() {
    let world = World::empty();
    let client = world.npm_client();
    let app = application(&world, &client);
    let _ = client
        .program("deno")
        .args(["install", "--node-modules-dir=auto", "--minimum-dependency-age=0"])
        .in_folder(&app)
        .succeeds();
    runs(&client, &app);
    world.registry.add_npm(&NpmPackage::new("added", "3.0.0"));
    let _ = client.program("deno").args(["add", "--minimum-dependency-age=0", "npm:added"]).in_folder(&app).succeeds();
    assert!(client.read("app/package.json").contains("added") || client.read("app/deno.json").contains("added"));
}

fn n_npm_10_publishes_and_installs() {
    let world = World::empty();
    let client = world.npm_client();
    let app = application(&world, &client);
    let _ = client.program("npm10").args(["install", "--no-audit"]).in_folder(&app).succeeds();
    runs(&client, &app);
    NpmPackage::new("from-npm-10", "1.0.0").write_to(&client.folder("from-npm-10"));
    let _ = client.program("npm10").arg("publish").in_folder(client.home().join("from-npm-10")).succeeds();
    assert_eq!(world.packument("from-npm-10")["dist-tags"]["latest"], "1.0.0");
}
