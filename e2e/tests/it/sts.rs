//! Temporary credentials: roles within and across accounts, sessions, and CI systems that have no secret but the token of
//! their identity provider.

use std::fs;
use std::time::Duration;

use larder_e2e::World;
use larder_testkit::issuer::JOB_SECRET;
use larder_testkit::packages::{NpmPackage, PythonPackage};
use larder_testkit::server::{ACCOUNT, succeeds};
use larder_testkit::{Client, Issuer, Registry, Server, tests, tools};
use serde_json::{Value, json};

use crate::seed;

tests![
    sts_every_operation_and_error_by_botocore,
    sts_profiles_of_the_cli_and_boto3_assume_roles,
    sts_tokens_of_sessions_end_with_role_rights_and_session,
    sts_resource_policies_name_roles_and_sessions,
    sts_session_policies_and_read_only_ci,
    ci_job_gets_in_with_its_identity_token,
    ci_recipe_of_github_actions,
    ci_keys_are_rotated_and_remembered,
    ci_issuer_that_nobody_listed_is_not_asked,
    ci_tokens_may_be_reusable,
    ci_buildspec_with_a_role,
];

const OTHER: &str = "444455556666";

/// A policy of one statement, `members` added to what allows.
fn policy(members: &Value) -> Value {
    let mut statement = json!({"Effect": "Allow"});
    for (name, value) in members.as_object().expect("members") {
        statement[name] = value.clone();
    }
    json!({"Version": "2012-10-17", "Statement": [statement]})
}

fn allow(actions: &[&str]) -> Value {
    policy(&json!({"Action": actions, "Resource": "*"}))
}

/// What a build needs: a token, and to read and publish.
fn build_rights() -> Value {
    allow(&["codeartifact:*", "sts:GetServiceBearerToken"])
}

