//! Refusals explain themselves: for each rule the client is told the sentence under a code, and `larder explain` and the
//! API behind it name the same code, what was looked at and what would change it.

use larder_e2e::World;
use larder_testkit::packages::NpmPackage;
use larder_testkit::server::{ACCOUNT, DOMAIN, REPOSITORY};
use larder_testkit::sigv4::AccessKey;
use larder_testkit::{Response, tests};
use serde_json::{Value, json};

tests![
    explain_names_the_code_that_the_client_was_told,
    explain_says_which_policy_denies,
    explain_shows_every_repository_and_rule_on_the_way,
    explain_of_others_is_for_those_who_administer,
    explain_tells_nothing_to_who_has_no_rights,
    policy_command_sets_the_tags_of_repositories_and_groups,
    package_group_rule_is_the_nearest,
];

const AGE: &str = "larder:minimum-release-age";

fn allow(actions: &[&str]) -> Value {
    json!({"Effect": "Allow", "Action": actions, "Resource": "*"})
}

/// A user who may read, and what a statement more says.
fn reader(world: &World, name: &str, more: &[Value]) -> AccessKey {
    let mut statements = vec![allow(&["codeartifact:GetAuthorizationToken", "sts:GetServiceBearerToken"])];
    statements.extend(more.iter().cloned());
    world.server.create_user(ACCOUNT, name, &json!({"Version": "2012-10-17", "Statement": statements}))
}

fn user_arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:user/{name}")
}

/// What `larder explain` says.
fn explain(world: &World, arguments: &[&str]) -> Value {
    // The server's own options name the registry; the command reads what stands in the data folder.
    let address = world.registry.npm_url();
    let _ = world.server.larder(&["external", "set", "public:npmjs", &address]);
    let all = [&["explain", "--format", "npm", "--json", "--repository", REPOSITORY], arguments].concat();
    let output = world.server.larder(&all);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let explanation: Value = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(output.status.success(), explanation["outcome"] == "allowed", "{explanation}");
    explanation
}

/// The answer refuses under this code, and the explanation says the same.
fn same(answer: &Response, explanation: &Value, code: &str) {
    assert_eq!(answer.header("x-larder-denial"), Some(code), "{} {}", answer.status, answer.text());
    let printed = answer.json()["error"].as_str().expect("what npm prints").to_owned();
    assert_eq!(explanation["code"], code, "{explanation}");
    let sentence = explanation["sentence"].as_str().expect("a sentence");
    // Ages differ by the seconds in between, and what is missing may be said first.
    let (told, walked) = (printed, format!("{sentence} [{code}]"));
    let without_age = |text: &str| text.split(" ago;").next().unwrap_or_default().to_owned();
    assert!(without_age(&told).ends_with(&without_age(&walked)), "{told}\n{walked}");
    let steps = explanation["steps"].as_array().expect("steps");
    let decides = steps.iter().any(|step| step["refuses"] == code);
    // That nothing allows it is no single policy's doing.
    assert!(decides || code == "iam-not-allowed", "{explanation}");
    assert!(!explanation["changes"].as_array().expect("changes").is_empty(), "{explanation}");
}

fn tarball(world: &World, version: &str) -> Response {
    world.npm("GET", &format!("left-pad/-/left-pad-{version}.tgz")).send()
}

fn call(world: &World, method: &str, path: &str, body: &Value) -> Response {
    let query = format!("domain={DOMAIN}&repository={REPOSITORY}&format=npm&package=left-pad");
    world.server.call(method, &format!("{path}?{query}"), body)
}

