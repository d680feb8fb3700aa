//! The URL table (protocol reference 2.1).

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use larder_core::model::{PackageFormat, PackageKey};
use larder_core::services::Services;
use larder_http::{Failure, FormatRoutes, RepositoryRequest, Response, RouteTemplate, url_table};
use moka::sync::Cache;

use crate::error::{self, PypiError};
use crate::names::project_key;
use crate::projects::Projects;

/// What a handler answers.
pub(crate) type Answer = Result<Response, PypiError>;

/// Memory for small files of public registries that are passed on (PEP 658 metadata), in bytes.
const RELAYED_BYTES: u64 = 8 << 20;

/// PyPI's endpoints.
pub struct Routes {
    pub(crate) services: Arc<Services>,
    pub(crate) projects: Projects,
    /// Files that a public registry keeps beside a distribution, verified, by their SHA-256.
    pub(crate) relayed: Cache<String, Bytes>,
}

url_table! {
    /// What PyPI's protocol has.
    enum Route {
        "GET" ["simple"] => List,
        "GET" ["simple", project] => Project { project },
        "GET" ["simple", project, version, file] => File { project, version, file },
        "GET" ["pypi", project, "json"] => Json { project },
        "GET" ["pypi", project, version, "json"] => VersionJson { project, version },
        "GET" ["integrity", project, version, file, "provenance"] => Provenance { project, version, file },
        "POST" [] | "POST" ["legacy"] => Upload,
        "PUT" ["-", "yank", project, version] => Yank { project, version },
        "DELETE" ["-", "yank", project, version] => Unyank { project, version },
    }
}

impl Routes {
    /// Serves with these services.
    #[must_use]
    pub fn new(services: Arc<Services>) -> Self {
        let relayed = Cache::builder()
            .max_capacity(RELAYED_BYTES)
            .weigher(|sha256: &String, bytes: &Bytes| u32::try_from(sha256.len() + bytes.len()).unwrap_or(u32::MAX))
            .build();
        Self { projects: Projects::new(Arc::clone(&services)), services, relayed }
    }

    async fn route(&self, request: RepositoryRequest) -> Answer {
        let path = request.path.segments().to_vec();
        let segments: Vec<&str> = path.iter().map(String::as_str).collect();
        let method = request.method.clone();
        let Some(route) = Route::of(&method, &segments) else { return Err(misdirected(&segments)) };
        match route {
            Route::List => self.get_list(&request).await,
            Route::Project { project } => self.get_project(&request, project).await,
            Route::File { project, version, file } => self.get_file(&request, known(project)?, version, file).await,
            Route::Json { project } => self.get_json(&request, known(project)?, None).await,
            Route::VersionJson { project, version } => self.get_json(&request, known(project)?, Some(version)).await,
            Route::Provenance { project, version, file } => {
                self.get_provenance(&request, known(project)?, version, file).await
            }
            Route::Upload => self.upload(request).await,
            Route::Yank { project, version } => self.yank(request, project_key(project)?, version).await,
            Route::Unyank { project, version } => self.unyank(&request, project_key(project)?, version).await,
        }
    }
}

#[async_trait]
impl FormatRoutes for Routes {
    fn format(&self) -> PackageFormat {
        PackageFormat::Pypi
    }

    fn table(&self) -> &'static [RouteTemplate] {
        Route::TABLE
    }

    fn render_error(&self, failure: &Failure) -> Response {
        PypiError::from(failure).response()
    }

    async fn handle(&self, request: RepositoryRequest) -> Response {
        let accept = request.headers.clone();
        self.route(request).await.unwrap_or_else(|error| error::answer(&error, &accept))
    }
}

/// A project to read: what no project can be called is not there.
pub(crate) fn known(project: &str) -> Result<PackageKey, PypiError> {
    project_key(project).map_err(|error| PypiError::not_found(error.to_string()))
}

/// Says what is at an address that was used wrongly.
fn misdirected(segments: &[&str]) -> PypiError {
    match segments {
        [] | ["legacy"] => PypiError::method_not_allowed(
            "POST",
            "this address takes uploads; packages are read from the index, which is 'simple/' below it",
        ),
        ["simple"] | ["simple", _] | ["simple", _, _, _] => PypiError::method_not_allowed(
            "GET, HEAD",
            "the simple index is read only; upload to the repository's address, which is without 'simple/'",
        ),
        ["pypi", _, "json"] | ["pypi", _, _, "json"] | ["integrity", _, _, _, "provenance"] => {
            PypiError::method_not_allowed("GET, HEAD", "this address is read only")
        }
        ["-", "yank", _, _] => PypiError::method_not_allowed("PUT, DELETE", "PUT yanks a release and DELETE undoes it"),
        ["simple", "simple", ..] => {
            PypiError::not_found("the index address has 'simple/' twice; configure it with one")
        }
        _ => PypiError::not_found("PyPI's protocol has nothing at this address; the index is 'simple/'"),
    }
}
