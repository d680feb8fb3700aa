//! `latest` in place of a version.
//!
//! It is the highest published release by semantic versioning, read generously (`v1.2` is 1.2.0); the highest version
//! before a release if there are only such; and the one published last if no version reads as numbers.

use std::sync::Arc;

use http::header::{CACHE_CONTROL, LOCATION};
use http::{HeaderValue, StatusCode};
use larder_core::error::{Error, ResourceType, Result};
use larder_core::model::{Package, PackageId, PageRequest, VersionStatus, VersionText};
use larder_core::ports::VersionFilter;
use larder_core::services::Services;
use larder_http::{RepositoryRequest, response};
use moka::sync::Cache;

use crate::address::{PackageAddress, VersionAddress, encode};
use crate::routes::{Answer, Routes};
use crate::versions::{Numbered, compare_versions};

/// Versions read at a time.
const PAGE: usize = 1000;

/// Which version is the newest, by package and the package's revision.
pub(crate) struct Newest {
    services: Arc<Services>,
    known: Cache<(PackageId, i64), Option<VersionText>>,
}

impl Newest {
    pub(crate) fn new(services: Arc<Services>) -> Self {
        Self { services, known: Cache::new(10_000) }
    }

    async fn of(&self, package: &Package) -> Result<Option<VersionText>> {
        let key = (package.id, package.revision);
        if let Some(known) = self.known.get(&key) {
            return Ok(known);
        }
        let filter = VersionFilter { status: Some(VersionStatus::Published), ..VersionFilter::default() };
        let mut page = PageRequest::first(PAGE);
        let mut newest: Option<VersionText> = None;
        loop {
            let found = self.services.store.list_versions(package, &filter, &page).await?;
            let found_newest = found.items.into_iter().map(|version| version.version);
            newest = newest.into_iter().chain(found_newest).max_by(|a, b| compare(a.as_str(), b.as_str()));
            if found.next.is_none() {
                break;
            }
            page.after = found.next;
        }
        if newest.as_ref().is_some_and(|version| Numbered::parse(version.as_str()).is_none()) {
            newest = self.services.store.newest_version(package).await?;
        }
        self.known.insert(key, newest.clone());
        Ok(newest)
    }
}

/// Releases after versions before a release, those after all that are no numbers.
fn compare(a: &str, b: &str) -> std::cmp::Ordering {
    let is_release = |text| Numbered::parse(text).is_some_and(|version| version.is_release());
    is_release(a).cmp(&is_release(b)).then_with(|| compare_versions(a, b))
}

impl Routes {
    /// `GET …/{package}/latest/[{asset}]`: where the newest version has it.
    pub(crate) async fn redirect_to_latest(
        &self,
        request: &RepositoryRequest,
        package: PackageAddress,
        asset: Option<&str>,
    ) -> Answer {
        request.may_read(&self.services.access).await?;
        let repository = &request.target.repository;
        let found = self.services.store.find_package(repository.id, &package.key).await?;
        let newest = match &found {
            Some(found) => self.newest.of(found).await?,
            None => None,
        };
        let Some(version) = newest else {
            let message = format!("'{}' has no published version in repository '{}'", package.key, repository.name);
            return Err(Error::not_found(ResourceType::Package, package.key.to_string(), message).into());
        };
        let folder = VersionAddress { package, version }.path();
        let location = format!("{}/{folder}{}", request.base, asset.map(encode).unwrap_or_default());
        let mut answer = response::empty(StatusCode::FOUND);
        let location = HeaderValue::from_str(&location).map_err(Error::internal)?;
        answer.headers_mut().insert(LOCATION, location);
        answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_newer_than_what_comes_before_the_next() {
        let newest = |versions: &[&'static str]| versions.iter().copied().max_by(|a, b| compare(a, b)).unwrap();
        assert_eq!(newest(&["1.9.0", "1.10.0", "2.0.0-rc.1", "nightly"]), "1.10.0");
        assert_eq!(newest(&["2.0.0-rc.1", "2.0.0-rc.2", "zz"]), "2.0.0-rc.2");
    }
}
