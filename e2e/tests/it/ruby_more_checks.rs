//! Checks with `gem` and Bundler themselves.

use larder_e2e::World;
use larder_e2e::ruby::{build, host, in_project, install as to_install, path_of_year, publish, run, to_host};
use larder_testkit::client::Run;
use larder_testkit::{Client, tests, tools};

tests![
    r_02_push_again,
    r_04_install_with_quick_gemspecs,
    r_06_update_after_another_push,
    r_08_yank_hits_one_platform,
    r_09_platform_gems,
    r_10_prereleases,
    r_11_search_list_info,
    r_12_owners,
    r_13_sign_in,
    r_14_without_credentials,
    r_15_fetch_dependency_specification,
    r_16_required_ruby_version,
];

fn install<'a>(world: &World, client: &'a Client, what: &str) -> Run<'a> {
    run(client, "gem", &to_install(world, what))
}

fn bundle<'a>(client: &'a Client, arguments: &str) -> Run<'a> {
    in_project(client, run(client, "bundle", arguments), "app")
}

fn r_02_push_again() {
    let world = World::empty();
    let client = Client::new(&world.server);
    let file = build(&client, "foo", "1.0.0", "");
    for _ in 0..2 {
        to_host(&world, &client, &format!("push {file}")).succeeds().says("Successfully registered gem: foo (1.0.0)");
    }
    let other = build(&client, "foo", "1.0.0", "s.description = 'other bytes'");
    let refused = to_host(&world, &client, &format!("push {other}")).fails();
    assert!(refused.all().contains("pushed already with other bytes"), "{}", refused.all());
}

fn r_04_install_with_quick_gemspecs() {
    let world = World::empty();
    let client = Client::new(&world.server);
    publish(&world, &client, "base", "1.2.0", "");
    publish(&world, &client, "foo", "1.0.0", "s.add_runtime_dependency 'base', '~> 1.0', '>= 1.1'");
    // RubyGems 3.3 resolves by info/ and then loads the gemspec of each gem from quick/Marshal.4.8/.
    install(&world, &client, "foo").succeeds().says("2 gems installed");
    assert_eq!(client.read("gems/gems/base-1.2.0/lib/base.rb"), "puts 'base 1.2.0'\n");
}

fn r_06_update_after_another_push() {
    let world = World::empty();
    let client = Client::new(&world.server);
    publish(&world, &client, "foo", "1.0.0", "");
    client.write("app/Gemfile", format!("source '{}'\ngem 'foo'\n", world.gem_source()));
    let _ = bundle(&client, "install").succeeds();
    publish(&world, &client, "foo", "1.1.0", "");
    let _ = bundle(&client, "update foo").succeeds();
    assert!(client.read("app/Gemfile.lock").contains("foo (1.1.0)"));
    let _ = bundle(&client, "install --deployment").succeeds();
}

fn r_08_yank_hits_one_platform() {
    let world = World::empty();
    let client = Client::new(&world.server);
    publish(&world, &client, "foo", "1.0.0", "");
    publish(&world, &client, "foo", "1.1.0", "");
    publish(&world, &client, "foo", "1.1.0", "s.platform = 'java'");
    to_host(&world, &client, "yank foo -v 1.1.0").succeeds().says("Successfully deleted gem: foo (1.1.0)");
    install(&world, &client, "foo").succeeds().says("foo-1.0.0");
    let refused = install(&world, &client, "foo -v 1.1.0").fails();
    assert!(refused.all().contains("foo"), "{}", refused.all());
    let fetch = format!("fetch foo -v 1.1.0 --platform java --clear-sources --source {}", world.gem_source());
    run(&client, "gem", &fetch).succeeds().says("Downloaded foo-1.1.0-java");
    let unknown = to_host(&world, &client, "yank foo -v 9.9.9").ends();
    assert!(unknown.all().contains("there is no gem foo (9.9.9)"), "{}", unknown.all());
}

fn r_09_platform_gems() {
    let world = World::empty();
    let client = Client::new(&world.server);
    publish(&world, &client, "foo", "1.0.0", "");
    publish(&world, &client, "foo", "1.0.0", "s.platform = Gem::Platform.local");
    publish(&world, &client, "foo", "1.0.0", "s.platform = 'java'");
    let local = run(&client, "ruby", "-e print(Gem::Platform.local)").succeeds().text().to_owned();
    install(&world, &client, "foo").succeeds().says(&format!("foo-1.0.0-{local}"));
    client.write("app/Gemfile", format!("source '{}'\ngem 'foo'\n", world.gem_source()));
    let _ = bundle(&client, "install").succeeds();
    let _ = bundle(&client, "lock --add-platform java").succeeds();
    let lock = client.read("app/Gemfile.lock");
    assert!(lock.contains("foo (1.0.0-java)") && lock.contains(&format!("foo (1.0.0-{local})")), "{lock}");
}

