//! The elements `Credentials` and `AssumedRoleUser`.

use larder_core::services::{Assumed, Credentials};

use crate::query_protocol::Xml;

/// `Credentials`. The one place where they are shown.
pub(super) fn write(xml: &mut Xml, credentials: &Credentials) {
    xml.nested("Credentials", |xml| {
        xml.text("AccessKeyId", credentials.access_key.as_str());
        xml.text("SecretAccessKey", credentials.secret.expose());
        xml.text("SessionToken", &credentials.session_token);
        // Whole seconds, as AWS writes them.
        xml.text("Expiration", &credentials.expires_at.rfc3339().replace(".000Z", "Z"));
    });
}

/// What all operations that assume a role answer.
pub(super) fn write_assumed(xml: &mut Xml, assumed: &Assumed) {
    write(xml, &assumed.credentials);
    xml.nested("AssumedRoleUser", |xml| {
        xml.text("AssumedRoleId", &assumed.id);
        xml.text("Arn", &assumed.arn);
    });
    xml.optional("PackedPolicySize", assumed.packed_policy_percent.map(|percent| percent.to_string()).as_deref());
    xml.optional("SourceIdentity", assumed.source_identity.as_deref());
}