fn trusts(principal: &str) -> Value {
    policy(
        &json!({"Principal": {"AWS": principal}, "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]}),
    )
}

/// Who has a token of the issuer for the audience `larder`, from the repository `octo/app`.
fn trusts_issuer(issuer: &Issuer) -> Value {
    policy(&json!({
        "Principal": {"Federated": provider(issuer)},
        "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"],
        "Condition": {
            "StringEquals": {format!("{}:aud", issuer.name()): "larder"},
            "StringLike": {format!("{}:sub", issuer.name()): "repo:octo/app:*"},
        },
    }))
}

fn provider(issuer: &Issuer) -> String {
    format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{}", issuer.name())
}

fn role_arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

/// Makes a role with one policy; `name` may have a path.
fn create_role(server: &Server, name: &str, trust: &Value, rights: &Value) {
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

fn put_rights(server: &Server, role: &str, file: &str) {
    let _ = succeeds(&server.larder(&["role", "put-policy", role, "rights", file, "--account", ACCOUNT]));
}

fn register(server: &Server, issuer: &Issuer) {
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
fn job(server: &Server, role: &str, token: &str) -> Client {
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

fn aws(client: &Client, words: &str) -> Value {
    let ran = client.program("aws").args(words.split(' ')).args(["--output", "json"]).succeeds();
    serde_json::from_str(ran.text()).unwrap_or_else(|error| panic!("{error}: {}", ran.all()))
}

/// A home whose AWS variables hold temporary credentials.
fn with_session(server: &Server, credentials: &Value) -> Client {
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

fn assume(client: &Client, role: &str, more: &[&str]) -> Value {
    let arn = role_arn(role);
    let ran = client
        .program("aws")
        .args(["sts", "assume-role", "--role-arn", &arn, "--role-session-name", "test-run", "--output", "json"])
        .args(more.iter().copied())
        .succeeds();
    serde_json::from_str::<Value>(ran.text()).expect("JSON")["Credentials"].clone()
}

fn read(server: &Server, token: &str) -> u16 {
    let target = format!("{}/-/ping", server.path("npm", "my-repo"));
    server.request("GET", &target).token(token).send().status
}

fn sts_every_operation_and_error_by_botocore() {
    let issuer = Issuer::start();
    let down = Issuer::start();
    let both = format!("[web-identity]\ninternal-issuers = [\"{}\", \"{}\"]\n", issuer.url(), down.url());
    let server = Server::builder().configuration(&both).start();
    let root = format!("arn:aws:iam::{ACCOUNT}:root");
    let rights = allow(&["codeartifact:DescribeDomain", "codeartifact:ListDomains", "sts:*"]);
    create_role(&server, "ci/builder", &trusts(&root), &rights);
    let tagged = policy(&json!({
        "Principal": {"AWS": root},
        "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
        "Condition": {"StringEquals": {"aws:PrincipalTag/team": "web", "aws:SourceIdentity": "alice"}},
    }));
    // The first assumption of a chain sets the identity, the later ones carry it.
    create_role(&server, "team-web", &tagged, &allow(&["sts:*"]));
    let guest = policy(&json!({
        "Principal": {"AWS": OTHER},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "secret-7"}, "StringLike": {"sts:RoleSessionName": "guest-*"}},
    }));
    create_role(&server, "guest", &guest, &allow(&["codeartifact:*"]));
    let files = Client::unconfigured();
    files.write("trust.json", trusts_issuer(&issuer).to_string());
    files.write("rights.json", allow(&["codeartifact:*"]).to_string());
    let file = |name: &str| files.home().join(name).to_string_lossy().into_owned();
    let _ = succeeds(&server.larder(&["role", "create", "web", "--trust", &file("trust.json"), "--account", ACCOUNT]));
    put_rights(&server, "web", &file("rights.json"));
    register(&server, &issuer);
    register(&server, &down);
    down.set_down(true);

    let _ = succeeds(&server.larder(&["account", "create", OTHER]));
    let other = server.create_user(OTHER, "other", &allow(&["*"]));
    let nothing = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]});
    let nobody = server.create_user(ACCOUNT, "nobody", &nothing);

    let mut client = Client::new(&server);
    let stranger = Issuer::start();
    let tags = json!({"principal_tags": {"team": ["web"]}, "transitive_tag_keys": ["team"]});
    let good = issuer.token(&json!({}));
    let (signed, _) = good.rsplit_once('.').expect("a signature");
    let (_, other_signature) = stranger
        .token(&json!({"jti": "x"}))
        .rsplit_once('.')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .expect("a signature");
    for (name, token) in [
        ("good", good.clone()),
        ("good-2", issuer.token(&json!({}))),
        ("fresh", issuer.token(&json!({}))),
        (
            "tags",
            issuer.token(
                &json!({"https://aws.amazon.com/tags": tags, "https://aws.amazon.com/source_identity": "octocat"}),
            ),
        ),
        ("expired", issuer.token(&json!({"exp": 1_700_000_000, "iat": 1_699_999_000, "nbf": 1_699_999_000}))),
        (
            "future",
            issuer.token(&json!({"iat": 4_000_000_000_u64, "nbf": 4_000_000_000_u64, "exp": 4_000_001_000_u64})),
        ),
        ("audience", issuer.token(&json!({"aud": "somebody-else"}))),
        ("issuer", stranger.token(&json!({}))),
        ("forged", format!("{signed}.{other_signature}")),
        ("none", issuer.token_with_header(&json!({}), &json!({"alg": "none"}))),
        ("confused", issuer.confused_token()),
        ("unknown-key", issuer.token_with_header(&json!({}), &json!({"kid": "another"}))),
        ("garbage", "not a token".to_owned()),
        ("subject", issuer.token(&json!({"sub": "repo:evil/app:ref:refs/heads/main"}))),
        ("other-issuer-down", down.token(&json!({}))),
    ] {
        client.write(&format!("tokens/{name}"), token);
    }
    let folder = client.home().join("tokens").to_string_lossy().into_owned();
    for (name, value) in [
        ("ACCOUNT", ACCOUNT),
        ("OTHER_KEY_ID", &other.id),
        ("OTHER_SECRET", &other.secret),
        ("NOBODY_KEY_ID", &nobody.id),
        ("NOBODY_SECRET", &nobody.secret),
        ("TOKENS", &folder),
        ("PYTHONDONTWRITEBYTECODE", "1"),
    ] {
        client.set(name, value);
    }
    let script = tools::repository().join("e2e/boto3/sts.py");
    let _ = client.program("boto3-python").arg(script).limit(Duration::from_secs(120)).succeeds();
    // Nothing that is secret is written down.
    let log = server.log();
    for secret in [good.as_str(), "secret-7"] {
        assert!(!log.contains(secret), "the log holds {secret}");
    }
}

