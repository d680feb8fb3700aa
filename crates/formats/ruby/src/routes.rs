//! The URL table (protocols 6.1).

use std::sync::Arc;

use async_trait::async_trait;
use http::StatusCode;
use larder_core::model::{PackageFormat, RepositoryId};
use larder_core::services::Services;
use larder_http::{
    Failure, FormatRoutes, RepositoryRequest, Response, RouteTemplate, answer_document, response, url_table,
};
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

url_table! {
    /// What `gem` and Bundler ask for.
    enum Route {
        "GET" [] => Front,
        "GET" ["versions"] => Versions,
        "GET" ["names"] => Names,
        "GET" ["info", name] => Info { name },
        "GET" ["specs.4.8.gz"] => Specs,
        "GET" ["latest_specs.4.8.gz"] => LatestSpecs,
        "GET" ["prerelease_specs.4.8.gz"] => PrereleaseSpecs,
        "GET" ["gems", gem] if gem.ends_with(".gem") => Download { gem },
        "GET" ["quick", "Marshal.4.8", gemspec] if gemspec.ends_with(".gemspec.rz") => Gemspec { gemspec },
        "POST" ["api", "v1", "gems"] => Push,
        "DELETE" ["api", "v1", "gems", "yank"] => Yank,
        "GET" ["api", "v1", "search.json"] => Search,
        "GET" ["api", "v1", "versions", name, "latest.json"] => Latest { name },
        "GET" ["api", "v1", "versions", file] if file.ends_with(".json") => AllVersions { file },
        "GET" ["api", "v1", "gems", file] if file.ends_with(".json") => Gem { file },
        "GET" ["api", "v2", "rubygems", name, "versions", file] if file.ends_with(".json") => Version { name, file },
        "GET" ["api", "v1", "gems", name, "owners"] | "GET" ["api", "v1", "gems", name, "owners.json"] => Owners { name },
        "GET" ["api", "v1", "gems", name, "owners.yaml"] => OwnersYaml { name },
        "GET" ["api", "v1", "attestations", file] if file.ends_with(".json") => Attestations { file },
        "GET" ["api", "v1", "api_key"] | "POST" ["api", "v1", "api_key"] | "PUT" ["api", "v1", "api_key"] => Key,
        "GET" ["api", "v1", "api_key.json"] | "POST" ["api", "v1", "api_key.json"] | "PUT" ["api", "v1", "api_key.json"] => KeyJson,
        "GET" ["api", "v1", "api_key.yaml"] | "POST" ["api", "v1", "api_key.yaml"] | "PUT" ["api", "v1", "api_key.yaml"] => KeyYaml,
    }
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
        let method = request.method.clone();
        let Some(route) = Route::of(&method, &segments) else { return Err(misdirected(method.as_str(), &segments)) };
        match route {
            Route::Front => self.front(&request).await,
            Route::Versions => self.whole(&request, Whole::Versions).await,
            Route::Names => self.whole(&request, Whole::Names).await,
            Route::Info { name } => self.info(&request, name).await,
            Route::Specs => self.whole(&request, Whole::Specs).await,
            Route::LatestSpecs => self.whole(&request, Whole::Latest).await,
            Route::PrereleaseSpecs => self.whole(&request, Whole::Prereleases).await,
            Route::Download { gem } => self.download(&request, stem(gem, ".gem")).await,
            Route::Gemspec { gemspec } => self.quick(&request, stem(gemspec, ".gemspec.rz")).await,
            Route::Push => self.publish(request).await,
            Route::Yank => self.yank(request).await,
            Route::Search => self.search(&request).await,
            Route::Latest { name } => self.get_latest(&request, name).await,
            Route::AllVersions { file } => self.get_versions(&request, stem(file, ".json")).await,
            Route::Gem { file } => self.get_gem(&request, stem(file, ".json")).await,
            Route::Version { name, file } => self.get_version(&request, name, stem(file, ".json")).await,
            Route::Owners { name } => self.get_owners(&request, name, false).await,
            Route::OwnersYaml { name } => self.get_owners(&request, name, true).await,
            Route::Attestations { file } => self.get_attestations(&request, stem(file, ".json")).await,
            Route::Key => self.api_key(&request, "text").await,
            Route::KeyJson => self.api_key(&request, "json").await,
            Route::KeyYaml => self.api_key(&request, "yaml").await,
        }
    }

    /// `HEAD` of the address itself is how RubyGems 3.3 looks for the compact index.
    async fn front(&self, request: &RepositoryRequest) -> Answer {
        request.may_read(&self.services.access).await?;
        Ok(response::text(StatusCode::OK, &format!("Gems are here: gem install NAME --source {}/", request.base)))
    }

    async fn info(&self, request: &RepositoryRequest, name: &str) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        let key = names::gem_key(name).map_err(|error| RubyError::not_found(error.to_string()))?;
        let document = self.services.index.document(&allowed, &key, "info", index::render).await?;
        Ok(answer_document(&allowed, &request.method, &request.headers, &document))
    }
}

#[async_trait]
impl FormatRoutes for Routes {
    fn format(&self) -> PackageFormat {
        PackageFormat::Ruby
    }

    fn table(&self) -> &'static [RouteTemplate] {
        Route::TABLE
    }

    fn render_error(&self, failure: &Failure) -> Response {
        RubyError::from(failure).response()
    }

    async fn handle(&self, request: RepositoryRequest) -> Response {
        self.route(request).await.unwrap_or_else(|error| error.response())
    }
}

/// A file's name without its ending.
fn stem<'a>(file: &'a str, ending: &str) -> &'a str {
    file.strip_suffix(ending).unwrap_or(file)
}

/// Says what is at an address that was used wrongly.
fn misdirected(method: &str, segments: &[&str]) -> RubyError {
    let reads = matches!(method, "GET" | "HEAD");
    match (method, segments) {
        ("PUT", ["api", "v1", "gems", "unyank"]) => RubyError::new(
            StatusCode::GONE,
            "yanks are not taken back here; set the version's status to Published with update-package-versions-status",
        ),
        ("POST" | "DELETE", ["api", "v1", "gems", _, "owners" | "owners.json" | "owners.yaml"]) => RubyError::new(
            StatusCode::FORBIDDEN,
            "gems have no list of owners here: who may push is decided by the policies of users, of the domain and \
             of the repository; change those instead",
        ),
        (_, ["versions" | "names"] | ["info" | "gems", _] | ["quick", _, _]) if !reads => {
            RubyError::method_not_allowed("GET, HEAD", "the index is read only; push with POST api/v1/gems")
        }
        (_, ["api", "v1", "gems"]) => RubyError::method_not_allowed("POST", "POST pushes a gem"),
        (_, ["api", "v1", "gems", "yank"]) => RubyError::method_not_allowed("DELETE", "DELETE yanks a gem"),
        _ => RubyError::not_found("there is nothing at this address that gem or Bundler need"),
    }
}
