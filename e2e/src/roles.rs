//! Roles, the identity providers that they trust, and homes whose AWS variables make use of them.

use larder_testkit::server::{ACCOUNT, succeeds};
use larder_testkit::{Client, Issuer, Server};
use serde_json::{Value, json};

/// A policy of one statement, `members` added to what allows.
///
/// # Panics
/// If the members are no object.
#[must_use]
pub fn policy(members: &Value) -> Value {
    let mut statement = json!({"Effect": "Allow"});
    for (name, value) in members.as_object().expect("members") {
        statement[name] = value.clone();
    }
    json!({"Version": "2012-10-17", "Statement": [statement]})
}

/// A policy that allows actions on everything.
#[must_use]
pub fn allow(actions: &[&str]) -> Value {
    policy(&json!({"Action": actions, "Resource": "*"}))
}

/// What a build needs: a token, and to read and publish.
#[must_use]
pub fn build_rights() -> Value {
    allow(&["codeartifact:*", "sts:GetServiceBearerToken"])
}

/// A trust policy that names a principal of an account.
#[must_use]
pub fn trusts(principal: &str) -> Value {
    policy(
        &json!({"Principal": {"AWS": principal}, "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]}),
    )
}

/// Who has a token of the issuer for the audience `larder`, from the repository `octo/app`.
#[must_use]
pub fn trusts_issuer(issuer: &Issuer) -> Value {
    policy(&json!({
        "Principal": {"Federated": provider(issuer)},
        "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"],
        "Condition": {
            "StringEquals": {format!("{}:aud", issuer.name()): "larder"},
            "StringLike": {format!("{}:sub", issuer.name()): "repo:octo/app:*"},
        },
    }))
}

/// The ARN of an issuer's provider.
#[must_use]
pub fn provider(issuer: &Issuer) -> String {
    format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{}", issuer.name())
}

/// The ARN of a role; `name` may have a path.
#[must_use]
pub fn role_arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

/// Makes a role with one policy; `name` may have a path.
///
/// # Panics
/// If the program refuses.
pub fn create_role(server: &Server, name: &str, trust: &Value, rights: &Value) {
    let files = Client::unconfigured();
    files.write("trust.json", trust.to_string());
    files.write("rights.json", rights.to_string());
    let file = |name: &str| files.home().join(name).to_string_lossy().into_owned();
    let made = succeeds(&server.larder(&[
        "role",
        "create",
        name,
        "--trust",
        &file("trust.json"),
        "--account",
        ACCOUNT,
        "--max-session",
        "7200",
    ]));
    assert_eq!(made.trim(), role_arn(name));
    put_rights(server, name, &file("rights.json"));
}

/// Adds or replaces the policy of a role.
///
/// # Panics
/// If the program refuses.
pub fn put_rights(server: &Server, role: &str, file: &str) {
    let _ = succeeds(&server.larder(&["role", "put-policy", role, "rights", file, "--account", ACCOUNT]));
}

/// Registers an issuer, for the audience `larder`.
///
/// # Panics
/// If the program refuses.
pub fn register(server: &Server, issuer: &Issuer) {
    let made = succeeds(&server.larder(&[
        "oidc-provider",
        "create",
        &issuer.url(),
        "--client-id",
        "larder",
        "--account",
        ACCOUNT,
    ]));
    assert_eq!(made.trim(), provider(issuer));
}

/// The variables of a CI job that has an identity token and no key, as `aws` and every SDK read them.
#[must_use]
pub fn job(server: &Server, role: &str, token: &str) -> Client {
    let mut client = Client::unconfigured();
    client.write("identity-token", token);
    let file = client.home().join("identity-token").to_string_lossy().into_owned();
    for (name, value) in [
        ("AWS_ENDPOINT_URL", server.base_url()),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ROLE_ARN", &role_arn(role)),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", &file),
    ] {
        client.set(name, value);
    }
    client
}

/// What the AWS CLI answers, as JSON; null if it prints nothing.
///
/// # Panics
/// If it fails or answers something else.
#[must_use]
pub fn aws(client: &Client, words: &str) -> Value {
    let ran = client.program("aws").args(words.split(' ')).args(["--output", "json"]).succeeds();
    match ran.text().trim() {
        "" => Value::Null,
        text => serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {}", ran.all())),
    }
}

/// A home whose AWS variables hold temporary credentials.
///
/// # Panics
/// If a part of the credentials is missing.
#[must_use]
pub fn with_session(server: &Server, credentials: &Value) -> Client {
    let mut client = Client::unconfigured();
    let text = |name: &str| credentials[name].as_str().unwrap_or_else(|| panic!("no {name}")).to_owned();
    for (name, value) in [
        ("AWS_ENDPOINT_URL", server.base_url().to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", text("AccessKeyId")),
        ("AWS_SECRET_ACCESS_KEY", text("SecretAccessKey")),
        ("AWS_SESSION_TOKEN", text("SessionToken")),
    ] {
        client.set(name, &value);
    }
    client
}

/// The credentials of a role that `aws sts assume-role` assumes.
///
/// # Panics
/// If it fails or answers something else.
#[must_use]
pub fn assume(client: &Client, role: &str, more: &[&str]) -> Value {
    let arn = role_arn(role);
    let ran = client
        .program("aws")
        .args(["sts", "assume-role", "--role-arn", &arn, "--role-session-name", "test-run", "--output", "json"])
        .args(more.iter().copied())
        .succeeds();
    serde_json::from_str::<Value>(ran.text()).expect("JSON")["Credentials"].clone()
}
