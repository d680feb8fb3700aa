//! Reading: files with their checksums in headers, checksum files, metadata.

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use larder_core::Error;
use larder_core::access::{Allowed, RepositoryTarget};
use larder_core::model::{AssetName, HashAlgorithm, VersionText};
use larder_core::services::Document;
use larder_http::{Body, RepositoryRequest, Response, answer_asset_with, answer_document, response, serve_document};

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
        let path = self.resolve(allowed, path).await?;
        for _ in 0..TRIES {
            let opened = self.services.downloads.open(allowed, &path.key, &path.version, &path.name).await?;
            if let Some(digest) = opened.digests.hex(algorithm) {
                return Ok(checksum_file(request, digest));
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
            return Ok(match checksum {
                None => answer_document(allowed, &request.method, &request.headers, &document),
                Some(algorithm) => checksum_file(request, checksum_of(&document, algorithm)),
            });
        }
        let mut failure = None;
        if let [group @ .., artifact] = directory
            && !group.is_empty()
            && let Ok(key) = names::package_key(&group.join("."), artifact)
        {
            match self.services.index.document(allowed, &key, "artifact", index::artifact).await {
                Ok(document) => {
                    return Ok(match checksum {
                        None => answer_document(allowed, &request.method, &request.headers, &document),
                        Some(algorithm) => checksum_file(request, checksum_of(&document, algorithm)),
                    });
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
        let document = Document::build(rendered);
        Ok(match checksum {
            None => serve_document(&request.method, &request.headers, &document),
            Some(algorithm) => checksum_file(request, checksum_of(&document, algorithm)),
        })
    }
}

fn checksum_of(document: &Document, algorithm: HashAlgorithm) -> String {
    index::digest(algorithm, &document.body)
}

/// A checksum file: the digest and nothing else, as all readers take it.
fn checksum_file(request: &RepositoryRequest, digest: String) -> Response {
    let length = digest.len();
    let mut answer = response::content(StatusCode::OK, "text/plain", Bytes::from(digest));
    if request.method == Method::HEAD {
        answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        *answer.body_mut() = Body::empty();
    }
    answer
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
