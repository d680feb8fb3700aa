//! Promises 3 and 4, asked of every route that the server says it has: what is blocked is never served, listed or
//! accepted, nothing is answered without rights, and the repository that was authorized is the one that is served.

use larder_e2e::everything::{Everything, FORMATS, HIDDEN, NAME, OPEN, PUBLIC_FORMATS, Route};
use larder_testkit::server::{ACCOUNT, DOMAIN, REPOSITORY};
use larder_testkit::{Response, tests};
use serde_json::{Value, json};

tests![
    every_route_needs_rights,
    every_route_keeps_back_archived_and_disposed_versions,
    every_route_keeps_back_what_may_not_come_from_upstream,
    every_route_refuses_versions_whose_publishing_is_blocked,
    every_route_keeps_back_what_a_package_group_keeps_out,
    every_route_refuses_what_a_package_group_refuses,
    every_route_serves_the_repository_that_was_authorized,
];

/// Routes that tell callers about themselves: they need a token and no rights.
const ABOUT_THE_CALLER: [(&str, &str); 6] = [
    ("npm", "Whoami"),
    ("npm", "Profile"),
    ("npm", "Tokens"),
    ("npm", "CreateToken"),
    ("npm", "Logout"),
    ("swift", "Login"),
];

/// Lists in which a version that is gone stands as gone, because the protocol has a way to say so.
const SAYS_THAT_IT_IS_GONE: [(&str, &str); 1] = [("swift", "List")];

/// Forms that clients ask for; the first is none.
const ACCEPTS: [&str; 6] = [
    "",
    "*/*",
    "application/json",
    "application/vnd.npm.install-v1+json",
    "application/vnd.pypi.simple.v1+html",
    "application/vnd.swift.registry.v1+zip",
];

/// The methods that a row stands for.
fn methods(route: &Route) -> &[&str] {
    match route.method.as_str() {
        "GET" => &["GET", "HEAD"],
        "PUT" => &["PUT"],
        "POST" => &["POST"],
        "PATCH" => &["PATCH"],
        "DELETE" => &["DELETE"],
        other => panic!("a method that this test does not know: {other}"),
    }
}

fn is_about_the_caller(route: &Route) -> bool {
    ABOUT_THE_CALLER.contains(&(route.service.as_str(), route.route.as_str()))
}

fn every_route_needs_rights() {
    let all = Everything::start();
    all.publish_all(REPOSITORY, &[OPEN, HIDDEN]);
    let server = &all.world.server;
    let nothing = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Resource": "*", "Action": ["codeartifact:GetAuthorizationToken", "sts:GetServiceBearerToken"]},
    ]});
    let nobody = server.token_of(&server.create_user(ACCOUNT, "nobody", &nothing), DOMAIN);
    let _ = server.call("POST", "/v1/domain?domain=other", &json!({})).expect(200);
    let elsewhere = server.token_of(&server.admin_key(), "other");
    let mut asked = 0;
    for route in all.format_routes() {
        for (method, target) in route
            .targets(server, REPOSITORY)
            .iter()
            .flat_map(|target| methods(route).iter().map(move |method| (*method, target)))
        {
            let request = || server.request(method, target);
            for (who, answer) in [
                ("nobody", request().send()),
                ("an unknown token", request().token("unknown").send()),
                ("an unknown key", request().header("x-nuget-apikey", "unknown").send()),
                ("a token for another domain", request().basic("aws", &elsewhere).send()),
                ("a token without rights", request().token(&nobody).send()),
                ("a password without rights", request().basic("aws", &nobody).send()),
                ("a key without rights", request().header("x-nuget-apikey", &*nobody).send()),
                ("a bare token without rights", request().header("authorization", &*nobody).send()),
            ] {
                asked += 1;
                let harmless = is_about_the_caller(route) && who.ends_with("without rights");
                assert!(harmless || answer.status >= 400, "{method} {target} as {who}: {}", answer.status);
                assert!(!answer.text().contains("bytes of"), "{method} {target} as {who}: {}", answer.text());
            }
        }
    }
    assert!(asked > 2000, "only {asked} requests were made");
    for format in FORMATS {
        let published = [OPEN, HIDDEN].map(|version| (version.to_owned(), "Published".to_owned()));
        let mut held = all.held(format, REPOSITORY);
        held.sort();
        assert_eq!(held, published, "{format}: nothing was changed");
    }
}

