//! CI systems that have no secret but the token of their identity provider.

use std::fs;
use std::time::Duration;

use larder_e2e::World;
use larder_e2e::roles::{aws, build_rights, create_role, job, register, role_arn, trusts, trusts_issuer};
use larder_testkit::issuer::JOB_SECRET;
use larder_testkit::packages::{NpmPackage, PythonPackage};
use larder_testkit::server::ACCOUNT;
use larder_testkit::{Client, Issuer, Registry, Server, tests, tools};
use serde_json::{Value, json};

use crate::seed;

tests![
    ci_job_gets_in_with_its_identity_token,
    ci_recipe_of_github_actions,
    ci_keys_are_rotated_and_remembered,
    ci_issuer_that_nobody_listed_is_not_asked,
    ci_tokens_may_be_reusable,
    ci_buildspec_with_a_role,
];

/// A world with an issuer, its provider, and a role that its jobs assume.
fn ci(rights: &Value) -> (World, Issuer) {
    let issuer = Issuer::start();
    let world = World::with(Registry::start(), |builder| builder.configuration(&issuer.configuration()));
    register(&world.server, &issuer);
    create_role(&world.server, "ci/builder", &trusts_issuer(&issuer), rights);
    (world, issuer)
}

fn ci_job_gets_in_with_its_identity_token() {
    let (world, issuer) = ci(&build_rights());
    let server = &world.server;
    assert!(world.publish_npm(&NpmPackage::new("private-lib", "2.0.0")).is_success());
    let package = PythonPackage::new("private-tool", "1.0.0");
    assert!(world.upload(&package, &package.wheel()).is_success());

    let client = job(server, "ci/builder", &issuer.token(&json!({})));
    let me = aws(&client, "sts get-caller-identity");
    assert!(
        me["Arn"].as_str().is_some_and(|arn| arn.starts_with(&format!("arn:aws:sts::{ACCOUNT}:assumed-role/builder/"))),
        "{me}"
    );
    for tool in ["npm", "pip", "twine"] {
        let login = format!("codeartifact login --tool {tool} --domain my-domain --repository my-repo");
        let _ = client.program("aws").args(login.split(' ')).succeeds();
    }
    let app = client.folder("app");
    NpmPackage::new("app", "1.0.0").with("dependencies", json!({"private-lib": "^2.0.0"})).write_to(&app);
    let _ = client.program("npm").args(["install", "--no-audit"]).in_folder(&app).succeeds();
    assert!(app.join("node_modules/private-lib/package.json").is_file());
    let _ = client.program("npm").arg("publish").in_folder(&app).succeeds();
    let _ = client.program("pip").args(["install", "--target", "site", "private-tool"]).succeeds();
    let code = "import private_tool; print(private_tool.__name__)";
    let _ = client.system("python3").args(["-c", code]).env("PYTHONPATH", "site").succeeds();

    // Who published is the session, in the journal and in the log.
    assert!(server.log().contains("assumed-role/builder/"), "the log does not say who");
    // The same token, from somebody who copied it, opens nothing.
    let thief = job(server, "ci/builder", &client.read("identity-token"));
    thief
        .program("aws")
        .args(["sts", "get-caller-identity"])
        .fails()
        .says("InvalidIdentityToken")
        .says("exchanged before");
    // A job of another repository does not get in with a token of its own.
    let other = job(server, "ci/builder", &issuer.token(&json!({"sub": "repo:evil/app:ref:refs/heads/main"})));
    other
        .program("aws")
        .args(["sts", "get-caller-identity"])
        .fails()
        .says("Not authorized to perform sts:AssumeRoleWithWebIdentity");
}

/// docs/ci.md: the token is asked for with what GitHub Actions gives to a job, and written to the file that AWS tools read.
fn ci_recipe_of_github_actions() {
    let (world, issuer) = ci(&build_rights());
    assert!(world.publish_npm(&NpmPackage::new("private-lib", "2.0.0")).is_success());
    let mut client = job(&world.server, "ci/builder", "");
    client.set("ACTIONS_ID_TOKEN_REQUEST_URL", &issuer.job_url());
    client.set("ACTIONS_ID_TOKEN_REQUEST_TOKEN", JOB_SECRET);
    let recipe = fs::read_to_string(tools::repository().join("docs/ci.md")).expect("docs/ci.md");
    let line = recipe
        .lines()
        .map(str::trim)
        .find(|line| line.contains("ACTIONS_ID_TOKEN_REQUEST_URL"))
        .expect("the recipe's line");
    // The step's block scalar holds the command, its continuation lines and nothing else.
    let start = recipe.find(line).unwrap_or_default();
    let command: String = recipe[start..]
        .lines()
        .take_while(|line| !line.trim().is_empty() && !line.trim().starts_with("- "))
        .map(|line| format!("{}\n", line.trim()))
        .collect();
    let _ = client.shell(&command).succeeds();
    let _ = client
        .program("aws")
        .args("codeartifact login --tool npm --domain my-domain --repository my-repo".split(' '))
        .succeeds();
    let _ = client.program("npm").args(["view", "private-lib", "version"]).succeeds();
}

