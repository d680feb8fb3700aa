//! Every operation of the CodeArtifact API, once: how it is called and what it may do to what.
//! Routing, authorization and the tests read this table (reference 1.6 and 5.4).

use http::Method;
use larder_core::access::Action;

/// A query parameter and the member it carries in SDKs and messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param {
    /// As it stands in the query.
    pub name: &'static str,
    /// As SDKs call it.
    pub member: &'static str,
}

/// The query parameters of all operations.
pub(crate) mod param {
    use super::Param;

    macro_rules! params {
        ($($constant:ident = $name:literal $member:literal;)*) => {
            $(pub(crate) const $constant: Param = Param { name: $name, member: $member };)*
        };
    }

    params! {
        ADMINISTRATOR_ACCOUNT = "administrator-account" "administratorAccount";
        ASSET = "asset" "asset";
        ASSET_NAME = "asset" "assetName";
        DESTINATION_REPOSITORY = "destination-repository" "destinationRepository";
        DOMAIN = "domain" "domain";
        DOMAIN_OWNER = "domain-owner" "domainOwner";
        DURATION = "duration" "durationSeconds";
        ENDPOINT_TYPE = "endpointType" "endpointType";
        EXTERNAL_CONNECTION = "external-connection" "externalConnection";
        FORMAT = "format" "format";
        MAX_RESULTS = "max-results" "maxResults";
        NAMESPACE = "namespace" "namespace";
        NEXT_TOKEN = "next-token" "nextToken";
        ORIGIN_RESTRICTION_TYPE = "originRestrictionType" "originRestrictionType";
        ORIGIN_TYPE = "originType" "originType";
        PACKAGE = "package" "package";
        PACKAGE_GROUP = "package-group" "packageGroup";
        PACKAGE_PREFIX = "package-prefix" "packagePrefix";
        POLICY_REVISION = "policy-revision" "policyRevision";
        PREFIX = "prefix" "prefix";
        PREVIEW = "preview" "preview";
        PUBLISH = "publish" "publish";
        REPOSITORY = "repository" "repository";
        REPOSITORY_PREFIX = "repository-prefix" "repositoryPrefix";
        RESOURCE_ARN = "resourceArn" "resourceArn";
        REVISION = "revision" "packageVersionRevision";
        SORT_BY = "sortBy" "sortBy";
        SOURCE_REPOSITORY = "source-repository" "sourceRepository";
        STATUS = "status" "status";
        UNFINISHED = "unfinished" "unfinished";
        UPSTREAM = "upstream" "upstream";
        VERSION = "version" "packageVersion";
    }
}

/// What an operation is authorized on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceKind {
    /// `*`
    Account,
    /// A domain to be created.
    NewDomain,
    Domain,
    /// A repository to be created.
    NewRepository,
    Repository,
    Package,
    /// A domain, repository or package group, named by its ARN.
    Tagged,
    /// A package group, which need not exist.
    PackageGroup,
}

/// One operation.
#[derive(Debug)]
pub struct Operation {
    /// The IAM action, whose name is the operation's.
    pub action: Action,
    pub method: Method,
    pub path: &'static str,
    /// Query parameters that must be there.
    pub required: &'static [Param],
    /// Query parameters that may be there.
    pub optional: &'static [Param],
    pub resource: ResourceKind,
}

impl Operation {
    /// As SDKs and IAM spell it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.action.name()
    }
}

/// Finds what a request asks for; `None` if nothing answers to it. Paths are compared as they are on the wire.
#[must_use]
pub fn find(method: &Method, path: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.path == path && operation.method == *method)
}

const fn operation(
    action: Action,
    method: Method,
    path: &'static str,
    required: &'static [Param],
    optional: &'static [Param],
    resource: ResourceKind,
) -> Operation {
    Operation { action, method, path, required, optional, resource }
}