fn explain_names_the_code_that_the_client_was_told() {
    let world = World::empty();
    let publish = |version: &str| world.publish_npm(&NpmPackage::new("left-pad", version));
    for version in ["1.0.0", "1.1.0"] {
        assert!(publish(version).is_success());
    }
    // The status of a version.
    let archive = json!({"versions": ["1.0.0"], "targetStatus": "Archived"});
    let _ = call(&world, "POST", "/v1/package/versions/update_status", &archive).expect(200);
    let _ = call(&world, "POST", "/v1/package/versions/dispose", &json!({"versions": ["1.1.0"]})).expect(200);
    same(&tarball(&world, "1.0.0").expect(404), &explain(&world, &["left-pad@1.0.0"]), "status-archived");
    same(&tarball(&world, "1.1.0").expect(404), &explain(&world, &["left-pad@1.1.0"]), "status-disposed");
    // The package's origin configuration.
    same(&tarball(&world, "3.0.0").expect(404), &explain(&world, &["left-pad@3.0.0"]), "origin-upstream");
    let block = json!({"restrictions": {"publish": "BLOCK", "upstream": "BLOCK"}});
    let _ = call(&world, "POST", "/v1/package", &block).expect(200);
    same(&publish("1.2.0").expect(403), &explain(&world, &["left-pad@1.2.0", "--publish"]), "origin-publish");
    // The package's group.
    let allow = json!({"restrictions": {"publish": "ALLOW", "upstream": "ALLOW"}});
    let _ = call(&world, "POST", "/v1/package", &allow).expect(200);
    let domain = format!("domain={DOMAIN}");
    let group = |pattern: &str| {
        let body = json!({"packageGroup": pattern});
        let _ = world.server.call("POST", &format!("/v1/package-group?{domain}"), &body).expect(200);
    };
    let restrict = |pattern: &str, restrictions: &Value| {
        let escaped = pattern.replace('/', "%2F").replace('*', "%2A").replace('$', "%24");
        let target = format!("/v1/package-group-origin-configuration?{domain}&package-group={escaped}");
        let _ = world.server.call("PUT", &target, &json!({"restrictions": restrictions})).expect(200);
    };
    group("/npm/*");
    restrict("/npm/*", &json!({"PUBLISH": "BLOCK"}));
    same(&publish("1.2.0").expect(403), &explain(&world, &["left-pad@1.2.0", "--publish"]), "group-publish");
    restrict("/npm/*", &json!({"PUBLISH": "ALLOW", "INTERNAL_UPSTREAM": "BLOCK"}));
    same(&tarball(&world, "3.0.0").expect(404), &explain(&world, &["left-pad@3.0.0"]), "group-internal-upstream");
    restrict("/npm/*", &json!({"INTERNAL_UPSTREAM": "ALLOW", "EXTERNAL_UPSTREAM": "BLOCK"}));
    same(&tarball(&world, "3.0.0").expect(404), &explain(&world, &["left-pad@3.0.0"]), "group-external-upstream");
    group("/npm//left.pad$");
    same(&tarball(&world, "3.0.0").expect(404), &explain(&world, &["left-pad@3.0.0"]), "group-variant");
}

fn explain_says_which_policy_denies() {
    let world = World::empty();
    assert!(world.publish_npm(&NpmPackage::new("left-pad", "1.0.0")).is_success());
    let read = "codeartifact:ReadFromRepository";
    let deny = json!({"Effect": "Deny", "Action": read, "Resource": "*"});
    let as_user = |name: &str, key: &AccessKey, code: &str| {
        let token = world.server.token_of(key, DOMAIN);
        let target = format!("{}/left-pad", world.server.path("npm", REPOSITORY));
        let answer = world.server.request("GET", &target).token(&token).send().expect(403);
        same(&answer, &explain(&world, &["left-pad@1.0.0", "--as", &user_arn(name)]), code);
    };
    let nobody = reader(&world, "nobody", &[]);
    as_user("nobody", &nobody, "iam-not-allowed");
    let denied = reader(&world, "denied", &[allow(&[read]), deny.clone()]);
    as_user("denied", &denied, "iam-identity-deny");
    let ann = reader(&world, "ann", &[allow(&[read])]);
    assert_eq!(explain(&world, &["left-pad@1.0.0", "--as", &user_arn("ann")])["outcome"], "allowed");
    let statement = |name: &str| {
        let mut statement = deny.clone();
        statement["Principal"] = json!({"AWS": user_arn(name)});
        json!({"policyDocument": json!({"Version": "2012-10-17", "Statement": [statement]}).to_string(), "domain": DOMAIN})
    };
    let target = format!("/v1/repository/permissions/policy?domain={DOMAIN}&repository={REPOSITORY}");
    let _ = world.server.call("PUT", &target, &statement("ann")).expect(200);
    as_user("ann", &ann, "iam-repository-deny");
    let _ = world.server.call("PUT", "/v1/domain/permissions/policy", &statement("ann")).expect(200);
    as_user("ann", &ann, "iam-domain-deny");
}

