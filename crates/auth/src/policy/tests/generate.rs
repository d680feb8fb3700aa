//! Policies and questions from a small vocabulary, so that they meet often.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

use super::{Ask, Values, user};

const ACTIONS: &[&str] = &[
    "*",
    "codeartifact:*",
    "codeartifact:Read*",
    "CODEARTIFACT:readfromrepository",
    "codeartifact:ReadFromRepository",
    "codeartifact:PublishPackageVersion",
    "codeartifact:?ublish*Version",
    "sts:*",
    "sts:GetServiceBearerToken",
];
const ASKED_ACTIONS: &[&str] =
    &["codeartifact:ReadFromRepository", "codeartifact:PublishPackageVersion", "sts:GetServiceBearerToken"];

const RESOURCES: &[&str] = &[
    "*",
    "arn:aws:codeartifact:us-east-1:111122223333:repository/d/r",
    "arn:aws:codeartifact:us-east-1:111122223333:repository/d/*",
    "arn:aws:codeartifact:*:*:package/d/r/npm/*",
    "arn:aws:codeartifact:us-east-1:111122223333:package/d/r/npm/${aws:username}/?i",
    "arn:aws:codeartifact:us-east-1:111122223333:repository/d/${aws:PrincipalTag/team, 'r'}",
    "arn:aws:codeartifact:us-east-1:111122223333:repository/d/${*}",
    "arn:*${aws:SourceIp}",
];
const ASKED_RESOURCES: &[&str] = &[
    "*",
    "arn:aws:codeartifact:us-east-1:111122223333:repository/d/r",
    "arn:aws:codeartifact:us-east-1:111122223333:repository/d/blue",
    "arn:aws:codeartifact:us-east-1:111122223333:repository/d/*",
    "arn:aws:codeartifact:us-east-1:111122223333:package/d/r/npm/alice/ui",
    "arn:aws:codeartifact:us-east-1:111122223333:package/d/r/npm//left-pad",
];

const PRINCIPALS: &[&str] = &[
    r#""*""#,
    r#"{"AWS": "*"}"#,
    r#"{"AWS": "111122223333"}"#,
    r#"{"AWS": "arn:aws:iam::444455556666:root"}"#,
    r#"{"AWS": ["arn:aws:iam::111122223333:user/alice", "arn:aws:iam::444455556666:user/bob"]}"#,
    r#"{"Service": "codebuild.amazonaws.com"}"#,
];

/// Keys whose values stay with principal and resource.
const STABLE: &[(&str, &[&str])] = &[
    ("aws:username", &["alice", "bob", "Alice"]),
    ("aws:PrincipalTag/team", &["blue", "Blue", "*", "r"]),
    ("aws:PrincipalArn", &["arn:aws:iam::111122223333:user/alice", "arn:aws:iam::444455556666:user/bob", "no-arn"]),
];
/// Keys whose values change from request to request.
const VARYING: &[(&str, &[&str])] = &[
    ("aws:SourceIp", &["10.0.0.1", "10.0.1.1", "203.0.113.9", "2001:db8::1"]),
    ("aws:SecureTransport", &["true", "false"]),
    ("aws:CurrentTime", &["2026-03-04T05:06:07Z", "2027-01-01T00:00:00Z"]),
    ("sts:DurationSeconds", &["900", "3600", "43200"]),
    ("aws:TagKeys", &["team", "cost", "Team"]),
    ("test:Bytes", &["AQID", "AQIE"]),
];

/// Operators with keys they are used on and values for them.
const CONDITIONS: &[(&[&str], &[&str], &[&str])] = &[
    (
        &[
            "StringEquals",
            "StringNotEquals",
            "StringEqualsIgnoreCase",
            "StringNotEqualsIgnoreCase",
            "StringLike",
            "StringNotLike",
        ],
        &[
            "aws:username",
            "AWS:USERNAME",
            "aws:PrincipalTag/team",
            "aws:TagKeys",
            "aws:PrincipalTag/none",
            "aws:SourceIp",
        ],
        &[
            "alice",
            "ALICE",
            "b*",
            "*",
            "?lice",
            "blue",
            "team",
            "${aws:username}",
            "${aws:PrincipalTag/none, 'blue'}",
            "${aws:PrincipalTag/none}",
            "${*}",
            "te${?}m",
        ],
    ),
    (
        &[
            "NumericEquals",
            "NumericNotEquals",
            "NumericLessThan",
            "NumericLessThanEquals",
            "NumericGreaterThan",
            "NumericGreaterThanEquals",
        ],
        &["sts:DurationSeconds", "aws:username"],
        &["900", "3600", "5000"],
    ),
    (
        &[
            "DateEquals",
            "DateNotEquals",
            "DateLessThan",
            "DateLessThanEquals",
            "DateGreaterThan",
            "DateGreaterThanEquals",
        ],
        &["aws:CurrentTime", "aws:TokenIssueTime"],
        &["2026-03-04T05:06:07Z", "2026-03-04T06:06:07+01:00", "1772600767", "2030-01-01T00:00:00Z"],
    ),
    (&["Bool"], &["aws:SecureTransport", "aws:username"], &["true", "FALSE"]),
    (&["BinaryEquals"], &["test:Bytes"], &["AQID", "BBBB"]),
    (&["IpAddress", "NotIpAddress"], &["aws:SourceIp"], &["10.0.0.0/8", "10.0.1.0/24", "203.0.113.9", "0.0.0.0/0"]),
    (
        &["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"],
        &["aws:PrincipalArn", "aws:SourceArn"],
        &[
            "arn:aws:iam::*:user/alice",
            "arn:*:*:*:*:*",
            "arn:aws:iam::111122223333:user/${aws:username}",
            "arn:aws:iam::444455556666:*",
        ],
    ),
];

