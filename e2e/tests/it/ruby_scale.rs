//! Checks, and the list of all versions of a public registry: many pushes at once, many versions, many
//! gems, several spellings of one version.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use larder_e2e::World;
use larder_e2e::ruby::{Gem, build, host, run};
use larder_testkit::packages::md5;
use larder_testkit::runner::note;
use larder_testkit::{Client, Registry, tests};

tests![
    r_19_pushes_at_the_same_time,
    r_19_one_of_several_spellings_pushed_at_once_is_there,
    r_20_two_thousand_versions,
    ruby_public_versions_of_180_000_gems,
];

/// Checks that the last MD5 that `versions` has of each gem is that of its `info`; answers how many gems there are.
fn digests_agree(world: &World) -> usize {
    let versions = world.gem_document("versions");
    let lines = versions.split_once("---\n").expect("a head").1.lines();
    let mut last = std::collections::BTreeMap::new();
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        last.insert(words[0].to_owned(), words[2].to_owned());
    }
    for (name, digest) in &last {
        assert_eq!(*digest, md5(world.gem_document(&format!("info/{name}")).as_bytes()), "{name}");
    }
    last.len()
}

/// 20 processes of `gem` and 80 raw pushes, of new gems and of new versions of one.
fn r_19_pushes_at_the_same_time() {
    let world = World::empty();
    let client = Client::new(&world.server);
    let files: Vec<String> = (0..20)
        .map(|number| {
            let (name, version) =
                if number % 2 == 0 { ("shared", format!("1.{number}")) } else { ("own", "1.0".to_owned()) };
            let name = if name == "own" { format!("own{number}") } else { name.to_owned() };
            build(&client, &name, &version, "")
        })
        .collect();
    std::thread::scope(|scope| {
        for file in &files {
            let push = run(&client, "gem", &format!("push {file} --host {}", host(&world)));
            let push = push.env("GEM_HOST_API_KEY", &world.token);
            scope.spawn(move || push.succeeds().says("Successfully registered gem").success);
        }
        for number in 0..80 {
            let name = if number % 2 == 0 { "shared".to_owned() } else { format!("raw{number}") };
            let gem = Gem::new(&name, &format!("2.{number}"));
            let world = &world;
            scope.spawn(move || world.push_gem(&gem).expect(200).status);
        }
    });
    assert_eq!(digests_agree(&world), 1 + 10 + 40);
    assert_eq!(world.gem_document("info/shared").lines().count(), 1 + 10 + 40);
}

/// `gem` and raw pushes of `1`, `1.0` and `1.0.0`, which are one version to every client (protocols 6.6).
fn r_19_one_of_several_spellings_pushed_at_once_is_there() {
    let world = World::empty();
    let client = Client::new(&world.server);
    let files: Vec<String> = ["1", "1.0", "1.0.0"].map(|number| build(&client, "spelled", number, "")).to_vec();
    let accepted = std::thread::scope(|scope| {
        let pushes: Vec<_> = files
            .iter()
            .map(|file| {
                let push = run(&client, "gem", &format!("push {file} --host {}", host(&world)));
                let push = push.env("GEM_HOST_API_KEY", &world.token);
                scope.spawn(move || push.ends())
            })
            .collect();
        let ended: Vec<_> = pushes.into_iter().map(|push| push.join().expect("a run")).collect();
        for refused in ended.iter().filter(|ended| !ended.success) {
            assert!(refused.all().contains("which is the same version to every client"), "{}", refused.all());
        }
        ended.iter().filter(|ended| ended.success).count()
    });
    assert_eq!(accepted, 1);
    assert_eq!(world.gem_document("info/spelled").lines().count(), 2);

    for round in 0..10 {
        let name = format!("spelled{round}");
        let _ = world.push_gem(&Gem::new(&name, "0.1")).expect(200);
        let push = |number: &str| world.push_gem(&Gem::new(&name, number)).status;
        let mut told: Vec<u16> = std::thread::scope(|scope| {
            let pushes: Vec<_> =
                ["2", "2.0", "2.0.0", "02"].map(|number| scope.spawn(move || push(number))).into_iter().collect();
            pushes.into_iter().map(|push| push.join().expect("a push")).collect()
        });
        told.sort_unstable();
        assert_eq!(told, [200, 409, 409, 409], "{name}");
    }
}