fn r_10_prereleases() {
    let world = World::empty();
    let client = Client::new(&world.server);
    publish(&world, &client, "foo", "1.0.0", "");
    publish(&world, &client, "foo", "2.0.0.rc1", "");
    install(&world, &client, "foo").succeeds().says("foo-1.0.0");
    install(&world, &client, "foo --pre").succeeds().says("foo-2.0.0.rc1");
}

fn r_11_search_list_info() {
    let world = World::empty();
    let client = Client::new(&world.server);
    publish(&world, &client, "foo", "1.0.0", "");
    publish(&world, &client, "foo", "1.1.0", "");
    publish(&world, &client, "bar", "0.1.0", "");
    let source = world.gem_source();
    let ask = |what: &str| run(&client, "gem", &format!("{what} --clear-sources --source {source}")).succeeds();
    ask("search fo").says("foo (1.1.0)").does_not_say("bar");
    ask("list -r --all").says("foo (1.1.0, 1.0.0)").says("bar (0.1.0)");
    ask("info -r foo").says("For tests");
    let _ = install(&world, &client, "foo -v 1.0.0").succeeds();
    let outdated = run(&client, "gem", &format!("outdated --clear-sources --source {source}"))
        .env("GEM_HOME", &client.home().join("gems").to_string_lossy());
    outdated.succeeds().says("foo (1.0.0 < 1.1.0)");
}

fn r_12_owners() {
    let world = World::empty();
    let client = Client::new(&world.server);
    publish(&world, &client, "foo", "1.0.0", "");
    to_host(&world, &client, "owner foo").succeeds().says("Owners for gem: foo");
    let refused = to_host(&world, &client, "owner foo --add someone@example.test").ends();
    assert!(refused.all().contains("gems have no list of owners here"), "{}", refused.all());
}

/// At a terminal, as the client insists: user name, password, name of the key, no to every further scope.
fn r_13_sign_in() {
    tools::need_system("script");
    let world = World::empty();
    for (program, asks) in [("gem", 7), ("gem36", 1)] {
        let mut client = Client::new(&world.server);
        client.set("RUBYGEMS_HOST", &host(&world));
        let path = if program == "gem" { program.to_owned() } else { path_of_year(program) };
        let sign_in = |password: &str| {
            let typed = format!("aws\\n{password}\\n\\n{}", "n\\n".repeat(asks));
            let line = format!("printf '{typed}' | script -qec '{path} signin --otp 123456' /dev/null");
            client.system("sh").args(["-c", &line]).ends()
        };
        sign_in("wrong").says("the authorization token is unknown").does_not_say("Signed in");
        sign_in(&world.token).says("Signed in with API key");
        let kept = [".gem/credentials", ".local/share/gem/credentials"]
            .map(|file| std::fs::read_to_string(client.home().join(file)).unwrap_or_default());
        assert!(kept.concat().contains(&world.token), "the key was not kept");
        // The key is found by its host, and a one-time password is nothing that is asked for or minded.
        let file = build(&client, program, "1.0.0", "");
        let push = client.system(&path).args(["push", &file, "--otp", "123456"]);
        push.succeeds().says("Successfully registered gem");
        let _ = client.system(&path).arg("signout").succeeds();
        let push = client.system("sh").args(["-c", &format!("{path} push {file} < /dev/null")]).fails();
        push.does_not_say("Successfully");
    }
}

fn r_14_without_credentials() {
    let world = World::empty();
    let client = Client::new(&world.server);
    publish(&world, &client, "foo", "1.0.0", "");
    let plain = world.server.endpoint("ruby", "my-repo");
    let refused = run(&client, "gem", &format!("install foo --clear-sources --source {plain}")).fails();
    assert!(refused.all().contains("401") || refused.all().contains("nauthor"), "{}", refused.all());
    client.write("app/Gemfile", format!("source '{plain}'\ngem 'foo'\n"));
    let refused = bundle(&client, "install").fails();
    assert!(refused.all().contains("Authentication is required for"), "{}", refused.all());
}

fn r_15_fetch_dependency_specification() {
    let world = World::empty();
    let client = Client::new(&world.server);
    publish(&world, &client, "foo", "1.0.0", "s.add_runtime_dependency 'base', '~> 1.0'");
    let source = world.gem_source();
    let ask = |what: &str| run(&client, "gem", &format!("{what} --clear-sources --source {source}")).succeeds();
    ask("fetch foo").says("Downloaded foo-1.0.0");
    ask("dependency -r foo").says("base (~> 1.0)");
    ask("specification -r foo").says("summary: For tests");
}

fn r_16_required_ruby_version() {
    let world = World::empty();
    let client = Client::new(&world.server);
    publish(&world, &client, "foo", "1.0.0", "");
    publish(&world, &client, "foo", "2.0.0", "s.required_ruby_version = '>= 99'");
    install(&world, &client, "foo").succeeds().says("foo-1.0.0");
    client.write("app/Gemfile", format!("source '{}'\ngem 'foo'\n", world.gem_source()));
    let _ = bundle(&client, "install").succeeds();
    assert!(client.read("app/Gemfile.lock").contains("foo (1.0.0)"));
}
