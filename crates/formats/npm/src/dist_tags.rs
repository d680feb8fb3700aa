//! dist-tags (protocols 1.4).

use http::{Method, StatusCode};
use larder_core::access::Action;
use larder_core::model::PackageKey;
use larder_http::{RepositoryRequest, RequestBody, Response, response};
use serde_json::json;

use crate::error::NpmError;
use crate::index::Form;
use crate::names;
use crate::routes::{Answer, Routes};

/// A version in quotes.
const BODY_LIMIT_BYTES: u64 = 4 << 10;

impl Routes {
    /// `GET /-/package/{package}/dist-tags`
    pub(crate) async fn get_tags(&self, request: &RepositoryRequest, key: PackageKey) -> Answer {
        self.serve(request, key, Form::DistTags).await
    }

    /// `PUT /-/package/{package}/dist-tags/{tag}` with the version as a JSON string. The version has to be stored in
    /// this repository.
    pub(crate) async fn put_tag(
        &self,
        request: &RepositoryRequest,
        key: PackageKey,
        tag: &str,
        body: RequestBody,
    ) -> Answer {
        let allowed = request.may(&self.services.access, Action::PutPackageMetadata, key.clone()).await?;
        names::check_tag(tag).map_err(|error| NpmError::bad_request(error.to_string()))?;
        let status = if request.method == Method::POST { StatusCode::OK } else { StatusCode::CREATED };
        let body = body.collect_decoded(&request.headers, BODY_LIMIT_BYTES).await?;
        let version: String = serde_json::from_slice(&body)
            .map_err(|_| NpmError::bad_request("the body must be a version as a JSON string"))?;
        let version = names::coordinate(&version).map_err(|error| NpmError::bad_request(error.to_string()))?;
        self.services.publishing.put_tag(&allowed, tag, Some(&version)).await?;
        Ok(done(status, &key))
    }

    /// `DELETE /-/package/{package}/dist-tags/{tag}`
    pub(crate) async fn delete_tag(&self, request: &RepositoryRequest, key: PackageKey, tag: &str) -> Answer {
        let allowed = request.may(&self.services.access, Action::PutPackageMetadata, key.clone()).await?;
        if tag == "latest" {
            return Err(NpmError::bad_request("'latest' cannot be removed; point it to another version instead"));
        }
        self.services.publishing.put_tag(&allowed, tag, None).await?;
        Ok(done(StatusCode::OK, &key))
    }
}

fn done(status: StatusCode, key: &PackageKey) -> Response {
    response::json(status, &json!({"ok": true, "id": names::display_name(key)}))
}
