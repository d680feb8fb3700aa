//! The HTML form of the simple index (PEP 503 and its data attributes).

use std::collections::BTreeMap;

use html5gum::{HtmlString, StartTag, Token, Tokenizer};
use larder_core::error::Invalid;

use super::{RegistryPage, assemble, check_api_version, core_metadata_attribute, file_name_of_url, hash_pair};
use crate::wire::{CoreMetadataHash, FileEntry, ProjectStatus, Yanked};

pub(super) fn read(project: &str, body: &[u8]) -> Result<RegistryPage, Invalid> {
    let Entries { is_declared, status, files } = Entries::read(body)?;
    let page = assemble(project, status, &[], files);
    if !is_declared && page.releases.is_empty() {
        return Err(Invalid::new("the page lists no file of this project and does not say that it is a simple index"));
    }
    Ok(page)
}

/// The status and the files of a page that was read before.
///
/// # Errors
/// As [`read`].
pub(super) fn entries(body: &[u8]) -> Result<(Option<ProjectStatus>, Vec<FileEntry>), Invalid> {
    Entries::read(body).map(|Entries { status, files, .. }| (status, files))
}

/// What a page lists.
struct Entries {
    /// It says itself that it is a simple index.
    is_declared: bool,
    status: Option<ProjectStatus>,
    files: Vec<FileEntry>,
}

impl Entries {
    fn read(body: &[u8]) -> Result<Self, Invalid> {
        let text = std::str::from_utf8(body).map_err(|_| Invalid::new("the page is not UTF-8"))?;
        let mut is_declared = false;
        let mut status: Option<ProjectStatus> = None;
        let mut reason = None;
        let mut files = Vec::new();
        for token in Tokenizer::new(text) {
            let Ok(Token::StartTag(tag)) = token else { continue };
            match &tag.name[..] {
                b"form" | b"input" => return Err(Invalid::new("the page has a form: it is no simple index")),
                b"meta" => match attribute(&tag, b"name").as_deref() {
                    Some("pypi:repository-version") => {
                        check_api_version(&attribute(&tag, b"content").unwrap_or_default())?;
                        is_declared = true;
                    }
                    Some("pypi:project-status") => {
                        status = attribute(&tag, b"content").map(|status| ProjectStatus { status, reason: None });
                    }
                    Some("pypi:project-status-reason") => reason = attribute(&tag, b"content"),
                    _ => {}
                },
                b"a" => files.extend(anchor(&tag)),
                _ => {}
            }
        }
        if let Some(status) = &mut status {
            status.reason = reason;
        }
        Ok(Self { is_declared, status, files })
    }
}

fn anchor(tag: &StartTag<()>) -> Option<FileEntry> {
    let href = attribute(tag, b"href")?;
    let (url, fragment) = href.split_once('#').unwrap_or((&href, ""));
    let core_metadata =
        |name: &[u8]| attribute(tag, name).map_or(CoreMetadataHash::default(), |value| core_metadata_attribute(&value));
    Some(FileEntry {
        filename: file_name_of_url(url)?,
        url: url.trim().to_owned(),
        hashes: fragment.split('&').filter_map(hash_pair).collect::<BTreeMap<_, _>>(),
        requires_python: attribute(tag, b"data-requires-python"),
        yanked: attribute(tag, b"data-yanked").map_or(Yanked::default(), Yanked::Reason),
        core_metadata: core_metadata(b"data-core-metadata"),
        dist_info_metadata: core_metadata(b"data-dist-info-metadata"),
        gpg_sig: attribute(tag, b"data-gpg-sig").map(|value| value == "true"),
        provenance: attribute(tag, b"data-provenance"),
        // Not part of the HTML form: absent, not guessed.
        size: None,
        upload_time: None,
    })
}

fn attribute(tag: &StartTag<()>, name: &[u8]) -> Option<String> {
    let value: &HtmlString = tag.attributes.get(name)?;
    Some(String::from_utf8_lossy(value).into_owned())
}
