//! Larder, started as people start it.

use std::collections::BTreeMap;

use larder_testkit::packages::multipart;
use larder_testkit::server::REPOSITORY;
use larder_testkit::{Registry, Server};

use super::{Case, Endpoint, Peer, Target, maven_targets, npm_targets, pypi_targets};
use crate::corpus::{self, PROJECT};
use crate::fill::{Template, fill};
use crate::host::on_server_core;
use crate::load::{Connection, Prepared};
use crate::{Context, Result};

/// Versions of the gem with many.
const LARGE_GEM: usize = 2000;

/// A running Larder with an empty store.
pub(crate) struct Larder {
    pub(crate) server: Server,
    pub(crate) npm: Endpoint,
    pub(crate) pypi: Endpoint,
    pub(crate) maven: Endpoint,
    pub(crate) cargo: Endpoint,
    pub(crate) ruby: Endpoint,
}

impl Larder {
    /// Starts one on an empty folder. `log` is its `--log`: nginx, verdaccio and devpi write no access log either.
    /// Without a registry, `my-repo` has no upstreams.
    pub(crate) fn start(registry: Option<&Registry>, log: &str) -> Result<Self> {
        let mut builder = Server::builder().env("LARDER_LOG", log);
        if let Some(registry) = registry {
            builder = builder
                .external("public:npmjs", &registry.npm_url())
                .external("public:pypi", &registry.pypi_url())
                .external("public:maven-central", &registry.maven_url());
        }
        let server = on_server_core(|| builder.start())?;
        let token = server.token();
        let endpoint = |format: &str, authorization: String| Endpoint {
            address: server.address(),
            prefix: server.path(format, REPOSITORY),
            headers: vec![("authorization".to_owned(), authorization)],
            token: Some(token.clone()),
        };
        let npm = endpoint("npm", format!("Bearer {token}"));
        let pypi = endpoint("pypi", basic("aws", &token));
        let maven = endpoint("maven", basic("aws", &token));
        let cargo = endpoint("cargo", token.clone());
        let ruby = endpoint("ruby", basic("aws", &token));
        Ok(Self { server, npm, pypi, maven, cargo, ruby })
    }
}

/// `Basic …`
pub(super) fn basic(user: &str, password: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}")))
}

/// A Larder that holds the packages.
pub(crate) fn larder(registry: &Registry, large_versions: usize, log: &str) -> Result<Peer> {
    let larder = Larder::start(Some(registry), log)?;
    let native = native_targets(&larder)?;
    let Larder { server, npm, pypi, .. } = larder;
    let mut connection = Connection::open(server.address()).context("Larder")?;
    let packages = corpus::small().into_iter().chain(corpus::large(large_versions)).chain(corpus::archives());
    for package in packages {
        expect_success(&mut connection, &npm.publish(&package))?;
    }
    for project in corpus::projects() {
        let file = project.wheel();
        let (content_type, body) = multipart(&project.form(&file), Some((&file.name, &file.bytes)));
        let headers = [pypi.headers.clone(), vec![("content-type".to_owned(), content_type)]].concat();
        let upload = Prepared::new("POST", &format!("{}/", pypi.prefix), pypi.address, &headers, &body);
        expect_success(&mut connection, &upload)?;
    }
    let mut targets = npm_targets(&npm)?;
    targets.extend(pypi_targets(&pypi.target(&format!("simple/{PROJECT}/")))?);
    targets.extend(native);
    Ok(Peer {
        name: "larder",
        pid: server.pid(),
        targets,
        npm: Some(npm),
        pypi: Some(pypi),
        _running: Box::new(server),
    })
}

/// Puts Maven artifacts, crates and gems into it, and answers their cases.
fn native_targets(larder: &Larder) -> Result<BTreeMap<Case, Target>> {
    let mut connection = Connection::open(larder.server.address()).context("Larder")?;
    for (path, bytes) in corpus::maven::deployments() {
        expect_success(&mut connection, &larder.maven.send("PUT", &path, &bytes))?;
    }
    for body in corpus::cargo::publishes() {
        expect_success(&mut connection, &larder.cargo.send("PUT", "api/v1/crates/new", &body))?;
    }
    for gem in corpus::ruby::gems()? {
        expect_success(&mut connection, &larder.ruby.send("POST", "api/v1/gems", &gem))?;
    }
    let many = Template::ruby("bench-many");
    many.publish(larder, &mut connection)?;
    fill(&larder.server.data(), &many, (1..LARGE_GEM).map(|number| (many.name.to_owned(), format!("1.{number}.0"))))?;
    let mut targets = maven_targets(&larder.maven);
    let gzip = |target: Target| target.with("accept-encoding", "gzip");
    let (cargo, ruby) = (&larder.cargo, &larder.ruby);
    let (name, version) = (corpus::cargo::CRATE, corpus::cargo::CRATE_VERSION);
    let end = ruby.target("versions").get()?.body.len().saturating_sub(500);
    targets.extend([
        (Case::CargoConfig, cargo.target("config.json")),
        (Case::CargoIndex, gzip(cargo.target(&corpus::cargo::index_path(name)))),
        (Case::CargoLargeIndex, gzip(cargo.target(&corpus::cargo::index_path(corpus::cargo::LARGE_CRATE)))),
        (Case::CargoCrate, cargo.target(&format!("api/v1/crates/{name}/{version}/download"))),
        (Case::GemVersions, gzip(ruby.target("versions"))),
        (Case::GemVersionsEnd, ruby.target("versions").with("range", &format!("bytes={end}-"))),
        (Case::GemInfo, ruby.target(&format!("info/{}", corpus::ruby::GEM))),
        (Case::GemLargeInfo, gzip(ruby.target(&format!("info/{}", many.name)))),
        (Case::GemFile, ruby.target(&format!("gems/{}-{}.gem", corpus::ruby::GEM, corpus::ruby::GEM_VERSION))),
    ]);
    Ok(targets)
}

/// Sends something that must succeed.
pub(crate) fn expect_success(connection: &mut Connection, request: &Prepared) -> Result {
    let status = connection.send(request).context(&request.name)?;
    if (200..300).contains(&status) {
        return Ok(());
    }
    let said = String::from_utf8_lossy(connection.body()).into_owned();
    Err(format!("{} was answered with {status}: {said}", request.name).into())
}
