//! Checks C-01 to C-14, C-20 and C-22 with cargo itself: what concerns crates that are published here.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use larder_e2e::World;
use larder_e2e::cargo::{Crate, add_crates};
use larder_testkit::client::Run;
use larder_testkit::server::ACCOUNT;
use larder_testkit::{Client, tests};
use serde_json::{Value, json};

tests![
    c_01_login_and_publish,
    c_02_publish_again,
    c_03_add_and_build,
    c_04_offline_build_and_unchanged_index,
    c_05_no_wrong_and_right_token,
    c_06_bearer_basic_and_token_from_stdout,
    c_07_yank_and_undo,
    c_08_owner,
    c_09_search,
    c_10_info_and_install,
    c_11_every_kind_of_dependency,
    c_12_names,
    c_13_build_metadata,
    c_14_workspace,
    c_20_vendor_and_package,
    c_22_kilobyte_long_token,
    cargo_a_reader_may_not_write,
];

/// Writes a crate below the home.
fn write(client: &Client, one: &Crate) -> PathBuf {
    let folder = client.folder(&one.name);
    one.write_to(&folder);
    folder
}

fn cargo<'a>(client: &'a Client, arguments: &str) -> Run<'a> {
    client.system("cargo").args(arguments.split(' '))
}

fn publish(client: &Client, one: &Crate) {
    let folder = write(client, one);
    let _ = cargo(client, "publish --allow-dirty --no-verify").in_folder(folder).succeeds();
}

/// A program that prints what its dependency is.
fn program(of: &str) -> Crate {
    let code = format!("fn main() {{\n    println!(\"{{}}\", {}::who());\n}}\n", of.replace('-', "_"));
    Crate::new("app", "0.1.0").file("src/main.rs", &code).section("[dependencies]")
}

fn c_01_login_and_publish() {
    let world = World::cargo();
    let client = world.cargo_client_without_token();
    let _ = client.shell(&format!("printf %s '{}' | cargo login --registry larder", world.token)).succeeds();
    let folder = write(&client, &Crate::new("foo", "1.0.0").file("README.md", "# Foo"));
    let started = Instant::now();
    let ran = cargo(&client, "publish --registry larder --allow-dirty").in_folder(folder).succeeds();
    ran.says("Uploaded foo v1.0.0").says("Published foo v1.0.0");
    assert!(started.elapsed() < Duration::from_secs(50), "cargo waited for the index");
    let described = "/v1/package/version?domain=my-domain&repository=my-repo&format=cargo&package=foo&version=1.0.0";
    let version = world.server.call("GET", described, &Value::Null).expect(200).json()["packageVersion"].clone();
    assert_eq!((&version["displayName"], &version["summary"]), (&json!("foo"), &json!("foo for tests")));
    let readme = described.replace("/version?", "/version/readme?");
    assert_eq!(world.server.call("GET", &readme, &Value::Null).expect(200).json()["readme"], "# Foo");
}

fn c_02_publish_again() {
    let world = World::cargo();
    let client = world.cargo_client();
    let one = Crate::new("foo", "1.0.0");
    publish(&client, &one);
    let again = cargo(&client, "publish --allow-dirty --no-verify").in_folder(client.home().join("foo")).fails();
    again.says("already exists");
    // cargo looks into the index first; a second publish at the same time would get this far.
    let refused = world.publish_crate(&one).expect(409).json();
    assert!(refused["errors"][0]["detail"].as_str().is_some_and(|detail| detail.contains("already exists")));
}

fn c_03_add_and_build() {
    let world = World::cargo();
    let client = world.cargo_client();
    publish(&client, &Crate::new("foo-lib", "1.2.3"));
    let app = write(&client, &program("foo-lib"));
    let _ = cargo(&client, "add foo-lib --registry larder").in_folder(&app).succeeds();
    assert_eq!(cargo(&client, "run --quiet").in_folder(&app).succeeds().text(), "foo-lib 1.2.3");
    let lock = client.read("app/Cargo.lock");
    assert!(lock.contains(&format!("source = \"{}\"", world.cargo_index())) && lock.contains("checksum = "), "{lock}");
}

