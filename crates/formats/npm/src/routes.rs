//! The URL table (protocols 1.1, 1.4, 1.5).

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, Method, StatusCode};
use larder_core::access::{Action, Allowed, Caller, PackageTarget, RepositoryTarget};
use larder_core::model::{PackageFormat, PackageKey};
use larder_core::services::Services;
use larder_http::{
    AnonymousRequest, Failure, FormatRoutes, RepositoryRequest, RequestBody, RequestPath, Response, response,
};
use serde_json::json;

use crate::error::NpmError;
use crate::{login, names};

/// What a handler answers.
pub(crate) type Answer = Result<Response, NpmError>;

/// A request without its path and body.
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) query: Option<String>,
    /// The repository's address as the client sees it, without trailing slash.
    pub(crate) base: String,
    pub(crate) caller: Caller,
    pub(crate) target: RepositoryTarget,
}

/// npm's endpoints.
pub struct NpmRoutes {
    pub(crate) services: Arc<Services>,
    /// See [`NpmRoutes::with_upstream_tags_winning`].
    pub(crate) upstream_tags_win: bool,
}

impl NpmRoutes {
    /// Serves with these services.
    #[must_use]
    pub fn new(services: Arc<Services>) -> Self {
        Self { services, upstream_tags_win: false }
    }

    /// As CodeArtifact does it: where repositories disagree about a dist-tag, the one farthest from the client counts.
    #[must_use]
    pub fn with_upstream_tags_winning(mut self) -> Self {
        self.upstream_tags_win = true;
        self
    }

    async fn route(&self, path: &RequestPath, request: &Request, body: RequestBody) -> Answer {
        let method = if request.method == Method::HEAD { "GET" } else { request.method.as_str() };
        match &path.as_strs()[..] {
            [] if method == "GET" => self.root(request).await,
            ["-", "package", rest @ ..] => self.route_package_setting(method, rest, request, body).await,
            ["-", rest @ ..] => self.route_registry(method, rest, request, body).await,
            segments => {
                let Some((name, rest)) = names::split_package(segments) else { return Err(no_such_route()) };
                self.route_package(method, &name, rest, request, body).await
            }
        }
    }

    async fn route_package(
        &self,
        method: &str,
        name: &str,
        rest: &[&str],
        request: &Request,
        body: RequestBody,
    ) -> Answer {
        match (method, rest) {
            ("GET", []) => self.get_packument(request, known(name)?).await,
            ("PUT", []) => self.put_package(request, new(name)?, body).await,
            ("PUT", ["-rev", revision]) => self.put_revision(request, new(name)?, revision, body).await,
            ("DELETE", ["-rev", revision]) => self.delete_package(request, new(name)?, revision).await,
            ("GET", ["-", file]) => self.get_tarball(request, known(name)?, file).await,
            ("GET", ["-", scope, file]) => self.get_tarball(request, known(name)?, &format!("{scope}/{file}")).await,
            ("DELETE", ["-", file, "-rev", revision]) => self.delete_tarball(request, new(name)?, file, revision).await,
            ("DELETE", ["-", scope, file, "-rev", revision]) => {
                self.delete_tarball(request, new(name)?, &format!("{scope}/{file}"), revision).await
            }
            ("GET", [version]) => self.get_manifest(request, known(name)?, version).await,
            _ => Err(no_such_route()),
        }
    }

    /// Below `/-/package/`.
    async fn route_package_setting(&self, method: &str, rest: &[&str], request: &Request, body: RequestBody) -> Answer {
        let Some((name, rest)) = names::split_package(rest) else { return Err(no_such_route()) };
        match (method, rest) {
            ("GET", ["dist-tags"]) => self.get_tags(request, known(&name)?).await,
            ("PUT" | "POST", ["dist-tags", tag]) => self.put_tag(request, new(&name)?, tag, body).await,
            ("DELETE", ["dist-tags", tag]) => self.delete_tag(request, new(&name)?, tag).await,
            ("GET", ["visibility"]) => self.get_visibility(request, known(&name)?).await,
            ("GET", ["collaborators"]) => self.get_collaborators(request, known(&name)?).await,
            _ => Err(not_offered("access, teams and trusted publishing are managed with IAM policies")),
        }
    }