use ResourceKind::{Account, Domain, NewDomain, NewRepository, Package, PackageGroup, Repository, Tagged};
use param::{
    ADMINISTRATOR_ACCOUNT, ASSET, ASSET_NAME, DESTINATION_REPOSITORY, DOMAIN, DOMAIN_OWNER, DURATION, ENDPOINT_TYPE,
    EXTERNAL_CONNECTION, FORMAT, MAX_RESULTS, NAMESPACE, NEXT_TOKEN, ORIGIN_RESTRICTION_TYPE, ORIGIN_TYPE, PACKAGE,
    PACKAGE_GROUP, PACKAGE_PREFIX, POLICY_REVISION, PREFIX, PREVIEW, PUBLISH, REPOSITORY, REPOSITORY_PREFIX,
    RESOURCE_ARN, REVISION, SORT_BY, SOURCE_REPOSITORY, STATUS, UNFINISHED, UPSTREAM, VERSION,
};

const DOMAIN_KEY: &[Param] = &[DOMAIN];
const REPOSITORY_KEY: &[Param] = &[DOMAIN, REPOSITORY];
const PACKAGE_KEY: &[Param] = &[DOMAIN, REPOSITORY, FORMAT, PACKAGE];
const VERSION_KEY: &[Param] = &[DOMAIN, REPOSITORY, FORMAT, PACKAGE, VERSION];
const OWNER: &[Param] = &[DOMAIN_OWNER];
const OWNER_NAMESPACE: &[Param] = &[DOMAIN_OWNER, NAMESPACE];
const GROUP_KEY: &[Param] = &[DOMAIN, PACKAGE_GROUP];
const OWNER_PAGE: &[Param] = &[DOMAIN_OWNER, MAX_RESULTS, NEXT_TOKEN];

