//! The CodeArtifact API: `rest-json`, version 2018-09-22 (reference 1.1-1.9).
//!
//! [`operations`] lists every operation; each has a file of its own with its input, its handler, its output and their
//! tests. A handler extracts, authorizes, calls a service and renders. To add an operation, write its file, list it
//! in the table and add it to the match below.

mod address;
mod batch;
mod body;
mod call;
mod characters;
mod explain;
pub(crate) mod fuzzing;
pub mod operations;
mod policy;
mod query;
mod shapes;
mod tagged;
mod upstreams;

mod associate_external_connection;
mod copy_package_versions;
mod create_domain;
mod create_package_group;
mod create_repository;
mod delete_domain;
mod delete_domain_permissions_policy;
mod delete_package;
mod delete_package_group;
mod delete_package_versions;
mod delete_repository;
mod delete_repository_permissions_policy;
mod describe_domain;
mod describe_package;
mod describe_package_group;
mod describe_package_version;
mod describe_repository;
mod disassociate_external_connection;
mod dispose_package_versions;
mod get_associated_package_group;
mod get_authorization_token;
mod get_domain_permissions_policy;
mod get_package_version_asset;
mod get_package_version_readme;
mod get_repository_endpoint;
mod get_repository_permissions_policy;
mod list_allowed_repositories_for_group;
mod list_associated_packages;
mod list_domains;
mod list_package_groups;
mod list_package_version_assets;
mod list_package_version_dependencies;
mod list_package_versions;
mod list_packages;
mod list_repositories;
mod list_repositories_in_domain;
mod list_sub_package_groups;
mod list_tags_for_resource;
mod publish_package_version;
mod put_domain_permissions_policy;
mod put_package_origin_configuration;
mod put_repository_permissions_policy;
mod tag_resource;
mod untag_resource;
mod update_package_group;
mod update_package_group_origin_configuration;
mod update_package_versions_status;
mod update_repository;

use bytes::Bytes;
use http::request::Parts;
use larder_auth::sigv4::{SignatureError, SignedRequest};
use larder_core::access::Action;
use larder_core::error::{Error, Result};
use larder_http::{PeerInfo, RequestBody, Response, note_principal};
use sha2::{Digest as _, Sha256};

use crate::api::Api;
use crate::authenticate::look_up;
use crate::error::ApiError;
use call::Call;
use query::Query;

#[cfg(test)]
pub(crate) use shapes::samples;

/// The longest JSON body.
const BODY_LIMIT_BYTES: u64 = 1 << 20;

/// Answers a request to this API.
pub(crate) async fn serve(
    api: &Api,
    parts: &Parts,
    body: RequestBody,
    signed: Result<SignedRequest, SignatureError>,
    peer: &PeerInfo,
    request_id: &str,
) -> Response {
    match answer(api, parts, body, signed, peer, request_id).await {
        Ok(response) => response,
        Err(error) => error.into_response(request_id),
    }
}

async fn answer(
    api: &Api,
    parts: &Parts,
    body: RequestBody,
    signed: Result<SignedRequest, SignatureError>,
    peer: &PeerInfo,
    request_id: &str,
) -> Result<Response, ApiError> {
    let operation = operations::find(&parts.method, parts.uri.path()).ok_or(ApiError::UnknownOperation)?;
    let claim = look_up(&api.services, signed?, peer).await?;
    let streams = operation.action == Action::PublishPackageVersion;
    let (body, content) = if streams {
        (Bytes::new(), Some((publish_package_version::declared_sha256(&parts.headers)?, body)))
    } else {
        (body.collect(BODY_LIMIT_BYTES).await?, None)
    };
    let body_sha256 = (!streams).then(|| Sha256::digest(&body).into());
    let caller = claim.verify(&api.services, &api.verifier, body_sha256.as_ref(), peer, request_id)?;
    let outcome = async {
        if let Some(throttle) = &api.services.throttle {
            throttle.count_call(&caller.principal.account, operation.action)?;
        }
        let query = Query::parse(parts.uri.query())?;
        query.require(operation)?;
        let call = Call {
            services: &api.services,
            endpoints: &api.endpoints,
            base_url: &peer.base_url,
            operation,
            caller: &caller,
            query,
            body,
        };
        match content {
            Some((sha256, content)) => publish_package_version::handle(&call, sha256, content).await,
            None => dispatch(&call).await,
        }
    };
    let mut response = outcome.await.unwrap_or_else(|error| ApiError::from(error).into_response(request_id));
    note_principal(&mut response, &caller.principal);
    Ok(response)
}

