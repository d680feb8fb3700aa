//! Bad input to PyPI's endpoints, over raw HTTP: each row its status, a sentence, and nothing stored.

use larder_e2e::World;
use larder_testkit::packages::{PythonFile, PythonPackage, md5, sha256, tarball_of, zip_of};
use larder_testkit::{Response, tests};
use serde_json::json;

tests![
    pypi_bad_forms,
    pypi_bad_names_and_versions,
    pypi_bad_file_names,
    pypi_bad_digests,
    pypi_bad_wheels,
    pypi_bad_sdists,
    pypi_conflicts,
    pypi_confusable_names,
    pypi_blocked_projects,
    pypi_wrong_methods,
    pypi_too_many_fields,
    pypi_too_large,
];

fn refused(what: &str, answer: &Response, status: u16) {
    assert_eq!(answer.status, status, "{what}: {answer:?}");
    assert!(answer.text().trim().len() > 5, "{what} is not explained: {answer:?}");
    assert!(answer.reason.is_ascii() && answer.reason.len() > 3, "{what}: reason {:?}", answer.reason);
}

fn absent(world: &World, project: &str) {
    let answer = world.pypi("GET", &format!("simple/{project}/")).send();
    assert_eq!(answer.status, 404, "something of {project} was stored: {}", answer.text());
}

type Fields = Vec<(String, String)>;

fn set(fields: &mut Fields, name: &str, value: &str) {
    match fields.iter_mut().find(|(have, _)| have == name) {
        Some((_, old)) => value.clone_into(old),
        None => fields.push((name.to_owned(), value.to_owned())),
    }
}

/// Uploads a form with one field set to something else.
fn upload_with(world: &World, package: &PythonPackage, field: &str, value: &str) -> Response {
    let wheel = package.wheel();
    let mut fields = package.form(&wheel);
    set(&mut fields, field, value);
    world.upload_form(&fields, Some((&wheel.name, &wheel.bytes)))
}

fn pypi_bad_forms() {
    let world = World::empty();
    let package = PythonPackage::new("form", "1.0");
    let wheel = package.wheel();
    for (field, value) in [
        (":action", "doc_upload"),
        (":action", "verify"),
        (":action", ""),
        ("protocol_version", "2"),
        ("filetype", "bdist_egg"),
        ("filetype", "bdist_wininst"),
        ("filetype", "bdist_msi"),
        ("filetype", "bdist_rpm"),
        ("filetype", "sdist"),
    ] {
        refused(&format!("{field}={value}"), &upload_with(&world, &package, field, value), 400);
    }
    refused("register", &upload_with(&world, &package, ":action", "submit"), 410);
    let mut fields = package.form(&wheel);
    fields.retain(|(name, _)| name != ":action");
    refused("no action", &world.upload_form(&fields, Some((&wheel.name, &wheel.bytes))), 400);
    refused("no file", &world.upload_form(&package.form(&wheel), None), 400);

    // Two files in one form: the second copy of the part goes before the end of the first.
    let (content_type, body) =
        larder_testkit::packages::multipart(&package.form(&wheel), Some((&wheel.name, &wheel.bytes)));
    let boundary = content_type.split_once("boundary=").expect("a boundary").1.to_owned();
    let end = format!("--{boundary}--\r\n");
    let mut twice = body[..body.len() - end.len()].to_vec();
    let part = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"content\"; filename=\"{}\"\r\n\r\nx\r\n{end}",
        wheel.name
    );
    twice.extend_from_slice(part.as_bytes());
    refused("two files", &world.pypi("POST", "").header("content-type", &content_type).body(twice).send(), 400);
    let cut = body[..body.len() - end.len() - 20].to_vec();
    refused("cut off", &world.pypi("POST", "").header("content-type", &content_type).body(cut).send(), 400);
    refused("not multipart", &world.pypi("POST", "").json(&json!({"name": "form"})).send(), 415);
    absent(&world, "form");
}

