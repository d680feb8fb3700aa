//! `.crate` files: their names and `GET api/v1/crates/{crate}/{version}/download` (protocols 7.4).

use larder_core::error::Invalid;
use larder_core::model::{AssetName, VersionText};
use larder_http::{RepositoryRequest, answer_asset};

use crate::error::CargoError;
use crate::names;
use crate::routes::{Answer, Routes, known};

/// As the public registry has it. Never compressed on the way: it is.
const CONTENT_TYPE: &str = "application/gzip";

/// The name of a version's one asset: the crate as it is spelled and the version with its build metadata.
///
/// # Errors
/// [`Invalid`] if that is too long for an asset.
pub(crate) fn file_name(name: &str, version: &str) -> Result<AssetName, Invalid> {
    AssetName::new(format!("{name}-{version}.crate"))
}

impl Routes {
    /// Answers a download. Name and version are those of an index line, letter by letter: what is asked by another
    /// spelling is not there, so that no file is ever taken for another one.
    pub(crate) async fn download(&self, request: &RepositoryRequest, name: &str, version: &str) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        let key = known(name)?;
        let missing =
            || CargoError::not_found(format!("crate '{name}' has no version '{}'", names::printable(version)));
        let wanted = VersionText::new(names::without_build(version)).map_err(|_| missing())?;
        let file = file_name(name, version).map_err(|_| missing())?;
        let opened = self.services.downloads.open(&allowed, &key, &wanted, &file).await?;
        Ok(answer_asset(&allowed, &request.method, &request.headers, opened, CONTENT_TYPE).await?)
    }
}
