//! Repositories that take only releases or only snapshots: those that somebody gave the tag [`TAG`]. Without it they take
//! both, as CodeArtifact's do.

use larder_core::access::{Allowed, PackageTarget};
use larder_core::model::Arn;

use crate::error::MavenError;
use crate::layout::AssetPath;
use crate::routes::Routes;

/// The key of the repository's tag. Its values are `releases` and `snapshots`.
const TAG: &str = "larder:maven";

impl Routes {
    /// Refuses what the repository does not take.
    ///
    /// # Errors
    /// 400, with the reason that clients print.
    pub(crate) async fn check_kind(
        &self,
        allowed: &Allowed<PackageTarget>,
        path: &AssetPath,
    ) -> Result<(), MavenError> {
        let target = allowed.target();
        let (domain, repository) = (&target.domain, &target.repository.name);
        let arn = Arn::repository(&self.services.region, &domain.owner, &domain.name, repository);
        let tags = self.services.store.list_tags(arn.as_str()).await?;
        let Some(tag) = tags.iter().find(|tag| tag.key == TAG) else { return Ok(()) };
        let is_snapshot = path.base != path.version;
        match (tag.value.as_str(), is_snapshot) {
            ("releases", true) => Err(MavenError::bad_request(format!(
                "repository '{repository}' takes releases only, see its tag {TAG}"
            ))),
            ("snapshots", false) => Err(MavenError::bad_request(format!(
                "repository '{repository}' takes snapshots only, see its tag {TAG}"
            ))),
            _ => Ok(()),
        }
    }
}