fn explain_shows_every_repository_and_rule_on_the_way() {
    let world = World::empty();
    world.registry.add_npm(&NpmPackage::new("left-pad", "1.0.0"));
    let allowed = explain(&world, &["left-pad@1.0.0"]);
    assert_eq!(allowed["outcome"], "allowed");
    assert!(
        allowed["sentence"].as_str().is_some_and(|text| text.contains("public:npmjs through repository 'npm-store'"))
    );
    let set = ["policy", "set", "--repository", "npm-store", "--newest", "2001-01-01", "--minimum-age", "7d"];
    assert!(world.server.larder(&set).status.success());
    let explanation = explain(&world, &["left-pad@1.0.0", "--as", &user_arn("admin")]);
    same(&tarball(&world, "1.0.0").expect(403), &explanation, "cooldown-after-cut-off");
    let looked_at = |kind: &str, name: &str| {
        let steps = explanation["steps"].as_array().into_iter().flatten();
        let place = steps.enumerate().find(|(_, step)| step["lookedAt"] == kind && step["name"] == name);
        place.unwrap_or_else(|| panic!("no {kind} {name}: {explanation}"))
    };
    let order = [
        looked_at("repository-policy", REPOSITORY).0,
        looked_at("package-group", "/*").0,
        looked_at("repository", REPOSITORY).0,
        looked_at("repository", "npm-store").0,
        looked_at("external-connection", "public:npmjs").0,
        looked_at("cooldown", "repository 'npm-store'").0,
    ];
    assert!(order.is_sorted(), "{order:?} {explanation}");
    assert!(looked_at("external-connection", "public:npmjs").1["found"].to_string().contains("published 2020-01-01"));
    // People read it, too.
    let text = world.server.larder(&["explain", "left-pad@1.0.0", "--repository", REPOSITORY, "--format", "npm"]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    for part in
        ["refused [cooldown-after-cut-off]: version '1.0.0'", "looked at, in this order:", "what would change it:"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Nothing was fetched by asking.
    assert_eq!(world.registry.count("/npm/left-pad/-/"), 0);
}

fn path(principal: Option<&str>) -> String {
    let principal = principal.map(|arn| format!("&principal={}", arn.replace(':', "%3A").replace('/', "%2F")));
    format!(
        "/v1/larder/explain?domain={DOMAIN}&repository={REPOSITORY}&format=npm&package=left-pad&version=1.0.0{}",
        principal.unwrap_or_default()
    )
}

fn explain_of_others_is_for_those_who_administer() {
    let world = World::empty();
    assert!(world.publish_npm(&NpmPackage::new("left-pad", "1.0.0")).is_success());
    let ann = reader(&world, "ann", &[allow(&["codeartifact:ReadFromRepository"])]);
    let get =
        |key: &AccessKey, principal: Option<&str>| world.server.call_as(key, "GET", &path(principal), &Value::Null);
    let own = get(&ann, None).expect(200).json();
    assert_eq!((&own["outcome"], &own["code"]), (&json!("allowed"), &Value::Null));
    let admin = user_arn("admin");
    let refused = get(&ann, Some(&admin)).expect(403);
    assert_eq!(refused.header("x-larder-denial"), Some("iam-not-allowed"));
    assert!(refused.json()["message"].as_str().is_some_and(|message| message.contains("[iam-not-allowed]")));
    let of_ann = get(&world.server.admin_key(), Some(&user_arn("ann"))).expect(200).json();
    assert_eq!(of_ann["outcome"], "allowed");
    let unknown = get(&world.server.admin_key(), Some(&user_arn("nobody"))).expect(400);
    assert!(unknown.json()["message"].as_str().is_some_and(|message| message.contains("there is no user")));
}

fn explain_tells_nothing_to_who_has_no_rights() {
    let world = World::empty();
    let nobody = reader(&world, "nobody", &[]);
    let ask = || world.server.call_as(&nobody, "GET", &path(None), &Value::Null).expect(403).json()["message"].clone();
    let before = ask();
    assert!(world.publish_npm(&NpmPackage::new("left-pad", "1.0.0")).is_success());
    // Whether there is such a version makes no difference, here and at the package manager's endpoint.
    assert_eq!(before, ask());
    let token = world.server.token_of(&nobody, DOMAIN);
    let get = |path: &str| {
        let target = format!("{}/{path}", world.server.path("npm", REPOSITORY));
        world.server.request("GET", &target).token(&token).send().expect(403).text()
    };
    assert_eq!(get("left-pad"), get("right-pad"));
    assert_eq!(get("left-pad/-/left-pad-1.0.0.tgz"), get("left-pad/-/left-pad-9.0.0.tgz"));
}

fn policy_command_sets_the_tags_of_repositories_and_groups() {
    let world = World::empty();
    world.registry.add_npm(&NpmPackage::new("left-pad", "1.0.0"));
    let larder = |arguments: &[&str]| {
        let output = world.server.larder(arguments);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout) + &text(&output.stderr))
    };
    let _ = larder(&["external", "set", "public:npmjs", &world.registry.npm_url()]);
    let show = |of: [&str; 2]| larder(&["policy", "show", of[0], of[1]]).1;
    for of in [["--repository", "npm-store"], ["--package-group", "/*"]] {
        assert_eq!(show(of), "no rule\n");
        let (ok, said) = larder(&["policy", "set", of[0], of[1], "--minimum-age", "soon"]);
        assert!(!ok && said.contains("'7d' or '72h'"), "{said}");
        let exempt = ["--exempt", "/npm//react", "--exempt", "/npm/acme/*"];
        let set = [&["policy", "set", of[0], of[1], "--minimum-age", "3650d"], &exempt[..]].concat();
        assert!(larder(&set).0);
        assert_eq!(show(of), format!("{AGE}=3650d\n{AGE}-exempt=/npm//react /npm/acme/*\n"));
        let test = ["policy", "test", "left-pad@1.0.0", "--repository", REPOSITORY, "--format", "npm"];
        let (ok, said) = larder(&test);
        assert!(
            !ok && said.contains("holds the version back until") && said.contains("[cooldown-too-young]"),
            "{said}"
        );
        assert_eq!(tarball(&world, "1.0.0").status, 403);
        assert!(larder(&["policy", "unset", of[0], of[1], "--exempt"]).0);
        assert_eq!(show(of), format!("{AGE}=3650d\n"));
        assert!(larder(&["policy", "unset", of[0], of[1]]).0);
        assert_eq!(show(of), "no rule\n");
        assert!(larder(&test).0);
    }
}

fn package_group_rule_is_the_nearest() {
    let world = World::empty();
    for name in ["left-pad", "@acme/thing"] {
        world.registry.add_npm(&NpmPackage::new(name, "1.0.0"));
    }
    let create = |pattern: &str, age: Option<&str>| {
        let tags: Vec<Value> = age.iter().map(|age| json!({"key": AGE, "value": age})).collect();
        let body = json!({"packageGroup": pattern, "tags": tags});
        world.server.call("POST", &format!("/v1/package-group?domain={DOMAIN}"), &body)
    };
    assert!(create("/pypi/*", Some("never")).expect(400).text().contains("'7d' or '72h'"));
    let _ = create("/npm/*", Some("3650d")).expect(200);
    let _ = create("/npm/acme/*", Some("0")).expect(200);
    // It says nothing and takes over what the group above says.
    let _ = create("/npm//left-pad$", None).expect(200);
    let refused = tarball(&world, "1.0.0").expect(403);
    assert!(
        refused.text().contains("package group '/npm/*' takes versions that are 3650 days old"),
        "{}",
        refused.text()
    );
    let _ = world.npm("GET", "@acme%2fthing/-/thing-1.0.0.tgz").send().expect(200);
}