fn c_04_offline_build_and_unchanged_index() {
    let world = World::cargo();
    let client = world.cargo_client();
    publish(&client, &Crate::new("foo", "1.0.0"));
    let app = write(&client, &program("foo"));
    let _ = cargo(&client, "add foo --registry larder").in_folder(&app).succeeds();
    let _ = cargo(&client, "fetch").in_folder(&app).succeeds();
    let _ = cargo(&client, "build --locked --offline").in_folder(&app).succeeds();
    // Resolving again asks for the index file again, with what it knows of it.
    let before = world.server.log().matches("/3/f/foo").count();
    fs::remove_file(app.join("Cargo.lock")).expect("Cargo.lock");
    let _ = cargo(&client, "generate-lockfile").in_folder(&app).succeeds();
    let log = world.server.log();
    let asked: Vec<&str> = log.lines().filter(|line| line.contains("/3/f/foo")).collect();
    assert!(asked.len() > before, "the index was not asked");
    assert!(asked[before..].iter().all(|line| line.contains("304")), "{asked:#?}");
}

fn c_05_no_wrong_and_right_token() {
    let world = World::cargo();
    let client = world.cargo_client_without_token();
    assert!(world.publish_crate(&Crate::new("foo", "1.0.0")).is_success());
    let app = write(&client, &program("foo").section("foo = { version = \"1\", registry = \"larder\" }"));
    let build = || cargo(&client, "build").in_folder(&app);
    let login = format!("{}me", world.server.endpoint("cargo", "my-repo"));
    build().fails().says("no token found").says("cargo login");
    client.write(".cargo/credentials.toml", "[registries.larder]\ntoken = \"wrong\"\n");
    build().fails().says("401").says("token");
    client.write(".cargo/credentials.toml", format!("[registries.larder]\ntoken = \"{}\"\n", world.token));
    let _ = build().succeeds();

    // The address that cargo shows when it asks for a token, and what is there.
    let target = format!("{}/config.json", world.server.path("cargo", "my-repo"));
    let refused = world.server.request("GET", &target).send().expect(401);
    assert_eq!(refused.need_header("www-authenticate"), format!("Cargo login_url=\"{login}\""));
    assert!(refused.json()["errors"][0]["detail"].is_string());
    cargo(&client, "login --registry larder").ends().says(&login);
    let page = world.server.request("GET", &target.replace("config.json", "me")).send().expect(200);
    assert!(page.need_header("content-type").starts_with("text/plain"));
    assert!(page.text().contains("get-authorization-token") && page.text().contains(&world.cargo_index()));
}

fn c_06_bearer_basic_and_token_from_stdout() {
    use base64::Engine as _;
    let world = World::cargo();
    assert!(world.publish_crate(&Crate::new("foo", "1.0.0")).is_success());
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("aws:{}", world.token));
    for token in [world.token.clone(), format!("Bearer {}", world.token), format!("Basic {basic}")] {
        let client = world.cargo_client_without_token();
        client.write(".cargo/credentials.toml", format!("[registries.larder]\ntoken = \"{token}\"\n"));
        cargo(&client, "info foo --registry larder").succeeds().says("1.0.0");
    }
    let client = world.cargo_client_of("my-repo", "[\"cargo:token-from-stdout\", \"cat\", \"token.txt\"]");
    client.write("token.txt", format!("{}\n", world.token));
    cargo(&client, "info foo --registry larder").succeeds().says("1.0.0");
    // The command of the AWS documentation, as one string.
    let provider = "\"cargo:token-from-stdout aws codeartifact get-authorization-token --domain my-domain \
                    --query authorizationToken --output text\"";
    let client = world.cargo_client_of("my-repo", provider);
    let _ = client.program("aws").arg("--version").succeeds();
    publish(&client, &Crate::new("bar", "1.0.0"));
}

