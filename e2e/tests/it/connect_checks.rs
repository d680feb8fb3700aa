//! `larder connect` and `larder credential` with the real clients: connected, used, and put back as it was.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use larder_e2e::cargo::Crate;
use larder_e2e::nuget::{Dotnet, NugetWorld, Nupkg, reference};
use larder_e2e::ruby::{Gem, build, host, of_year, run};
use larder_e2e::{World, virtual_environment};
use larder_testkit::client::Run;
use larder_testkit::packages::{NpmPackage, PythonPackage};
use larder_testkit::{Client, runner, tests};
use serde_json::{Value, json};

tests![
    connect_prints_what_it_would_write,
    connect_npm,
    connect_pnpm_renews_its_token,
    connect_yarn_berry,
    connect_pip,
    connect_uv,
    connect_poetry,
    connect_gem,
    connect_gem_in_the_folders_of_xdg,
    connect_bundler,
    connect_cargo_renews_its_token,
    connect_cargo_gives_its_token_to_no_other_registry,
    connect_maven,
    connect_gradle_renews_its_token,
    connect_nuget,
    connect_with_the_key_of_the_data_directory,
    connect_leaves_a_changed_file,
    connect_says_what_is_wrong,
];

fn larder<'a>(client: &'a Client, arguments: &[&str]) -> Run<'a> {
    let program = std::env::var("LARDER_BIN").expect("LARDER_BIN");
    client.system(&program).args(arguments.iter().copied())
}

fn connect<'a>(client: &'a Client, name: &str, more: &[&str]) -> Run<'a> {
    let words = ["connect", name, "--domain", "my-domain", "--repository", "my-repo"];
    larder(client, &words).args(more.iter().copied())
}

/// Every file below the home with its mode, but for what clients keep in caches.
fn files(client: &Client) -> BTreeMap<PathBuf, (Vec<u8>, u32)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![client.home().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            if entry.file_type().expect("a type").is_dir() {
                folders.push(path);
            } else {
                let mode = entry.metadata().expect("metadata").permissions().mode();
                found.insert(path.clone(), (fs::read(&path).unwrap_or_default(), mode));
            }
        }
    }
    found
}

/// Connects a client, runs it and undoes it: the files are those that were there before, byte for byte.
fn round_trip(client: &Client, name: &str, existing: &[(&str, &str)], run: impl FnOnce(&Client)) {
    for (file, text) in existing {
        client.write(file, text);
    }
    let before = files(client);
    let written = connect(client, name, &["--write"]).succeeds();
    let written: Vec<&Path> =
        written.stdout.lines().filter_map(|line| line.strip_prefix("written: ")).map(Path::new).collect();
    // Once more, as when the token has ended.
    let _ = connect(client, name, &["--write"]).succeeds();
    run(client);
    larder(client, &["connect", name, "--undo"]).succeeds().says("as it was before");
    let after = files(client);
    assert!(!written.is_empty());
    for path in written {
        assert!(after.get(path) == before.get(path), "{} is not as it was before", path.display());
    }
    larder(client, &["connect", name, "--undo"]).fails().says("is not connected");
}

fn connect_prints_what_it_would_write() {
    let world = World::empty();
    let client = Client::new(&world.server);
    let before = files(&client);
    for (name, words) in [
        ("maven", &["settings.xml", "<mirrorOf>*</mirrorOf>", "<password>"][..]),
        ("gradle", &["init.d/larder.gradle", "'credential', 'token'"]),
        ("cargo", &["config.toml", "credential-provider = [", "sparse+http"]),
        ("ruby", &["BUNDLE_MIRROR__ALL", ".gem/credentials", "gem push"]),
        ("npm", &[".npmrc", ":_authToken="]),
        ("pnpm", &[":tokenHelper=", "exec '"]),
        ("yarn", &[".yarnrc.yml", "npmAuthToken"]),
        ("pypi", &["pip.conf", "index-url = http://aws:"]),
        ("uv", &["uv.toml", "publish-url", "default = true"]),
        ("poetry", &["auth.toml", "[[tool.poetry.source]]"]),
        ("nuget", &["NuGet.Config", "ClearTextPassword"]),
    ] {
        let ran = connect(&client, name, &[]).succeeds();
        for word in words {
            ran.says(word);
        }
    }
    connect(&client, "uv", &["--keep-public"]).succeeds().says("default = false");
    connect(&client, "cargo", &["--keep-public"]).succeeds().does_not_say("replace-with");
    assert_eq!(files(&client), before);
}

