//! Check R-17 and faults: Bundler itself in front of a stand-in for the public gem registry.

use larder_e2e::World;
use larder_e2e::ruby::{of_year, run};
use larder_testkit::registry::{Fault, Registry};
use larder_testkit::{Client, tests};

tests![
    r_17_public_gems_through_larder,
    r_17_a_mirror_of_the_public_registry,
    ruby_a_gem_cut_short_or_changed_is_never_kept
];

const GEM: &str = "/ruby/gems/base-1.2.0.gem";

/// Builds gem `base` 1.2.0 and puts it into the stand-in registry with its compact index.
fn add_base(registry: &Registry, client: &Client) {
    client.write(
        "base/base.gemspec",
        "Gem::Specification.new do |s|\n  s.name = 'base'\n  s.version = '1.2.0'\n  s.summary = 'For tests'\n  s.authors = \
         ['Ann']\n  s.files = ['lib/base.rb']\nend\n",
    );
    client.write("base/lib/base.rb", "puts 'base 1.2.0'\n");
    let folder = client.home().join("base");
    let _ = client.system("gem").args(["build", "base.gemspec"]).in_folder(&folder).succeeds();
    let index = "require 'digest'\n\
                 info = \"---\\n1.2.0 |checksum:#{Digest::SHA256.file('base-1.2.0.gem').hexdigest}\\n\"\n\
                 File.write('info', info)\n\
                 File.write('versions', \"created_at: 2024-04-01T00:00:05Z\\n---\\nbase 1.2.0 #{Digest::MD5.hexdigest(info)}\\n\")\n";
    client.write("base/index.rb", index);
    let _ = client.system("ruby").args(["index.rb"]).in_folder(&folder).succeeds();
    let bytes = std::fs::read(folder.join("base-1.2.0.gem")).expect("gem has built it");
    registry.replace(GEM, bytes);
    registry.replace("/ruby/info/base", client.read("base/info").into_bytes());
    registry.replace("/ruby/versions", client.read("base/versions").into_bytes());
}

/// A server whose `my-repo` reaches the stand-in through `rubygems-store`, and a project that needs the gem.
fn set_up() -> (World, Client) {
    let registry = Registry::start();
    let address = format!("{}/ruby/", registry.url().trim_end_matches('/'));
    let world = World::with(registry, |builder| builder.external("public:ruby-gems-org", &address));
    let client = Client::new(&world.server);
    add_base(&world.registry, &client);
    let source = world.server.endpoint("ruby", "my-repo").replacen("://", &format!("://aws:{}@", world.token), 1);
    client.write("app/Gemfile", format!("source '{source}'\ngem 'base'\n"));
    (world, client)
}

fn bundle(client: &Client, home: &str) -> larder_testkit::client::Ran {
    let app = client.home().join("app");
    let bundle = client.system("bundle").args(["install", "--retry", "0"]);
    bundle.env("BUNDLE_PATH", home).env("BUNDLE_USER_CACHE", home).in_folder(app).ends()
}

fn r_17_public_gems_through_larder() {
    let (world, client) = set_up();
    bundle(&client, "one").says("Bundle complete!");
    assert!(client.read("app/Gemfile.lock").contains("base (1.2.0)"));
    world.wait_until_retained("ruby", "base", "1.2.0");
    // With the registry away, a second machine installs by the lock file.
    world.registry.go_down();
    bundle(&client, "two").says("Bundle complete!");
    assert_eq!(world.registry.count(GEM), 1);
}

/// A project of the public registry, with a lock file made there, is installed from Larder once that is its mirror.
fn r_17_a_mirror_of_the_public_registry() {
    let (world, client) = set_up();
    let public = format!("{}/ruby/", world.registry.url().trim_end_matches('/'));
    client.write("app/Gemfile", format!("source '{public}'\ngem 'base'\n"));
    let app = client.home().join("app");
    let bundle = |program: &str, words: &str| {
        let run = if program == "bundle" { run(&client, program, words) } else { of_year(&client, program, words) };
        run.in_folder(&app)
    };
    // The newer one writes checksums; those of the public registry hold for what Larder serves.
    let _ = bundle("bundle26", "lock --add-checksums").succeeds();
    let lock = client.read("app/Gemfile.lock");
    assert!(lock.contains("sha256=") && lock.contains(&public), "{lock}");
    for (number, program) in ["bundle", "bundle26", "bundle40"].into_iter().enumerate() {
        let setting = format!("config set --global mirror.{public} {}", world.gem_source());
        let _ = bundle(program, &setting).succeeds();
        world.registry.forget();
        let install = bundle(program, "install").env("BUNDLE_FROZEN", "true");
        install.env("BUNDLE_PATH", &format!("vendor{number}")).succeeds().says("Bundle complete!");
        assert_eq!(client.read("app/Gemfile.lock"), lock, "{program}");
        if number == 0 {
            world.wait_until_retained("ruby", "base", "1.2.0");
        } else {
            assert_eq!(world.registry.count(GEM), 0, "{program} asked the public registry");
        }
        let _ = bundle(program, &format!("config unset --global mirror.{public}")).succeeds();
    }
}

fn ruby_a_gem_cut_short_or_changed_is_never_kept() {
    let (world, client) = set_up();
    let faults =
        [Fault::Truncated, Fault::Shortened, Fault::WrongBytes, Fault::Html, Fault::Hangup, Fault::Status(500)];
    for (number, fault) in faults.into_iter().enumerate() {
        let shown = format!("{fault:?}");
        world.registry.forget();
        world.registry.break_file(GEM.trim_start_matches('/'), fault);
        // Bundler keeps what it got, cut short or not, and installs that the next time.
        let ran = bundle(&client, &format!("broken{number}"));
        assert!(!ran.all().contains("Bundle complete!"), "{shown}: {}", ran.all());
        assert!(world.registry.count(GEM) > 0, "{shown}: the registry was not asked");
    }
    world.registry.heal();
    bundle(&client, "whole").says("Bundle complete!");
}
