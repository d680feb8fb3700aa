//! Sessions of roles: how resource policies name them, what session policies limit, whom trust policies trust.

use larder_core::model::{AccessKeyId, RoleSession, SessionName, SessionRole, SessionScope, Timestamp, WebIdentity};
use larder_core::ports::{Grant, TrustQuestion};

use super::*;

const PROVIDER: &str = "arn:aws:iam::111122223333:oidc-provider/issuer.example";
const ROLE: &str = "arn:aws:iam::111122223333:role/ci/builder";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/builder/run-7";

fn session() -> Principal {
    Principal::assumed_role(RoleSession {
        role: SessionRole {
            account: AccountId::new(ACCOUNT).unwrap(),
            path: "/ci/".to_owned(),
            name: "builder".to_owned(),
            id: "AROAEXAMPLEEXAMPLEAAA".to_owned(),
        },
        name: SessionName::new("run-7").unwrap(),
        user_id: "AROAEXAMPLEEXAMPLEAAA:run-7".to_owned(),
        access_key: AccessKeyId::new("ASIAEXAMPLEEXAMPLE01").unwrap(),
        issued_at: Timestamp(0),
        scope: SessionScope::default(),
        role_tags: Vec::new(),
    })
}

fn federated(provider: &str) -> Principal {
    Principal::web_identity(WebIdentity {
        account: AccountId::new(ACCOUNT).unwrap(),
        provider: provider.to_owned(),
        subject: "repo:octo/app".to_owned(),
    })
}