/// An application that depends on a package of `my-repo`.
fn application(world: &World, client: &Client) -> PathBuf {
    assert!(world.publish_npm(&NpmPackage::new("private-lib", "2.0.0")).is_success());
    let folder = client.folder("app");
    NpmPackage::new("app", "1.0.0").with("dependencies", json!({"private-lib": "^2.0.0"})).write_to(&folder);
    folder
}

fn is_installed(folder: &Path) {
    assert!(folder.join("node_modules/private-lib/package.json").is_file(), "nothing is installed");
}

fn connect_npm() {
    let world = World::empty();
    let client = Client::new(&world.server);
    let app = application(&world, &client);
    let existing = [(".npmrc", "registry=http://127.0.0.1:9/\nfund=false\n")];
    round_trip(&client, "npm", &existing, |client| {
        let _ = client.program("npm").arg("install").in_folder(&app).succeeds();
        is_installed(&app);
        NpmPackage::new("from-npm", "1.0.0").write_to(&client.folder("from-npm"));
        let _ = client.program("npm").arg("publish").in_folder(client.home().join("from-npm")).succeeds();
        assert!(client.read(".npmrc").contains("fund=false"));
    });
}

fn connect_pnpm_renews_its_token() {
    let world = World::empty();
    let client = Client::new(&world.server);
    let app = application(&world, &client);
    round_trip(&client, "pnpm", &[(".npmrc", "fund=false")], |client| {
        assert!(!client.read(".npmrc").contains("_authToken"));
        let _ = client.program("pnpm").arg("install").in_folder(&app).succeeds();
        is_installed(&app);
    });
}

fn connect_yarn_berry() {
    let world = World::empty();
    let client = Client::new(&world.server);
    let app = application(&world, &client);
    client.write("app/yarn.lock", "");
    let existing = [(".yarnrc.yml", "nodeLinker: node-modules\nnpmRegistryServer: \"http://127.0.0.1:9/\"\n")];
    round_trip(&client, "yarn", &existing, |client| {
        let _ = client
            .program("yarn4")
            .arg("install")
            .in_folder(&app)
            .env("YARN_NPM_MINIMAL_AGE_GATE", "0")
            .env("CI", "false")
            .succeeds();
        is_installed(&app);
    });
}

/// Uploads a Python package to `my-repo`.
fn python_package(world: &World, name: &str) {
    let package = PythonPackage::new(name, "1.0");
    assert!(world.upload(&package, &package.wheel()).is_success());
}

fn connect_pip() {
    let world = World::empty();
    let client = Client::new(&world.server);
    python_package(&world, "from-larder");
    let existing = [(".config/pip/pip.conf", "[global]\nindex-url = http://127.0.0.1:9/\ntimeout = 5\n")];
    round_trip(&client, "pip", &existing, |client| {
        let words = ["install", "--no-deps", "--target", "out", "from-larder"];
        client.program("pip").args(words).succeeds().says("Successfully installed from-larder-1.0");
    });
}

fn connect_uv() {
    let world = World::empty();
    let client = Client::new(&world.server);
    python_package(&world, "from-larder");
    let python = virtual_environment(&client, "venv");
    let wheel = PythonPackage::new("from-uv", "1.0").wheel();
    client.write(&wheel.name, &wheel.bytes);
    round_trip(&client, "uv", &[(".config/uv/uv.toml", "no-cache = true\n")], |client| {
        let words = ["pip", "install", "--python", &python, "from-larder"];
        client.program("uv").args(words).succeeds().says("from-larder==1.0");
        let _ = client.program("uv").args(["publish", "--index", "larder", &wheel.name]).succeeds();
        assert_eq!(world.page("from-uv")["files"].as_array().map(Vec::len), Some(1));
    });
}

fn connect_poetry() {
    let world = World::empty();
    let client = Client::new(&world.server);
    python_package(&world, "from-larder");
    let project = "[project]\nname = \"app\"\nversion = \"1.0\"\nrequires-python = \">=3.9\"\n\
                   dependencies = [\"from-larder==1.0\"]\n\n[tool.poetry]\npackage-mode = false\n";
    client.write("pyproject.toml", project);
    round_trip(&client, "poetry", &[], |client| {
        let _ = client.program("poetry").arg("lock").succeeds();
        assert!(client.read("poetry.lock").contains("from-larder"), "{}", client.read("poetry.lock"));
        let _ = client.program("poetry").args(["install", "--no-interaction"]).succeeds();
    });
}

