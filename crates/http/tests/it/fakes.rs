//! A server with one repository (`larder`, `npm/repo`), one user whose token is `alice`, and one more domain that the
//! token does not open.

use std::borrow::Cow;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use larder_core::access::{Caller, Via};
use larder_core::error::{Error, ResourceType, Result};
use larder_core::model::{
    AccessKeyId, AccountId, Credential, Domain, DomainId, DomainName, PackageFormat, Principal, Repository,
    RepositoryId, RepositoryName, Timestamp, TokenId, User, UserName,
};
use larder_core::ports::Blob;
use larder_core::services::{Document, Rendered};
use larder_http::response::{status_of, text, with_reason};
use larder_http::{
    AnonymousRequest, ApiHandler, AssetHeaders, Body, Directory, Encryption, Endpoint, EndpointSettings, Failure,
    FormatRoutes, PeerInfo, RepositoryRequest, RequestBody, RequestPath, Response, RouteTemplate, Server,
    ServerSettings, log_failure, serve_asset, serve_document,
};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

pub(crate) const OWNER: &str = "123456789012";
pub(crate) const BASE: &str = "/d/my-domain-123456789012/npm/repo";
/// Bytes of the fake asset.
pub(crate) const ASSET_BYTES: usize = 600_000;
/// Bytes that an upload may have.
pub(crate) const UPLOAD_LIMIT: u64 = 1000;

pub(crate) static DOCUMENT: LazyLock<Document> = LazyLock::new(|| {
    Document::build(Rendered {
        content_type: "application/json",
        body: "{\"name\":\"left-pad\"}".repeat(100).into(),
        last_modified: Some(Timestamp(784_111_777_000)),
        headers: Vec::new(),
    })
});

/// A running server. Dropping it does not stop it: the test's runtime does.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    /// Lets handlers of `/slow` go on, one each.
    pub(crate) go_on: Arc<Semaphore>,
    /// Handlers of `/slow` that wait, and bodies of `/endless` that were dropped.
    pub(crate) waiting: Arc<Semaphore>,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) stopped: JoinHandle<()>,
}

pub(crate) async fn start() -> Running {
    start_with(ServerSettings::default(), EndpointSettings::default(), Duration::from_secs(10)).await
}

pub(crate) async fn start_with(server: ServerSettings, endpoint: EndpointSettings, patience: Duration) -> Running {
    start_server(endpoint, patience, |found| found.with_settings(server)).await
}

pub(crate) async fn start_encrypted(
    server: ServerSettings,
    endpoint: EndpointSettings,
    encryption: Arc<dyn Encryption>,
) -> Running {
    start_server(endpoint, Duration::from_secs(10), |found| found.with_settings(server).encrypted_by(encryption)).await
}

async fn start_server(
    endpoint: EndpointSettings,
    patience: Duration,
    change: impl FnOnce(Server<Endpoint>) -> Server<Endpoint>,
) -> Running {
    crate::log::collect();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (go_on, waiting) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let routes = FakeRoutes { go_on: Arc::clone(&go_on), waiting: Arc::clone(&waiting) };
    let endpoint = Endpoint::new(Arc::new(FakeDirectory), vec![Arc::new(routes)], Arc::new(FakeApi), endpoint).unwrap();
    let (stop, stopping) = oneshot::channel();
    let server = change(Server::new(endpoint));
    let stopped = tokio::spawn(async move {
        let asked = async {
            if stopping.await.is_err() {
                // The test keeps only the address.
                std::future::pending::<()>().await;
            }
        };
        server.run(listener, asked, patience).await;
    });
    Running { address, go_on, waiting, stop, stopped }
}

struct FakeDirectory;

fn missing(what: ResourceType, name: &str) -> Error {
    Error::not_found(what, name, format!("'{name}' does not exist"))
}

#[async_trait]
impl Directory for FakeDirectory {
    async fn authenticate(
        &self,
        token: &str,
        address: Option<IpAddr>,
        secure_transport: bool,
        request_id: &str,
    ) -> Result<Option<Caller>> {
        let account = AccountId::new(OWNER).unwrap();
        let user = User {
            account: account.clone(),
            path: "/".to_owned(),
            name: UserName::new("alice").unwrap(),
            id: "AIDA1".to_owned(),
        };
        Ok((token == "alice").then(|| Caller {
            principal: Principal::user(user),
            via: Via::Token {
                id: TokenId("t".to_owned()),
                domain: DomainId(1),
                domain_owner: account,
                credential: Credential::AccessKey(AccessKeyId::new("AKIAEXAMPLEEXAMPLE00").unwrap()),
                read_only: false,
                expires_at: Timestamp(i64::MAX),
            },
            address,
            secure_transport,
            request_id: request_id.to_owned(),
        }))
    }

    async fn get_domain(&self, owner: &AccountId, name: &DomainName) -> Result<Arc<Domain>> {
        let id = match name.as_str() {
            "my-domain" => 1,
            "other" => 2,
            _ => return Err(missing(ResourceType::Domain, name.as_str())),
        };
        Ok(Arc::new(Domain {
            id: DomainId(id),
            owner: owner.clone(),
            name: name.clone(),
            encryption_key: String::new(),
            created_at: Timestamp(0),
            policy: None,
        }))
    }

