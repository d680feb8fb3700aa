//! The front door: health, package endpoints by format, and the API for everything else.
//!
//! For a package endpoint this is where the path is decoded, the token resolved and the repository found; what the
//! caller may do there is decided by the format's handlers, action by action.

mod location;
mod recall;

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use http::header::{ALLOW, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderValue, Method, Request, StatusCode};
use larder_core::Error;
use larder_core::access::{Caller, RepositoryTarget, Via};
use larder_core::error::Invalid;
use larder_core::model::PackageFormat;

use self::location::{HostSuffix, Location};
use self::recall::{Key, Recall, Recalled, Spender};
use crate::credentials::{Presented, presented, presented_beside_key};
use crate::log::log_failure;
use crate::peer::{BadHost, PeerRules};
use crate::response::{content, status_of, text, with_denial, with_reason};
use crate::routes::path_rules;
use crate::server::{Ends, Handler};
use crate::{
    AnonymousRequest, ApiHandler, Directory, Failure, FormatRoutes, PeerInfo, RepositoryRequest, RequestBody,
    RequestId, RequestPath, Response, log,
};

/// The challenge where no format gives its own.
const CHALLENGE: &str = "Basic realm=\"larder\"";
/// Paths of the server itself.
const OWN_PATHS: &str = "/-/";

/// How the endpoint is addressed: configuration.
#[derive(Debug, Clone, Default)]
pub struct EndpointSettings {
    /// The public address, without trailing slash; when unset it is what each client asked for.
    pub base_url: Option<String>,
    /// `{domain}-{owner}.d.example.com`: repositories are served on such hosts too.
    pub endpoint_host: Option<String>,
    /// Addresses and networks (CIDR) whose forwarded headers are believed.
    pub trusted_proxies: Vec<String>,
}

/// Dispatches every request.
pub struct Endpoint {
    directory: Arc<dyn Directory>,
    /// By format.
    routes: [Option<Arc<dyn FormatRoutes>>; PackageFormat::ALL.len()],
    api: Arc<dyn ApiHandler>,
    peers: PeerRules,
    hosts: Option<HostSuffix>,
    recall: Recall,
}

impl Endpoint {
    /// Serves these formats, of which a later one replaces an earlier of the same name, and the API.
    ///
    /// # Errors
    /// [`Invalid`] for a setting that does not parse.
    pub fn new<D: Directory>(
        directory: Arc<D>,
        routes: Vec<Arc<dyn FormatRoutes>>,
        api: Arc<dyn ApiHandler>,
        settings: EndpointSettings,
    ) -> Result<Self, Invalid> {
        let mut by_format = PackageFormat::ALL.map(|_| None);
        for routes in routes {
            let format = routes.format();
            by_format[format as usize] = Some(routes);
        }
        Ok(Self {
            directory,
            routes: by_format,
            api,
            peers: PeerRules::new(settings.base_url, &settings.trusted_proxies)?,
            hosts: settings.endpoint_host.as_deref().map(HostSuffix::parse).transpose()?,
            recall: Recall::new(),
        })
    }

    async fn route(&self, incoming: Incoming<'_>) -> Response {
        let uri = incoming.parts.uri.clone();
        if uri.path().starts_with(OWN_PATHS) {
            return self.own(&incoming.parts).await;
        }
        match Location::read(uri.path(), &incoming.peer, self.hosts.as_ref()) {
            Ok(Some(location)) => match location.format() {
                Some(format) if let Some(routes) = &self.routes[format as usize] => {
                    serve(self, routes.as_ref(), &location, incoming).await
                }
                _ => self.unserved(&location, incoming).await,
            },
            Ok(None) => {
                let Incoming { parts, body, peer, id } = incoming;
                self.api.handle(Request::from_parts(parts, body), peer, id.as_str()).await
            }
            Err(bad) => plain(&Failure::BadPath(bad.to_string())),
        }
    }