    /// Below `/-/`.
    async fn route_registry(&self, method: &str, rest: &[&str], request: &Request, body: RequestBody) -> Answer {
        match (method, rest) {
            // There is a package of this name.
            ("GET", []) => self.get_packument(request, known("-")?).await,
            ("GET", ["-", file]) => self.get_tarball(request, known("-")?, file).await,
            ("GET", ["ping"]) => self.root(request).await,
            ("GET", ["whoami"]) => Ok(self.whoami(request)),
            ("GET", ["npm", "v1", "user"]) => Ok(self.profile(request)),
            ("GET", ["npm", "v1", "tokens"]) => self.list_tokens(request).await,
            ("POST", ["npm", "v1", "tokens"]) => self.create_token(request, body).await,
            ("DELETE", ["npm", "v1", "tokens", "token", key]) => self.revoke_token(request, key).await,
            ("DELETE", ["user", "token", token]) => self.logout(request, token).await,
            ("GET", ["npm", "v1", "keys"]) => self.get_keys(request).await,
            ("GET", ["npm", "v1", "attestations", spec]) => self.get_attestations(request, spec).await,
            ("GET", ["npm", "v1", "attestations", scope, name]) => {
                self.get_attestations(request, &format!("{scope}/{name}")).await
            }
            (_, ["v1", "login"]) => Err(not_offered("log in with a user name and its secret access key")),
            (_, ["v1", "search"] | ["all"]) => Err(not_offered("this registry has no search")),
            (_, ["npm", "v1", "security", ..]) => Err(not_offered("this registry has no advisories")),
            (_, ["_view", ..]) => Err(not_offered("this registry has no stars")),
            (_, ["team" | "org" | "user", ..]) => Err(not_offered("users and teams are managed with IAM")),
            (_, ["npm", "v1", "user" | "oidc" | "hooks", ..] | ["stage" | "pnpm", ..]) => {
                Err(not_offered("this registry does not offer that"))
            }
            _ => Err(no_such_route()),
        }
    }

    /// `GET /` and ping: the caller may read here.
    async fn root(&self, request: &Request) -> Answer {
        self.may_read(request).await?;
        Ok(response::json(StatusCode::OK, &json!({})))
    }

    /// Proof that the caller may read the repository.
    pub(crate) async fn may_read(&self, request: &Request) -> Result<Allowed<RepositoryTarget>, NpmError> {
        let access = &self.services.access;
        Ok(access.authorize(&request.caller, Action::ReadFromRepository, request.target.clone()).await?)
    }

    /// Proof that the caller may do something to a package.
    pub(crate) async fn may(
        &self,
        request: &Request,
        action: Action,
        key: &PackageKey,
    ) -> Result<Allowed<PackageTarget>, NpmError> {
        let target = PackageTarget::new(&request.target, key.clone());
        Ok(self.services.access.authorize(&request.caller, action, target).await?)
    }
}

#[async_trait]
impl FormatRoutes for NpmRoutes {
    fn format(&self) -> PackageFormat {
        PackageFormat::Npm
    }

    fn render_error(&self, failure: &Failure) -> Response {
        NpmError::from(failure).response()
    }

    fn allows_scoped_slash(&self) -> bool {
        true
    }

    fn allows_long_last_segment(&self) -> bool {
        true
    }

    fn admits_anonymous(&self, method: &Method, path: &RequestPath) -> bool {
        login::is_login(method, path)
    }

    async fn handle_anonymous(&self, request: AnonymousRequest) -> Response {
        self.log_in(request).await.unwrap_or_else(|error| error.response())
    }

    async fn handle(&self, request: RepositoryRequest) -> Response {
        let RepositoryRequest { method, headers, path, query, body, base, caller, target } = request;
        let request = Request { method, headers, query, base, caller, target };
        self.route(&path, &request, body).await.unwrap_or_else(|error| error.response())
    }
}

/// A package to read: a name that no package has is not there.
fn known(name: &str) -> Result<PackageKey, NpmError> {
    names::package_key(name).map_err(|error| NpmError::not_found(error.to_string()))
}

/// A package to write: a name that no package can have is refused.
fn new(name: &str) -> Result<PackageKey, NpmError> {
    names::package_key(name).map_err(|error| NpmError::bad_request(error.to_string()))
}

fn no_such_route() -> NpmError {
    NpmError::not_found("npm's protocol has nothing at this address")
}

/// What Larder does not do is said, so that nobody takes silence for "nothing found".
pub(crate) fn not_offered(message: &str) -> NpmError {
    NpmError::not_found(message)
}
