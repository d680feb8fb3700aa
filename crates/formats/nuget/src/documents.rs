//! The flat container's lists and the registrations over HTTP.

use larder_core::Result;
use larder_core::access::{Allowed, RepositoryTarget};
use larder_core::model::{PackageKey, VersionText};
use larder_core::services::{Rendered, View};
use larder_http::{RepositoryRequest, answer_document};

use crate::error::NugetError;
use crate::index::{render_leaf, render_page, render_registration, render_versions};
use crate::names;
use crate::package::MergedPackage;
use crate::routes::{Answer, Routes};
use crate::urls::{Hive, Urls};

impl Routes {
    /// `GET v3/flatcontainer/{id}/index.json`
    pub(crate) async fn get_versions(&self, request: &RepositoryRequest, key: PackageKey) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        self.send_document(request, &allowed, &key, "versions", render_versions).await
    }

    /// `GET v3/{hive}/{id}/index.json`, `…/page/{lower}/{upper}.json`, `…/{version}.json`
    pub(crate) async fn get_registration(
        &self,
        request: &RepositoryRequest,
        hive: Hive,
        key: PackageKey,
        rest: &[&str],
    ) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        let base = request.base.clone();
        let variant = format!("{} {} {base}", hive.folder(), rest.join("/"));
        let missing = || NugetError::not_found("registrations have index.json, {version}.json and the pages they name");
        match rest {
            ["index.json"] => {
                let render = move |package: &MergedPackage| render_registration(package, hive, Urls { base: &base });
                self.send_document(request, &allowed, &key, &variant, render).await
            }
            ["page", lower, upper] => {
                let upper = upper.strip_suffix(".json").ok_or_else(missing)?;
                let (lower, upper) = (bound(lower)?, bound(upper)?);
                let render = move |package: &MergedPackage| {
                    render_page(package, hive, Urls { base: &base }, (lower.as_str(), upper.as_str()))
                };
                self.send_document(request, &allowed, &key, &variant, render).await
            }
            [version] => {
                let version = bound(version.strip_suffix(".json").ok_or_else(missing)?)?;
                let render = move |package: &MergedPackage| render_leaf(package, hive, Urls { base: &base }, &version);
                self.send_document(request, &allowed, &key, &variant, render).await
            }
            _ => Err(missing()),
        }
    }

    /// A document of a package, from memory if nothing has changed.
    async fn send_document<F>(
        &self,
        request: &RepositoryRequest,
        allowed: &Allowed<RepositoryTarget>,
        key: &PackageKey,
        variant: &str,
        render: F,
    ) -> Answer
    where
        F: FnOnce(&MergedPackage) -> Result<Rendered> + Send + 'static,
    {
        let render = move |view: &View| render(&MergedPackage::gather(view)?);
        let document = self.services.index.document(allowed, key, variant, render).await?;
        Ok(answer_document(allowed, &request.method, &request.headers, &document))
    }
}

fn bound(version: &str) -> Result<VersionText, NugetError> {
    names::normalize_version(version).map_err(|error| NugetError::not_found(error.to_string()))
}