fn sts_profiles_of_the_cli_and_boto3_assume_roles() {
    let server = Server::start();
    let _ = succeeds(&server.larder(&["account", "create", OTHER]));
    let guest = server.create_user(OTHER, "guest", &allow(&["sts:AssumeRole"]));
    let trust = policy(&json!({
        "Principal": {"AWS": format!("arn:aws:iam::{OTHER}:root")},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "shared"}},
    }));
    create_role(&server, "ci/reader", &trust, &build_rights());

    // As `aws configure` leaves them, with a role added.
    let mut client = Client::unconfigured();
    client.set("AWS_ENDPOINT_URL", server.base_url());
    client.write(
        ".aws/credentials",
        format!("[base]\naws_access_key_id = {}\naws_secret_access_key = {}\n", guest.id, guest.secret),
    );
    let role = role_arn("ci/reader");
    client.write(
        ".aws/config",
        format!(
            "[profile base]\nregion = us-east-1\n\n[profile reader]\nregion = us-east-1\nrole_arn = {role}\n\
             source_profile = base\nexternal_id = shared\nrole_session_name = from-profile\nduration_seconds = 900\n\n\
             [profile wrong]\nregion = us-east-1\nrole_arn = {role}\nsource_profile = base\nexternal_id = guessed\n"
        ),
    );
    let me = aws(&client, "sts get-caller-identity --profile base");
    assert_eq!(me["Arn"], format!("arn:aws:iam::{OTHER}:user/guest"));
    let me = aws(&client, "sts get-caller-identity --profile reader");
    assert_eq!(me["Arn"], format!("arn:aws:sts::{ACCOUNT}:assumed-role/reader/from-profile"));
    client.program("aws").args("sts get-caller-identity --profile wrong".split(' ')).fails().says("AccessDenied");
    // The guest itself sees nothing; the role does.
    client
        .program("aws")
        .args("codeartifact describe-domain --domain my-domain --domain-owner 111122223333 --profile base".split(' '))
        .fails()
        .says("AccessDeniedException");
    let found = aws(&client, "codeartifact describe-domain --domain my-domain --profile reader");
    assert_eq!(found["domain"]["name"], "my-domain");

    let script = "import boto3; s = boto3.Session(profile_name='reader'); print(s.client('sts').get_caller_identity()['Arn']); \
                  print(s.client('codeartifact').list_domains()['domains'][0]['name'])";
    let ran = client.program("boto3-python").args(["-c", script]).succeeds();
    ran.says("assumed-role/reader/from-profile").says("my-domain");

    // Reading packages with what `login` leaves, as the role.
    let login = "codeartifact login --tool npm --domain my-domain --repository my-repo --profile reader";
    let _ = client.program("aws").args(login.split(' ')).succeeds();
    let _ = client.program("npm").arg("ping").succeeds();
}

