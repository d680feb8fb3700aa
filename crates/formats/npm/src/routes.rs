//! The URL table (protocols 1.1, 1.4, 1.5).

use std::sync::Arc;

use async_trait::async_trait;
use http::{Method, StatusCode};
use larder_core::model::{PackageFormat, PackageKey};
use larder_core::services::Services;
use larder_http::{
    AnonymousRequest, Failure, FormatRoutes, RepositoryRequest, RequestBody, RequestPath, Response, RouteTemplate,
    response, url_table,
};
use serde_json::json;

use crate::error::NpmError;
use crate::{login, names};

/// What a handler answers.
pub(crate) type Answer = Result<Response, NpmError>;

/// npm's endpoints.
pub struct Routes {
    pub(crate) services: Arc<Services>,
    /// See [`Routes::with_upstream_tags_winning`].
    pub(crate) upstream_tags_win: bool,
}

url_table! {
    /// What npm's protocol has. A scoped name is one segment here, however it was sent.
    enum Route {
        "GET" [] | "GET" ["-", "ping"] => Root,
        "GET" ["-", "whoami"] => Whoami,
        "GET" ["-", "npm", "v1", "user"] => Profile,
        "GET" ["-", "npm", "v1", "tokens"] => Tokens,
        "POST" ["-", "npm", "v1", "tokens"] => CreateToken,
        "DELETE" ["-", "npm", "v1", "tokens", "token", key] => RevokeToken { key },
        "DELETE" ["-", "user", "token", token] => Logout { token },
        "GET" ["-", "npm", "v1", "keys"] => Keys,
        "GET" ["-", "npm", "v1", "attestations", spec] => Attestations { spec },
        "GET" ["-", "npm", "v1", "attestations", scope, name] => ScopedAttestations { scope, name },
        "GET" ["-", "v1", "search"] => Search,
        "POST" ["-", "npm", "v1", "security", "advisories", "bulk"] => Advisories,
        "GET" ["-", "package", name, "dist-tags"] => Tags { name },
        "PUT" ["-", "package", name, "dist-tags", tag] | "POST" ["-", "package", name, "dist-tags", tag]
            => PutTag { name, tag },
        "DELETE" ["-", "package", name, "dist-tags", tag] => DeleteTag { name, tag },
        "GET" ["-", "package", name, "visibility"] => Visibility { name },
        "GET" ["-", "package", name, "collaborators"] => Collaborators { name },
        "GET" [name] => Packument { name },
        "PUT" [name] => Put { name },
        "PUT" [name, "-rev", revision] => PutRevision { name, revision },
        "DELETE" [name, "-rev", revision] => Delete { name, revision },
        "GET" [name, "-", file] => Tarball { name, file },
        "GET" [name, "-", scope, file] => ScopedTarball { name, scope, file },
        "DELETE" [name, "-", file, "-rev", revision] => DeleteTarball { name, file, revision },
        "DELETE" [name, "-", scope, file, "-rev", revision] => DeleteScopedTarball { name, scope, file, revision },
        // There is a package of the name `-`, but none of its versions is asked for like that.
        "GET" [name, version] if *name != "-" => Manifest { name, version },
    }
}

impl Routes {
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

    async fn route(&self, request: &RepositoryRequest, body: RequestBody) -> Answer {
        let segments = request.path.as_strs();
        let mut scoped = String::new();
        let segments = names::join_scope(&segments, &mut scoped);
        let Some(route) = Route::of(&request.method, &segments) else { return Err(misdirected(&segments)) };
        match route {
            Route::Root => self.root(request).await,
            Route::Whoami => Ok(self.whoami(request)),
            Route::Profile => Ok(self.profile(request)),
            Route::Tokens => self.list_tokens(request).await,
            Route::CreateToken => self.create_token(request, body).await,
            Route::RevokeToken { key } => self.revoke_token(request, key).await,
            Route::Logout { token } => self.logout(request, token).await,
            Route::Keys => self.get_keys(request).await,
            Route::Attestations { spec } => self.get_attestations(request, spec).await,
            Route::ScopedAttestations { scope, name } => {
                self.get_attestations(request, &format!("{scope}/{name}")).await
            }
            Route::Search => self.search(request).await,
            Route::Advisories => self.get_advisories(request, body).await,
            Route::Tags { name } => self.get_tags(request, known(name)?).await,
            Route::PutTag { name, tag } => self.put_tag(request, new(name)?, tag, body).await,
            Route::DeleteTag { name, tag } => self.delete_tag(request, new(name)?, tag).await,
            Route::Visibility { name } => self.get_visibility(request, known(name)?).await,
            Route::Collaborators { name } => self.get_collaborators(request, known(name)?).await,
            Route::Packument { name } => self.get_packument(request, known(name)?).await,
            Route::Put { name } => self.put_package(request, new(name)?, body).await,
            Route::PutRevision { name, revision } => self.put_revision(request, new(name)?, revision, body).await,
            Route::Delete { name, revision } => self.delete_package(request, new(name)?, revision).await,
            Route::Tarball { name, file } => self.get_tarball(request, known(name)?, file).await,
            Route::ScopedTarball { name, scope, file } => {
                self.get_tarball(request, known(name)?, &format!("{scope}/{file}")).await
            }
            Route::DeleteTarball { name, file, revision } => {
                self.delete_tarball(request, new(name)?, file, revision).await
            }
            Route::DeleteScopedTarball { name, scope, file, revision } => {
                self.delete_tarball(request, new(name)?, &format!("{scope}/{file}"), revision).await
            }
            Route::Manifest { name, version } => self.get_manifest(request, known(name)?, version).await,
        }
    }

    /// `GET /` and ping: the caller may read here.
    async fn root(&self, request: &RepositoryRequest) -> Answer {
        request.may_read(&self.services.access).await?;
        Ok(response::json(StatusCode::OK, &json!({})))
    }
}

#[async_trait]
impl FormatRoutes for Routes {
    fn format(&self) -> PackageFormat {
        PackageFormat::Npm
    }

    fn table(&self) -> &'static [RouteTemplate] {
        Route::TABLE
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

    async fn handle(&self, mut request: RepositoryRequest) -> Response {
        let body = request.take_body();
        self.route(&request, body).await.unwrap_or_else(|error| error.response())
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

/// Says what is not at an address that npm has a use for.
fn misdirected(segments: &[&str]) -> NpmError {
    match segments {
        ["-", "package", _, _, ..] => not_offered("access, teams and trusted publishing are managed with IAM policies"),
        ["-", "v1", "login"] => not_offered("log in with a user name and its secret access key"),
        ["-", "all"] => not_offered("this registry has no list of everything; search with '-/v1/search'"),
        ["-", "npm", "v1", "security", ..] => {
            not_offered("this registry tells advisories in bulk only (npm 7 and later)")
        }
        ["-", "_view", ..] => not_offered("this registry has no stars"),
        ["-", "team" | "org" | "user", ..] => not_offered("users and teams are managed with IAM"),
        ["-", "npm", "v1", "user" | "oidc" | "hooks", ..] | ["-", "stage" | "pnpm", ..] => {
            not_offered("this registry does not offer that")
        }
        _ => NpmError::not_found("npm's protocol has nothing at this address"),
    }
}

/// What Larder does not do is said, so that nobody takes silence for "nothing found".
pub(crate) fn not_offered(message: &str) -> NpmError {
    NpmError::not_found(message)
}
