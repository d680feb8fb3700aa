//! The URL table (protocols 7.1, 7.3).

use std::borrow::Cow;
use std::sync::Arc;

use async_trait::async_trait;
use http::Method;
use larder_core::access::{Action, Allowed, PackageTarget, RepositoryTarget};
use larder_core::model::{PackageFormat, PackageKey};
use larder_core::services::Services;
use larder_http::{AnonymousRequest, Failure, FormatRoutes, RepositoryRequest, RequestPath, Response};

use crate::error::CargoError;
use crate::{names, pages};

/// What a handler answers.
pub(crate) type Answer = Result<Response, CargoError>;

/// Cargo's endpoints.
pub struct Routes {
    pub(crate) services: Arc<Services>,
}

impl Routes {
    /// Serves with these services.
    #[must_use]
    pub fn new(services: Arc<Services>) -> Self {
        Self { services }
    }

    async fn route(&self, request: RepositoryRequest) -> Answer {
        let path = request.path.segments().to_vec();
        let segments: Vec<&str> = path.iter().map(String::as_str).collect();
        let method = if request.method == Method::HEAD { Method::GET } else { request.method.clone() };
        match (method.as_str(), &segments[..]) {
            ("GET", ["config.json"]) => self.get_config(&request).await,
            ("PUT", ["api", "v1", "crates", "new"]) => self.publish(request).await,
            ("GET", ["api", "v1", "crates"]) => self.search(&request).await,
            ("GET", ["api", "v1", "crates", name]) => self.get_crate(&request, name).await,
            ("GET", ["api", "v1", "crates", name, "owners"]) => self.get_owners(&request, name).await,
            ("PUT", ["api", "v1", "crates", name, "owners"]) => self.change_owners(request, name, true).await,
            ("DELETE", ["api", "v1", "crates", name, "owners"]) => self.change_owners(request, name, false).await,
            ("GET", ["api", "v1", "crates", name, "versions"]) => self.get_versions(&request, name).await,
            ("GET", ["api", "v1", "crates", name, version]) => self.get_version(&request, name, version).await,
            ("GET", ["api", "v1", "crates", name, version, "download"]) => self.download(&request, name, version).await,
            ("GET", ["api", "v1", "crates", name, version, "dependencies"]) => {
                self.get_dependencies(&request, name, version).await
            }
            ("GET", ["api", "v1", "crates", name, version, "readme"]) => self.get_readme(&request, name, version).await,
            ("DELETE", ["api", "v1", "crates", name, version, "yank"]) => {
                self.set_yanked(&request, name, version, true).await
            }
            ("PUT", ["api", "v1", "crates", name, version, "unyank"]) => {
                self.set_yanked(&request, name, version, false).await
            }
            ("GET", segments) if let Some(name) = names::of_index_path(segments) => {
                self.get_index_file(&request, name).await
            }
            (_, segments) => Err(misdirected(segments)),
        }
    }

    /// Proof that the caller may read the repository.
    pub(crate) async fn may_read(&self, request: &RepositoryRequest) -> Result<Allowed<RepositoryTarget>, CargoError> {
        let access = &self.services.access;
        Ok(access.authorize(&request.caller, Action::ReadFromRepository, request.target.clone()).await?)
    }

    /// Proof that the caller may do something to a crate.
    pub(crate) async fn may(
        &self,
        request: &RepositoryRequest,
        action: Action,
        key: PackageKey,
    ) -> Result<Allowed<PackageTarget>, CargoError> {
        let target = PackageTarget::new(&request.target, key);
        Ok(self.services.access.authorize(&request.caller, action, target).await?)
    }
}

#[async_trait]
impl FormatRoutes for Routes {
    fn format(&self) -> PackageFormat {
        PackageFormat::Cargo
    }

    fn render_error(&self, failure: &Failure) -> Response {
        CargoError::from(failure).response()
    }

    /// Printed by `cargo login`, and handed to credential providers.
    fn challenge(&self, base: &str) -> Cow<'static, str> {
        format!("Cargo login_url=\"{base}/me\"").into()
    }

    fn admits_anonymous(&self, method: &Method, path: &RequestPath) -> bool {
        matches!(*method, Method::GET | Method::HEAD) && path.segments() == ["me"]
    }

    async fn handle_anonymous(&self, request: AnonymousRequest) -> Response {
        pages::how_to_log_in(&request)
    }

    async fn handle(&self, request: RepositoryRequest) -> Response {
        self.route(request).await.unwrap_or_else(|error| error.response())
    }
}

/// A crate to look at: what no crate can be called is not there.
pub(crate) fn known(name: &str) -> Result<PackageKey, CargoError> {
    names::crate_key(name).map_err(|error| CargoError::not_found(error.to_string()))
}

/// Says what is at an address that was used wrongly.
fn misdirected(segments: &[&str]) -> CargoError {
    match segments {
        ["config.json"] => {
            CargoError::method_not_allowed("GET, HEAD", "the index is read only; publish with PUT api/v1/crates/new")
        }
        ["api", "v1", "crates", "new"] => CargoError::method_not_allowed("GET, HEAD, PUT", "PUT publishes a crate"),
        ["api", "v1", "crates"] => {
            CargoError::method_not_allowed("GET, HEAD", "this address searches; publish with PUT to 'new' below it")
        }
        ["api", "v1", "crates", _, "owners"] => {
            CargoError::method_not_allowed("GET, HEAD, PUT, DELETE", "owners are listed with GET")
        }
        ["api", "v1", "crates", _, _, "yank"] => CargoError::method_not_allowed("DELETE", "DELETE yanks a version"),
        ["api", "v1", "crates", _, _, "unyank"] => CargoError::method_not_allowed("PUT", "PUT takes a yank back"),
        ["api", "v1", "crates", _]
        | ["api", "v1", "crates", _, _]
        | ["api", "v1", "crates", _, _, "download" | "dependencies" | "readme"] => {
            CargoError::method_not_allowed("GET, HEAD", "this address is read only")
        }
        segments if names::of_index_path(segments).is_some() => {
            CargoError::method_not_allowed("GET, HEAD", "the index is read only; publish with PUT api/v1/crates/new")
        }
        _ => CargoError::not_found("cargo's protocol has nothing at this address; the index begins with config.json"),
    }
}
