//! The URL table (protocol reference 4.1).

use std::sync::Arc;

use async_trait::async_trait;
use larder_core::model::{PackageFormat, PackageKey, VersionText};
use larder_core::services::{Document, Services};
use larder_http::{Failure, FormatRoutes, RepositoryRequest, Response, RouteTemplate, url_table};
use moka::sync::Cache;

use crate::error::NugetError;
use crate::names;
use crate::urls::Hive;
use crate::vulnerabilities::Vulnerabilities;

/// What a handler answers.
pub(crate) type Answer = Result<Response, NugetError>;

/// Service indexes in memory: one per repository and address.
const SERVICE_INDEXES: u64 = 1000;

/// NuGet's endpoints.
pub struct Routes {
    pub(crate) services: Arc<Services>,
    /// By the repository's address.
    pub(crate) service_indexes: Cache<String, Arc<Document>>,
    pub(crate) vulnerabilities: Vulnerabilities,
}

url_table! {
    /// What NuGet's protocol has, as the service index names it; the addresses below `api/v2` are those of old clients.
    enum Route {
        "GET" ["v3", "index.json"] => ServiceIndex,
        "GET" ["v3", "flatcontainer", id, "index.json"] => Versions { id },
        "GET" ["v3", "flatcontainer", id, version, file] => Content { id, version, file },
        "GET" ["v3", "search"] => Search,
        "GET" ["v3", "autocomplete"] => Autocomplete,
        "GET" ["v3", "vulnerabilities", "index.json"] => VulnerabilityIndex,
        "GET" ["v3", "vulnerabilities", page] => VulnerabilityPage { page },
        "GET" ["v3", "symbols", pdb, signature, again] if pdb.eq_ignore_ascii_case(again) => Symbols { pdb, signature },
        "GET" ["v3", hive, id] / page if Hive::of(hive).is_some() => Registration { hive, id / page },
        "PUT" ["v3", "publish"] | "PUT" ["api", "v2", "package"] => Push,
        "PUT" ["v3", "symbolpackage"] | "PUT" ["api", "v2", "symbolpackage"] => PushSymbols,
        "DELETE" ["v3", "publish", id, version] | "DELETE" ["api", "v2", "package", id, version] => Unlist { id, version },
        "POST" ["v3", "publish", id, version] | "POST" ["api", "v2", "package", id, version] => Relist { id, version },
    }
}

impl Routes {
    /// Serves with these services.
    #[must_use]
    pub fn new(services: Arc<Services>) -> Self {
        let vulnerabilities = Vulnerabilities::default();
        Self { services, service_indexes: Cache::new(SERVICE_INDEXES), vulnerabilities }
    }

    async fn route(&self, request: RepositoryRequest) -> Answer {
        let path = request.path.segments().to_vec();
        let segments: Vec<&str> = path.iter().map(String::as_str).collect();
        let method = request.method.clone();
        let Some(route) = Route::of(&method, &segments) else { return Err(misdirected(&segments)) };
        match route {
            Route::ServiceIndex => self.get_service_index(&request).await,
            Route::VulnerabilityIndex => self.get_vulnerability_index(&request).await,
            Route::VulnerabilityPage { page } => self.get_vulnerability_page(&request, page).await,
            Route::Versions { id } => self.get_versions(&request, known(id)?).await,
            Route::Content { id, version, file } => {
                self.get_content(&request, known(id)?, known_version(version)?, file).await
            }
            Route::Search => self.search(&request).await,
            Route::Autocomplete => self.autocomplete(&request).await,
            Route::Symbols { pdb, signature } => self.get_symbols(&request, pdb, signature).await,
            Route::Registration { hive, id, page } => {
                self.get_registration(&request, Hive::of(hive).unwrap_or(Hive::Plain), known(id)?, page).await
            }
            Route::Push => self.push(request).await,
            Route::PushSymbols => self.push_symbols(request).await,
            Route::Unlist { id, version } => self.unlist(&request, known(id)?, known_version(version)?).await,
            Route::Relist { id, version } => self.relist(&request, known(id)?, known_version(version)?).await,
        }
    }
}

#[async_trait]
impl FormatRoutes for Routes {
    fn format(&self) -> PackageFormat {
        PackageFormat::Nuget
    }

    fn table(&self) -> &'static [RouteTemplate] {
        Route::TABLE
    }

    fn render_error(&self, failure: &Failure) -> Response {
        NugetError::from(failure).response()
    }

    fn api_key_header(&self) -> Option<&'static str> {
        Some("x-nuget-apikey")
    }

    async fn handle(&self, request: RepositoryRequest) -> Response {
        self.route(request).await.unwrap_or_else(|error| error.response())
    }
}

/// A package to read: what no package can be called is not there.
fn known(id: &str) -> Result<PackageKey, NugetError> {
    names::package_key(id).map_err(|error| NugetError::not_found(error.to_string()))
}

/// A version to read, in whatever spelling.
fn known_version(version: &str) -> Result<VersionText, NugetError> {
    names::normalize_version(version).map_err(|error| NugetError::not_found(error.to_string()))
}

/// Says what is at an address that was used wrongly.
fn misdirected(segments: &[&str]) -> NugetError {
    match segments {
        ["v3", "publish"] | ["api", "v2", "package"] => {
            NugetError::method_not_allowed("PUT", "this address takes packages; it is written to with PUT")
        }
        ["v3", "symbolpackage"] | ["api", "v2", "symbolpackage"] => {
            NugetError::method_not_allowed("PUT", "this address takes symbol packages; it is written to with PUT")
        }
        ["v3", "publish", _, _] | ["api", "v2", "package", _, _] => {
            NugetError::method_not_allowed("DELETE, POST", "DELETE unlists a version and POST lists it again")
        }
        ["v3", "index.json" | "search" | "autocomplete"]
        | ["v3", "flatcontainer" | "symbols" | "vulnerabilities", ..] => {
            NugetError::method_not_allowed("GET, HEAD", "this address is read only")
        }
        ["v3", hive, ..] if Hive::of(hive).is_some() => {
            NugetError::method_not_allowed("GET, HEAD", "this address is read only")
        }
        _ => NugetError::not_found(
            "NuGet's v3 protocol has nothing at this address; configure the source as 'v3/index.json' below the repository",
        ),
    }
}
