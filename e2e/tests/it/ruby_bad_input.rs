//! Bad input to RubyGems' endpoints, over raw HTTP (protocol reference 6.9): each row its status, a sentence in plain text,
//! and nothing stored.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;

use larder_e2e::World;
use larder_e2e::ruby::{Gem, append, gzip, tar_of, with_checksums};
use larder_testkit::server::{ACCOUNT, DOMAIN};
use larder_testkit::{Response, tests};
use serde_json::json;

tests![
    ruby_bad_archives,
    ruby_bad_gemspecs,
    ruby_bad_files_in_gems,
    ruby_conflicts_and_twins,
    ruby_too_large,
    ruby_missing_and_powerless_keys,
    ruby_a_push_without_rights_is_refused_while_it_arrives,
    ruby_bad_yanks_and_ranges,
    ruby_wrong_methods_and_paths,
];

fn refused(what: &str, answer: &Response, status: u16) {
    assert_eq!(answer.status, status, "{what}: {answer:?}");
    assert!(answer.text().trim().len() > 10, "{what} is not explained: {answer:?}");
    assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("text/plain")), "{what}: {answer:?}");
}

/// Nothing of any gem is there.
fn nothing_is_stored(world: &World) {
    assert_eq!(world.gem_document("names"), "---\n");
    assert!(!world.server.log().contains("panicked"));
}

type Members = Vec<(String, Vec<u8>)>;

fn ruby_bad_archives() {
    let world = World::empty();
    let good = Gem::new("foo", "1.0.0");
    let members = good.members();
    let without =
        |name: &str| tar_of(&members.iter().filter(|(member, _)| member != name).cloned().collect::<Members>());
    let with = |name: &str, bytes: &[u8]| {
        let extra = [(name.to_owned(), bytes.to_vec())];
        tar_of(&members.iter().cloned().chain(extra).collect::<Members>())
    };
    let changed = |name: &str, bytes: &[u8]| {
        let change = |(member, old): &(String, Vec<u8>)| {
            (member.clone(), if member == name { bytes.to_vec() } else { old.clone() })
        };
        tar_of(&members.iter().map(change).collect::<Members>())
    };
    let mut linked = tar_of(&members);
    linked.truncate(linked.len() - 1024);
    append(&mut linked, "metadata.gz.sig", tar::EntryType::Symlink, b"", "/etc/passwd");
    linked.resize(linked.len() + 1024, 0);
    let rows = [
        ("empty", Vec::new()),
        ("no tar", b"this is no archive".to_vec()),
        ("zeros", vec![0; 4096]),
        ("gzip", gzip(&good.bytes())),
        ("truncated", good.bytes()[..1500].to_vec()),
        ("without metadata.gz", without("metadata.gz")),
        ("without data.tar.gz", without("data.tar.gz")),
        ("without checksums.yaml.gz", without("checksums.yaml.gz")),
        ("another member", with("README", b"x")),
        ("a member in a folder", with("x/metadata.gz", b"x")),
        ("metadata.gz twice", with("metadata.gz", &members[0].1)),
        ("data.tar.gz twice", with("data.tar.gz", &members[1].1)),
        ("a link for a member", linked),
        (
            "other metadata than the checksums say",
            changed("metadata.gz", &gzip(good.yaml.replace("Ann", "Bob").as_bytes())),
        ),
        ("other files than the checksums say", changed("data.tar.gz", &gzip(&tar_of(&[])))),
        ("checksums that are not YAML", changed("checksums.yaml.gz", &gzip(b"a: [1"))),
        ("checksums of nothing", changed("checksums.yaml.gz", &gzip(b"---\nSHA256: {}\n"))),
        ("checksums of one member", {
            let sums = format!("---\nSHA256:\n  metadata.gz: {}\n", larder_testkit::packages::sha256(&members[0].1));
            changed("checksums.yaml.gz", &gzip(sums.as_bytes()))
        }),
        ("checksums that are not packed", changed("checksums.yaml.gz", b"---\n")),
        ("metadata that is not packed", tar_of(&with_checksums(good.yaml.clone().into_bytes(), members[1].1.clone()))),
        ("metadata that is no text", tar_of(&with_checksums(gzip(b"\xff\xfe"), members[1].1.clone()))),
        ("metadata of 11 MiB", tar_of(&with_checksums(gzip(&vec![b' '; 11 << 20]), members[1].1.clone()))),
        ("files that are no archive", tar_of(&with_checksums(members[0].1.clone(), b"words".to_vec()))),
        ("files that are cut off", {
            let cut = members[1].1[..members[1].1.len() / 2].to_vec();
            tar_of(&with_checksums(members[0].1.clone(), cut))
        }),
    ];
    for (what, bytes) in rows {
        refused(what, &world.push_of(bytes).send(), 422);
    }
    nothing_is_stored(&world);
    let _ = world.push_gem(&good).expect(200);
}

