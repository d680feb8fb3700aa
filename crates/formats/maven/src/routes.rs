//! What a request is about, by method and path (protocol reference 3.1 to 3.3).

use std::sync::Arc;

use async_trait::async_trait;
use http::StatusCode;
use larder_core::model::{ExpectedDigests, PackageFormat};
use larder_core::services::Services;
use larder_http::{Failure, FormatRoutes, RepositoryRequest, Response, RouteTemplate, response, url_table};
use moka::sync::Cache;

use crate::error::MavenError;
use crate::layout::{self, File};

/// What a handler answers.
pub(crate) type Answer = Result<Response, MavenError>;

/// How many metadata files that clients sent are remembered until their checksums come.
const SENT_METADATA: u64 = 10_000;

/// Maven's endpoints.
pub struct Routes {
    pub(crate) services: Arc<Services>,
    /// The digests of metadata files as clients sent them, by repository and path: their checksum files come next.
    pub(crate) sent: Cache<String, ExpectedDigests>,
}

url_table! {
    /// Files of the repository layout: see [`layout`].
    enum Route {
        "GET" [] / path => Get { / path },
        "PUT" [] / path => Put { / path },
    }
}

impl Routes {
    /// Serves with these services.
    #[must_use]
    pub fn new(services: Arc<Services>) -> Self {
        Self { services, sent: Cache::new(SENT_METADATA) }
    }

    async fn route(&self, request: RepositoryRequest) -> Answer {
        let path = request.path.segments().to_vec();
        let segments: Vec<&str> = path.iter().map(String::as_str).collect();
        let method = request.method.clone();
        match Route::of(&method, &segments) {
            Some(Route::Get { path }) => self.get(&request, path).await,
            Some(Route::Put { path }) => self.put(request, path).await,
            None => Err(MavenError::method_not_allowed(
                "GET, HEAD, PUT",
                "files are read with GET and added with PUT; versions are deleted with delete-package-versions",
            )),
        }
    }

    async fn get(&self, request: &RepositoryRequest, segments: &[&str]) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        // Whatever has no place in the layout is not there: directories, `.meta/prefixes.txt`, catalogs.
        let located = layout::parse(segments).map_err(|invalid| MavenError::not_found(invalid.to_string()))?;
        if request.path.trailing_slash() {
            return Err(MavenError::not_found("directories are not listed"));
        }
        match located.file {
            File::Metadata { directory } => self.get_metadata(request, &allowed, directory, located.checksum).await,
            File::Asset(path) => match located.checksum {
                None => self.get_asset(request, &allowed, path).await,
                Some(algorithm) => self.get_checksum(request, &allowed, path, algorithm).await,
            },
        }
    }

    async fn put(&self, request: RepositoryRequest, segments: &[&str]) -> Answer {
        if request.path.trailing_slash() || request.query.is_some() {
            return Err(MavenError::bad_request("a file is put at its own path, without trailing slash and query"));
        }
        let located = layout::parse(segments)?;
        match (located.file, located.checksum) {
            (File::Metadata { directory }, None) => self.put_metadata(request, directory).await,
            (File::Metadata { directory }, Some(algorithm)) => {
                self.put_metadata_checksum(request, directory, algorithm).await
            }
            (File::Asset(path), None) => self.put_asset(request, path).await,
            (File::Asset(path), Some(algorithm)) => self.put_checksum(request, path, algorithm).await,
        }
    }
}

/// What every PUT that went well is answered with.
pub(crate) fn created() -> Response {
    response::empty(StatusCode::CREATED)
}

#[async_trait]
impl FormatRoutes for Routes {
    fn format(&self) -> PackageFormat {
        PackageFormat::Maven
    }

    fn table(&self) -> &'static [RouteTemplate] {
        Route::TABLE
    }

    fn render_error(&self, failure: &Failure) -> Response {
        MavenError::from(failure).response()
    }

    async fn handle(&self, request: RepositoryRequest) -> Response {
        self.route(request).await.unwrap_or_else(|error| error.response())
    }
}
