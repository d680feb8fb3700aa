//! The URL table (protocols 6.1).

use std::sync::Arc;

use async_trait::async_trait;
use http::{Method, StatusCode};
use larder_core::access::{Action, Allowed, PackageTarget, RepositoryTarget};
use larder_core::model::{PackageFormat, PackageKey, RepositoryId};
use larder_core::services::Services;
use larder_http::{Failure, FormatRoutes, RepositoryRequest, Response, answer_document, response};
use moka::sync::Cache;

use crate::error::RubyError;
use crate::versions::{Made, Whole};
use crate::{index, names};

/// What a handler answers.
pub(crate) type Answer = Result<Response, RubyError>;

/// Documents of whole repositories that are remembered.
const DOCUMENTS: u64 = 64;

/// RubyGems' endpoints.
pub struct Routes {
    pub(crate) services: Arc<Services>,
    /// Documents of whole repositories, see [`crate::versions`].
    pub(crate) made: Cache<(RepositoryId, Whole), Arc<Made>>,
}

impl Routes {
    /// Serves with these services.
    #[must_use]
    pub fn new(services: Arc<Services>) -> Self {
        Self { services, made: Cache::new(DOCUMENTS) }
    }

    async fn route(&self, request: RepositoryRequest) -> Answer {
        let path = request.path.segments().to_vec();
        let segments: Vec<&str> = path.iter().map(String::as_str).filter(|segment| !segment.is_empty()).collect();
        let method = if request.method == Method::HEAD { Method::GET } else { request.method.clone() };
        match (method.as_str(), &segments[..]) {
            ("GET", []) => self.front(&request).await,
            ("GET", ["versions"]) => self.whole(&request, Whole::Versions).await,
            ("GET", ["names"]) => self.whole(&request, Whole::Names).await,
            ("GET", ["info", name]) => self.info(&request, name).await,
            ("GET", ["specs.4.8.gz"]) => self.whole(&request, Whole::Specs).await,
            ("GET", ["latest_specs.4.8.gz"]) => self.whole(&request, Whole::Latest).await,
            ("GET", ["prerelease_specs.4.8.gz"]) => self.whole(&request, Whole::Prereleases).await,
            ("GET", ["gems", file]) if let Some(full_name) = file.strip_suffix(".gem") => {
                self.download(&request, full_name).await
            }
            ("GET", ["quick", "Marshal.4.8", file]) if let Some(full_name) = file.strip_suffix(".gemspec.rz") => {
                self.quick(&request, full_name).await
            }
            ("POST", ["api", "v1", "gems"]) => self.publish(request).await,
            ("DELETE", ["api", "v1", "gems", "yank"]) => self.yank(request).await,
            ("GET", ["api", "v1", "search.json"]) => self.search(&request).await,
            ("GET", ["api", "v1", "versions", name, "latest.json"]) => self.get_latest(&request, name).await,
            ("GET", ["api", "v1", "versions", file]) if let Some(name) = file.strip_suffix(".json") => {
                self.get_versions(&request, name).await
            }
            ("GET", ["api", "v1", "gems", file]) if let Some(name) = file.strip_suffix(".json") => {
                self.get_gem(&request, name).await
            }
            ("GET", ["api", "v2", "rubygems", name, "versions", file])
                if let Some(number) = file.strip_suffix(".json") =>
            {
                self.get_version(&request, name, number).await
            }
            ("GET", ["api", "v1", "gems", name, "owners" | "owners.json"]) => {
                self.get_owners(&request, name, false).await
            }
            ("GET", ["api", "v1", "gems", name, "owners.yaml"]) => self.get_owners(&request, name, true).await,
            ("GET", ["api", "v1", "attestations", file]) => self.get_attestations(&request, file).await,
            ("GET" | "POST" | "PUT", ["api", "v1", "api_key"]) => self.api_key(&request, "text").await,
            ("GET" | "POST" | "PUT", ["api", "v1", "api_key.json"]) => self.api_key(&request, "json").await,
            ("GET" | "POST" | "PUT", ["api", "v1", "api_key.yaml"]) => self.api_key(&request, "yaml").await,
            ("PUT", ["api", "v1", "gems", "unyank"]) => Err(RubyError::new(
                StatusCode::GONE,
                "yanks are not taken back here; set the version's status to Published with update-package-versions-status",
            )),
            ("POST" | "DELETE", ["api", "v1", "gems", _, "owners" | "owners.json" | "owners.yaml"]) => {
                Err(RubyError::new(
                    StatusCode::FORBIDDEN,
                    "gems have no list of owners here: who may push is decided by the policies of users, of the domain and \
                     of the repository; change those instead",
                ))
            }
            (_, ["versions" | "names"] | ["info" | "gems", _] | ["quick", _, _]) => {
                Err(RubyError::method_not_allowed("GET, HEAD", "the index is read only; push with POST api/v1/gems"))
            }
            (_, ["api", "v1", "gems"]) => Err(RubyError::method_not_allowed("POST", "POST pushes a gem")),
            (_, ["api", "v1", "gems", "yank"]) => Err(RubyError::method_not_allowed("DELETE", "DELETE yanks a gem")),
            _ => Err(RubyError::not_found("there is nothing at this address that gem or Bundler need")),
        }
    }

    /// `HEAD` of the address itself is how RubyGems 3.3 looks for the compact index.
    async fn front(&self, request: &RepositoryRequest) -> Answer {
        self.may_read(request).await?;
        Ok(response::text(StatusCode::OK, &format!("Gems are here: gem install NAME --source {}/", request.base)))
    }

    async fn info(&self, request: &RepositoryRequest, name: &str) -> Answer {
        let allowed = self.may_read(request).await?;
        let key = names::gem_key(name).map_err(|error| RubyError::not_found(error.to_string()))?;
        let document = self.services.index.document(&allowed, &key, "info", index::render).await?;
        Ok(answer_document(&allowed, &request.method, &request.headers, &document))
    }

    /// Proof that the caller may read the repository.
    pub(crate) async fn may_read(&self, request: &RepositoryRequest) -> Result<Allowed<RepositoryTarget>, RubyError> {
        let access = &self.services.access;
        Ok(access.authorize(&request.caller, Action::ReadFromRepository, request.target.clone()).await?)
    }

    /// Proof that the caller may do something to a gem.
    pub(crate) async fn may(
        &self,
        request: &RepositoryRequest,
        action: Action,
        key: PackageKey,
    ) -> Result<Allowed<PackageTarget>, RubyError> {
        let target = PackageTarget::new(&request.target, key);
        Ok(self.services.access.authorize(&request.caller, action, target).await?)
    }
}

#[async_trait]
impl FormatRoutes for Routes {
    fn format(&self) -> PackageFormat {
        PackageFormat::Ruby
    }

    fn render_error(&self, failure: &Failure) -> Response {
        RubyError::from(failure).response()
    }

    async fn handle(&self, request: RepositoryRequest) -> Response {
        self.route(request).await.unwrap_or_else(|error| error.response())
    }
}
