//! Checks P-01 to P-26 that pip and twine or raw requests show.

use std::time::{Duration, Instant};

use larder_e2e::{World, virtual_environment};
use larder_testkit::packages::{PythonPackage, sha256};
use larder_testkit::{Client, Response, tests};
use serde_json::{Value, json};

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
    p_13_yanked_upstream,
    p_14_requires_python,
    p_15_credentials,
    p_16_uploaded_prior_to,
    p_17_public_hashes_through_the_proxy,
    p_19_internal_project_shadows_the_public_one,
    p_20_html_for_old_parsers,
    p_21_project_with_5000_files,
    p_22_resumed_download,
    p_23_status_of_an_upstream_project,
    p_24_direct_file_url,
    p_25_attestations,
];

const JSON: &str = "application/vnd.pypi.simple.v1+json";

fn upload_both(world: &World, package: &PythonPackage) {
    for file in [package.wheel(), package.sdist()] {
        let _ = world.upload(package, &file).expect(200);
    }
}

/// Installs into a new virtual environment with pip and returns what it printed.
fn install(client: &Client, environment: &str, arguments: &[&str]) -> larder_testkit::Ran {
    let python = virtual_environment(client, environment);
    client.program("pip").args(["--python", &python, "install"]).args(arguments.iter().copied()).ends()
}

fn installed_version(client: &Client, environment: &str, module: &str) -> String {
    let python = client.home().join(environment).join("bin/python");
    let code = format!("import {module}; print({module}.VERSION)");
    client.system(&python.to_string_lossy()).args(["-c", &code]).succeeds().text().to_owned()
}

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
    let ran = install(&client, "venv", &["-vv", "lib"]);
    assert!(ran.success, "{}", ran.all());
    ran.says("lib-1.0-py3-none-any.whl").says(JSON);
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
    let good = install(&client, "one", &["--require-hashes", "-r", "good.txt"]);
    assert!(good.success, "{}", good.all());
    let bad = install(&client, "two", &["--require-hashes", "-r", "bad.txt"]);
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
    let pip = format!("{JSON}, {html}; q=0.1, text/html; q=0.01");
    for (accept, expected) in [
        (JSON, JSON),
        ("application/vnd.pypi.simple.latest+json", JSON),
        (html, html),
        ("application/vnd.pypi.simple.latest+html", html),
        ("text/html", "text/html"),
        ("*/*", "text/html"),
        ("", "text/html"),
        (pip.as_str(), JSON),
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
        let answer = world.pypi("GET", spelling).header("accept", JSON).send().expect(301);
        let location = answer.need_header("location");
        assert!(location.ends_with("foo-bar/"), "{spelling}: {location}");
    }
    let ran = install(&client, "venv", &["FOO_bar"]);
    assert!(ran.success, "{}", ran.all());
    assert_eq!(installed_version(&client, "venv", "foo_bar"), "2.0");
}

fn file_entry(page: &Value, name: &str) -> Value {
    let files = page["files"].as_array().expect("files");
    files.iter().find(|file| file["filename"] == name).unwrap_or_else(|| panic!("no {name} in {page}")).clone()
}

