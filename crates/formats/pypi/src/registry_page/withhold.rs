//! A registry's page without the files that are held back for being young. Files count one by one, because new files can
//! be added to an old release.

use larder_core::error::Invalid;
use larder_core::model::{PackageKey, ReleaseTime, Timestamp};
use larder_core::ports::{Gate, StoredIndex};

use super::{html, is_json, normalized};
use crate::names::version_of_upstream_file;
use crate::wire::{API_VERSION, Meta, ProjectPage};

/// Takes out the files that do not pass. What is left of an HTML page is kept as JSON.
///
/// # Errors
/// As [`super::read`].
pub(crate) fn without(
    package: &PackageKey,
    index: &StoredIndex,
    gate: &mut Gate<'_>,
) -> Result<Option<StoredIndex>, Invalid> {
    let Some(body) = &index.body else { return Ok(None) };
    let mut page: ProjectPage = if is_json(&index.content_type) {
        serde_json::from_slice(body).map_err(|error| Invalid::new(format!("not a simple index: {error}")))?
    } else {
        let (project_status, files) = html::entries(body)?;
        let meta = Meta { api_version: API_VERSION.to_owned() };
        ProjectPage { meta, name: package.name().to_owned(), versions: Vec::new(), project_status, files }
    };
    let offered = page.files.len();
    page.files.retain(|file| {
        // A file that does not say its version is not shown anyway.
        let Some(version) = version_of_upstream_file(package.name(), &file.filename) else { return true };
        let version = normalized(version.as_str()).unwrap_or(version);
        gate(version.as_str(), ReleaseTime::of(file.upload_time.as_deref().and_then(Timestamp::parse_rfc3339)))
    });
    if page.files.len() == offered {
        return Ok(None);
    }
    if page.files.is_empty() {
        return Ok(Some(index.with_body(None)));
    }
    let body = serde_json::to_vec(&page).map_err(|error| Invalid::new(error.to_string()))?;
    let content_type = "application/vnd.pypi.simple.v1+json".to_owned();
    Ok(Some(StoredIndex { content_type, ..index.with_body(Some(body.into())) }))
}

#[cfg(test)]
mod tests {
    use larder_core::model::Timestamp;

    use super::super::read;
    use super::*;

    fn index(content_type: &str, body: &str) -> StoredIndex {
        StoredIndex {
            body: Some(body.to_owned().into()),
            content_type: content_type.to_owned(),
            etag: None,
            last_modified: None,
            checked_at: Timestamp(0),
            revision: 1,
        }
    }

    fn versions(index: &StoredIndex) -> Vec<(String, usize)> {
        let page = read(&crate::names::project_key("foo").unwrap(), index).unwrap();
        page.releases.iter().map(|release| (release.version.to_string(), release.files.len())).collect()
    }

    #[test]
    fn a_young_file_of_an_old_release_is_held_back_alone() {
        let file = |name: &str, year: &str| {
            format!(
                r#"{{"filename":"{name}","url":"{name}","hashes":{{}},"upload-time":"{year}-01-01T00:00:00.123456Z"}}"#
            )
        };
        let files =
            [file("foo-1.0.tar.gz", "2020"), file("foo-1.0-py3-none-any.whl", "2026"), file("foo-2.0.tar.gz", "2026")];
        let body = format!(r#"{{"meta":{{"api-version":"1.1"}},"name":"Foo","files":[{}]}}"#, files.join(","));
        let index = index("application/vnd.pypi.simple.v1+json", &body);
        let key = crate::names::project_key("foo").unwrap();
        let limit = Timestamp::parse_rfc3339("2025-01-01T00:00:00Z").unwrap();
        let mut gate = |_: &str, released: ReleaseTime| released.instant().is_some_and(|at| at < limit);
        let rest = without(&key, &index, &mut gate).unwrap().unwrap();
        assert_eq!(versions(&rest), [("1.0".to_owned(), 1)]);
        assert!(without(&key, &index, &mut |_, _| true).unwrap().is_none());
        assert_eq!(without(&key, &index, &mut |_, _| false).unwrap().unwrap().body, None);
    }

    #[test]
    fn files_of_an_html_page_have_no_age() {
        let body =
            r#"<html><body><a href="foo-1.0.tar.gz#sha256=00">a</a><a href="foo-2.0.tar.gz">b</a></body></html>"#;
        let index = index("text/html", body);
        let key = crate::names::project_key("foo").unwrap();
        let mut gate = |version: &str, released: ReleaseTime| {
            assert_eq!(released, ReleaseTime::Unknown);
            version == "1.0"
        };
        let rest = without(&key, &index, &mut gate).unwrap().unwrap();
        assert_eq!(versions(&rest), [("1.0".to_owned(), 1)]);
    }
}
