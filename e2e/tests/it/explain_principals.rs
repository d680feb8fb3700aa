//! `larder explain --as` for roles, sessions and accounts, and the refusals that depend on credentials and names rather
//! than on who asks.

use larder_e2e::World;
use larder_e2e::roles::{allow, assume, aws, create_role, policy, role_arn, trusts, with_session};
use larder_testkit::packages::NpmPackage;
use larder_testkit::server::{ACCOUNT, DOMAIN, REPOSITORY, succeeds};
use larder_testkit::sigv4::{AccessKey, Signer};
use larder_testkit::{Client, Response, tests};
use serde_json::{Value, json};

tests![
    explain_decides_for_roles_and_sessions_as_the_server_does,
    explain_knows_the_session_policy_of_the_asking_session_only,
    explain_says_who_is_nobody,
    refused_by_the_scope_of_a_token,
    refused_for_the_kind_of_credentials,
    refused_for_a_name_that_looks_like_another,
    refused_while_a_version_is_unfinished,
];

const READ: &str = "codeartifact:ReadFromRepository";

fn root() -> String {
    format!("arn:aws:iam::{ACCOUNT}:root")
}

fn session_arn(role: &str, session: &str) -> String {
    format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}")
}

/// What `larder explain` says of reading left-pad 1.0.0.
fn explain(world: &World, principal: &str) -> Value {
    let words = ["explain", "left-pad@1.0.0", "--format", "npm", "--json", "--repository", REPOSITORY];
    let output = world.server.larder(&[&words[..], &["--as", principal]].concat());
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// What the API says of it, signed with temporary credentials.
fn explain_as_session(world: &World, credentials: &Value, principal: Option<&str>) -> Response {
    let text = |name: &str| credentials[name].as_str().expect("credentials").to_owned();
    let key = AccessKey { id: text("AccessKeyId"), secret: text("SecretAccessKey") };
    let request = world.server.request("GET", &path(principal)).header("x-amz-security-token", text("SessionToken"));
    Signer::new(key).sign(request).send()
}

fn path(principal: Option<&str>) -> String {
    let principal = principal.map(|arn| format!("&principal={}", arn.replace(':', "%3A").replace('/', "%2F")));
    format!(
        "/v1/larder/explain?domain={DOMAIN}&repository={REPOSITORY}&format=npm&package=left-pad&version=1.0.0{}",
        principal.unwrap_or_default()
    )
}

fn assumes(explanation: &Value, what: &str) -> bool {
    explanation["assumptions"].to_string().contains(what)
}

fn explain_decides_for_roles_and_sessions_as_the_server_does() {
    let world = World::empty();
    assert!(world.publish_npm(&NpmPackage::new("left-pad", "1.0.0")).is_success());
    // Nothing but a token: all else comes from the policy of the repository.
    let rights = allow(&["codeartifact:GetAuthorizationToken", "sts:GetServiceBearerToken"]);
    create_role(&world.server, "ci/reader", &trusts(&root()), &rights);
    let admin = Client::new(&world.server);
    let tokens = ["first", "second"].map(|name| {
        let credentials = assume(&admin, "ci/reader", &["--role-session-name", name]);
        let client = with_session(&world.server, &credentials);
        let answer = aws(&client, "codeartifact get-authorization-token --domain my-domain");
        answer["authorizationToken"].as_str().expect("a token").to_owned()
    });
    let served = || {
        let target = format!("{}/left-pad", world.server.path("npm", REPOSITORY));
        [0, 1].map(|index| world.server.request("GET", &target).token(&tokens[index]).send().status == 200)
    };
    let asked = [session_arn("reader", "first"), session_arn("reader", "second"), role_arn("ci/reader")];
    let explained = || {
        asked.clone().map(|arn| {
            let explanation = explain(&world, &arn);
            assert!(assumes(&explanation, "session policies"), "{explanation}");
            let allowed = explanation["outcome"] == "allowed";
            assert_eq!(explanation["code"], if allowed { Value::Null } else { json!("iam-not-allowed") });
            allowed
        })
    };
    assert_eq!((served(), explained()), ([false, false], [false, false, false]));
    for (principal, sessions, any) in [
        (role_arn("ci/reader"), [true, true], true),
        (session_arn("reader", "first"), [true, false], false),
        (role_arn("reader"), [false, false], false),
    ] {
        let document = policy(&json!({"Principal": {"AWS": principal}, "Action": READ, "Resource": "*"}));
        let target = format!("/v1/repository/permissions/policy?domain={DOMAIN}&repository={REPOSITORY}");
        let body = json!({"policyDocument": document.to_string()});
        let _ = world.server.call("PUT", &target, &body).expect(200);
        assert_eq!((served(), explained()), (sessions, [sessions[0], sessions[1], any]), "{principal}");
    }
    // The API says the same, and people read what was taken for granted.
    let answer = world.server.call("GET", &path(Some(&asked[0])), &Value::Null).expect(200).json();
    assert_eq!(answer["code"], "iam-not-allowed");
    assert!(assumes(&answer, "session policies"), "{answer}");
    let words = ["explain", "left-pad@1.0.0", "--format", "npm", "--repository", REPOSITORY, "--as", &asked[2]];
    let text = String::from_utf8_lossy(&world.server.larder(&words).stdout).into_owned();
    assert!(text.contains("taken for granted:\n  - the session of the role is called 'any-session'"), "{text}");
    let of_root = explain(&world, &root());
    assert_eq!(of_root["outcome"], "allowed");
    assert!(assumes(&of_root, "nobody signs in as the root"), "{of_root}");
}

fn explain_knows_the_session_policy_of_the_asking_session_only() {
    let world = World::empty();
    assert!(world.publish_npm(&NpmPackage::new("left-pad", "1.0.0")).is_success());
    create_role(&world.server, "builder", &trusts(&root()), &allow(&["codeartifact:*"]));
    let limit = allow(&["codeartifact:DescribePackageVersion"]).to_string();
    let credentials =
        assume(&Client::new(&world.server), "builder", &["--role-session-name", "limited", "--policy", &limit]);
    let own = session_arn("builder", "limited");
    for principal in [None, Some(own.as_str())] {
        let answer = explain_as_session(&world, &credentials, principal).expect(200).json();
        assert_eq!((&answer["outcome"], &answer["code"]), (&json!("refused"), &json!("iam-session-policy")));
        let steps = answer["steps"].as_array().expect("steps");
        assert!(steps.iter().any(|step| step["lookedAt"] == "session-policy"), "{answer}");
        assert_eq!(answer["assumptions"], json!([]));
    }
    // Of another one nobody is told.
    let refused = explain_as_session(&world, &credentials, Some(&session_arn("builder", "another"))).expect(403);
    assert_eq!(refused.header("x-larder-denial"), Some("iam-session-policy"));
    // Whoever administers cannot know it either, and is told so.
    let answer = world.server.call("GET", &path(Some(&own)), &Value::Null).expect(200).json();
    assert_eq!(answer["outcome"], "allowed");
    assert!(assumes(&answer, "session policies") && assumes(&answer, "iam-session-policy"), "{answer}");
}

fn explain_says_who_is_nobody() {
    let world = World::empty();
    assert!(world.publish_npm(&NpmPackage::new("left-pad", "1.0.0")).is_success());
    create_role(&world.server, "ci/reader", &trusts(&root()), &allow(&[READ]));
    for (arn, message) in [
        (role_arn("reader"), "there is no principal"),
        (session_arn("nobody", "first"), "there is no principal"),
        ("arn:aws:iam::999999999999:root".to_owned(), "there is no principal"),
        (format!("arn:aws:iam::{ACCOUNT}:user/nobody"), "there is no user"),
        (format!("arn:aws:iam::{ACCOUNT}:group/readers"), "names nobody"),
        (session_arn("reader", "a b"), "names nobody"),
    ] {
        let refused = world.server.call("GET", &path(Some(&arn.replace(' ', "%20"))), &Value::Null).expect(400);
        assert!(refused.text().contains(message), "{arn}: {}", refused.text());
        let words = ["explain", "left-pad@1.0.0", "--format", "npm", "--repository", REPOSITORY, "--as", &arn];
        let output = world.server.larder(&words);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(message), "{arn}: {said}");
    }
    assert_eq!(explain(&world, &role_arn("ci/reader"))["outcome"], "allowed");
}