fn ruby_bad_gemspecs() {
    let world = World::empty();
    let good = || Gem::new("foo", "1.0.0");
    let number = "version: '1.0.0'";
    let mut rows = vec![
        ("another object", good().with("!ruby/object:Gem::Version", "!ruby/object:Kernel")),
        ("an object in a list", good().with("- Ann", "- !ruby/object:Gem::Installer {}")),
        ("a symbol's tag", good().with("- Ann", "- !ruby/symbol x")),
        ("an alias", good().with("- Ann", "- &a Ann\n- *a")),
        ("two documents", good().with("rubygems_version", "x: 1\n--- a\n...\n---\nrubygems_version")),
        ("no YAML", Gem { yaml: "{".to_owned(), files: Vec::new() }),
        ("a list", Gem { yaml: "--- []\n".to_owned(), files: Vec::new() }),
        ("no gemspec", good().with("!ruby/object:Gem::Specification", "!ruby/object:Gem::Version")),
        ("deep", good().with("dependencies: []", &format!("dependencies: {}{}", "[".repeat(500), "]".repeat(500)))),
        ("laughs", {
            let laughs = "a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\n";
            good().with("summary", &format!("{laughs}summary"))
        }),
        ("no name", good().with("name: foo\n", "")),
        ("no version", good().with("version: !ruby/object:Gem::Version\n  version: '1.0.0'\n", "")),
        (
            "no dependency's name",
            good().with("dependencies: []", "dependencies:\n- !ruby/object:Gem::Dependency\n  type: :runtime"),
        ),
    ];
    for name in ["-foo", "foo.", "_foo", "1", "..", "a b", "foo/bar", "\"f\\xe9\"", "foo.gem", "foo.json", "\"\"", "~"]
    {
        rows.push(("a name", good().with("name: foo", &format!("name: {name}"))));
    }
    for bad in ["one", "1..0", "1.0-a", "1.0.", "", "1 0", "1.0/2", ".1"] {
        rows.push(("a number", good().with(number, &format!("version: '{bad}'"))));
    }
    for platform in ["'a b'", "x/y", "'1'", "'-x'", "\"a\\nb\""] {
        rows.push(("a platform", good().with("platform: ruby", &format!("platform: {platform}"))));
    }
    for (what, gem) in rows {
        refused(&format!("{what}: {}", gem.yaml), &world.push_gem(&gem), 422);
    }
    nothing_is_stored(&world);
}

