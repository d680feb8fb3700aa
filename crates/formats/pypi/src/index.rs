//! A project's page in its JSON and its HTML form (protocol reference 2.3).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use larder_core::Result;
use larder_core::error::Error;
use larder_core::services::Rendered;

use crate::negotiate::Representation;
use crate::project::{Project, ProjectFile};
use crate::urls;
use crate::wire::{API_VERSION, CoreMetadataHash, FileEntry, Meta, ProjectPage, ProjectStatus};

/// Renders the page. `base` is the repository's address as the client sees it; only provenance needs it, files are
/// addressed relative to the page.
///
/// # Errors
/// [`Error::Internal`] if the page cannot be written as JSON.
pub(crate) fn render(project: &Project, form: Representation, base: &str) -> Result<Rendered> {
    let body = match form {
        Representation::Json => serde_json::to_vec(&json_page(project, base)).map_err(Error::internal)?,
        Representation::Html | Representation::TextHtml => html_page(project, base).into_bytes(),
    };
    Ok(Rendered {
        content_type: form.content_type(),
        body: body.into(),
        // A refreshed yank or a removal has no time of its own, so the page has none; clients use the ETag.
        last_modified: None,
        headers: vec![("cache-control", cache_control(project).to_owned()), last_serial(project)],
    })
}

/// What was published here must be seen at once; what only mirrors a public registry is as old as its refresh anyway.
fn cache_control(project: &Project) -> &'static str {
    if project.releases.iter().any(crate::project::ProjectRelease::is_internal) {
        "private, no-cache"
    } else {
        "private, max-age=600"
    }
}

/// The header that mirrors compare.
pub(crate) fn last_serial(project: &Project) -> (&'static str, String) {
    ("x-pypi-last-serial", project.serial.to_string())
}

fn json_page(project: &Project, base: &str) -> ProjectPage {
    ProjectPage {
        // The serial is in a header: the page itself stays the same, and so does its ETag, when nothing but that changes.
        meta: Meta { api_version: API_VERSION.to_owned() },
        name: project.name.clone(),
        versions: project.releases.iter().map(|release| release.version.to_string()).collect(),
        project_status: project.status.clone(),
        files: project.files().map(|file| file_entry(project, file, base)).collect(),
    }
}

fn file_entry(project: &Project, file: &ProjectFile, base: &str) -> FileEntry {
    let core_metadata = file.core_metadata.clone().map_or_else(CoreMetadataHash::default, CoreMetadataHash::sha256);
    FileEntry {
        filename: file.name.to_string(),
        url: urls::file_from_page(&file.version, &file.name),
        hashes: listed_hashes(file),
        requires_python: file.requires_python.clone(),
        size: file.size_bytes,
        upload_time: file.upload_time.clone(),
        yanked: file.yanked.clone(),
        dist_info_metadata: core_metadata.clone(),
        core_metadata,
        gpg_sig: file.gpg_sig,
        provenance: file.has_provenance.then(|| urls::provenance(base, &project.name, &file.version, &file.name)),
    }
}

/// SHA-256 alone where it is known; installers take the strongest anyway, and weaker ones make the page larger.
fn listed_hashes(file: &ProjectFile) -> BTreeMap<String, String> {
    match file.digests.get_key_value("sha256") {
        Some((name, digest)) => BTreeMap::from([(name.clone(), digest.clone())]),
        None => file.digests.clone().into_iter().filter(|(name, _)| name != "blake2b_256").collect(),
    }
}

fn html_page(project: &Project, base: &str) -> String {
    let mut page = html_head(&format!("Links for {}", project.name), project.status.as_ref());
    for file in project.files() {
        let _ = write!(page, "<a href=\"{}", Escaped(&urls::file_from_page(&file.version, &file.name)));
        if let Some((algorithm, digest)) = listed_hashes(file).first_key_value() {
            let _ = write!(page, "#{algorithm}={digest}");
        }
        page.push('"');
        attribute(&mut page, "data-requires-python", file.requires_python.as_deref());
        attribute(&mut page, "data-yanked", file.yanked.reason());
        let core_metadata = file.core_metadata.as_ref().map(|digest| format!("sha256={digest}"));
        attribute(&mut page, "data-core-metadata", core_metadata.as_deref());
        attribute(&mut page, "data-dist-info-metadata", core_metadata.as_deref());
        attribute(&mut page, "data-gpg-sig", file.gpg_sig.map(|signed| if signed { "true" } else { "false" }));
        let provenance = file.has_provenance.then(|| urls::provenance(base, &project.name, &file.version, &file.name));
        attribute(&mut page, "data-provenance", provenance.as_deref());
        let _ = writeln!(page, ">{}</a><br />", Escaped(file.name.as_str()));
    }
    page.push_str("</body>\n</html>\n");
    page
}

/// The beginning of an HTML page, up to and with its heading.
pub(crate) fn html_head(title: &str, status: Option<&ProjectStatus>) -> String {
    let mut head = format!(
        "<!DOCTYPE html>\n<html>\n<head>\n<meta name=\"pypi:repository-version\" content=\"{API_VERSION}\" />\n"
    );
    if let Some(status) = status {
        let _ = writeln!(head, "<meta name=\"pypi:project-status\" content=\"{}\" />", Escaped(&status.status));
        if let Some(reason) = &status.reason {
            let _ = writeln!(head, "<meta name=\"pypi:project-status-reason\" content=\"{}\" />", Escaped(reason));
        }
    }
    let title = Escaped(title);
    let _ = writeln!(head, "<title>{title}</title>\n</head>\n<body>\n<h1>{title}</h1>");
    head
}

fn attribute(page: &mut String, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        let _ = write!(page, " {name}=\"{}\"", Escaped(value));
    }
}

/// Text in HTML, in an element or in a double-quoted attribute.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            f.write_str(&rest[..at])?;
            f.write_str(match rest.as_bytes()[at] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                _ => "&#x27;",
            })?;
            rest = &rest[at + 1..];
        }
        f.write_str(rest)
    }
}

#[cfg(test)]
mod tests;