/// The answer has the code in its header and in what the client prints.
fn has_code(answer: &Response, code: &str) {
    assert_eq!(answer.header("x-larder-denial"), Some(code), "{} {}", answer.status, answer.text());
}

fn refused_by_the_scope_of_a_token() {
    let world = World::empty();
    assert!(world.publish_npm(&NpmPackage::new("left-pad", "1.0.0")).is_success());
    let body = json!({"password": world.server.admin_key().secret, "readonly": true, "cidr_whitelist": []});
    let made = world.npm("POST", "-/npm/v1/tokens").json(&body).send().json();
    let token = made["token"].as_str().expect("a token");
    let base = world.server.path("npm", REPOSITORY);
    let _ = world.server.request("GET", &format!("{base}/left-pad")).token(token).send().expect(200);
    let tag = world.server.request("PUT", &format!("{base}/-/package/left-pad/dist-tags/beta"));
    let refused = tag.token(token).json(&json!("1.0.0")).send().expect(403);
    has_code(&refused, "iam-token-scope");
    assert!(refused.text().contains("for reading only") && refused.text().contains("[iam-token-scope]"));
    // npm prints the sentence.
    let client = world.npm_client();
    world.npm_login(&client, REPOSITORY, token);
    NpmPackage::new("left-pad", "1.1.0").write_to(&client.folder("left-pad"));
    let publish = client.program("npm").arg("publish").in_folder(client.home().join("left-pad"));
    publish.fails().says("iam-token-scope");
}