fn ci_keys_are_rotated_and_remembered() {
    let (world, issuer) = ci(&build_rights());
    let server = &world.server;
    let enter =
        |token: String| job(server, "ci/builder", &token).program("aws").args(["sts", "get-caller-identity"]).ends();
    assert!(enter(issuer.token(&json!({}))).success);
    assert!(enter(issuer.token(&json!({}))).success);
    assert_eq!(issuer.asked_for_keys(), 1, "keys are remembered");
    // Keys that are known serve while the issuer is away.
    issuer.set_down(true);
    assert!(enter(issuer.token(&json!({}))).success);
    issuer.set_down(false);
    // Tokens that name keys which are not there make Larder ask rarely.
    for _ in 0..5 {
        enter(issuer.token_with_header(&json!({}), &json!({"kid": "another"}))).says("no key of the id");
    }
    assert!(issuer.asked_for_keys() <= 2, "asked {} times", issuer.asked_for_keys());
    // A rotation is noticed by the first token that names the new key, once keys are half a minute old.
    issuer.rotate();
    let started = std::time::Instant::now();
    while !enter(issuer.token(&json!({}))).success {
        assert!(started.elapsed() < Duration::from_secs(60), "the new key was not fetched");
        std::thread::sleep(Duration::from_secs(3));
    }
    assert!(issuer.asked_for_keys() <= 3, "asked {} times", issuer.asked_for_keys());
}

fn ci_issuer_that_nobody_listed_is_not_asked() {
    let issuer = Issuer::start();
    let server = Server::start();
    register(&server, &issuer);
    create_role(&server, "ci/builder", &trusts_issuer(&issuer), &build_rights());
    let client = job(&server, "ci/builder", &issuer.token(&json!({})));
    client
        .program("aws")
        .args(["sts", "get-caller-identity"])
        .fails()
        .says("IDPCommunicationError")
        .says("internal-issuers");
    assert_eq!(issuer.asked_for_keys(), 0);
    // One that is listed must be who it says it is.
    let listed = Server::builder().configuration(&issuer.configuration()).start();
    register(&listed, &issuer);
    create_role(&listed, "ci/builder", &trusts_issuer(&issuer), &build_rights());
    issuer.pretend(Some("https://issuer.example"));
    let client = job(&listed, "ci/builder", &issuer.token(&json!({})));
    client.program("aws").args(["sts", "get-caller-identity"]).fails().says("another issuer");
}

fn ci_tokens_may_be_reusable() {
    let issuer = Issuer::start();
    let server =
        Server::builder().configuration(&format!("{}reusable-tokens = true\n", issuer.configuration())).start();
    register(&server, &issuer);
    create_role(&server, "ci/builder", &trusts_issuer(&issuer), &build_rights());
    let token = issuer.token(&json!({}));
    for _ in 0..2 {
        let _ = aws(&job(&server, "ci/builder", &token), "sts get-caller-identity");
    }
}

/// The buildspec of the README as it stands, without a key: with the job's identity token, and with a profile that assumes
/// a role.
fn ci_buildspec_with_a_role() {
    let issuer = Issuer::start();
    let world = World::with(Registry::recorded(), |builder| builder.configuration(&issuer.configuration()));
    let server = &world.server;
    register(server, &issuer);
    create_role(server, "ci/builder", &trusts_issuer(&issuer), &build_rights());
    create_role(server, "codebuild", &trusts(&format!("arn:aws:iam::{ACCOUNT}:user/admin")), &build_rights());
    seed::run_buildspec(&world, &job(server, "ci/builder", &issuer.token(&json!({}))), "2.0.1");
    seed::run_buildspec(&world, &profile(server, "codebuild"), "2.0.2");
}

/// A home whose default profile assumes a role with the administrator's key.
fn profile(server: &Server, role: &str) -> Client {
    let mut client = Client::unconfigured();
    client.set("AWS_ENDPOINT_URL", server.base_url());
    let key = server.admin_key();
    let credentials = format!("[base]\naws_access_key_id = {}\naws_secret_access_key = {}\n", key.id, key.secret);
    client.write(".aws/credentials", credentials);
    let config = format!("[default]\nregion = us-east-1\nrole_arn = {}\nsource_profile = base\n", role_arn(role));
    client.write(".aws/config", config);
    client
}
