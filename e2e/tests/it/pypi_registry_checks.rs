//! Checks of PyPI projects that come from a public registry, and P-20 to P-25, with pip or raw requests.

use std::time::{Duration, Instant};

use larder_e2e::python::{JSON_PAGE, file_entry, file_path, installed_version, pip_install, upload_both};
use larder_e2e::{World, virtual_environment};
use larder_testkit::packages::{PythonPackage, sha256};
use larder_testkit::{Client, tests};
use serde_json::json;

tests![
    p_13_yanked_upstream,
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

fn p_13_yanked_upstream() {
    let world = World::empty();
    let client = world.python_client();
    for version in ["1.0", "2.0"] {
        let package = PythonPackage::new("flawed", version);
        world.registry.add_python(&package, &package.wheel());
    }
    world.registry.change_python("flawed", "flawed-2.0-py3-none-any.whl", "yanked", &json!("it eats files"));
    let ran = pip_install(&client, "one", &["flawed"]);
    assert!(ran.success, "{}", ran.all());
    assert_eq!(installed_version(&client, "one", "flawed"), "1.0");
    let ran = pip_install(&client, "two", &["flawed==2.0"]);
    assert!(ran.success, "{}", ran.all());
    ran.says("it eats files");
}

fn p_16_uploaded_prior_to() {
    let world = World::empty();
    let client = world.python_client();
    for (version, time) in [("1.0", "2020-01-01T00:00:00.000000Z"), ("2.0", "2024-01-01T00:00:00.000000Z")] {
        let package = PythonPackage::new("aged", version);
        world.registry.add_python(&package, &package.wheel());
        world.registry.change_python("aged", &package.wheel().name, "upload-time", &json!(time));
    }
    let ran = pip_install(&client, "venv", &["aged", "--uploaded-prior-to", "2022-01-01T00:00:00Z"]);
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
    let ran = pip_install(&client, "venv", &["--require-hashes", "-r", "requirements.txt"]);
    assert!(ran.success, "{}", ran.all());
}

fn p_19_internal_project_shadows_the_public_one() {
    let world = World::empty();
    let client = world.python_client();
    upload_both(&world, &PythonPackage::new("internal", "1.0"));
    let public = PythonPackage::new("internal", "99.0");
    world.registry.add_python(&public, &public.wheel());
    let ran = pip_install(&client, "venv", &["internal"]);
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
        world
            .pypi("GET", "simple/long/")
            .header("accept", JSON_PAGE)
            .header("accept-encoding", "gzip")
            .send()
            .expect(200)
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
    let ran = pip_install(&client, "venv", &[&format!("direct @ {base}{path}")]);
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
