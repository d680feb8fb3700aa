//! Downloads.

use http::header::CONTENT_DISPOSITION;
use larder_core::Error;
use larder_http::asset::attachment;
use larder_http::{RepositoryRequest, answer_asset_with};

use crate::address::AssetAddress;
use crate::digests;
use crate::names::CHECKSUMS;
use crate::routes::{Answer, Routes};

/// Nothing is shown in a browser, whatever it was sent as.
const MEDIA_TYPE: &str = "application/octet-stream";

impl Routes {
    /// `GET …/{version}/{asset}`
    pub(crate) async fn get_asset(&self, request: &RepositoryRequest, address: &AssetAddress) -> Answer {
        let allowed = self.may_read(request).await?;
        let (of, name) = (&address.of, &address.asset);
        let opened = match self.services.downloads.open(&allowed, &of.package.key, &of.version, name).await {
            Err(Error::ResourceNotFound { .. }) if name.as_str() == CHECKSUMS => {
                return self.get_checksums(request, of).await;
            }
            opened => opened?,
        };
        let mut more = digests::told(&opened.digests);
        more.push((CONTENT_DISPOSITION, attachment(Some(name.as_str()))));
        Ok(answer_asset_with(&allowed, &request.method, &request.headers, opened, MEDIA_TYPE, more).await?)
    }
}
