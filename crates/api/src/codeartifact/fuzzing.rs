//! Reads a request's query and body as every operation would.

use larder_core::error::Result;

use super::address::{PackageGroupAddress, VersionAddress};
use super::batch::BatchBody;
use super::operations::{OPERATIONS, param};
use super::policy::PolicyMembers;
use super::query::Query;
use super::{
    body, copy_package_versions, create_domain, create_package_group, create_repository, delete_package_versions,
    get_authorization_token, get_package_version_asset, list_domains, list_package_versions, list_packages,
    publish_package_version, put_domain_permissions_policy, put_package_origin_configuration, tag_resource,
    untag_resource, update_package_group, update_package_group_origin_configuration, update_package_versions_status,
    update_repository,
};

/// Drops what was read; whether it is good is not the question.
fn read<T>(result: Result<T>) {
    drop(result);
}

/// Reads both parts by all of their parsers.
pub(crate) fn read_call(query: &str, content: &[u8]) {
    if let Ok(query) = Query::parse(Some(query)) {
        for operation in OPERATIONS {
            read(query.require(operation));
            read(query.page(operation, 1));
            read(list_domains::parse(operation, content));
        }
        read(VersionAddress::parse(&query));
        read(PackageGroupAddress::parse(&query));
        read(list_packages::parse_filter(&query));
        read(list_package_versions::parse_filter(&query));
        read(get_package_version_asset::Input::parse(&query));
        read(publish_package_version::Input::parse(&query));
        read(query.get_optional(param::DURATION, get_authorization_token::parse_duration));
        read(create_domain::Input::parse(&query, content));
        read(copy_package_versions::Input::parse(&query, content));
    }
    read(create_package_group::Input::parse(content));
    read(update_package_group::Input::parse(content));
    read(update_package_group_origin_configuration::parse(content));
    read(create_repository::Input::parse(content));
    read(update_repository::Input::parse(content));
    read(put_domain_permissions_policy::parse(content));
    read(body::parse::<PolicyMembers>(content).and_then(PolicyMembers::parse));
    read(put_package_origin_configuration::parse(content));
    read(tag_resource::parse(content));
    read(untag_resource::parse(content));
    for batch in [
        body::parse::<BatchBody>(content),
        delete_package_versions::parse(content),
        update_package_versions_status::parse(content).map(|(batch, _)| batch),
    ] {
        read(batch.and_then(|batch| batch.selection(|version| Ok(version.clone()))));
    }
    read(body::parse::<BatchBody>(content).and_then(|batch| batch.either(|version| Ok(version.clone()))));
}