/// The path of a listed file below the endpoint.
fn file_path(world: &World, project: &str, name: &str) -> String {
    let url = file_entry(&world.page(project), name)["url"].as_str().expect("a URL").to_owned();
    let url = url.split('#').next().unwrap_or_default();
    match url.split_once("/pypi/my-repo/") {
        Some((_, path)) => path.to_owned(),
        None => format!("simple/{project}/{url}"),
    }
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

fn p_13_yanked_upstream() {
    let world = World::empty();
    let client = world.python_client();
    for version in ["1.0", "2.0"] {
        let package = PythonPackage::new("flawed", version);
        world.registry.add_python(&package, &package.wheel());
    }
    world.registry.change_python("flawed", "flawed-2.0-py3-none-any.whl", "yanked", &json!("it eats files"));
    let ran = install(&client, "one", &["flawed"]);
    assert!(ran.success, "{}", ran.all());
    assert_eq!(installed_version(&client, "one", "flawed"), "1.0");
    let ran = install(&client, "two", &["flawed==2.0"]);
    assert!(ran.success, "{}", ran.all());
    ran.says("it eats files");
}

fn p_14_requires_python() {
    let world = World::empty();
    let client = world.python_client();
    upload_both(&world, &PythonPackage::new("modern", "1.0").with("Requires-Python", ">=3.6"));
    upload_both(&world, &PythonPackage::new("modern", "2.0").with("Requires-Python", ">=4.0"));
    let ran = install(&client, "venv", &["modern"]);
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

fn p_16_uploaded_prior_to() {
    let world = World::empty();
    let client = world.python_client();
    for (version, time) in [("1.0", "2020-01-01T00:00:00.000000Z"), ("2.0", "2024-01-01T00:00:00.000000Z")] {
        let package = PythonPackage::new("aged", version);
        world.registry.add_python(&package, &package.wheel());
        world.registry.change_python("aged", &package.wheel().name, "upload-time", &json!(time));
    }
    let ran = install(&client, "venv", &["aged", "--uploaded-prior-to", "2022-01-01T00:00:00Z"]);
    assert!(ran.success, "{}", ran.all());
    assert_eq!(installed_version(&client, "venv", "aged"), "1.0");
    let python = virtual_environment(&client, "uv");
    let arguments = ["pip", "install", "--python", &python, "--exclude-newer", "2022-01-01T00:00:00Z", "aged"];
    let _ = client.program("uv").args(arguments).succeeds();
    assert_eq!(installed_version(&client, "uv", "aged"), "1.0");
}

fn p_17_public_hashes_through_the_proxy() {
    let world = World::recorded();
    let client = world.python_client();
    let page = world.page("six");
    let wheel = file_entry(&page, "six-1.17.0-py2.py3-none-any.whl");
    let recorded = larder_testkit::tools::folder().join("fixtures/pypi/files/=six-1.17.0-py2.py3-none-any.whl");
    let bytes = std::fs::read(recorded).expect("the recorded wheel");
    assert_eq!(wheel["hashes"]["sha256"], sha256(&bytes));
    client.write("requirements.txt", format!("six==1.17.0 --hash=sha256:{}\n", sha256(&bytes)));
    let ran = install(&client, "venv", &["--require-hashes", "-r", "requirements.txt"]);
    assert!(ran.success, "{}", ran.all());
}

fn p_19_internal_project_shadows_the_public_one() {
    let world = World::empty();
    let client = world.python_client();
    upload_both(&world, &PythonPackage::new("internal", "1.0"));
    let public = PythonPackage::new("internal", "99.0");
    world.registry.add_python(&public, &public.wheel());
    let ran = install(&client, "venv", &["internal"]);
    assert!(ran.success, "{}", ran.all());
    assert_eq!(installed_version(&client, "venv", "internal"), "1.0");
    assert_eq!(world.page("internal")["versions"], json!(["1.0"]));
}

fn p_20_html_for_old_parsers() {
    let world = World::empty();
    let package = PythonPackage::new("plain", "1.0").with("Requires-Python", ">=3.6,<4");
    upload_both(&world, &package);
    let html = world.pypi("GET", "simple/plain/").header("accept", "text/html").send().expect(200).text();
    assert!(html.starts_with("<!DOCTYPE html>"), "{html}");
    assert!(html.contains("data-requires-python=\"&gt;=3.6,&lt;4\""), "{html}");
    let listed = world.page("plain");
    for file in listed["files"].as_array().expect("files") {
        let name = file["filename"].as_str().expect("a name");
        let hash = file["hashes"]["sha256"].as_str().expect("a hash");
        assert!(
            html.contains(&format!("#sha256={hash}\"")) && html.contains(&format!(">{name}</a>")),
            "{name} in {html}"
        );
    }
    // html.parser is what pip uses, the regular expression what setuptools used for ten years.
    let program = "import html.parser, re, sys\n\
        text = sys.stdin.read()\n\
        class P(html.parser.HTMLParser):\n\
        \x20   links = []\n\
        \x20   def handle_starttag(self, tag, attrs):\n\
        \x20       if tag == 'a': self.links.append(dict(attrs)['href'])\n\
        P().feed(text)\n\
        old = re.findall(r'href\\s*=\\s*[\"\\']?([^\"\\'>]+)', text, re.I)\n\
        assert P.links == old and len(old) == 2, (P.links, old)\n";
    let client = Client::unconfigured();
    client.write("parse.py", program);
    client.write("page.html", html);
    let _ = client.shell("python3 parse.py < page.html").succeeds();
}

fn p_21_project_with_5000_files() {
    let world = World::empty();
    let package = PythonPackage::new("long", "1.0");
    let file = package.wheel();
    for number in 0..5000 {
        let mut version = package.clone();
        version.version = format!("1.{number}");
        let listed =
            larder_testkit::packages::PythonFile { name: format!("long-1.{number}-py3-none-any.whl"), ..file.clone() };
        world.registry.add_python(&version, &listed);
    }
    let get = || {
        world.pypi("GET", "simple/long/").header("accept", JSON).header("accept-encoding", "gzip").send().expect(200)
    };
    assert_eq!(get().json()["files"].as_array().map(Vec::len), Some(5000));
    let started = Instant::now();
    let warm = get();
    let time = started.elapsed();
    assert_eq!(warm.header("content-encoding"), Some("gzip"));
    assert!(time < Duration::from_millis(500), "{time:?}");
}

fn p_22_resumed_download() {
    let world = World::empty();
    let package = PythonPackage::new("large", "1.0").file("data.bin", vec![7_u8; 200_000]);
    upload_both(&world, &package);
    let wheel = package.wheel();
    let path = file_path(&world, "large", &wheel.name);
    let whole = world.pypi("GET", &path).header("accept-encoding", "identity").send().expect(200);
    assert_eq!(whole.header("content-encoding"), None);
    let rest = world
        .pypi("GET", &path)
        .header("range", "bytes=100-")
        .header("if-range", whole.need_header("etag"))
        .send()
        .expect(206);
    assert_eq!(rest.body, wheel.bytes[100..]);
    assert_eq!(rest.need_header("accept-ranges"), "bytes");
}

fn p_23_status_of_an_upstream_project() {
    let world = World::empty();
    for (status, offered) in [("archived", 1), ("quarantined", 0)] {
        let package = PythonPackage::new(&format!("is-{status}"), "1.0");
        world.registry.add_python(&package, &package.wheel());
        world.registry.set_project_status(&package.name, status);
        let page = world.page(&package.name);
        assert_eq!(page["project-status"]["status"], status, "{page}");
        assert_eq!(page["files"].as_array().map(Vec::len), Some(offered), "{page}");
        let mut next = package.clone();
        next.version = "2.0".to_owned();
        let refused = world.upload(&next, &next.wheel());
        assert_eq!(refused.status, 403, "{refused:?}");
        assert!(refused.text().contains(status), "{}", refused.text());
    }
}

fn p_24_direct_file_url() {
    let world = World::empty();
    let client = world.python_client();
    let package = PythonPackage::new("direct", "1.0");
    upload_both(&world, &package);
    let path = file_path(&world, "direct", &package.wheel().name);
    let head = world.pypi("HEAD", &path).send().expect(200);
    assert_eq!(head.need_header("content-length"), package.wheel().bytes.len().to_string());
    let base = world.index_url().replace("simple/", "");
    let ran = install(&client, "venv", &[&format!("direct @ {base}{path}")]);
    assert!(ran.success, "{}", ran.all());
}

fn p_25_attestations() {
    let world = World::empty();
    let package = PythonPackage::new("attested", "1.0");
    let wheel = package.wheel();
    let attestation = |hash: &str| {
        use base64::Engine;
        let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": wheel.name, "digest": {"sha256": hash}}],
            "predicateType": "https://docs.pypi.example/attestations/publish/v1",
            "predicate": null,
        });
        json!([{
            "version": 1,
            "verification_material": {"certificate": encode("none"), "transparency_entries": [{"logIndex": "0"}]},
            "envelope": {"statement": encode(&statement.to_string()), "signature": encode("none")},
        }])
    };
    let upload = |hash: &str| {
        let mut fields = package.form(&wheel);
        fields.push(("attestations".to_owned(), attestation(hash).to_string()));
        world.upload_form(&fields, Some((&wheel.name, &wheel.bytes)))
    };
    let _ = upload(&"0".repeat(64)).expect(400);
    let _ = upload(&sha256(&wheel.bytes)).expect(200);
    let listed = file_entry(&world.page("attested"), &wheel.name);
    assert!(listed["provenance"].is_string(), "{listed}");
    let path = format!("integrity/attested/1.0/{}/provenance", wheel.name);
    let provenance = world.pypi("GET", &path).send().expect(200);
    assert!(provenance.need_header("content-type").starts_with("application/vnd.pypi.integrity.v1+json"));
    let attestations = &provenance.json()["attestation_bundles"][0]["attestations"];
    assert_eq!(attestations, &attestation(&sha256(&wheel.bytes)));
}
