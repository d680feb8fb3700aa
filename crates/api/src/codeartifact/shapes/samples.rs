//! Values for tests: the reference's own samples (1.5).

use larder_core::model::{
    AccountId, DomainId, DomainName, ExternalConnection, Origin, OriginRestrictions, Package, PackageFormat, PackageId,
    PackageKey, PackageVersion, Repository, RepositoryId, RepositoryName, Revision, Timestamp, Upstream, VersionId,
    VersionStatus, VersionText,
};

pub(crate) fn package() -> Package {
    Package {
        id: PackageId(1),
        key: PackageKey::new(PackageFormat::Npm, Some("vue"), "ui").unwrap(),
        display_name: "@vue/ui".into(),
        restrictions: OriginRestrictions::PUBLISHED,
        tags: Vec::new(),
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
        revision: 1,
    }
}

pub(crate) fn version() -> PackageVersion {
    PackageVersion {
        id: VersionId(1),
        version: VersionText::new("1.2.3").unwrap(),
        status: VersionStatus::Published,
        revision: Revision("Ciqe5/9yicvkJT13b5/LdLpCyE6fqA7poa9qp+FilPs=".into()),
        origin: Origin::external(ExternalConnection::parse("public:npmjs").unwrap()),
        source_published_at: None,
        first_seen_at: Timestamp(1_577_481_261_090),
        published_at: Timestamp(1_577_481_261_090),
        metadata: bytes::Bytes::new(),
        assets: Vec::new(),
    }
}

pub(crate) fn repository() -> Repository {
    Repository {
        id: RepositoryId(1),
        domain: DomainId(1),
        domain_owner: AccountId::new("111122223333").unwrap(),
        domain_name: DomainName::new("my-domain").unwrap(),
        name: RepositoryName::new("my-repo").unwrap(),
        administrator: AccountId::new("111122223333").unwrap(),
        description: Some("team repo".into()),
        created_at: Timestamp(1_583_075_193_861),
        upstreams: vec![Upstream {
            id: RepositoryId(2),
            name: RepositoryName::new("npm-store").unwrap(),
            dangling: false,
        }],
        external_connection: None,
        policy: None,
    }
}
