//! Answers as the reference's samples have them.

use std::sync::Arc;

use larder_core::model::{
    AccountId, Digests, Domain, DomainId, DomainName, ExternalConnection, Origin, Repository, RepositorySummary,
    Revision, Sha256, Tag, Timestamp, VersionFailure, VersionFailureCode, VersionStatus, VersionText,
};
use larder_core::ports::Usage;
use larder_core::services::{DescribedDomain, ResourcePolicy};
use serde::Serialize;
use serde_json::{Value, json};

use super::*;

fn value(output: &impl Serialize) -> Value {
    serde_json::to_value(output).unwrap()
}

#[test]
fn a_domain_is_described_with_its_numbers() {
    let domain = Domain {
        id: DomainId(1),
        owner: AccountId::new("111122223333").unwrap(),
        name: DomainName::new("my-domain").unwrap(),
        encryption_key: "arn:aws:kms:us-west-2:111122223333:key/k".into(),
        created_at: Timestamp(1_583_075_193_861),
        policy: None,
    };
    let usage = Usage { repository_count: 2, asset_size_bytes: 1234 };
    let shape = DomainShape::new("us-west-2", &DescribedDomain { domain: Arc::new(domain), usage });
    let mut output = value(&DomainOutput { domain: shape });
    let bucket = output["domain"].as_object_mut().unwrap().remove("s3BucketArn").unwrap();
    assert_eq!(
        output,
        json!({"domain": {
            "name": "my-domain",
            "owner": "111122223333",
            "arn": "arn:aws:codeartifact:us-west-2:111122223333:domain/my-domain",
            "status": "Active",
            "createdTime": 1_583_075_193.861,
            "encryptionKey": "arn:aws:kms:us-west-2:111122223333:key/k",
            "repositoryCount": 2,
            "assetSizeBytes": 1234,
        }})
    );
    let digits = bucket.as_str().unwrap().strip_prefix("arn:aws:s3:::assets-").unwrap();
    let digits = digits.strip_suffix("-us-west-2").unwrap();
    assert!(digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_digit()), "{digits}");
}

#[test]
fn a_repository_is_described_with_its_links() {
    let repository = samples::repository();
    let expected = json!({"repository": {
        "name": "my-repo",
        "administratorAccount": "111122223333",
        "domainName": "my-domain",
        "domainOwner": "111122223333",
        "arn": "arn:aws:codeartifact:us-west-2:111122223333:repository/my-domain/my-repo",
        "description": "team repo",
        "upstreams": [{"repositoryName": "npm-store"}],
        "externalConnections": [],
        "createdTime": 1_583_075_193.861,
    }});
    let describe =
        |repository: &Repository| RepositoryOutput { repository: RepositoryShape::new("us-west-2", repository) };
    assert_eq!(value(&describe(&repository)), expected);

    let connected = Repository {
        upstreams: Vec::new(),
        external_connection: Some(ExternalConnection::parse("public:npmjs").unwrap()),
        ..repository
    };
    assert_eq!(
        value(&describe(&connected))["repository"]["externalConnections"],
        json!([{"externalConnectionName": "public:npmjs", "packageFormat": "npm", "status": "Available"}])
    );
}

#[test]
fn a_list_of_repositories_has_no_upstreams() {
    let repository = samples::repository();
    let summary = RepositorySummary {
        name: repository.name,
        administrator: repository.administrator,
        domain_name: repository.domain_name,
        domain_owner: repository.domain_owner,
        description: None,
        created_at: repository.created_at,
    };
    let repositories = vec![RepositorySummaryShape::new("us-west-2", summary)];
    assert_eq!(
        value(&RepositoriesOutput { repositories, next_token: Some("t".into()) }),
        json!({
            "repositories": [{
                "name": "my-repo",
                "administratorAccount": "111122223333",
                "domainName": "my-domain",
                "domainOwner": "111122223333",
                "arn": "arn:aws:codeartifact:us-west-2:111122223333:repository/my-domain/my-repo",
                "createdTime": 1_583_075_193.861,
            }],
            "nextToken": "t",
        })
    );
}

