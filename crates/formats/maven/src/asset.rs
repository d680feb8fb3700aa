//! Reading: files with their checksums in headers, checksum files, metadata.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use larder_core::Error;
use larder_core::access::{Allowed, RepositoryTarget};
use larder_core::model::{AssetName, HashAlgorithm, VersionText};
use larder_core::services::{Document, Rendered};
use larder_http::{RepositoryRequest, Response, answer_asset_with, answer_document, answer_text, serve_document};

use crate::error::MavenError;
use crate::index::{self, CHECKSUM_HEADERS};
use crate::layout::{self, AssetPath};
use crate::names;
use crate::routes::{Answer, Routes};

/// How often a checksum waits for a download that ends in between.
const TRIES: usize = 3;

impl Routes {
    /// `GET …/{file}`
    pub(crate) async fn get_asset(
        &self,
        request: &RepositoryRequest,
        allowed: &Allowed<RepositoryTarget>,
        path: AssetPath,
    ) -> Answer {
        let path = self.resolve(allowed, path).await?;
        let opened = self.services.downloads.open(allowed, &path.key, &path.version, &path.name).await?;
        let checksums = CHECKSUM_HEADERS.iter().filter_map(|(algorithm, name)| {
            let value = HeaderValue::try_from(opened.digests.hex(*algorithm)?).ok()?;
            Some((HeaderName::from_static(name), value))
        });
        let checksums = checksums.collect();
        let content_type = content_type(path.name.as_str());
        Ok(answer_asset_with(allowed, &request.method, &request.headers, opened, content_type, checksums).await?)
    }

    /// `GET …/{file}.sha1`: computed here, never what somebody said.
    pub(crate) async fn get_checksum(
        &self,
        request: &RepositoryRequest,
        allowed: &Allowed<RepositoryTarget>,
        path: AssetPath,
        algorithm: HashAlgorithm,
    ) -> Answer {
        let is_unique = path.is_unique();
        let path = self.resolve(allowed, path).await?;
        for _ in 0..TRIES {
            let opened = self.services.downloads.open(allowed, &path.key, &path.version, &path.name).await?;
            if let Some(digest) = opened.digests.hex(algorithm) {
                // Which build a snapshot's own name means may change at its source.
                return Ok(if is_unique && opened.is_settled() {
                    answer_text(allowed, &request.method, &request.headers, checksum_file(digest), None)
                } else {
                    serve_document(&request.method, &request.headers, &Document::build(checksum_file(digest)))
                });
            }
            // It is on its way from a registry that promised another digest only.
            opened.kept().await?;
        }
        let message = format!("the checksum of '{}' is not known yet; ask again", path.name);
        Err(Error::Unavailable { source: message.clone().into(), message }.into())
    }

    /// A file named after a snapshot is the one of its newest build.
    async fn resolve(&self, allowed: &Allowed<RepositoryTarget>, path: AssetPath) -> Result<AssetPath, MavenError> {
        if path.is_unique() {
            return Ok(path);
        }
        let view = self.services.index.view(allowed, &path.key).await?;
        let base = path.version.as_str();
        let (classifier, extension) = layout::classify(&path.rest);
        let artifact = path.key.name();
        let files = index::find_snapshot(&view, base)?.files(artifact);
        let file = files.into_iter().find(|file| file.classifier == classifier && file.extension == extension);
        let missing = || MavenError::not_found(format!("'{}' has no such file", names::display_name(&path.key)));
        let file = file.ok_or_else(missing)?;
        let name = layout::file_name(artifact, &file.value, classifier, extension);
        let name = AssetName::new(name).map_err(|_| missing())?;
        let version = VersionText::new(file.value).map_err(|_| missing())?;
        Ok(AssetPath { version, name, ..path })
    }

    /// `GET …/maven-metadata.xml` of an artifact, a snapshot or a group, and its checksums. Which of them a directory is
    /// cannot be seen from its name: an artifact comes before a group.
    pub(crate) async fn get_metadata(
        &self,
        request: &RepositoryRequest,
        allowed: &Allowed<RepositoryTarget>,
        directory: &[&str],
        checksum: Option<HashAlgorithm>,
    ) -> Answer {
        if let [group @ .., artifact, base] = directory
            && !group.is_empty()
            && names::is_snapshot(base)
            && let Ok(key) = names::package_key(&group.join("."), artifact)
        {
            let version = (*base).to_owned();
            let variant = format!("snapshot {base}");
            let render = move |view: &_| index::snapshot(view, &version);
            let document = self.services.index.document(allowed, &key, &variant, render).await?;
            return Ok(answer_metadata(request, allowed, &document, checksum));
        }
        let mut failure = None;
        if let [group @ .., artifact] = directory
            && !group.is_empty()
            && let Ok(key) = names::package_key(&group.join("."), artifact)
        {
            match self.services.index.document(allowed, &key, "artifact", index::artifact).await {
                Ok(document) => {
                    return Ok(answer_metadata(request, allowed, &document, checksum));
                }
                Err(error @ Error::ResourceNotFound { refusal: Some(_), .. }) => failure = Some(error),
                Err(Error::ResourceNotFound { .. }) => {}
                // A group may be here whatever its namesake among artifacts is.
                Err(error @ Error::Upstream { .. }) => failure = Some(error),
                Err(error) => return Err(error.into()),
            }
        }
        let rendered = self.group_file(allowed, directory).await?;
        let rendered = rendered.ok_or_else(|| match failure {
            Some(error) => MavenError::from(error),
            None => MavenError::not_found(format!(
                "'{}' is no artifact and no group with plugins here",
                directory.join("/")
            )),
        })?;
        let mut document = Document::build(rendered);
        if let Some(algorithm) = checksum {
            document = Document::build(checksum_file(checksum_of(&document, algorithm)));
        }
        Ok(serve_document(&request.method, &request.headers, &document))
    }
}

/// A metadata file or its checksum.
fn answer_metadata(
    request: &RepositoryRequest,
    allowed: &Allowed<RepositoryTarget>,
    document: &Arc<Document>,
    checksum: Option<HashAlgorithm>,
) -> Response {
    let (method, headers) = (&request.method, &request.headers);
    match checksum {
        None => answer_document(allowed, method, headers, document),
        Some(algorithm) => {
            let text = checksum_file(checksum_of(document, algorithm));
            answer_text(allowed, method, headers, text, document.fresh_until)
        }
    }
}

fn checksum_of(document: &Document, algorithm: HashAlgorithm) -> String {
    index::digest(algorithm, &document.body)
}

/// A checksum file: the digest and nothing else, as all readers take it.
fn checksum_file(digest: String) -> Rendered {
    Rendered { content_type: "text/plain", body: digest.into(), last_modified: None, headers: Vec::new() }
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("pom" | "xml") => "application/xml",
        Some("jar" | "war" | "ear") => "application/java-archive",
        Some("module") => "application/vnd.org.gradle.module+json",
        Some("asc") => "application/pgp-signature",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}
