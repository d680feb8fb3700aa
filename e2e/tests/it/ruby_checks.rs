//! Checks with `gem` and Bundler themselves, on gems that are published here.

use larder_e2e::World;
use larder_e2e::ruby::{build, host, in_project, install, publish, run};
use larder_testkit::{Client, tests};

tests![r_01_push_with_raw_and_bearer_key, r_03_install, r_05_bundle_install];

fn r_01_push_with_raw_and_bearer_key() {
    let world = World::empty();
    let client = Client::new(&world.server);
    for (version, key) in [("1.0.0", world.token.clone()), ("1.1.0", format!("Bearer {}", world.token))] {
        let push = format!("push {} --host {}", build(&client, "foo", version, ""), host(&world));
        let pushed = run(&client, "gem", &push).env("GEM_HOST_API_KEY", &key).succeeds();
        pushed.says(&format!("Successfully registered gem: foo ({version})"));
    }
}

fn r_03_install() {
    let world = World::empty();
    let client = Client::new(&world.server);
    publish(&world, &client, "foo", "1.0.0", "");
    let _ = run(&client, "gem", &install(&world, "foo")).succeeds();
    assert_eq!(client.read("gems/gems/foo-1.0.0/lib/foo.rb"), "puts 'foo 1.0.0'\n");
}

fn r_05_bundle_install() {
    let world = World::empty();
    let client = Client::new(&world.server);
    publish(&world, &client, "foo", "1.0.0", "");
    for (folder, full) in [("app", ""), ("app-full", " --full-index")] {
        client.write(&format!("{folder}/Gemfile"), format!("source '{}'\ngem 'foo'\n", world.gem_source()));
        let _ = in_project(&client, run(&client, "bundle", &format!("install{full}")), folder).succeeds();
        let ran = in_project(&client, run(&client, "bundle", "exec ruby -e require('foo')"), folder);
        assert_eq!(ran.succeeds().text().trim(), "foo 1.0.0");
    }
}
