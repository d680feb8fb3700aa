//! The text of documents.

use std::collections::HashSet;

use larder_core::model::{PackageKey, VersionId};
use serde_json::value::RawValue;

use super::merge::{Merged, Root, Version};
use crate::json::{Members, ObjectWriter};
use crate::names;
use crate::packument::has_install_script;

/// What the short form keeps of a manifest (protocols 1.2); `hasInstallScript` is computed.
const ABBREVIATED_FIELDS: [&str; 19] = [
    "name",
    "version",
    "deprecated",
    "dependencies",
    "optionalDependencies",
    "devDependencies",
    "bundleDependencies",
    "peerDependencies",
    "peerDependenciesMeta",
    "acceptDependencies",
    "bin",
    "directories",
    "dist",
    "engines",
    "_hasShrinkwrap",
    "funding",
    "cpu",
    "os",
    "libc",
];
/// What pnpm reads beyond that.
const TRUST_FIELD: &str = "_npmUser";

/// What the document's root takes from the manifest of `latest`.
const ROOT_FIELDS: [&str; 10] = [
    "description",
    "maintainers",
    "contributors",
    "author",
    "repository",
    "homepage",
    "bugs",
    "license",
    "keywords",
    "readmeFilename",
];

/// Written by [`full`] itself.
const OWN_ROOT_FIELDS: [&str; 5] = ["_id", "_rev", "name", "_attachments", "_revisions"];

/// Where the package's files are.
pub(super) struct Addresses<'a> {
    key: &'a PackageKey,
    tarballs: String,
    attestations: String,
}

impl<'a> Addresses<'a> {
    pub(super) fn new(base: &str, key: &'a PackageKey, name: &str) -> Self {
        Self {
            key,
            tarballs: format!("{base}/{name}/-/"),
            attestations: format!("{base}/-/npm/v1/attestations/{name}@"),
        }
    }
}

/// The full document.
pub(super) fn full(
    out: &mut Vec<u8>,
    merged: &Merged<'_>,
    addresses: &Addresses<'_>,
    readme: &dyn Fn(VersionId) -> Option<String>,
) {
    let mut document = ObjectWriter::new(out);
    document.string("_id", &merged.name);
    document.string("_rev", &merged.revision);
    document.string("name", &merged.name);
    super::write_tags(document.value("dist-tags"), merged);
    let mut versions = ObjectWriter::new(document.value("versions"));
    for version in &merged.versions {
        write_manifest(versions.value(&version.number), &version.manifest, addresses, &version.number);
    }
    versions.end();
    write_time(document.value("time"), merged);
    match &merged.root {
        Root::Registry(members) => {
            let mut written: HashSet<&str> = OWN_ROOT_FIELDS.into();
            for (name, value) in members.iter() {
                if written.insert(name) {
                    document.raw(name, value.get());
                }
            }
        }
        Root::Latest => {
            if let Some(latest) = merged.resolve("latest") {
                write_root_of(&mut document, latest, readme);
            }
        }
    }
    document.end();
}

fn write_root_of(document: &mut ObjectWriter<'_>, latest: &Version<'_>, readme: &dyn Fn(VersionId) -> Option<String>) {
    for name in ROOT_FIELDS {
        if let Some(value) = latest.manifest.get(name) {
            document.raw(name, value.get());
        }
    }
    if let Some(readme) = latest.stored.and_then(readme) {
        document.string("readme", &readme);
    }
}

/// The short form. `time` is not in the public registry's, but allowed: it saves clients that look at ages a second,
/// full document.
pub(super) fn abbreviated(out: &mut Vec<u8>, merged: &Merged<'_>, addresses: &Addresses<'_>) {
    let mut document = ObjectWriter::new(out);
    document.string("name", &merged.name);
    document.string("modified", &merged.modified.rfc3339());
    super::write_tags(document.value("dist-tags"), merged);
    let mut versions = ObjectWriter::new(document.value("versions"));
    for version in &merged.versions {
        let mut manifest = ObjectWriter::new(versions.value(&version.number));
        for (name, value) in version.manifest.iter() {
            let is_kept = ABBREVIATED_FIELDS.contains(&name) || name == TRUST_FIELD;
            if is_kept && !(name.ends_with("ependencies") && value.get() == "{}") {
                write_field(&mut manifest, name, value, addresses, &version.number);
            }
        }
        if has_install_script(&version.manifest) {
            manifest.raw("hasInstallScript", "true");
        }
        manifest.end();
    }
    versions.end();
    write_time(document.value("time"), merged);
    document.end();
}

/// One manifest: everything as it is but the addresses of files.
pub(super) fn write_manifest(out: &mut Vec<u8>, manifest: &Members<'_>, addresses: &Addresses<'_>, number: &str) {
    let mut object = ObjectWriter::new(out);
    for (name, value) in manifest.iter() {
        write_field(&mut object, name, value, addresses, number);
    }
    object.end();
}

fn write_field(object: &mut ObjectWriter<'_>, name: &str, value: &RawValue, addresses: &Addresses<'_>, number: &str) {
    match name {
        "dist" => match Members::of(value) {
            Some(dist) => write_dist(object.value(name), &dist, addresses, number),
            None => write_dist(object.value(name), &Members::default(), addresses, number),
        },
        // Present but empty, old clients print an empty warning.
        "deprecated" if !is_deprecation(value) => {}
        _ => object.raw(name, value.get()),
    }
}

/// Whether the value deprecates.
fn is_deprecation(value: &RawValue) -> bool {
    !matches!(value.get(), "\"\"" | "false" | "null")
}

fn write_dist(out: &mut Vec<u8>, dist: &Members<'_>, addresses: &Addresses<'_>, number: &str) {
    let mut object = ObjectWriter::new(out);
    for (name, value) in dist.iter() {
        match name {
            "tarball" => {}
            "attestations" => match Members::of(value) {
                Some(attestations) => write_attestations(object.value(name), &attestations, addresses, number),
                None => object.raw(name, value.get()),
            },
            _ => object.raw(name, value.get()),
        }
    }
    let file = names::tarball_file(addresses.key, number);
    object.string("tarball", &format!("{}{file}", addresses.tarballs));
    object.end();
}

fn write_attestations(out: &mut Vec<u8>, attestations: &Members<'_>, addresses: &Addresses<'_>, number: &str) {
    let mut object = ObjectWriter::new(out);
    for (name, value) in attestations.iter() {
        if name == "url" {
            object.string(name, &format!("{}{number}", addresses.attestations));
        } else {
            object.raw(name, value.get());
        }
    }
    object.end();
}

fn write_time(out: &mut Vec<u8>, merged: &Merged<'_>) {
    let mut time = ObjectWriter::new(out);
    time.string("created", &merged.created.rfc3339());
    time.string("modified", &merged.modified.rfc3339());
    for (number, moment) in &merged.past {
        time.raw(number, &moment.json());
    }
    for version in &merged.versions {
        if let Some(moment) = &version.published {
            time.raw(&version.number, &moment.json());
        }
    }
    time.end();
}
