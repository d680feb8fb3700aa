//! The commands that a person runs beside the server: verify, gc, configuration, addresses of registries; and presigned
//! requests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use larder_testkit::packages::NpmPackage;
use larder_testkit::server::{self, succeeds};
use larder_testkit::{Client, Server, tests, tools};
use serde_json::Value;

tests![
    maintenance_verify_finds_a_damaged_blob,
    maintenance_gc_removes_what_nothing_refers_to,
    maintenance_unknown_settings_are_errors,
    maintenance_external_detect_asks_the_clients,
    maintenance_external_set_and_unset,
    maintenance_presigned_request,
    maintenance_a_folder_without_data_is_left_alone,
];

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}

fn publish(server: &Server, name: &str) -> NpmPackage {
    let package = NpmPackage::new(name, "1.0.0");
    let target = format!("{}/{name}", server.path("npm", "my-repo"));
    let answer = server.request("PUT", &target).token(&server.token()).json(&package.publish_body()).send();
    assert!(answer.is_success(), "{answer:?}");
    package
}

fn maintenance_verify_finds_a_damaged_blob() {
    let server = Server::start();
    let package = publish(&server, "damaged");
    let stopped = server.stop();
    stopped.verify();
    let blobs = files(&stopped.data().join("storage/blobs"));
    let bytes = package.tarball();
    let damaged = blobs.iter().find(|path| fs::read(path).is_ok_and(|content| content == bytes)).expect("the blob");
    let mut changed = bytes.clone();
    changed[100] ^= 1;
    fs::remove_file(damaged).expect("the blob");
    fs::write(damaged, changed).expect("the blob");
    let found = stopped.larder(&["verify"]);
    assert_eq!(found.status.code(), Some(1), "{}", text(&found));
    let name = damaged.file_name().expect("a name").to_string_lossy().into_owned();
    assert!(text(&found).contains(&name[..16]), "{name} is not named: {}", text(&found));
    fs::remove_file(damaged).expect("the blob");
    assert_eq!(stopped.larder(&["verify"]).status.code(), Some(1), "a missing blob is found");
}

fn maintenance_gc_removes_what_nothing_refers_to() {
    let server = Server::start();
    let _ = publish(&server, "kept");
    let gone = publish(&server, "gone").tarball();
    let held = |server: &Server| {
        let blobs = files(&server.data().join("storage/blobs"));
        blobs.iter().any(|path| fs::read(path).is_ok_and(|content| content == gone))
    };
    let target = "/v1/package?domain=my-domain&repository=my-repo&format=npm&package=gone";
    let _ = server.call("DELETE", target, &Value::Null).expect(200);
    // Within the grace period nothing goes, and a dry run removes nothing either.
    let _ = succeeds(&server.larder(&["gc"]));
    let _ = succeeds(&server.larder(&["gc", "--grace-hours", "0", "--dry-run"]));
    assert!(held(&server));
    let _ = succeeds(&server.larder(&["gc", "--grace-hours", "0"]));
    assert!(!held(&server));
    server.stop().verify();
}

fn maintenance_unknown_settings_are_errors() {
    let stopped = Server::start().stop();
    let check = |file: &str| {
        fs::write(stopped.data().join("larder.toml"), file).expect("larder.toml");
        stopped.larder(&["config", "check"])
    };
    let good = check("region = \"eu-west-1\"\n");
    assert!(succeeds(&good).contains("eu-west-1"));
    let unknown = check("lissten = \"127.0.0.1:1\"\n");
    assert!(!unknown.status.success() && text(&unknown).contains("lissten"), "{}", text(&unknown));
    let wrong = check("listen = 7\n");
    assert!(!wrong.status.success() && text(&wrong).contains("listen"), "{}", text(&wrong));
}