async fn dispatch(call: &Call<'_>) -> Result<Response> {
    match call.operation.action {
        Action::AssociateExternalConnection => associate_external_connection::handle(call).await,
        Action::CopyPackageVersions => copy_package_versions::handle(call).await,
        Action::CreateDomain => create_domain::handle(call).await,
        Action::CreatePackageGroup => create_package_group::handle(call).await,
        Action::CreateRepository => create_repository::handle(call).await,
        Action::DeleteDomain => delete_domain::handle(call).await,
        Action::DeleteDomainPermissionsPolicy => delete_domain_permissions_policy::handle(call).await,
        Action::DeletePackage => delete_package::handle(call).await,
        Action::DeletePackageGroup => delete_package_group::handle(call).await,
        Action::DeletePackageVersions => delete_package_versions::handle(call).await,
        Action::DeleteRepository => delete_repository::handle(call).await,
        Action::DeleteRepositoryPermissionsPolicy => delete_repository_permissions_policy::handle(call).await,
        Action::DescribeDomain => describe_domain::handle(call).await,
        Action::DescribePackage => describe_package::handle(call).await,
        Action::DescribePackageGroup => describe_package_group::handle(call).await,
        Action::DescribePackageVersion => describe_package_version::handle(call).await,
        Action::DescribeRepository => describe_repository::handle(call).await,
        Action::DisassociateExternalConnection => disassociate_external_connection::handle(call).await,
        Action::DisposePackageVersions => dispose_package_versions::handle(call).await,
        Action::GetAssociatedPackageGroup => get_associated_package_group::handle(call).await,
        Action::GetAuthorizationToken => get_authorization_token::handle(call).await,
        Action::GetDomainPermissionsPolicy => get_domain_permissions_policy::handle(call).await,
        Action::GetPackageVersionAsset => get_package_version_asset::handle(call).await,
        Action::GetPackageVersionReadme => get_package_version_readme::handle(call).await,
        Action::GetRepositoryEndpoint => get_repository_endpoint::handle(call).await,
        Action::GetRepositoryPermissionsPolicy => get_repository_permissions_policy::handle(call).await,
        Action::ListAllowedRepositoriesForGroup => list_allowed_repositories_for_group::handle(call).await,
        Action::ListAssociatedPackages => list_associated_packages::handle(call).await,
        Action::ListDomains => list_domains::handle(call).await,
        Action::ListPackageGroups => list_package_groups::handle(call).await,
        Action::ListPackageVersionAssets => list_package_version_assets::handle(call).await,
        Action::ListPackageVersionDependencies => list_package_version_dependencies::handle(call).await,
        Action::ListPackageVersions => list_package_versions::handle(call).await,
        Action::ListPackages => list_packages::handle(call).await,
        Action::ListRepositories => list_repositories::handle(call).await,
        Action::ListRepositoriesInDomain => list_repositories_in_domain::handle(call).await,
        Action::ListSubPackageGroups => list_sub_package_groups::handle(call).await,
        Action::ListTagsForResource => list_tags_for_resource::handle(call).await,
        Action::PutDomainPermissionsPolicy => put_domain_permissions_policy::handle(call).await,
        Action::PutPackageOriginConfiguration => put_package_origin_configuration::handle(call).await,
        Action::PutRepositoryPermissionsPolicy => put_repository_permissions_policy::handle(call).await,
        Action::ReadFromRepository => explain::handle(call).await,
        Action::TagResource => tag_resource::handle(call).await,
        Action::UntagResource => untag_resource::handle(call).await,
        Action::UpdatePackageGroup => update_package_group::handle(call).await,
        Action::UpdatePackageGroupOriginConfiguration => update_package_group_origin_configuration::handle(call).await,
        Action::UpdatePackageVersionsStatus => update_package_versions_status::handle(call).await,
        Action::UpdateRepository => update_repository::handle(call).await,
        other => Err(Error::internal(format!("{} is listed and has no handler", other.name()))),
    }
}
