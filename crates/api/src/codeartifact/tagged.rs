//! What tags hang on, and the rights that tags need.

use std::sync::Arc;

use larder_core::access::{Action, Allowed, DomainTarget, PackageGroupTarget, RepositoryTarget, Target};
use larder_core::error::{Error, ResourceType, Result};
use larder_core::model::{Arn, Domain, Repository, ResourceArn, Tag};

use super::call::Call;
use super::operations::param;

/// A domain, repository or package group named by its ARN.
#[derive(Debug, Clone)]
pub(super) enum TaggedTarget {
    Domain(DomainTarget),
    Repository(RepositoryTarget),
    PackageGroup(PackageGroupTarget),
}

impl Target for TaggedTarget {
    fn arn(&self, region: &str) -> Arn {
        match self {
            Self::Domain(target) => target.arn(region),
            Self::Repository(target) => target.arn(region),
            Self::PackageGroup(target) => target.arn(region),
        }
    }
    fn domain(&self) -> Option<&Arc<Domain>> {
        match self {
            Self::Domain(target) => target.domain(),
            Self::Repository(target) => target.domain(),
            Self::PackageGroup(target) => target.domain(),
        }
    }
    fn repository(&self) -> Option<&Arc<Repository>> {
        match self {
            Self::Domain(target) => target.repository(),
            Self::Repository(target) => target.repository(),
            Self::PackageGroup(target) => target.repository(),
        }
    }
    fn tagged(&self, region: &str) -> Option<Arn> {
        Some(self.arn(region))
    }
}

/// Finds what `resourceArn` names.
///
/// # Errors
/// [`Error::Validation`] for what is not the ARN of such a resource, [`Error::ResourceNotFound`] for one that is
/// not here.
pub(super) async fn find_tagged(call: &Call<'_>) -> Result<TaggedTarget> {
    let access = &call.services.access;
    let elsewhere = |region: &str| {
        Error::not_found(
            ResourceType::Other,
            region,
            format!("resourceArn is of region '{region}', this is '{}'", access.region()),
        )
    };
    let arn = call.query.get(param::RESOURCE_ARN, ResourceArn::parse)?;
    if arn.region() != access.region() {
        return Err(elsewhere(arn.region()));
    }
    match arn {
        ResourceArn::Domain { owner, domain, .. } => {
            Ok(TaggedTarget::Domain(DomainTarget { domain: access.get_domain(&owner, &domain).await? }))
        }
        ResourceArn::Repository { owner, domain, repository, .. } => {
            let domain = access.get_domain(&owner, &domain).await?;
            let repository = access.get_repository(&domain, &repository).await?;
            Ok(TaggedTarget::Repository(RepositoryTarget { domain, repository }))
        }
        ResourceArn::PackageGroup { owner, domain, pattern, .. } => {
            let domain = access.get_domain(&owner, &domain).await?;
            let target = PackageGroupTarget { domain, pattern };
            call.services.package_groups.check_exists(&target).await?;
            Ok(TaggedTarget::PackageGroup(target))
        }
    }
}

/// Authorizes an action that sets `tags`, which is `TagResource` or needs it as well (reference 2.11, 5.5).
pub(super) async fn authorize_with_tags<T: Target>(
    call: &Call<'_>,
    action: Action,
    target: T,
    tags: &[Tag],
) -> Result<Allowed<T>> {
    let access = &call.services.access;
    let context = tag_context(tags);
    if action != Action::TagResource && !tags.is_empty() {
        access.authorize_with(call.caller, Action::TagResource, target.clone(), &context).await?;
    }
    access.authorize_with(call.caller, action, target, &context).await
}

/// The condition keys that tags in a request give values to.
fn tag_context(tags: &[Tag]) -> Vec<(String, Vec<String>)> {
    if tags.is_empty() {
        return Vec::new();
    }
    let keys = tag_keys_context(tags.iter().map(|tag| tag.key.clone()).collect());
    tags.iter().map(|tag| (format!("aws:RequestTag/{}", tag.key), vec![tag.value.clone()])).chain([keys]).collect()
}

/// `aws:TagKeys`.
pub(super) fn tag_keys_context(keys: Vec<String>) -> (String, Vec<String>) {
    ("aws:TagKeys".to_owned(), keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_become_condition_values() {
        let tags = [Tag::new("team", "a").unwrap(), Tag::new("stage", "b").unwrap()];
        let value = |text: &str| vec![text.to_owned()];
        assert_eq!(
            tag_context(&tags),
            [
                ("aws:RequestTag/team".to_owned(), value("a")),
                ("aws:RequestTag/stage".to_owned(), value("b")),
                ("aws:TagKeys".to_owned(), vec!["team".to_owned(), "stage".to_owned()]),
            ]
        );
        assert!(tag_context(&[]).is_empty());
    }
}
