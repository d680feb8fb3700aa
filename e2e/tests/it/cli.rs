//! The AWS CLI calls every operation of CodeArtifact over the life of a domain.

use std::cell::RefCell;
use std::collections::BTreeSet;

use larder_e2e::World;
use larder_e2e::roles::{self, policy};
use larder_testkit::packages::{NpmPackage, sha256};
use larder_testkit::server::ACCOUNT;
use larder_testkit::{Client, tests, tools};
use serde_json::{Value, json};

tests![cli_every_operation];

/// The CLI, which notes what it was used for.
struct Cli {
    client: Client,
    called: RefCell<BTreeSet<String>>,
}

impl Cli {
    fn call(&self, words: &str) -> Value {
        let operation = words.split(' ').next().unwrap_or_default();
        self.called.borrow_mut().insert(operation.to_owned());
        roles::aws(&self.client, &format!("codeartifact {words}"))
    }

    /// A file in the home, as the CLI takes one.
    fn file(&self, name: &str) -> String {
        format!("file://{}", self.client.home().join(name).display())
    }
}

/// The names of all operations, as the CLI spells them, from the table of the README.
fn all_operations() -> BTreeSet<String> {
    let readme = std::fs::read_to_string(tools::repository().join("README.md")).expect("the README");
    let (_, table) = readme.split_once("<!-- operations:begin -->").expect("the table");
    let (table, _) = table.split_once("<!-- operations:end -->").expect("its end");
    let names = table.lines().filter_map(|line| line.strip_prefix("| ")?.split(' ').next());
    let kebab = |name: &str| {
        let words = name.split_inclusive(|_: char| true);
        let spelled: String = words
            .map(|letter| if letter.chars().all(char::is_uppercase) { format!("-{letter}") } else { letter.to_owned() })
            .collect();
        spelled.trim_start_matches('-').to_lowercase()
    };
    names.filter(|name| !matches!(*name, "operation" | "---")).map(kebab).collect()
}

fn cli_every_operation() {
    let world = World::empty();
    let package = NpmPackage::new("left-pad", "1.0.0").with("dependencies", json!({"is-odd": "^3.0.0"}));
    assert!(world.publish_npm(&package).is_success());
    let cli = Cli { client: Client::new(&world.server), called: RefCell::default() };
    let shared = policy(&json!({"Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")},
        "Action": "codeartifact:ReadFromRepository", "Resource": "*"}));
    cli.client.write("policy.json", shared.to_string());
    cli.client.write("tool.bin", "bytes of a tool\n");
    domains(&cli);
    repositories(&cli);
    packages(&cli);
    groups(&cli);
    let _ = cli.call("delete-repository --domain cli --repository app");
    let _ = cli.call("delete-repository --domain cli --repository store");
    let ended = cli.call("delete-domain --domain cli");
    assert_eq!(ended["domain"]["name"], "cli");
    let all = all_operations();
    assert_eq!(all.len(), 48);
    let called = cli.called.borrow();
    assert_eq!(all.difference(&called).collect::<Vec<_>>(), Vec::<&String>::new(), "not called");
}

fn domains(cli: &Cli) {
    let made = cli.call("create-domain --domain cli --tags key=team,value=web");
    let arn = made["domain"]["arn"].as_str().expect("an ARN");
    let listed = cli.call("list-domains");
    assert!(listed["domains"].as_array().expect("domains").iter().any(|domain| domain["arn"] == *arn), "{listed}");
    assert_eq!(cli.call("describe-domain --domain cli")["domain"]["owner"], ACCOUNT);
    let _ = cli.call(&format!("tag-resource --resource-arn {arn} --tags key=stage,value=test"));
    let _ = cli.call(&format!("untag-resource --resource-arn {arn} --tag-keys team"));
    let tags = cli.call(&format!("list-tags-for-resource --resource-arn {arn}"));
    assert_eq!(tags["tags"], json!([{"key": "stage", "value": "test"}]));
    let document = cli.file("policy.json");
    let put = cli.call(&format!("put-domain-permissions-policy --domain cli --policy-document {document}"));
    let found = cli.call("get-domain-permissions-policy --domain cli");
    assert_eq!(found["policy"]["revision"], put["policy"]["revision"]);
    let _ = cli.call("delete-domain-permissions-policy --domain cli");
}

fn repositories(cli: &Cli) {
    let _ = cli.call("create-repository --domain cli --repository store");
    let _ = cli.call("create-repository --domain cli --repository app --upstreams repositoryName=store");
    assert_eq!(cli.call("list-repositories-in-domain --domain cli")["repositories"].as_array().map(Vec::len), Some(2));
    let listed = cli.call("list-repositories --repository-prefix sto");
    assert_eq!(listed["repositories"][0]["name"], "store");
    let connection = "--domain cli --repository store --external-connection public:npmjs";
    let _ = cli.call(&format!("associate-external-connection {connection}"));
    let described = cli.call("describe-repository --domain cli --repository store");
    assert_eq!(described["repository"]["externalConnections"][0]["externalConnectionName"], "public:npmjs");
    let _ = cli.call(&format!("disassociate-external-connection {connection}"));
    let updated = cli.call("update-repository --domain cli --repository app --description of-the-cli");
    assert_eq!(updated["repository"]["description"], "of-the-cli");
    let app = "--domain cli --repository app";
    let document = cli.file("policy.json");
    let put = cli.call(&format!("put-repository-permissions-policy {app} --policy-document {document}"));
    let found = cli.call(&format!("get-repository-permissions-policy {app}"));
    assert_eq!(found["policy"]["document"], put["policy"]["document"]);
    let _ = cli.call(&format!("delete-repository-permissions-policy {app}"));
    let endpoint = cli.call(&format!("get-repository-endpoint {app} --format npm"));
    assert!(endpoint["repositoryEndpoint"].as_str().is_some_and(|url| url.ends_with("/npm/app/")), "{endpoint}");
    assert!(cli.call("get-authorization-token --domain cli")["authorizationToken"].is_string());
}

