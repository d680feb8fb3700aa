//! Checks P-01 to P-25 with pip and twine or raw requests, of projects that are published here.

use larder_e2e::World;
use larder_e2e::python::{JSON_PAGE, file_entry, file_path, installed_version, pip_install, upload_both};
use larder_testkit::packages::{PythonPackage, sha256};
use larder_testkit::{Client, Response, tests};
use serde_json::json;

tests![
    p_01_twine_upload,
    p_03_upload_again,
    p_04_pip_install,
    p_05_pip_download_sdist,
    p_06_require_hashes,
    p_08_content_negotiation,
    p_09_index_versions_and_a_bad_pin,
    p_10_name_spellings,
    p_12_metadata_sibling,
    p_14_requires_python,
    p_15_credentials,
];

fn p_01_twine_upload() {
    let world = World::empty();
    let client = world.python_client();
    let package = PythonPackage::new("first", "1.0");
    package.write_dist(&client.folder("dist"));
    let _ = client.shell("twine upload --repository codeartifact dist/*").succeeds();
    let page = world.page("first");
    let names: Vec<&str> =
        page["files"].as_array().expect("files").iter().filter_map(|file| file["filename"].as_str()).collect();
    assert!(names.contains(&"first-1.0-py3-none-any.whl") && names.contains(&"first-1.0.tar.gz"), "{names:?}");
    assert_eq!(page["versions"], json!(["1.0"]));
}

fn p_03_upload_again() {
    let world = World::empty();
    let client = world.python_client();
    let package = PythonPackage::new("again", "1.0");
    package.write_dist(&client.folder("dist"));
    let upload = || client.shell("twine upload --repository codeartifact dist/*");
    let _ = upload().succeeds();
    let _ = upload().succeeds();
    package.file("more.py", "x = 1\n").write_dist(&client.folder("dist"));
    upload().fails().says("File already exists");
}

fn p_04_pip_install() {
    let world = World::empty();
    let client = world.python_client();
    upload_both(&world, &PythonPackage::new("lib", "1.0"));
    let ran = pip_install(&client, "venv", &["-vv", "lib"]);
    assert!(ran.success, "{}", ran.all());
    ran.says("lib-1.0-py3-none-any.whl").says(JSON_PAGE);
    assert_eq!(installed_version(&client, "venv", "lib"), "1.0");
}

fn p_05_pip_download_sdist() {
    let world = World::recorded();
    let client = world.python_client();
    let package = PythonPackage::new("from-source", "1.0");
    upload_both(&world, &package);
    let arguments = ["download", "from-source", "--no-binary", "from-source", "--no-deps"];
    let _ = client.program("pip").args(arguments).succeeds();
    let got = std::fs::read(client.home().join("from_source-1.0.tar.gz")).expect("the sdist");
    assert_eq!(got, package.sdist().bytes);
}

fn p_06_require_hashes() {
    let world = World::empty();
    let client = world.python_client();
    let package = PythonPackage::new("pinned", "1.0");
    upload_both(&world, &package);
    client.write("good.txt", format!("pinned==1.0 --hash=sha256:{}\n", sha256(&package.wheel().bytes)));
    client.write("bad.txt", format!("pinned==1.0 --hash=sha256:{}\n", "0".repeat(64)));
    let good = pip_install(&client, "one", &["--require-hashes", "-r", "good.txt"]);
    assert!(good.success, "{}", good.all());
    let bad = pip_install(&client, "two", &["--require-hashes", "-r", "bad.txt"]);
    assert!(!bad.success, "{}", bad.all());
}

fn p_08_content_negotiation() {
    let world = World::empty();
    upload_both(&world, &PythonPackage::new("types", "1.0"));
    let ask = |accept: &str| -> Response {
        let request = world.pypi("GET", "simple/types/");
        if accept.is_empty() { request.send() } else { request.header("accept", accept).send() }
    };
    let html = "application/vnd.pypi.simple.v1+html";
    let pip = format!("{JSON_PAGE}, {html}; q=0.1, text/html; q=0.01");
    for (accept, expected) in [
        (JSON_PAGE, JSON_PAGE),
        ("application/vnd.pypi.simple.latest+json", JSON_PAGE),
        (html, html),
        ("application/vnd.pypi.simple.latest+html", html),
        ("text/html", "text/html"),
        ("*/*", "text/html"),
        ("", "text/html"),
        (pip.as_str(), JSON_PAGE),
        ("text/html;q=0.9, application/vnd.pypi.simple.v1+json;q=0.1", "text/html"),
    ] {
        let answer = ask(accept).expect(200);
        let content_type = answer.need_header("content-type");
        assert_eq!(content_type.split(';').next(), Some(expected), "{accept:?}");
        assert!(answer.need_header("vary").to_lowercase().contains("accept"), "{accept:?}");
    }
    let _ = ask("application/xml").expect(406);
}