fn c_07_yank_and_undo() {
    let world = World::cargo();
    let client = world.cargo_client();
    for version in ["1.0.0", "1.1.0"] {
        publish(&client, &Crate::new("foo", version));
    }
    let app = write(&client, &program("foo"));
    let _ = cargo(&client, "add foo@1 --registry larder").in_folder(&app).succeeds();
    let _ = cargo(&client, "fetch").in_folder(&app).succeeds();
    let yanked = || world.index_lines("foo").iter().map(|line| line["yanked"].clone()).collect::<Vec<_>>();
    let _ = cargo(&client, "yank foo --version 1.1.0 --registry larder").succeeds();
    assert_eq!(yanked(), [false, true]);
    // What is locked still builds, also in an empty home; a new resolution takes another one.
    let fresh = world.cargo_client();
    let copy = write(&fresh, &program("foo"));
    for file in ["Cargo.toml", "Cargo.lock"] {
        fresh.write(&format!("app/{file}"), client.read(&format!("app/{file}")));
    }
    assert_eq!(cargo(&fresh, "run --quiet --locked").in_folder(&copy).succeeds().text(), "foo 1.1.0");
    fs::remove_file(copy.join("Cargo.lock")).expect("Cargo.lock");
    assert_eq!(cargo(&fresh, "run --quiet").in_folder(&copy).succeeds().text(), "foo 1.0.0");
    let _ = cargo(&client, "yank foo --version 1.1.0 --registry larder --undo").succeeds();
    assert_eq!(yanked(), [false, false]);
    cargo(&client, "yank foo --version 9.9.9 --registry larder").fails().says("no version '9.9.9'");
}

fn c_08_owner() {
    let world = World::cargo();
    let client = world.cargo_client();
    publish(&client, &Crate::new("foo", "1.0.0"));
    cargo(&client, "owner --list foo --registry larder").succeeds().says("admin");
    cargo(&client, "owner --add admin foo --registry larder").succeeds().says("may publish crate 'foo' already");
    for change in ["--add somebody", "--remove admin"] {
        cargo(&client, &format!("owner {change} foo --registry larder")).fails().says("decided by the policies");
    }
}

fn c_09_search() {
    let world = World::cargo();
    let client = world.cargo_client();
    for name in ["my-tool", "my-other-tool", "library"] {
        publish(&client, &Crate::new(name, "0.3.0"));
    }
    let found = cargo(&client, "search tool --registry larder").succeeds();
    found.says("my-tool = \"0.3.0\"").says("# my-tool for tests").says("my-other-tool").does_not_say("library");
}

fn c_10_info_and_install() {
    let world = World::cargo();
    let client = world.cargo_client();
    let mut tool = program("foo").section("foo = { version = \"1\", registry = \"larder\" }");
    (tool.name, tool.version) = ("tool".to_owned(), "2.0.0".to_owned());
    publish(&client, &Crate::new("foo", "1.0.0"));
    publish(&client, &tool);
    cargo(&client, "info tool --registry larder").succeeds().says("version: 2.0.0").says("license: MIT");
    let _ = cargo(&client, "install tool --registry larder --debug --quiet").succeeds();
    assert_eq!(client.system("bash").args(["-c", "~/.cargo/bin/tool"]).succeeds().text(), "foo 1.0.0");
}

