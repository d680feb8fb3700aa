//! What core has to know of RubyGems: names, versions, and how the public registry is read: by its compact index, whose
//! `info/{gem}` promises the SHA-256 of every gem.

use std::cmp::Ordering;
use std::path::Path;

use async_trait::async_trait;
use bytes::Bytes;
use larder_core::error::Invalid;
use larder_core::model::{
    AssetKind, AssetName, ExpectedDigests, PackageFormat, PackageKey, ReleaseTime, Timestamp, VersionDetails,
    VersionText,
};
use larder_core::ports::{Format, Gate, IndexRequest, Inspected, Promise, PromisedAsset, StoredIndex};

use crate::line::{self, Line};
use crate::{archive, asset, marshal, names};

/// The public registry's largest are a few megabytes.
const INFO_LIMIT_BYTES: usize = 32 << 20;
/// The list of all versions of all gems has some 25 MB.
const VERSIONS_LIMIT_BYTES: usize = 128 << 20;

/// The RubyGems format.
#[derive(Debug, Default)]
pub struct RubyFormat;

#[async_trait]
impl Format for RubyFormat {
    fn format(&self) -> PackageFormat {
        PackageFormat::Ruby
    }

    fn package_key(&self, namespace: Option<&str>, name: &str) -> Result<PackageKey, Invalid> {
        // Checks the general rules first: a namespace is refused in AWS's words.
        PackageKey::new(PackageFormat::Ruby, namespace, name)?;
        names::gem_key(name)
    }

    fn version(&self, version: &str) -> Result<VersionText, Invalid> {
        names::version_key(version)
    }

    fn canonical_version(&self, version: &VersionText) -> Option<String> {
        Some(names::canonical_version(version.as_str()))
    }

    fn compare_versions(&self, a: &str, b: &str) -> Ordering {
        names::compare_versions(a, b)
    }

    fn index_request(&self, key: &PackageKey) -> Option<IndexRequest> {
        let (path, limit_bytes) = match key.as_document() {
            Some(document) => (document.to_owned(), VERSIONS_LIMIT_BYTES),
            None => (format!("info/{}", key.name()), INFO_LIMIT_BYTES),
        };
        Some(IndexRequest { path, accept: "text/plain", limit_bytes })
    }

    fn check_index(&self, key: &PackageKey, index: &StoredIndex) -> Result<(), Invalid> {
        let Some(text) = text(index)? else { return Ok(()) };
        if key.as_document().is_some() {
            return check_versions(text);
        }
        if !text.starts_with(line::HEAD) {
            return Err(Invalid::new("it does not begin with '---'"));
        }
        let mut last = None;
        for raw in line::lines(text) {
            last = Some(Line::parse(raw)?);
        }
        // A file that was cut short ends within a line. One that nobody can install is no reason to refuse the others.
        last.map_or(Ok(()), |line| line.sha256().map(drop))
    }

    fn index_versions(&self, _package: &PackageKey, index: &StoredIndex) -> Result<Vec<VersionText>, Invalid> {
        let text = text(index)?.unwrap_or_default();
        line::lines(text).map(|raw| VersionText::new(Line::parse(raw)?.version)).collect()
    }

    fn withhold(
        &self,
        _package: &PackageKey,
        index: &StoredIndex,
        gate: &mut Gate<'_>,
    ) -> Result<Option<StoredIndex>, Invalid> {
        let Some(text) = text(index)? else { return Ok(None) };
        let rest = if text.starts_with(line::HEAD) { without(text, gate)? } else { without_events(text, gate) };
        let Some(rest) = rest else { return Ok(None) };
        Ok(Some(index.with_body(Some(rest).filter(|rest| !rest.is_empty()).map(Bytes::from))))
    }

    fn undated_versions(&self, package: &PackageKey, index: &StoredIndex) -> Result<Vec<VersionText>, Invalid> {
        if package.as_document().is_some() {
            return Ok(Vec::new());
        }
        let mut undated = Vec::new();
        for raw in line::lines(text(index)?.unwrap_or_default()) {
            let line = Line::parse(raw)?;
            if line.created_at().is_none() {
                undated.push(VersionText::new(line.version)?);
            }
        }
        Ok(undated)
    }

    fn promise(
        &self,
        package: &PackageKey,
        index: &StoredIndex,
        version: &VersionText,
    ) -> Result<Option<Promise>, Invalid> {
        for raw in line::lines(text(index)?.unwrap_or_default()) {
            let line = Line::parse(raw)?;
            if line.version == version.as_str() {
                return promise(package.name(), &line, version).map(Some);
            }
        }
        Ok(None)
    }