fn identity(effect: &str, action: &str) -> String {
    format!(r#"{{"Statement": {{"Effect": "{effect}", "Action": "{action}", "Resource": "*"}}}}"#)
}

fn resource(effect: &str, principal: &str) -> String {
    format!(r#"{{"Statement": {{"Effect": "{effect}", "Principal": {principal}, "Action": "*", "Resource": "*"}}}}"#)
}

fn aws(arn: &str) -> String {
    format!(r#"{{"AWS": "{arn}"}}"#)
}

#[test]
fn resource_policies_name_a_session_by_its_role_by_itself_or_by_its_account() {
    for (principal, fits) in [
        (aws(ROLE), true),
        (aws(SESSION), true),
        (aws("AROAEXAMPLEEXAMPLEAAA"), true),
        (aws("arn:aws:iam::111122223333:root"), true),
        (aws("111122223333"), true),
        (r#""*""#.to_owned(), true),
        // The path belongs to the role's name, and a session of another name is another one.
        (aws("arn:aws:iam::111122223333:role/builder"), false),
        (aws("arn:aws:sts::111122223333:assumed-role/builder/run-8"), false),
        (aws("arn:aws:sts::111122223333:assumed-role/ci/builder/run-7"), false),
        (aws("arn:aws:iam::111122223333:user/builder"), false),
        (aws("444455556666"), false),
    ] {
        let resource_policies = vec![resource("Allow", &principal)];
        let ask = Ask { principal: session(), resource_policies, ..Ask::default() };
        assert_eq!(ask.verdict().resource == Effect::Allow, fits, "{principal}");
    }
}

#[test]
fn session_policies_limit_all_but_what_is_granted_to_just_this_session() {
    let read = "codeartifact:ReadFromRepository";
    let (allow, other, deny) =
        (identity("Allow", read), identity("Allow", "codeartifact:DescribeDomain"), identity("Deny", read));
    let verdict = |identity: &[&String], resource_policy: Option<String>, session_policies: Option<&[&String]>| {
        let owned = |texts: &[&String]| texts.iter().map(|text| (*text).clone()).collect::<Vec<_>>();
        let ask = Ask {
            principal: session(),
            identity: owned(identity),
            resource_policies: resource_policy.into_iter().collect(),
            session_policies: session_policies.map(owned),
            ..Ask::default()
        };
        let verdict = ask.verdict();
        (verdict.identity, verdict.resource)
    };
    let (yes, no, never) = (Effect::Allow, Effect::Silent, Effect::Deny);
    // The role's policies.
    assert_eq!(verdict(&[&allow], None, None), (yes, no));
    assert_eq!(verdict(&[&allow], None, Some(&[&allow])), (yes, no));
    assert_eq!(verdict(&[&allow], None, Some(&[&other])), (no, no));
    assert_eq!(verdict(&[&allow], None, Some(&[&other, &allow])), (yes, no), "several add up");
    assert_eq!(verdict(&[&allow], None, Some(&[])), (no, no), "limited to nothing");
    assert_eq!(verdict(&[&other], None, Some(&[&allow])), (no, no), "they grant nothing themselves");
    assert_eq!(verdict(&[&allow], None, Some(&[&allow, &deny])), (never, no));
    assert_eq!(verdict(&[&deny], None, Some(&[&allow])), (never, no));
    // Resource policies.
    for (principal, limited) in [(aws(ROLE), no), (aws(ACCOUNT), no), (r#""*""#.to_owned(), no), (aws(SESSION), yes)] {
        assert_eq!(verdict(&[], Some(resource("Allow", &principal)), Some(&[&other])), (no, limited), "{principal}");
        assert_eq!(verdict(&[], Some(resource("Allow", &principal)), Some(&[&allow])), (no, yes), "{principal}");
    }
    assert_eq!(verdict(&[], Some(resource("Deny", &aws(ROLE))), Some(&[&allow])), (no, never));
    assert_eq!(verdict(&[], Some(resource("Allow", &aws(SESSION))), Some(&[&deny])), (never, yes));
}

fn trust(principal: &Principal, statement: &str, action: &str, context: &Values) -> (Effect, Grant) {
    let document = format!(r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", {statement}}}]}}"#);
    let evaluator = Evaluator::new();
    evaluator.validate(PolicyKind::Trust, &document).unwrap_or_else(|wrong| panic!("{document}: {wrong}"));
    let trust_policy = Arc::from(document);
    evaluator.evaluate_trust(&TrustQuestion { principal, action, context, trust_policy: &trust_policy })
}

#[test]
fn trust_policies_say_whom_they_trust_and_how_they_name_them() {
    let alice = user(ACCOUNT, "alice");
    for (principal, named, expected) in [
        (&alice, aws("arn:aws:iam::111122223333:user/alice"), Some(Grant::Principal)),
        (&alice, aws("arn:aws:iam::111122223333:root"), Some(Grant::Account)),
        (
            &alice,
            r#"{"AWS": ["111122223333", "arn:aws:iam::111122223333:user/alice"]}"#.to_owned(),
            Some(Grant::Principal),
        ),
        (&alice, r#"{"AWS": "*"}"#.to_owned(), Some(Grant::Principal)),
        (&alice, aws("arn:aws:iam::111122223333:user/bob"), None),
        (&alice, r#"{"Service": "codebuild.amazonaws.com"}"#.to_owned(), None),
        (&session(), aws(ROLE), Some(Grant::Principal)),
        (&session(), aws(SESSION), Some(Grant::Session)),
        (&federated(PROVIDER), format!(r#"{{"Federated": "{PROVIDER}"}}"#), Some(Grant::Principal)),
        (
            &federated("arn:aws:iam::111122223333:oidc-provider/other.example"),
            format!(r#"{{"Federated": "{PROVIDER}"}}"#),
            None,
        ),
        // Neither everybody nor an account is whom a provider vouches for.
        (&federated(PROVIDER), r#"{"AWS": "*"}"#.to_owned(), None),
        (&federated(PROVIDER), r#""*""#.to_owned(), None),
        (&federated(PROVIDER), aws(ACCOUNT), None),
        (&alice, format!(r#"{{"Federated": "{PROVIDER}"}}"#), None),
    ] {
        let statement = format!(r#""Principal": {named}, "Action": "sts:*""#);
        let (effect, grant) = trust(principal, &statement, "sts:AssumeRole", &Values::new());
        assert_eq!((effect == Effect::Allow).then_some(grant), expected, "{named} {}", principal.arn());
    }
}

#[test]
fn trust_policies_have_conditions_on_claims_and_on_the_session() {
    let statement = format!(
        r#""Principal": {{"Federated": "{PROVIDER}"}}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {{
            "StringEquals": {{"issuer.example:aud": "larder"}},
            "StringLike": {{"issuer.example:sub": "repo:octo/*"}}}}"#
    );
    let caller = federated(PROVIDER);
    let ask = |aud: &str, sub: &str, action: &str| {
        let context = vec![("issuer.example:aud", vec![aud.to_owned()]), ("issuer.example:sub", vec![sub.to_owned()])];
        trust(&caller, &statement, action, &context).0 == Effect::Allow
    };
    assert!(ask("larder", "repo:octo/app", "sts:AssumeRoleWithWebIdentity"));
    assert!(!ask("other", "repo:octo/app", "sts:AssumeRoleWithWebIdentity"));
    assert!(!ask("larder", "repo:evil/app", "sts:AssumeRoleWithWebIdentity"));
    assert!(!ask("larder", "repo:octo/app", "sts:TagSession"));
}

#[test]
fn documents_that_are_no_trust_policies_are_refused() {
    let refuse = |statement: &str| {
        let document = format!(r#"{{"Statement": {{"Effect": "Allow", {statement}}}}}"#);
        Evaluator::new().validate(PolicyKind::Trust, &document).expect_err(statement).to_string()
    };
    for (statement, words) in [
        (r#""Action": "sts:AssumeRole""#, "Principal is missing"),
        (r#""Principal": "*", "Action": "sts:AssumeRole", "Resource": "*""#, "Resource is not allowed"),
        (r#""Principal": "*", "Action": "codeartifact:GetDomain""#, "not one of STS"),
        (r#""Principal": "*", "Action": "*""#, "not one of STS"),
        (r#""Principal": "*", "Action": "sts:AssumeRoles""#, "does not exist"),
        (r#""Principal": {"Federated": "issuer/example"}, "Action": "sts:AssumeRole""#, "identity provider"),
        (
            r#""Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/*"}, "Action": "sts:AssumeRole""#,
            "identity provider",
        ),
        (r#""NotPrincipal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole""#, "NotPrincipal must not allow"),
    ] {
        let said = refuse(statement);
        assert!(said.contains(words), "{said}");
    }
}