fn ruby_bad_files_in_gems() {
    let world = World::empty();
    let good = Gem::new("foo", "1.0.0");
    let metadata = gzip(good.yaml.as_bytes());
    for name in ["../x", "/etc/x", "a/../../x", "a/./x", "a//x", "C:/x", "a\\..\\x", "a\nb", "lib/foo.rb", "", ".."] {
        refused(&format!("{name:?}"), &world.push_gem(&good.clone().file(name, "x")), 422);
    }
    let long = "a/".repeat(2100);
    let entry = |name: &str, kind, link: &str| {
        let mut tar = Vec::new();
        append(&mut tar, name, kind, b"", link);
        tar.resize(tar.len() + 1024, 0);
        tar
    };
    let extended = |name: &str| {
        let mut tar = Vec::new();
        append(&mut tar, "././@LongLink", tar::EntryType::GNULongName, format!("{name}\0").as_bytes(), "");
        append(&mut tar, "short", tar::EntryType::Regular, b"", "");
        tar.resize(tar.len() + 1024, 0);
        tar
    };
    for (what, data) in [
        ("a link out", entry("lib/x", tar::EntryType::Symlink, "../../x")),
        ("an absolute link", entry("x", tar::EntryType::Symlink, "/etc/passwd")),
        ("a hard link", entry("x", tar::EntryType::Link, "lib/foo.rb")),
        ("a device", entry("x", tar::EntryType::Char, "")),
        ("a fifo", entry("x", tar::EntryType::Fifo, "")),
        ("a long name out", extended("a/../../x")),
        ("a name too long", extended(&long)),
        ("a bomb", tar_of(&[("zeros".to_owned(), vec![0; 80 << 20])])),
    ] {
        let gem = tar_of(&with_checksums(metadata.clone(), gzip(&data)));
        refused(what, &world.push_of(gem).send(), 422);
    }
    nothing_is_stored(&world);
    let inside = entry("lib/x", tar::EntryType::Symlink, "../foo.rb");
    let _ = world.push_of(tar_of(&with_checksums(metadata, gzip(&inside)))).send().expect(200);
}

fn ruby_conflicts_and_twins() {
    let world = World::empty();
    let gem = Gem::new("foo-bar", "1.0.0");
    let _ = world.push_gem(&gem).expect(200);
    let _ = world.push_gem(&gem).expect(200);
    refused("other bytes", &world.push_gem(&gem.clone().file("b", "b")), 409);
    refused("the same number written otherwise", &world.push_gem(&Gem::new("foo-bar", "1.0")), 409);
    for twin in ["Foo-Bar", "foo_bar", "FOO-BAR", "foo-Bar"] {
        refused(twin, &world.push_gem(&Gem::new(twin, "1.0.0")), 403);
    }
    let yank = || world.gems("DELETE", "api/v1/gems/yank").body("gem_name=foo-bar&version=1.0.0").send();
    let _ = yank().expect(200);
    refused("yanked before", &world.push_gem(&gem), 409);
    refused("yanked before, other bytes", &world.push_gem(&gem.file("b", "b")), 409);
    refused("yanked twice", &yank(), 404);
    // Two gems whose files would be called the same: `a-1` 2.0, and `a` 1-2.0 for a platform, which is none.
    let platform = Gem::new("foo", "1.0.0").with("platform: ruby", "platform: java-2");
    let _ = world.push_gem(&platform).expect(200);
    assert_eq!(world.gem_document("names"), "---\nfoo\n");
}

fn ruby_too_large() {
    let world = World::with(larder_testkit::Registry::start(), |builder| {
        builder.configuration("[limits]\nasset-size-bytes = 100000\n")
    });
    let noise: Vec<u8> = (0_u32..60_000).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let gem = Gem::new("large", "1.0.0").file("noise", noise).bytes();
    assert!(gem.len() > 100_000);
    refused("declared", &world.push_of(gem.clone()).send(), 413);
    let body = [format!("{:x}\r\n", gem.len()).as_bytes(), &gem, b"\r\n0\r\n\r\n"].concat();
    refused("chunked", &world.push_of(body).header("transfer-encoding", "chunked").send(), 413);
    let announced = world.push_of(Vec::new()).lying_about_its_length("9000000000");
    refused("9 GB", &announced.try_send().expect("a refusal before the body"), 413);
    nothing_is_stored(&world);
}

/// A token of a user who may read, and publish gems with certain names.
fn token_of(world: &World, name: &str, publish: &str) -> String {
    let gems = format!("arn:aws:codeartifact:us-east-1:{ACCOUNT}:package/{DOMAIN}/my-repo/ruby//{publish}");
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Resource": "*", "Action": ["codeartifact:ReadFromRepository",
            "codeartifact:GetAuthorizationToken", "sts:GetServiceBearerToken"]},
        {"Effect": "Allow", "Resource": gems, "Action": "codeartifact:PublishPackageVersion"}]});
    let key = world.server.create_user(ACCOUNT, name, &policy);
    world.server.token_of(&key, DOMAIN)
}