/// Asks every reading route for the hidden version, in every form, and looks at what is answered.
fn assert_is_hidden(all: &Everything, formats: &[&str], why: &str) {
    let server = &all.world.server;
    let (mut asked, mut served) = (0, 0);
    for route in all.format_routes().filter(|route| route.method == "GET" && formats.contains(&route.service.as_str()))
    {
        for target in route.targets(server, REPOSITORY) {
            for accept in ACCEPTS {
                for method in methods(route) {
                    let request = server.request(method, &target).basic("aws", &all.world.token);
                    let request = if accept.is_empty() { request } else { request.header("accept", accept) };
                    let answer = request.send();
                    asked += 1;
                    served += usize::from(answer.is_success());
                    let shown = format!("{why}: {method} {target} with Accept {accept:?}: {}", answer.status);
                    assert!(!(answer.is_success() && names_hidden(route, &target)), "{shown}");
                    let gone = SAYS_THAT_IT_IS_GONE.contains(&(&route.service, &route.route));
                    assert!(gone || !tells_of_hidden(&answer), "{shown}\n{}", answer.text());
                }
            }
        }
    }
    assert!(asked > 50 && served > 0, "{why}: {asked} requests, {served} answers");
}

/// Whether the address is that of the hidden version itself and of nothing else.
fn names_hidden(route: &Route, target: &str) -> bool {
    // npm reads a version as a range of versions too, and a page of NuGet's is named by its first and last version.
    let is_range = (route.service == "npm" && route.route == "Manifest") || target.contains("/page/");
    target.contains(HIDDEN) && !is_range
}

/// Whether a successful answer says that there is such a version.
fn tells_of_hidden(answer: &Response) -> bool {
    let told = answer.text().contains(HIDDEN)
        || answer
            .headers
            .iter()
            .any(|(name, value)| !name.eq_ignore_ascii_case("content-location") && value.contains(HIDDEN));
    told && answer.status < 400
}

fn every_route_keeps_back_archived_and_disposed_versions() {
    for (status, path, body) in [
        ("Archived", "update_status", json!({"versions": [HIDDEN], "targetStatus": "Archived"})),
        ("Disposed", "dispose", json!({"versions": [HIDDEN]})),
    ] {
        let all = Everything::start();
        all.publish_all(REPOSITORY, &[OPEN, HIDDEN]);
        for format in FORMATS {
            let answer =
                all.call("POST", &format!("/v1/package/versions/{path}"), format, REPOSITORY, &body).expect(200);
            assert_eq!(answer.json()["failedVersions"], json!({}), "{format}");
        }
        assert_is_hidden(&all, &FORMATS, status);
    }
}

fn every_route_keeps_back_what_may_not_come_from_upstream() {
    let mut all = Everything::start();
    all.offer_all(&[HIDDEN]);
    for format in PUBLIC_FORMATS {
        let body = json!({"restrictions": {"publish": "ALLOW", "upstream": "BLOCK"}});
        let _ = all.call("POST", "/v1/package", format, REPOSITORY, &body).expect(200);
    }
    all.publish_all(REPOSITORY, &[OPEN]);
    assert_is_hidden(&all, &PUBLIC_FORMATS, "upstream=BLOCK");
    for format in PUBLIC_FORMATS {
        assert_eq!(all.held(format, REPOSITORY), [(OPEN.to_owned(), "Published".to_owned())], "{format}");
    }
}

