//! Copying versions between repositories of a domain (reference 2.8). No bytes move: assets are stored once per domain.

use super::versions::revision_differs;
use super::{Rules, VersionService};
use crate::access::{Allowed, PackageTarget, RepositoryTarget};
use crate::error::{Error, ResourceType, Result};
use crate::model::{
    OriginRestrictions, OriginType, PackageKey, PackageVersion, RepositoryId, VersionFailure, VersionFailureCode,
};
use crate::ports::{BatchOutcome, Change, VersionSelector};

/// What is copied and how.
#[derive(Debug, Clone)]
pub struct CopyRequest {
    pub versions: Vec<VersionSelector>,
    /// Replace versions of the destination that differ.
    pub allow_overwrite: bool,
    /// Look for versions in what the source repository can see, too.
    pub include_from_upstream: bool,
}

impl VersionService {
    /// Copies versions of one package, all or none. A version that the destination has already, with the same assets
    /// and metadata, is in neither part of the answer.
    ///
    /// Copying is not publishing: neither origin controls of the destination nor versions of the same number upstream
    /// stand against it (reference 2.8 names it as the way around them). `destination` names the package.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if the source knows no such package, [`Error::Validation`] if both repositories are
    /// one.
    pub async fn copy(
        &self,
        source: &Allowed<RepositoryTarget>,
        destination: &Allowed<PackageTarget>,
        request: CopyRequest,
    ) -> Result<BatchOutcome> {
        let (from, to) = (&source.target().repository, destination.target());
        if from.id == to.repository.id {
            let message = "sourceRepository and destinationRepository must be different repositories";
            return Err(Error::validation("destinationRepository", message));
        }
        let places = self.places(source, &to.package, request.include_from_upstream).await?;
        if places.is_empty() {
            return Err(Error::not_found(
                ResourceType::Package,
                to.package.to_string(),
                format!("Package '{}' is not in repository '{}'", to.package, from.name),
            ));
        }
        let mut internal = false;
        let mut sources = Vec::with_capacity(request.versions.len());
        for wanted in request.versions {
            let found = copyable(&wanted, self.find_in(&places, &to.package, &wanted).await?);
            internal |= found.as_ref().is_ok_and(|found| found.origin.origin_type() == OriginType::Internal);
            sources.push((wanted.version, found.map(|found| found.id)));
        }
        // A package that is new here is treated as if its first version had come by the way it came into the domain.
        let restrictions = if internal { OriginRestrictions::PUBLISHED } else { OriginRestrictions::INGESTED };
        let change = Change::CopyVersions {
            sources,
            destination: to.repository.id,
            package: to.package.clone(),
            allow_overwrite: request.allow_overwrite,
            restrictions,
        };
        self.apply_batch(destination, change).await
    }

    /// The repositories that have the package, in search order; origin controls hold on the way.
    async fn places(
        &self,
        source: &Allowed<RepositoryTarget>,
        key: &PackageKey,
        include_from_upstream: bool,
    ) -> Result<Vec<(RepositoryId, Rules)>> {
        let mut places = Vec::new();
        let mut walk = self.graph.walk(&source.target().repository, key).await?;
        while let Some(repository) = walk.next().await? {
            let package = self.store.find_package(repository.id, key).await?;
            if package.is_some() {
                let way = walk.way();
                places.push((repository.id, self.cooldowns.rules(&way[..way.len() - 1], key).await?));
            }
            if !include_from_upstream {
                break;
            }
            // What only a public registry has is not in the domain and cannot be copied.
            let _ = walk.enter(&repository, package.map(|package| package.restrictions.upstream));
        }
        Ok(places)
    }

    /// The first repository that has the version supplies it, in whatever status (reference 3.3).
    async fn find_in(
        &self,
        places: &[(RepositoryId, Rules)],
        key: &PackageKey,
        wanted: &VersionSelector,
    ) -> Result<Option<PackageVersion>> {
        for (place, rules) in places {
            if let Some(found) = self.store.find_version(*place, key, &wanted.version).await?
                && self.cooldowns.judge_stored(rules, &found).is_none()
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// Whether this is what the caller means. Whether its status lets it be copied is decided with the copy.
fn copyable(wanted: &VersionSelector, found: Option<PackageVersion>) -> Result<PackageVersion, VersionFailure> {
    let fail = |code, message| Err(VersionFailure { code, message });
    let Some(found) = found else {
        return fail(VersionFailureCode::NotFound, format!("Could not find version {}", wanted.version));
    };
    if let Some(expected) = wanted.revision.as_ref().filter(|expected| **expected != found.revision) {
        return fail(VersionFailureCode::MismatchedRevision, revision_differs(&found.revision, expected));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Origin, RepositoryName, Revision, Timestamp, VersionId, VersionStatus, VersionText};

    fn version() -> PackageVersion {
        PackageVersion {
            id: VersionId(1),
            version: VersionText::new("1.0.0").unwrap(),
            status: VersionStatus::Published,
            revision: Revision("now".into()),
            origin: Origin::internal(RepositoryName::new("repo").unwrap()),
            source_published_at: None,
            first_seen_at: Timestamp(0),
            published_at: Timestamp(0),
            metadata: bytes::Bytes::new(),
            assets: Vec::new(),
        }
    }

    fn failure(revision: Option<&str>, found: Option<PackageVersion>) -> Option<VersionFailure> {
        let revision = revision.map(|text| Revision(text.into()));
        let wanted = VersionSelector { version: VersionText::new("1.0.0").unwrap(), revision };
        copyable(&wanted, found).err()
    }

    #[test]
    fn a_version_must_be_there_at_the_revision_that_was_pinned() {
        assert_eq!(failure(None, Some(version())), None);
        assert_eq!(failure(Some("now"), Some(version())), None);
        assert_eq!(
            failure(None, None),
            Some(VersionFailure { code: VersionFailureCode::NotFound, message: "Could not find version 1.0.0".into() })
        );
        assert_eq!(
            failure(Some("then"), Some(version())),
            Some(VersionFailure {
                code: VersionFailureCode::MismatchedRevision,
                message: "current revision: now, expected revision: then".into()
            })
        );
    }
}
