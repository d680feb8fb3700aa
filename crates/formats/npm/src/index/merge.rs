//! Many sources → one list of versions, tags and times.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use larder_core::error::Result;
use larder_core::model::{OriginType, PackageVersion, Timestamp, VersionId, VersionStatus};
use larder_core::ports::HostedPackage;
use larder_core::services::Layer;

use super::{Moment, Sources, document_revision, packument_of};
use crate::json::Members;
use crate::names;
use crate::packument::Packument;

/// What all sources together say.
pub(super) struct Merged<'v> {
    pub(super) name: String,
    pub(super) revision: String,
    /// In the order of publication.
    pub(super) versions: Vec<Version<'v>>,
    /// `latest` is among them.
    pub(super) tags: Vec<(String, String)>,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
    /// Times of versions that a registry no longer has.
    pub(super) past: Vec<(Cow<'v, str>, Moment<'v>)>,
    pub(super) root: Root<'v>,
}

/// A version that is listed.
pub(super) struct Version<'v> {
    /// As its manifest spells it, build metadata included.
    pub(super) number: Cow<'v, str>,
    pub(super) manifest: Members<'v>,
    pub(super) published: Option<Moment<'v>>,
    /// If a repository stores it.
    pub(super) stored: Option<VersionId>,
    text_bytes: usize,
}

/// Where the fields of the package itself come from.
pub(super) enum Root<'v> {
    /// The registry's document.
    Registry(Members<'v>),
    /// The manifest of `latest`.
    Latest,
}

/// A source, read as far as merging needs.
enum Source<'v> {
    Hosted(&'v HostedPackage),
    Registry(Packument<'v>),
}

impl<'v> Merged<'v> {
    /// Reads and merges all layers. The first that knows a version supplies it, or hides it.
    pub(super) fn new(sources: &Sources<'v>) -> Result<Self> {
        let mut read = Vec::with_capacity(sources.layers.len());
        for layer in sources.layers {
            match layer {
                Layer::Hosted { package, .. } => read.push(Source::Hosted(package)),
                Layer::Registry { index, .. } => read.extend(packument_of(index)?.map(Source::Registry)),
            }
        }
        let mut seen = HashSet::new();
        let mut versions: Vec<Version<'v>> = Vec::new();
        for source in &read {
            match source {
                Source::Hosted(package) => {
                    let new =
                        package.versions.iter().filter(|version| seen.insert(version.version.as_str().to_owned()));
                    versions.extend(new.filter_map(Version::of_stored));
                }
                Source::Registry(packument) => {
                    let times: HashMap<&str, _> = packument.time.iter().collect();
                    for (number, manifest) in packument.versions.0.iter() {
                        if !seen.insert(names::without_build(number).to_owned()) {
                            continue;
                        }
                        let Some(members) = Members::of(manifest) else { continue };
                        versions.push(Version {
                            published: times.get(&**number).map(|time| Moment::Text(time.get())),
                            number: number.clone(),
                            manifest: members,
                            stored: None,
                            text_bytes: manifest.get().len(),
                        });
                    }
                }
            }
        }
        if read.len() > 1 {
            versions.sort_by_cached_key(|version| version.published.as_ref().and_then(Moment::timestamp));
        }
        let tags = merge_tags(&read, &versions, sources.upstream_tags_win);
        let (created, modified) = span(&read, &versions);
        let latest = tags.iter().find(|(tag, _)| tag == "latest").map(|(_, version)| version.as_str());
        let root = read.iter().find_map(|source| match source {
            Source::Registry(packument) if latest.is_some_and(|latest| packument.find(latest).is_some()) => {
                Some(Root::Registry(packument.root.clone()))
            }
            _ => None,
        });
        let past = past_times(&read, &seen);
        Ok(Self {
            name: names::display_name(sources.key),
            revision: document_revision(sources.own().map(|own| &own.package)),
            versions,
            tags,
            created,
            modified,
            past,
            root: root.unwrap_or(Root::Latest),
        })
    }

    /// About how long the full document is.
    pub(super) fn text_bytes(&self) -> usize {
        self.versions.iter().map(|version| version.text_bytes + 64).sum()
    }

    /// The version that has this number or tag.
    pub(super) fn resolve(&self, wanted: &str) -> Option<&Version<'v>> {
        let tagged = self.tags.iter().find(|(tag, _)| tag == wanted).map(|(_, version)| version.as_str());
        let number = names::without_build(tagged.unwrap_or(wanted));
        self.versions.iter().find(|version| names::without_build(&version.number) == number)
    }
}

