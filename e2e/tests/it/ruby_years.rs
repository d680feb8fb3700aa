//! RubyGems and Bundler of other years: RubyGems 2.7 on JRuby, RubyGems 3.6 and 4.0 with their Bundlers on the machine's
//! Ruby. What the machine's own do is in the other files.

use larder_e2e::World;
use larder_e2e::ruby::{Gem, build, host, in_project, install, of_year, publish, run};
use larder_testkit::packages::sha256;
use larder_testkit::{Client, tests};
use serde_json::{Value, json};

tests![
    r_04_rubygems_2_7,
    r_04_marshal_documents_load_in_ruby,
    r_07_lock_file_with_checksums,
    r_07_a_gem_that_is_not_the_one_of_the_lock_file,
    ruby_attestations_of_a_push,
    ruby_3_6_and_4_0,
];

fn project(client: &Client, source: &str, gems: &str) {
    client.write("app/Gemfile", format!("source '{source}'\n{gems}\n"));
}

/// RubyGems 2.7 knows the Marshal documents only: it takes versions from `specs.4.8.gz`, dependencies from `quick/`.
fn r_04_rubygems_2_7() {
    let world = World::empty();
    let client = Client::new(&world.server);
    publish(&world, &client, "base", "1.2.0", "");
    publish(&world, &client, "base", "2.0.0.rc1", "");
    publish(&world, &client, "foo", "1.0.0", "s.add_runtime_dependency 'base', '>= 1.1'");
    publish(&world, &client, "foo", "1.0.0", "s.platform = 'java'\n  s.add_runtime_dependency 'base', '~> 1.0'");
    publish(&world, &client, "foo", "9.0.0", "s.required_ruby_version = '>= 99'");
    let installed = of_year(&client, "gem27", &install(&world, "foo -v 1.0.0")).succeeds();
    // JRuby's platform is Java's.
    installed.says("Successfully installed foo-1.0.0-java").says("base-1.2.0").says("2 gems installed");
    assert_eq!(client.read("gems/gems/base-1.2.0/lib/base.rb"), "puts 'base 1.2.0'\n");
    let log = world.server.log();
    assert!(log.contains("specs.4.8.gz") && log.contains("quick/Marshal.4.8/base-1.2.0.gemspec.rz"), "{log}");
    let ask = format!("list -r --all --prerelease --clear-sources --source {}", world.gem_source());
    of_year(&client, "gem27", &ask).succeeds().says("base (2.0.0.rc1, 1.2.0)");
    // It takes no key from the environment, and looks first whether it is the newest.
    let _ = world.push_gem(&Gem::new("rubygems-update", "2.7.6")).expect(200);
    client.write(".gemrc", format!("---\n:sources:\n- {}\n", world.gem_source()));
    client.write(".gem/credentials", format!("---\n:larder: {}\n", world.token));
    let _ = client.shell("chmod 0600 ~/.gem/credentials").succeeds();
    let file = build(&client, "pushed", "0.1.0", "");
    let push = of_year(&client, "gem27", &format!("push {file} --key larder --host {}", host(&world)));
    push.succeeds().says("Successfully registered gem: pushed (0.1.0)");
}

/// The documents that clients of the compact index do not ask for, loaded by Ruby itself.
fn r_04_marshal_documents_load_in_ruby() {
    let world = World::empty();
    let client = Client::new(&world.server);
    publish(
        &world,
        &client,
        "base",
        "1.2.0",
        "s.platform = 'java'\n  s.add_development_dependency 'rake', '~> 13.0', '< 14'",
    );
    publish(&world, &client, "base", "2.0.0.rc1", "");
    for (path, file) in [
        ("specs.4.8.gz", "specs"),
        ("latest_specs.4.8.gz", "latest"),
        ("prerelease_specs.4.8.gz", "pre"),
        ("quick/Marshal.4.8/base-1.2.0-java.gemspec.rz", "quick"),
    ] {
        client.write(file, world.gems("GET", path).send().expect(200).body);
    }
    let script = "require 'zlib'; require 'rubygems'\n\
        specs = ->(file) { Marshal.load(Gem::Util.gunzip(File.binread(file))).map { |n, v, p| [n, v.to_s, p] } }\n\
        p specs['specs'], specs['latest'], specs['pre']\n\
        s = Marshal.load(Zlib::Inflate.inflate(File.binread('quick')))\n\
        p [s.full_name, s.platform.to_s, s.summary, s.authors, s.dependencies.map(&:to_s), s.required_ruby_version.to_s]\n";
    client.write("load.rb", script);
    let said = run(&client, "ruby", "load.rb").succeeds();
    let expected = "[[\"base\", \"1.2.0\", \"java\"]]\n[[\"base\", \"1.2.0\", \"java\"]]\n[[\"base\", \"2.0.0.rc1\", \"ruby\"]]\n\
        [\"base-1.2.0-java\", \"java\", \"For tests\", [\"Ann\"], [\"rake (~> 13.0, < 14, development)\"], \">= 0\"]";
    assert_eq!(said.text(), expected);
}

