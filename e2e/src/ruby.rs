//! RubyGems: gems that tests make, requests as `gem` makes them, and clients of several years.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use larder_testkit::client::Run;
use larder_testkit::packages::sha256;
use larder_testkit::server::REPOSITORY;
use larder_testkit::{Client, Request, Response, runner, tools};

use crate::World;

impl World {
    /// `my-repo` as a source, with the token in it.
    #[must_use]
    pub fn gem_source(&self) -> String {
        self.server.endpoint("ruby", REPOSITORY).replacen("://", &format!("://aws:{}@", self.token), 1)
    }

    /// A request to `my-repo` as `gem` makes it: the key as it is. `path` follows the endpoint's slash.
    pub fn gems(&self, method: &str, path: &str) -> Request {
        self.gems_with_key(&self.token, method, path)
    }

    /// The same with another key.
    pub fn gems_with_key(&self, key: &str, method: &str, path: &str) -> Request {
        let target = format!("{}/{path}", self.server.path("ruby", REPOSITORY));
        self.server.request(method, &target).header("authorization", key)
    }

    /// A push of any bytes, as `gem push` sends a gem.
    pub fn push_of(&self, bytes: impl Into<Vec<u8>>) -> Request {
        self.gems("POST", "api/v1/gems").header("content-type", "application/octet-stream").body(bytes)
    }

    /// Pushes a gem over raw HTTP.
    #[must_use]
    pub fn push_gem(&self, gem: &Gem) -> Response {
        self.push_of(gem.bytes()).send()
    }

    /// A document of `my-repo`.
    #[must_use]
    pub fn gem_document(&self, path: &str) -> String {
        self.gems("GET", path).send().expect(200).text()
    }
}

/// A gem made byte for byte, with whatever in it.
#[derive(Debug, Clone)]
pub struct Gem {
    /// The gemspec, as YAML.
    pub yaml: String,
    pub files: Vec<(String, Vec<u8>)>,
}

impl Gem {
    /// For every platform, with one file.
    #[must_use]
    pub fn new(name: &str, number: &str) -> Self {
        let yaml = format!(
            "--- !ruby/object:Gem::Specification\nname: {name}\nversion: !ruby/object:Gem::Version\n  version: '{number}'\n\
             platform: ruby\nauthors:\n- Ann\ndate: 2026-01-02 00:00:00.000000000 Z\ndependencies: []\n\
             files:\n- lib/{name}.rb\nrequire_paths:\n- lib\nsummary: For tests\nspecification_version: 4\n\
             rubygems_version: 3.3.15\n"
        );
        Self { yaml, files: vec![(format!("lib/{name}.rb"), format!("puts '{name} {number}'\n").into_bytes())] }
    }

    /// With something else in its gemspec.
    ///
    /// # Panics
    /// If what is replaced is not there.
    #[must_use]
    pub fn with(mut self, from: &str, to: &str) -> Self {
        assert!(self.yaml.contains(from), "no {from:?} in the gemspec");
        self.yaml = self.yaml.replacen(from, to, 1);
        self
    }

    /// With one more file.
    #[must_use]
    pub fn file(mut self, name: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.push((name.to_owned(), content.into()));
        self
    }

    /// `metadata.gz`, `data.tar.gz`, `checksums.yaml.gz`, in the order of `gem build`.
    #[must_use]
    pub fn members(&self) -> Vec<(String, Vec<u8>)> {
        let data = gzip(&tar_of(&self.files));
        with_checksums(gzip(self.yaml.as_bytes()), data)
    }

    /// The file.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        tar_of(&self.members())
    }
}

/// The members of a gem of these two.
#[must_use]
pub fn with_checksums(metadata: Vec<u8>, data: Vec<u8>) -> Vec<(String, Vec<u8>)> {
    let mut sums = String::from("---\nSHA256:\n");
    for (name, bytes) in [("metadata.gz", &metadata), ("data.tar.gz", &data)] {
        let _ = writeln!(sums, "  {name}: {}", sha256(bytes));
    }
    let members = [("metadata.gz", metadata), ("data.tar.gz", data), ("checksums.yaml.gz", gzip(sums.as_bytes()))];
    members.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect()
}

