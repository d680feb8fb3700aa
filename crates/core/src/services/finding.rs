//! Finding a version, or one of its assets, through the upstream graph (reference 3.2, 3.9).

use std::sync::Arc;

use super::Downloads;
use super::cooldown::{Rules, Withheld};
use super::graph::Walk;
use super::view::Dependencies;
use crate::error::{Error, ResourceType, Result};
use crate::model::{
    AllowPublish, AllowUpstream, Asset, AssetName, ExternalConnection, Origin, Package, PackageKey, PackageVersion,
    ReleaseTime, Repository, RepositoryId, RestrictionType, VersionStatus, VersionText, spoken,
};
use crate::ports::{Format, Promise, PromisedAsset, StoredIndex};
use crate::refusal::{Refusal, RefusalCode, Step, Trace};

/// Where a walk found the asset.
pub(super) enum Hit {
    Stored { repository: RepositoryId, version: PackageVersion, asset: Asset },
    Offered { repository: Arc<Repository>, connection: ExternalConnection, promise: Arc<Promise>, asset: PromisedAsset },
}

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'w> {
    /// The repository that was asked.
    pub(super) start: &'w Arc<Repository>,
    pub(super) key: &'w PackageKey,
    pub(super) version: &'w VersionText,
    /// Any of them if none is named.
    pub(super) asset: Option<&'w AssetName>,
}

impl Wanted<'_> {
    fn resource(&self) -> (ResourceType, String) {
        match self.asset {
            Some(asset) => (ResourceType::Asset, asset.to_string()),
            None => (ResourceType::PackageVersion, self.version.to_string()),
        }
    }

    /// Nobody has it.
    pub(super) fn missing(&self) -> Error {
        let Self { start, key, version, asset } = self;
        let (resource_type, id) = self.resource();
        let what = asset.map_or_else(String::new, |asset| format!("asset '{asset}' of "));
        let message = format!("{what}'{key}' version '{version}' is not available in repository '{}'", start.name);
        Error::not_found(resource_type, id, message)
    }

    /// A rule hides it.
    fn hidden(&self, refusal: Refusal) -> Error {
        let (resource_type, id) = self.resource();
        Error::hidden(resource_type, id, refusal)
    }

    /// Nobody has it who may be asked: a rule keeps sources out, which might have it.
    fn missing_because(&self, refusal: Refusal) -> Error {
        let mut error = self.missing();
        if let Error::ResourceNotFound { message, refusal: because, .. } = &mut error {
            *message = format!("{message}; {refusal}");
            *because = Some(Box::new(refusal));
        }
        error
    }

    fn matches(&self, name: &AssetName) -> bool {
        self.asset.is_none_or(|asset| asset == name)
    }

    /// The document that promises it.
    fn document(&self, format: &dyn Format) -> Result<PackageKey> {
        match self.asset {
            Some(asset) => Ok(format.promising_document(self.key, self.version, asset)),
            None => match format.dating_document(self.key, self.version) {
                Some(document) => Ok(document),
                // The other formats' documents promise all assets of a version.
                None => {
                    let any = AssetName::new("any").map_err(Error::internal)?;
                    Ok(format.promising_document(self.key, self.version, &any))
                }
            },
        }
    }
}

