//! Larder, started as people start it.

use larder_testkit::packages::multipart;
use larder_testkit::server::REPOSITORY;
use larder_testkit::{Registry, Server};

use super::{Endpoint, Peer, npm_targets, pypi_targets};
use crate::corpus::{self, PROJECT};
use crate::host::on_server_core;
use crate::load::{Connection, Prepared};
use crate::{Context, Result};

/// A running Larder with an empty store.
pub(crate) struct Larder {
    pub(crate) server: Server,
    pub(crate) npm: Endpoint,
    pub(crate) pypi: Endpoint,
}

impl Larder {
    /// Starts one on an empty folder. `log` is its `--log`: nginx, verdaccio and devpi write no access log either.
    /// Without a registry, `my-repo` has no upstreams.
    pub(crate) fn start(registry: Option<&Registry>, log: &str) -> Result<Self> {
        let mut builder = Server::builder().env("LARDER_LOG", log);
        if let Some(registry) = registry {
            builder =
                builder.external("public:npmjs", &registry.npm_url()).external("public:pypi", &registry.pypi_url());
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
        Ok(Self { server, npm, pypi })
    }
}

/// `Basic …`
pub(super) fn basic(user: &str, password: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}")))
}

/// A Larder that holds the packages.
pub(crate) fn larder(registry: &Registry, large_versions: usize, log: &str) -> Result<Peer> {
    let Larder { server, npm, pypi } = Larder::start(Some(registry), log)?;
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
    Ok(Peer {
        name: "larder",
        pid: server.pid(),
        targets,
        npm: Some(npm),
        pypi: Some(pypi),
        _running: Box::new(server),
    })
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