fn pypi_bad_names_and_versions() {
    let world = World::empty();
    let package = PythonPackage::new("naming", "1.0");
    for name in ["", "-x", "x-", "x!", "ünï", "a b", "naming\n", "other", "../naming"] {
        refused(&format!("name {name:?}"), &upload_with(&world, &package, "name", name), 400);
    }
    for version in ["", "one", "1.0-", "1..0", "2.0", "1.0+é", "../1.0"] {
        refused(&format!("version {version:?}"), &upload_with(&world, &package, "version", version), 400);
    }
    absent(&world, "naming");
    absent(&world, "other");
}

fn pypi_bad_file_names() {
    let world = World::empty();
    let package = PythonPackage::new("filed", "1.0");
    let wheel = package.wheel();
    for name in [
        "../filed-1.0-py3-none-any.whl",
        "a/filed-1.0-py3-none-any.whl",
        "a%2ffiled-1.0-py3-none-any.whl",
        "filed\\-1.0-py3-none-any.whl",
        "filed-1.0-py3-none-any\u{202e}.whl",
        "filed-1.0-py3-none-any\u{200b}.whl",
        "filed-1.0-py3-none-any.whl\u{7f}",
        "filed-1.0.whl",
        "other-1.0-py3-none-any.whl",
        "filed-2.0-py3-none-any.whl",
        "filed-1.0-py3-none-any.exe",
        "filed-1.0-py3-none-any",
        ".whl",
        "",
    ] {
        let answer = world.upload_form(&package.form(&wheel), Some((name, &wheel.bytes)));
        refused(&format!("{name:?}"), &answer, 400);
    }
    absent(&world, "filed");
}

fn pypi_bad_digests() {
    let world = World::empty();
    let package = PythonPackage::new("digest", "1.0");
    for (field, value) in [
        ("md5_digest", "0".repeat(32)),
        ("sha256_digest", "0".repeat(64)),
        ("blake2_256_digest", "0".repeat(64)),
        ("md5_digest", "nothex".to_owned()),
        ("sha256_digest", "xyz".to_owned()),
        ("sha256_digest", "00".to_owned()),
    ] {
        refused(&format!("{field}={value}"), &upload_with(&world, &package, field, &value), 400);
    }
    absent(&world, "digest");
}

/// Uploads these bytes as the wheel, with digests that fit them.
fn upload_bytes(world: &World, package: &PythonPackage, file: &PythonFile, bytes: &[u8]) -> Response {
    let mut fields = package.form(file);
    set(&mut fields, "md5_digest", &md5(bytes));
    set(&mut fields, "sha256_digest", &sha256(bytes));
    world.upload_form(&fields, Some((&file.name, bytes)))
}

