//! The structures that several answers hold.

use larder_core::model::{Identity, ManagedPolicy, ManagedPolicyVersion, RoleDetails, Tag};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::query_protocol::Xml;

/// All but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A policy document as IAM answers it: URL-encoded (RFC 3986).
pub(super) fn encoded(document: &str) -> String {
    utf8_percent_encode(document, RESERVED).to_string()
}

/// A user's members.
pub(super) fn user(xml: &mut Xml, user: &Identity) {
    xml.text("Path", &user.path);
    xml.text("UserName", &user.name);
    xml.text("UserId", &user.id);
    xml.text("Arn", user.arn().as_str());
    xml.text("CreateDate", &user.created_at.rfc3339());
}

/// A group's members.
pub(super) fn group(xml: &mut Xml, group: &Identity) {
    xml.text("Path", &group.path);
    xml.text("GroupName", &group.name);
    xml.text("GroupId", &group.id);
    xml.text("Arn", group.arn().as_str());
    xml.text("CreateDate", &group.created_at.rfc3339());
}

/// A role's members.
pub(super) fn role(xml: &mut Xml, role: &Identity, details: &RoleDetails) {
    xml.text("Path", &role.path);
    xml.text("RoleName", &role.name);
    xml.text("RoleId", &role.id);
    xml.text("Arn", role.arn().as_str());
    xml.text("CreateDate", &role.created_at.rfc3339());
    xml.text("AssumeRolePolicyDocument", &encoded(&details.trust_policy));
    xml.optional("Description", Some(&*details.description).filter(|text| !text.is_empty()));
    xml.text("MaxSessionDuration", &details.max_session_seconds.to_string());
}

/// A managed policy's members. Its description is in some answers only.
pub(super) fn policy(xml: &mut Xml, policy: &ManagedPolicy) {
    xml.text("PolicyName", &policy.name);
    xml.text("PolicyId", &policy.id);
    xml.text("Arn", &policy.arn);
    xml.text("Path", &policy.path);
    xml.text("DefaultVersionId", &format!("v{}", policy.default_version));
    xml.text("AttachmentCount", &policy.attachments.to_string());
    xml.text("PermissionsBoundaryUsageCount", "0");
    xml.text("IsAttachable", "true");
    xml.text("CreateDate", &policy.created_at.rfc3339());
    xml.text("UpdateDate", &policy.updated_at.rfc3339());
}

/// A version's members, with its document where the answer holds it.
pub(super) fn policy_version(xml: &mut Xml, version: &ManagedPolicyVersion, default: u32, document: bool) {
    if document {
        xml.text("Document", &encoded(&version.document));
    }
    xml.text("VersionId", &format!("v{}", version.number));
    xml.text("IsDefaultVersion", if version.number == default { "true" } else { "false" });
    xml.text("CreateDate", &version.created_at.rfc3339());
}

/// A list of tags.
pub(super) fn tags(xml: &mut Xml, tags: &[Tag]) {
    if !tags.is_empty() {
        xml.nested("Tags", |xml| tags.iter().for_each(|tag| xml.nested("member", |xml| self::tag(xml, tag))));
    }
}

/// A tag's members.
pub(super) fn tag(xml: &mut Xml, tag: &Tag) {
    xml.text("Key", &tag.key);
    xml.text("Value", &tag.value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_url_encoded() {
        assert_eq!(encoded("{\"a\": \"é~-._*\"}"), "%7B%22a%22%3A%20%22%C3%A9~-._%2A%22%7D");
    }
}
