//! Checks with `gem` and Bundler themselves, on gems that are published here.

use larder_e2e::World;
use larder_testkit::client::Run;
use larder_testkit::{Client, tests};

tests![r_01_push_with_raw_and_bearer_key, r_03_install, r_05_bundle_install];

/// Builds a gem with a function that says its version.
fn build(client: &Client, name: &str, version: &str) {
    let spec = format!(
        "Gem::Specification.new do |s|\n  s.name = '{name}'\n  s.version = '{version}'\n  s.summary = 'For tests'\n  \
         s.authors = ['Ann']\n  s.files = ['lib/{name}.rb']\nend\n"
    );
    client.write(&format!("{name}/{name}.gemspec"), spec);
    client.write(&format!("{name}/lib/{name}.rb"), format!("puts '{name} {version}'\n"));
    let _ = run(client, "gem", &format!("build {name}.gemspec")).in_folder(client.home().join(name)).succeeds();
}

fn run<'a>(client: &'a Client, program: &str, arguments: &str) -> Run<'a> {
    client.system(program).args(arguments.split(' '))
}

fn push<'a>(world: &World, client: &'a Client, name: &str, version: &str, key: &str) -> Run<'a> {
    let host = world.server.endpoint("ruby", "my-repo");
    build(client, name, version);
    run(client, "gem", &format!("push {name}-{version}.gem --host {}", host.trim_end_matches('/')))
        .env("GEM_HOST_API_KEY", key)
        .in_folder(client.home().join(name))
}

/// The repository as a source, with the token in it.
fn source(world: &World) -> String {
    world.server.endpoint("ruby", "my-repo").replacen("://", &format!("://aws:{}@", world.token), 1)
}

fn r_01_push_with_raw_and_bearer_key() {
    let world = World::empty();
    let client = Client::new(&world.server);
    push(&world, &client, "foo", "1.0.0", &world.token).succeeds().says("Successfully registered gem: foo (1.0.0)");
    let bearer = format!("Bearer {}", world.token);
    push(&world, &client, "foo", "1.1.0", &bearer).succeeds().says("Successfully registered gem: foo (1.1.0)");
}

fn r_03_install() {
    let world = World::empty();
    let client = Client::new(&world.server);
    let _ = push(&world, &client, "foo", "1.0.0", &world.token).succeeds();
    let install = format!("install foo --no-document --install-dir gems --clear-sources --source {}", source(&world));
    let _ = run(&client, "gem", &install).succeeds();
    assert_eq!(client.read("gems/gems/foo-1.0.0/lib/foo.rb"), "puts 'foo 1.0.0'\n");
}

fn r_05_bundle_install() {
    let world = World::empty();
    let client = Client::new(&world.server);
    let _ = push(&world, &client, "foo", "1.0.0", &world.token).succeeds();
    for (folder, full) in [("app", ""), ("app-full", " --full-index")] {
        client.write(&format!("{folder}/Gemfile"), format!("source '{}'\ngem 'foo'\n", source(&world)));
        let here = client.home().join(folder);
        let _ =
            run(&client, "bundle", &format!("install{full}")).env("BUNDLE_PATH", "vendor").in_folder(&here).succeeds();
        let ran = run(&client, "bundle", "exec ruby -e require('foo')").env("BUNDLE_PATH", "vendor").in_folder(&here);
        assert_eq!(ran.succeeds().text().trim(), "foo 1.0.0");
    }
}