/// A tar of regular files. Names go in as they are, so that a test can send what no packer would write.
#[must_use]
pub fn tar_of(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, bytes) in files {
        append(&mut tar, name, tar::EntryType::Regular, bytes, "");
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}

/// Adds an entry of any kind to a tar that is not ended yet.
///
/// # Panics
/// If the name is longer than a header has place for.
pub fn append(tar: &mut Vec<u8>, name: &str, kind: tar::EntryType, bytes: &[u8], link: &str) {
    let mut header = tar::Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_entry_type(kind);
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    tar.extend_from_slice(header.as_bytes());
    tar.extend_from_slice(bytes);
    tar.resize(tar.len().next_multiple_of(512), 0);
}

/// The bytes in gzip.
///
/// # Panics
/// Never: memory takes them all.
#[must_use]
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

/// One of the machine's own programs, with arguments that have no blanks in them.
pub fn run<'a>(client: &'a Client, program: &str, arguments: &str) -> Run<'a> {
    client.system(program).args(arguments.split(' '))
}

/// A client of another year: `gem27`, `gem36`, `bundle26`, `gem40`, `bundle40`. Skips the test without it.
pub fn of_year<'a>(client: &'a Client, program: &str, arguments: &str) -> Run<'a> {
    run(client, &path_of_year(program), arguments)
}

/// Where such a client is. Skips the test without it.
#[must_use]
pub fn path_of_year(program: &str) -> String {
    let folder = tools::folder().join("ruby");
    if !folder.join("complete").is_file() {
        runner::skip(format!("{program}: could not be had, see `cargo xtask clients`"));
    }
    if program == "gem27" {
        tools::need_system("java");
    }
    folder.join("bin").join(program).to_string_lossy().into_owned()
}

/// Builds a gem with `gem build`: its file says what it is, `lines` are more of its gemspec. Answers the path below the
/// home.
///
/// # Panics
/// If `gem` cannot build it.
#[must_use]
pub fn build(client: &Client, name: &str, version: &str, lines: &str) -> String {
    let folder = format!("src/{name}-{version}");
    let spec = format!(
        "Gem::Specification.new do |s|\n  s.name = '{name}'\n  s.version = '{version}'\n  s.summary = 'For tests'\n  \
         s.authors = ['Ann']\n  s.files = ['lib/{name}.rb']\n  {lines}\nend\n"
    );
    client.write(&format!("{folder}/{name}.gemspec"), spec);
    client.write(&format!("{folder}/lib/{name}.rb"), format!("puts '{name} {version}'\n"));
    let built = run(client, "gem", &format!("build {name}.gemspec")).in_folder(client.home().join(&folder)).succeeds();
    let file = built.text().lines().find_map(|line| line.trim().strip_prefix("File: ").map(str::to_owned));
    format!("{folder}/{}", file.expect("gem says which file it wrote"))
}

/// A `gem` command that talks to `my-repo` as its host.
pub fn to_host<'a>(world: &World, client: &'a Client, arguments: &str) -> Run<'a> {
    run(client, "gem", &format!("{arguments} --host {}", host(world))).env("GEM_HOST_API_KEY", &world.token)
}

/// `my-repo` as `gem` names a host.
#[must_use]
pub fn host(world: &World) -> String {
    world.server.endpoint("ruby", REPOSITORY).trim_end_matches('/').to_owned()
}

/// Builds and pushes a gem with `gem`.
pub fn publish(world: &World, client: &Client, name: &str, version: &str, lines: &str) {
    let file = build(client, name, version, lines);
    let _ = to_host(world, client, &format!("push {file}")).succeeds();
}

/// The arguments of an installation from `my-repo`, below the home.
#[must_use]
pub fn install(world: &World, what: &str) -> String {
    format!("install {what} --no-document --install-dir gems --clear-sources --source {}", world.gem_source())
}

/// Bundler's settings for a project in a folder below the home.
pub fn in_project<'a>(client: &'a Client, run: Run<'a>, folder: &str) -> Run<'a> {
    let path: PathBuf = client.home().join(folder);
    run.env("BUNDLE_PATH", "vendor").in_folder(path)
}