fn p_09_index_versions_and_a_bad_pin() {
    let world = World::empty();
    let client = world.python_client();
    for version in ["1.0", "2.0"] {
        upload_both(&world, &PythonPackage::new("many", version));
    }
    client
        .program("pip")
        .args(["index", "versions", "many"])
        .succeeds()
        .says("many (2.0)")
        .says("Available versions: 2.0, 1.0");
    client.program("pip").args(["download", "many==9.9"]).fails().says("No matching distribution found for many==9.9");
}

fn p_10_name_spellings() {
    let world = World::empty();
    let client = world.python_client();
    upload_both(&world, &PythonPackage::new("Foo.Bar", "1.0"));
    let second = PythonPackage::new("foo_bar", "2.0");
    upload_both(&world, &second);
    assert_eq!(world.page("foo-bar")["files"].as_array().map(Vec::len), Some(4));
    for spelling in ["simple/Foo.Bar/", "simple/foo_bar/", "simple/FOO-bar/", "simple/foo-bar"] {
        let answer = world.pypi("GET", spelling).header("accept", JSON_PAGE).send().expect(301);
        let location = answer.need_header("location");
        assert!(location.ends_with("foo-bar/"), "{spelling}: {location}");
    }
    let ran = pip_install(&client, "venv", &["FOO_bar"]);
    assert!(ran.success, "{}", ran.all());
    assert_eq!(installed_version(&client, "venv", "foo_bar"), "2.0");
}

fn p_12_metadata_sibling() {
    let world = World::empty();
    let package = PythonPackage::new("meta", "1.0").with("Requires-Dist", "six");
    upload_both(&world, &package);
    let page = world.page("meta");
    let wheel = package.wheel().name;
    let advertised = file_entry(&page, &wheel)["core-metadata"]["sha256"].as_str().expect("a hash").to_owned();
    let path = file_path(&world, "meta", &wheel);
    let sibling = world.pypi("GET", &format!("{path}.metadata")).send().expect(200);
    assert_eq!(sibling.body, package.core_metadata().into_bytes());
    assert_eq!(sha256(&sibling.body), advertised);
    let sdist = file_entry(&page, &package.sdist().name);
    assert!(sdist["core-metadata"].is_null() || sdist["core-metadata"] == false, "{sdist}");
    let path = file_path(&world, "meta", &package.sdist().name);
    let _ = world.pypi("GET", &format!("{path}.metadata")).send().expect(404);
}

fn p_14_requires_python() {
    let world = World::empty();
    let client = world.python_client();
    upload_both(&world, &PythonPackage::new("modern", "1.0").with("Requires-Python", ">=3.6"));
    upload_both(&world, &PythonPackage::new("modern", "2.0").with("Requires-Python", ">=4.0"));
    let ran = pip_install(&client, "venv", &["modern"]);
    assert!(ran.success, "{}", ran.all());
    ran.does_not_say("modern-2.0");
    assert_eq!(installed_version(&client, "venv", "modern"), "1.0");
}

fn p_15_credentials() {
    let world = World::empty();
    upload_both(&world, &PythonPackage::new("closed", "1.0"));
    let endpoint = world.server.endpoint("pypi", "my-repo");
    let index = format!("{endpoint}simple/");
    let attempt = |client: &Client, index: &str, more: &[&str]| {
        client
            .program("pip")
            .args(["download", "-vv", "closed", "--no-input", "--index-url", index])
            .args(more.iter().copied())
            .ends()
    };
    let anonymous = Client::unconfigured();
    let refused = attempt(&anonymous, &index, &[]);
    assert!(!refused.success, "{}", refused.all());
    refused.says("401");
    let challenged = world
        .server
        .request("GET", &format!("{}/simple/closed/", world.server.path("pypi", "my-repo")))
        .send()
        .expect(401);
    assert!(challenged.need_header("www-authenticate").starts_with("Basic"));

    let in_url = attempt(&anonymous, &world.index_url(), &[]);
    assert!(in_url.success, "{}", in_url.all());

    let netrc = Client::unconfigured();
    netrc.write(".netrc", format!("machine 127.0.0.1\nlogin aws\npassword {}\n", world.token));
    let ran = attempt(&netrc, &index, &[]);
    assert!(ran.success, "{}", ran.all());

    let mut keyring = Client::unconfigured();
    keyring.set("PYTHON_KEYRING_BACKEND", "keyrings.alt.file.PlaintextKeyring");
    let set = format!("printf %s '{}' | keyring set {endpoint}simple/ aws", world.token);
    let _ = keyring.shell(&set).succeeds();
    let with_user = index.replace("http://", "http://aws@");
    let ran = attempt(&keyring, &with_user, &["--keyring-provider", "subprocess"]);
    assert!(ran.success, "{}", ran.all());
}