fn every_route_refuses_versions_whose_publishing_is_blocked() {
    let all = Everything::start();
    all.publish_all(REPOSITORY, &[OPEN]);
    for format in FORMATS {
        let body = json!({"restrictions": {"publish": "BLOCK", "upstream": "ALLOW"}});
        let _ = all.call("POST", "/v1/package", format, REPOSITORY, &body).expect(200);
    }
    assert_is_refused(&all);
}

/// Offers the hidden version at every writing route; none takes it.
fn assert_is_refused(all: &Everything) {
    let server = &all.world.server;
    let mut refused = 0;
    for format in FORMATS {
        let uploads = all.uploads(format, HIDDEN);
        let writes = all.format_routes().filter(|route| route.service == format && route.method != "GET");
        for route in writes {
            for target in route.targets(server, REPOSITORY) {
                for upload in &uploads {
                    let request = upload.clone_as(&route.method).to(server, &target).basic("aws", &all.world.token);
                    refused += usize::from(!request.send().is_success());
                }
            }
        }
        let answer = all.publish(format, REPOSITORY, HIDDEN);
        assert!(!answer.is_success(), "{format}: {} {}", answer.status, answer.text());
        let held = all.held(format, REPOSITORY);
        assert!(held.iter().all(|(version, _)| version != HIDDEN), "{format}: {held:?}");
    }
    assert!(refused > 30, "only {refused} writes were refused");
}

/// Sets modes of a package group.
fn restrict(all: &Everything, pattern: &str, restrictions: &Value) {
    let pattern = pattern.replace('/', "%2F").replace('*', "%2A").replace('$', "%24");
    let target = format!("/v1/package-group-origin-configuration?domain={DOMAIN}&package-group={pattern}");
    let _ = all.world.server.call("PUT", &target, &json!({"restrictions": restrictions})).expect(200);
}

/// Gives each format a group for a name that looks like the package's: the `a` is Cyrillic.
fn create_groups_of_variants(all: &Everything) {
    for format in FORMATS {
        let namespace = match format {
            "maven" => "com.acme",
            "swift" => "acme",
            "generic" => "_",
            _ => "",
        };
        let body = json!({"packageGroup": format!("/{format}/{namespace}/m\u{430}rked$")});
        let target = format!("/v1/package-group?domain={DOMAIN}");
        let _ = all.world.server.call("POST", &target, &body).expect(200);
    }
}

fn every_route_keeps_back_what_a_package_group_keeps_out() {
    for (why, restrictions) in [
        ("EXTERNAL_UPSTREAM=BLOCK", Some(json!({"EXTERNAL_UPSTREAM": "BLOCK"}))),
        ("INTERNAL_UPSTREAM=BLOCK", Some(json!({"INTERNAL_UPSTREAM": "BLOCK"}))),
        ("EXTERNAL_UPSTREAM with an empty list", Some(json!({"EXTERNAL_UPSTREAM": "ALLOW_SPECIFIC_REPOSITORIES"}))),
        ("a weak match", None),
    ] {
        let mut all = Everything::start();
        all.offer_all(&[HIDDEN]);
        let set_upstream = |all: &Everything, upstream: &str| {
            for format in PUBLIC_FORMATS {
                let body = json!({"restrictions": {"publish": "ALLOW", "upstream": upstream}});
                let _ = all.call("POST", "/v1/package", format, REPOSITORY, &body).expect(200);
            }
        };
        set_upstream(&all, "BLOCK");
        all.publish_all(REPOSITORY, &[OPEN]);
        match &restrictions {
            Some(restrictions) => restrict(&all, "/*", restrictions),
            None => create_groups_of_variants(&all),
        }
        // From here on the group alone decides.
        set_upstream(&all, "ALLOW");
        assert_is_hidden(&all, &PUBLIC_FORMATS, why);
        for format in PUBLIC_FORMATS {
            assert_eq!(all.held(format, REPOSITORY), [(OPEN.to_owned(), "Published".to_owned())], "{format}: {why}");
        }
        if restrictions.is_some() {
            restrict(&all, "/*", &json!({"EXTERNAL_UPSTREAM": "ALLOW", "INTERNAL_UPSTREAM": "ALLOW"}));
            assert!(all.world.packument(NAME)["versions"][HIDDEN].is_object(), "{why}: nothing else kept it out");
        }
    }
}

