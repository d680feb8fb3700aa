//! `larder connect gem` and `larder connect bundler` with the real clients, of several years.

use larder_e2e::World;
use larder_e2e::ruby::{Gem, build, host, of_year, run};
use larder_testkit::{Client, tests};

use crate::connect_checks::round_trip;

tests![connect_gem, connect_gem_in_the_folders_of_xdg, connect_bundler];

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