fn pypi_bad_wheels() {
    let world = World::empty();
    let package = PythonPackage::new("wheels", "1.0");
    let wheel = package.wheel();
    let metadata = ("wheels-1.0.dist-info/METADATA".to_owned(), package.core_metadata().into_bytes());
    let tag = ("wheels-1.0.dist-info/WHEEL".to_owned(), b"Wheel-Version: 1.0\nTag: py3-none-any\n".to_vec());
    let record = |text: &str| ("wheels-1.0.dist-info/RECORD".to_owned(), text.as_bytes().to_vec());
    let listed = "wheels-1.0.dist-info/METADATA,,\nwheels-1.0.dist-info/WHEEL,,\nwheels-1.0.dist-info/RECORD,,\n";
    let module = |name: &str| (name.to_owned(), b"x = 1\n".to_vec());
    let full = |extra: (String, Vec<u8>), list: &str| zip_of(&[extra, metadata.clone(), tag.clone(), record(list)]);
    let other = PythonPackage::new("another", "1.0").core_metadata().into_bytes();
    let mut prefixed = b"#!/bin/sh\nexit\n".to_vec();
    prefixed.extend_from_slice(&wheel.bytes);
    let mut trailing = wheel.bytes.clone();
    trailing.extend_from_slice(b"behind the end");
    // Two names of one length, then one renamed to the other: the writer itself refuses duplicates.
    let duplicate = rename(&full(module("same1.py"), listed), b"same1.py", b"WHEEL___");
    let bomb = zip_of(&[("zeros".to_owned(), vec![0; 120 << 20]), metadata.clone(), tag.clone(), record(listed)]);
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("not a zip", b"this is no archive".to_vec()),
        ("empty", Vec::new()),
        ("a tar", package.sdist().bytes),
        ("truncated", wheel.bytes[..wheel.bytes.len() / 2].to_vec()),
        ("bytes in front", prefixed),
        ("bytes behind", trailing),
        ("no METADATA", zip_of(&[module("wheels.py"), tag.clone(), record(listed)])),
        ("no WHEEL", zip_of(&[metadata.clone(), record(listed)])),
        ("no RECORD", zip_of(&[metadata.clone(), tag.clone()])),
        (
            "RECORD lists what is not there",
            full(module("wheels.py"), &format!("{listed}wheels.py,,\nmissing.py,sha256=AAAA,3\n")),
        ),
        ("RECORD does not list what is there", full(module("wheels.py"), listed)),
        (
            "RECORD has another hash",
            full(
                module("wheels.py"),
                &format!("{listed}wheels.py,sha256=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA,6\n"),
            ),
        ),
        (
            "METADATA of another project",
            zip_of(&[("wheels-1.0.dist-info/METADATA".to_owned(), other), tag.clone(), record(listed)]),
        ),
        ("parent folder", full(module("../x.py"), &format!("{listed}../x.py,,\n"))),
        ("absolute path", full(module("/etc/x.py"), &format!("{listed}/etc/x.py,,\n"))),
        ("backslash", full(module("a\\..\\x.py"), &format!("{listed}a\\..\\x.py,,\n"))),
        ("names differ between headers", duplicate),
        ("bomb", bomb),
    ];
    for (what, bytes) in rows {
        refused(what, &upload_bytes(&world, &package, &wheel, &bytes), 400);
        absent(&world, "wheels");
    }
    assert!(!world.server.log().contains("panicked"));
}

/// Replaces the first occurrence of some bytes by as many others.
fn rename(archive: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut changed = archive.to_vec();
    let position = archive.windows(from.len()).position(|window| window == from).expect("the name is in the archive");
    changed[position..position + to.len()].copy_from_slice(to);
    changed
}

fn pypi_bad_sdists() {
    let world = World::empty();
    let package = PythonPackage::new("sources", "1.0");
    let sdist = package.sdist();
    let info = ("sources-1.0/PKG-INFO".to_owned(), package.core_metadata().into_bytes());
    let other = PythonPackage::new("another", "1.0").core_metadata().into_bytes();
    let file = |name: &str| (name.to_owned(), b"x".to_vec());
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("not gzip", b"words".to_vec()),
        ("a wheel", package.wheel().bytes),
        ("truncated", sdist.bytes[..sdist.bytes.len() / 2].to_vec()),
        ("no PKG-INFO", tarball_of(&[file("sources-1.0/setup.py")])),
        ("two top folders", tarball_of(&[info.clone(), file("elsewhere/x")])),
        ("parent folder", tarball_of(&[info.clone(), file("sources-1.0/../../x")])),
        ("absolute path", tarball_of(&[info.clone(), file("/etc/x")])),
        ("PKG-INFO of another project", tarball_of(&[("sources-1.0/PKG-INFO".to_owned(), other)])),
        ("bomb", tarball_of(&[info, ("sources-1.0/zeros".to_owned(), vec![0; 120 << 20])])),
    ];
    for (what, bytes) in rows {
        refused(what, &upload_bytes(&world, &package, &sdist, &bytes), 400);
        absent(&world, "sources");
    }
}