fn ruby_missing_and_powerless_keys() {
    let world = World::empty();
    let gem = Gem::new("foo", "1.0.0").bytes();
    let target = format!("{}/api/v1/gems", world.server.path("ruby", "my-repo"));
    let answer = world.server.request("POST", &target).body(gem.clone()).send();
    refused("no key", &answer, 401);
    assert!(answer.need_header("www-authenticate").starts_with("Basic realm="), "{answer:?}");
    for key in ["wrong", "Bearer wrong", "Basic !", ""] {
        let answer = world.gems_with_key(key, "POST", "api/v1/gems").body(gem.clone()).send();
        refused(&format!("key {key:?}"), &answer, 401);
    }
    let token = token_of(&world, "partly", "acme-*");
    let push = |gem: &Gem| world.gems_with_key(&token, "POST", "api/v1/gems").body(gem.bytes()).send();
    let answer = push(&Gem::new("foo", "1.0.0"));
    refused("a key for other gems", &answer, 403);
    assert!(answer.text().contains("codeartifact:PublishPackageVersion"), "{}", answer.text());
    let _ = push(&Gem::new("acme-foo", "1.0.0")).expect(200);
    let yank = world.gems_with_key(&token, "DELETE", "api/v1/gems/yank").body("gem_name=acme-foo&version=1.0.0").send();
    refused("a yank without the right to it", &yank, 403);
    assert_eq!(world.gem_document("names"), "---\nacme-foo\n");
    assert!(!world.server.log().contains(&token), "no key is logged");
}

/// What a client gets to hear that has sent the head of a push of 400 MB and this part of its body, and goes on sending
/// only while nothing is answered: the answer, and how much it sent.
fn begin_push(world: &World, token: &str, content_type: &str, beginning: &[u8]) -> (String, usize) {
    let request = world.gems_with_key(token, "POST", "api/v1/gems").header("content-type", content_type);
    let mut stream = request.lying_about_its_length("400000000").open().expect("a connection");
    stream.write_all(beginning).expect("the beginning");
    let mut reader = stream.try_clone().expect("the same connection");
    let answer = std::thread::spawn(move || {
        let mut answer = Vec::new();
        let mut buffer = [0; 1024];
        // The head and the sentence come at once; the connection may stay open for what is still sent.
        while let Ok(count @ 1..) = reader.read(&mut buffer) {
            answer.extend_from_slice(&buffer[..count]);
            if answer.windows(9).any(|window| window == b"resource:") {
                break;
            }
        }
        String::from_utf8_lossy(&answer).into_owned()
    });
    let mut sent = beginning.len();
    let noise = vec![b'x'; 64 << 10];
    while !answer.is_finished() && sent < 40_000_000 && stream.write_all(&noise).is_ok() {
        sent += noise.len();
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let _ = stream.shutdown(Shutdown::Both);
    (answer.join().expect("an answer"), sent)
}

/// The name of a gem is in its archive. It is looked for as the archive arrives.
fn ruby_a_push_without_rights_is_refused_while_it_arrives() {
    let world = World::empty();
    let token = token_of(&world, "partly", "acme-*");
    let gem = Gem::new("foo", "1.0.0");
    let metadata = tar_of(&gem.members()[..1]);
    // The header of `data.tar.gz`, of 300 MB, and not yet a byte of it.
    let beginning = |name: &str, behind: &[u8]| {
        let mut header = tar::Header::new_ustar();
        header.set_path(name).expect("a name");
        header.set_size(300_000_000);
        header.set_cksum();
        [behind, header.as_bytes()].concat()
    };
    let usual = beginning("data.tar.gz", &metadata[..metadata.len() - 1024]);
    let form = b"--x\r\nContent-Disposition: form-data; name=\"gem\"; filename=\"foo\"\r\n\r\n";
    for (what, content_type, beginning) in [
        ("a gem", "application/octet-stream", usual.clone()),
        ("a gem in a form", "multipart/form-data; boundary=x", [&form[..], &usual].concat()),
    ] {
        let (answer, sent) = begin_push(&world, &token, content_type, &beginning);
        assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("foo"), "{what}: {answer}");
        assert!(sent < 10_000_000, "{what}: {sent} bytes were sent before the answer");
    }
    // Whoever puts the files first is not listened to for long, whatever the rights are.
    let (answer, sent) = begin_push(&world, &token, "application/octet-stream", &beginning("data.tar.gz", b""));
    assert!(answer.starts_with("HTTP/1.1 422 ") && answer.contains("metadata.gz"), "{answer}");
    assert!(sent < 35_000_000, "{sent} bytes were sent before the answer");
    let staging = std::fs::read_dir(world.server.data().join("staging")).map(Iterator::count).unwrap_or_default();
    assert_eq!(staging, 0, "something is left of a refused push");
    nothing_is_stored(&world);
}

