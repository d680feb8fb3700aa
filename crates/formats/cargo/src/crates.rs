//! What bots and older tools ask of the web API besides cargo: a crate, its versions, a version's dependencies and
//! README (protocols 7.3; reference 3.7 for `created_at`).

use http::StatusCode;
use larder_core::model::{PackageKey, Timestamp, VersionDetails};
use larder_core::services::View;
use larder_http::{RepositoryRequest, response};

use crate::error::CargoError;
use crate::index::{self, Listed};
use crate::line::Line;
use crate::names;
use crate::routes::{Answer, Routes, known};
use crate::wire::{
    CrateAnswer, CrateEntry, Dependencies, DependencyEntry, FoundMeta, OneVersion, VersionEntry, Versions,
};

impl Routes {
    /// `GET crates/{crate}`
    pub(crate) async fn get_crate(&self, request: &RepositoryRequest, name: &str) -> Answer {
        let view = self.view(request, name).await?;
        let listed = newest_first(&view)?;
        let Some(max) = highest(&listed, |_| true) else { return Err(index::nothing_listed(&view.key).into()) };
        let details = self.details(max).await?;
        let is_stable =
            |listed: &Listed<'_>| names::parse_version(&listed.head.vers).is_ok_and(|version| version.pre.is_empty());
        let times = || listed.iter().filter_map(Listed::published_at);
        let spelled = max.head.name.to_string();
        let summary = CrateEntry {
            id: spelled.clone(),
            name: spelled,
            description: details.summary,
            homepage: details.home_page,
            repository: details.source_code_repository,
            max_version: max.head.vers.to_string(),
            max_stable_version: highest(&listed, is_stable).map(|listed| listed.head.vers.to_string()),
            newest_version: listed.first().map(|listed| listed.head.vers.to_string()).unwrap_or_default(),
            created_at: times().min().map(Timestamp::rfc3339),
            updated_at: times().max().map(Timestamp::rfc3339),
        };
        let versions = listed.iter().map(entry).collect();
        let answer = CrateAnswer { summary, versions, keywords: Vec::new(), categories: Vec::new() };
        Ok(response::json(StatusCode::OK, &answer))
    }

    /// `GET crates/{crate}/versions`
    pub(crate) async fn get_versions(&self, request: &RepositoryRequest, name: &str) -> Answer {
        let view = self.view(request, name).await?;
        let versions: Vec<VersionEntry> = newest_first(&view)?.iter().map(entry).collect();
        let meta = FoundMeta { total: versions.len() };
        Ok(response::json(StatusCode::OK, &Versions { versions, meta }))
    }

    /// `GET crates/{crate}/{version}`
    pub(crate) async fn get_version(&self, request: &RepositoryRequest, name: &str, version: &str) -> Answer {
        let view = self.view(request, name).await?;
        let listed = find(&view, version)?;
        let license = self.details(&listed).await?.licenses.into_iter().map(|license| license.name).next();
        Ok(response::json(StatusCode::OK, &OneVersion { version: VersionEntry { license, ..entry(&listed) } }))
    }

    /// `GET crates/{crate}/{version}/dependencies`
    pub(crate) async fn get_dependencies(&self, request: &RepositoryRequest, name: &str, version: &str) -> Answer {
        let view = self.view(request, name).await?;
        let listed = find(&view, version)?;
        let line = Line::parse(listed.raw);
        let dependencies = line.iter().flat_map(|line| &line.deps).map(|dependency| DependencyEntry {
            crate_id: dependency.crate_name().to_owned(),
            req: dependency.req.clone(),
            optional: dependency.optional,
            default_features: dependency.default_features,
            features: dependency.features.clone(),
            target: dependency.target.clone(),
            kind: dependency.kind().as_str(),
        });
        Ok(response::json(StatusCode::OK, &Dependencies { dependencies: dependencies.collect() }))
    }

    /// `GET crates/{crate}/{version}/readme`: its text as it is in the crate, never as a page of this host.
    pub(crate) async fn get_readme(&self, request: &RepositoryRequest, name: &str, version: &str) -> Answer {
        let view = self.view(request, name).await?;
        let listed = find(&view, version)?;
        let readme = self.details(&listed).await?.readme;
        let readme = readme.ok_or_else(|| {
            CargoError::not_found(format!("version '{}' of crate '{name}' has no README here", listed.head.vers))
        })?;
        Ok(response::content(StatusCode::OK, "text/plain; charset=utf-8", readme))
    }

    async fn view(&self, request: &RepositoryRequest, name: &str) -> Result<View, CargoError> {
        let allowed = request.may_read(&self.services.access).await?;
        let key: PackageKey = known(name)?;
        Ok(self.services.index.view(&allowed, &key).await?)
    }

    /// What was read from the version's own files, if a repository stores them.
    async fn details(&self, listed: &Listed<'_>) -> Result<VersionDetails, CargoError> {
        match listed.stored {
            Some(stored) => Ok(self.services.store.version_details(stored.id).await?),
            None => Ok(VersionDetails::default()),
        }
    }
}

/// All listed versions; of the public registry's it is the order of the index, reversed.
fn newest_first(view: &View) -> Result<Vec<Listed<'_>>, CargoError> {
    let mut listed = index::merge(&view.layers)?;
    if listed.is_empty() {
        return Err(index::nothing_listed(&view.key).into());
    }
    listed.reverse();
    Ok(listed)
}

/// The highest version that passes; a yanked one only if there is no other.
fn highest<'a, 'v>(listed: &'a [Listed<'v>], passes: impl Fn(&Listed<'v>) -> bool) -> Option<&'a Listed<'v>> {
    listed.iter().filter(|listed| passes(listed)).max_by(|a, b| {
        let not_yanked = b.head.is_yanked().cmp(&a.head.is_yanked());
        not_yanked.then_with(|| names::compare_versions(&a.head.vers, &b.head.vers))
    })
}

fn find<'v>(view: &'v View, version: &str) -> Result<Listed<'v>, CargoError> {
    let key = names::without_build(version);
    let found = index::merge(&view.layers)?.into_iter().find(|listed| listed.head.version_key() == key);
    found.ok_or_else(|| {
        let (name, version) = (view.key.name(), names::printable(version));
        CargoError::not_found(format!("crate '{name}' has no version '{version}'"))
    })
}

fn entry(listed: &Listed<'_>) -> VersionEntry {
    let (name, version) = (&listed.head.name, &listed.head.vers);
    let created_at = listed.published_at().map(Timestamp::rfc3339);
    let line = Line::parse(listed.raw);
    let size = listed.stored.and_then(|stored| stored.assets.first()).map(|asset| asset.digests.size_bytes);
    VersionEntry {
        crate_name: name.to_string(),
        num: version.to_string(),
        dl_path: format!("/api/v1/crates/{name}/{version}/download"),
        readme_path: format!("/api/v1/crates/{name}/{version}/readme"),
        updated_at: created_at.clone(),
        created_at,
        checksum: listed.head.cksum.to_string(),
        crate_size: size,
        yanked: listed.head.is_yanked(),
        features: line.as_ref().map(Line::all_features).unwrap_or_default(),
        links: line.as_ref().and_then(|line| line.links.clone()),
        rust_version: line.and_then(|line| line.rust_version),
        license: None,
    }
}
