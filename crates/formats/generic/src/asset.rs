//! Downloads.

use larder_core::Error;
use larder_http::{RepositoryRequest, answer_attachment};

use crate::address::AssetAddress;
use crate::digests;
use crate::names::CHECKSUMS;
use crate::routes::{Answer, Routes};

impl Routes {
    /// `GET …/{version}/{asset}`
    pub(crate) async fn get_asset(&self, request: &RepositoryRequest, address: &AssetAddress) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        let (of, name) = (&address.of, &address.asset);
        let opened = match self.services.downloads.open(&allowed, &of.package.key, &of.version, name).await {
            Err(Error::ResourceNotFound { .. }) if name.as_str() == CHECKSUMS => {
                return self.get_checksums(request, of).await;
            }
            opened => opened?,
        };
        let more = digests::told(&opened.digests);
        Ok(answer_attachment(&allowed, &request.method, &request.headers, opened, name.as_str(), more).await?)
    }
}
