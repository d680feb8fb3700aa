//! The plugin prefixes of a group (protocol reference 3.4, group level): `mvn acme:greet` asks which plugin `acme` is.
//!
//! Nothing is stored of the group itself. A plugin's prefix is kept with its version when a client puts the group's file;
//! one that was never put has the prefix that Maven derives from its artifactId. Registries' files come after.

use std::collections::HashSet;

use larder_core::access::{Action, Allowed, RepositoryTarget};
use larder_core::error::{Error, Result};
use larder_core::model::{
    AllowUpstream, OriginType, Package, PackageFormat, PackageKey, PackageVersion, PageRequest, RepositoryId,
};
use larder_core::ports::PackageFilter;
use larder_core::services::{Layer, Rendered};
use larder_http::RepositoryRequest;

use crate::error::MavenError;
use crate::index;
use crate::layout::METADATA;
use crate::maven_metadata::{self, MavenMetadata, Plugin};
use crate::names;
use crate::routes::Routes;
use crate::wire::{PomMetadata, VersionMetadata};

const PAGE: usize = 500;
/// Artifacts of one group that are looked through for plugins.
const LOOKED_AT: usize = 5_000;
/// What a POM says of a plugin.
const PACKAGING: &str = "maven-plugin";

impl Routes {
    /// The group's file; `None` if it has no plugins.
    pub(crate) async fn group_file(
        &self,
        allowed: &Allowed<RepositoryTarget>,
        directory: &[&str],
    ) -> Result<Option<Rendered>> {
        let group = directory.join(".");
        let mut found = self.hosted_plugins(allowed, &group).await?;
        let document = PackageKey::document(PackageFormat::Maven, &format!("{}/{METADATA}", directory.join("/")));
        match self.services.index.view(allowed, &document).await {
            Ok(view) => {
                for layer in &view.layers {
                    let Layer::Registry { index, .. } = layer else { continue };
                    let metadata = MavenMetadata::parse(index.body.as_deref().unwrap_or_default());
                    for plugin in metadata.map(|metadata| metadata.plugins).unwrap_or_default() {
                        found.add(plugin);
                    }
                }
            }
            Err(Error::ResourceNotFound { .. }) => {}
            // What is here is served without those that are not: no prefix of theirs could come before.
            Err(error @ Error::Upstream { .. }) if !found.plugins.is_empty() => {
                tracing::warn!(%group, %error, "the plugin prefixes of a public registry are missing from a group's file");
            }
            Err(error) => return Err(error),
        }
        let Found { plugins, .. } = found;
        Ok((!plugins.is_empty()).then(|| index::rendered(maven_metadata::write_group(&plugins), None)))
    }