fn packages(cli: &Cli) {
    let npm = "--domain my-domain --repository my-repo --format npm --package left-pad --package-version 1.0.0";
    let dependencies = cli.call(&format!("list-package-version-dependencies {npm}"));
    assert_eq!(dependencies["dependencies"][0]["package"], "is-odd");
    let readme = cli.call(&format!("get-package-version-readme {npm}"));
    assert!(readme["readme"].as_str().is_some_and(|text| text.contains("left-pad")), "{readme}");

    let tool = "--format generic --namespace tools --package tool";
    let app = format!("--domain cli --repository app {tool}");
    let digest = sha256(b"bytes of a tool\n");
    let content = cli.client.home().join("tool.bin");
    for version in ["1.0", "2.0", "3.0"] {
        let published = cli.call(&format!(
            "publish-package-version {app} --package-version {version} --asset-content {} --asset-name tool.bin \
             --asset-sha256 {digest}",
            content.display()
        ));
        assert_eq!(published["status"], "Published");
    }
    assert_eq!(cli.call("list-packages --domain cli --repository app")["packages"][0]["package"], "tool");
    let origin =
        cli.call(&format!("put-package-origin-configuration {app} --restrictions publish=ALLOW,upstream=BLOCK"));
    let described = cli.call(&format!("describe-package {app}"));
    assert_eq!(described["package"]["originConfiguration"], origin["originConfiguration"]);
    assert_eq!(cli.call(&format!("list-package-versions {app}"))["versions"].as_array().map(Vec::len), Some(3));
    let one = format!("{app} --package-version 1.0");
    assert_eq!(cli.call(&format!("describe-package-version {one}"))["packageVersion"]["version"], "1.0");
    let assets = cli.call(&format!("list-package-version-assets {one}"));
    assert_eq!(assets["assets"][0]["hashes"]["SHA-256"], *digest);
    let got = cli.client.home().join("got.bin");
    let asset = cli.call(&format!("get-package-version-asset {one} --asset tool.bin {}", got.display()));
    assert_eq!((&asset["assetName"], cli.client.read("got.bin").as_str()), (&json!("tool.bin"), "bytes of a tool\n"));
    let copied = cli.call(&format!(
        "copy-package-versions --domain cli --source-repository app --destination-repository store {tool} --versions 1.0"
    ));
    assert_eq!(copied["successfulVersions"]["1.0"]["status"], "Published");
    let archived = cli.call(&format!("update-package-versions-status {app} --versions 1.0 --target-status Archived"));
    assert_eq!(archived["successfulVersions"]["1.0"]["status"], "Archived");
    let disposed = cli.call(&format!("dispose-package-versions {app} --versions 2.0"));
    assert_eq!(disposed["successfulVersions"]["2.0"]["status"], "Disposed");
    let deleted = cli.call(&format!("delete-package-versions {app} --versions 3.0 4.0"));
    assert_eq!(deleted["failedVersions"]["4.0"]["errorCode"], "NOT_FOUND");
    let gone = cli.call(&format!("delete-package --domain cli --repository store {tool}"));
    assert_eq!(gone["deletedPackage"]["package"], "tool");
}

fn groups(cli: &Cli) {
    let group = "--domain cli --package-group /generic/tools/*";
    let made = cli.call(&format!("create-package-group {group} --contact-info team"));
    assert_eq!(made["packageGroup"]["pattern"], "/generic/tools/*");
    let _ = cli.call(&format!("update-package-group {group} --description of-tools"));
    assert_eq!(cli.call(&format!("describe-package-group {group}"))["packageGroup"]["description"], "of-tools");
    let updated = cli.call(&format!(
        "update-package-group-origin-configuration {group} --restrictions INTERNAL_UPSTREAM=ALLOW_SPECIFIC_REPOSITORIES \
         --add-allowed-repositories repositoryName=store,originRestrictionType=INTERNAL_UPSTREAM"
    ));
    assert_eq!(updated["allowedRepositoryUpdates"]["INTERNAL_UPSTREAM"]["ADDED"], json!(["store"]));
    let allowed =
        cli.call(&format!("list-allowed-repositories-for-group {group} --origin-restriction-type INTERNAL_UPSTREAM"));
    assert_eq!(allowed["allowedRepositories"], json!(["store"]));
    assert_eq!(cli.call("list-package-groups --domain cli")["packageGroups"].as_array().map(Vec::len), Some(2));
    let below = cli.call("list-sub-package-groups --domain cli --package-group /*");
    assert_eq!(below["packageGroups"][0]["pattern"], "/generic/tools/*");
    let tool = "--domain cli --format generic --namespace tools --package tool";
    let found = cli.call(&format!("get-associated-package-group {tool}"));
    assert_eq!(
        (&found["packageGroup"]["pattern"], &found["associationType"]),
        (&json!("/generic/tools/*"), &json!("STRONG"))
    );
    assert_eq!(cli.call(&format!("list-associated-packages {group}"))["packages"][0]["package"], "tool");
    let _ = cli.call(&format!("delete-package-group {group}"));
}
