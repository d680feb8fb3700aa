//! One call of an operation: what came in, and the steps that all handlers share.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use larder_core::access::{
    AccountTarget, Action, Allowed, Caller, DomainTarget, PackageGroupTarget, PackageTarget, RepositoryTarget, Target,
};
use larder_core::error::Result;
use larder_core::model::{AccountId, Domain, PackageFormat, PackageKey, VersionText};
use larder_core::services::Services;
use larder_http::Response;
use larder_http::response;
use serde::Serialize;

use super::address::{DomainAddress, PackageAddress, PackageGroupAddress, PackageName, RepositoryAddress};
use super::operations::{Operation, ResourceKind, param};
use super::query::Query;
use crate::endpoint_url::EndpointUrls;

/// A call by an authenticated caller.
pub(crate) struct Call<'a> {
    pub(crate) services: &'a Services,
    pub(crate) endpoints: &'a EndpointUrls,
    /// This server's address as the client sees it.
    pub(crate) base_url: &'a str,
    pub(crate) operation: &'static Operation,
    pub(crate) caller: &'a Caller,
    pub(crate) query: Query,
    /// The JSON body; empty for the one operation that streams its own.
    pub(crate) body: Bytes,
}

impl Call<'_> {
    /// The account that an absent `domainOwner` stands for.
    pub(super) fn account(&self) -> &AccountId {
        &self.caller.principal.account
    }

    /// Finds a domain.
    pub(super) async fn domain(&self, address: &DomainAddress) -> Result<Arc<Domain>> {
        let owner = address.owner.as_ref().unwrap_or_else(|| self.account());
        self.services.access.get_domain(owner, &address.name).await
    }

    /// Finds a repository.
    pub(super) async fn repository(&self, address: &RepositoryAddress) -> Result<RepositoryTarget> {
        let domain = self.domain(&address.domain).await?;
        let repository = self.services.access.get_repository(&domain, &address.name).await?;
        Ok(RepositoryTarget { domain, repository })
    }

    /// Authorizes the operation at the account level.
    pub(super) async fn authorize_account(&self) -> Result<Allowed<AccountTarget>> {
        self.authorize(ResourceKind::Account, AccountTarget).await
    }

    /// Authorizes the operation on a domain.
    pub(super) async fn authorize_domain(&self, address: &DomainAddress) -> Result<Allowed<DomainTarget>> {
        let domain = self.domain(address).await?;
        self.authorize(ResourceKind::Domain, DomainTarget { domain }).await
    }

    /// Authorizes the operation on a repository.
    pub(super) async fn authorize_repository(&self, address: &RepositoryAddress) -> Result<Allowed<RepositoryTarget>> {
        let target = self.repository(address).await?;
        self.authorize(ResourceKind::Repository, target).await
    }

    /// Authorizes the operation on a package, which need not exist.
    pub(super) async fn authorize_package(&self, address: &PackageAddress) -> Result<Allowed<PackageTarget>> {
        let target = self.repository(&address.repository).await?;
        let target = PackageTarget::new(&target, self.package_key(&address.package)?);
        self.authorize(ResourceKind::Package, target).await
    }

    /// Authorizes the operation on a package group, which need not exist.
    pub(super) async fn authorize_package_group(
        &self,
        address: PackageGroupAddress,
    ) -> Result<Allowed<PackageGroupTarget>> {
        let domain = self.domain(&address.domain).await?;
        self.authorize(ResourceKind::PackageGroup, PackageGroupTarget { domain, pattern: address.pattern }).await
    }

    /// Authorizes the operation, which the table lists for this kind of resource.
    pub(super) async fn authorize<T: Target>(&self, kind: ResourceKind, target: T) -> Result<Allowed<T>> {
        debug_assert_eq!(self.operation.resource, kind, "{} is listed for another resource", self.operation.name());
        self.services.access.authorize(self.caller, self.operation.action, target).await
    }

    /// Authorizes a further action that the operation needs.
    pub(super) async fn authorize_also<T: Target>(&self, action: Action, target: T) -> Result<Allowed<T>> {
        self.services.access.authorize(self.caller, action, target).await
    }

    /// The package by its format's rules.
    pub(super) fn package_key(&self, package: &PackageName) -> Result<PackageKey> {
        self.services
            .formats
            .package_key(package.format, package.namespace.as_deref(), &package.name)
            .map_err(|rule| rule.in_field(param::PACKAGE.member))
    }

    /// The version by its format's rules.
    pub(super) fn version(&self, format: PackageFormat, version: &VersionText) -> Result<VersionText> {
        self.services.formats.version(format, version.as_str()).map_err(|rule| rule.in_field(param::VERSION.member))
    }
}

/// The answer of an operation.
pub(super) fn answer(output: &impl Serialize) -> Response {
    response::json(StatusCode::OK, output)
}
