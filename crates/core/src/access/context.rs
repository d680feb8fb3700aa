//! The condition keys that a request brings along (reference 5.5): who asks, how, when and from where.

use super::{Caller, Via};
use crate::model::{PrincipalKind, Timestamp};

/// A condition key and its values.
pub(crate) type ConditionValue = (String, Vec<String>);

/// The global keys of a request, and those of the caller's session.
pub(super) fn of_caller(caller: &Caller, region: &str, now: Timestamp) -> Vec<ConditionValue> {
    let principal = &caller.principal;
    let mut context = Vec::new();
    let mut put = |key: &str, value: String| context.push((key.to_owned(), vec![value]));
    put("aws:PrincipalArn", principal.policy_arn().to_string());
    put("aws:PrincipalAccount", principal.account.to_string());
    put("aws:userid", principal.unique_id().to_owned());
    put("aws:RequestedRegion", region.to_owned());
    put("aws:SecureTransport", caller.secure_transport.to_string());
    put("aws:CurrentTime", now.rfc3339());
    put("aws:EpochTime", now.seconds().to_string());
    if let Some(address) = caller.address {
        put("aws:SourceIp", address.to_string());
    }
    match &principal.kind {
        PrincipalKind::User(user) => {
            put("aws:PrincipalType", "User".to_owned());
            put("aws:username", user.name.to_string());
        }
        PrincipalKind::AssumedRole(session) => {
            put("aws:PrincipalType", "AssumedRole".to_owned());
            put("aws:TokenIssueTime", session.issued_at.rfc3339());
            put("aws:MultiFactorAuthPresent", "false".to_owned());
            if let Some(identity) = &session.scope.source_identity {
                put("aws:SourceIdentity", identity.clone());
            }
            if let Some(provider) = &session.scope.provider {
                put("aws:FederatedProvider", provider.clone());
            }
            for (key, value) in session.principal_tags() {
                put(&format!("aws:PrincipalTag/{key}"), value.to_owned());
            }
        }
        PrincipalKind::WebIdentity(identity) => {
            put("aws:PrincipalType", "FederatedUser".to_owned());
            put("aws:FederatedProvider", identity.provider.clone());
        }
        PrincipalKind::System => {
            put("aws:PrincipalType", "User".to_owned());
            put("aws:username", principal.name().to_owned());
        }
    }
    if let (Via::Session(session), PrincipalKind::User(_)) = (&caller.via, &principal.kind) {
        put("aws:TokenIssueTime", session.created_at.rfc3339());
        put("aws:MultiFactorAuthPresent", "false".to_owned());
    }
    context
}

/// The value of a tag under its condition key, such as `aws:PrincipalTag/team`.
pub(super) fn tag(prefix: &str, key: &str, value: &str) -> ConditionValue {
    (format!("{prefix}/{key}"), vec![value.to_owned()])
}

/// As the evaluator takes them.
pub(super) fn borrowed(context: &[ConditionValue]) -> Vec<(&str, Vec<String>)> {
    context.iter().map(|(name, values)| (name.as_str(), values.clone())).collect()
}
