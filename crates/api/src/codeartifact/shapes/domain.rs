//! How a domain looks in answers.

use larder_core::model::{Arn, Revision};
use larder_core::services::DescribedDomain;
use serde::Serialize;

/// `DomainDescription`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::codeartifact) struct DomainShape {
    name: String,
    owner: String,
    arn: String,
    status: &'static str,
    created_time: f64,
    encryption_key: String,
    repository_count: u64,
    asset_size_bytes: u64,
    s3_bucket_arn: String,
}

impl DomainShape {
    pub(in crate::codeartifact) fn new(region: &str, described: &DescribedDomain) -> Self {
        let DescribedDomain { domain, usage } = described;
        Self {
            name: domain.name.to_string(),
            owner: domain.owner.to_string(),
            arn: Arn::domain(region, &domain.owner, &domain.name).to_string(),
            status: "Active",
            created_time: domain.created_at.as_aws(),
            encryption_key: domain.encryption_key.clone(),
            repository_count: usage.repository_count,
            asset_size_bytes: usage.asset_size_bytes,
            s3_bucket_arn: bucket_arn(region, domain.owner.as_str(), domain.name.as_str()),
        }
    }
}

/// A bucket's name in AWS's form. Larder keeps assets elsewhere; the same domain always gets the same name.
fn bucket_arn(region: &str, owner: &str, domain: &str) -> String {
    let [a, b, c, d, e, f, g, h, ..] = Revision::digest(["bucket", owner, domain].map(str::as_bytes));
    let digits = u64::from_le_bytes([a, b, c, d, e, f, g, h]) % 1_000_000_000_000;
    format!("arn:aws:s3:::assets-{digits:012}-{region}")
}

/// The answer of the operations that create, change or delete a domain.
#[derive(Debug, Serialize)]
pub(in crate::codeartifact) struct DomainOutput {
    pub(in crate::codeartifact) domain: DomainShape,
}
