//! The upstreams that a repository is created or updated with.

use std::sync::Arc;

use larder_core::access::{Action, RepositoryTarget};
use larder_core::error::Result;
use larder_core::model::{Domain, RepositoryName};
use larder_core::services::LinkableUpstream;
use serde::Deserialize;

use super::body;
use super::call::Call;

/// `UpstreamRepository`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BodyUpstream {
    repository_name: Option<String>,
}

/// Reads the names, in priority order.
pub(super) fn parse(upstreams: Vec<BodyUpstream>) -> Result<Vec<RepositoryName>> {
    let name = |upstream: BodyUpstream| {
        body::get("upstreams.member.repositoryName", upstream.repository_name.as_deref(), str::parse::<RepositoryName>)
    };
    upstreams.into_iter().map(name).collect()
}

/// Finds each upstream and authorizes linking the repository to it.
pub(super) async fn authorize(
    call: &Call<'_>,
    domain: &Arc<Domain>,
    repository: &RepositoryName,
    upstreams: &[RepositoryName],
) -> Result<Vec<LinkableUpstream>> {
    call.services.repositories.check_upstream_names(repository, upstreams)?;
    let mut allowed = Vec::with_capacity(upstreams.len());
    for name in upstreams {
        let repository = call.services.access.get_repository(domain, name).await?;
        let target = RepositoryTarget { domain: Arc::clone(domain), repository };
        allowed.push(call.authorize_also(Action::AssociateWithDownstreamRepository, target).await?);
    }
    Ok(allowed)
}
