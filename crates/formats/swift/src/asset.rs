//! The files of a release: its source archive and its manifests.

use http::header::{CONTENT_DISPOSITION, LINK, LOCATION};
use http::{HeaderName, HeaderValue, StatusCode};
use larder_core::Error;
use larder_core::access::{Allowed, RepositoryTarget};
use larder_core::model::{AssetName, PackageKey, VersionText};
use larder_http::{RepositoryRequest, answer_asset_with, response};

use crate::accept::{Accept, Form};
use crate::error::{CONTENT_VERSION, SwiftError, VERSION_1};
use crate::index::{self, package_url};
use crate::links::Links;
use crate::manifest::{self, ToolsVersion};
use crate::names::split_display;
use crate::routes::{Answer, Routes, parameter};
use crate::wire::{Manifest, ReleaseFiles};

const DIGEST: HeaderName = HeaderName::from_static("digest");
const SIGNATURE_FORMAT: HeaderName = HeaderName::from_static("x-swift-package-signature-format");
const SIGNATURE: HeaderName = HeaderName::from_static("x-swift-package-signature");

type Headers = Vec<(HeaderName, HeaderValue)>;

impl Routes {
    /// What is known of a release's files. Files are served of the releases that the documents show, and no others.
    pub(crate) async fn files(
        &self,
        allowed: &Allowed<RepositoryTarget>,
        key: &PackageKey,
        version: &VersionText,
    ) -> Result<ReleaseFiles, SwiftError> {
        let wanted = version.clone();
        let variant = format!("files {version}");
        let document =
            self.services.index.document(allowed, key, &variant, move |view| index::files(view, &wanted)).await?;
        Ok(serde_json::from_slice(&document.body).map_err(Error::internal)?)
    }

    /// `GET {scope}/{name}/{version}.zip`
    pub(crate) async fn get_archive(
        &self,
        request: &RepositoryRequest,
        allowed: &Allowed<RepositoryTarget>,
        key: &PackageKey,
        version: &VersionText,
        files: ReleaseFiles,
    ) -> Answer {
        let (_, name) = split_display(&files.display_name);
        let mut headers: Headers = vec![
            (CONTENT_VERSION, VERSION_1),
            (CONTENT_DISPOSITION, attachment(&format!("{name}-{version}.zip"))?),
            (DIGEST, value(&format!("sha-256={}", files.digest))?),
        ];
        if let Some(signature) = &files.signature {
            headers.push((SIGNATURE_FORMAT, value(&signature.format)?));
            headers.push((SIGNATURE, value(&signature.archive)?));
        }
        let asset = AssetName::new(files.archive)?;
        let opened = self.services.downloads.open(allowed, key, version, &asset).await?;
        Ok(answer_asset_with(allowed, &request.method, &request.headers, opened, "application/zip", headers).await?)
    }

    /// `GET {scope}/{name}/{version}/Package.swift`
    pub(crate) async fn get_manifest(
        &self,
        request: &RepositoryRequest,
        accept: &Accept,
        key: &PackageKey,
        version: &VersionText,
    ) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        accept.check(Form::Swift)?;
        let files = self.files(&allowed, key, version).await?;
        let url = format!("{}/{version}/{}", package_url(&request.base, &files.display_name), manifest::PLAIN);
        let asked = parameter(request.query.as_deref(), "swift-version")?;
        let found = match &asked {
            None => manifest::PLAIN,
            Some(asked) => match find_variant(&files.manifests, asked) {
                Some(variant) => &variant.file,
                None => return see_other(&url),
            },
        };
        let mut headers: Headers = vec![(CONTENT_VERSION, VERSION_1), (CONTENT_DISPOSITION, attachment(found)?)];
        let mut links = Links::default();
        for Manifest { file, tools_version } in &files.manifests {
            if let Some(variant) = manifest::variant(file) {
                links.add_manifest(&format!("{url}?swift-version={variant}"), file, tools_version);
            }
        }
        if let Some(links) = links.value() {
            headers.push((LINK, value(&links)?));
        }
        let asset = AssetName::new(found)?;
        let opened = self.services.downloads.open(&allowed, key, version, &asset).await?;
        Ok(answer_asset_with(&allowed, &request.method, &request.headers, opened, "text/x-swift", headers).await?)
    }
}

/// The variant for a version of the tools: `5.9` as clients may spell it too, `5.9.0` (SwiftPM asks with all three
/// numbers). A file of exactly that name comes first.
fn find_variant<'a>(manifests: &'a [Manifest], asked: &str) -> Option<&'a Manifest> {
    let of = |found: &&'a Manifest| manifest::variant(&found.file);
    let asked_number = ToolsVersion::parse(asked)?;
    manifests
        .iter()
        .find(|found| of(found) == Some(asked))
        .or_else(|| manifests.iter().find(|found| of(found).and_then(ToolsVersion::parse) == Some(asked_number)))
}

/// 303: there is no such variant, and the plain manifest counts (SE-0292 section 4.3.1).
fn see_other(url: &str) -> Answer {
    let mut answer = response::empty(StatusCode::SEE_OTHER);
    answer.headers_mut().insert(LOCATION, value(url)?);
    answer.headers_mut().insert(CONTENT_VERSION, VERSION_1);
    Ok(answer)
}

fn attachment(file_name: &str) -> Result<HeaderValue, SwiftError> {
    value(&format!("attachment; filename=\"{file_name}\""))
}

/// A header of names, versions and base64, which hold nothing that a header must not.
fn value(text: &str) -> Result<HeaderValue, SwiftError> {
    Ok(HeaderValue::from_str(text).map_err(Error::internal)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_is_found_by_name_first_and_then_by_number() {
        let manifests: Vec<Manifest> =
            ["Package.swift", "Package@swift-5.swift", "Package@swift-5.9.swift", "Package@swift-5.9.0.swift"]
                .map(|file| Manifest { file: file.to_owned(), tools_version: "5.0".to_owned() })
                .into();
        let found = |asked: &str| find_variant(&manifests, asked).map(|found| found.file.as_str());
        assert_eq!(found("5.9"), Some("Package@swift-5.9.swift"));
        assert_eq!(found("5.9.0"), Some("Package@swift-5.9.0.swift"));
        assert_eq!(found("5.0.0"), Some("Package@swift-5.swift"));
        assert_eq!((found("5.10"), found(""), found("x")), (None, None, None));
    }
}