fn every_route_refuses_what_a_package_group_refuses() {
    for blocks in [true, false] {
        let all = Everything::start();
        all.publish_all(REPOSITORY, &[OPEN]);
        if blocks {
            restrict(&all, "/*", &json!({"PUBLISH": "BLOCK"}));
        } else {
            create_groups_of_variants(&all);
        }
        assert_is_refused(&all);
    }
}

fn every_route_serves_the_repository_that_was_authorized() {
    let all = Everything::start();
    let server = &all.world.server;
    let _ = server.call("POST", &format!("/v1/repository?domain={DOMAIN}&repository=secret"), &json!({})).expect(200);
    all.publish_all("secret", &[OPEN, HIDDEN]);
    let arn = format!("arn:aws:codeartifact:us-east-1:{ACCOUNT}:repository/{DOMAIN}/{REPOSITORY}");
    let reader = server.create_user(
        ACCOUNT,
        "reader",
        &json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Resource": "*", "Action": ["codeartifact:GetAuthorizationToken", "sts:GetServiceBearerToken"]},
            {"Effect": "Allow", "Resource": arn, "Action": "codeartifact:ReadFromRepository"},
        ]}),
    );
    let token = server.token_of(&reader, DOMAIN);
    let mut served = 0;
    for route in all.format_routes().filter(|route| route.method == "GET") {
        for target in route.targets(server, "secret") {
            // The same path is the other repository's for who may read it.
            let mine = server.request("GET", &target).basic("aws", &all.world.token).send();
            served += usize::from(tells_of_hidden(&mine));
            for spelled in spellings(&target) {
                let answer = server.request("GET", &spelled).basic("aws", &token).send();
                assert!(!tells_of_hidden(&answer), "{spelled}: {} {}", answer.status, answer.text());
                assert!(!answer.text().contains("bytes of"), "{spelled}");
            }
        }
    }
    assert!(served > 20, "only {served} addresses served anything to who may read: {NAME}");
}

/// Ways to write an address of the repository `secret` so that something on the way might take it for `my-repo`'s.
fn spellings(target: &str) -> Vec<String> {
    let through = |detour: &str| target.replacen("/secret", detour, 1);
    let mut spelled: Vec<String> = [
        "/secret",
        "/my-repo/../secret",
        "/my-repo/%2e%2e/secret",
        "/my-repo/..%2fsecret",
        "/my-repo%2f..%2fsecret",
        "/my-repo%2Fsecret",
        "/my-repo/./../secret",
        "/my-repo//../secret",
        "/my-repo\\..\\secret",
        "/my-repo/..%5csecret",
        "/my-repo/%252e%252e/secret",
        "/my-repo/..;/secret",
        "/my-repo/.%00./secret",
        "/secret%00my-repo",
        "/secret%2fmy-repo",
        "/secret/../my-repo/../secret",
        "/SECRET",
        "/%73ecret",
        "/sec%72et",
        "/secret;my-repo",
        "/secret.",
        "/secret%20",
        "//secret",
        "/my-repo?/../secret",
        "/my-repo#/../secret",
    ]
    .iter()
    .map(|detour| through(detour))
    .collect();
    spelled.push(target.replacen("/d/", "//d/", 1));
    spelled.push(target.replacen("/d/", "/d//", 1));
    spelled.push(target.replacen("/d/", "/%64/", 1));
    spelled.push(format!("http://localhost{target}"));
    spelled.push(format!("{target}/"));
    spelled
}
