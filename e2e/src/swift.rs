//! What SwiftPM sends. Swift is on few machines, so its requests are written here, in its order and form; the script
//! `e2e/swift/registry.sh` runs the real one where there is one.

use larder_testkit::packages::SwiftPackage;
use larder_testkit::{Request, Response, Server};

/// `Accept` for documents, manifests and archives.
pub const JSON: &str = "application/vnd.swift.registry.v1+json";
pub const MANIFEST: &str = "application/vnd.swift.registry.v1+swift";
pub const ZIP: &str = "application/vnd.swift.registry.v1+zip";

/// A registry that SwiftPM is logged in to with a token.
#[derive(Debug)]
pub struct SwiftRegistry {
    pub server: Server,
    pub token: String,
}

impl SwiftRegistry {
    /// The repository of a first start.
    #[must_use]
    pub fn start() -> Self {
        Self::of(Server::start())
    }

    #[must_use]
    pub fn of(server: Server) -> Self {
        let token = server.token();
        Self { server, token }
    }

    /// A request to `my-repo` with the token. `path` follows the endpoint's slash.
    pub fn request(&self, method: &str, path: &str) -> Request {
        self.request_in("my-repo", method, path)
    }

    /// The same to another repository.
    pub fn request_in(&self, repository: &str, method: &str, path: &str) -> Request {
        let target = format!("{}/{path}", self.server.path("swift", repository));
        self.server.request(method, &target).token(&self.token)
    }

    /// A read as SwiftPM makes it.
    #[must_use]
    pub fn get(&self, accept: &str, path: &str) -> Response {
        self.request("GET", path).header("Accept", accept).send()
    }

    /// `swift package-registry publish`.
    #[must_use]
    pub fn publish(&self, package: &SwiftPackage) -> Response {
        self.publish_in("my-repo", package)
    }

    /// The same to another repository.
    #[must_use]
    pub fn publish_in(&self, repository: &str, package: &SwiftPackage) -> Response {
        let (headers, body) = package.publish_form();
        let request = self.request_in(repository, "PUT", &package.path());
        headers.into_iter().fold(request, |request, (name, value)| request.header(name, value)).body(body).send()
    }

    /// The versions that SwiftPM chooses from, in the order of the answer: it follows the pages and leaves out those with
    /// a problem.
    ///
    /// # Panics
    /// If an answer is not what SwiftPM reads.
    #[must_use]
    pub fn resolvable(&self, package: &str) -> Vec<String> {
        let mut versions = Vec::new();
        let mut next = Some(package.to_owned());
        while let Some(path) = next {
            let answer = self.get(JSON, &path).expect(200);
            assert_eq!(answer.need_header("content-version"), "1");
            let list = answer.json();
            let releases = list["releases"].as_object().expect("releases");
            versions.extend(
                releases.iter().filter(|(_, release)| release["problem"].is_null()).map(|(version, _)| version.clone()),
            );
            next = links(&answer).into_iter().find(|(_, relation)| relation == "next").map(|(url, _)| {
                let base = self.server.endpoint("swift", "my-repo");
                url.strip_prefix(&base).unwrap_or_else(|| panic!("{url} is not below {base}")).to_owned()
            });
        }
        versions
    }

    /// What `swift package resolve` asks for a package: the list, the release, its manifest with variants, and the
    /// archive, whose digest has to be the release's.
    ///
    /// # Panics
    /// If an answer is not what SwiftPM reads.
    #[must_use]
    pub fn resolve(&self, package: &str, version: &str) -> Vec<u8> {
        assert!(self.resolvable(package).iter().any(|listed| listed == version), "{version} is not listed");
        let release = self.get(JSON, &format!("{package}/{version}")).expect(200);
        assert_eq!(release.need_header("content-version"), "1");
        assert_eq!(release.need_header("content-type"), "application/json");
        let release = release.json();
        let manifest = self.get(MANIFEST, &format!("{package}/{version}/Package.swift")).expect(200);
        assert_eq!(manifest.need_header("content-type"), "text/x-swift");
        assert!(manifest.text().trim_start().starts_with("//"));
        let archive = self.get(ZIP, &format!("{package}/{version}.zip")).expect(200);
        assert_eq!(archive.need_header("content-type"), "application/zip");
        let resource = &release["resources"][0];
        assert_eq!((&resource["name"], &resource["type"]), (&"source-archive".into(), &"application/zip".into()));
        assert_eq!(resource["checksum"].as_str(), Some(larder_testkit::packages::sha256(&archive.body).as_str()));
        archive.body
    }
}

/// Addresses and relations of a `Link` header, split as SwiftPM splits it: at commas, then at semicolons, of which a link
/// has one.
#[must_use]
pub fn links(answer: &Response) -> Vec<(String, String)> {
    let links = answer.header("link").unwrap_or_default().split(',');
    let parsed = links.filter_map(|link| {
        let fields: Vec<&str> = link.split(';').map(str::trim).collect();
        let [url, relation] = fields[..] else { return None };
        let url = url.strip_prefix('<')?.strip_suffix('>')?;
        Some((url.to_owned(), relation.strip_prefix("rel=\"")?.strip_suffix('"')?.to_owned()))
    });
    parsed.collect()
}

/// The detail of a refusal, in the form in which SwiftPM prints it.
///
/// # Panics
/// If it has another status or form.
#[must_use]
pub fn problem(answer: &Response, status: u16) -> String {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.need_header("content-type"), "application/problem+json");
    assert_eq!(answer.need_header("content-version"), "1", "SwiftPM reads no detail without it");
    let problem = answer.json();
    assert_eq!(problem["status"], status);
    problem["detail"].as_str().expect("a detail").to_owned()
}
