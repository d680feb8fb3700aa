//! Tools that others wrote for CodeArtifact, as they are published.

use larder_e2e::World;
use larder_e2e::roles::{allow, create_role, register, role_arn, trusts, trusts_issuer};
use larder_testkit::packages::PythonPackage;
use larder_testkit::server::ACCOUNT;
use larder_testkit::{Client, Issuer, Registry, Server, runner, tests, tools};
use serde_json::json;

tests![
    keyrings_codeartifact_serves_pip_and_twine,
    the_sdk_for_javascript_administers_publishes_and_assumes_a_role,
    the_sdk_for_java_administers_publishes_and_assumes_a_role,
    the_sdk_for_go_administers_publishes_and_assumes_a_role,
];

/// The keyring answers for hosts of this form only.
const AWS_HOSTS: &str = "{domain}-{owner}.d.codeartifact.us-east-1.amazonaws.com";

/// Larder has the host names of the service here: clients reach them through it as their proxy, instead of by a name
/// server of the site. The keyring asks for tokens at `AWS_ENDPOINT_URL`.
fn keyrings_codeartifact_serves_pip_and_twine() {
    let world = World::with(Registry::start(), |builder| builder.argument("--endpoint-host").argument(AWS_HOSTS));
    let package = PythonPackage::new("kept-private", "1.0");
    let mut client = Client::new(&world.server);
    client.set("http_proxy", world.server.base_url());
    client.set("no_proxy", "127.0.0.1");
    client.set("PYTHON_KEYRING_BACKEND", "keyrings.codeartifact.CodeArtifactBackend");
    let host = AWS_HOSTS.replace("{domain}", "my-domain").replace("{owner}", ACCOUNT);
    let url = format!("http://{host}/pypi/my-repo/");

    package.write_dist(&client.folder("dist"));
    let python = |module: &str| client.program("codeartifact-keyring-python").args(["-m", module]);
    let twine = ["upload", "--non-interactive", "--repository-url", &url, "dist/kept_private-1.0-py3-none-any.whl"];
    let _ = python("twine").args(twine).succeeds();

    // Without `--python`: pip would run as that interpreter's, which has no keyring.
    let index = format!("{url}simple/");
    let download = |client: &Client, folder: &str| {
        let arguments = ["-m", "pip", "download", "--no-cache-dir", "--keyring-provider", "import", "--dest", folder];
        let run = client.program("codeartifact-keyring-python").args(arguments);
        run.args(["--trusted-host", &host, "--index-url", &index, "kept-private"]).ends()
    };
    download(&client, "got").says("Successfully downloaded kept-private");
    assert!(client.home().join("got/kept_private-1.0-py3-none-any.whl").is_file());

    // With a wrong secret there is no token, and so neither download nor upload.
    client.set("AWS_SECRET_ACCESS_KEY", "wrong");
    download(&client, "refused").says("InvalidSignatureException").does_not_say("Successfully downloaded");
    assert!(!client.home().join("refused/kept_private-1.0-py3-none-any.whl").is_file());
    let again = client.program("codeartifact-keyring-python").args(["-m", "twine"]).args(twine);
    again.fails().says("InvalidSignatureException");
}

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
