//! What a package format and the API implement to be served.

use std::borrow::Cow;

use async_trait::async_trait;
use http::{HeaderMap, Method, Request};
use larder_core::access::{Access, Action, Allowed, Caller, PackageTarget, RepositoryTarget};
use larder_core::model::{PackageFormat, PackageKey};

use crate::{PathRules, PeerInfo, RequestBody, RequestPath, Response, RouteTemplate};

/// An authenticated request to a repository's endpoint of one format. What the caller may do is decided by what it
/// asks for: handlers authorize each action.
pub struct RepositoryRequest {
    pub method: Method,
    pub headers: HeaderMap,
    /// What follows the repository.
    pub path: RequestPath,
    pub query: Option<String>,
    pub body: RequestBody,
    /// The repository's address as the client sees it, without trailing slash:
    /// `http://host:port/d/dom-123456789012/npm/repo`.
    pub base: String,
    pub caller: Caller,
    pub target: RepositoryTarget,
}

impl RepositoryRequest {
    /// Proof that the caller may read the repository.
    ///
    /// # Errors
    /// [`larder_core::Error::Refused`].
    pub async fn may_read(&self, access: &Access) -> larder_core::Result<Allowed<RepositoryTarget>> {
        access.authorize(&self.caller, Action::ReadFromRepository, self.target.clone()).await
    }

    /// Proof that the caller may do something to a package of the repository.
    ///
    /// # Errors
    /// [`larder_core::Error::Refused`].
    pub async fn may(
        &self,
        access: &Access,
        action: Action,
        key: PackageKey,
    ) -> larder_core::Result<Allowed<PackageTarget>> {
        access.authorize(&self.caller, action, PackageTarget::new(&self.target, key)).await
    }

    /// The body, of which nothing is left here.
    pub fn take_body(&mut self) -> RequestBody {
        std::mem::replace(&mut self.body, RequestBody::empty())
    }
}

/// A request that a format answers without credentials: a package manager's own login.
pub struct AnonymousRequest {
    pub method: Method,
    pub headers: HeaderMap,
    /// What follows the repository.
    pub path: RequestPath,
    pub body: RequestBody,
    /// As [`RepositoryRequest::base`].
    pub base: String,
    pub target: RepositoryTarget,
    /// The peer, or what a trusted proxy says it is.
    pub address: Option<std::net::IpAddr>,
    pub secure_transport: bool,
    pub request_id: String,
}

/// A failure before the format saw the request.
#[derive(Debug)]
pub enum Failure {
    /// No, unreadable, unknown or expired credentials: 401. The sentence says which.
    Unauthenticated(String),
    /// A path that is refused, and why: 400.
    BadPath(String),
    /// No such domain or repository, a token for another domain, or Larder's own trouble.
    Core(larder_core::Error),
}

/// A package format's HTTP side.
#[async_trait]
pub trait FormatRoutes: Send + Sync + 'static {
    /// Which one.
    fn format(&self) -> PackageFormat;

    /// Every route, for tests that ask all of them something.
    fn table(&self) -> &'static [RouteTemplate];

    /// A failure before the format saw the request, in the form its clients print. A 401 gets the challenge added.
    fn render_error(&self, error: &Failure) -> Response;

    /// The `WWW-Authenticate` of every 401. `base` is the repository's address as in [`RepositoryRequest::base`].
    fn challenge(&self, _base: &str) -> Cow<'static, str> {
        Cow::Borrowed("Basic realm=\"larder\"")
    }

    /// A header in which clients send a token as an API key, beside or instead of `Authorization` (NuGet). It says who
    /// writes; a read with `Authorization` goes by that.
    fn api_key_header(&self) -> Option<&'static str> {
        None
    }

    /// Whether a segment may be `@scope/name`, sent as `@scope%2fname`.
    fn allows_scoped_slash(&self) -> bool {
        false
    }

    /// Whether the last segment may be a token, longer than any name.
    fn allows_long_last_segment(&self) -> bool {
        false
    }

    /// Whether [`FormatRoutes::handle_anonymous`] answers this, whatever credentials come with it.
    fn admits_anonymous(&self, _method: &Method, _path: &RequestPath) -> bool {
        false
    }

    /// Answers a request that nobody was authenticated for. Called only where [`FormatRoutes::admits_anonymous`].
    async fn handle_anonymous(&self, _request: AnonymousRequest) -> Response {
        self.render_error(&Failure::Unauthenticated("credentials are needed".to_owned()))
    }

    /// Answers a request.
    async fn handle(&self, request: RepositoryRequest) -> Response;
}

/// How paths of this format are decoded.
pub(crate) fn path_rules(routes: &dyn FormatRoutes) -> PathRules {
    PathRules { scoped_slash: routes.allows_scoped_slash(), long_last_segment: routes.allows_long_last_segment() }
}

/// Everything that is not a package endpoint: the AWS API.
#[async_trait]
pub trait ApiHandler: Send + Sync + 'static {
    /// Answers a request. It is not authenticated yet.
    async fn handle(&self, request: Request<RequestBody>, peer: PeerInfo, request_id: &str) -> Response;
}