    fn inspect(&self, asset: &AssetName, archive: &Path) -> Inspected {
        let Some(spec) = archive::inspect(archive) else { return Inspected::default() };
        let name =
            asset.as_str().strip_suffix(".gem").map(|full_name| AssetName::new(format!("{full_name}.gemspec.rz")));
        let sidecars = match (name, marshal::quick(&spec)) {
            (Some(Ok(name)), Ok(quick)) => vec![(name, AssetKind::Sidecar, quick)],
            _ => Vec::new(),
        };
        Inspected { details: spec.details(), sidecars }
    }
}

fn text(index: &StoredIndex) -> Result<Option<&str>, Invalid> {
    let text = index.body.as_deref().map(std::str::from_utf8);
    text.transpose().map_err(|_| Invalid::new("it is not UTF-8"))
}

/// An info file without the versions that do not pass; empty if none does, `None` if all do.
fn without(text: &str, gate: &mut Gate<'_>) -> Result<Option<String>, Invalid> {
    let mut rest = line::HEAD.to_owned();
    let mut all_pass = true;
    for raw in line::lines(text) {
        let line = Line::parse(raw)?;
        if gate(line.version, ReleaseTime::of(line.created_at())) {
            rest.push_str(raw);
            rest.push('\n');
        } else {
            all_pass = false;
        }
    }
    Ok(if all_pass { None } else { Some(if rest.len() > line::HEAD.len() { rest } else { String::new() }) })
}

/// The list of all versions as far as its age is known. Its head says when it was made; until then there was one line for
/// each gem, in order of names. What was appended since has no time and is kept only if the gate lets such pass.
fn without_events(text: &str, gate: &mut Gate<'_>) -> Option<String> {
    let (head, lines) = text.split_once("---\n")?;
    let created_at = head.lines().find_map(|line| Timestamp::parse_rfc3339(line.strip_prefix("created_at:")?.trim()));
    let made = created_at.map_or(ReleaseTime::Unknown, ReleaseTime::KnownSince);
    let name = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    let mut previous = String::new();
    let mut end = 0;
    for line in lines.split_inclusive('\n') {
        let next = name(line);
        if next <= previous {
            break;
        }
        (previous, end) = (next, end + line.len());
    }
    let (listed, appended) = lines.split_at(end);
    let keeps_listed = gate("", made);
    let keeps_appended = appended.is_empty() || gate("", ReleaseTime::Unknown);
    if keeps_listed && keeps_appended {
        return None;
    }
    let kept = [(listed, keeps_listed), (appended, keeps_appended)];
    let kept: String = kept.into_iter().filter(|(_, keeps)| *keeps).map(|(lines, _)| lines).collect();
    Some(format!("{head}---\n{kept}"))
}

/// Checks that a text is the list of all versions.
///
/// # Errors
/// [`Invalid`] naming the first line that is none.
pub(crate) fn check_versions(text: &str) -> Result<(), Invalid> {
    let (_, lines) = text.split_once("---\n").ok_or_else(|| Invalid::new("it has no line '---'"))?;
    let is_event = |line: &&str| {
        let mut parts = line.split(' ');
        let (name, versions, md5, end) = (parts.next(), parts.next(), parts.next(), parts.next());
        name.is_some_and(|name| !name.is_empty())
            && versions.is_some_and(|versions| !versions.is_empty())
            && md5.is_some_and(|md5| md5.len() == 32 && md5.bytes().all(|byte| byte.is_ascii_hexdigit()))
            && end.is_none()
    };
    match lines.lines().find(|line| !line.is_empty() && !is_event(line)) {
        Some(line) => Err(Invalid::new(format!("'{}' is no line of 'versions'", names::printable(line)))),
        None => Ok(()),
    }
}

fn promise(name: &str, line: &Line<'_>, version: &VersionText) -> Result<Promise, Invalid> {
    let file = asset::file_name(name, version.as_str())?;
    Ok(Promise {
        version: version.clone(),
        display_name: name.to_owned(),
        metadata: Bytes::copy_from_slice(line.raw.as_bytes()),
        details: VersionDetails {
            display_name: Some(name.to_owned()),
            dependencies: line.dependencies(),
            ..VersionDetails::default()
        },
        published_at: line.created_at(),
        assets: vec![PromisedAsset {
            // From `info/{gem}`.
            url: format!("../gems/{file}"),
            name: file,
            digests: ExpectedDigests { sha256: Some(line.sha256()?), ..ExpectedDigests::default() },
            metadata: Bytes::new(),
        }],
        tags: Vec::new(),
    })
}