/// Installs and pushes with what is configured, by clients of several years.
fn use_gem(world: &World, client: &Client, number: u32) {
    let words = format!("install from-larder --no-document --install-dir gems{number}");
    run(client, "gem", &words).succeeds().says("Successfully installed from-larder-1.0");
    of_year(client, "gem36", &format!("{words}-36")).succeeds().says("Successfully installed from-larder-1.0");
    for (version, program) in [("1.0", "gem"), ("2.0", "gem36")] {
        let file = build(client, "from-gem", &format!("{number}.{version}"), "");
        let words = format!("push {file} --key larder --host {}", host(world));
        let push = if program == "gem" { run(client, program, &words) } else { of_year(client, program, &words) };
        push.succeeds().says("Successfully registered gem: from-gem");
    }
}

fn connect_gem() {
    let world = World::empty();
    let client = Client::new(&world.server);
    let _ = world.push_gem(&Gem::new("from-larder", "1.0")).expect(200);
    use_gem_round_trip(&world, &client, ".gemrc", ".gem/credentials");
}

/// RubyGems reads these if there are no others, and would read them no more if there were.
fn connect_gem_in_the_folders_of_xdg() {
    let world = World::empty();
    let client = Client::new(&world.server);
    let _ = world.push_gem(&Gem::new("from-larder", "1.0")).expect(200);
    use_gem_round_trip(&world, &client, ".config/gem/gemrc", ".local/share/gem/credentials");
    assert!(!client.home().join(".gemrc").exists() && !client.home().join(".gem/credentials").exists());
}

fn use_gem_round_trip(world: &World, client: &Client, settings: &str, credentials: &str) {
    let sources = "---\n:backtrace: true\n:sources:\n- http://127.0.0.1:9/\n:verbose: true\n";
    let keys = "---\n:rubygems_api_key: theirs\n";
    round_trip(client, "gem", &[(settings, sources), (credentials, keys)], |client| {
        assert!(client.read(settings).contains(":backtrace: true") && client.read(credentials).contains("theirs"));
        let said = run(client, "gem", "sources --list").succeeds();
        said.says(host(world).trim_start_matches("http://")).does_not_say("127.0.0.1:9/");
        use_gem(world, client, 1);
    });
    // Without any file before, too.
    let fresh = Client::new(&world.server);
    round_trip(&fresh, "gem", &[], |client| use_gem(world, client, 2));
}

fn connect_bundler() {
    let world = World::empty();
    let _ = world.push_gem(&Gem::new("from-larder", "1.0")).expect(200);
    // A project that knows nothing of Larder, and one whose source it is, without a token.
    let own = world.server.endpoint("ruby", "my-repo");
    for (source, existing) in [
        (
            "http://127.0.0.1:9/",
            &[(".bundle/config", "---\nBUNDLE_JOBS: \"2\"\nBUNDLE_MIRROR__ALL: \"http://127.0.0.1:8/\"\n")][..],
        ),
        (&own, &[]),
    ] {
        let client = Client::new(&world.server);
        client.write("app/Gemfile", format!("source '{source}'\ngem 'from-larder'\n"));
        round_trip(&client, "bundler", existing, |client| {
            for program in ["bundle", "bundle26", "bundle40"] {
                let install = match program {
                    "bundle" => run(client, program, "install"),
                    _ => of_year(client, program, "install"),
                };
                let install = install.env("BUNDLE_PATH", program).in_folder(client.home().join("app"));
                install.succeeds().says("Bundle complete!");
            }
            let lock = client.read("app/Gemfile.lock");
            assert!(lock.contains("from-larder (1.0)") && !lock.contains(&world.token), "{lock}");
            assert!(lock.contains(&format!("remote: {source}")), "{lock}");
        });
    }
}

/// A home in which cargo is there and knows no registry.
fn cargo_client(world: &World) -> Client {
    let client = world.cargo_client_without_token();
    fs::remove_file(client.home().join(".cargo/config.toml")).expect("a configuration");
    client
}

