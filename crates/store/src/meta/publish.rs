//! Publishing and ingesting: [`Publication`] to rows. Costs the same whatever the package and the repository hold.
//! Publishing a version's assets under another name too ([`PublishAs`]).

use larder_core::error::{ConflictKind, ResourceType};
use larder_core::model::{
    AllowPublish, AllowUpstream, Asset, AssetName, Association, EntryPoint, NewAsset, OriginType, Package,
    PackageVersion, Publication, PublishMode, Published, Revision, VersionStatus,
};
use larder_core::ports::PublishAs;
use larder_core::{Error, Refusal, Result};

use super::Transaction;
use super::journal::{VersionChange, replaced};
use super::places::Place;
use super::versions::NewVersion;

fn conflict(publication: &Publication, kind: ConflictKind, why: &str) -> Error {
    let message = format!("version {} of {} {why}", publication.version, publication.display_name);
    Error::conflict(kind, ResourceType::PackageVersion, publication.version.as_str(), message)
}

/// Whether this transaction created the package, so that it has no versions and no tags.
fn is_new(package: &Package) -> bool {
    package.revision == 0
}

/// Checks again what the caller saw before the transaction: the setting may have been changed since.
fn check_origin(place: &Place, package: &Package, publication: &Publication) -> Result<()> {
    let restrictions = package.restrictions;
    if is_new(package) {
        // With the settings that this publication brings.
        return Ok(());
    }
    if publication.requires_publish.is_some_and(|expected| expected != restrictions.publish) {
        return Err(Refusal::origin_publish(&package.key, &place.name).into());
    }
    let is_external = publication.origin.origin_type() == OriginType::External;
    if is_external && restrictions.upstream == AllowUpstream::Block {
        return Err(Refusal::origin_upstream(&package.key, &place.name).into());
    }
    Ok(())
}

/// What the package's group says to the way in. Groups may have been changed since the caller looked.
fn refused_by_group(group: &Association, place: &Place, publication: &Publication) -> Option<Refusal> {
    let (key, repository) = (&publication.package, publication.repository);
    match publication.origin.entry_point {
        EntryPoint::Repository(_) => group.refuses_publish(key, repository, &place.name),
        EntryPoint::ExternalConnection(connection) => {
            group.refuses_external_upstream(key, repository, &place.name, connection)
        }
    }
}

/// The assets that are not there yet. One that is there with other bytes is a conflict, also within the upload.
fn new_assets(existing: &[Asset], offered: &[NewAsset]) -> Result<Vec<Asset>> {
    let mut new: Vec<Asset> = Vec::new();
    for asset in offered {
        let same_name = |other: &&Asset| other.name == asset.name;
        match existing.iter().find(same_name).or_else(|| new.iter().find(same_name)) {
            Some(other) if other.digests.sha256 == asset.digests.sha256 => {}
            Some(_) => return Err(other_bytes(&asset.name)),
            None => new.push(Asset {
                name: asset.name.clone(),
                kind: asset.kind,
                digests: asset.digests.clone(),
                metadata: asset.metadata.clone(),
            }),
        }
    }
    Ok(new)
}

fn other_bytes(name: &AssetName) -> Error {
    let message = format!("asset '{name}' already exists with other content");
    Error::conflict(ConflictKind::OtherBytes, ResourceType::Asset, name.as_str(), message)
}

/// Whether the mode lets an existing version gain assets.
fn check_mode(publication: &Publication, existing: &PackageVersion) -> Result<()> {
    let status = existing.status;
    match publication.mode {
        PublishMode::NewVersion => {
            Err(conflict(publication, ConflictKind::Exists, &format!("already exists (status {status})")))
        }
        PublishMode::AtAnyTime if status == VersionStatus::Unfinished => Ok(()),
        PublishMode::AddAssets | PublishMode::AtAnyTime if !status.is_downloadable() => {
            Err(conflict(publication, ConflictKind::State, &format!("is {status} and takes no more assets")))
        }
        PublishMode::WhileUnfinished if status != VersionStatus::Unfinished => {
            Err(conflict(publication, ConflictKind::State, &format!("is {status} and takes no more assets")))
        }
        PublishMode::AddAssets | PublishMode::AtAnyTime | PublishMode::WhileUnfinished => Ok(()),
    }
}

