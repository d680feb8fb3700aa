//! The URL table (protocols 7.1, 7.3).

use std::borrow::Cow;
use std::sync::Arc;

use async_trait::async_trait;
use http::Method;
use larder_core::model::{PackageFormat, PackageKey};
use larder_core::services::Services;
use larder_http::{
    AnonymousRequest, Failure, FormatRoutes, RepositoryRequest, RequestPath, Response, RouteTemplate, url_table,
};

use crate::error::CargoError;
use crate::{names, pages};

/// What a handler answers.
pub(crate) type Answer = Result<Response, CargoError>;

/// Cargo's endpoints.
pub struct Routes {
    pub(crate) services: Arc<Services>,
}

url_table! {
    /// What cargo's protocol has.
    enum Route {
        "GET" ["config.json"] => Config,
        "PUT" ["api", "v1", "crates", "new"] => Publish,
        "GET" ["api", "v1", "crates"] => Search,
        "GET" ["api", "v1", "crates", name] => Crate { name },
        "GET" ["api", "v1", "crates", name, "owners"] => Owners { name },
        "PUT" ["api", "v1", "crates", name, "owners"] => AddOwners { name },
        "DELETE" ["api", "v1", "crates", name, "owners"] => RemoveOwners { name },
        "GET" ["api", "v1", "crates", name, "versions"] => Versions { name },
        "GET" ["api", "v1", "crates", name, version] => Version { name, version },
        "GET" ["api", "v1", "crates", name, version, "download"] => Download { name, version },
        "GET" ["api", "v1", "crates", name, version, "dependencies"] => Dependencies { name, version },
        "GET" ["api", "v1", "crates", name, version, "readme"] => Readme { name, version },
        "DELETE" ["api", "v1", "crates", name, version, "yank"] => Yank { name, version },
        "PUT" ["api", "v1", "crates", name, version, "unyank"] => Unyank { name, version },
        "GET" [] / index_path if names::of_index_path(index_path).is_some() => IndexFile { / index_path },
    }
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
        let method = request.method.clone();
        let Some(route) = Route::of(&method, &segments) else { return Err(misdirected(&segments)) };
        match route {
            Route::Config => self.get_config(&request).await,
            Route::Publish => self.publish(request).await,
            Route::Search => self.search(&request).await,
            Route::Crate { name } => self.get_crate(&request, name).await,
            Route::Owners { name } => self.get_owners(&request, name).await,
            Route::AddOwners { name } => self.change_owners(request, name, true).await,
            Route::RemoveOwners { name } => self.change_owners(request, name, false).await,
            Route::Versions { name } => self.get_versions(&request, name).await,
            Route::Version { name, version } => self.get_version(&request, name, version).await,
            Route::Download { name, version } => self.download(&request, name, version).await,
            Route::Dependencies { name, version } => self.get_dependencies(&request, name, version).await,
            Route::Readme { name, version } => self.get_readme(&request, name, version).await,
            Route::Yank { name, version } => self.set_yanked(&request, name, version, true).await,
            Route::Unyank { name, version } => self.set_yanked(&request, name, version, false).await,
            Route::IndexFile { index_path } => match names::of_index_path(index_path) {
                Some(name) => self.get_index_file(&request, name).await,
                None => Err(misdirected(index_path)),
            },
        }
    }
}

#[async_trait]
impl FormatRoutes for Routes {
    fn format(&self) -> PackageFormat {
        PackageFormat::Cargo
    }

    fn table(&self) -> &'static [RouteTemplate] {
        Route::TABLE
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
