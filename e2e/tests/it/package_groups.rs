//! Package groups before real clients (reference 4): what a group keeps out is refused with a sentence that names the
//! group and its mode, where that client shows it. Administered with the AWS CLI.

use std::time::Duration;

use larder_e2e::World;
use larder_e2e::cargo::{Crate, add_crates};
use larder_e2e::python::pip_install;
use larder_testkit::packages::{NpmPackage, PythonPackage};
use larder_testkit::server::DOMAIN;
use larder_testkit::{Client, tests};
use serde_json::{Value, json};

tests![
    groups_aws_cli_administers_them,
    groups_npm_is_told_which_group_refuses,
    groups_pip_and_twine_are_told_which_group_refuses,
    groups_cargo_is_told_which_group_refuses,
    groups_worked_example_of_two_repositories_and_a_registry,
    groups_a_change_counts_from_the_next_request_on,
];

/// `aws codeartifact` with these words; answers what it prints as JSON.
fn aws(client: &Client, words: &str) -> Value {
    let ran = client.program("aws").arg("codeartifact").args(words.split_whitespace()).succeeds();
    serde_json::from_str(ran.text()).unwrap_or(Value::Null)
}

fn create(client: &Client, pattern: &str) {
    let _ = aws(client, &format!("create-package-group --domain {DOMAIN} --package-group {pattern}"));
}

fn set(client: &Client, pattern: &str, rest: &str) -> Value {
    let command = "update-package-group-origin-configuration";
    aws(client, &format!("{command} --domain {DOMAIN} --package-group {pattern} {rest}"))
}

fn groups_aws_cli_administers_them() {
    let world = World::empty();
    let client = Client::new(&world.server);
    let domain = format!("--domain {DOMAIN}");
    let made = aws(
        &client,
        &format!("create-package-group {domain} --package-group /npm/* --contact-info me --tags key=team,value=a"),
    );
    let arn = made["packageGroup"]["arn"].as_str().expect("an ARN").to_owned();
    assert!(arn.ends_with("package-group/my-domain/npm/%2a"), "{arn}");
    create(&client, "/npm//lib-ui$");
    let updated = set(
        &client,
        "/npm/*",
        "--restrictions PUBLISH=ALLOW_SPECIFIC_REPOSITORIES,EXTERNAL_UPSTREAM=BLOCK \
         --add-allowed-repositories repositoryName=my-repo,originRestrictionType=PUBLISH",
    );
    assert_eq!(updated["allowedRepositoryUpdates"], json!({"PUBLISH": {"ADDED": ["my-repo"]}}));
    let described = aws(&client, &format!("describe-package-group {domain} --package-group /npm//lib-ui$"));
    let publish = &described["packageGroup"]["originConfiguration"]["restrictions"]["PUBLISH"];
    assert_eq!(publish["effectiveMode"], "ALLOW_SPECIFIC_REPOSITORIES");
    assert_eq!(publish["inheritedFrom"]["pattern"], "/npm/*");
    let listed = aws(
        &client,
        &format!(
            "list-allowed-repositories-for-group {domain} --package-group /npm/* --origin-restriction-type PUBLISH"
        ),
    );
    assert_eq!(listed["allowedRepositories"], json!(["my-repo"]));
    let found = aws(&client, &format!("get-associated-package-group {domain} --format npm --package LIB_UI"));
    assert_eq!(
        (&found["packageGroup"]["pattern"], &found["associationType"]),
        (&json!("/npm//lib-ui$"), &json!("WEAK"))
    );
    assert!(world.publish_npm(&NpmPackage::new("lib-ui", "1.0.0")).is_success());
    let packages = aws(&client, &format!("list-associated-packages {domain} --package-group /npm//lib-ui$"));
    assert_eq!(packages["packages"], json!([{"format": "npm", "package": "lib-ui", "associationType": "STRONG"}]));
    let preview =
        aws(&client, &format!("list-associated-packages {domain} --package-group /npm//lib~ --preview --max-items 10"));
    assert_eq!(preview["packages"], json!([]), "the group of the exact name is more specific");
    let groups = aws(&client, &format!("list-package-groups {domain} --prefix /npm --page-size 1"));
    assert_eq!(groups["packageGroups"].as_array().map(Vec::len), Some(2));
    let subs = aws(&client, &format!("list-sub-package-groups {domain} --package-group /npm/*"));
    assert_eq!(subs["packageGroups"][0]["pattern"], "/npm//lib-ui$");
    let changed =
        aws(&client, &format!("update-package-group {domain} --package-group /npm/* --description everything"));
    assert_eq!(changed["packageGroup"]["contactInfo"], "me");
    let _ = aws(&client, &format!("tag-resource --resource-arn {arn} --tags key=b,value=c"));
    let tags = aws(&client, &format!("list-tags-for-resource --resource-arn {arn}"));
    assert_eq!(tags["tags"].as_array().map(Vec::len), Some(2));
    let deleted = aws(&client, &format!("delete-package-group {domain} --package-group /npm/*"));
    assert_eq!(deleted["packageGroup"]["pattern"], "/npm/*");
    let command = format!("delete-package-group {domain} --package-group /*");
    let _ = client
        .program("aws")
        .arg("codeartifact")
        .args(command.split_whitespace())
        .fails()
        .says("the root package group '/*' cannot be deleted");
}

