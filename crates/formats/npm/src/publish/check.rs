//! The checks of a publish (protocols 1.4, 1.10, 1.13) and the manifest that is kept of it. Blocking, pure but for
//! reading the staged tarball.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use larder_core::error::{Error, Invalid, Result};
use larder_core::model::{Digests, HashAlgorithm, PackageKey, TagUpdate, VersionDetails, VersionText};
use larder_core::ports::StagedBlob;

use super::body::Tarball;
use super::scanner::{DEPTH_LIMIT, is_bundle};
use crate::archive::{self, Contents};
use crate::json::{self, Members, ObjectWriter};
use crate::packument::has_install_script;
use crate::wire::PackageBody;
use crate::{attestations, details, external, names};

/// A publish that may be stored.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) display_name: String,
    pub(crate) version: VersionText,
    pub(crate) metadata: Bytes,
    pub(crate) details: VersionDetails,
    pub(crate) tags: Vec<TagUpdate>,
    pub(crate) tarball: StagedBlob,
    pub(crate) bundle: Option<Bytes>,
}

/// Checks a whole publish. `is_new_package`: this repository has no package of the name, so that the rules for new names
/// hold. `publisher` goes into the manifest.
///
/// # Errors
/// [`Error::Validation`] naming the part of the body that is wrong.
pub(crate) fn check(
    key: &PackageKey,
    text: &[u8],
    tarball: Tarball,
    publisher: &str,
    is_new_package: bool,
) -> Result<Checked> {
    let body: PackageBody<'_> = serde_json::from_slice(text)
        .map_err(|error| Error::validation("body", format!("the body is not a publish document: {error}")))?;
    let display_name = names::display_name(key);
    if is_new_package {
        names::check_new_name(&display_name).map_err(|error| error.in_field("name"))?;
    }
    check_names(&body, &display_name)?;
    let (number, manifest) = only_version(&body)?;
    check_manifest(&manifest, &display_name, number)?;
    let version = names::coordinate(number).map_err(|error| error.in_field("versions"))?;

    let digests = &tarball.staged.digests;
    check_attachments(&body, &tarball)?;
    let promised = manifest.get("dist").and_then(Members::of).unwrap_or_default();
    external::promised_digests(&promised).and_then(|promised| promised.check(digests)).map_err(|error| {
        Invalid::new(format!("the tarball is not what its manifest says: {error}")).in_field("dist")
    })?;
    let contents = archive::read(&tarball.staged).map_err(|error| error.in_field("_attachments"))?;
    check_package_json(&contents.package_json, &display_name, number)?;

    let bundle = body.attachments.as_ref().and_then(|all| all.iter().find(|(name, _)| is_bundle(name)));
    let bundle = bundle.and_then(|(_, attachment)| attachment.data.as_deref());
    let predicate_type = bundle
        .map(|bundle| attestations::check_bundle(bundle, &display_name, number, &digests.sha512))
        .transpose()
        .map_err(|error| error.in_field("_attachments"))?;

    let tags = tag_updates(&body, number)?;
    let mut details = details::details(&manifest, display_name.clone());
    details.readme = readme(&body, &manifest, &contents);
    let metadata = stored_manifest(&manifest, digests, &contents, publisher, predicate_type.as_deref());
    Ok(Checked {
        display_name,
        version,
        metadata: metadata.into(),
        details,
        tags,
        tarball: tarball.staged,
        bundle: bundle.map(|text| Bytes::copy_from_slice(text.as_bytes())),
    })
}

fn check_names(body: &PackageBody<'_>, wanted: &str) -> Result<()> {
    let Some(name) = body.name.as_deref() else {
        return Err(Error::validation("name", "the body has no name"));
    };
    for (field, found) in [("name", Some(name)), ("_id", body.id.as_deref())] {
        if let Some(found) = found.filter(|found| *found != wanted) {
            let message = format!("the path names the package '{wanted}', the body's {field} is '{found}'");
            return Err(Error::validation(field, message));
        }
    }
    Ok(())
}

fn only_version<'b>(body: &'b PackageBody<'_>) -> Result<(&'b str, Members<'b>)> {
    let versions = body.versions.as_ref().map(|versions| &versions.0[..]).unwrap_or_default();
    let [(number, manifest)] = versions else {
        let message = format!("a publish has one version, this one has {}", versions.len());
        return Err(Error::validation("versions", message));
    };
    names::strict_version(number).map_err(|error| error.in_field("versions"))?;
    let manifest = Members::of(manifest)
        .ok_or_else(|| Error::validation("versions", format!("the manifest of version '{number}' is not an object")))?;
    Ok((number, manifest))
}

fn check_manifest(manifest: &Members<'_>, name: &str, number: &str) -> Result<()> {
    for (field, wanted) in [("name", name), ("version", number)] {
        if manifest.text(field).as_deref() != Some(wanted) {
            let message = format!("the manifest under versions['{number}'] must have the {field} '{wanted}'");
            return Err(Error::validation("versions", message));
        }
    }
    Ok(())
}

