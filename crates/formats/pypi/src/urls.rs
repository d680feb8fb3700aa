//! Addresses of files, in CodeArtifact's shape: `simple/{project}/{version}/{filename}`.

use larder_core::model::{AssetName, VersionText};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but what is unreserved in a path segment, and `!` and `+`, which versions have.
const SEGMENT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'!').remove(b'+');

/// A path segment with everything escaped that needs it.
pub(crate) fn segment(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, SEGMENT)
}

/// A file's address relative to its project's page.
#[must_use]
pub(crate) fn file_from_page(version: &VersionText, file: &AssetName) -> String {
    format!("{}/{}", segment(version.as_str()), segment(file.as_str()))
}

/// A file's absolute address.
#[must_use]
pub(crate) fn file(base: &str, project: &str, version: &VersionText, file: &AssetName) -> String {
    format!("{base}/simple/{project}/{}", file_from_page(version, file))
}

/// The absolute address of a file's provenance object.
#[must_use]
pub(crate) fn provenance(base: &str, project: &str, version: &VersionText, file: &AssetName) -> String {
    format!("{base}/integrity/{project}/{}/provenance", file_from_page(version, file))
}
