//! One HTTP/1.1 client with pooled connections and a limit on every wait.

use std::error::Error as StdError;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use larder_core::ports::OutgoingBody;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::{Instant, timeout};
use url::Url;

use crate::body::{ReplyBody, RequestBody};
use crate::guard::Guard;
use crate::origins::OriginLimits;

/// Connections to hosts that the same side named.
pub(crate) type Pool = legacy::Client<HttpsConnector<HttpConnector<Guard>>, RequestBody>;

/// How long things may take and how many may run.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// Until a TCP connection is there.
    pub connect_timeout: Duration,
    /// From asking, over connecting, to the last header of the answer. Requests with a body get as much again as the
    /// body takes at 64 KiB/s.
    pub header_timeout: Duration,
    /// The longest wait for the next bytes of a body.
    pub idle_timeout: Duration,
    /// All of a document.
    pub document_timeout: Duration,
    /// All of a file, or of any body of the object store.
    pub file_timeout: Duration,
    /// Requests at once against one origin.
    pub requests_per_origin: usize,
    /// A PEM file of the authorities to trust instead of the machine's.
    pub authorities: Option<PathBuf>,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(30),
            document_timeout: Duration::from_secs(120),
            file_timeout: Duration::from_secs(4 * 3600),
            requests_per_origin: 64,
            authorities: None,
        }
    }
}

/// The slowest upload that is waited for, in bytes per second.
const SLOWEST_UPLOAD: u64 = 64 * 1024;

/// What registries see.
const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("larder/", env!("CARGO_PKG_VERSION")));

/// The client. Clones share connections.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    settings: ClientSettings,
    tls: ClientConfig,
    operator: Pool,
    origins: OriginLimits,
}

/// A request to send.
pub(crate) struct Call<'a> {
    pub(crate) pool: &'a Pool,
    pub(crate) method: Method,
    pub(crate) url: &'a Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<OutgoingBody>,
    /// When the response's body must be here.
    pub(crate) deadline: Instant,
}

/// A response whose body is still to come.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: ReplyBody,
}

/// Why there is no response: a sentence without the URL.
#[derive(Debug)]
pub(crate) enum SendFailure {
    /// The connection was there and broke: asking again may help.
    Broken(String),
    /// No connection, a refused address, or too slow.
    Failed(String),
}

/// The authorities in a PEM file.
fn authorities(file: &Path) -> Result<RootCertStore, Box<dyn StdError>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file)? {
        roots.add(certificate?)?;
    }
    Ok(roots)
}

impl Client {
    /// A client that trusts the machine's certificates, or those of the settings. Without any, `http` still works and
    /// `https` fails.
    #[must_use]
    pub fn new(settings: ClientSettings) -> Self {
        let trusting = match &settings.authorities {
            None => ClientConfig::builder().with_native_roots().map_err(|error| error.to_string()),
            Some(file) => authorities(file)
                .map(|roots| ClientConfig::builder().with_root_certificates(roots))
                .map_err(|error| format!("{}: {error}", file.display())),
        };
        let tls = match trusting {
            Ok(builder) => builder.with_no_client_auth(),
            Err(error) => {
                tracing::warn!(error, "no trusted certificates; requests over https will fail");
                ClientConfig::builder().with_root_certificates(RootCertStore::empty()).with_no_client_auth()
            }
        };
        let operator = pool(&settings, &tls, Guard::Operator);
        let origins = OriginLimits::new(settings.requests_per_origin);
        Self { shared: Arc::new(Shared { settings, tls, operator, origins }) }
    }

    pub(crate) fn settings(&self) -> &ClientSettings {
        &self.shared.settings
    }

    /// Connections to hosts that the configuration names.
    pub(crate) fn operator(&self) -> &Pool {
        &self.shared.operator
    }

    /// Connections of their own.
    pub(crate) fn pool(&self, guard: Guard) -> Pool {
        pool(&self.shared.settings, &self.shared.tls, guard)
    }

    /// Sends a request and waits for the headers of its answer, whatever its status.
    pub(crate) async fn send(&self, call: Call<'_>) -> Result<Reply, SendFailure> {
        let settings = self.settings();
        let uri = Uri::try_from(call.url.as_str()).map_err(|error| SendFailure::Failed(error.to_string()))?;
        let upload_bytes = call.body.as_ref().map_or(0, |body| body.length_bytes);
        let patience = settings.header_timeout + Duration::from_secs(upload_bytes / SLOWEST_UPLOAD);

        let Ok(place) = timeout(patience, self.shared.origins.acquire(call.url.origin())).await else {
            return Err(SendFailure::Failed("too many requests to it are running already".to_owned()));
        };
        let mut request = Request::new(RequestBody::from(call.body));
        *request.method_mut() = call.method;
        *request.uri_mut() = uri;
        *request.headers_mut() = call.headers;
        request.headers_mut().insert(header::USER_AGENT, USER_AGENT);
        let response = match timeout(patience, call.pool.request(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) if error.is_connect() => return Err(SendFailure::Failed(chain(&error))),
            Ok(Err(error)) => return Err(SendFailure::Broken(chain(&error))),
            Err(_) => {
                return Err(SendFailure::Failed(format!("it did not answer within {} s", patience.as_secs_f32())));
            }
        };
        let (head, incoming) = response.into_parts();
        let body = ReplyBody { incoming, idle: settings.idle_timeout, deadline: call.deadline, _place: place };
        Ok(Reply { status: head.status, headers: head.headers, body })
    }
}

fn pool(settings: &ClientSettings, tls: &ClientConfig, guard: Guard) -> Pool {
    let mut tcp = HttpConnector::new_with_resolver(guard);
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(settings.connect_timeout));
    tcp.set_keepalive(Some(Duration::from_secs(60)));
    let connector =
        HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_or_http().enable_http1().wrap_connector(tcp);
    legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_secs(60))
        .pool_max_idle_per_host(settings.requests_per_origin)
        .build(connector)
}

/// An error and its causes, without the repetitions.
pub(crate) fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}
