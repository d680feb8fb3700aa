//! How repositories look in answers.

use larder_core::model::{Arn, Repository, RepositorySummary};
use serde::Serialize;

/// `RepositoryDescription`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::codeartifact) struct RepositoryShape {
    name: String,
    administrator_account: String,
    domain_name: String,
    domain_owner: String,
    arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    upstreams: Vec<UpstreamShape>,
    external_connections: Vec<ExternalConnectionShape>,
    created_time: f64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UpstreamShape {
    repository_name: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ExternalConnectionShape {
    external_connection_name: &'static str,
    package_format: &'static str,
    status: &'static str,
}

impl RepositoryShape {
    pub(in crate::codeartifact) fn new(region: &str, repository: &Repository) -> Self {
        let Repository { name, domain_name, domain_owner, .. } = repository;
        Self {
            name: name.to_string(),
            administrator_account: repository.administrator.to_string(),
            domain_name: domain_name.to_string(),
            domain_owner: domain_owner.to_string(),
            arn: Arn::repository(region, domain_owner, domain_name, name).to_string(),
            description: repository.description.clone(),
            upstreams: repository
                .upstreams
                .iter()
                .map(|upstream| UpstreamShape { repository_name: upstream.name.to_string() })
                .collect(),
            external_connections: repository
                .external_connection
                .iter()
                .map(|connection| ExternalConnectionShape {
                    external_connection_name: connection.name(),
                    package_format: connection.format().as_str(),
                    status: "Available",
                })
                .collect(),
            created_time: repository.created_at.as_aws(),
        }
    }
}

/// The answer of the operations about one repository.
#[derive(Debug, Serialize)]
pub(in crate::codeartifact) struct RepositoryOutput {
    pub(in crate::codeartifact) repository: RepositoryShape,
}

/// `RepositorySummary`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::codeartifact) struct RepositorySummaryShape {
    name: String,
    administrator_account: String,
    domain_name: String,
    domain_owner: String,
    arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    created_time: f64,
}

impl RepositorySummaryShape {
    pub(in crate::codeartifact) fn new(region: &str, summary: RepositorySummary) -> Self {
        let RepositorySummary { name, administrator, domain_name, domain_owner, description, created_at } = summary;
        Self {
            arn: Arn::repository(region, &domain_owner, &domain_name, &name).to_string(),
            name: name.to_string(),
            administrator_account: administrator.to_string(),
            domain_name: domain_name.to_string(),
            domain_owner: domain_owner.to_string(),
            description,
            created_time: created_at.as_aws(),
        }
    }
}

/// The answer of both lists of repositories.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::codeartifact) struct RepositoriesOutput {
    pub(in crate::codeartifact) repositories: Vec<RepositorySummaryShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::codeartifact) next_token: Option<String>,
}
