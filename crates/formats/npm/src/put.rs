//! `PUT /{package}`: a publish if the body has a tarball, else changed metadata.

use http::StatusCode;
use http::header::CONTENT_ENCODING;
use larder_core::Refusal;
use larder_core::access::Action;
use larder_core::error::Error;
use larder_core::model::PackageKey;
use larder_http::{RepositoryRequest, RequestBody, response};
use serde_json::json;

use crate::index::document_revision;
use crate::names;
use crate::publish::{self, TEXT_LIMIT_BYTES, receive};
use crate::routes::{Answer, Routes};

impl Routes {
    /// `PUT /{package}`. Both rights are looked at before the body is read, because what it needs is known only after.
    pub(crate) async fn put_package(&self, request: &RepositoryRequest, key: PackageKey, body: RequestBody) -> Answer {
        let publish = request.may(&self.services.access, Action::PublishPackageVersion, key.clone()).await;
        let metadata = request.may(&self.services.access, Action::PutPackageMetadata, key.clone()).await;
        let publish = match publish {
            Err(refusal) if metadata.is_err() => return Err(refusal.into()),
            publish => publish,
        };
        let asset_limit = self.services.limits.asset_size_bytes;
        let text_limit = TEXT_LIMIT_BYTES as u64;
        let body = match request.headers.get(CONTENT_ENCODING) {
            // No client compresses a publish; one that did would get no further than memory allows.
            Some(encoding) if encoding != "identity" => {
                RequestBody::full(body.collect_decoded(&request.headers, text_limit).await?)
            }
            _ => body.with_limit((asset_limit / 3 * 4).saturating_add(text_limit)),
        };
        let received = receive(body.into_stream(), self.services.blobs.as_ref(), asset_limit, publish).await?;
        let Some((tarball, allowed)) = received.tarball else {
            return self.put_metadata(request, &metadata?, received.text).await;
        };
        let services = &self.services;
        let repository = request.target.repository.id;
        let is_new = services.store.find_package(repository, &key).await?.is_none();
        if is_new && let Some(twin) = services.store.find_package_twin(repository, &key).await? {
            let (name, twin) = (names::display_name(&key), names::display_name(&twin));
            return Err(Error::from(Refusal::origin_look_alike(&name, &twin)).into());
        }
        let publisher = request.caller.principal.name();
        let upload = publish::read(&key, received.text, tarball, publisher, is_new, &services.blobs).await?;
        services.publishing.publish(&allowed, upload).await?;
        let package = services.store.find_package(repository, &key).await?;
        let revision = document_revision(package.as_ref());
        let body = json!({"ok": true, "success": true, "id": names::display_name(&key), "rev": revision});
        Ok(response::json(StatusCode::CREATED, &body))
    }
}
