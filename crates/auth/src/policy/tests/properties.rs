//! Laws that hold for all policies and questions.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::generate::{ask, conditional_document, statement, varying};
use super::*;
use crate::policy::known::varies;

/// A document with one more statement at the end.
fn with(document: &str, statement: &Value) -> String {
    let mut value: Value = serde_json::from_str(document).unwrap();
    let mut statements = match value["Statement"].take() {
        Value::Array(statements) => statements,
        one => vec![one],
    };
    statements.push(statement.clone());
    value["Statement"] = json!(statements);
    value.to_string()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn both_evaluators_agree(ask in ask()) {
        let verdict = ask.verdict();
        prop_assert_eq!(verdict.identity, naive::side(&ask.identity, &ask));
        prop_assert_eq!(verdict.resource, naive::side(&ask.resource_policies, &ask));
    }

    #[test]
    fn both_evaluators_agree_on_a_condition(ask in ask(), document in conditional_document()) {
        let ask = Ask { identity: vec![document], resource_policies: Vec::new(), ..ask };
        prop_assert_eq!(ask.verdict().identity, naive::side(&ask.identity, &ask));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn generated_documents_are_valid(ask in ask()) {
        let evaluator = Evaluator::new();
        for document in &ask.identity {
            prop_assert_eq!(evaluator.validate(PolicyKind::Identity, document), Ok(()));
        }
        for document in &ask.resource_policies {
            prop_assert_eq!(evaluator.validate(PolicyKind::Resource, document), Ok(()));
        }
    }

    #[test]
    fn adding_a_deny_never_allows(ask in ask(), mut statement in statement(false)) {
        let before = ask.verdict().identity;
        statement["Effect"] = json!("Deny");
        let mut more = ask.clone();
        match more.identity.first_mut() {
            Some(document) => *document = with(document, &statement),
            None => more.identity.push(json!({"Statement": statement}).to_string()),
        }
        let after = more.verdict().identity;
        prop_assert!(after == before || after == Effect::Deny, "{:?} became {:?}", before, after);
    }

    #[test]
    fn adding_an_allow_never_denies_and_never_lifts_a_deny(ask in ask(), mut statement in statement(false)) {
        let before = ask.verdict().identity;
        statement["Effect"] = json!("Allow");
        let mut more = ask.clone();
        more.identity.push(json!({"Version": "2012-10-17", "Statement": statement}).to_string());
        let after = more.verdict().identity;
        prop_assert!(after == before || (before, after) == (Effect::Silent, Effect::Allow), "{:?} became {:?}", before, after);
    }

    #[test]
    fn an_explicit_deny_of_everything_wins(ask in ask()) {
        let deny = r#"{"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}"#.to_owned();
        let mut more = ask;
        more.identity.push(deny);
        prop_assert_eq!(more.verdict().identity, Effect::Deny);
    }

    #[test]
    fn the_order_of_documents_does_not_matter(ask in ask()) {
        let mut other = ask.clone();
        other.identity.reverse();
        other.resource_policies.reverse();
        let (first, second) = (ask.verdict(), other.verdict());
        prop_assert_eq!((first.identity, first.resource), (second.identity, second.resource));
    }

    #[test]
    fn an_answer_that_may_be_remembered_is_the_same_for_the_next_request(ask in ask(), next in varying()) {
        let verdict = ask.verdict();
        let mut other = ask;
        // What the answer says it does not look at, changes.
        other.context.retain(|(key, _)| varies(key) <= verdict.varies);
        other.context.extend(next.into_iter().filter(|(key, _)| varies(key) > verdict.varies));
        let second = other.verdict();
        prop_assert_eq!((verdict.identity, verdict.resource), (second.identity, second.resource));
    }

    #[test]
    fn a_remembered_document_answers_as_a_fresh_one(first in ask(), second in ask()) {
        let evaluator = Evaluator::new();
        first.verdict_of(&evaluator);
        let second = Ask { identity: first.identity, resource_policies: first.resource_policies, ..second };
        prop_assert_eq!(second.verdict_of(&evaluator), second.verdict());
    }
}
