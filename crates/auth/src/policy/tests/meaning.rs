//! What documents mean.

use super::*;

fn allows(members: &str, ask: Ask) -> bool {
    statement(&format!("'Effect': 'Allow', {members}"), ask).identity == Effect::Allow
}

#[test]
fn actions_match_by_wildcard_without_case() {
    for (action, fits) in [
        ("'*'", true),
        ("'codeartifact:*'", true),
        ("'codeartifact:Read*'", true),
        ("'CODEARTIFACT:readfromrepository'", true),
        ("'codeartifact:?eadFromRepository'", true),
        ("['codeartifact:ListDomains', 'codeartifact:ReadFromRepository']", true),
        ("'codeartifact:ListDomains'", false),
        ("'s3:*'", false),
    ] {
        assert_eq!(allows(&format!("'Action': {action}, 'Resource': '*'"), Ask::default()), fits, "{action}");
        assert_eq!(allows(&format!("'NotAction': {action}, 'Resource': '*'"), Ask::default()), !fits, "{action}");
    }
}

#[test]
fn resources_match_by_wildcard_with_case() {
    for (resource, fits) in [
        ("'*'", true),
        ("'arn:aws:codeartifact:us-east-1:111122223333:repository/my-domain/my-repo'", true),
        ("'arn:aws:codeartifact:*:*:repository/my-domain/*'", true),
        ("'arn:aws:codeartifact:*'", true),
        ("'arn:aws:codeartifact:us-east-1:111122223333:repository/my-domain/MY-REPO'", false),
        ("'arn:aws:codeartifact:us-east-1:111122223333:domain/my-domain'", false),
        ("['arn:aws:s3:::x', 'arn:aws:codeartifact:us-east-1:111122223333:*']", true),
    ] {
        let document = format!("'Action': '*', 'Resource': {resource}");
        assert_eq!(allows(&document, Ask::default()), fits, "{resource}");
        assert_eq!(allows(&document.replace("'Resource'", "'NotResource'"), Ask::default()), !fits, "{resource}");
    }
}

#[test]
fn a_resource_may_name_its_user() {
    let members =
        "'Action': '*', 'Resource': 'arn:aws:codeartifact:us-east-1:111122223333:repository/my-domain/${aws:username}'";
    let ask = |name: &str| Ask {
        resource: REPOSITORY.replace("my-repo", "alice"),
        context: vec![("aws:username", vec![name.to_owned()])],
        ..Ask::default()
    };
    assert!(allows(members, ask("alice")));
    assert!(!allows(members, ask("bob")));
}

#[test]
fn deny_wins_wherever_it_stands() {
    let allow = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#.to_owned();
    let deny = r#"{"Statement": {"Effect": "Deny", "Action": "codeartifact:Read*", "Resource": "*"}}"#.to_owned();
    for identity in [vec![allow.clone(), deny.clone()], vec![deny, allow.clone()]] {
        let verdict = Ask { identity, ..Ask::default() }.verdict();
        assert_eq!((verdict.identity, verdict.resource), (Effect::Deny, Effect::Silent));
    }
    assert_eq!(Ask { identity: vec![allow], ..Ask::default() }.verdict().identity, Effect::Allow);
    assert_eq!(Ask::default().verdict().identity, Effect::Silent);
}