impl Downloads {
    /// Walks the graph until a repository or registry has the version. A version that is there in a status that hides
    /// it ends the search: nothing further away may stand in for it.
    pub(super) async fn find(
        &self,
        wanted: Wanted<'_>,
        depends_on: &mut Dependencies,
        trace: &mut Trace,
    ) -> Result<Hit> {
        let Wanted { start, key, version, .. } = wanted;
        let cooldowns = &self.views.cooldowns;
        let mut walk = self.views.graph.walk(start, key).await?;
        note_group(&walk, trace);
        let mut failure = None;
        // Once a repository holds the version without this asset, only the version's own origin may add it.
        let mut origin = None;
        let mut refusal = None;
        while let Some(repository) = walk.next().await? {
            let way = walk.way();
            let package = self.views.store.find_package(repository.id, key).await?;
            depends_on.note(repository.id, package.as_ref().map(|package| package.revision));
            let mut found = None;
            if package.is_some() {
                found = self.views.store.find_version(repository.id, key, version).await?;
            }
            note_repository(&repository, package.as_ref(), found.as_ref(), trace);
            if let Some(found) = found {
                let served = found.status.is_downloadable()
                    || found.status == VersionStatus::Unfinished && self.formats.get(key.format())?.serves_unfinished();
                if !served {
                    let refusal = Refusal::status(key, version, &start.name, found.status);
                    return Err(refusal.map_or_else(|| wanted.missing(), |refusal| wanted.hidden(refusal)));
                }
                let rules = cooldowns.rules(&way[..way.len() - 1], key).await?;
                let held = cooldowns.judge_stored(&rules, &found);
                note_rules(&rules, held.as_ref(), trace);
                if let Some(held) = held {
                    refusal.get_or_insert_with(|| held.refusal(key, self.views.clock.now()));
                } else if origin.is_none() || origin.as_ref() == Some(&found.origin) {
                    if let Some(asset) = found.assets.iter().find(|stored| wanted.matches(&stored.name)).cloned() {
                        return Ok(Hit::Stored { repository: repository.id, version: found, asset });
                    }
                    origin = Some(found.origin.clone());
                }
            }
            let upstream = package.map(|package| package.restrictions.upstream);
            let entered = walk.enter(&repository, upstream);
            note_refusal(&repository, &walk, trace);
            let Some(connection) = entered else { continue };
            if origin.as_ref().is_some_and(|origin| *origin != Origin::external(connection)) {
                continue;
            }
            let format = Arc::clone(self.formats.get(key.format())?);
            let document = wanted.document(&*format)?;
            match self.views.indexes.get(repository.id, connection, &document).await {
                Ok(current) => {
                    let rules = cooldowns.rules_at_source(&way, key, walk.group()).await?;
                    let (source, index) = ((repository.id, connection), Arc::clone(&current.index));
                    let gated = cooldowns.gate_index(&rules, source, key, &document, index).await?;
                    let allowed = Arc::clone(&gated.index);
                    if let Some((promise, asset)) = promised(Arc::clone(&format), wanted, allowed).await? {
                        note_connection(connection, ReleaseTime::of(promise.published_at), true, trace);
                        note_rules(&rules, None, trace);
                        return Ok(Hit::Offered { repository, connection, promise: Arc::new(promise), asset });
                    }
                    // Only what would be there without the rule is refused by the rule.
                    let held = match gated.of_version(version) {
                        Some(held) if promised(format, wanted, current.index).await?.is_some() => Some(held),
                        _ => None,
                    };
                    let released = held.as_ref().map_or(ReleaseTime::Unknown, |held| held.released);
                    note_connection(connection, released, held.is_some(), trace);
                    if let Some(held) = held {
                        note_rules(&rules, Some(&held), trace);
                        refusal.get_or_insert_with(|| held.refusal(key, self.views.clock.now()));
                    }
                }
                Err(error @ Error::Upstream { .. }) => {
                    trace.note(|| Step::new("external-connection", connection.name(), error.to_string()));
                    failure = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        if let Some(refusal) = refusal {
            return Err(refusal.into());
        }
        Err(failure.unwrap_or_else(|| match walk.into_refusal() {
            Some(refusal) => wanted.missing_because(refusal),
            None => wanted.missing(),
        }))
    }
}

/// What an index promises of the version and the asset; parsed away from the request threads, since it may be large.
async fn promised(
    format: Arc<dyn Format>,
    wanted: Wanted<'_>,
    index: Arc<StoredIndex>,
) -> Result<Option<(Promise, PromisedAsset)>> {
    if index.body.is_none() {
        return Ok(None);
    }
    let (key, version, asset) = (wanted.key.clone(), wanted.version.clone(), wanted.asset.cloned());
    tokio::task::spawn_blocking(move || {
        let promise = format.promise(&key, &index, &version).map_err(|error| Error::Upstream {
            message: format!("the public registry's index of {key} cannot be read: {error}"),
            retry_after_seconds: None,
        })?;
        Ok(promise.and_then(|promise| {
            let matches = |offered: &&PromisedAsset| asset.as_ref().is_none_or(|asset| *asset == offered.name);
            let asset = promise.assets.iter().find(matches).cloned()?;
            Some((promise, asset))
        }))
    })
    .await
    .map_err(Error::internal)?
}

/// The package's group, and what it says about each way in.
pub(super) fn note_group(walk: &Walk<'_>, trace: &mut Trace) {
    let Some(group) = walk.group() else { return };
    trace.note(|| {
        let lineage = group.lineage();
        let modes = RestrictionType::ALL.map(|way| {
            let effective = lineage.effective(way);
            let inherited = effective.inherited_from().map(|from| format!(" inherited from '{from}'"));
            format!("{}={}{}", way.as_aws(), effective.effective_mode.as_aws(), inherited.unwrap_or_default())
        });
        let association = format!("{:?} match", group.association_type()).to_lowercase();
        let name = lineage.group().pattern.to_string();
        Step::new("package-group", name, format!("{association}; {}", modes.join(", ")))
    });
}

pub(super) fn note_repository(
    repository: &Repository,
    package: Option<&Package>,
    version: Option<&PackageVersion>,
    trace: &mut Trace,
) {
    trace.note(|| {
        let origin = package.map(|package| {
            let publish = if package.restrictions.publish == AllowPublish::Allow { "ALLOW" } else { "BLOCK" };
            let upstream = if package.restrictions.upstream == AllowUpstream::Allow { "ALLOW" } else { "BLOCK" };
            format!("origin configuration publish={publish}, upstream={upstream}")
        });
        let held = version.map(|version| format!("holds the version, {}", version.status.as_str()));
        let found = [
            origin.unwrap_or_else(|| "does not know the package".to_owned()),
            held.unwrap_or_else(|| "does not hold the version".to_owned()),
        ];
        let step = Step::new("repository", repository.name.as_str(), found.join("; "));
        match version.map(|version| version.status) {
            Some(VersionStatus::Archived) => step.refusing(RefusalCode::StatusArchived),
            Some(VersionStatus::Disposed) => step.refusing(RefusalCode::StatusDisposed),
            Some(VersionStatus::Unfinished) => step.refusing(RefusalCode::StatusUnfinished),
            _ => step,
        }
    });
}

fn note_refusal(repository: &Repository, walk: &Walk<'_>, trace: &mut Trace) {
    if let Some(refusal) = walk.refusal() {
        let upstreams = "what comes from beyond this repository";
        trace.note(|| {
            let found = format!("{upstreams}: {}", refusal.sentence());
            Step::new("upstream", repository.name.as_str(), found).refusing(refusal.code())
        });
    }
}

fn note_connection(connection: ExternalConnection, released: ReleaseTime, offers: bool, trace: &mut Trace) {
    trace.note(|| {
        let found = match (offers, released) {
            (false, _) => "does not offer the version".to_owned(),
            (true, ReleaseTime::PublishedAt(at)) => format!("offers the version, published {at}"),
            (true, ReleaseTime::KnownSince(at)) => format!("offers the version, known since {at}"),
            (true, ReleaseTime::Unknown) => "offers the version and does not say when it was published".to_owned(),
        };
        Step::new("external-connection", connection.name(), found)
    });
}

/// Each rule on the age of versions, and which one holds the version back.
fn note_rules(rules: &Rules, held: Option<&Withheld>, trace: &mut Trace) {
    for rule in rules.all() {
        trace.note(|| {
            let age = rule.cooldown.minimum_age().map(|age| format!("versions have to be {} old", spoken(age)));
            let newest = rule.cooldown.newest().map(|newest| format!("nothing published after {newest}"));
            let mut found: Vec<String> = age.into_iter().chain(newest).collect();
            if rule.exempt {
                found.push("the package is exempt".to_owned());
            }
            let decides = held.filter(|held| held.set_by == rule.set_by);
            if let Some(until) = decides.and_then(|held| held.held.until()) {
                found.push(format!("holds the version back until {until}"));
            } else if decides.is_some() {
                found.push("holds the version back".to_owned());
            }
            let step = Step::new("cooldown", rule.set_by.to_string(), found.join("; "));
            match decides {
                Some(held) => step.refusing(held.held.code()),
                None => step,
            }
        });
    }
}
