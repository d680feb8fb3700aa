//! Which actions and condition keys exist (reference 5.4, 5.5).

use larder_core::access::Action;
use larder_core::ports::{PolicyKind, Varies};

/// Prefixes, in lower case, of keys whose values another request of the same principal to the same resource shares.
const STABLE_PREFIXES: &[&str] = &["aws:principal", "aws:resource"];
/// Further such keys.
const STABLE: &[&str] = &[
    "aws:username",
    "aws:userid",
    "aws:requestedregion",
    "sts:awsservicename",
    "aws:sourceidentity",
    "aws:federatedprovider",
];
/// Keys that say who is at the other end of the connection and how it is reached.
const OF_THE_PEER: &[&str] = &["aws:sourceip", "aws:securetransport"];
/// Keys that the service does not support.
const UNSUPPORTED: &[&str] = &["aws:referer", "aws:useragent"];

/// The actions of STS, those of operations that are not built included: policies are shared with AWS.
const STS_ACTIONS: &[&str] = &[
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "AssumeRoot",
    "DecodeAuthorizationMessage",
    "GetAccessKeyInfo",
    "GetCallerIdentity",
    "GetDelegatedAccessToken",
    "GetFederationToken",
    "GetServiceBearerToken",
    "GetSessionToken",
    "GetWebIdentityToken",
    "SetContext",
    "SetSourceIdentity",
    "TagGetWebIdentityToken",
    "TagSession",
];

/// How a key's value may change while principal and resource stay. Unknown keys count as varying with every request,
/// which costs a little time and is never wrong.
pub(super) fn varies(key: &str) -> Varies {
    let key = key.to_ascii_lowercase();
    if STABLE.contains(&key.as_str()) || STABLE_PREFIXES.iter().any(|prefix| key.starts_with(prefix)) {
        Varies::Never
    } else if OF_THE_PEER.contains(&key.as_str()) {
        Varies::WithPeer
    } else {
        Varies::WithRequest
    }
}

/// Whether the service ignores a key.
pub(super) fn is_unsupported_key(key: &str) -> bool {
    UNSUPPORTED.iter().any(|unsupported| unsupported.eq_ignore_ascii_case(key))
}

/// Checks an action of a new document.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check_action(kind: PolicyKind, pattern: &str) -> Result<(), String> {
    if kind == PolicyKind::Trust && pattern.get(..4).is_none_or(|service| !service.eq_ignore_ascii_case("sts:")) {
        return Err(format!("the action '{pattern}' is not one of STS; a role's policy says who may assume it"));
    }
    if pattern == "*" {
        return Ok(());
    }
    let Some((service, name)) = pattern.split_once(':') else {
        return Err(format!("'{pattern}' must be \"*\" or have the form service:Action"));
    };
    let service_character = |c: char| c.is_ascii_alphanumeric() || "-*?".contains(c);
    let name_character = |c: char| c.is_ascii_alphanumeric() || "*?".contains(c);
    if service.is_empty()
        || name.is_empty()
        || !service.chars().all(service_character)
        || !name.chars().all(name_character)
    {
        return Err(format!("'{pattern}' is not an action: letters, digits, '*' and '?' on both sides of one ':'"));
    }
    if pattern.contains(['*', '?']) {
        return Ok(());
    }
    if service.eq_ignore_ascii_case("codeartifact") {
        if Action::CODEARTIFACT.iter().any(|action| action.name().eq_ignore_ascii_case(name)) {
            return Ok(());
        }
        return Err(format!("the action '{pattern}' does not exist"));
    }
    if service.eq_ignore_ascii_case("sts") && kind != PolicyKind::Resource {
        if STS_ACTIONS.iter().any(|action| action.eq_ignore_ascii_case(name)) {
            return Ok(());
        }
        return Err(format!("the action '{pattern}' does not exist"));
    }
    // Policies of users are often shared with other services; those of domains and repositories speak of nothing else.
    let bearer = Action::GetServiceBearerToken.as_iam().eq_ignore_ascii_case(pattern);
    if kind == PolicyKind::Resource && !bearer {
        return Err(format!("the action '{pattern}' is not one of CodeArtifact's, which begin with codeartifact:"));
    }
    Ok(())
}

/// Checks a condition key of a new document.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check_key(key: &str) -> Result<(), String> {
    if is_unsupported_key(key) {
        return Err(format!("the condition key '{key}' is not supported by CodeArtifact"));
    }
    if key.get(.."codeartifact:".len()).is_some_and(|prefix| prefix.eq_ignore_ascii_case("codeartifact:")) {
        return Err(format!("CodeArtifact has no condition keys of its own, so '{key}' does not exist"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_principal_and_resource_stay_and_those_of_peer_and_request_vary() {
        for key in
            ["aws:PrincipalArn", "aws:PrincipalTag/team", "AWS:USERNAME", "aws:ResourceTag/x", "sts:AWSServiceName"]
        {
            assert_eq!(varies(key), Varies::Never, "{key}");
        }
        for key in [
            "aws:CurrentTime",
            "aws:EpochTime",
            "aws:RequestTag/x",
            "aws:TagKeys",
            "sts:DurationSeconds",
            "aws:SourceVpce",
            "unheard:Of",
        ] {
            assert_eq!(varies(key), Varies::WithRequest, "{key}");
        }
        for key in ["aws:SourceIp", "aws:SecureTransport", "AWS:SOURCEIP"] {
            assert_eq!(varies(key), Varies::WithPeer, "{key}");
        }
    }

    #[test]
    fn every_action_of_the_service_is_known() {
        for action in Action::CODEARTIFACT {
            assert_eq!(check_action(PolicyKind::Resource, action.as_iam()), Ok(()));
        }
    }

    #[test]
    fn actions_are_checked_where_they_are_spelled_out() {
        for pattern in
            ["*", "codeartifact:*", "codeartifact:Foo*", "CODEARTIFACT:getdomain*", "sts:GetServiceBearerToken"]
        {
            assert_eq!(check_action(PolicyKind::Resource, pattern), Ok(()), "{pattern}");
        }
        for pattern in
            ["codeartifact:Foo", "codeartifact:", ":Get", "codeartifact", "a:b:c", "s3:GetObject", "code artifact:X"]
        {
            assert!(check_action(PolicyKind::Resource, pattern).is_err(), "{pattern}");
        }
        assert_eq!(check_action(PolicyKind::Identity, "s3:GetObject"), Ok(()));
        assert!(check_action(PolicyKind::Identity, "codeartifact:Foo").is_err());
    }
}
