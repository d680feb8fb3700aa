//! The URL table (protocol reference 8.3).

use std::sync::Arc;

use async_trait::async_trait;
use larder_core::model::PackageFormat;
use larder_core::services::Services;
use larder_http::{Failure, FormatRoutes, RepositoryRequest, Response, RouteTemplate, url_table};

use crate::address::Address;
use crate::error::{self, GenericError};
use crate::latest::Newest;
use crate::names::LATEST;
use crate::parameters::Parameters;
use crate::uploads::Uploads;

/// What a handler answers.
pub(crate) type Answer = Result<Response, GenericError>;

/// The tree's endpoints.
pub struct Routes {
    pub(crate) services: Arc<Services>,
    pub(crate) newest: Newest,
    pub(crate) uploads: Uploads,
    /// An upload that does not say otherwise is the last one of its version.
    pub(crate) final_uploads: bool,
}

url_table! {
    /// Methods on versions and assets: see [`Address`].
    enum Route {
        "GET" [] / path => Get { / path },
        "PUT" [] / path => Put { / path },
        "POST" [] / path => Post { / path },
        "PATCH" [] / path => Patch { / path },
        "DELETE" [] / path => Delete { / path },
    }
}

impl Routes {
    /// Serves with these services.
    #[must_use]
    pub fn new(services: Arc<Services>) -> Self {
        Self {
            newest: Newest::new(Arc::clone(&services)),
            uploads: Uploads::new(Arc::clone(&services.clock)),
            services,
            final_uploads: false,
        }
    }

    /// Makes each upload final unless it says `?unfinished=true`, as PublishPackageVersion does.
    #[must_use]
    pub fn with_final_uploads(self) -> Self {
        Self { final_uploads: true, ..self }
    }

    async fn route(&self, request: RepositoryRequest) -> Answer {
        let path = request.path.segments().to_vec();
        let segments: Vec<&str> = path.iter().map(String::as_str).collect();
        let method = request.method.clone();
        let Some(route) = Route::of(&method, &segments) else {
            return Err(error::takes_only("GET, HEAD, PUT, POST, PATCH, DELETE"));
        };
        let parameters = Parameters::parse(request.query.as_deref())?;
        match Address::parse(&request.path, parameters.namespace.as_deref())? {
            Address::Version { package, version } => {
                if version == LATEST && matches!(route, Route::Get { .. }) {
                    return self.redirect_to_latest(&request, package, None).await;
                }
                let address = package.version(&version)?;
                match route {
                    Route::Get { .. } => self.get_list(&request, &address).await,
                    Route::Delete { .. } => self.delete_version(&request, &address).await,
                    Route::Post { .. } if parameters.finish => self.finish(&request, &address).await,
                    Route::Post { .. } => Err(GenericError::bad_request("POST to a version is for ?finish")),
                    Route::Put { .. } | Route::Patch { .. } => Err(error::takes_only("GET, HEAD, POST, DELETE")),
                }
            }
            Address::Asset { package, version, asset } => {
                if version == LATEST && matches!(route, Route::Get { .. }) && parameters.upload.is_none() {
                    return self.redirect_to_latest(&request, package, Some(&asset)).await;
                }
                let address = package.version(&version)?.asset(&asset)?;
                match (route, parameters.upload.as_deref()) {
                    (Route::Get { .. }, None) => self.get_asset(&request, &address).await,
                    (Route::Put { .. }, None) => self.put_asset(request, &address, &parameters).await,
                    (Route::Delete { .. }, None) => self.delete_asset(&request, &address).await,
                    (Route::Post { .. }, None) if parameters.begins_upload => {
                        self.begin_upload(&request, &address).await
                    }
                    (Route::Post { .. }, None) => Err(GenericError::bad_request(
                        "POST to an asset begins an upload in pieces, with ?uploads; PUT sends it at once",
                    )),
                    (Route::Patch { .. }, None) => Err(error::takes_only("GET, HEAD, PUT, POST, DELETE")),
                    (Route::Get { .. }, Some(id)) => self.get_upload(&request, &address, id).await,
                    (Route::Patch { .. }, Some(id)) => self.append(request, &address, id).await,
                    (Route::Put { .. }, Some(id)) => self.complete_upload(request, &address, id, &parameters).await,
                    (Route::Delete { .. }, Some(id)) => self.cancel_upload(&request, &address, id).await,
                    (Route::Post { .. }, Some(_)) => Err(error::takes_only("GET, HEAD, PATCH, PUT, DELETE")),
                }
            }
        }
    }
}

#[async_trait]
impl FormatRoutes for Routes {
    fn format(&self) -> PackageFormat {
        PackageFormat::Generic
    }

    fn table(&self) -> &'static [RouteTemplate] {
        Route::TABLE
    }

    fn render_error(&self, failure: &Failure) -> Response {
        GenericError::from(failure).response()
    }

    async fn handle(&self, request: RepositoryRequest) -> Response {
        self.route(request).await.unwrap_or_else(|error| error.response())
    }
}