fn groups_npm_is_told_which_group_refuses() {
    let world = World::empty();
    for name in ["left", "react"] {
        world.registry.add_npm(&NpmPackage::new(name, "1.0.0"));
    }
    let admin = Client::new(&world.server);
    create(&admin, "/npm//left~");
    let _ = set(&admin, "/npm//left~", "--restrictions EXTERNAL_UPSTREAM=BLOCK,PUBLISH=BLOCK");
    create(&admin, "/npm//re-act$");
    let client = world.npm_client();
    let npm = |arguments: &[&str]| client.program("npm").args(arguments);
    let _ = npm(&["install", "left", "--no-audit"])
        .fails()
        .says("refused by package group '/npm//left~' (EXTERNAL_UPSTREAM=BLOCK)");
    let _ = npm(&["install", "react", "--no-audit"]).succeeds();
    client.write("lib/package.json", json!({"name": "left-hand", "version": "1.0.0"}).to_string());
    let _ = npm(&["publish"])
        .in_folder(client.home().join("lib"))
        .fails()
        .says("refused by package group '/npm//left~' (PUBLISH=BLOCK)");
    client.write("variant/package.json", json!({"name": "re_act", "version": "1.0.0"}).to_string());
    let _ = npm(&["publish"])
        .in_folder(client.home().join("variant"))
        .fails()
        .says("is a variant of what package group '/npm//re-act$' stands for");
}

fn groups_pip_and_twine_are_told_which_group_refuses() {
    let world = World::empty();
    let (blocked, free) = (PythonPackage::new("blocked-lib", "1.0.0"), PythonPackage::new("free-lib", "1.0.0"));
    for package in [&blocked, &free] {
        world.registry.add_python(package, &package.wheel());
    }
    let admin = Client::new(&world.server);
    create(&admin, "/pypi//blocked-lib$");
    let _ = set(&admin, "/pypi//blocked-lib$", "--restrictions EXTERNAL_UPSTREAM=BLOCK,PUBLISH=BLOCK");
    let client = world.python_client();
    assert!(pip_install(&client, "free", &["free-lib"]).success);
    let refused = pip_install(&client, "blocked", &["-vv", "Blocked_Lib"]);
    assert!(!refused.success);
    refused.says("refused by package group '/pypi//blocked-lib$' (EXTERNAL_UPSTREAM=BLOCK)");
    let wheel = blocked.wheel();
    client.write(&wheel.name, &wheel.bytes);
    let _ = client
        .program("twine")
        .args(["upload", "-r", "codeartifact", "--disable-progress-bar", &wheel.name])
        .fails()
        .says("(PUBLISH=BLOCK)");
}

fn groups_cargo_is_told_which_group_refuses() {
    let world = World::cargo();
    add_crates(&world.registry, &[Crate::new("blocked-lib", "1.0.0")]);
    let admin = Client::new(&world.server);
    create(&admin, "/cargo//blocked~");
    let _ = set(&admin, "/cargo//blocked~", "--restrictions EXTERNAL_UPSTREAM=BLOCK,PUBLISH=BLOCK");
    let client = world.cargo_client();
    let answer = world.publish_crate(&Crate::new("blocked-other", "1.0.0"));
    assert!(answer.text().contains("refused by package group '/cargo//blocked~' (PUBLISH=BLOCK)"), "{}", answer.text());
    Crate::new("app", "1.0.0").depends_on("blocked-lib", "1").write_to(&client.folder("app"));
    let _ = client
        .system("cargo")
        .arg("fetch")
        .in_folder(client.home().join("app"))
        .limit(Duration::from_secs(120))
        .fails()
        .says("blocked-lib");
    let answer = world.cargo_request("GET", "bl/oc/blocked-lib").send().expect(404);
    assert!(answer.text().contains("(EXTERNAL_UPSTREAM=BLOCK)"), "{}", answer.text());
}