fn pypi_conflicts() {
    let world = World::empty();
    let package = PythonPackage::new("once", "1.0");
    for file in [package.wheel(), package.sdist()] {
        let _ = world.upload(&package, &file).expect(200);
        let _ = world.upload(&package, &file).expect(200);
    }
    let changed = package.clone().file("more.py", "x = 1\n");
    let answer = world.upload(&changed, &changed.wheel());
    refused("other bytes", &answer, 400);
    assert!(answer.text().contains("File already exists"), "{}", answer.text());
    // A second source distribution of the release under another spelling of its name.
    let mut second = changed.sdist();
    second.name = "once-1.0.0.tar.gz".to_owned();
    let mut same = changed;
    same.version = "1.0.0".to_owned();
    refused("second sdist", &world.upload(&same, &PythonFile { name: second.name, ..same.sdist() }), 400);
    assert_eq!(world.page("once")["files"].as_array().map(Vec::len), Some(2));

    let target = "/v1/package/versions/delete?domain=my-domain&repository=my-repo&format=pypi&package=once";
    let _ = world.server.call("POST", target, &json!({"versions": ["1.0"]})).expect(200);
    absent(&world, "once");
}

fn pypi_confusable_names() {
    let world = World::empty();
    let package = PythonPackage::new("hello", "1.0");
    let _ = world.upload(&package, &package.wheel()).expect(200);
    for twin in ["he11o", "hell0", "heIlo"] {
        let package = PythonPackage::new(twin, "1.0");
        refused(twin, &world.upload(&package, &package.wheel()), 400);
    }
}

fn pypi_blocked_projects() {
    let world = World::empty();
    let target = "/v1/package?domain=my-domain&repository=my-repo&format=pypi&package=reserved";
    let restrictions = json!({"restrictions": {"publish": "BLOCK", "upstream": "ALLOW"}});
    let _ = world.server.call("POST", target, &restrictions).expect(200);
    let package = PythonPackage::new("reserved", "1.0");
    refused("blocked", &world.upload(&package, &package.wheel()), 403);
    let public = PythonPackage::new("public", "1.0");
    world.registry.add_python(&public, &public.wheel());
    let page = world.page("public");
    let url = page["files"][0]["url"].as_str().expect("a URL");
    let path =
        url.split_once("/pypi/my-repo/").map_or_else(|| format!("simple/public/{url}"), |(_, path)| path.to_owned());
    let _ = world.pypi("GET", path.split('#').next().unwrap_or_default()).send().expect(200);
    world.wait_until_retained("pypi", "public", "1.0");
    let own = PythonPackage::new("public", "2.0");
    refused("came from outside", &world.upload(&own, &own.wheel()), 403);
}

fn pypi_wrong_methods() {
    let world = World::empty();
    for (method, path) in [("PUT", "simple/x/"), ("DELETE", "simple/x/"), ("POST", "simple/x/"), ("PATCH", "")] {
        let answer = world.pypi(method, path).send();
        refused(&format!("{method} {path}"), &answer, 405);
        assert!(answer.header("allow").is_some(), "{method} {path}: {answer:?}");
    }
    let answer = world.pypi("GET", "").send();
    refused("GET of the upload URL", &answer, 405);
    assert!(answer.text().contains("simple/"), "{}", answer.text());
}

fn pypi_too_many_fields() {
    let world = World::empty();
    let package = PythonPackage::new("fields", "1.0");
    let wheel = package.wheel();
    let mut fields = package.form(&wheel);
    fields.extend((0..1001).map(|number| ("classifiers".to_owned(), format!("C :: {number}"))));
    refused("1,011 fields", &world.upload_form(&fields, Some((&wheel.name, &wheel.bytes))), 413);
    refused("11 MiB of text", &upload_with(&world, &package, "description", &"x".repeat(11 << 20)), 413);
    absent(&world, "fields");
}

fn pypi_too_large() {
    let world = World::empty();
    let request = world.pypi("POST", "").header("content-type", "multipart/form-data; boundary=x");
    let answer = request.lying_about_its_length("9000000000").try_send().expect("a refusal before the body");
    refused("9 GB", &answer, 413);
}
