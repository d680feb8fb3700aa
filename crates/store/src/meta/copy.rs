//! Versions that come from another repository of the domain: by retention (reference 3.3) and by copying (2.8). Rows
//! are made, bytes stay where they are.

use larder_core::error::{ConflictKind, ResourceType};
use larder_core::model::{
    AllowUpstream, Asset, OriginRestrictions, Package, PackageKey, PackageVersion, RepositoryId, Revision,
    VersionFailure, VersionFailureCode, VersionId, VersionStatus, VersionText,
};
use larder_core::ports::BatchOutcome;
use larder_core::{Error, Refusal, Result};

use super::Transaction;
use super::batch::{all_or_nothing, failed};
use super::journal::{VersionChange, replaced};
use super::places::Place;
use super::versions::NewVersion;

/// What to do with one version of a copy that is allowed.
struct Planned {
    source: PackageVersion,
    /// dist-tags that point to it in the source.
    tags: Vec<String>,
    destination: Destination,
}

enum Destination {
    /// Not there yet.
    Free,
    /// The same is there already.
    Same,
    /// Another is there and may be replaced.
    Taken(PackageVersion),
}

impl Transaction<'_> {
    /// Keeps in a repository what another one of the domain has. Its origin and its times stay those of the source.
    pub(super) async fn retain(
        &mut self,
        repository: RepositoryId,
        source: VersionId,
        restrictions: OriginRestrictions,
    ) -> Result<()> {
        let place = self.get_place(repository).await?;
        let (source_package, version) = self.get_version(source).await?;
        let (source_package, source_place) = self.get_package(source_package).await?;
        if source_place.domain != place.domain {
            return Err(Error::internal("a version of another domain cannot be retained"));
        }
        if !version.status.is_downloadable() {
            let message = format!("version {} is {} and is not retained", version.version, version.status);
            let id = version.version.as_str();
            return Err(Error::conflict(ConflictKind::State, ResourceType::PackageVersion, id, message));
        }
        let key = &source_package.key;
        let group = self.associate_package(place.domain, key).await?;
        if let Some(refusal) = group.refuses_internal_upstream(key, repository, &place.name, &source_place.name) {
            return Err(refusal.into());
        }
        let restrictions = group.first_restrictions(restrictions);
        let package =
            self.lock_or_create_package(&place, repository, key, &source_package.display_name, restrictions).await?;
        // Retention follows the decision of a read; the setting may have been changed since.
        if package.restrictions.upstream == AllowUpstream::Block {
            return Err(Refusal::origin_upstream(key, &place.name).into());
        }
        let existing = self.find_version_of(package.id, &version.version).await?;
        let (revision, added) = match &existing {
            None => (self.copy_version(&place, &package, &version).await?, version.assets.len()),
            Some(existing) => match self.add_missing(&place, existing, &version).await? {
                Some((revision, added)) => (revision, added),
                None => return Ok(()),
            },
        };
        self.touch_package(package.id).await?;
        let status = existing.as_ref().map_or(version.status, |existing| existing.status);
        let change = VersionChange {
            before: existing.as_ref().map(|existing| (existing.status, &existing.revision)),
            after: Some((status, &revision)),
            assets_added: added,
            metadata_updated: existing.is_none(),
            ..VersionChange::default()
        };
        self.record_version(&place, key, &version.version, &change).await
    }

    /// Adds to a retained version the assets that its source has gained. Answers the new revision and how
    /// many, if there were any.
    async fn add_missing(
        &mut self,
        place: &Place,
        existing: &PackageVersion,
        source: &PackageVersion,
    ) -> Result<Option<(Revision, usize)>> {
        let known = |asset: &&Asset| !existing.assets.iter().any(|other| other.name == asset.name);
        let missing: Vec<&Asset> = source.assets.iter().filter(known).collect();
        if missing.is_empty() || !existing.status.is_downloadable() {
            return Ok(None);
        }
        self.add_assets(place.domain, existing.id, &missing).await?;
        let all = existing.assets.iter().chain(missing.iter().copied());
        let revision = Revision::of_version(&existing.metadata, all);
        self.update_version(existing.id, existing.status, &revision).await?;
        Ok(Some((revision, missing.len())))
    }

    /// Makes a row for a version that is stored elsewhere in the domain. Answers its revision.
    async fn copy_version(&mut self, place: &Place, package: &Package, source: &PackageVersion) -> Result<Revision> {
        let (details, canonical) = (self.details_of(source.id).await?, self.canonical_of(source.id).await?);
        let new = NewVersion {
            version: &source.version,
            canonical: canonical.as_deref(),
            status: source.status,
            origin: &source.origin,
            source_published_at: source.source_published_at,
            first_seen_at: source.first_seen_at,
            published_at: source.published_at,
            metadata: &source.metadata,
            details: &details,
            assets: &source.assets,
        };
        self.create_version(place.domain, package.id, &new).await
    }

    pub(super) async fn copy_versions(
        &mut self,
        sources: &[(VersionText, Result<VersionId, VersionFailure>)],
        destination: RepositoryId,
        key: &PackageKey,
        allow_overwrite: bool,
        restrictions: OriginRestrictions,
    ) -> Result<BatchOutcome> {
        let place = self.get_place(destination).await?;
        let group = self.associate_package(place.domain, key).await?;
        let existing = self.lock_package_of(destination, key).await?;
        let mut display_name = key.name().to_owned();
        let mut planned: Vec<(&VersionText, Result<Planned, VersionFailure>)> = Vec::new();
        for (text, source) in sources {
            let plan = match source {
                Err(failure) => Err(failure.clone()),
                Ok(id) => {
                    let (source_package, version) = self.get_version(*id).await?;
                    let (source_package, source_place) = self.get_package(source_package).await?;
                    if source_place.domain != place.domain {
                        return Err(Error::internal("a version of another domain cannot be copied"));
                    }
                    display_name.clone_from(&source_package.display_name);
                    let refusal = group.refuses_internal_upstream(key, destination, &place.name, &source_place.name);
                    self.plan_copy(&source_package, version, existing.as_ref(), allow_overwrite, refusal).await?
                }
            };
            planned.push((text, plan));
        }
        let plans = planned.iter().map(|(version, plan)| (*version, plan));
        if let Some(outcome) = all_or_nothing(plans, |version| format!("Version {version} was skipped")) {
            return Ok(outcome);
        }
        let mut outcome = Vec::new();
        if planned.iter().all(|(_, plan)| matches!(plan, Ok(Planned { destination: Destination::Same, .. }))) {
            return Ok(outcome);
        }
        let restrictions = group.first_restrictions(restrictions);
        let package = self.lock_or_create_package(&place, destination, key, &display_name, restrictions).await?;
        for (text, plan) in planned {
            let plan = plan.map_err(|failure| Error::internal(failure.message))?;
            if let Some(revision) = self.run_copy(&place, &package, &plan).await? {
                outcome.push((text.clone(), Ok((revision, plan.source.status))));
            }
        }
        self.touch_package(package.id).await?;
        Ok(outcome)
    }

    async fn plan_copy(
        &mut self,
        source_package: &Package,
        source: PackageVersion,
        destination: Option<&Package>,
        allow_overwrite: bool,
        refusal: Option<Refusal>,
    ) -> Result<Result<Planned, VersionFailure>> {
        let text = &source.version;
        if matches!(source.status, VersionStatus::Unfinished | VersionStatus::Disposed) {
            let message = format!("version {text} is {} and cannot be copied", source.status);
            return Ok(Err(failed(VersionFailureCode::NotAllowed, message)));
        }
        let existing = match destination {
            Some(package) => self.find_version_of(package.id, text).await?,
            None => None,
        };
        let destination = match existing {
            Some(existing) if existing.revision == source.revision => Destination::Same,
            existing => {
                // A version of another repository comes in, as by retention.
                if let Some(refusal) = refusal {
                    return Ok(Err(failed(VersionFailureCode::NotAllowed, refusal.to_string())));
                }
                match existing {
                    None => Destination::Free,
                    Some(existing) if allow_overwrite => Destination::Taken(existing),
                    Some(_) => {
                        let message = format!("Version {text} already exists");
                        return Ok(Err(failed(VersionFailureCode::AlreadyExists, message)));
                    }
                }
            }
        };
        let tags = self.dist_tags_of(source_package.id, text).await?;
        Ok(Ok(Planned { source, tags, destination }))
    }

    /// Copies one version; answers its revision, or nothing if the same was there.
    async fn run_copy(&mut self, place: &Place, package: &Package, plan: &Planned) -> Result<Option<Revision>> {
        let before = match &plan.destination {
            Destination::Same => return Ok(None),
            Destination::Free => None,
            Destination::Taken(existing) => {
                self.delete_version(place.domain, existing.id).await?;
                Some(existing)
            }
        };
        let revision = self.copy_version(place, package, &plan.source).await?;
        for tag in &plan.tags {
            self.set_dist_tag(package.id, tag, &plan.source.version).await?;
        }
        let change = VersionChange {
            before: before.map(|existing| (existing.status, &existing.revision)),
            after: Some((plan.source.status, &revision)),
            metadata_updated: true,
            ..replaced(before.map_or(&[], |existing| &existing.assets), &plan.source.assets)
        };
        self.record_version(place, &package.key, &plan.source.version, &change).await?;
        Ok(Some(plan.source.revision.clone()))
    }
}