    async fn hosted_plugins(&self, allowed: &Allowed<RepositoryTarget>, group: &str) -> Result<Found> {
        let mut found = Found::default();
        let filter = PackageFilter {
            format: Some(PackageFormat::Maven),
            namespace: Some(group.to_owned()),
            ..PackageFilter::default()
        };
        let mut left = LOOKED_AT;
        for repository in self.services.index.visible_repositories(allowed).await? {
            let is_asked = repository.id == allowed.target().repository.id;
            let mut page = PageRequest::first(PAGE);
            'pages: loop {
                let packages = self.services.store.list_packages(repository.id, &filter, &page).await?;
                for package in packages.items {
                    // The filter is a prefix, and the group itself comes before what is longer.
                    if package.key.namespace() != Some(group) || left == 0 {
                        break 'pages;
                    }
                    left -= 1;
                    if !is_asked && found.blocked.contains(package.key.name()) {
                        continue;
                    }
                    if let Some(plugin) = self.plugin_of(repository.id, &package).await? {
                        found.add(plugin);
                    }
                    if is_asked && package.restrictions.upstream == AllowUpstream::Block {
                        found.blocked.insert(package.key.name().to_owned());
                    }
                }
                match packages.next {
                    Some(next) => page.after = Some(next),
                    None => break,
                }
            }
        }
        Ok(found)
    }

    /// What the package is called by, if it is a plugin.
    async fn plugin_of(&self, repository: RepositoryId, package: &Package) -> Result<Option<Plugin>> {
        let store = &self.services.store;
        let Some(newest) = store.newest_version(package).await? else { return Ok(None) };
        let Some(version) = store.find_version(repository, &package.key, &newest).await? else { return Ok(None) };
        if let Some(plugin) = VersionMetadata::read(&version.metadata).plugin {
            return Ok(Some(plugin));
        }
        let artifact = package.key.name().to_owned();
        let derived = |pom: PomMetadata| Plugin { name: pom.name, prefix: derived_prefix(&artifact), artifact };
        Ok(pom_of(&version).filter(|pom| pom.packaging == PACKAGING).map(derived))
    }

    /// Takes over the prefixes that a client's group file gives to plugins that are here.
    pub(crate) async fn put_plugins(
        &self,
        request: &RepositoryRequest,
        group: &str,
        plugins: &[Plugin],
    ) -> Result<(), MavenError> {
        let store = &self.services.store;
        for plugin in plugins.iter().take(LOOKED_AT) {
            let Ok(key) = names::package_key(group, &plugin.artifact) else { continue };
            let repository = request.target.repository.id;
            let Some(package) = store.find_package(repository, &key).await? else { continue };
            if self.plugin_of(repository, &package).await?.as_ref() == Some(plugin) {
                continue;
            }
            let Some(newest) = store.newest_version(&package).await? else { continue };
            let version = store.find_version(repository, &key, &newest).await?;
            // What came from a public registry has its prefix from there.
            if version.is_none_or(|version| version.origin.origin_type() == OriginType::External) {
                continue;
            }
            let allowed = request.may(&self.services.access, Action::PutPackageMetadata, key).await?;
            let plugin = Plugin { name: plugin.name.chars().take(255).collect(), ..plugin.clone() };
            self.change_metadata(&allowed, &newest, |metadata| metadata.plugin = Some(plugin.clone())).await?;
        }
        Ok(())
    }
}

/// Plugins by prefix, the first one of a prefix wins.
#[derive(Default)]
struct Found {
    plugins: Vec<Plugin>,
    prefixes: HashSet<String>,
    /// Packages of the asked repository that may not come from elsewhere.
    blocked: HashSet<String>,
}

impl Found {
    fn add(&mut self, plugin: Plugin) {
        let known = self.plugins.iter().any(|known| known.artifact == plugin.artifact);
        if !known && !self.blocked.contains(&plugin.artifact) && self.prefixes.insert(plugin.prefix.clone()) {
            self.plugins.push(plugin);
        }
    }
}

/// What its POM says that lists need, if it has one.
pub(crate) fn pom_of(version: &PackageVersion) -> Option<PomMetadata> {
    let pom =
        version.assets.iter().find(|asset| asset.name.as_str().ends_with(".pom") && !asset.metadata.is_empty())?;
    Some(PomMetadata::read(&pom.metadata))
}

/// As Maven's plugin tools derive it: `acme-maven-plugin` and `maven-acme-plugin` are `acme`.
fn derived_prefix(artifact: &str) -> String {
    if artifact == "maven-plugin-plugin" {
        return "plugin".to_owned();
    }
    let mut words: Vec<&str> = artifact.split('-').collect();
    words.retain(|word| *word != "maven" && *word != "plugin");
    words.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_derived_as_maven_does() {
        for (artifact, prefix) in [
            ("acme-maven-plugin", "acme"),
            ("maven-acme-plugin", "acme"),
            ("maven-plugin-plugin", "plugin"),
            ("build-helper-maven-plugin", "build-helper"),
        ] {
            assert_eq!(derived_prefix(artifact), prefix);
        }
    }

    #[test]
    fn the_first_plugin_of_a_prefix_wins() {
        let plugin = |prefix: &str, artifact: &str| Plugin {
            name: String::new(),
            prefix: prefix.to_owned(),
            artifact: artifact.to_owned(),
        };
        let mut found = Found { blocked: HashSet::from(["ours".to_owned()]), ..Found::default() };
        for (prefix, artifact) in [("a", "one"), ("a", "two"), ("b", "one"), ("c", "ours"), ("d", "three")] {
            found.add(plugin(prefix, artifact));
        }
        assert_eq!(found.plugins, [plugin("a", "one"), plugin("d", "three")]);
    }
}