impl<'v> Version<'v> {
    /// `None` for one that is not listed: only Published ones are.
    fn of_stored(version: &'v PackageVersion) -> Option<Self> {
        if version.status != VersionStatus::Published {
            return None;
        }
        let manifest = Members::parse(&version.metadata)?;
        let number = manifest.text("version").filter(|number| names::without_build(number) == version.version.as_str());
        Some(Self {
            number: number.unwrap_or(Cow::Borrowed(version.version.as_str())),
            manifest,
            published: Some(Moment::At(version.source_published_at.unwrap_or(version.published_at))),
            stored: Some(version.id),
            text_bytes: version.metadata.len(),
        })
    }
}

/// The union of all tags that point to a listed version; the nearest source's counts unless the option says otherwise.
fn merge_tags(read: &[Source<'_>], versions: &[Version<'_>], upstream_wins: bool) -> Vec<(String, String)> {
    let numbers: HashMap<&str, &str> =
        versions.iter().map(|version| (names::without_build(&version.number), &*version.number)).collect();
    let mut tags: Vec<(String, String)> = Vec::new();
    let mut known = HashSet::new();
    let mut add = |tag: &str, version: &str| {
        let Some(number) = numbers.get(names::without_build(version)) else { return };
        if known.insert(tag.to_owned()) {
            tags.push((tag.to_owned(), (*number).to_owned()));
        }
    };
    let mut visit = |source: &Source<'_>| match source {
        Source::Hosted(package) => package.package.tags.iter().for_each(|(tag, version)| add(tag, version)),
        Source::Registry(packument) => packument.tags().for_each(|(tag, version)| add(tag, &version)),
    };
    if upstream_wins {
        read.iter().rev().for_each(&mut visit);
    } else {
        read.iter().for_each(&mut visit);
    }
    if !known.contains("latest")
        && let Some(highest) = names::highest(versions.iter().map(|version| &*version.number))
    {
        tags.insert(0, ("latest".to_owned(), highest.to_owned()));
    }
    tags
}

/// When the package came to be and when it last changed in a way that a client sees. A copy that was merely retained
/// here changes nothing.
fn span(read: &[Source<'_>], versions: &[Version<'_>]) -> (Timestamp, Timestamp) {
    let mut earliest: Option<Timestamp> = None;
    let mut newest: Option<Timestamp> = None;
    let mut note = |at: Timestamp| {
        earliest = Some(earliest.map_or(at, |known| known.min(at)));
        newest = Some(newest.map_or(at, |known| known.max(at)));
    };
    versions.iter().filter_map(|version| version.published.as_ref().and_then(Moment::timestamp)).for_each(&mut note);
    for source in read {
        match source {
            Source::Hosted(hosted) => {
                let is_own = |version: &PackageVersion| version.origin.origin_type() == OriginType::Internal;
                if !hosted.package.tags.is_empty() || hosted.versions.iter().any(is_own) {
                    note(hosted.package.updated_at);
                }
            }
            Source::Registry(packument) => {
                let times = ["created", "modified"].iter().filter_map(|name| packument.time.text(name));
                times.filter_map(|text| Timestamp::parse_rfc3339(&text)).for_each(&mut note);
            }
        }
    }
    (earliest.unwrap_or(Timestamp(0)), newest.unwrap_or(Timestamp(0)))
}

fn past_times<'v>(read: &[Source<'v>], seen: &HashSet<String>) -> Vec<(Cow<'v, str>, Moment<'v>)> {
    let mut past: Vec<(Cow<'v, str>, Moment<'v>)> = Vec::new();
    let mut known = HashSet::new();
    for source in read {
        let Source::Registry(packument) = source else { continue };
        for (number, time) in &packument.time.0 {
            let is_version = !matches!(&**number, "created" | "modified" | "unpublished");
            if is_version && !seen.contains(names::without_build(number)) && known.insert(number.clone()) {
                past.push((number.clone(), Moment::Text(time.get())));
            }
        }
    }
    past
}