fn check_attachments(body: &PackageBody<'_>, tarball: &Tarball) -> Result<()> {
    let attachments = body.attachments.iter().flatten();
    for (name, attachment) in attachments {
        if *name == tarball.name {
            let size_bytes = tarball.staged.digests.size_bytes;
            if let Some(length) = attachment.length.filter(|length| *length != size_bytes) {
                let message = format!("the attachment '{name}' says {length} bytes and has {size_bytes}");
                return Err(Error::validation("_attachments", message));
            }
        } else if !is_bundle(name) {
            let message = format!("the attachment '{name}' has no data, and a publish has one tarball");
            return Err(Error::validation("_attachments", message));
        } else if attachment.data.is_none() {
            return Err(Error::validation("_attachments", format!("the attachment '{name}' has no data")));
        }
    }
    Ok(())
}

/// The manifest that clients resolve with and the one that they unpack must name the same package.
fn check_package_json(text: &[u8], name: &str, number: &str) -> Result<()> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let refuse = |message: String| Err(Error::validation("_attachments", message));
    let Some(manifest) = Members::parse(text) else {
        return refuse("the package.json in the tarball is not a JSON object".to_owned());
    };
    if json::is_deeper_than(text, DEPTH_LIMIT) {
        return refuse(format!("the package.json in the tarball is nested more than {DEPTH_LIMIT} levels deep"));
    }
    if manifest.text("name").as_deref() != Some(name) {
        let found = manifest.get("name").map_or("missing", |value| value.get());
        return refuse(format!("the name in the tarball's package.json is {found:.100}, not '{name}'"));
    }
    // npm cleans `v1.0.0` and `=1.0.0` before it publishes, and leaves out build metadata.
    let found = manifest.text("version").unwrap_or_default();
    let cleaned = found.trim().trim_start_matches(['=', 'v', ' ']);
    if names::without_build(cleaned) != names::without_build(number) {
        return refuse(format!("the version in the tarball's package.json is '{found:.100}', not '{number}'"));
    }
    Ok(())
}

/// Tags of the body, and `latest` if the package has none yet.
fn tag_updates(body: &PackageBody<'_>, number: &str) -> Result<Vec<TagUpdate>> {
    let mut updates = Vec::new();
    for (tag, version) in body.tags.iter().flat_map(Members::iter) {
        names::check_tag(tag).map_err(|error| error.in_field("dist-tags"))?;
        if json::text(version).as_deref() != Some(number) {
            let message = format!("the tag '{tag}' must point to the published version '{number}'");
            return Err(Error::validation("dist-tags", message));
        }
        updates.push(TagUpdate { tag: tag.to_owned(), only_if_absent: false });
    }
    if !updates.iter().any(|update| update.tag == "latest") {
        updates.push(TagUpdate { tag: "latest".to_owned(), only_if_absent: true });
    }
    Ok(updates)
}

fn readme(body: &PackageBody<'_>, manifest: &Members<'_>, contents: &Contents) -> Option<String> {
    let sent = || {
        let text = body.readme.and_then(json::text).or_else(|| manifest.text("readme"))?;
        // What old clients send instead of nothing.
        (!text.is_empty() && !text.starts_with("ERROR: No README")).then(|| text.into_owned())
    };
    contents.readme.clone().or_else(sent)
}

/// The manifest as it is kept: what the client sent, with what only the registry may say.
fn stored_manifest(
    manifest: &Members<'_>,
    digests: &Digests,
    contents: &Contents,
    publisher: &str,
    predicate_type: Option<&str>,
) -> Vec<u8> {
    /// Written below, or kept elsewhere.
    const OWN_FIELDS: [&str; 8] = [
        "dist",
        "readme",
        "readmeFilename",
        "_attachments",
        "_hasShrinkwrap",
        "hasInstallScript",
        "_npmUser",
        "maintainers",
    ];
    let mut out = Vec::new();
    let mut object = ObjectWriter::new(&mut out);
    for (name, value) in manifest.iter().filter(|(name, _)| !OWN_FIELDS.contains(name)) {
        object.raw(name, value.get());
    }
    if let Some(name) = &contents.readme_name {
        object.string("readmeFilename", name);
    }
    object.raw("_hasShrinkwrap", if contents.has_shrinkwrap { "true" } else { "false" });
    let has_script = has_install_script(&Members(
        manifest.0.iter().filter(|(name, _)| name != "hasInstallScript").cloned().collect(),
    ));
    if has_script || contents.has_binding_gyp {
        object.raw("hasInstallScript", "true");
    }
    let mut user = Vec::new();
    let mut person = ObjectWriter::new(&mut user);
    person.string("name", publisher);
    person.end();
    let user = String::from_utf8_lossy(&user);
    object.raw("_npmUser", &user);
    object.raw("maintainers", &format!("[{user}]"));
    write_dist(object.value("dist"), digests, contents, predicate_type);
    object.end();
    out
}

fn write_dist(out: &mut Vec<u8>, digests: &Digests, contents: &Contents, predicate_type: Option<&str>) {
    let mut dist = ObjectWriter::new(out);
    dist.string("integrity", &format!("sha512-{}", STANDARD.encode(digests.sha512)));
    dist.string("shasum", &digests.hex(HashAlgorithm::Sha1));
    dist.raw("fileCount", &contents.file_count.to_string());
    dist.raw("unpackedSize", &contents.unpacked_size_bytes.to_string());
    if let Some(predicate_type) = predicate_type {
        let mut attestations = ObjectWriter::new(dist.value("attestations"));
        // The address is put in when the document is rendered.
        attestations.string("url", "");
        let mut provenance = ObjectWriter::new(attestations.value("provenance"));
        provenance.string("predicateType", predicate_type);
        provenance.end();
        attestations.end();
    }
    dist.end();
}