#[test]
fn resource_policies_are_about_their_principals() {
    for (principal, alice, bob, stranger) in [
        (r#""Principal": "*""#, true, true, true),
        (r#""Principal": {"AWS": "*"}"#, true, true, true),
        (r#""Principal": {"AWS": "111122223333"}"#, true, true, false),
        (r#""Principal": {"AWS": "arn:aws:iam::111122223333:root"}"#, true, true, false),
        (r#""Principal": {"AWS": ["arn:aws:iam::111122223333:user/alice", "444455556666"]}"#, true, false, true),
        (r#""Principal": {"Service": "codebuild.amazonaws.com"}"#, false, false, false),
        (r#""Principal": {"Federated": "x", "CanonicalUser": "y"}"#, false, false, false),
        (r#""NotPrincipal": {"AWS": "arn:aws:iam::111122223333:user/alice"}"#, false, true, true),
        (r#""NotPrincipal": {"AWS": "111122223333"}"#, false, false, true),
        (r#""NotPrincipal": {"Service": "codebuild.amazonaws.com"}"#, true, true, true),
    ] {
        let document =
            format!(r#"{{"Statement": {{"Effect": "Allow", {principal}, "Action": "*", "Resource": "*"}}}}"#);
        for (user, fits) in
            [(user(ACCOUNT, "alice"), alice), (user(ACCOUNT, "bob"), bob), (user("444455556666", "carol"), stranger)]
        {
            let ask = Ask { principal: user, resource_policies: vec![document.clone()], ..Ask::default() };
            assert_eq!(ask.verdict().resource == Effect::Allow, fits, "{principal} {}", ask.principal.arn());
            assert_eq!(ask.verdict().identity, Effect::Silent);
        }
    }
}

#[test]
fn a_document_that_does_not_parse_denies() {
    let allow = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#.to_owned();
    let verdict = Ask { identity: vec![allow.clone(), "{".to_owned()], ..Ask::default() }.verdict();
    assert_eq!(verdict.identity, Effect::Deny);
    // The same text is wrong in the other place, where a principal is needed.
    assert_eq!(Ask { resource_policies: vec![allow], ..Ask::default() }.verdict().resource, Effect::Deny);
}

#[test]
fn string_operators_compare_as_their_names_say() {
    let key: &[(&str, &[&str])] = &[("aws:PrincipalTag/team", &["Blue"])];
    for (condition, holds) in [
        ("'StringEquals': {'aws:PrincipalTag/team': 'Blue'}", true),
        ("'StringEquals': {'aws:PrincipalTag/team': 'blue'}", false),
        ("'StringEquals': {'AWS:principaltag/TEAM': ['Red', 'Blue']}", true),
        ("'StringEquals': {'aws:PrincipalTag/team': 'B*'}", false),
        ("'StringNotEquals': {'aws:PrincipalTag/team': ['Red', 'Blue']}", false),
        ("'StringNotEquals': {'aws:PrincipalTag/team': ['Red', 'Green']}", true),
        ("'StringEqualsIgnoreCase': {'aws:PrincipalTag/team': 'bLUE'}", true),
        ("'StringNotEqualsIgnoreCase': {'aws:PrincipalTag/team': 'bLUE'}", false),
        ("'StringLike': {'aws:PrincipalTag/team': 'B?u*'}", true),
        ("'StringLike': {'aws:PrincipalTag/team': 'b*'}", false),
        ("'StringNotLike': {'aws:PrincipalTag/team': 'B*'}", false),
        ("'StringLike': {'aws:PrincipalTag/team': '${aws:PrincipalTag/team}'}", true),
    ] {
        assert_eq!(condition_holds(condition, key), holds, "{condition}");
    }
}

#[test]
fn numbers_dates_booleans_and_bytes_compare_as_their_names_say() {
    let context: &[(&str, &[&str])] = &[
        ("sts:DurationSeconds", &["3600"]),
        ("aws:CurrentTime", &["2026-03-04T05:06:07.000Z"]),
        ("aws:EpochTime", &["1772600767"]),
        ("aws:SecureTransport", &["false"]),
        ("test:Bytes", &["AQID"]),
    ];
    for (condition, holds) in [
        ("'NumericEquals': {'sts:DurationSeconds': 3600}", true),
        ("'NumericEquals': {'sts:DurationSeconds': '3600.0'}", true),
        ("'NumericNotEquals': {'sts:DurationSeconds': 3600}", false),
        ("'NumericLessThan': {'sts:DurationSeconds': 3600}", false),
        ("'NumericLessThanEquals': {'sts:DurationSeconds': 3600}", true),
        ("'NumericGreaterThan': {'sts:DurationSeconds': [5000, 900]}", true),
        ("'NumericGreaterThanEquals': {'sts:DurationSeconds': 3601}", false),
        ("'DateGreaterThan': {'aws:CurrentTime': '2026-03-04'}", true),
        ("'DateLessThan': {'aws:CurrentTime': '2026-03-04T06:06:07+01:00'}", false),
        ("'DateEquals': {'aws:CurrentTime': '2026-03-04T06:06:07+01:00'}", true),
        ("'DateNotEquals': {'aws:CurrentTime': '2026-03-04T05:06:07Z'}", false),
        ("'DateGreaterThanEquals': {'aws:EpochTime': '2026-03-04T05:06:07Z'}", true),
        ("'DateLessThanEquals': {'aws:CurrentTime': 1772600766}", false),
        ("'Bool': {'aws:SecureTransport': false}", true),
        ("'Bool': {'aws:SecureTransport': 'FALSE'}", true),
        ("'Bool': {'aws:SecureTransport': 'true'}", false),
        ("'BinaryEquals': {'test:Bytes': 'AQID'}", true),
        ("'BinaryEquals': {'test:Bytes': 'AQIE'}", false),
    ] {
        assert_eq!(condition_holds(condition, context), holds, "{condition}");
    }
}

#[test]
fn addresses_compare_by_network() {
    let v4: &[(&str, &[&str])] = &[("aws:SourceIp", &["203.0.113.9"])];
    let v6: &[(&str, &[&str])] = &[("aws:SourceIp", &["2001:db8::9"])];
    for (condition, in_v4, in_v6) in [
        ("'IpAddress': {'aws:SourceIp': '203.0.113.0/24'}", true, false),
        ("'IpAddress': {'aws:SourceIp': ['198.51.100.0/24', '2001:db8::/32']}", false, true),
        ("'IpAddress': {'aws:SourceIp': '203.0.113.9'}", true, false),
        ("'NotIpAddress': {'aws:SourceIp': '203.0.113.0/24'}", false, true),
        ("'IpAddress': {'aws:SourceIp': '0.0.0.0/0'}", true, false),
        ("'IpAddress': {'aws:SourceIp': '::/0'}", false, true),
    ] {
        assert_eq!(condition_holds(condition, v4), in_v4, "{condition}");
        assert_eq!(condition_holds(condition, v6), in_v6, "{condition}");
    }
}

#[test]
fn arns_compare_part_by_part() {
    let context: &[(&str, &[&str])] =
        &[("aws:PrincipalArn", &["arn:aws:iam::111122223333:user/alice"]), ("aws:username", &["alice"])];
    for (condition, holds) in [
        ("'ArnEquals': {'aws:PrincipalArn': 'arn:aws:iam::111122223333:user/alice'}", true),
        ("'ArnLike': {'aws:PrincipalArn': 'arn:aws:iam::*:user/al*'}", true),
        ("'ArnLike': {'aws:PrincipalArn': 'arn:aws:iam::111122223333:user/${aws:username}'}", true),
        ("'ArnLike': {'aws:PrincipalArn': 'arn:aws:iam::111122223333:${aws:username}'}", false),
        // A wildcard stays within its part.
        ("'ArnLike': {'aws:PrincipalArn': 'arn:*:*:*:*:role/alice'}", false),
        ("'StringLike': {'aws:PrincipalArn': 'arn:*alice'}", true),
        ("'ArnLike': {'aws:PrincipalArn': '*'}", true),
        ("'ArnNotEquals': {'aws:PrincipalArn': 'arn:aws:iam::*:user/alice'}", false),
        ("'ArnNotLike': {'aws:PrincipalArn': 'arn:aws:iam::*:user/bob'}", true),
        ("'ArnLike': {'aws:username': 'arn:*:*:*:*:*'}", false),
    ] {
        assert_eq!(condition_holds(condition, context), holds, "{condition}");
    }
}

#[test]
fn a_missing_key_fails_what_asserts_and_passes_what_denies() {
    for (condition, holds) in [
        ("'StringEquals': {'aws:PrincipalTag/x': 'a'}", false),
        ("'StringEqualsIfExists': {'aws:PrincipalTag/x': 'a'}", true),
        ("'StringNotEquals': {'aws:PrincipalTag/x': 'a'}", true),
        ("'StringNotLikeIfExists': {'aws:PrincipalTag/x': 'a'}", true),
        ("'NumericLessThan': {'sts:DurationSeconds': 5}", false),
        ("'DateGreaterThanIfExists': {'aws:TokenIssueTime': '2026'}", true),
        ("'Bool': {'aws:MultiFactorAuthPresent': 'false'}", false),
        ("'BoolIfExists': {'aws:MultiFactorAuthPresent': 'true'}", true),
        ("'IpAddress': {'aws:SourceIp': '0.0.0.0/0'}", false),
        ("'NotIpAddress': {'aws:SourceIp': '0.0.0.0/0'}", true),
        ("'ArnNotLike': {'aws:SourceArn': 'arn:aws:s3:::*'}", true),
        ("'Null': {'aws:TokenIssueTime': 'true'}", true),
        ("'Null': {'aws:TokenIssueTime': 'false'}", false),
        ("'ForAllValues:StringEquals': {'aws:TagKeys': 'a'}", true),
        ("'ForAnyValue:StringEquals': {'aws:TagKeys': 'a'}", false),
        ("'ForAnyValue:StringNotEquals': {'aws:TagKeys': 'a'}", false),
        ("'ForAnyValue:StringEqualsIfExists': {'aws:TagKeys': 'a'}", true),
    ] {
        assert_eq!(condition_holds(condition, &[]), holds, "{condition}");
        // A key without values is a missing key.
        assert_eq!(condition_holds(condition, &[("aws:TagKeys", &[])]), holds, "{condition}");
    }
}

#[test]
fn set_qualifiers_look_at_every_value_or_any() {
    let context: &[(&str, &[&str])] = &[("aws:TagKeys", &["team", "cost"])];
    for (condition, holds) in [
        ("'ForAllValues:StringEquals': {'aws:TagKeys': ['team', 'cost', 'x']}", true),
        ("'ForAllValues:StringEquals': {'aws:TagKeys': 'team'}", false),
        ("'ForAnyValue:StringEquals': {'aws:TagKeys': 'team'}", true),
        ("'ForAnyValue:StringLike': {'aws:TagKeys': 'x*'}", false),
        ("'ForAllValues:StringNotEquals': {'aws:TagKeys': 'team'}", false),
        ("'ForAllValues:StringNotLike': {'aws:TagKeys': 'x*'}", true),
        ("'ForAnyValue:StringNotEquals': {'aws:TagKeys': 'team'}", true),
        ("'ForAnyValue:StringNotEquals': {'aws:TagKeys': ['team', 'cost']}", false),
        ("'StringEquals': {'aws:TagKeys': 'cost'}", true),
        ("'StringNotEquals': {'aws:TagKeys': 'cost'}", false),
        ("'Null': {'aws:TagKeys': 'false'}", true),
    ] {
        assert_eq!(condition_holds(condition, context), holds, "{condition}");
    }
}

#[test]
fn all_conditions_of_a_statement_must_hold() {
    let context: &[(&str, &[&str])] = &[("aws:username", &["alice"]), ("aws:userid", &["AIDA"])];
    let first = "'StringEquals': {'aws:username': 'alice', 'aws:userid': 'AIDA'}";
    assert!(condition_holds(first, context));
    assert!(!condition_holds(&first.replace("'AIDA'", "'AIDB'"), context));
    assert!(!condition_holds(&format!("{first}, 'StringLike': {{'aws:username': 'b*'}}"), context));
}

#[test]
fn unsupported_keys_have_no_value() {
    let document = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": {"StringLike": {"aws:UserAgent": "*"}}}}"#;
    let context = vec![("aws:UserAgent", vec!["pip".to_owned()])];
    let ask = Ask { identity: vec![document.to_owned()], context, ..Ask::default() };
    assert_eq!(ask.verdict().identity, Effect::Silent);
}

#[test]
fn conditions_that_are_looked_at_say_for_whom_an_answer_may_be_remembered() {
    let varies = |members: &str| {
        let context = vec![("aws:username", vec!["alice".to_owned()]), ("aws:SourceIp", vec!["10.0.0.1".to_owned()])];
        statement(members, Ask { context, ..Ask::default() }).varies
    };
    let action = "'Effect': 'Allow', 'Action': '*'";
    assert_eq!(varies(&format!("{action}, 'Resource': '*'")), Varies::Never);
    let on = |condition: &str| varies(&format!("{action}, 'Resource': '*', 'Condition': {{{condition}}}"));
    assert_eq!(on("'StringEquals': {'aws:username': 'alice'}"), Varies::Never);
    assert_eq!(on("'StringEquals': {'aws:ResourceTag/team': 'x'}"), Varies::Never);
    assert_eq!(on("'IpAddress': {'aws:SourceIp': '10.0.0.0/8'}"), Varies::WithPeer);
    assert_eq!(on("'Bool': {'aws:SecureTransport': true}"), Varies::WithPeer);
    assert_eq!(varies(&format!("{action}, 'Resource': 'arn:aws:x:::${{aws:SourceIp}}'")), Varies::WithPeer);
    assert_eq!(on("'DateLessThan': {'AWS:CURRENTTIME': '2026'}"), Varies::WithRequest);
    assert_eq!(on("'Null': {'aws:RequestTag/x': 'true'}"), Varies::WithRequest);
    let both = "'IpAddress': {'aws:SourceIp': '10.0.0.0/8'}, 'DateLessThan': {'aws:CurrentTime': '2026'}";
    assert_eq!(on(both), Varies::WithRequest);
    // A condition that is never looked at does not count.
    assert_eq!(
        varies(
            "'Effect': 'Deny', 'Action': 'codeartifact:DeleteDomain', 'Resource': '*', 'Condition': {'Bool': {'aws:SecureTransport': false}}"
        ),
        Varies::Never
    );
}

#[test]
fn the_documents_of_the_reference_do_what_they_are_for() {
    let evaluator = Evaluator::new();
    let reader = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":["codeartifact:List*","codeartifact:Describe*","codeartifact:Get*","codeartifact:Read*"],"Resource":"*"},
        {"Effect":"Allow","Action":"sts:GetServiceBearerToken","Resource":"*",
         "Condition":{"StringEquals":{"sts:AWSServiceName":"codeartifact.amazonaws.com"}}}]}"#;
    let publisher = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/ci"},
        "Action":["codeartifact:PublishPackageVersion"],
        "Resource":"arn:aws:codeartifact:us-east-1:111122223333:package/my-domain/my-repo/npm/parity/ui"}]}"#;
    assert_eq!(evaluator.validate(PolicyKind::Identity, reader), Ok(()));
    assert_eq!(evaluator.validate(PolicyKind::Resource, publisher), Ok(()));
    let ask = |action: &str, resource: &str, context: Values| {
        let verdict = Ask {
            principal: user("123456789012", "ci"),
            action: action.to_owned(),
            resource: resource.to_owned(),
            context,
            identity: vec![reader.to_owned()],
            resource_policies: vec![publisher.to_owned()],
            session_policies: None,
        }
        .verdict_of(&evaluator);
        (verdict.identity, verdict.resource)
    };
    let service = vec![("sts:AWSServiceName", vec!["codeartifact.amazonaws.com".to_owned()])];
    let package = "arn:aws:codeartifact:us-east-1:111122223333:package/my-domain/my-repo/npm/parity/ui";
    assert_eq!(ask("codeartifact:ReadFromRepository", REPOSITORY, Vec::new()), (Effect::Allow, Effect::Silent));
    assert_eq!(ask("sts:GetServiceBearerToken", "*", service), (Effect::Allow, Effect::Silent));
    assert_eq!(ask("sts:GetServiceBearerToken", "*", Vec::new()), (Effect::Silent, Effect::Silent));
    assert_eq!(ask("codeartifact:PublishPackageVersion", package, Vec::new()), (Effect::Silent, Effect::Allow));
    let other = package.replace("parity/ui", "parity/core");
    assert_eq!(ask("codeartifact:PublishPackageVersion", &other, Vec::new()), (Effect::Silent, Effect::Silent));
}