fn refused_for_the_kind_of_credentials() {
    let world = World::empty();
    let _ = world.server.call("POST", "/v1/domain?domain=other-domain", &json!({})).expect(200);
    let token = world.server.token_of(&world.server.admin_key(), "other-domain");
    let target = format!("{}/left-pad", world.server.path("npm", REPOSITORY));
    // To a token, a domain that it does not open is the same as none.
    let nowhere = target.replace(&format!("/{REPOSITORY}/"), "/no-such-repository/");
    for target in [target, nowhere] {
        let refused = world.server.request("GET", &target).token(&token).send().expect(403);
        has_code(&refused, "iam-credentials");
        assert!(refused.text().contains("does not open domain"), "{}", refused.text());
    }
}

fn refused_for_a_name_that_looks_like_another() {
    let world = World::empty();
    assert!(world.publish_npm(&NpmPackage::new("left-pad", "1.0.0")).is_success());
    has_code(&world.publish_npm(&NpmPackage::new("leftpad", "1.0.0")).expect(403), "origin-look-alike");
    let client = world.npm_client();
    NpmPackage::new("left_pad", "1.0.0").write_to(&client.folder("left_pad"));
    let publish = client.program("npm").arg("publish").in_folder(client.home().join("left_pad"));
    publish.fails().says("'left_pad' looks like 'left-pad'").says("origin-look-alike");
}

fn refused_while_a_version_is_unfinished() {
    let world = World::maven_empty();
    let jar = "com/acme/half/1.0/half-1.0.jar";
    let _ = world.put(jar, "jar").expect(201);
    has_code(&world.maven("GET", jar).send().expect(404), "status-unfinished");
    let words = ["explain", "com.acme:half@1.0", "--format", "maven", "--json", "--repository", REPOSITORY];
    let output = world.server.larder(&words);
    let explanation: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&explanation["outcome"], &explanation["code"]), (&json!("refused"), &json!("status-unfinished")));
    assert!(explanation["changes"].to_string().contains("the rest of its assets"), "{explanation}");
    // Finished, it is there.
    let _ = world.put("com/acme/half/maven-metadata.xml", larder_e2e::maven::metadata("com.acme", "half", "1.0"));
    let _ = world.maven("GET", jar).send().expect(200);
    let _ = succeeds(&world.server.larder(&words));
}
