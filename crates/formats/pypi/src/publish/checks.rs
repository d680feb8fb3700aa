//! What an upload is refused for before its archive is read (protocol reference 2.12).

use http::StatusCode;
use larder_core::Error;
use larder_core::access::{Allowed, PackageTarget};
use larder_core::error::{ConflictKind, ResourceType};
use larder_core::model::{AssetKind, AssetName, HashAlgorithm, OriginType, PackageKey, PackageVersion, VersionText};
use larder_core::ports::StagedBlob;

use super::form::Form;
use crate::error::PypiError;
use crate::names::{Distribution, DistributionKind, Release, normalize_version, printable, project_key};

pub(super) fn no_content() -> PypiError {
    PypiError::bad_request("the form has no 'content' part with the distribution file")
}

/// What the form says, checked.
pub(super) struct Checked {
    pub(super) key: PackageKey,
    pub(super) version: VersionText,
    pub(super) distribution: Distribution,
    pub(super) file_name: AssetName,
}

pub(super) fn check_form(form: &Form) -> Result<Checked, PypiError> {
    match form.single(":action")? {
        Some("file_upload") => {}
        Some("submit") => {
            let message = "registering a project first is not needed; upload its files";
            return Err(PypiError::new(StatusCode::GONE, message));
        }
        Some(other) => {
            return Err(PypiError::bad_request(format!(":action '{}' is not offered", printable(other))));
        }
        None => return Err(PypiError::bad_request("the form has no ':action'; it must be 'file_upload'")),
    }
    if form.single("protocol_version")? != Some("1") {
        return Err(PypiError::bad_request("protocol_version must be 1"));
    }
    let content = form.content.as_ref().ok_or_else(no_content)?;
    let name = form.single("name")?.ok_or_else(|| PypiError::bad_request("the form has no 'name'"))?;
    let version = form.single("version")?.ok_or_else(|| PypiError::bad_request("the form has no 'version'"))?;
    let key = project_key(name)?;
    let version = normalize_version(version)?;
    let distribution = Distribution::parse(&content.file_name, name)?;
    if normalize_version(&distribution.version)?.as_str() != version.as_str()
        && Release::of(&distribution.version) != Release::of(version.as_str())
    {
        return Err(PypiError::bad_request(format!(
            "file name '{}' is of version '{}', not of '{version}'",
            content.file_name, distribution.version
        )));
    }
    check_file_type(form, &distribution)?;
    Ok(Checked { key, version, distribution, file_name: AssetName::new(content.file_name.clone())? })
}

fn check_file_type(form: &Form, distribution: &Distribution) -> Result<(), PypiError> {
    let expected = distribution.kind.file_type();
    match form.single("filetype")? {
        Some(file_type) if file_type == expected => {}
        Some(other) => {
            return Err(PypiError::bad_request(format!(
                "filetype '{}' does not fit the file, which is a {expected}; only sdist and bdist_wheel are accepted",
                printable(other)
            )));
        }
        None => return Err(PypiError::bad_request("the form has no 'filetype'")),
    }
    let python = form.single("pyversion")?;
    if distribution.kind != DistributionKind::Wheel && python.is_some_and(|python| python != "source") {
        return Err(PypiError::bad_request("pyversion of a source distribution must be 'source'"));
    }
    Ok(())
}

/// Compares the digests that the client sent, hexadecimal of either case; uv and twine differ in which they send.
pub(super) fn check_digests(form: &Form, staged: &StagedBlob) -> Result<(), PypiError> {
    for (field, actual) in [
        ("md5_digest", staged.digests.hex(HashAlgorithm::Md5)),
        ("sha256_digest", staged.digests.hex(HashAlgorithm::Sha256)),
        ("blake2_256_digest", hex::encode(staged.blake2b_256)),
    ] {
        let Some(promised) = form.single(field)? else { continue };
        if hex::decode(promised).map_or(true, |bytes| bytes.len() * 2 != actual.len()) {
            return Err(PypiError::bad_request(format!("{field} is not a hexadecimal digest")));
        }
        if !promised.eq_ignore_ascii_case(&actual) {
            return Err(PypiError::bad_request(format!(
                "{field} does not match the file: sent {promised}, received {actual}"
            )));
        }
    }
    Ok(())
}

/// Whether this very file was published here before.
///
/// # Errors
/// 400 when the name is taken by other bytes.
pub(super) fn is_repeated(
    allowed: &Allowed<PackageTarget>,
    stored: Option<&PackageVersion>,
    file_name: &AssetName,
    staged: &StagedBlob,
) -> Result<bool, Error> {
    let Some(stored) = stored else { return Ok(false) };
    if stored.origin.origin_type() != OriginType::Internal || !stored.status.is_downloadable() {
        // Origin controls and the status decide.
        return Ok(false);
    }
    let Some(asset) = stored.assets.iter().find(|asset| asset.name == *file_name) else { return Ok(false) };
    if asset.digests.sha256 == staged.digests.sha256 {
        return Ok(true);
    }
    Err(Error::conflict(
        ConflictKind::OtherBytes,
        ResourceType::Asset,
        file_name.as_str(),
        format!(
            "'{file_name}' is in repository '{}' with other bytes; publish a new version, or delete this one first",
            allowed.target().repository.name
        ),
    ))
}

/// A release has one source distribution.
pub(super) fn check_only_sdist(
    stored: &PackageVersion,
    distribution: &Distribution,
    file_name: &AssetName,
) -> Result<(), PypiError> {
    let is_sdist = |name: &str| DistributionKind::of(name).is_some_and(|kind| kind != DistributionKind::Wheel);
    if distribution.kind == DistributionKind::Wheel {
        return Ok(());
    }
    let others = stored.assets.iter().filter(|asset| asset.kind == AssetKind::Asset && asset.name != *file_name);
    match others.map(|asset| asset.name.as_str()).find(|name| is_sdist(name)) {
        Some(other) => Err(PypiError::bad_request(format!(
            "version '{}' has a source distribution already: {other}",
            stored.version
        ))),
        None => Ok(()),
    }
}