    async fn get_repository(&self, domain: &Domain, name: &RepositoryName) -> Result<Arc<Repository>> {
        if name.as_str() != "repo" {
            return Err(missing(ResourceType::Repository, name.as_str()));
        }
        Ok(Arc::new(Repository {
            id: RepositoryId(1),
            domain: domain.id,
            domain_owner: domain.owner.clone(),
            domain_name: domain.name.clone(),
            name: name.clone(),
            administrator: domain.owner.clone(),
            description: None,
            created_at: Timestamp(0),
            upstreams: Vec::new(),
            external_connection: None,
            policy: None,
        }))
    }

    async fn epoch(&self) -> Result<u64> {
        Ok(0)
    }

    fn now(&self) -> Timestamp {
        Timestamp(0)
    }

    async fn check_ready(&self) -> Result<()> {
        Ok(())
    }
}

struct FakeApi;

#[async_trait]
impl ApiHandler for FakeApi {
    async fn handle(&self, request: Request<RequestBody>, peer: PeerInfo, request_id: &str) -> Response {
        text(StatusCode::OK, &format!("api {} {} {request_id}", request.uri(), peer.base_url))
    }
}

/// Tells that something was dropped.
struct OnDrop(Arc<Semaphore>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}

struct FakeRoutes {
    go_on: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

#[async_trait]
impl FormatRoutes for FakeRoutes {
    fn format(&self) -> PackageFormat {
        PackageFormat::Npm
    }

    fn table(&self) -> &'static [RouteTemplate] {
        &[]
    }

    fn render_error(&self, error: &Failure) -> Response {
        let (status, sentence) = match error {
            Failure::Unauthenticated(sentence) => (StatusCode::UNAUTHORIZED, sentence.clone()),
            Failure::BadPath(sentence) => (StatusCode::BAD_REQUEST, sentence.clone()),
            Failure::Core(error) => {
                log_failure(error);
                (status_of(error), error.to_string())
            }
        };
        with_reason(text(status, &format!("npm says: {sentence}")), &sentence)
    }

    fn challenge(&self, base: &str) -> Cow<'static, str> {
        format!("Basic realm=\"npm at {base}\"").into()
    }

    fn allows_scoped_slash(&self) -> bool {
        true
    }

    fn admits_anonymous(&self, method: &Method, path: &RequestPath) -> bool {
        method == Method::PUT && path.as_strs() == ["login"]
    }

    async fn handle_anonymous(&self, request: AnonymousRequest) -> Response {
        text(StatusCode::CREATED, &format!("logged in to {}", request.target.repository.name))
    }

    async fn handle(&self, request: RepositoryRequest) -> Response {
        match (&request.method, request.path.as_strs().as_slice()) {
            (&Method::GET | &Method::HEAD, ["document"]) => {
                serve_document(&request.method, &request.headers, &DOCUMENT)
            }
            (&Method::GET | &Method::HEAD, ["asset"]) => asset(&request).await.unwrap(),
            (&Method::GET, ["slow"]) => {
                self.waiting.add_permits(1);
                self.go_on.acquire().await.unwrap().forget();
                text(StatusCode::OK, "slow, but there")
            }
            (&Method::GET, ["endless"]) => {
                let held = Arc::clone(&self.waiting);
                let zeros = Bytes::from_static(&[0; 64 * 1024]);
                let guard = OnDrop(held);
                let stream = futures_util::stream::repeat_with(move || {
                    let _ = &guard;
                    Ok(zeros.clone())
                });
                Response::new(Body::stream(Box::pin(stream), None))
            }
            (&Method::GET, ["broken"]) => {
                self.render_error(&Failure::Core(Error::internal("the disk is made of cheese")))
            }
            (&Method::GET, ["panic"]) => panic!("a handler's defect"),
            (&Method::PUT, ["upload"]) => match request.body.collect(UPLOAD_LIMIT).await {
                Ok(bytes) => text(StatusCode::CREATED, &format!("{} bytes", bytes.len())),
                Err(error) => self.render_error(&Failure::Core(error)),
            },
            (&Method::PUT, ["refused"]) => text(StatusCode::FORBIDDEN, "you may not, and here is why"),
            (_, segments) => text(
                StatusCode::OK,
                &format!("{segments:?} {:?} {} {}", request.query, request.base, request.caller.principal.name()),
            ),
        }
    }
}

async fn asset(request: &RepositoryRequest) -> Result<Response> {
    let mut file = tempfile::tempfile().map_err(Error::internal)?;
    file.write_all(&content()).map_err(Error::internal)?;
    let headers = AssetHeaders {
        content_type: "application/octet-stream",
        etag: Some("\"asset\"".to_owned()),
        size: Some(ASSET_BYTES as u64),
        last_modified: None,
        disposition: None,
        seekable: true,
    };
    serve_asset(&request.method, &request.headers, &headers, |_| async { Ok(Blob::File(file)) }).await
}

/// What the fake asset holds.
pub(crate) fn content() -> Vec<u8> {
    (0_u32..).flat_map(u32::to_le_bytes).take(ASSET_BYTES).collect()
}
