//! Filling a repository beside its running server, faster than over HTTP: the same changes, many in one commit.

use std::path::Path;
use std::sync::Arc;

use larder_core::model::{
    AccountId, Actor, AllowPublish, DomainName, NewAsset, Origin, OriginRestrictions, PackageFormat, PackageKey,
    Publication, PublishMode, RepositoryName, TagUpdate, Timestamp, VersionDetails, VersionStatus, VersionText,
};
use larder_core::ports::{Change, Domains as _, MetadataStore as _, Packages as _, Repositories as _};
use larder_store::{DatabaseUrl, Store};
use larder_testkit::server::{ACCOUNT, DOMAIN, REPOSITORY};

use crate::load::Connection;
use crate::peers::{Larder, expect_success};
use crate::{Context, Result, corpus};

/// Changes under way at once: what one commit of the store takes.
const AT_ONCE: usize = 128;

/// What is multiplied: a package with one version, published over HTTP, whose text the copies share but for name and
/// version.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    pub(crate) format: PackageFormat,
    pub(crate) name: String,
    pub(crate) version: &'static str,
}

impl Template {
    /// An npm package with a tarball of 20 KB.
    pub(crate) fn npm() -> Self {
        Self { format: PackageFormat::Npm, name: "fill-template".to_owned(), version: "0.0.1-template" }
    }

    /// A gem of this name.
    pub(crate) fn ruby(name: &str) -> Self {
        Self { format: PackageFormat::Ruby, name: name.to_owned(), version: "0.7.3.1" }
    }

    /// A crate of this name.
    pub(crate) fn cargo(name: &str) -> Self {
        Self { format: PackageFormat::Cargo, name: name.to_owned(), version: "0.0.1-template" }
    }

    /// Publishes it.
    pub(crate) fn publish(&self, larder: &Larder, connection: &mut Connection) -> Result {
        let request = match self.format {
            PackageFormat::Ruby => {
                larder.ruby.send("POST", "api/v1/gems", &corpus::ruby::gem(&self.name, self.version, 100)?)
            }
            PackageFormat::Cargo => {
                let body = corpus::cargo::publish(&self.name, self.version, 100);
                larder.cargo.send("PUT", "api/v1/crates/new", &body)
            }
            _ => larder.npm.publish(&corpus::published(&self.name, self.version, 7, 19_500)),
        };
        expect_success(connection, &request)
    }
}

/// Adds the versions, given as package name and version, each with the template's files.
pub(crate) fn fill(data: &Path, of: &Template, versions: impl Iterator<Item = (String, String)>) -> Result {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.context("a runtime")?.block_on(async {
        let store =
            Store::open(&DatabaseUrl::Sqlite(data.join("larder.db")), "us-east-1").await.context("the store")?;
        let store = Arc::new(store);
        let template = template(&store, of).await?;
        let mut running = tokio::task::JoinSet::new();
        for (name, version) in versions {
            if running.len() >= AT_ONCE
                && let Some(done) = running.join_next().await
            {
                done.context("filling")??;
            }
            let (store, publication) = (Arc::clone(&store), copy(&template, of, &name, &version)?);
            running.spawn(async move {
                let actor = Actor {
                    principal: "bench".to_owned(),
                    address: None,
                    client: None,
                    operation: "PublishPackageVersion",
                    at: Timestamp(1_700_000_000_000),
                    request_id: "bench".to_owned(),
                };
                store.apply(&actor, Change::Publish(Box::new(publication))).await.map(drop).context("filling")
            });
        }
        while let Some(done) = running.join_next().await {
            done.context("filling")??;
        }
        Ok(())
    })
}

async fn template(store: &Store, of: &Template) -> Result<Publication> {
    let owner = AccountId::new(ACCOUNT).context("the account")?;
    let domain = DomainName::new(DOMAIN).context("the domain")?;
    let name = RepositoryName::new(REPOSITORY).context("the repository")?;
    let domain = store.find_domain(&owner, &domain).await.context("the domain")?.ok_or("there is no domain")?;
    let found = store.find_repository(domain.id, &name).await.context("the repository")?;
    let repository = found.ok_or("there is no repository")?;
    let key = PackageKey::new(of.format, None, &of.name).context("the template's name")?;
    let version = VersionText::new(of.version).context("the template's version")?;
    let found = store.find_version(repository.id, &key, &version).await.context("the template")?;
    let stored = found.ok_or("the template was not published")?;
    Ok(Publication {
        domain: domain.id,
        repository: repository.id,
        package: key,
        display_name: of.name.clone(),
        version,
        canonical: None,
        assets: stored
            .assets
            .into_iter()
            .map(|asset| NewAsset {
                name: asset.name,
                kind: asset.kind,
                digests: asset.digests,
                metadata: asset.metadata,
            })
            .collect(),
        metadata: stored.metadata,
        details: VersionDetails::default(),
        status: VersionStatus::Published,
        origin: Origin::internal(name),
        source_published_at: None,
        mode: PublishMode::NewVersion,
        tags: match of.format {
            PackageFormat::Npm => vec![TagUpdate { tag: "latest".to_owned(), only_if_absent: false }],
            _ => Vec::new(),
        },
        default_restrictions: OriginRestrictions::PUBLISHED,
        requires_publish: Some(AllowPublish::Allow),
    })
}

fn copy(template: &Publication, of: &Template, name: &str, version: &str) -> Result<Publication> {
    let text = String::from_utf8_lossy(&template.metadata).replace(&of.name, name).replace(of.version, version);
    Ok(Publication {
        package: PackageKey::new(of.format, None, name).context(name)?,
        display_name: name.to_owned(),
        version: VersionText::new(version).context(version)?,
        metadata: text.into_bytes().into(),
        ..template.clone()
    })
}