    /// Health, and an honest no to what npm asks of the host instead of the repository.
    async fn own(&self, parts: &Parts) -> Response {
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are allowed here");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        match parts.uri.path() {
            "/-/health/live" => text(StatusCode::OK, "live"),
            "/-/health/ready" => match self.directory.check_ready().await {
                Ok(()) => text(StatusCode::OK, "ready"),
                Err(error) => {
                    tracing::warn!(%error, "not ready");
                    text(StatusCode::SERVICE_UNAVAILABLE, "not ready")
                }
            },
            _ => content(
                StatusCode::NOT_FOUND,
                "application/json",
                "{\"error\":\"nothing is served here; registries are at /d/DOMAIN-OWNER/FORMAT/REPOSITORY/\"}\n",
            ),
        }
    }

    /// A format that nobody serves: said only to those who may know what there is.
    async fn unserved(&self, location: &Location<'_>, incoming: Incoming<'_>) -> Response {
        let mut response = match self.authenticate(&incoming, None).await {
            Ok(caller) => {
                let sentence = format!("package format '{}' is not served here yet", location.format);
                let mut response = with_reason(text(StatusCode::NOT_FOUND, &sentence), &sentence);
                log::note_principal(&mut response, &caller.principal);
                response
            }
            Err(failure) => plain(&failure),
        };
        add_challenge(&mut response, || CHALLENGE.into());
        response
    }

    /// Who calls, if that is known and they may call so often.
    async fn authenticate(&self, incoming: &Incoming<'_>, key_header: Option<&'static str>) -> Result<Caller, Failure> {
        let authenticated = self.identify(incoming, key_header).await;
        let Some(throttle) = self.directory.throttle() else { return authenticated };
        let counted = match &authenticated {
            Ok(caller) => match Spender::of(caller) {
                Some(spender) => spender.spend(throttle, &incoming.parts.method),
                None => Ok(()),
            },
            Err(_) => throttle.count_stranger(incoming.peer.address),
        };
        counted.map_err(Failure::Core)?;
        authenticated
    }

    async fn identify(&self, incoming: &Incoming<'_>, key_header: Option<&'static str>) -> Result<Caller, Failure> {
        let refuse = |sentence: &str| Err(Failure::Unauthenticated(sentence.to_owned()));
        let Parts { method, headers, .. } = &incoming.parts;
        let presented = match key_header {
            Some(key_header) => presented_beside_key(method, headers, key_header),
            None => presented(headers),
        };
        let token = match presented {
            Presented::Token(token) => token,
            Presented::Nothing => {
                return refuse("credentials are needed: an authorization token, with any user name or as bearer");
            }
            Presented::Signature => {
                return refuse(
                    "this address takes an authorization token, not a signature; get one with GetAuthorizationToken",
                );
            }
            Presented::Unusable => return refuse("the Authorization header holds no authorization token"),
        };
        let PeerInfo { address, secure, .. } = incoming.peer;
        match self.directory.authenticate(&token, Some(address), secure, incoming.id.as_str()).await {
            Ok(Some(caller)) => Ok(caller),
            Ok(None) => refuse("the authorization token is unknown or has ended; get a new one"),
            Err(error) => Err(Failure::Core(error)),
        }
    }

    /// Finds the repository. To a token, a domain that it does not open is the same as none.
    async fn find(&self, location: &Location<'_>, caller: &Caller) -> Result<RepositoryTarget, Error> {
        let (owner, name, repository) = location.names()?;
        let domain = match self.directory.get_domain(&owner, &name).await {
            Ok(domain) => Some(domain),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error),
        };
        let opened = domain.filter(|domain| match &caller.via {
            Via::Token { domain: opens, .. } => *opens == domain.id,
            Via::Signature(_) | Via::Session(_) | Via::WebIdentity | Via::Machine => true,
        });
        let Some(domain) = opened else {
            let message = format!("this authorization token does not open domain '{name}' of account {owner}");
            return Err(Error::AccessDenied { message });
        };
        let repository = self.directory.get_repository(&domain, &repository).await?;
        Ok(RepositoryTarget { domain, repository })
    }

    /// Finds the repository for somebody unknown, who does not learn whether there is one.
    async fn find_for_stranger(&self, location: &Location<'_>, address: IpAddr) -> Result<RepositoryTarget, Failure> {
        if let Some(throttle) = self.directory.throttle() {
            throttle.count_stranger(address).map_err(Failure::Core)?;
        }
        let find = async {
            let (owner, name, repository) = location.names()?;
            let domain = self.directory.get_domain(&owner, &name).await?;
            let repository = self.directory.get_repository(&domain, &repository).await?;
            Ok(RepositoryTarget { domain, repository })
        };
        find.await.map_err(|error: Error| match error {
            missing if missing.is_not_found() => {
                Failure::Unauthenticated("these credentials open nothing here".to_owned())
            }
            other => Failure::Core(other),
        })
    }
}

/// A request as it arrived.
struct Incoming<'a> {
    parts: Parts,
    body: RequestBody,
    peer: PeerInfo,
    id: &'a RequestId,
}

