//! Temporary credentials: roles within and across accounts, and sessions.

use std::time::Duration;

use larder_e2e::World;
use larder_e2e::roles::{
    allow, assume, aws, build_rights, create_role, policy, put_rights, register, role_arn, trusts, trusts_issuer,
    with_session,
};
use larder_testkit::packages::NpmPackage;
use larder_testkit::server::{ACCOUNT, succeeds};
use larder_testkit::{Client, Issuer, Server, tests, tools};
use serde_json::json;

tests![
    sts_every_operation_and_error_by_botocore,
    sts_profiles_of_the_cli_and_boto3_assume_roles,
    sts_tokens_of_sessions_end_with_role_rights_and_session,
    sts_resource_policies_name_roles_and_sessions,
    sts_session_policies_and_read_only_ci,
];

const OTHER: &str = "444455556666";

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
