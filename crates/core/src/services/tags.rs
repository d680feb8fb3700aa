//! Tags on domains and repositories (reference 2.11).

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::access::{Allowed, Target};
use crate::error::{Error, ResourceType, Result};
use crate::model::{Cooldown, Tag};
use crate::ports::{Change, MetadataStore};

/// Sets, removes and lists tags.
pub struct TagService {
    store: Arc<dyn MetadataStore>,
    region: Arc<str>,
}

impl TagService {
    /// Wires it up. `region` stands in the ARNs that tags hang on.
    #[must_use]
    pub fn new(store: Arc<dyn MetadataStore>, region: Arc<str>) -> Self {
        Self { store, region }
    }

    /// Adds tags; a key that is there gets the new value.
    ///
    /// # Errors
    /// [`Error::Validation`] for a key given twice, [`Error::QuotaExceeded`] beyond [`Tag::LIMIT`] tags.
    pub async fn tag<T: Target>(&self, allowed: &Allowed<T>, tags: Vec<Tag>) -> Result<()> {
        let tags = tag_set(tags)?;
        check_settings(&tags, allowed.target().has_settings())?;
        let resource = allowed.target().arn(&self.region).to_string();
        let mut keys: BTreeSet<_> = self.store.list_tags(&resource).await?.into_iter().map(|tag| tag.key).collect();
        keys.extend(tags.iter().map(|tag| tag.key.clone()));
        if keys.len() > Tag::LIMIT {
            return Err(Error::QuotaExceeded {
                resource_type: ResourceType::Other,
                message: format!("a resource has at most {} tags; remove some first", Tag::LIMIT),
                resource_id: resource,
            });
        }
        self.store.apply(allowed.actor(), Change::Tag { resource, tags }).await?;
        Ok(())
    }

    /// Removes tags; keys that are not there are ignored.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn untag<T: Target>(&self, allowed: &Allowed<T>, keys: Vec<String>) -> Result<()> {
        let resource = allowed.target().arn(&self.region).to_string();
        self.store.apply(allowed.actor(), Change::Untag { resource, keys }).await?;
        Ok(())
    }

    /// All tags, in key order.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list<T: Target>(&self, allowed: &Allowed<T>) -> Result<Vec<Tag>> {
        self.store.list_tags(allowed.target().arn(&self.region).as_str()).await
    }
}

/// Tags that may be set together: few enough, no key twice.
pub(super) fn tag_set(tags: Vec<Tag>) -> Result<Vec<Tag>> {
    if tags.len() > Tag::LIMIT {
        return Err(Error::validation("tags", format!("at most {} tags may be given", Tag::LIMIT)));
    }
    let mut keys = BTreeSet::new();
    if let Some(twice) = tags.iter().find(|tag| !keys.insert(&tag.key)) {
        return Err(Error::validation("tags", format!("the tag key '{}' is given more than once", twice.key)));
    }
    Ok(tags)
}

/// Whether tags that are settings of Larder can be set, and on such a resource.
pub(super) fn check_settings(tags: &[Tag], has_settings: bool) -> Result<()> {
    for tag in tags.iter().filter(|tag| Cooldown::is_setting(&tag.key)) {
        if !has_settings {
            let message = format!("the tag '{}' is a setting of repositories and package groups", tag.key);
            return Err(Error::validation("tags", message));
        }
        Cooldown::check_tag(tag).map_err(|invalid| invalid.in_field("tags"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str) -> Tag {
        Tag::new(key, "value").unwrap()
    }

    #[test]
    fn a_key_may_be_given_once_and_keys_differ_by_case() {
        assert!(tag_set(vec![tag("a"), tag("A")]).is_ok());
        assert!(matches!(tag_set(vec![tag("a"), tag("b"), tag("a")]), Err(Error::Validation { .. })));
    }

    #[test]
    fn two_hundred_tags_may_be_given_and_no_more() {
        let tags = |n: usize| (0..n).map(|n| tag(&n.to_string())).collect::<Vec<_>>();
        assert!(tag_set(tags(200)).is_ok());
        assert!(tag_set(tags(201)).is_err());
    }
}