impl Endpoint {
    async fn answer(&self, request: Request<RequestBody>, ends: Ends, id: &RequestId) -> Result<Response, BadHost> {
        let (parts, body) = request.into_parts();
        let read = || self.peers.read(ends, &parts);
        // What a proxy says of its client decides too; of any other peer the connection says enough to remember by.
        let behind = self.peers.is_proxy(ends.remote.ip().to_canonical()).then(read).transpose()?;
        let remember = match self.recall(&parts, Key::of(&parts, ends, behind.as_ref())).await {
            Recalled::Answer(mut response) => {
                if let Some(behind) = behind {
                    log::note_address(&mut response, behind.address);
                }
                return Ok(response);
            }
            Recalled::Nothing(remember) => remember,
        };
        let peer = behind.map_or_else(read, Ok)?;
        let address = peer.address;
        // Boxed and told of its request only here, so that an answer from memory pays for neither.
        let notes = log::notes(&parts);
        let incoming = Incoming { parts, body, peer, id };
        let mut response = Box::pin(id.scope(notes.scope(self.route(incoming)))).await;
        self.remember(remember, &mut response);
        log::note_address(&mut response, address);
        Ok(response)
    }
}

impl Handler for Endpoint {
    async fn handle(&self, request: Request<RequestBody>, ends: Ends, id: &RequestId) -> Response {
        let answer = self.answer(request, ends, id).await;
        answer.unwrap_or_else(|bad| text(StatusCode::BAD_REQUEST, &bad.to_string()))
    }
}

/// A request to a format's endpoint. Path, credentials and repository are checked in this order.
async fn serve(
    endpoint: &Endpoint,
    routes: &dyn FormatRoutes,
    location: &Location<'_>,
    incoming: Incoming<'_>,
) -> Response {
    let mut principal = None;
    let base = location.base(&incoming.peer);
    let mut response = match location.rest.finish(path_rules(routes)) {
        Err(bad) => routes.render_error(&Failure::BadPath(bad.to_string())),
        Ok(path) if routes.admits_anonymous(&incoming.parts.method, &path) => {
            match endpoint.find_for_stranger(location, incoming.peer.address).await {
                Ok(target) => routes.handle_anonymous(incoming.anonymous(path, base.clone(), target)).await,
                Err(failure) => routes.render_error(&failure),
            }
        }
        Ok(path) => match endpoint.authenticate(&incoming, routes.api_key_header()).await {
            Ok(caller) => {
                principal = log::is_on().then(|| caller.principal.clone());
                let spender = endpoint.directory.throttle().and_then(|_| Spender::of(&caller));
                let mut response = match endpoint.find(location, &caller).await {
                    Ok(target) => routes.handle(incoming.authenticated(path, base.clone(), caller, target)).await,
                    Err(error) => routes.render_error(&Failure::Core(error)),
                };
                if let Some(spender) = spender {
                    response.extensions_mut().insert(spender);
                }
                response
            }
            Err(failure) => routes.render_error(&failure),
        },
    };
    add_challenge(&mut response, || routes.challenge(&base));
    if let Some(principal) = principal {
        log::note_principal(&mut response, &principal);
    }
    response
}

impl Incoming<'_> {
    fn authenticated(
        self,
        path: RequestPath,
        base: String,
        caller: Caller,
        target: RepositoryTarget,
    ) -> RepositoryRequest {
        RepositoryRequest {
            method: self.parts.method,
            headers: self.parts.headers,
            path,
            query: self.parts.uri.query().map(ToOwned::to_owned),
            body: self.body,
            base,
            caller,
            target,
        }
    }

    fn anonymous(self, path: RequestPath, base: String, target: RepositoryTarget) -> AnonymousRequest {
        AnonymousRequest {
            method: self.parts.method,
            headers: self.parts.headers,
            path,
            body: self.body,
            base,
            target,
            address: Some(self.peer.address),
            secure_transport: self.peer.secure,
            request_id: self.id.to_string(),
        }
    }
}

/// Clients ask for credentials only if a 401 says how (protocols 0.3).
fn add_challenge(response: &mut Response, challenge: impl FnOnce() -> Cow<'static, str>) {
    if response.status() == StatusCode::UNAUTHORIZED && !response.headers().contains_key(WWW_AUTHENTICATE) {
        // An address that no header can hold came from no header.
        let challenge = HeaderValue::try_from(&*challenge());
        let challenge = challenge.unwrap_or_else(|_| HeaderValue::from_static(CHALLENGE));
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
}

/// A failure where no format has its own form.
fn plain(failure: &Failure) -> Response {
    let mut denial = None;
    let (status, sentence) = match failure {
        Failure::Unauthenticated(sentence) => (StatusCode::UNAUTHORIZED, sentence.clone()),
        Failure::BadPath(sentence) => (StatusCode::BAD_REQUEST, sentence.clone()),
        Failure::Core(error) => {
            log_failure(error);
            denial = error.denial();
            (status_of(error), error.to_string())
        }
    };
    with_denial(with_reason(text(status, &sentence), &sentence), denial)
}
