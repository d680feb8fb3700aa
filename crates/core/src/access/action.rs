//! The actions of reference 5.4, spelled as IAM spells them.

/// Which resource policies are consulted for an action (reference 5.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyScope {
    /// None: the account level.
    Account,
    /// The domain's.
    Domain,
    /// None, though the resource is a domain: the policy does not govern changing itself.
    DomainPolicy,
    /// The domain's and the repository's.
    Repository,
    /// The domain's only: the repository policy does not govern changing itself.
    RepositoryPolicy,
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident: $scope:ident,)*) => {
        /// An action that a policy can allow or deny.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[$doc])* $name,)*
            /// `sts:GetServiceBearerToken`: a permission without an operation, from identity policies only.
            GetServiceBearerToken,
        }

        impl Action {
            /// All actions of the service `codeartifact`.
            pub const CODEARTIFACT: &'static [Self] = &[$(Self::$name,)*];

            /// As policies name it: `codeartifact:ReadFromRepository`.
            #[must_use]
            pub fn as_iam(self) -> &'static str {
                match self {
                    $(Self::$name => concat!("codeartifact:", stringify!($name)),)*
                    Self::GetServiceBearerToken => "sts:GetServiceBearerToken",
                }
            }

            /// Without the service prefix, as the journal has it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                    Self::GetServiceBearerToken => "GetServiceBearerToken",
                }
            }

            /// Whether it leaves everything as it is. A token is made, though it is called getting one.
            #[must_use]
            pub fn is_read(self) -> bool {
                self != Self::GetAuthorizationToken
                    && ["Describe", "Get", "List", "Read"].iter().any(|verb| self.name().starts_with(verb))
            }

            /// Which resource policies are consulted.
            #[must_use]
            pub fn scope(self) -> PolicyScope {
                match self {
                    $(Self::$name => PolicyScope::$scope,)*
                    Self::GetServiceBearerToken => PolicyScope::Account,
                }
            }
        }
    };
}

actions! {
    AssociateExternalConnection: Repository,
    /// On an upstream, when a repository is linked to it.
    AssociateWithDownstreamRepository: Repository,
    CopyPackageVersions: Repository,
    CreateDomain: Account,
    CreatePackageGroup: Domain,
    /// Evaluated on the domain and on the repository to be.
    CreateRepository: Domain,
    DeleteDomain: Domain,
    DeleteDomainPermissionsPolicy: Domain,
    DeletePackage: Repository,
    DeletePackageGroup: Domain,
    DeletePackageVersions: Repository,
    DeleteRepository: Repository,
    DeleteRepositoryPermissionsPolicy: Repository,
    DescribeDomain: Domain,
    DescribePackage: Repository,
    DescribePackageGroup: Domain,
    DescribePackageVersion: Repository,
    DescribeRepository: Repository,
    DisassociateExternalConnection: Repository,
    DisposePackageVersions: Repository,
    GetAssociatedPackageGroup: Domain,
    GetAuthorizationToken: Domain,
    GetDomainPermissionsPolicy: Domain,
    GetPackageVersionAsset: Repository,
    GetPackageVersionReadme: Repository,
    GetRepositoryEndpoint: Repository,
    GetRepositoryPermissionsPolicy: Repository,
    ListAllowedRepositoriesForGroup: Domain,
    ListAssociatedPackages: Domain,
    ListDomains: Account,
    ListPackageGroups: Domain,
    ListPackageVersionAssets: Repository,
    ListPackageVersionDependencies: Repository,
    ListPackageVersions: Repository,
    ListPackages: Repository,
    ListRepositories: Account,
    ListRepositoriesInDomain: Domain,
    ListSubPackageGroups: Domain,
    ListTagsForResource: Repository,
    PublishPackageVersion: Repository,
    PutDomainPermissionsPolicy: DomainPolicy,
    /// dist-tags, deprecation, Maven metadata.
    PutPackageMetadata: Repository,
    PutPackageOriginConfiguration: Repository,
    PutRepositoryPermissionsPolicy: RepositoryPolicy,
    /// Every read through a package manager's endpoint.
    ReadFromRepository: Repository,
    TagResource: Repository,
    UntagResource: Repository,
    UpdatePackageGroup: Domain,
    UpdatePackageGroupOriginConfiguration: Domain,
    UpdatePackageVersionsStatus: Repository,
    UpdateRepository: Repository,
}
