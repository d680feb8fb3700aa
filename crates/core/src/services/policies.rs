//! Resource policies of domains and repositories (reference 2.12).

use std::sync::Arc;

use crate::access::{Allowed, DomainTarget, RepositoryTarget, Target};
use crate::error::{Error, ResourceType, Result, ValidationReason};
use crate::model::{Revision, Timestamp};
use crate::ports::{Change, MetadataStore, PolicyEvaluator, PolicyKind};

/// The longest document, in characters (reference 1.2).
const DOCUMENT_LIMIT: usize = 7168;

/// Reads and writes resource policies.
pub struct PolicyService {
    store: Arc<dyn MetadataStore>,
    policies: Arc<dyn PolicyEvaluator>,
    region: Arc<str>,
}

/// A policy and what it hangs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourcePolicy {
    pub resource_arn: String,
    pub revision: Revision,
    pub document: Arc<str>,
}

/// What carries a resource policy: a domain or a repository.
pub trait PolicyTarget: Target {
    /// The present policy.
    fn policy(&self) -> Option<&(Arc<str>, Revision)>;
    /// What kind of thing it is, and its name, for messages.
    fn described(&self) -> (ResourceType, String);
    /// The write that replaces (`Some`) or removes the policy.
    fn change(&self, expected: Option<Revision>, document: Option<(String, Revision)>) -> Change;
}

impl PolicyTarget for DomainTarget {
    fn policy(&self) -> Option<&(Arc<str>, Revision)> {
        self.domain.policy.as_ref()
    }
    fn described(&self) -> (ResourceType, String) {
        (ResourceType::Domain, self.domain.name.to_string())
    }
    fn change(&self, expected: Option<Revision>, document: Option<(String, Revision)>) -> Change {
        Change::PutDomainPolicy { domain: self.domain.id, expected, document }
    }
}

impl PolicyTarget for RepositoryTarget {
    fn policy(&self) -> Option<&(Arc<str>, Revision)> {
        self.repository.policy.as_ref()
    }
    fn described(&self) -> (ResourceType, String) {
        (ResourceType::Repository, self.repository.name.to_string())
    }
    fn change(&self, expected: Option<Revision>, document: Option<(String, Revision)>) -> Change {
        Change::PutRepositoryPolicy { repository: self.repository.id, expected, document }
    }
}

impl PolicyService {
    /// Wires it up. `region` stands in the ARNs of answers.
    #[must_use]
    pub fn new(store: Arc<dyn MetadataStore>, policies: Arc<dyn PolicyEvaluator>, region: Arc<str>) -> Self {
        Self { store, policies, region }
    }

    /// The present policy.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if there is none.
    pub fn get<T: PolicyTarget>(&self, allowed: &Allowed<T>) -> Result<ResourcePolicy> {
        let target = allowed.target();
        let (document, revision) = target.policy().ok_or_else(|| no_policy(target))?;
        Ok(self.resource_policy(target, Arc::clone(document), revision.clone()))
    }

    /// Replaces the policy; `expected` is the revision that must be current, if given.
    ///
    /// # Errors
    /// [`Error::Validation`] for a document that is not a resource policy, [`Error::Conflict`] if `expected` is not
    /// current.
    pub async fn put<T: PolicyTarget>(
        &self,
        allowed: &Allowed<T>,
        document: &str,
        expected: Option<Revision>,
    ) -> Result<ResourcePolicy> {
        self.check(document)?;
        let target = allowed.target();
        let revision = next_revision(target.policy(), document, allowed.actor().at);
        let change = target.change(expected, Some((document.to_owned(), revision.clone())));
        self.store.apply(allowed.actor(), change).await?;
        Ok(self.resource_policy(target, document.into(), revision))
    }

    /// Removes the policy and answers it.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if there is none, [`Error::Conflict`] if `expected` is not current.
    pub async fn delete<T: PolicyTarget>(
        &self,
        allowed: &Allowed<T>,
        expected: Option<Revision>,
    ) -> Result<ResourcePolicy> {
        let last = self.get(allowed)?;
        self.store.apply(allowed.actor(), allowed.target().change(expected, None)).await?;
        Ok(last)
    }

    fn check(&self, document: &str) -> Result<()> {
        if document.chars().count() > DOCUMENT_LIMIT {
            let message = format!("policyDocument has at most {DOCUMENT_LIMIT} characters");
            return Err(Error::validation("policyDocument", message));
        }
        self.policies.validate(PolicyKind::Resource, document).map_err(|invalid| {
            let is_json = serde_json::from_str::<serde::de::IgnoredAny>(document).is_ok();
            Error::Validation {
                field: "policyDocument".into(),
                reason: if is_json { ValidationReason::FieldValidationFailed } else { ValidationReason::CannotParse },
                message: invalid.to_string(),
            }
        })
    }

    fn resource_policy<T: PolicyTarget>(&self, target: &T, document: Arc<str>, revision: Revision) -> ResourcePolicy {
        ResourcePolicy { resource_arn: target.arn(&self.region).to_string(), revision, document }
    }
}

/// A revision that no earlier policy of this resource had, even if it had the same text.
fn next_revision(present: Option<&(Arc<str>, Revision)>, document: &str, at: Timestamp) -> Revision {
    let before = present.map_or("", |(_, revision)| revision.as_str());
    Revision::of([before.as_bytes(), document.as_bytes(), &at.0.to_le_bytes()])
}

fn no_policy<T: PolicyTarget>(target: &T) -> Error {
    let (resource_type, name) = target.described();
    let kind = resource_type.as_aws().unwrap_or_default();
    Error::not_found(resource_type, name.clone(), format!("No policy found for ({kind}): ({name})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn putting_the_same_text_again_makes_a_new_revision() {
        let first = next_revision(None, "{}", Timestamp(1));
        let second = next_revision(Some(&("{}".into(), first.clone())), "{}", Timestamp(1));
        assert_ne!(first, second);
        assert_ne!(next_revision(None, "{}", Timestamp(2)), first);
        assert_eq!(first.as_str().len(), 44);
    }
}
