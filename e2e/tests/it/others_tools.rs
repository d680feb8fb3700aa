//! SDKs and tools that others wrote for CodeArtifact, as they are published. Those for Python are in `others_python`.

use larder_e2e::roles::{allow, create_role, register, role_arn, trusts, trusts_issuer};
use larder_testkit::server::ACCOUNT;
use larder_testkit::{Client, Issuer, Registry, Server, runner, tests, tools};
use serde_json::json;

tests![
    the_sdk_for_javascript_administers_publishes_and_assumes_a_role,
    the_sdk_for_java_administers_publishes_and_assumes_a_role,
    the_sdk_for_go_administers_publishes_and_assumes_a_role,
    terraform_finds_what_it_calls_over_the_life_of_its_resources,
];

/// A home for `e2e/javascript`, `e2e/java` or `e2e/go`: a key of the administrator, and a role to assume that may only list.
fn sdk_client(server: &Server) -> Client {
    let account = format!("arn:aws:iam::{ACCOUNT}:root");
    create_role(server, "reader", &trusts(&account), &allow(&["codeartifact:List*"]));
    let mut client = Client::new(server);
    client.set("ROLE", &role_arn("reader"));
    client.set("OWNER", ACCOUNT);
    client
}

/// With an identity provider too, whose token the SDK exchanges by itself.
fn the_sdk_for_javascript_administers_publishes_and_assumes_a_role() {
    let issuer = Issuer::start();
    let server = Server::builder().configuration(&issuer.configuration()).start();
    register(&server, &issuer);
    create_role(&server, "job", &trusts_issuer(&issuer), &allow(&["codeartifact:List*"]));
    let script = tools::repository().join("e2e/javascript/sdk.cjs");
    let mut client = sdk_client(&server);
    client.set("WEB_ROLE", &role_arn("job"));
    client.set("WEB_TOKEN", &issuer.token(&json!({})));
    client.program("aws-sdk-node").arg(script).succeeds().says("all seen");
}

fn the_sdk_for_java_administers_publishes_and_assumes_a_role() {
    let sdk = tools::folder().join("java-sdk");
    if !sdk.join("complete").is_file() {
        runner::skip("the AWS SDK for Java could not be had, see `cargo xtask clients`");
    }
    tools::need_system("java");
    let server = Server::start();
    let source = tools::repository().join("e2e/java/Sdk.java");
    let class_path = sdk.join("*").to_string_lossy().into_owned();
    let client = sdk_client(&server);
    client.system("java").args(["-cp", &class_path]).arg(source).succeeds().says("all seen");
}

fn the_sdk_for_go_administers_publishes_and_assumes_a_role() {
    let sdk = tools::folder().join("go-sdk");
    if !sdk.join("complete").is_file() {
        runner::skip("the AWS SDK for Go could not be had, see `cargo xtask clients`");
    }
    let server = Server::start();
    sdk_client(&server).system(&sdk.join("sdk").to_string_lossy()).succeeds().says("all seen");
}

/// The calls of its provider for AWS, which only its own vendor serves.
fn terraform_finds_what_it_calls_over_the_life_of_its_resources() {
    let registry = Registry::start();
    let server = Server::builder().external("public:npmjs", &registry.npm_url()).start();
    let mut client = Client::new(&server);
    client.set("ACCOUNT", ACCOUNT);
    client.set("PYTHONDONTWRITEBYTECODE", "1");
    let script = tools::repository().join("e2e/boto3/terraform.py");
    client.program("boto3-python").arg(script).succeeds().says("all seen");
}