fn connect_cargo_renews_its_token() {
    let world = World::cargo();
    let client = cargo_client(&world);
    let existing = [(".cargo/config.toml", "# mine\n[net]\nretry = 1\n\n[registry]\ndefault = \"other\"\n")];
    round_trip(&client, "cargo", &existing, |client| {
        assert!(!client.read(".cargo/config.toml").contains("token ="));
        let library = Crate::new("foo", "1.0.0");
        library.write_to(&client.folder("foo"));
        let cargo = |words: &str| client.system("cargo").args(words.split(' '));
        let _ = cargo("publish --allow-dirty --no-verify").in_folder(client.home().join("foo")).succeeds();
        let program =
            Crate::new("app", "0.1.0").file("src/main.rs", "fn main() {\n    println!(\"{}\", foo::who());\n}\n");
        program.section("[dependencies]\nfoo = \"1\"").write_to(&client.folder("app"));
        cargo("run --quiet").in_folder(client.home().join("app")).succeeds().says("foo 1.0.0");
    });
}

fn connect_cargo_gives_its_token_to_no_other_registry() {
    let world = World::empty();
    let client = Client::new(&world.server);
    let program = std::env::var("LARDER_BIN").expect("LARDER_BIN");
    let ask = |index: &str| {
        let request = json!({"v": 1, "registry": {"index-url": index, "name": "larder"}, "kind": "get",
            "operation": "read",
            "args": ["credential", "cargo", "--domain", "my-domain", "--repository", "my-repo"]});
        let line = format!("printf '%s\\n' '{request}' | '{program}' --cargo-plugin");
        let printed = client.shell(&line).succeeds();
        let lines: Vec<Value> = printed.text().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(lines[0], json!({"v": [1]}));
        lines[1].clone()
    };
    let own = ask(&format!("sparse+{}", world.server.endpoint("cargo", "my-repo")));
    assert_eq!(own["Ok"]["cache"], "expires");
    assert!(own["Ok"]["token"].as_str().is_some_and(|token| !token.is_empty()));
    for other in ["sparse+http://127.0.0.1:9/", &format!("sparse+{}", world.server.endpoint("cargo", "npm-store"))] {
        assert_eq!(ask(other), json!({"Err": {"kind": "url-not-supported"}}));
    }
}

/// Skips the test if the machine has no such program.
fn need(program: &str) {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&folders).any(|folder| folder.join(program).is_file()) {
        runner::skip(format!("{program}: not on this machine"));
    }
}

/// A home that Java programs take for theirs: they ask the user database, not the environment.
fn java_client(world: &World) -> Client {
    let mut client = Client::new(&world.server);
    let home = client.home().to_string_lossy().into_owned();
    client.set("JAVA_TOOL_OPTIONS", &format!("-Duser.home={home}"));
    client.set("GRADLE_USER_HOME", &format!("{home}/.gradle"));
    client
}

fn put_maven(world: &World, path: &str, body: &str) {
    let target = format!("{}/{path}", world.server.path("maven", "my-repo"));
    let answer = world.server.request("PUT", &target).basic("aws", &world.token).body(body).send();
    assert!(answer.is_success(), "{answer:?}");
}

/// Deploys `com.acme:{artifact}:1.0` over raw HTTP.
fn deploy(world: &World, artifact: &str, packaging: &str) {
    let folder = format!("com/acme/{artifact}");
    let pom = format!(
        "<project><modelVersion>4.0.0</modelVersion><groupId>com.acme</groupId><artifactId>{artifact}</artifactId>\
         <version>1.0</version><packaging>{packaging}</packaging></project>"
    );
    put_maven(world, &format!("{folder}/1.0/{artifact}-1.0.pom"), &pom);
    if packaging == "jar" {
        put_maven(world, &format!("{folder}/1.0/{artifact}-1.0.jar"), "the jar");
    }
    let metadata = format!(
        "<metadata><groupId>com.acme</groupId><artifactId>{artifact}</artifactId><versioning><release>1.0</release>\
         <versions><version>1.0</version></versions></versioning></metadata>"
    );
    put_maven(world, &format!("{folder}/maven-metadata.xml"), &metadata);
}