impl Transaction<'_> {
    pub(super) async fn publish(&mut self, publication: &Publication) -> Result<Published> {
        let place = self.get_place(publication.repository).await?;
        if place.domain != publication.domain {
            return Err(Error::internal("a publication names the domain of another repository"));
        }
        let group = self.associate_package(place.domain, &publication.package).await?;
        if let Some(refusal) = refused_by_group(&group, &place, publication) {
            return Err(refusal.into());
        }
        let package = self
            .lock_or_create_package(
                &place,
                publication.repository,
                &publication.package,
                &publication.display_name,
                group.first_restrictions(publication.default_restrictions),
            )
            .await?;
        check_origin(&place, &package, publication)?;
        let existing =
            if is_new(&package) { None } else { self.find_version_of(package.id, &publication.version).await? };
        let published = match existing {
            None => self.publish_new(publication, &place, &package).await?,
            Some(existing) => self.publish_more(publication, &place, &package, &existing).await?,
        };
        let tagged = self.set_published_tags(publication, &package).await?;
        if tagged && !published.changed {
            let resource = place.package(self.region, &package.key);
            let tags: Vec<_> = publication.tags.iter().map(|update| update.tag.as_str()).collect();
            self.record(resource.as_str(), None, Some(&format!("{}={}", tags.join(","), publication.version))).await?;
        }
        let changed = published.changed || tagged;
        if changed {
            if package.display_name != publication.display_name {
                self.set_display_name(package.id, &publication.display_name).await?;
            }
            self.touch_package(package.id).await?;
        }
        Ok(Published { changed, ..published })
    }

    async fn publish_new(&mut self, publication: &Publication, place: &Place, package: &Package) -> Result<Published> {
        if publication.mode == PublishMode::NewVersion
            && !is_new(package)
            && let Some(canonical) = &publication.canonical
            && let Some(same) = self.find_same_version(package.id, canonical).await?
        {
            let why = format!("is there as {same}, which is the same version to every client");
            return Err(conflict(publication, ConflictKind::Exists, &why));
        }
        let now = self.now();
        let new = NewVersion {
            version: &publication.version,
            canonical: publication.canonical.as_deref(),
            status: publication.status,
            origin: &publication.origin,
            source_published_at: publication
                .source_published_at
                .or((publication.origin.origin_type() == OriginType::Internal).then_some(now)),
            first_seen_at: now,
            published_at: now,
            metadata: &publication.metadata,
            details: &publication.details,
            assets: &new_assets(&[], &publication.assets)?,
        };
        let revision = self.create_version(place.domain, package.id, &new).await?;
        let change = VersionChange {
            after: Some((publication.status, &revision)),
            assets_added: new.assets.len(),
            metadata_updated: true,
            ..VersionChange::default()
        };
        self.record_version(place, &publication.package, &publication.version, &change).await?;
        Ok(Published { revision, status: publication.status, changed: true })
    }

    async fn publish_more(
        &mut self,
        publication: &Publication,
        place: &Place,
        package: &Package,
        existing: &PackageVersion,
    ) -> Result<Published> {
        check_mode(publication, existing)?;
        let new = new_assets(&existing.assets, &publication.assets)?;
        let status = match publication.mode {
            PublishMode::WhileUnfinished => publication.status,
            PublishMode::AddAssets | PublishMode::AtAnyTime | PublishMode::NewVersion => existing.status,
        };
        // The first document stays; one that was missing is filled in.
        let metadata = if existing.metadata.is_empty() { &publication.metadata } else { &existing.metadata };
        if new.is_empty() && status == existing.status && *metadata == existing.metadata {
            return Ok(Published { revision: existing.revision.clone(), status, changed: false });
        }
        self.add_assets(place.domain, existing.id, &new.iter().collect::<Vec<_>>()).await?;
        self.add_details(existing.id, &publication.details).await?;
        let revision = Revision::of_version(metadata, existing.assets.iter().chain(&new));
        if *metadata != existing.metadata {
            self.set_metadata(existing.id, metadata, &revision).await?;
        }
        self.update_version(existing.id, status, &revision).await?;
        let change = VersionChange {
            before: Some((existing.status, &existing.revision)),
            after: Some((status, &revision)),
            assets_added: new.len(),
            metadata_updated: *metadata != existing.metadata,
            ..VersionChange::default()
        };
        self.record_version(place, &package.key, &existing.version, &change).await?;
        Ok(Published { revision, status, changed: true })
    }

    pub(super) async fn publish_as(&mut self, wanted: &PublishAs) -> Result<()> {
        let (package, place) = self.get_package(wanted.package).await?;
        let group = self.associate_package(place.domain, &package.key).await?;
        if let Some(refusal) = group.refuses_publish(&package.key, place.repository, &place.name) {
            return Err(refusal.into());
        }
        let (package, place) = self.lock_package(wanted.package).await?;
        if package.restrictions.publish == AllowPublish::Block {
            return Err(Refusal::origin_publish(&package.key, &place.name).into());
        }
        let source = self.get_version_of(package.id, &wanted.source).await?;
        let changed = |why: String| {
            let name = wanted.name.as_str();
            Err(Error::conflict(ConflictKind::Revision, ResourceType::PackageVersion, name, why))
        };
        if !(source.status.is_downloadable() || source.status == VersionStatus::Unfinished) {
            let message = format!("version {} is {} and cannot be published", source.version, source.status);
            let id = source.version.as_str();
            return Err(Error::conflict(ConflictKind::State, ResourceType::PackageVersion, id, message));
        }
        let existing = self.find_version_of(package.id, &wanted.name).await?;
        match (&existing, &wanted.expected) {
            (None, None) => {}
            (Some(existing), Some(expected)) if existing.revision == *expected => {}
            (None, Some(_)) => return changed(format!("version {} was deleted meanwhile", wanted.name)),
            (Some(existing), _) => {
                return changed(format!("version {} has revision {} meanwhile", wanted.name, existing.revision));
            }
        }
        if let Some(existing) = &existing {
            self.delete_version(place.domain, existing.id).await?;
        }
        let (now, details) = (self.now(), self.details_of(source.id).await?);
        let new = NewVersion {
            version: &wanted.name,
            // Only Maven has this, and one text for each version.
            canonical: None,
            status: VersionStatus::Published,
            origin: &source.origin,
            source_published_at: Some(now),
            first_seen_at: existing.as_ref().map_or(now, |existing| existing.first_seen_at),
            published_at: now,
            metadata: &wanted.metadata,
            details: &details,
            assets: &source.assets,
        };
        let revision = self.create_version(place.domain, package.id, &new).await?;
        self.update_version(source.id, wanted.source_status, &source.revision).await?;
        self.touch_package(package.id).await?;
        let named = VersionChange {
            before: existing.as_ref().map(|existing| (existing.status, &existing.revision)),
            after: Some((VersionStatus::Published, &revision)),
            metadata_updated: true,
            ..replaced(existing.as_ref().map_or(&[], |existing| &existing.assets), &source.assets)
        };
        self.record_version(&place, &package.key, &wanted.name, &named).await?;
        let sealed = VersionChange {
            before: Some((source.status, &source.revision)),
            after: Some((wanted.source_status, &source.revision)),
            ..VersionChange::default()
        };
        self.record_version(&place, &package.key, &wanted.source, &sealed).await
    }

    /// Sets the dist-tags that came along; answers whether any moved.
    async fn set_published_tags(&mut self, publication: &Publication, package: &Package) -> Result<bool> {
        let mut moved = false;
        for update in &publication.tags {
            let current = if is_new(package) { None } else { self.find_dist_tag(package.id, &update.tag).await? };
            let stays = match &current {
                Some(current) => update.only_if_absent || *current == publication.version.as_str(),
                None => false,
            };
            if !stays {
                self.set_dist_tag(package.id, &update.tag, &publication.version).await?;
                moved = true;
            }
        }
        Ok(moved)
    }
}
