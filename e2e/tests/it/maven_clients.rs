//! Checks M-08, M-09 and M-11: Gradle 4 as Debian has it, which resolves but cannot publish over HTTP, and Ivy.

use larder_e2e::World;
use larder_e2e::maven::{java_home, recorded};
use larder_testkit::server::REPOSITORY;
use larder_testkit::{Client, tests, tools};

tests![m_08_gradle_resolves, m_09_gradle_snapshots, m_11_ivy_publishes_and_retrieves];

fn gradle_home(world: &World) -> Client {
    tools::need_system("gradle");
    let mut client = Client::new(&world.server);
    java_home(&mut client);
    client.write("consumer/settings.gradle", "rootProject.name = 'consumer'\n");
    client
}

/// What Gradle takes when `com.acme:graded` is wanted in this version.
fn resolve(world: &World, client: &Client, version: &str) -> String {
    let (endpoint, token) = (world.server.endpoint("maven", REPOSITORY), &world.token);
    client.write(
        "consumer/build.gradle",
        format!(
            "configurations {{ wanted }}\n\
             repositories {{ maven {{ url '{endpoint}'; credentials {{ username 'aws'; password '{token}' }} }} }}\n\
             dependencies {{ wanted 'com.acme:graded:{version}' }}\n\
             task show {{ doLast {{ configurations.wanted.files.each {{ println it.name + ' ' + it.text }} }} }}\n"
        ),
    );
    let home = client.home().join("gradle-home");
    let run = client.system("gradle").in_folder(client.home().join("consumer"));
    let run = run.env("GRADLE_USER_HOME", &home.to_string_lossy());
    run.args(["--no-daemon", "--console=plain", "-q", "--refresh-dependencies", "show"]).succeeds().text().to_owned()
}

fn m_08_gradle_resolves() {
    let world = World::maven_empty();
    let client = gradle_home(&world);
    for version in ["1.0", "1.1"] {
        world.deploy("com.acme", "graded", version, version);
    }
    assert!(resolve(&world, &client, "1.0").contains("graded-1.0.jar 1.0"));
    assert!(resolve(&world, &client, "1.+").contains("graded-1.1.jar 1.1"));
    assert!(resolve(&world, &client, "latest.release").contains("graded-1.1.jar 1.1"));
}

fn m_09_gradle_snapshots() {
    let world = World::maven_empty();
    let client = gradle_home(&world);
    for (number, text) in [(1, "one"), (2, "two")] {
        world.put_build(REPOSITORY, "graded", "1.0", number, text);
        assert!(resolve(&world, &client, "1.0-SNAPSHOT").contains(text));
    }
}

/// Ivy sends no metadata, as sbt does: a tag of the repository lets such versions be published.
fn m_11_ivy_publishes_and_retrieves() {
    let world = World::maven_empty();
    let jar = recorded("ivy.jar");
    let mut client = Client::new(&world.server);
    java_home(&mut client);
    let endpoint = world.server.endpoint("maven", REPOSITORY);
    client.write(
        "settings.xml",
        format!(
            "<ivysettings><settings defaultResolver=\"larder\"/>\
             <credentials host=\"127.0.0.1\" realm=\"larder\" username=\"aws\" passwd=\"{}\"/>\
             <resolvers><ibiblio name=\"larder\" m2compatible=\"true\" root=\"{endpoint}\"/>\
             <url name=\"publish\" m2compatible=\"true\">\
             <artifact pattern=\"{endpoint}[organisation]/[module]/[revision]/[artifact]-[revision](-[classifier]).[ext]\"/></url>\
             </resolvers></ivysettings>",
            world.token
        ),
    );
    client.write(
        "ivy.xml",
        "<ivy-module version=\"2.0\"><info organisation=\"com.acme\" module=\"ivied\" revision=\"1.0\"/>\
         <publications><artifact name=\"ivied\" type=\"jar\" ext=\"jar\"/>\
         <artifact name=\"ivied\" type=\"pom\" ext=\"pom\"/></publications></ivy-module>",
    );
    client.write("ivied.jar", "jar");
    let ivy = |arguments: &[&str]| {
        let run = client.system("java").args(["-jar", &jar.to_string_lossy(), "-settings", "settings.xml"]);
        run.args(["-cache", "cache"]).args(arguments.iter().copied()).succeeds()
    };
    let pattern = "[artifact].[ext]";
    let publish = |version: &str| {
        client.write("ivied.pom", larder_e2e::maven::pom("com.acme", "ivied", version));
        let arguments = ["-ivy", "ivy.xml", "-publish", "publish", "-publishpattern", pattern, "-revision", version];
        let _ = ivy(&[&arguments[..], &["-overwrite"]].concat());
        world.maven_status("com.acme", "ivied", version)
    };
    assert_eq!(publish("1.0").as_deref(), Some("Unfinished"));
    world.tag_repository("larder:maven-publish", "without-metadata");
    assert_eq!(publish("1.1").as_deref(), Some("Published"));
    let _ = ivy(&["-dependency", "com.acme", "ivied", "1.1", "-retrieve", "lib/[artifact].[ext]", "-notransitive"]);
    assert_eq!(client.read("lib/ivied.jar"), "jar");
}
