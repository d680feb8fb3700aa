//! The servers that are measured, each brought to hold the same packages.

mod case;
mod devpi;
mod larder;
mod maven_proxy;
mod nginx;
mod verdaccio;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use larder_testkit::packages::NpmPackage;
use larder_testkit::{Request, Response};
use serde_json::Value;

pub(crate) use case::Case;
pub(crate) use devpi::devpi;
pub(crate) use larder::{Larder, expect_success, larder};
pub(crate) use maven_proxy::{maven_proxy, start_maven_proxy};
pub(crate) use nginx::{Nginx, nginx};
pub(crate) use verdaccio::{start_verdaccio, verdaccio};

use crate::load::Prepared;
use crate::{Context, Result, corpus};

/// How long a server may take to answer its first request; devpi takes some seconds.
const START: Duration = Duration::from_secs(60);

/// What npm asks for when it installs.
pub(crate) const ABBREVIATED: &str = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*";
/// What pip asks for.
pub(crate) const SIMPLE_JSON: &str = "application/vnd.pypi.simple.v1+json";

/// One address with the headers that a client sends.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// `GET` or `HEAD`.
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Target {
    /// Asks once.
    pub(crate) fn get(&self) -> Result<Response> {
        let mut request = Request::new(self.address, self.method, &self.path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let response = request.try_send().context(&self.path)?;
        if response.is_success() || response.status == 304 {
            return Ok(response);
        }
        Err(format!("{} was answered with {}: {}", self.path, response.status, response.text()).into())
    }

    /// The same with a header more.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut target = self.clone();
        target.headers.push((name.to_owned(), value.to_owned()));
        target
    }

    /// Asks for what is there already: the `ETag` of its answer as `If-None-Match`.
    pub(crate) fn revalidated(&self) -> Result<Self> {
        let first = self.get()?;
        let target = self.with("if-none-match", first.header("etag").ok_or("an answer without ETag")?);
        let second = target.get()?;
        if second.status == 304 { Ok(target) } else { Err(format!("{} was sent again", self.path).into()) }
    }
}

/// Where a server speaks a package manager's protocol.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    /// Path without trailing slash.
    pub(crate) prefix: String,
    /// Proves who asks; empty where nobody asks for a proof.
    pub(crate) headers: Vec<(String, String)>,
    /// What `.npmrc` or an index URL holds.
    pub(crate) token: Option<String>,
}

impl Endpoint {
    pub(crate) fn target(&self, path: &str) -> Target {
        Target {
            address: self.address,
            method: "GET",
            path: format!("{}/{path}", self.prefix),
            headers: self.headers.clone(),
        }
    }

    /// What a client sends that puts something.
    pub(crate) fn send(&self, method: &str, path: &str, body: &[u8]) -> Prepared {
        Prepared::new(method, &format!("{}/{path}", self.prefix), self.address, &self.headers, body)
    }

    /// What `npm publish` sends.
    pub(crate) fn publish(&self, package: &NpmPackage) -> Prepared {
        let mut headers = self.headers.clone();
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
        let target = format!("{}/{}", self.prefix, package.name.replace('/', "%2f"));
        Prepared::new("PUT", &target, self.address, &headers, package.publish_body().to_string().as_bytes())
    }
}

/// A running server that holds the packages of [`crate::corpus`].
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) pid: u32,
    pub(crate) targets: BTreeMap<Case, Target>,
    pub(crate) npm: Option<Endpoint>,
    pub(crate) pypi: Option<Endpoint>,
    /// Ends the server when dropped.
    _running: Box<dyn std::any::Any>,
}

/// A program that `cargo xtask clients` installed; `None` if it did not.
pub(crate) fn tool(name: &str) -> Option<PathBuf> {
    let path = larder_testkit::tools::folder().join("bin").join(name);
    path.exists().then_some(path)
}

/// What is installed here.
pub(crate) fn versions() -> Vec<String> {
    let installed = |name: &str| tool(name).map(|path| crate::host::version_of(&path.to_string_lossy(), "--version"));
    let named = |name: &str| format!("{name} {}", installed(name).unwrap_or_else(|| "not installed".to_owned()));
    let larder = crate::host::version_of(&larder_testkit::server::program().to_string_lossy(), "version");
    vec![
        larder,
        nginx::version(),
        named("verdaccio"),
        named("devpi-server"),
        maven_proxy::version(),
        named("npm"),
        named("pip"),
    ]
}