fn r_07_lock_file_with_checksums() {
    let world = World::empty();
    let client = Client::new(&world.server);
    publish(&world, &client, "base", "1.2.0", "");
    publish(&world, &client, "foo", "1.0.0", "s.add_runtime_dependency 'base'");
    publish(&world, &client, "foo", "1.0.0", "s.platform = 'java'\n  s.add_runtime_dependency 'base'");
    project(&client, &world.gem_source(), "gem 'foo'");
    let bundle = |arguments: &str| in_project(&client, of_year(&client, "bundle26", arguments), "app");
    let _ = bundle("lock --add-checksums").succeeds();
    let _ = bundle("lock --add-platform java").succeeds();
    let lock = client.read("app/Gemfile.lock");
    for full_name in ["base-1.2.0", "foo-1.0.0", "foo-1.0.0-java"] {
        let file = world.gems("GET", &format!("gems/{full_name}.gem")).send().expect(200).body;
        let (name, version) = full_name.split_once('-').expect("a version");
        let line = format!("  {name} ({version}) sha256={}", sha256(&file));
        assert!(lock.contains(&line), "{line} is not in\n{lock}");
    }
    // Downloads are held against it.
    let _ = bundle("install").env("BUNDLE_FROZEN", "true").succeeds();
    in_project(&client, of_year(&client, "bundle26", "list"), "app").succeeds().says("foo (1.0.0)");
    assert_eq!(client.read("app/Gemfile.lock"), lock);
}

fn r_07_a_gem_that_is_not_the_one_of_the_lock_file() {
    let world = World::empty();
    let client = Client::new(&world.server);
    publish(&world, &client, "foo", "1.0.0", "");
    project(&client, &world.gem_source(), "gem 'foo'");
    let bundle = |arguments: &str| in_project(&client, of_year(&client, "bundle26", arguments), "app");
    let _ = bundle("lock --add-checksums").succeeds();
    let lock = client.read("app/Gemfile.lock");
    let at = lock.find("sha256=").expect("a checksum") + "sha256=".len();
    let changed = format!("{}{}{}", &lock[..at], "0".repeat(64), &lock[at + 64..]);
    client.write("app/Gemfile.lock", changed);
    bundle("install").fails().says("mismatched checksums");
}

/// `gem push --attestation`, which sends a form.
fn ruby_attestations_of_a_push() {
    let world = World::empty();
    let client = Client::new(&world.server);
    let file = build(&client, "foo", "1.0.0", "");
    let digest = |bytes: &[u8]| {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(hex::decode(sha256(bytes)).expect("hexadecimal"))
    };
    let bundle = |digest: &str| {
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {"certificate": {"rawBytes": "AA=="}, "tlogEntries": []},
            "messageSignature": {"messageDigest": {"algorithm": "SHA2_256", "digest": digest}, "signature": "AA=="},
        })
    };
    let bytes = std::fs::read(client.home().join(&file)).expect("the gem");
    client.write("good.json", bundle(&digest(&bytes)).to_string());
    client.write("bad.json", bundle(&digest(b"another file")).to_string());
    let push = |bundle: &str| {
        let words = format!("push {file} --attestation {bundle} --host {}", host(&world));
        of_year(&client, "gem36", &words).env("GEM_HOST_API_KEY", &world.token)
    };
    push("bad.json").fails().says("it is of another file");
    push("good.json").succeeds().says("Successfully registered gem: foo (1.0.0)");
    let kept: Value = world.gems("GET", "api/v1/attestations/foo-1.0.0.json").send().expect(200).json();
    assert_eq!(kept, json!([bundle(&digest(&bytes))]));
    // Beside the gem, not among the version's files.
    let assets = "/v1/package/version/assets?domain=my-domain&repository=my-repo&format=ruby&package=foo&version=1.0.0";
    let listed = world.server.call("POST", assets, &Value::Null).expect(200).json();
    assert_eq!(listed["assets"].as_array().map(Vec::len), Some(1), "{listed}");
}

/// What the machine's clients do in the other tests, in short.
fn ruby_3_6_and_4_0() {
    let world = World::empty();
    let client = Client::new(&world.server);
    publish(&world, &client, "base", "1.2.0", "");
    for (gem, bundle, number, base) in
        [("gem36", "bundle26", "1.0.0", "1.3.0"), ("gem40", "bundle40", "2.0.0", "1.4.0")]
    {
        let file = build(&client, "foo", number, "s.add_runtime_dependency 'base', '~> 1.0'");
        let push = of_year(&client, gem, &format!("push {file} --host {}", host(&world)));
        push.env("GEM_HOST_API_KEY", &world.token).succeeds().says("Successfully registered gem: foo");
        of_year(&client, gem, &install(&world, &format!("foo -v {number}")))
            .succeeds()
            .says("Successfully installed foo");
        let folder = format!("app-{bundle}");
        client.write(&format!("{folder}/Gemfile"), format!("source '{}'\ngem 'foo'\n", world.gem_source()));
        let bundler = |words: &str| in_project(&client, of_year(&client, bundle, words), &folder);
        let _ = bundler("install").succeeds();
        // A push appends; the next update takes the part and keeps the rest of its copy.
        let _ = world.push_gem(&Gem::new("base", base)).expect(200);
        let before = world.server.log().len();
        let _ = bundler("update").succeeds();
        let log = world.server.log();
        let asked = log[before..].lines().filter(|line| line.contains("/versions")).collect::<Vec<_>>();
        assert!(asked.len() == 1 && asked[0].contains("206"), "{asked:#?}");
        assert!(client.read(&format!("{folder}/Gemfile.lock")).contains(&format!("base ({base})")));
        of_year(&client, gem, &format!("owner foo --host {}", host(&world)))
            .env("GEM_HOST_API_KEY", &world.token)
            .succeeds()
            .says("Owners for gem: foo");
        let yank = of_year(&client, gem, &format!("yank foo -v {number} --host {}", host(&world)));
        yank.env("GEM_HOST_API_KEY", &world.token).succeeds().says("Successfully deleted gem: foo");
        let fetch = format!("fetch foo -v {number} --clear-sources --source {}", world.gem_source());
        of_year(&client, gem, &fetch).fails().says("foo");
    }
}