fn ruby_bad_yanks_and_ranges() {
    let world = World::empty();
    let _ = world.push_gem(&Gem::new("foo", "1.0.0")).expect(200);
    for (body, status) in [
        ("", 400),
        ("gem_name=foo", 400),
        ("version=1.0.0", 400),
        ("gem_name=foo&version=2.0.0", 404),
        ("gem_name=foo&version=1.0", 404),
        ("gem_name=foo&version=1.0.0&platform=java", 404),
        ("gem_name=none&version=1.0.0", 404),
        ("gem_name=..&version=1.0.0", 404),
        ("gem_name=%ff&version=1.0.0", 404),
        ("gem_name=foo&version=latest", 404),
    ] {
        refused(body, &world.gems("DELETE", "api/v1/gems/yank").body(body).send(), status);
    }
    let large = format!("gem_name=foo&version=1.0.0&x={}", "x".repeat(100_000));
    refused("a large yank", &world.gems("DELETE", "api/v1/gems/yank").body(large).send(), 413);
    for path in ["versions", "info/foo", "names", "gems/foo-1.0.0.gem"] {
        let size = world.gems("GET", path).send().expect(200).body.len();
        let range = |range: &str| world.gems("GET", path).header("range", range).send();
        let beyond = range(&format!("bytes={size}-")).expect(416);
        assert_eq!(beyond.need_header("content-range"), format!("bytes */{size}"), "{path}");
        let last = range(&format!("bytes={}-", size - 1)).expect(206);
        assert_eq!(last.need_header("content-range"), format!("bytes {0}-{0}/{size}", size - 1), "{path}");
        assert!(last.header("content-encoding").is_none(), "{path}");
    }
    assert!(world.gem_document("info/foo").contains("1.0.0 "), "nothing was yanked");
}

fn ruby_wrong_methods_and_paths() {
    let world = World::empty();
    let _ = world.push_gem(&Gem::new("foo", "1.0.0")).expect(200);
    for (method, path, allow) in [
        ("GET", "api/v1/gems", "POST"),
        ("PUT", "api/v1/gems", "POST"),
        ("GET", "api/v1/gems/yank", "DELETE"),
        ("POST", "versions", "GET, HEAD"),
        ("DELETE", "info/foo", "GET, HEAD"),
        ("PUT", "gems/foo-1.0.0.gem", "GET, HEAD"),
    ] {
        let answer = world.gems(method, path).send();
        refused(&format!("{method} {path}"), &answer, 405);
        assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
    }
    for path in [
        "info/none",
        "info/foo-1.0.0",
        "info/-",
        "gems/foo-2.0.0.gem",
        "gems/foo.gem",
        "gems/foo-1.0.0-java.gem",
        "gems/foo-1.0.0",
        "quick/Marshal.4.8/foo-2.0.0.gemspec.rz",
        "quick/Marshal.4.7/foo-1.0.0.gemspec.rz",
        "api/v1/dependencies?gems=foo",
        "api/v1/dependencies.json?gems=foo",
        "api/v1/attestations/foo-1.0.0.json",
        "nothing",
    ] {
        refused(path, &world.gems("GET", path).send(), 404);
    }
    refused("unyank", &world.gems("PUT", "api/v1/gems/unyank").send(), 410);
    for path in ["info/..%2f..%2fetc", "gems/%2e%2e", "info/a%00b", "gems//foo-1.0.0.gem"] {
        assert_eq!(world.gems("GET", path).send().status, 400, "{path}");
    }
}