/// The example of reference 4.3, `repoA → repoB → public`, literally: `repoB` ingests, `repoA` retains, nobody
/// publishes, and no other repository of the domain gets the package.
fn groups_worked_example_of_two_repositories_and_a_registry() {
    let world = World::empty();
    world.registry.add_npm(&NpmPackage::new("lib", "1.0.0"));
    world.registry.add_npm(&NpmPackage::new("lib", "2.0.0"));
    let admin = Client::new(&world.server);
    let repository = |name: &str, rest: &str| {
        let _ = aws(&admin, &format!("create-repository --domain {DOMAIN} --repository {name} {rest}"));
    };
    let connect = |name: &str| {
        let command = "associate-external-connection --external-connection public:npmjs";
        let _ = aws(&admin, &format!("{command} --domain {DOMAIN} --repository {name}"));
    };
    repository("repoB", "");
    connect("repoB");
    repository("repoA", "--upstreams repositoryName=repoB");
    repository("repoC", "--upstreams repositoryName=repoB");
    repository("repoD", "");
    connect("repoD");
    create(&admin, "/npm//lib$");
    let _ = set(
        &admin,
        "/npm//lib$",
        "--restrictions PUBLISH=BLOCK,EXTERNAL_UPSTREAM=ALLOW_SPECIFIC_REPOSITORIES,\
         INTERNAL_UPSTREAM=ALLOW_SPECIFIC_REPOSITORIES \
         --add-allowed-repositories repositoryName=repoB,originRestrictionType=EXTERNAL_UPSTREAM \
         repositoryName=repoA,originRestrictionType=INTERNAL_UPSTREAM",
    );
    let install = |repository: &str, what: &str| {
        let client = Client::new(&world.server);
        world.npm_login(&client, repository, &world.token);
        let ran = client.program("npm").args(["install", what, "--no-audit"]).ends();
        (ran.success, ran.all())
    };
    let (succeeded, said) = install("repoC", "lib");
    assert!(!succeeded && said.contains("taking 'npm//lib' from repository 'repoB' into repository 'repoC'"), "{said}");
    assert!(said.contains("(INTERNAL_UPSTREAM=ALLOW_SPECIFIC_REPOSITORIES)"), "{said}");
    let (succeeded, said) = install("repoD", "lib");
    assert!(!succeeded && said.contains("taking 'npm//lib' from public:npmjs into repository 'repoD'"), "{said}");
    let (succeeded, said) = install("repoA", "lib@1.0.0");
    assert!(succeeded, "{said}");
    let (succeeded, said) = install("repoB", "lib@2.0.0");
    assert!(succeeded, "{said}");
    let answer = world.npm_in("repoB", "PUT", "lib").json(&NpmPackage::new("lib", "3.0.0").publish_body()).send();
    assert!(answer.status == 403 && answer.text().contains("(PUBLISH=BLOCK)"), "{}", answer.text());
    // The default settings of a package that a group restricts leave the decision to the group.
    let described =
        aws(&admin, &format!("describe-package --domain {DOMAIN} --repository repoB --format npm --package lib"));
    let open = json!({"publish": "ALLOW", "upstream": "ALLOW"});
    assert_eq!(described["package"]["originConfiguration"]["restrictions"], open);
}

/// A group's settings are no matter of caches: what was served a moment ago is refused, and served again.
fn groups_a_change_counts_from_the_next_request_on() {
    let world = World::empty();
    world.registry.add_npm(&NpmPackage::new("lib", "1.0.0"));
    let admin = Client::new(&world.server);
    let versions = || {
        let answer = world.npm("GET", "lib").send();
        answer.is_success().then(|| answer.json()["versions"].as_object().map_or(0, serde_json::Map::len))
    };
    assert_eq!(versions(), Some(1));
    let _ = set(&admin, "/*", "--restrictions EXTERNAL_UPSTREAM=BLOCK");
    assert_eq!(versions(), None);
    let _ = set(&admin, "/*", "--restrictions EXTERNAL_UPSTREAM=ALLOW");
    assert_eq!(versions(), Some(1));
    // What is stored is no new version: it stays, whatever the group says (reference 4).
    let tarball = world.npm("GET", "lib/-/lib-1.0.0.tgz").send();
    assert!(tarball.is_success());
    world.wait_until_retained("npm", "lib", "1.0.0");
    create(&admin, "/npm//l.i.b~");
    let _ = set(&admin, "/*", "--restrictions EXTERNAL_UPSTREAM=BLOCK,INTERNAL_UPSTREAM=BLOCK,PUBLISH=BLOCK");
    assert_eq!(versions(), Some(1));
    assert!(world.npm("GET", "lib/-/lib-1.0.0.tgz").send().is_success());
}