fn sts_tokens_of_sessions_end_with_role_rights_and_session() {
    let server = Server::start();
    let root = format!("arn:aws:iam::{ACCOUNT}:root");
    create_role(&server, "builder", &trusts(&root), &build_rights());
    let admin = Client::new(&server);
    let credentials = assume(&admin, "builder", &["--duration-seconds", "900"]);
    let session = with_session(&server, &credentials);
    let token = |more: &str| {
        let answer = aws(&session, &format!("codeartifact get-authorization-token --domain my-domain{more}"));
        let text = |name: &str| answer[name].as_str().map_or_else(|| answer[name].to_string(), str::to_owned);
        (text("authorizationToken"), text("expiration"))
    };
    // Reference 5.1: zero is the end of the session, anything else is independent of it.
    let (short, short_until) = token(" --duration-seconds 0");
    let (long, long_until) = token("");
    // The CLI shows some instants as seconds and some in words.
    let parsed = |text: &str| {
        let code = "import sys, dateutil.parser as p; t = sys.argv[1]; \
                    print(int(float(t)) if t[4] != '-' else int(p.parse(t).timestamp()))";
        let shown = admin.program("boto3-python").args(["-c", code, text]).succeeds();
        shown.text().parse::<i64>().expect("seconds")
    };
    let session_until = parsed(credentials["Expiration"].as_str().expect("an instant"));
    assert_eq!(parsed(&short_until), session_until);
    assert!(parsed(&long_until) > session_until + 40_000, "{long_until}");
    assert_eq!((read(&server, &short), read(&server, &long)), (200, 200));

    // The rights are those of now, not those of when the token was made.
    let _ = succeeds(&server.larder(&["role", "delete-policy", "builder", "rights", "--account", ACCOUNT]));
    assert_eq!((read(&server, &short), read(&server, &long)), (403, 403));
    admin.write("rights.json", build_rights().to_string());
    put_rights(&server, "builder", &admin.home().join("rights.json").to_string_lossy());
    assert_eq!(read(&server, &long), 200);
    // A namesake of a deleted role is another role.
    let _ = succeeds(&server.larder(&["role", "delete", "builder", "--account", ACCOUNT]));
    assert_eq!((read(&server, &short), read(&server, &long)), (401, 401));
    create_role(&server, "builder", &trusts(&root), &build_rights());
    assert_eq!(read(&server, &long), 401);
    session.program("aws").args(["sts", "get-caller-identity"]).fails().says("InvalidClientTokenId");
}

fn sts_resource_policies_name_roles_and_sessions() {
    let server = Server::start();
    let root = format!("arn:aws:iam::{ACCOUNT}:root");
    // Nothing but a token: all else comes from the policy of the repository.
    create_role(
        &server,
        "ci/reader",
        &trusts(&root),
        &allow(&["codeartifact:GetAuthorizationToken", "sts:GetServiceBearerToken"]),
    );
    let admin = Client::new(&server);
    let token = |name: &str| {
        let credentials = assume(&admin, "ci/reader", &["--role-session-name", name]);
        let answer =
            aws(&with_session(&server, &credentials), "codeartifact get-authorization-token --domain my-domain");
        answer["authorizationToken"].as_str().expect("a token").to_owned()
    };
    let (first, second) = (token("first"), token("second"));
    assert_eq!((read(&server, &first), read(&server, &second)), (403, 403));
    for (principal, expected) in [
        (role_arn("ci/reader"), (200, 200)),
        (format!("arn:aws:sts::{ACCOUNT}:assumed-role/reader/first"), (200, 403)),
        (role_arn("reader"), (403, 403)),
    ] {
        let document = policy(
            &json!({"Principal": {"AWS": principal}, "Action": "codeartifact:ReadFromRepository", "Resource": "*"}),
        );
        let target = "/v1/repository/permissions/policy?domain=my-domain&repository=my-repo";
        let body = json!({"policyDocument": document.to_string()});
        let _ = server.call("PUT", target, &body).expect(200);
        assert_eq!((read(&server, &first), read(&server, &second)), expected, "{principal}");
    }
}

fn sts_session_policies_and_read_only_ci() {
    let world = World::empty();
    let server = &world.server;
    assert!(world.publish_npm(&NpmPackage::new("shared", "1.0.0")).is_success());
    create_role(server, "builder", &trusts(&format!("arn:aws:iam::{ACCOUNT}:root")), &build_rights());
    let admin = Client::new(server);
    let reading = allow(&[
        "codeartifact:GetAuthorizationToken",
        "codeartifact:GetRepositoryEndpoint",
        "codeartifact:ReadFromRepository",
        "sts:GetServiceBearerToken",
    ])
    .to_string();
    let credentials = assume(&admin, "builder", &["--policy", &reading]);
    let client = with_session(server, &credentials);
    let login = "codeartifact login --tool npm --domain my-domain --repository my-repo";
    let _ = client.program("aws").args(login.split(' ')).succeeds();
    NpmPackage::new("app", "1.0.0").with("dependencies", json!({"shared": "1.0.0"})).write_to(&client.folder("app"));
    let _ = client.program("npm").arg("install").in_folder(client.home().join("app")).succeeds();
    client.program("npm").arg("publish").in_folder(client.home().join("app")).fails().says("iam-session-policy");
}

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
    assert!(client.home().join("site/private_tool").exists() || client.home().join("site").exists());

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