fn maintenance_external_detect_asks_the_clients() {
    let _ = tools::need("npm");
    let python = tools::folder().join("python/pip/bin");
    let path = format!("{}:{}:{}", python.display(), tools::folder().join("bin").display(), env_path());
    let cargo_home = tempfile::tempdir().expect("a temporary folder");
    let replaced = "[source.crates-io]\nreplace-with = \"mirror\"\n[source.mirror]\nregistry = \"sparse+http://127.0.0.1:9/crates-mirror/\"\n";
    fs::write(cargo_home.path().join("config.toml"), replaced).expect("a configuration");
    let home = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir_all(home.path().join(".m2")).expect("a folder");
    fs::create_dir_all(home.path().join(".nuget/NuGet")).expect("a folder");
    let mirror = "<mirror><id>m</id><mirrorOf>*</mirrorOf><url>http://127.0.0.1:9/maven-mirror/</url></mirror>";
    let settings = format!("<settings><mirrors>{mirror}</mirrors></settings>");
    fs::write(home.path().join(".m2/settings.xml"), settings).expect("settings");
    let sources = "<configuration><packageSources><add key=\"mirror\" value=\"http://127.0.0.1:9/nuget/v3/index.json\" />\
                   </packageSources></configuration>";
    fs::write(home.path().join(".nuget/NuGet/NuGet.Config"), sources).expect("a configuration");
    let server = Server::builder()
        .env("PATH", &path)
        .env("HOME", &home.path().to_string_lossy())
        .env("npm_config_registry", "http://127.0.0.1:9/npm-mirror/")
        .env("PIP_INDEX_URL", "http://someone:secret@127.0.0.1:9/pypi-mirror/simple/")
        .env("CARGO_HOME", &cargo_home.path().to_string_lossy())
        .start();
    let listed = succeeds(&server.larder(&["external", "list"]));
    assert!(listed.contains("public:npmjs\thttp://127.0.0.1:9/npm-mirror/"), "{listed}");
    assert!(listed.contains("public:pypi\thttp://127.0.0.1:9/pypi-mirror/simple/"), "{listed}");
    assert!(listed.contains("public:crates-io\thttp://127.0.0.1:9/crates-mirror/"), "{listed}");
    assert!(listed.contains("public:maven-central\thttp://127.0.0.1:9/maven-mirror/"), "{listed}");
    assert!(listed.contains("public:nuget-org\thttp://127.0.0.1:9/nuget/v3/"), "{listed}");
    assert!(!listed.contains("secret") && !server.log().contains("secret"), "a password is shown");
    // The first start made a store repository for each of them, in front of which my-repo stands.
    let target = "/v1/repository?domain=my-domain&repository=my-repo";
    let upstreams = server.call("GET", target, &Value::Null).expect(200).json()["repository"]["upstreams"].clone();
    let names: Vec<&str> =
        upstreams.as_array().into_iter().flatten().filter_map(|one| one["repositoryName"].as_str()).collect();
    for store in ["npm-store", "pypi-store", "maven-central-store", "nuget-store", "cargo-store"] {
        assert!(names.contains(&store), "{names:?}");
    }
}

fn env_path() -> String {
    std::env::var("PATH").unwrap_or_default()
}

fn maintenance_external_set_and_unset() {
    let server = Server::start();
    let list = || succeeds(&server.larder(&["external", "list"]));
    assert!(list().contains("public:npmjs\t-"), "{}", list());
    let _ = succeeds(&server.larder(&["external", "set", "public:npmjs", "http://127.0.0.1:9/"]));
    assert!(list().contains("public:npmjs\thttp://127.0.0.1:9/"), "{}", list());
    for wrong in
        [["public:nobody", "http://127.0.0.1:9/"], ["public:npmjs", "ftp://127.0.0.1/"], ["public:npmjs", "words"]]
    {
        let refused = server.larder(&["external", "set", wrong[0], wrong[1]]);
        assert!(!refused.status.success() && text(&refused).len() > 10, "{wrong:?}: {}", text(&refused));
    }
    let _ = succeeds(&server.larder(&["external", "unset", "public:npmjs"]));
    assert!(list().contains("public:npmjs\t-"), "{}", list());
}

/// Signed in the query, as botocore does it.
fn maintenance_presigned_request() {
    let server = Server::start();
    let client = Client::new(&server);
    let program = "import boto3, sys, urllib.request\n\
        from botocore.config import Config\n\
        client = boto3.client('codeartifact', config=Config(signature_version='v4-query'))\n\
        url = client.generate_presigned_url('describe_domain', Params={'domain': 'my-domain'}, ExpiresIn=60)\n\
        assert 'X-Amz-Signature=' in url, url\n\
        print(urllib.request.urlopen(url).read().decode())\n\
        try:\n\
        \x20   urllib.request.urlopen(url.replace('domain=my-domain', 'domain=your-domain'))\n\
        \x20   sys.exit('a changed URL was taken')\n\
        except urllib.error.HTTPError as error:\n\
        \x20   assert error.code == 403, error\n";
    let ran = client.program("boto3-python").args(["-c", program]).succeeds();
    let answer: Value = serde_json::from_str(ran.text()).expect("JSON");
    assert_eq!(answer["domain"]["name"], "my-domain");
}

fn maintenance_a_folder_without_data_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("elsewhere");
    for command in [&["account", "list"][..], &["verify"], &["user", "list"]] {
        let mut larder = Command::new(server::program());
        let output = larder.args(command).arg("--data-dir").arg(&data).output().expect("runs");
        assert!(!output.status.success() && text(&output).contains("there is no database at"), "{}", text(&output));
        assert!(!data.exists(), "nothing is made by looking");
    }
}