fn connect_maven() {
    need("mvn");
    let world = World::empty();
    let client = java_client(&world);
    deploy(&world, "parent", "pom");
    let project = "<project><modelVersion>4.0.0</modelVersion><parent><groupId>com.acme</groupId>\
                   <artifactId>parent</artifactId><version>1.0</version></parent><artifactId>child</artifactId>\
                   <packaging>pom</packaging></project>";
    client.write("child/pom.xml", project);
    let existing = [(".m2/settings.xml", "<settings>\n  <!-- mine -->\n  <servers/>\n</settings>\n")];
    round_trip(&client, "maven", &existing, |client| {
        let ran = client.system("mvn").args(["-B", "validate"]).in_folder(client.home().join("child")).succeeds();
        ran.says("Downloaded from my-domain-my-repo").says("BUILD SUCCESS");
    });
}

fn connect_gradle_renews_its_token() {
    need("gradle");
    let world = World::empty();
    let client = java_client(&world);
    deploy(&world, "lib", "jar");
    let build = "repositories { maven { name 'elsewhere'; url 'http://127.0.0.1:9/' } }\n\
                 configurations { wanted }\ndependencies { wanted 'com.acme:lib:1.0' }\n\
                 task show { doLast { configurations.wanted.files.each { println 'resolved ' + it.name } } }\n";
    client.write("build/build.gradle", build);
    client.write("build/settings.gradle", "");
    round_trip(&client, "gradle", &[], |client| {
        let words = ["--no-daemon", "-q", "show"];
        let ran = client.system("gradle").args(words).in_folder(client.home().join("build")).succeeds();
        ran.says("resolved lib-1.0.jar");
    });
}

fn connect_nuget() {
    let world = NugetWorld::start();
    world.publish(&Nupkg::new("Top", "1.0.0"));
    let dotnet = Dotnet::new(&world.server);
    dotnet.project(&reference("Top", "1.0.0"));
    let existing = [(".nuget/NuGet/NuGet.Config", "\u{feff}<configuration>\n  <packageSources/>\n</configuration>\n")];
    round_trip(&dotnet.client, "nuget", &existing, |_| {
        let _ = dotnet.in_project(&["restore"]).succeeds();
        assert_eq!(dotnet.restored("top").as_deref(), Some("1.0.0"));
    });
}

fn connect_with_the_key_of_the_data_directory() {
    let world = World::empty();
    let client = Client::unconfigured();
    let data = world.server.data().to_string_lossy().into_owned();
    let app = application(&world, &client);
    let _ = connect(&client, "pnpm", &["--write", "--data-dir", &data]).succeeds();
    let _ = client.program("pnpm").arg("install").in_folder(&app).succeeds();
    is_installed(&app);
    let token = larder(&client, &["credential", "token", "--domain", "my-domain", "--data-dir", &data]).succeeds();
    let target = format!("{}/private-lib", world.server.path("npm", "my-repo"));
    let _ = world.server.request("GET", &target).token(token.text()).send().expect(200);
}

fn connect_leaves_a_changed_file() {
    let world = World::empty();
    let client = Client::new(&world.server);
    client.write(".npmrc", "fund=false\n");
    let _ = connect(&client, "npm", &["--write"]).succeeds();
    let written = client.read(".npmrc");
    client.write(".npmrc", format!("{written}audit=false\n"));
    for words in [&["--undo"][..], &["--write"]] {
        connect(&client, "npm", words).fails().says("was changed since");
    }
    assert_eq!(client.read(".npmrc"), format!("{written}audit=false\n"));
    client.write(".npmrc", written);
    let _ = larder(&client, &["connect", "npm", "--undo"]).succeeds();
    assert_eq!(client.read(".npmrc"), "fund=false\n");
}

fn connect_says_what_is_wrong() {
    let world = World::empty();
    let client = Client::new(&world.server);
    connect(&client, "bazaar", &[]).fails().says("is none of").says("maven");
    connect(&client, "swift", &[]).fails().says("aws codeartifact login --tool swift");
    let words = ["connect", "npm", "--domain", "my-domain", "--repository", "nowhere"];
    larder(&client, &words).fails().says("nowhere");
    larder(&client, &["connect", "npm"]).fails().says("--domain");
    client.write(".cargo/config.toml", "[registries.my-domain-my-repo]\nindex = '''\nx'''\n");
    connect(&client, "cargo", &["--write"]).fails().says("is left as it is");
    let nobody = Client::unconfigured();
    connect(&nobody, "npm", &[]).fails().says("AWS_ENDPOINT_URL");
}