#[test]
fn a_package_summary_calls_the_name_package() {
    assert_eq!(
        value(&PackageSummaryShape::new(&samples::package())),
        json!({
            "format": "npm",
            "namespace": "vue",
            "package": "ui",
            "originConfiguration": {"restrictions": {"publish": "ALLOW", "upstream": "BLOCK"}},
        })
    );
}

#[test]
fn an_asset_has_all_four_hashes_in_lower_case() {
    let digests = Digests {
        md5: [0xAB; 16],
        sha1: [0xCD; 20],
        sha256: Sha256([0xEF; 32]),
        sha512: [0x01; 64],
        size_bytes: 5 << 30,
    };
    assert_eq!(
        value(&AssetShape::new("ui.tgz", &digests)),
        json!({
            "name": "ui.tgz",
            "size": 5_368_709_120_u64,
            "hashes": {
                "MD5": "ab".repeat(16),
                "SHA-1": "cd".repeat(20),
                "SHA-256": "ef".repeat(32),
                "SHA-512": "01".repeat(64),
            },
        })
    );
}

#[test]
fn a_versions_parts_are_listed_under_its_coordinate() {
    let version = samples::version();
    assert_eq!(
        value(&VersionCoordinate::new(&samples::package().key, &version.version, version.revision)),
        json!({
            "format": "npm",
            "namespace": "vue",
            "package": "ui",
            "version": "1.2.3",
            "versionRevision": "Ciqe5/9yicvkJT13b5/LdLpCyE6fqA7poa9qp+FilPs=",
        })
    );
}

#[test]
fn an_origin_names_the_first_way_into_the_domain() {
    let repository = samples::repository().name;
    assert_eq!(
        value(&OriginShape::new(&Origin::internal(repository))),
        json!({"domainEntryPoint": {"repositoryName": "my-repo"}, "originType": "INTERNAL"})
    );
}

#[test]
fn a_batch_keeps_its_order_and_has_both_maps() {
    let version = |text: &str| VersionText::new(text).unwrap();
    let failed = VersionFailure {
        code: VersionFailureCode::MismatchedStatus,
        message: "current status: Published, expected status: Unlisted".into(),
    };
    let outcome = vec![
        (version("4.1.0"), Ok((Revision("r2".into()), VersionStatus::Archived))),
        (version("4.0.0"), Ok((Revision("r1".into()), VersionStatus::Archived))),
        (version("1.0.0"), Err(failed)),
    ];
    let text = serde_json::to_string(&BatchOutput::new(outcome)).unwrap();
    assert_eq!(
        text,
        concat!(
            r#"{"successfulVersions":{"4.1.0":{"revision":"r2","status":"Archived"},"#,
            r#""4.0.0":{"revision":"r1","status":"Archived"}},"#,
            r#""failedVersions":{"1.0.0":{"errorCode":"MISMATCHED_STATUS","#,
            r#""errorMessage":"current status: Published, expected status: Unlisted"}}}"#
        )
    );
    assert_eq!(value(&BatchOutput::new(Vec::new())), json!({"successfulVersions": {}, "failedVersions": {}}));
}

#[test]
fn a_policys_document_is_one_string() {
    let policy =
        ResourcePolicy { resource_arn: "arn:x".into(), revision: Revision("r".into()), document: r#"{"a":1}"#.into() };
    assert_eq!(
        value(&PolicyOutput::new(policy)),
        json!({"policy": {"resourceArn": "arn:x", "revision": "r", "document": "{\"a\":1}"}})
    );
    let tag = TagShape::from(Tag { key: "team".into(), value: "a".into() });
    assert_eq!(value(&tag), json!({"key": "team", "value": "a"}));
}