fn r_20_two_thousand_versions() {
    const VERSIONS: u32 = 2000;
    let world = World::empty();
    let push = |number: u32| world.push_gem(&Gem::new("many", &format!("1.{number}"))).expect(200).status;
    std::thread::scope(|scope| {
        for first in 0..8 {
            scope.spawn(move || (first..VERSIONS).step_by(8).map(push).count());
        }
    });
    let _ = world.gem_document("info/many");
    let timed = |what: &str, path: &str, limit: u64| {
        let started = Instant::now();
        let text = world.gem_document(path);
        let took = started.elapsed();
        note(&format!("{what}: {took:?}"));
        assert!(took < Duration::from_millis(limit), "{what} took {took:?}");
        text
    };
    let info = timed("info again", "info/many", 200);
    assert_eq!(info.lines().count(), 1 + VERSIONS as usize);
    // A push costs what it costs for a new gem: the fastest of some, because others use the machine, too.
    let fastest = |push: &dyn Fn(u32) -> u16| {
        let timed = (0..9).map(|number| {
            let started = Instant::now();
            let _ = push(number);
            started.elapsed()
        });
        timed.min().expect("some")
    };
    let first = fastest(&|number| world.push_gem(&Gem::new(&format!("few{number}"), "1.0")).expect(200).status);
    let one_more = fastest(&|number| world.push_gem(&Gem::new("many", &format!("2.{number}"))).expect(200).status);
    note(&format!("a push of the first version: {first:?}, of one more than {VERSIONS}: {one_more:?}"));
    assert!(one_more < first * 2 + Duration::from_millis(10), "{one_more:?} and {first:?}");
    // After a push the document is made anew.
    let _ = push(VERSIONS);
    let info = timed("info after a push", "info/many", 200);
    assert_eq!(info.lines().count(), 2 + 9 + VERSIONS as usize);
    timed("versions", "versions", 1000);
    assert_eq!(digests_agree(&world), 1 + 9);
    let client = Client::new(&world.server);
    client.write("app/Gemfile", format!("source '{}'\ngem 'many'\n", world.gem_source()));
    let bundle = run(&client, "bundle", "install").env("BUNDLE_PATH", "vendor").in_folder(client.home().join("app"));
    bundle.succeeds().says("many 2.8");
}

/// As many gems as the public registry has, in a list of some 20 MB.
fn ruby_public_versions_of_180_000_gems() {
    const GEMS: u32 = 180_000;
    let registry = Registry::start();
    let address = format!("{}/ruby/", registry.url().trim_end_matches('/'));
    let world = World::with(registry, |builder| builder.external("public:ruby-gems-org", &address));
    let mut listed = String::from("created_at: 2024-04-01T00:00:05Z\n---\n");
    for number in 0..GEMS {
        let digest = md5(&number.to_le_bytes());
        let _ = writeln!(
            listed,
            "public-gem-{number} 0.1.0,0.1.1,0.2.0,1.0.0,1.0.1,1.1.0-java,2.0.0,2.1.0,{number}.0.0 {digest}"
        );
    }
    world.registry.replace("/ruby/versions", listed.clone().into_bytes());
    let get = |headers: &[(&str, String)]| {
        let started = Instant::now();
        let request = headers.iter().fold(world.gems("GET", "versions"), |it, (name, value)| it.header(name, value));
        let answer = request.send();
        note(&format!("versions {headers:?}: {} in {:?}", answer.status, started.elapsed()));
        (answer, started.elapsed())
    };
    let (first, _) = get(&[]);
    assert_eq!(first.body.len(), listed.len());
    let (again, took) = get(&[]);
    assert!(took < Duration::from_secs(1), "{took:?}");
    let etag = again.need_header("etag").to_owned();
    // What is pushed here comes behind it, as a part.
    let started = Instant::now();
    let _ = world.push_gem(&Gem::new("ours", "1.0.0")).expect(200);
    note(&format!("a push: {:?}", started.elapsed()));
    let range = format!("bytes={}-", first.body.len() - 1);
    let (part, took) = get(&[("range", range), ("if-none-match", etag)]);
    let part = part.expect(206);
    assert!(part.text().starts_with("\nours 1.0.0 ") && part.body.len() < 100, "{}", part.text());
    assert!(took < Duration::from_secs(20), "{took:?}");
    for path in ["names", "specs.4.8.gz"] {
        let started = Instant::now();
        let answer = world.gems("GET", path).send().expect(200);
        note(&format!("{path}: {} bytes in {:?}", answer.body.len(), started.elapsed()));
    }
}
