//! One decoder for paths (`protocols.md` 0.5): what it refuses, on every format and before anything is looked up.

use larder_e2e::World;
use larder_testkit::packages::NpmPackage;
use larder_testkit::tests;

tests![
    paths_refused_with_400,
    paths_that_look_odd_and_are_right,
    paths_do_not_leave_the_repository,
    paths_too_long,
    paths_refused_in_the_form_of_the_client,
];

/// What follows `/{format}/my-repo/`.
const REFUSED: &[&str] = &[
    "..",
    "../x",
    "x/../y",
    "./x",
    "x/.",
    "%2e%2e/x",
    "x/%2e%2e/y",
    "%2E",
    "x%00y",
    "x%0ay",
    "x%0d%0ay",
    "x%7fy",
    "x%5cy",
    "x%5c..%5cy",
    "x%2fy",
    "x%2Fy",
    "%2fetc%2fpasswd",
    "%ff",
    "x%c0%afy",
    "%252e%252e/x",
    "x%252fy",
    "x%252Fy",
    "x;y=1",
    "x;",
    "x//y",
    "//x",
    "x%",
    "x%2",
    "x%zz",
];

fn paths_refused_with_400() {
    let world = World::empty();
    for path in REFUSED {
        let npm = world.npm("GET", path).send();
        assert_eq!(npm.status, 400, "npm {path}: {npm:?}");
        let page = format!("simple/{path}/");
        let pypi = world.pypi("GET", &page).send();
        assert_eq!(pypi.status, 400, "pypi {page}: {pypi:?}");
    }
    let log = world.server.log();
    assert!(!log.contains("panicked"), "{log}");
    assert_eq!(world.registry.count("/npm/"), 0, "nothing of this reached the registry");
}

fn paths_that_look_odd_and_are_right() {
    let world = World::empty();
    assert!(world.publish_npm(&NpmPackage::new("@s/a.b_c-1", "1.0.0-rc.1")).is_success());
    for path in
        ["@s%2fa.b_c-1", "%40s%2Fa%2eb_c%2d1", "@s/a.b_c-1", "@s/%61.b_c-1", "@s/a.b_c-1/-/a.b_c-1-1.0.0-rc.1.tgz"]
    {
        let answer = world.npm("GET", path).send();
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
}

/// The same answer for what is there and what is not, whatever a filter in front of the router would have made of it.
fn paths_do_not_leave_the_repository() {
    let world = World::empty();
    assert!(world.publish_npm(&NpmPackage::new("secret", "1.0.0")).is_success());
    let base = world.server.path("npm", "my-repo");
    for target in [
        format!("{base}/../my-repo/secret"),
        format!("{base}/%2e%2e/my-repo/secret"),
        format!("{base}/x/..;/secret"),
        format!("/console/../{base}/secret"),
        format!("/-/health/live/..{base}/secret"),
        format!("{base}%2fsecret"),
    ] {
        let anonymous = world.server.request("GET", &target).send();
        assert!(!anonymous.is_success() && !anonymous.text().contains("1.0.0"), "{target}: {anonymous:?}");
        let known = world.server.request("GET", &target).token(&world.token).send();
        assert!(!known.is_success() && !known.text().contains("1.0.0"), "{target}: {known:?}");
    }
}

fn paths_too_long() {
    let world = World::empty();
    // npm's logout carries a token at the end of its path, so the last segment of npm's may be longer.
    let segment = world.npm("GET", &format!("{}/x", "a".repeat(256))).send();
    assert_eq!(segment.status, 400, "{segment:?}");
    let segment = world.pypi("GET", &format!("simple/{}/", "a".repeat(256))).send();
    assert_eq!(segment.status, 400, "{segment:?}");
    let path = "a/".repeat(5000);
    let answer = world.npm("GET", &path).send();
    assert!(matches!(answer.status, 400 | 414), "{answer:?}");
    let headers = world.npm("GET", "x").header("x-padding", "a".repeat(20_000)).send();
    assert_eq!(headers.status, 404, "20 KB of headers are fine: {headers:?}");
    let too_many = world.npm("GET", "x").header("x-padding", "a".repeat(100_000)).try_send();
    assert!(too_many.is_ok_and(|answer| matches!(answer.status, 431 | 400)), "100 KB of headers are not");
}

fn paths_refused_in_the_form_of_the_client() {
    let world = World::empty();
    let npm = world.npm("GET", "x%00y").send().expect(400);
    assert!(npm.json()["error"].as_str().is_some_and(|error| !error.is_empty()));
    let pypi = world.pypi("GET", "simple/x%00y/").send().expect(400);
    assert!(!pypi.text().trim().is_empty());
}
