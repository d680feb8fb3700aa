//! `GET pypi/{project}/json` and `pypi/{project}/{version}/json`: the older JSON API, which dependency bots, poetry and
//! mirrors read (protocol reference 2.7).

use std::collections::BTreeMap;

use http::header::{HeaderName, HeaderValue};
use http::{Method, StatusCode};
use larder_core::access::{Allowed, RepositoryTarget};
use larder_core::model::{PackageKey, VersionDetails};
use larder_http::{Body, RepositoryRequest, response};
use serde::Serialize;

use crate::error::PypiError;
use crate::index::last_serial;
use crate::metadata::CoreMetadata;
use crate::names::{Distribution, DistributionKind};
use crate::project::{Project, ProjectFile, ProjectRelease};
use crate::routes::{Answer, Routes};
use crate::urls;

#[derive(Serialize)]
struct Document<'a> {
    info: Info,
    last_serial: i64,
    /// Only in the form without a version.
    #[serde(skip_serializing_if = "Option::is_none")]
    releases: Option<BTreeMap<&'a str, Vec<File<'a>>>>,
    urls: Vec<File<'a>>,
    vulnerabilities: [(); 0],
    ownership: Ownership,
}

#[derive(Serialize)]
struct Ownership {
    roles: [(); 0],
    organization: Option<String>,
}

/// Core metadata under the names of this API; absent texts are empty or null as the public index has them.
#[derive(Serialize)]
struct Info {
    name: String,
    version: String,
    summary: Option<String>,
    description: String,
    description_content_type: Option<String>,
    author: Option<String>,
    author_email: Option<String>,
    maintainer: Option<String>,
    maintainer_email: Option<String>,
    license: Option<String>,
    license_expression: Option<String>,
    license_files: Option<Vec<String>>,
    keywords: Option<String>,
    classifiers: Vec<String>,
    platform: Option<String>,
    home_page: Option<String>,
    download_url: Option<String>,
    project_url: String,
    package_url: String,
    release_url: String,
    project_urls: Option<BTreeMap<String, String>>,
    requires_dist: Option<Vec<String>>,
    requires_python: Option<String>,
    provides_extra: Option<Vec<String>>,
    dynamic: Option<Vec<String>>,
    yanked: bool,
    yanked_reason: Option<String>,
}

#[derive(Serialize)]
struct File<'a> {
    filename: &'a str,
    url: String,
    digests: &'a BTreeMap<String, String>,
    md5_digest: Option<&'a String>,
    size: Option<u64>,
    packagetype: &'static str,
    python_version: String,
    requires_python: Option<&'a str>,
    upload_time: Option<String>,
    upload_time_iso_8601: Option<&'a str>,
    yanked: bool,
    yanked_reason: Option<&'a str>,
    has_sig: bool,
    comment_text: Option<&'a str>,
    downloads: i64,
}

impl Routes {
    /// Answers either form.
    pub(crate) async fn get_json(&self, request: &RepositoryRequest, key: PackageKey, version: Option<&str>) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        let project = self.projects.get(&allowed, &key).await?;
        let release = match version {
            Some(version) => project.find_release(version),
            None => project.newest(),
        };
        let release = release.ok_or_else(|| {
            let what = version.map_or_else(String::new, |version| format!(" version '{version}'"));
            PypiError::not_found(format!("project '{}' has no such release{what}", key.name()))
        })?;
        let info = self.info(request, &allowed, &key, &project, release).await?;
        let base = &request.base;
        let releases = version.is_none().then(|| {
            project
                .releases
                .iter()
                .map(|release| (release.version.as_str(), file_list(base, &project, release)))
                .collect()
        });
        let document = Document {
            info,
            last_serial: project.serial,
            releases,
            urls: file_list(base, &project, release),
            vulnerabilities: [],
            ownership: Ownership { roles: [], organization: None },
        };
        let mut answer = response::json(StatusCode::OK, &document);
        let (name, value) = last_serial(&project);
        if let Ok(value) = HeaderValue::from_str(&value) {
            answer.headers_mut().insert(HeaderName::from_static(name), value);
        }
        if request.method == Method::HEAD {
            *answer.body_mut() = Body::empty();
        }
        Ok(answer)
    }

    /// The metadata of a release: of a wheel if it has one, else what the API keeps of the version.
    async fn info(
        &self,
        request: &RepositoryRequest,
        allowed: &Allowed<RepositoryTarget>,
        key: &PackageKey,
        project: &Project,
        release: &ProjectRelease,
    ) -> Result<Info, PypiError> {
        let mut metadata = CoreMetadata::default();
        if let Some(wheel) = release.files.iter().find(|file| file.core_metadata.is_some()) {
            match self.core_metadata(allowed, key, wheel).await {
                Ok(Some(bytes)) => metadata = CoreMetadata::parse(&bytes).unwrap_or_default(),
                Ok(None) => {}
                // The rest of the answer stands without it.
                Err(error) => tracing::warn!(file = %wheel.name, %error, "core metadata could not be read"),
            }
        }
        let details = match release.stored {
            Some(stored) if metadata.get("Name").is_none() => self.services.store.version_details(stored).await?,
            _ => VersionDetails::default(),
        };
        Ok(info(&request.base, project, release, &metadata, details))
    }
}