/// The 48 operations, by name.
#[rustfmt::skip]
pub static OPERATIONS: &[Operation] = &[
    operation(Action::AssociateExternalConnection, Method::POST, "/v1/repository/external-connection", &[DOMAIN, REPOSITORY, EXTERNAL_CONNECTION], OWNER, Repository),
    operation(Action::CopyPackageVersions, Method::POST, "/v1/package/versions/copy", &[DOMAIN, SOURCE_REPOSITORY, DESTINATION_REPOSITORY, FORMAT, PACKAGE], OWNER_NAMESPACE, Package),
    operation(Action::CreateDomain, Method::POST, "/v1/domain", DOMAIN_KEY, &[], NewDomain),
    operation(Action::CreatePackageGroup, Method::POST, "/v1/package-group", DOMAIN_KEY, OWNER, PackageGroup),
    operation(Action::CreateRepository, Method::POST, "/v1/repository", REPOSITORY_KEY, OWNER, NewRepository),
    operation(Action::DeleteDomain, Method::DELETE, "/v1/domain", DOMAIN_KEY, OWNER, Domain),
    operation(Action::DeleteDomainPermissionsPolicy, Method::DELETE, "/v1/domain/permissions/policy", DOMAIN_KEY, &[DOMAIN_OWNER, POLICY_REVISION], Domain),
    operation(Action::DeletePackage, Method::DELETE, "/v1/package", PACKAGE_KEY, OWNER_NAMESPACE, Package),
    operation(Action::DeletePackageGroup, Method::DELETE, "/v1/package-group", GROUP_KEY, OWNER, PackageGroup),
    operation(Action::DeletePackageVersions, Method::POST, "/v1/package/versions/delete", PACKAGE_KEY, OWNER_NAMESPACE, Package),
    operation(Action::DeleteRepository, Method::DELETE, "/v1/repository", REPOSITORY_KEY, OWNER, Repository),
    // The only one of its family with a plural.
    operation(Action::DeleteRepositoryPermissionsPolicy, Method::DELETE, "/v1/repository/permissions/policies", REPOSITORY_KEY, &[DOMAIN_OWNER, POLICY_REVISION], Repository),
    operation(Action::DescribeDomain, Method::GET, "/v1/domain", DOMAIN_KEY, OWNER, Domain),
    operation(Action::DescribePackage, Method::GET, "/v1/package", PACKAGE_KEY, OWNER_NAMESPACE, Package),
    operation(Action::DescribePackageGroup, Method::GET, "/v1/package-group", GROUP_KEY, OWNER, PackageGroup),
    operation(Action::DescribePackageVersion, Method::GET, "/v1/package/version", VERSION_KEY, OWNER_NAMESPACE, Package),
    operation(Action::DescribeRepository, Method::GET, "/v1/repository", REPOSITORY_KEY, OWNER, Repository),
    operation(Action::DisassociateExternalConnection, Method::DELETE, "/v1/repository/external-connection", &[DOMAIN, REPOSITORY, EXTERNAL_CONNECTION], OWNER, Repository),
    operation(Action::DisposePackageVersions, Method::POST, "/v1/package/versions/dispose", PACKAGE_KEY, OWNER_NAMESPACE, Package),
    operation(Action::GetAssociatedPackageGroup, Method::GET, "/v1/get-associated-package-group", &[DOMAIN, FORMAT, PACKAGE], OWNER_NAMESPACE, PackageGroup),
    operation(Action::GetAuthorizationToken, Method::POST, "/v1/authorization-token", DOMAIN_KEY, &[DOMAIN_OWNER, DURATION], Domain),
    operation(Action::GetDomainPermissionsPolicy, Method::GET, "/v1/domain/permissions/policy", DOMAIN_KEY, OWNER, Domain),
    operation(Action::GetPackageVersionAsset, Method::GET, "/v1/package/version/asset", &[DOMAIN, REPOSITORY, FORMAT, PACKAGE, VERSION, ASSET], &[DOMAIN_OWNER, NAMESPACE, REVISION], Package),
    operation(Action::GetPackageVersionReadme, Method::GET, "/v1/package/version/readme", VERSION_KEY, OWNER_NAMESPACE, Package),
    operation(Action::GetRepositoryEndpoint, Method::GET, "/v1/repository/endpoint", &[DOMAIN, REPOSITORY, FORMAT], &[DOMAIN_OWNER, ENDPOINT_TYPE], Repository),
    operation(Action::GetRepositoryPermissionsPolicy, Method::GET, "/v1/repository/permissions/policy", REPOSITORY_KEY, OWNER, Repository),
    operation(Action::ListAllowedRepositoriesForGroup, Method::GET, "/v1/package-group-allowed-repositories", &[DOMAIN, PACKAGE_GROUP, ORIGIN_RESTRICTION_TYPE], OWNER_PAGE, PackageGroup),
    operation(Action::ListAssociatedPackages, Method::GET, "/v1/list-associated-packages", GROUP_KEY, &[DOMAIN_OWNER, MAX_RESULTS, NEXT_TOKEN, PREVIEW], PackageGroup),
    operation(Action::ListDomains, Method::POST, "/v1/domains", &[], &[], Account),
    operation(Action::ListPackageGroups, Method::POST, "/v1/package-groups", DOMAIN_KEY, &[DOMAIN_OWNER, MAX_RESULTS, NEXT_TOKEN, PREFIX], Domain),
    operation(Action::ListPackageVersionAssets, Method::POST, "/v1/package/version/assets", VERSION_KEY, &[DOMAIN_OWNER, NAMESPACE, MAX_RESULTS, NEXT_TOKEN], Package),
    operation(Action::ListPackageVersionDependencies, Method::POST, "/v1/package/version/dependencies", VERSION_KEY, &[DOMAIN_OWNER, NAMESPACE, NEXT_TOKEN], Package),
    operation(Action::ListPackageVersions, Method::POST, "/v1/package/versions", PACKAGE_KEY, &[DOMAIN_OWNER, NAMESPACE, STATUS, SORT_BY, MAX_RESULTS, NEXT_TOKEN, ORIGIN_TYPE], Package),
    operation(Action::ListPackages, Method::POST, "/v1/packages", REPOSITORY_KEY, &[DOMAIN_OWNER, FORMAT, NAMESPACE, PACKAGE_PREFIX, MAX_RESULTS, NEXT_TOKEN, PUBLISH, UPSTREAM], Repository),
    operation(Action::ListRepositories, Method::POST, "/v1/repositories", &[], &[REPOSITORY_PREFIX, MAX_RESULTS, NEXT_TOKEN], Account),
    operation(Action::ListRepositoriesInDomain, Method::POST, "/v1/domain/repositories", DOMAIN_KEY, &[DOMAIN_OWNER, ADMINISTRATOR_ACCOUNT, REPOSITORY_PREFIX, MAX_RESULTS, NEXT_TOKEN], Domain),
    operation(Action::ListSubPackageGroups, Method::POST, "/v1/package-groups/sub-groups", GROUP_KEY, OWNER_PAGE, PackageGroup),
    operation(Action::ListTagsForResource, Method::POST, "/v1/tags", &[RESOURCE_ARN], &[], Tagged),
    operation(Action::PublishPackageVersion, Method::POST, "/v1/package/version/publish", &[DOMAIN, REPOSITORY, FORMAT, PACKAGE, VERSION, ASSET_NAME], &[DOMAIN_OWNER, NAMESPACE, UNFINISHED], Package),
    // The only Put whose identifiers are in the body.
    operation(Action::PutDomainPermissionsPolicy, Method::PUT, "/v1/domain/permissions/policy", &[], &[], Domain),
    operation(Action::PutPackageOriginConfiguration, Method::POST, "/v1/package", PACKAGE_KEY, OWNER_NAMESPACE, Package),
    operation(Action::PutRepositoryPermissionsPolicy, Method::PUT, "/v1/repository/permissions/policy", REPOSITORY_KEY, OWNER, Repository),
    operation(Action::TagResource, Method::POST, "/v1/tag", &[RESOURCE_ARN], &[], Tagged),
    operation(Action::UntagResource, Method::POST, "/v1/untag", &[RESOURCE_ARN], &[], Tagged),
    operation(Action::UpdatePackageGroup, Method::PUT, "/v1/package-group", DOMAIN_KEY, OWNER, PackageGroup),
    operation(Action::UpdatePackageGroupOriginConfiguration, Method::PUT, "/v1/package-group-origin-configuration", GROUP_KEY, OWNER, PackageGroup),
    operation(Action::UpdatePackageVersionsStatus, Method::POST, "/v1/package/versions/update_status", PACKAGE_KEY, OWNER_NAMESPACE, Package),
    operation(Action::UpdateRepository, Method::PUT, "/v1/repository", REPOSITORY_KEY, OWNER, Repository),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_operation_of_the_model_is_listed_once() {
        // The three actions without an operation of their own (reference 5.4).
        let without =
            [Action::AssociateWithDownstreamRepository, Action::ReadFromRepository, Action::PutPackageMetadata];
        let mut actions: Vec<_> = Action::CODEARTIFACT.iter().filter(|action| !without.contains(action)).collect();
        actions.sort_by_key(|action| action.name());
        let listed: Vec<_> = OPERATIONS.iter().map(|operation| &operation.action).collect();
        assert_eq!(listed, actions);
        assert_eq!(listed.len(), 48);
    }

    #[test]
    fn no_two_operations_share_method_and_path() {
        let mut seen = HashSet::new();
        for operation in OPERATIONS {
            assert!(seen.insert((operation.method.as_str(), operation.path)), "{}", operation.name());
        }
    }

    #[test]
    fn every_operation_is_found() {
        for operation in OPERATIONS {
            assert_eq!(find(&operation.method, operation.path).map(Operation::name), Some(operation.name()));
        }
    }

    #[test]
    fn other_methods_and_paths_are_unknown() {
        for (method, path) in [
            (Method::PATCH, "/v1/domain"),
            (Method::GET, "/v1/domains"),
            (Method::GET, "/v1/domain/"),
            (Method::GET, "/domain"),
            (Method::GET, "/v1/%64omain"),
            (Method::GET, "/"),
        ] {
            assert!(find(&method, path).is_none(), "{method} {path}");
        }
    }
}