/// An address that is free now.
fn free_address() -> Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).context("a free port")
}

/// Waits until somebody listens.
fn wait_for(address: SocketAddr, name: &str) -> Result {
    let started = Instant::now();
    while TcpStream::connect(address).is_err() {
        if started.elapsed() > START {
            return Err(format!("{name} did not start").into());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

/// The npm cases of a server that stores packages.
fn npm_targets(npm: &Endpoint) -> Result<BTreeMap<Case, Target>> {
    let packument = |name: &str, accept: &str| npm.target(name).with("accept", accept);
    let gzip = |target: Target| target.with("accept-encoding", "gzip");
    let small = packument(corpus::SMALL, ABBREVIATED);
    let mut targets = BTreeMap::from([
        (Case::NotModified, gzip(small.clone()).revalidated()?),
        (Case::SmallPackument, gzip(small.clone())),
        (Case::SmallPackumentPlain, small),
        (Case::LargePackument, gzip(packument(corpus::LARGE, "application/json"))),
    ]);
    for (case, version) in [(Case::SmallTarball, "1.0.0"), (Case::LargeTarball, "2.0.0")] {
        let file = format!("{0}/-/{0}-{version}.tgz", corpus::ARCHIVES);
        targets.insert(case, npm.target(&file));
    }
    Ok(targets)
}

/// The PyPI cases. `index` is the target of the project's page.
fn pypi_targets(index: &Target) -> Result<BTreeMap<Case, Target>> {
    let index = index.with("accept", SIMPLE_JSON);
    let page: Value = index.get()?.json();
    let file = page["files"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|file| file["filename"].as_str().is_some_and(|name| name.contains("-1.99.0-")));
    let url = file.and_then(|file| file["url"].as_str()).ok_or("the page does not list the wheel")?;
    let wheel = Target { path: resolve(&index.path, url), ..index.clone() };
    Ok(BTreeMap::from([(Case::SimpleIndex, index.with("accept-encoding", "gzip")), (Case::Wheel, wheel)]))
}

/// The Maven cases.
fn maven_targets(maven: &Endpoint) -> BTreeMap<Case, Target> {
    let gzip = |path: &str| maven.target(path).with("accept-encoding", "gzip");
    BTreeMap::from([
        (Case::MavenMetadata, gzip(corpus::maven::METADATA_PATH)),
        (Case::MavenSnapshot, gzip(corpus::maven::SNAPSHOT_PATH)),
        (Case::MavenPom, maven.target(corpus::maven::POM_PATH)),
        (Case::MavenJar, maven.target(corpus::maven::JAR_PATH)),
        (Case::MavenJarHead, Target { method: "HEAD", ..maven.target(corpus::maven::JAR_PATH) }),
        (Case::MavenChecksum, maven.target(&format!("{}.sha1", corpus::maven::JAR_PATH))),
    ])
}

/// The path that a link of a page leads to.
fn resolve(page: &str, link: &str) -> String {
    let link = link.split('#').next().unwrap_or_default();
    if let Some((_, rest)) = link.split_once("://") {
        return rest.find('/').map_or("/", |start| &rest[start..]).to_owned();
    }
    if link.starts_with('/') {
        return link.to_owned();
    }
    let mut segments: Vec<&str> = page.split('/').collect();
    segments.pop();
    for segment in link.split('/') {
        match segment {
            ".." => drop(segments.pop()),
            "." => {}
            other => segments.push(other),
        }
    }
    segments.join("/")
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn links_are_followed_as_clients_do() {
        assert_eq!(resolve("/a/simple/x/", "http://h:1/f/x.whl#sha256=1"), "/f/x.whl");
        assert_eq!(resolve("/a/simple/x/", "../../f/x.whl"), "/a/f/x.whl");
        assert_eq!(resolve("/a/simple/x/", "/f/x.whl"), "/f/x.whl");
    }
}