fn info(
    base: &str,
    project: &Project,
    release: &ProjectRelease,
    metadata: &CoreMetadata,
    details: VersionDetails,
) -> Info {
    let text = |field: &str| metadata.get(field).map(str::to_owned);
    let list = |field: &str| Some(metadata.all(field).map(str::to_owned).collect::<Vec<_>>()).filter(|l| !l.is_empty());
    let urls: BTreeMap<String, String> =
        metadata.project_urls().map(|(label, url)| (label.to_owned(), url.to_owned())).collect();
    let page = format!("{base}/simple/{}/", project.name);
    let dependencies = details.dependencies.iter().map(|dependency| {
        let requirement = dependency.version_requirement.as_deref().unwrap_or_default();
        format!("{} {requirement}", dependency.package).trim_end().to_owned()
    });
    let dependencies = Some(dependencies.collect::<Vec<_>>()).filter(|dependencies| !dependencies.is_empty());
    let yanked = release.files.iter().all(|file| file.yanked.reason().is_some());
    let reason = release.files.iter().find_map(|file| file.yanked.reason()).filter(|reason| !reason.is_empty());
    Info {
        name: text("Name").or(details.display_name).unwrap_or_else(|| project.display_name.clone()),
        version: release.version.to_string(),
        summary: text("Summary").or(details.summary),
        description: metadata.description().map(str::to_owned).or(details.readme).unwrap_or_default(),
        description_content_type: text("Description-Content-Type"),
        author: text("Author"),
        author_email: text("Author-email"),
        maintainer: text("Maintainer"),
        maintainer_email: text("Maintainer-email"),
        license: text("License").or_else(|| details.licenses.first().map(|license| license.name.clone())),
        license_expression: text("License-Expression"),
        license_files: list("License-File"),
        keywords: text("Keywords"),
        classifiers: list("Classifier").unwrap_or_default(),
        platform: text("Platform"),
        home_page: text("Home-page").or(details.home_page),
        download_url: text("Download-URL"),
        release_url: page.clone(),
        package_url: page.clone(),
        project_url: page,
        project_urls: Some(urls).filter(|urls| !urls.is_empty()),
        requires_dist: list("Requires-Dist").or(dependencies),
        requires_python: text("Requires-Python")
            .or_else(|| release.files.iter().find_map(|file| file.requires_python.clone())),
        provides_extra: list("Provides-Extra"),
        dynamic: list("Dynamic"),
        yanked,
        yanked_reason: reason.filter(|_| yanked).map(str::to_owned),
    }
}

fn file_list<'a>(base: &str, project: &Project, release: &'a ProjectRelease) -> Vec<File<'a>> {
    release.files.iter().map(|entry| file(base, project, entry)).collect()
}

fn file<'a>(base: &str, project: &Project, file: &'a ProjectFile) -> File<'a> {
    let name = file.name.as_str();
    let python = Distribution::parse(name, &project.name).map_or_else(|_| "source".to_owned(), |of| of.python_tag);
    File {
        filename: name,
        url: urls::file(base, &project.name, &file.version, &file.name),
        digests: &file.digests,
        md5_digest: file.digests.get("md5"),
        size: file.size_bytes,
        packagetype: DistributionKind::of(name).map_or("bdist_egg", DistributionKind::file_type),
        python_version: python,
        requires_python: file.requires_python.as_deref(),
        // The old field has neither fraction nor zone.
        upload_time: file.upload_time.as_deref().and_then(|time| time.get(..19)).map(str::to_owned),
        upload_time_iso_8601: file.upload_time.as_deref(),
        yanked: file.yanked.reason().is_some(),
        yanked_reason: file.yanked.reason().filter(|reason| !reason.is_empty()),
        has_sig: file.gpg_sig == Some(true),
        comment_text: file.comment.as_deref(),
        downloads: -1,
    }
}
