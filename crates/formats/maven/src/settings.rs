//! What a repository's tags say about its Maven packages. CodeArtifact has no such settings; without the tags Larder does
//! as CodeArtifact does.
//!
//! | tag | value | |
//! |---|---|---|
//! | `larder:maven` | `releases`, `snapshots` | takes only these |
//! | `larder:maven-publish` | `without-metadata` | a release is published with its POM and one file more, for clients that never send metadata (sbt, Ivy) |

use larder_core::access::{Allowed, PackageTarget};
use larder_core::model::{Arn, VersionStatus};
use larder_core::ports::{BatchSelection, VersionSelector};

use crate::error::MavenError;
use crate::held;
use crate::layout::AssetPath;
use crate::plugins::pom_of;
use crate::routes::Routes;

const KIND: &str = "larder:maven";
const PUBLISH: &str = "larder:maven-publish";

/// What the tags say.
pub(crate) struct Settings {
    /// Releases are published by their files alone.
    pub(crate) without_metadata: bool,
}

impl Routes {
    /// Reads the tags, and refuses what the repository does not take.
    ///
    /// # Errors
    /// 400, with the reason that clients print.
    pub(crate) async fn settings(
        &self,
        allowed: &Allowed<PackageTarget>,
        path: &AssetPath,
    ) -> Result<Settings, MavenError> {
        let target = allowed.target();
        let (domain, repository) = (&target.domain, &target.repository.name);
        let arn = Arn::repository(&self.services.region, &domain.owner, &domain.name, repository);
        let tags = self.services.store.list_tags(arn.as_str()).await?;
        let value = |key: &str| tags.iter().find(|tag| tag.key == key).map(|tag| tag.value.as_str());
        let is_snapshot = path.base != path.version;
        let only = match (value(KIND), is_snapshot) {
            (Some("releases"), true) => "releases",
            (Some("snapshots"), false) => "snapshots",
            _ => return Ok(Settings { without_metadata: value(PUBLISH) == Some("without-metadata") }),
        };
        Err(MavenError::bad_request(format!("repository '{repository}' takes {only} only, see its tag {KIND}")))
    }

    /// Publishes a release that has its POM and what that is about. What comes later is added.
    ///
    /// # Errors
    /// When a checksum of the version was wrong.
    pub(crate) async fn finish_by_files(
        &self,
        allowed: &Allowed<PackageTarget>,
        path: &AssetPath,
    ) -> Result<(), MavenError> {
        let target = allowed.target();
        let found = self.services.store.find_version(target.repository.id, &target.package, &path.version).await?;
        let Some(found) = found.filter(|found| found.status == VersionStatus::Unfinished) else { return Ok(()) };
        let Some(pom) = pom_of(&found) else { return Ok(()) };
        if found.assets.len() < 2 && pom.packaging != "pom" {
            return Ok(());
        }
        held::compare_all(&found)?;
        let versions = vec![VersionSelector { version: path.version.clone(), revision: None }];
        let selection = BatchSelection { versions, expected_status: None };
        self.services.versions.update_status(allowed, selection, VersionStatus::Published).await?;
        Ok(())
    }
}
