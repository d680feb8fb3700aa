//! Layers of a view → the index file (protocols 7.1, 7.5).
//!
//! A version is supplied by the first layer that knows it, or hidden by it if its status is not Published. What a
//! repository holds of somebody else's version is a copy of its line as it was then; where that version's own source is
//! among the layers, its line is taken from there, because yanks happen there.

use std::collections::{HashMap, HashSet};

use bytes::BytesMut;
use larder_core::error::{Error, Invalid, ResourceType};
use larder_core::model::{EntryPoint, PackageVersion, Timestamp, VersionStatus};
use larder_core::services::{Layer, Rendered, View};
use larder_core::{Result, model::PackageKey};

use crate::external;
use crate::line::{self, Head};

/// A version that is listed.
#[derive(Debug, Clone)]
pub(crate) struct Listed<'v> {
    pub(crate) head: Head<'v>,
    /// The line, without its end.
    pub(crate) raw: &'v [u8],
    /// If a repository stores it.
    pub(crate) stored: Option<&'v PackageVersion>,
}

impl Listed<'_> {
    /// When its source published it.
    pub(crate) fn published_at(&self) -> Option<Timestamp> {
        self.head.published_at().or_else(|| {
            let stored = self.stored?;
            match stored.origin.entry_point {
                EntryPoint::Repository(_) => Some(stored.published_at),
                EntryPoint::ExternalConnection(_) => stored.source_published_at,
            }
        })
    }
}

/// What one layer says of a version; no line if it hides it.
struct Entry<'v> {
    key: String,
    listed: Option<Listed<'v>>,
    /// Where the version came from, if the layer is a repository that holds it.
    origin: Option<&'v EntryPoint>,
}

/// The listed versions of all layers, oldest first as far as a source has an order.
///
/// # Errors
/// [`Error::Upstream`] if a registry's index cannot be read.
pub(crate) fn merge(layers: &[Layer]) -> Result<Vec<Listed<'_>>> {
    let read: Vec<(&Layer, Vec<Entry<'_>>)> =
        layers.iter().map(|layer| Ok((layer, read_layer(layer)?))).collect::<Result<_>>()?;
    let mut lines_by_layer: Vec<HashMap<&str, &Listed<'_>>> = Vec::with_capacity(read.len());
    for (_, entries) in &read {
        let lines = entries.iter().filter_map(|entry| Some((&*entry.key, entry.listed.as_ref()?)));
        lines_by_layer.push(lines.collect());
    }
    let mut suppliers: HashMap<&str, Option<Listed<'_>>> = HashMap::new();
    for (layer, entries) in &read {
        for entry in entries {
            if suppliers.contains_key(&*entry.key) {
                continue;
            }
            let mut supplied = entry.listed.clone();
            if let (Some(listed), Some(origin)) = (&mut supplied, entry.origin)
                && let Some(source) = position_of(layers, layer, origin)
                && let Some(current) = lines_by_layer[source].get(&*entry.key)
                && current.head.cksum.eq_ignore_ascii_case(&listed.head.cksum)
            {
                (listed.head, listed.raw) = (current.head.clone(), current.raw);
            }
            suppliers.insert(&entry.key, supplied);
        }
    }
    // The farthest source has the longest history; what it does not have came later.
    let mut listed = Vec::with_capacity(suppliers.len());
    let mut done = HashSet::with_capacity(suppliers.len());
    for (_, entries) in read.iter().rev() {
        for entry in entries {
            if done.insert(&*entry.key) {
                listed.extend(suppliers.get(&*entry.key).cloned().flatten());
            }
        }
    }
    Ok(listed)
}

/// Where among the layers the origin of a version is that `at` holds a copy of.
fn position_of(layers: &[Layer], at: &Layer, origin: &EntryPoint) -> Option<usize> {
    layers.iter().position(|layer| match (layer, origin) {
        (Layer::Registry { connection, .. }, EntryPoint::ExternalConnection(from)) => connection == from,
        (Layer::Hosted { repository, .. }, EntryPoint::Repository(from)) => {
            repository.name == *from && !matches!(at, Layer::Hosted { repository: own, .. } if own.id == repository.id)
        }
        _ => false,
    })
}

fn read_layer(layer: &Layer) -> Result<Vec<Entry<'_>>> {
    match layer {
        Layer::Hosted { package, .. } => Ok(package.versions.iter().map(read_stored).collect()),
        Layer::Registry { index, connection, .. } => {
            let unreadable = |error: Invalid| Error::Upstream {
                message: format!("the index file of {connection} cannot be read: {error}"),
                retry_after_seconds: None,
            };
            let Some(body) = &index.body else { return Ok(Vec::new()) };
            let file = external::StoredFile::parse(body).map_err(unreadable)?;
            let read = |raw| {
                let head = Head::parse(raw).map_err(unreadable)?;
                let key = head.version_key().to_owned();
                Ok(Entry { key, listed: Some(Listed { head, raw, stored: None }), origin: None })
            };
            line::lines(file.lines).map(read).collect()
        }
    }
}

fn read_stored(version: &PackageVersion) -> Entry<'_> {
    let raw = &version.metadata[..];
    let listed = match Head::parse(raw) {
        Ok(head) if version.status == VersionStatus::Published => Some(Listed { head, raw, stored: Some(version) }),
        // A version whose line is not there was published through the API, as somebody's raw file.
        _ => None,
    };
    Entry { key: version.version.as_str().to_owned(), listed, origin: Some(&version.origin.entry_point) }
}

/// Renders the index file.
///
/// # Errors
/// [`Error::ResourceNotFound`] if no version is listed, and as [`merge`].
pub(crate) fn render(view: &View) -> Result<Rendered> {
    let listed = merge(&view.layers)?;
    if listed.is_empty() {
        return Err(nothing_listed(&view.key));
    }
    let mut body = BytesMut::with_capacity(listed.iter().map(|listed| listed.raw.len() + 1).sum());
    for listed in &listed {
        body.extend_from_slice(listed.raw);
        body.extend_from_slice(b"\n");
    }
    Ok(Rendered {
        content_type: "text/plain; charset=utf-8",
        body: body.freeze(),
        last_modified: None,
        headers: Vec::new(),
    })
}

/// Every version of the crate is hidden.
pub(crate) fn nothing_listed(key: &PackageKey) -> Error {
    let message = format!("crate '{}' has no version that is listed", key.name());
    Error::not_found(ResourceType::Package, key.to_string(), message)
}

#[cfg(test)]
mod tests;
