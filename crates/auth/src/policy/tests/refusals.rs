//! What is refused when a document is stored, and in which words.

use super::*;

fn refusal(kind: PolicyKind, document: &str) -> String {
    let document = document.replace('\'', "\"");
    match Evaluator::new().validate(kind, &document) {
        Ok(()) => panic!("accepted: {document}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_refusal_of_a_users_policy_says_where_and_what() {
    let allow = "'Effect': 'Allow', 'Action': '*', 'Resource': '*'";
    for (document, words) in [
        ("".to_owned(), "the policy document is not JSON"),
        ("{'Statement': [}".to_owned(), "the policy document is not JSON: expected value at line 1 column 16"),
        ("[]".to_owned(), "the policy document: must be an object, not a list"),
        ("{'Version': '2012-10-17'}".to_owned(), "Statement: missing"),
        (format!("{{'Statement': {{{allow}}}, 'Extra': 1}}"), "Extra: unknown element; a policy has"),
        (
            format!("{{'Statement': {{{allow}}}, 'Statement': []}}"),
            "the policy document: 'Statement' is there more than once",
        ),
        (
            format!("{{'Version': '2012', 'Statement': {{{allow}}}}}"),
            "Version: '2012' must be 2012-10-17 or 2008-10-17",
        ),
        (format!("{{'Version': 2012, 'Statement': {{{allow}}}}}"), "Version: must be a string, not a number"),
        (format!("{{'Id': [], 'Statement': {{{allow}}}}}"), "Id: must be a string, not a list"),
        ("{'Statement': []}".to_owned(), "Statement: must hold 1 to 100 statements"),
        ("{'Statement': 'x'}".to_owned(), "Statement: must be an object, not a string"),
        (format!("{{'Statement': [{{{allow}}}, null]}}"), "Statement[1]: must be an object, not null"),
        ("{'Statement': {'Action': '*', 'Resource': '*'}}".to_owned(), "Statement: Effect is missing"),
        ("{'Statement': {'Effect': 'Allow', 'Resource': '*'}}".to_owned(), "Statement: Action or NotAction is missing"),
        (
            "{'Statement': {'Effect': 'Allow', 'Action': '*'}}".to_owned(),
            "Statement: Resource or NotResource is missing",
        ),
        (
            "{'Statement': {'Effect': 'allow', 'Action': '*', 'Resource': '*'}}".to_owned(),
            "Statement.Effect: 'allow' must be Allow or Deny",
        ),
        (format!("{{'Statement': {{{allow}, 'Effect': 'Deny'}}}}"), "Statement: 'Effect' is there more than once"),
        (format!("{{'Statement': {{{allow}, 'effect': 'Deny'}}}}"), "Statement.effect: unknown element"),
        (
            format!("{{'Statement': {{{allow}, 'NotAction': '*'}}}}"),
            "Statement.NotAction: an element and its Not form exclude each other",
        ),
        (
            format!("{{'Statement': {{{allow}, 'NotResource': '*'}}}}"),
            "Statement.NotResource: an element and its Not form exclude each other",
        ),
        (format!("{{'Statement': {{{allow}, 'Principal': '*'}}}}"), "Statement.Principal: not allowed here"),
        (format!("{{'Statement': {{{allow}, 'NotPrincipal': '*'}}}}"), "Statement.NotPrincipal: not allowed here"),
        (format!("{{'Statement': {{{allow}, 'Sid': 'a b'}}}}"), "Statement.Sid: 'a b' must be letters and digits only"),
        (
            format!("{{'Statement': [{{{allow}, 'Sid': 'a'}}, {{{allow}, 'Sid': 'a'}}]}}"),
            "Statement[1].Sid: 'a' is there more than once",
        ),
        (
            "{'Statement': {'Effect': 'Allow', 'Action': [], 'Resource': '*'}}".to_owned(),
            "Statement.Action: must not be an empty list",
        ),
        (
            "{'Statement': {'Effect': 'Allow', 'Action': [1], 'Resource': '*'}}".to_owned(),
            "Statement.Action: must be a string, not a number",
        ),
        (
            "{'Statement': {'Effect': 'Allow', 'Action': 'codeartifact:Fly', 'Resource': '*'}}".to_owned(),
            "Statement.Action: the action 'codeartifact:Fly' does not exist",
        ),
        (
            "{'Statement': {'Effect': 'Allow', 'NotAction': 'Fly', 'Resource': '*'}}".to_owned(),
            "Statement.NotAction: 'Fly' must be \"*\" or have the form service:Action",
        ),
        (
            "{'Statement': {'Effect': 'Allow', 'Action': '*', 'Resource': 'my-repo'}}".to_owned(),
            "Statement.Resource: 'my-repo' must be \"*\" or an ARN",
        ),
        (
            "{'Version': '2012-10-17', 'Statement': {'Effect': 'Allow', 'Action': '*', 'Resource': 'arn:${aws:x'}}"
                .to_owned(),
            "Statement.Resource: a variable is not closed",
        ),
    ] {
        let message = refusal(PolicyKind::Identity, &document);
        assert!(message.starts_with(words), "{document}: {message}");
    }
}

#[test]
fn a_refused_condition_says_where_and_what() {
    for (condition, words) in [
        ("[]", "Statement[0].Condition: must be an object, not a list"),
        ("{'StringIs': {'aws:username': 'x'}}", "Statement[0].Condition.StringIs: there is no such condition operator"),
        ("{'NullIfExists': {'aws:username': true}}", "Statement[0].Condition.NullIfExists: there is no such"),
        ("{'Bool': 'x'}", "Statement[0].Condition.Bool: must be an object, not a string"),
        (
            "{'Bool': {'aws:SecureTransport': 'x'}}",
            "Statement[0].Condition.Bool.aws:SecureTransport: 'x' must be true or false",
        ),
        (
            "{'Bool': {'aws:SecureTransport': []}}",
            "Statement[0].Condition.Bool.aws:SecureTransport: must not be an empty list",
        ),
        (
            "{'Bool': {'aws:SecureTransport': {}}}",
            "Statement[0].Condition.Bool.aws:SecureTransport: must be a string, a number, a boolean",
        ),
        (
            "{'Bool': {'SecureTransport': true}}",
            "Statement[0].Condition.Bool.SecureTransport: a condition key has the form service:Name",
        ),
        ("{'Bool': {'aws:x': true, 'AWS:X': true}}", "Statement[0].Condition.Bool.AWS:X: is there more than once"),
        ("{'Bool': {}, 'Bool': {}}", "Statement[0].Condition: 'Bool' is there more than once"),
        ("{'NumericEquals': {'aws:x': 'ten'}}", "Statement[0].Condition.NumericEquals.aws:x: 'ten' must be a number"),
        ("{'DateEquals': {'aws:x': 'today'}}", "Statement[0].Condition.DateEquals.aws:x: 'today' must be a date"),
        (
            "{'IpAddress': {'aws:SourceIp': '10.0.0.0/33'}}",
            "Statement[0].Condition.IpAddress.aws:SourceIp: '10.0.0.0/33' must be an address",
        ),
        (
            "{'ArnLike': {'aws:PrincipalArn': 'alice'}}",
            "Statement[0].Condition.ArnLike.aws:PrincipalArn: 'alice' must be an ARN",
        ),
        ("{'BinaryEquals': {'aws:x': '!'}}", "Statement[0].Condition.BinaryEquals.aws:x: '!' must be base64"),
        ("{'StringEquals': {'aws:x': '${}'}}", "Statement[0].Condition.StringEquals.aws:x: '${}' is no variable"),
        (
            "{'StringLike': {'aws:UserAgent': '*'}}",
            "Statement[0].Condition: the condition key 'aws:UserAgent' is not supported",
        ),
        (
            "{'StringLike': {'codeartifact:Namespace': '*'}}",
            "Statement[0].Condition: CodeArtifact has no condition keys of its own",
        ),
    ] {
        let document = format!(
            "{{'Version': '2012-10-17', 'Statement': [{{'Effect': 'Allow', 'Action': '*', 'Resource': '*', 'Condition': {condition}}}]}}"
        );
        let message = refusal(PolicyKind::Identity, &document);
        assert!(message.starts_with(words), "{condition}: {message}");
    }
}

#[test]
fn a_refusal_of_a_domains_or_repositorys_policy_says_where_and_what() {
    let with = |principal: &str| {
        format!("{{'Statement': [{{'Effect': 'Allow', {principal}'Action': '*', 'Resource': '*'}}]}}")
    };
    for (document, words) in [
        (with(""), "Statement[0]: Principal is missing"),
        (with("'Principal': 'alice', "), "Statement[0].Principal: must be \"*\" or an object such as"),
        (with("'Principal': {}, "), "Statement[0].Principal: names nobody"),
        (with("'Principal': {'Aws': '*'}, "), "Statement[0].Principal.Aws: unknown kind"),
        (with("'Principal': {'AWS': []}, "), "Statement[0].Principal.AWS: must not be an empty list"),
        (
            with("'Principal': {'AWS': 'arn:aws:iam::*:root'}, "),
            "Statement[0].Principal.AWS: the principal 'arn:aws:iam::*:root' must not hold wildcards",
        ),
        (with("'Principal': {'AWS': 'bob'}, "), "Statement[0].Principal.AWS: the principal 'bob' must be"),
        (with("'Principal': '*', 'NotPrincipal': '*', "), "Statement[0].NotPrincipal: an element and its Not form"),
        (
            with("'Principal': '*', ").replace("'Action': '*'", "'Action': 's3:GetObject'"),
            "Statement[0].Action: the action 's3:GetObject' is not one of CodeArtifact's",
        ),
    ] {
        let message = refusal(PolicyKind::Resource, &document);
        assert!(message.starts_with(words), "{document}: {message}");
    }
}

#[test]
fn size_and_number_of_statements_are_limited() {
    let evaluator = Evaluator::new();
    let padded = |characters: usize| {
        let empty = r#"{"Id": "", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
        empty.replace(r#""Id": """#, &format!(r#""Id": "{}""#, "ä".repeat(characters - empty.len())))
    };
    assert_eq!(evaluator.validate(PolicyKind::Identity, &padded(7168)), Ok(()));
    let message = evaluator.validate(PolicyKind::Identity, &padded(7169)).unwrap_err().to_string();
    assert_eq!(message, "the policy document has 7169 characters; at most 7168 are allowed");
    let statements = |count: usize| {
        format!(r#"{{"Statement": [{}]}}"#, vec![r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#; count].join(","))
    };
    assert_eq!(evaluator.validate(PolicyKind::Identity, &statements(100)), Ok(()));
    assert!(evaluator.validate(PolicyKind::Identity, &statements(101)).is_err());
}

#[test]
fn what_iam_accepts_is_accepted() {
    let evaluator = Evaluator::new();
    for document in [
        r#"{"Version": "2008-10-17", "Id": "x", "Statement": [{"Sid": "A1", "Effect": "Deny", "NotAction": "iam:*", "NotResource": ["arn:aws:s3:::${x"]}]}"#,
        r#"{"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": {}}}"#,
        r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": true}, "NumericEquals": {"sts:DurationSeconds": [900, 43200]}}}}"#,
    ] {
        assert_eq!(evaluator.validate(PolicyKind::Identity, document), Ok(()), "{document}");
    }
}
