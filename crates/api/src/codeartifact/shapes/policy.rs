//! How resource policies and tags look in answers.

use larder_core::model::Tag;
use larder_core::services::ResourcePolicy;
use serde::Serialize;

/// `ResourcePolicy`, as the answer of all six policy operations.
#[derive(Debug, Serialize)]
pub(in crate::codeartifact) struct PolicyOutput {
    policy: PolicyShape,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PolicyShape {
    resource_arn: String,
    revision: String,
    document: String,
}

impl PolicyOutput {
    pub(in crate::codeartifact) fn new(policy: ResourcePolicy) -> Self {
        let ResourcePolicy { resource_arn, revision, document } = policy;
        Self { policy: PolicyShape { resource_arn, revision: revision.0, document: document.as_ref().to_owned() } }
    }
}

/// `Tag`.
#[derive(Debug, Serialize)]
pub(in crate::codeartifact) struct TagShape {
    key: String,
    value: String,
}

impl From<Tag> for TagShape {
    fn from(Tag { key, value }: Tag) -> Self {
        Self { key, value }
    }
}