fn c_11_every_kind_of_dependency() {
    let world = World::cargo();
    add_crates(&world.registry, &[Crate::new("public", "1.0.0")]);
    let client = world.cargo_client();
    let other = world.server.endpoint("cargo", "cargo-store");
    let configured = client.read(".cargo/config.toml");
    let more = format!("\n[registries.store]\nindex = \"sparse+{other}\"\ncredential-provider = [\"cargo:token\"]\n");
    client.write(".cargo/config.toml", configured + &more);
    let tokens = format!("[registries.larder]\ntoken = \"{0}\"\n[registries.store]\ntoken = \"{0}\"\n", world.token);
    client.write(".cargo/credentials.toml", tokens);
    for name in ["plain", "renamed", "optional", "weak", "unix-only", "for-tests", "for-build"] {
        publish(&client, &Crate::new(name, "1.0.0").section("[features]\nextra = []"));
    }
    let mine = |name: &str, more: &str| format!("{name} = {{ version = \"1.0\", registry = \"larder\"{more} }}\n");
    let code =
        "pub fn who() -> String {\n    format!(\"{} {} {}\", plain::who(), other_name::who(), public::who())\n}\n";
    let all = Crate::new("all", "1.0.0")
        .package("rust-version = \"1.70\"\nlinks = \"all\"\nbuild = \"build.rs\"")
        .file("src/lib.rs", code)
        .file("build.rs", "fn main() {\n    let _ = for_build::who();\n}\n")
        .section(&format!(
            "[dependencies]\n{}{}{}{}public = {{ version = \"1\", registry = \"store\" }}",
            mine("plain", ", default-features = false, features = [\"extra\"]"),
            mine("other-name", ", package = \"renamed\""),
            mine("optional", ", optional = true"),
            mine("weak", ", optional = true"),
        ))
        .section(&format!("[target.'cfg(unix)'.dependencies]\n{}", mine("unix-only", "")))
        .section(&format!("[dev-dependencies]\n{}", mine("for-tests", "")))
        .section(&format!("[build-dependencies]\n{}", mine("for-build", "")))
        .section("[features]\ndefault = []\nold = [\"plain/extra\"]\nnew = [\"dep:optional\"]\nweakly = [\"dep:weak\", \"weak?/extra\"]");
    publish(&client, &all);

    let mut line = world.index_lines("all").remove(0);
    let deps = line["deps"].as_array_mut().expect("dependencies");
    deps.sort_by_key(|dependency| dependency["name"].to_string());
    let dependency = |name: &str, changes: Value| {
        let mut expected = json!({"name": name, "req": "^1.0", "features": [], "optional": false, "default_features": true,
            "target": null, "kind": "normal", "registry": null, "package": null});
        for (member, value) in changes.as_object().into_iter().flatten() {
            expected[member] = value.clone();
        }
        expected
    };
    let expected = json!([
        dependency("for-build", json!({"kind": "build"})),
        dependency("for-tests", json!({"kind": "dev"})),
        dependency("optional", json!({"optional": true})),
        dependency("other-name", json!({"package": "renamed"})),
        dependency("plain", json!({"default_features": false, "features": ["extra"]})),
        dependency("public", json!({"req": "^1", "registry": format!("sparse+{other}")})),
        dependency("unix-only", json!({"target": "cfg(unix)"})),
        dependency("weak", json!({"optional": true})),
    ]);
    assert_eq!(line["deps"], expected);
    assert_eq!(line["features"], json!({"default": [], "old": ["plain/extra"]}));
    assert_eq!(line["features2"], json!({"new": ["dep:optional"], "weakly": ["dep:weak", "weak?/extra"]}));
    assert_eq!((&line["v"], &line["links"], &line["rust_version"]), (&json!(2), &json!("all"), &json!("1.70")));

    let target =
        "/v1/package/version/dependencies?domain=my-domain&repository=my-repo&format=cargo&package=all&version=1.0.0";
    let listed = world.server.call("POST", target, &Value::Null).expect(200).json();
    let renamed = listed["dependencies"].as_array().expect("a list").iter().find(|one| one["package"] == "renamed");
    let expected = json!({"package": "renamed", "dependencyType": "normal", "versionRequirement": "^1.0"});
    assert_eq!(renamed.expect("the renamed one"), &expected);

    let uses = "all = { version = \"1\", registry = \"larder\", features = [\"old\", \"new\", \"weakly\"] }";
    let app = write(&client, &program("all").section(uses));
    assert_eq!(
        cargo(&client, "run --quiet").in_folder(&app).succeeds().text(),
        "plain 1.0.0 renamed 1.0.0 public 1.0.0"
    );
}

fn c_12_names() {
    let world = World::cargo();
    let client = world.cargo_client();
    for name in ["a", "ab", "abc", "Foo-Bar"] {
        publish(&client, &Crate::new(name, "1.0.0"));
    }
    let app = write(&client, &program("Foo-Bar"));
    let _ = cargo(&client, "add a ab abc Foo-Bar --registry larder").in_folder(&app).succeeds();
    assert_eq!(cargo(&client, "run --quiet").in_folder(&app).succeeds().text(), "Foo-Bar 1.0.0");
    for twin in ["foo_bar", "foo-bar", "FOO-BAR"] {
        let folder = write(&client, &Crate::new(twin, "2.0.0"));
        let refused = cargo(&client, "publish --allow-dirty --no-verify").in_folder(folder).fails();
        refused.says("too similar to crate 'Foo-Bar'");
    }
}

fn c_13_build_metadata() {
    let world = World::cargo();
    let client = world.cargo_client();
    publish(&client, &Crate::new("foo", "1.0.0+a"));
    let refused = world.publish_crate(&Crate::new("foo", "1.0.0+b")).expect(409).json();
    assert!(refused["errors"][0]["detail"].as_str().is_some_and(|detail| detail.contains("already exists")));
    let folder = write(&client, &Crate::new("foo", "1.0.0+b"));
    let _ = cargo(&client, "publish --allow-dirty --no-verify").in_folder(folder).fails();
    let app = write(&client, &program("foo"));
    let _ = cargo(&client, "add foo --registry larder").in_folder(&app).succeeds();
    let _ = cargo(&client, "build").in_folder(&app).succeeds();
    assert!(client.read("app/Cargo.lock").contains("\"1.0.0+a\""));
}

