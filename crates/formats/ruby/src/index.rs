//! Layers of a view → `info/{gem}` (protocols 6.2, 6.7), and the events of `versions` that belong to it.
//!
//! A version is supplied by the first layer that knows it, or hidden by it if its status is not Published. Lines of
//! public registries are relayed as they are, so that a gem that only they have keeps the MD5 that they tell of it.

use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use larder_core::error::{Error, ResourceType};
use larder_core::model::VersionStatus;
use larder_core::services::{Layer, Rendered, View};
use larder_core::{Result, model::PackageKey};
use md5::Md5;
use sha2::{Digest as _, Sha256};

use crate::line::{self, Line};

/// A version that is listed.
pub(crate) struct Listed<'v> {
    pub(crate) line: Line<'v>,
    /// When a repository or, if none has it, the registry published it; in milliseconds, 0 if it does not say.
    at: i64,
}

/// The listed versions of all layers, oldest first as far as a source has an order.
pub(crate) fn merge(layers: &[Layer]) -> Vec<Listed<'_>> {
    let read: Vec<Vec<(&str, Option<Listed<'_>>)>> = layers.iter().map(read_layer).collect();
    let mut suppliers: HashMap<&str, usize> = HashMap::new();
    for (layer, entries) in read.iter().enumerate() {
        for (version, _) in entries {
            suppliers.entry(version).or_insert(layer);
        }
    }
    // The farthest source has the longest history; what it does not have came later.
    let mut order: Vec<&str> = Vec::with_capacity(suppliers.len());
    let mut done = HashSet::with_capacity(suppliers.len());
    for entries in read.iter().rev() {
        order.extend(entries.iter().map(|(version, _)| *version).filter(|version| done.insert(*version)));
    }
    let mut lines: HashMap<&str, Listed<'_>> = HashMap::new();
    for (layer, entries) in read.into_iter().enumerate() {
        for (version, listed) in entries {
            if let (Some(listed), Some(true)) = (listed, suppliers.get(version).map(|supplier| *supplier == layer)) {
                lines.insert(version, listed);
            }
        }
    }
    order.into_iter().filter_map(|version| lines.remove(version)).collect()
}

fn read_layer(layer: &Layer) -> Vec<(&str, Option<Listed<'_>>)> {
    match layer {
        Layer::Hosted { package, .. } => {
            let read = |version: &'_ larder_core::model::PackageVersion| version.published_at.0;
            package
                .versions
                .iter()
                .map(|version| {
                    // A version without a line was published through the API, as somebody's raw file.
                    let line = std::str::from_utf8(&version.metadata).ok().and_then(|raw| Line::parse(raw).ok());
                    let listed = line.filter(|_| version.status == VersionStatus::Published);
                    (version.version.as_str(), listed.map(|line| Listed { line, at: read(version) }))
                })
                .collect()
        }
        // It was checked before it was stored.
        Layer::Registry { index, .. } => {
            let text = index.body.as_deref().and_then(|body| std::str::from_utf8(body).ok()).unwrap_or_default();
            line::lines(text)
                .filter_map(|raw| Line::parse(raw).ok())
                .map(|line| (line.version, Some(Listed { line, at: line.created_at().map_or(0, |at| at.0) })))
                .collect()
        }
    }
}

/// Renders `info/{gem}`.
///
/// # Errors
/// [`Error::ResourceNotFound`] if no version is listed.
pub(crate) fn render(view: &View) -> Result<Rendered> {
    let listed = merge(&view.layers);
    if listed.is_empty() {
        return Err(nothing_listed(&view.key));
    }
    let mut body = line::HEAD.to_owned();
    for listed in &listed {
        body.push_str(listed.line.raw);
        body.push('\n');
    }
    Ok(rendered(body))
}

/// Renders the gem's share of `versions`, as lines `MILLISECONDS VERSIONS MD5`. If its versions came one after the other,
/// there is a line for each with the MD5 that `info` had then: so a publish only ever appends, and the last MD5 is that
/// of `info` as it is.
///
/// # Errors
/// As [`render`].
pub(crate) fn render_events(view: &View) -> Result<Rendered> {
    let listed = merge(&view.layers);
    if listed.is_empty() {
        return Err(nothing_listed(&view.key));
    }
    let in_order = listed.is_sorted_by_key(|listed| listed.at);
    let mut md5 = Md5::new();
    md5.update(line::HEAD);
    let mut body = String::new();
    let mut versions: Vec<&str> = Vec::new();
    for (number, listed_one) in listed.iter().enumerate() {
        md5.update(listed_one.line.raw);
        md5.update("\n");
        versions.push(listed_one.line.version);
        if in_order || number + 1 == listed.len() {
            let at = if in_order { listed_one.at } else { listed.iter().map(|listed| listed.at).max().unwrap_or(0) };
            body.push_str(&format!("{at} {} {}\n", versions.join(","), hex::encode(md5.clone().finalize())));
            versions.clear();
        }
    }
    Ok(Rendered { content_type: "text/plain", body: body.into(), last_modified: None, headers: Vec::new() })
}

/// A text of the compact index with the digests that clients compare it with: the MD5 is its tag, since that is what
/// older Bundlers make of their copy (protocols 6.2).
pub(crate) fn rendered(body: String) -> Rendered {
    let body = Bytes::from(body);
    let sha256 = STANDARD.encode(Sha256::digest(&body));
    Rendered {
        content_type: "text/plain; charset=utf-8",
        last_modified: None,
        headers: vec![
            ("etag", format!("\"{}\"", hex::encode(Md5::digest(&body)))),
            ("repr-digest", format!("sha-256=:{sha256}:")),
            ("digest", format!("sha-256={sha256}")),
        ],
        body,
    }
}

/// Every version of the gem is hidden.
fn nothing_listed(key: &PackageKey) -> Error {
    let message = format!("gem '{}' has no version that is listed", key.name());
    Error::not_found(ResourceType::Package, key.to_string(), message)
}