fn some_of(words: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => select(words).prop_map(|word| json!(word)),
        1 => subsequence(words, 1..=3.min(words.len())).prop_map(|words| json!(words)),
    ]
}

fn condition() -> impl Strategy<Value = (String, Value)> {
    let plain = (select(CONDITIONS), select(&["", "", "", "ForAllValues:", "ForAnyValue:"][..]), any::<bool>())
        .prop_flat_map(|((operators, keys, values), set, if_exists)| {
            let entries = (select(keys), some_of(values));
            (select(operators), entries).prop_map(move |(operator, (key, values))| {
                let suffix = if if_exists { "IfExists" } else { "" };
                (format!("{set}{operator}{suffix}"), json!({ key: values }))
            })
        });
    let null = (select(&["aws:username", "aws:TagKeys", "aws:SourceIp"][..]), any::<bool>())
        .prop_map(|(key, missing)| ("Null".to_owned(), json!({ key: missing })));
    let strings = CONDITIONS[0].0;
    let of_set =
        (select(strings), select(&["", "ForAllValues:", "ForAnyValue:"][..]), some_of(&["team", "cost", "T*", "t*"]))
            .prop_map(|(operator, set, values)| (format!("{set}{operator}"), json!({ "aws:TagKeys": values })));
    prop_oneof![6 => plain, 1 => null, 3 => of_set]
}

fn element(name: &'static str, value: impl Strategy<Value = Value>) -> impl Strategy<Value = (String, Value)> {
    (prop::bool::weighted(0.2), value)
        .prop_map(move |(not, value)| (if not { format!("Not{name}") } else { name.to_owned() }, value))
}

/// A statement; with principals for resource policies.
pub(super) fn statement(for_resource: bool) -> impl Strategy<Value = Value> {
    let principal = select(PRINCIPALS).prop_map(|text| serde_json::from_str(text).unwrap());
    (
        prop::bool::weighted(0.7).prop_map(|allow| if allow { "Allow" } else { "Deny" }),
        element("Principal", principal),
        element("Action", some_of(ACTIONS)),
        element("Resource", some_of(RESOURCES)),
        vec(condition(), 0..3),
    )
        .prop_map(move |(effect, principal, action, resource, conditions)| {
            let mut members: Map<String, Value> = [action, resource].into_iter().collect();
            members.insert("Effect".to_owned(), json!(effect));
            if for_resource {
                members.extend([principal]);
            }
            if !conditions.is_empty() {
                members.insert("Condition".to_owned(), conditions.into_iter().collect::<Map<_, _>>().into());
            }
            Value::Object(members)
        })
}

/// The text of a document.
pub(super) fn document(for_resource: bool) -> impl Strategy<Value = String> {
    (prop::bool::weighted(0.8), vec(statement(for_resource), 1..4)).prop_map(|(modern, mut statements)| {
        let version = if modern { "2012-10-17" } else { "2008-10-17" };
        let statements = if statements.len() == 1 { statements.remove(0) } else { Value::Array(statements) };
        json!({ "Version": version, "Statement": statements }).to_string()
    })
}

/// A document that says yes to everything under one condition.
pub(super) fn conditional_document() -> impl Strategy<Value = String> {
    condition().prop_map(|(operator, keys)| {
        let statement = json!({ "Effect": "Allow", "Action": "*", "Resource": "*", "Condition": { operator: keys } });
        json!({ "Version": "2012-10-17", "Statement": statement }).to_string()
    })
}

fn values(keys: &'static [(&'static str, &'static [&'static str])]) -> impl Strategy<Value = Values> {
    let key = select(keys).prop_flat_map(|(key, values)| {
        let several = if key == "aws:TagKeys" { 0..=3 } else { 1..=1 };
        subsequence(values, several)
            .prop_map(move |values| (key, values.iter().map(|value| (*value).to_owned()).collect::<Vec<String>>()))
    });
    vec(key, 0..8).prop_map(|mut found| {
        found.sort();
        found.dedup_by(|a, b| a.0 == b.0);
        found
    })
}

/// Values of keys that vary from request to request.
pub(super) fn varying() -> impl Strategy<Value = Values> {
    values(VARYING)
}

/// A question with its policies; its stable values first, then its varying ones.
pub(super) fn ask() -> impl Strategy<Value = Ask> {
    (
        select(&[("111122223333", "alice"), ("111122223333", "bob"), ("444455556666", "bob")][..]),
        select(ASKED_ACTIONS),
        select(ASKED_RESOURCES),
        (values(STABLE), varying()),
        vec(document(false), 1..4),
        vec(document(true), 1..4),
    )
        .prop_map(|((account, name), action, resource, (stable, varying), identity, resource_policies)| Ask {
            principal: user(account, name),
            action: action.to_owned(),
            resource: resource.to_owned(),
            context: stable.into_iter().chain(varying).collect(),
            identity,
            resource_policies,
            session_policies: None,
        })
}