fn c_14_workspace() {
    let world = World::cargo();
    let client = world.cargo_client();
    let folder = client.folder("workspace");
    client.write("workspace/Cargo.toml", "[workspace]\nmembers = [\"zero\", \"one\", \"two\"]\nresolver = \"2\"\n");
    let needs = |name: &str| {
        format!("[dependencies]\n{name} = {{ path = \"../{name}\", version = \"1\", registry = \"larder\" }}")
    };
    Crate::new("zero", "1.0.0").section(&needs("one")).write_to(&folder.join("zero"));
    Crate::new("one", "1.0.0").section(&needs("two")).write_to(&folder.join("one"));
    Crate::new("two", "1.0.0").write_to(&folder.join("two"));
    let publish = cargo(&client, "publish --workspace --registry larder --allow-dirty").in_folder(&folder).succeeds();
    publish.says("Published").says("zero v1.0.0");
    let app = write(&client, &program("zero"));
    let _ = cargo(&client, "add zero --registry larder").in_folder(&app).succeeds();
    let _ = cargo(&client, "build").in_folder(&app).succeeds();
    assert_eq!(client.read("app/Cargo.lock").matches("checksum").count(), 3);
}

fn c_20_vendor_and_package() {
    let world = World::cargo();
    add_crates(&world.registry, &[Crate::new("public", "1.0.0")]);
    let client = world.cargo_client();
    publish(&client, &Crate::new("foo", "1.0.0"));
    let app =
        write(&client, &program("foo").section("foo = { version = \"1\", registry = \"larder\" }\npublic = \"1\""));
    let vendored = cargo(&client, "vendor --respect-source-config").in_folder(&app).succeeds();
    client.write("app/.cargo/config.toml", vendored.text());
    assert!(app.join("vendor/foo/Cargo.toml").is_file() && app.join("vendor/public/Cargo.toml").is_file());
    let run = cargo(&client, "run --quiet --offline").env("CARGO_REGISTRIES_LARDER_TOKEN", "none").in_folder(&app);
    assert_eq!(run.succeeds().text(), "foo 1.0.0");
    fs::remove_dir_all(app.join(".cargo")).expect(".cargo");
    let _ = cargo(&client, "package --registry larder --allow-dirty").in_folder(&app).succeeds();
    assert!(app.join("target/package/app-0.1.0.crate").is_file());
}

fn c_22_kilobyte_long_token() {
    use base64::Engine as _;
    let world = World::cargo();
    let pair = format!("{}:{}", "u".repeat(3000), world.token);
    let token = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
    let client = world.cargo_client_without_token();
    client.write(".cargo/credentials.toml", format!("[registries.larder]\ntoken = \"{token}\"\n"));
    publish(&client, &Crate::new("foo", "1.0.0"));
    cargo(&client, "info foo --registry larder").succeeds().says("1.0.0");
}

fn cargo_a_reader_may_not_write() {
    let world = World::cargo();
    assert!(world.publish_crate(&Crate::new("foo", "1.0.0")).is_success());
    let actions =
        ["codeartifact:ReadFromRepository", "codeartifact:GetAuthorizationToken", "sts:GetServiceBearerToken"];
    let policy =
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]});
    let reader = world.server.create_user(ACCOUNT, "reader", &policy);
    let client = world.cargo_client_without_token();
    let token = world.server.token_of(&reader, "my-domain");
    client.write(".cargo/credentials.toml", format!("[registries.larder]\ntoken = \"{token}\"\n"));
    cargo(&client, "info foo --registry larder").succeeds().says("1.0.0");
    let folder = write(&client, &Crate::new("foo", "1.1.0"));
    let publish = cargo(&client, "publish --allow-dirty --no-verify").in_folder(folder).fails();
    publish.says("403").says("PublishPackageVersion");
    for command in ["yank foo --version 1.0.0", "owner --add somebody foo"] {
        cargo(&client, &format!("{command} --registry larder")).fails().says("403");
    }
    assert_eq!(world.index_lines("foo").len(), 1);
}
