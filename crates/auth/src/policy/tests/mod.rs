//! Whole documents: what they mean, what is refused, and a second evaluator to disagree with.

mod generate;
mod meaning;
mod naive;
mod properties;
mod refusals;
mod sessions;

use std::sync::Arc;

use larder_core::model::{AccountId, Principal, User, UserName};
use larder_core::ports::{AccessQuestion, Effect, PolicyEvaluator, PolicyKind, Varies, Verdict};

use super::Evaluator;

const ACCOUNT: &str = "111122223333";
const REPOSITORY: &str = "arn:aws:codeartifact:us-east-1:111122223333:repository/my-domain/my-repo";

type Values = Vec<(&'static str, Vec<String>)>;

fn user(account: &str, name: &str) -> Principal {
    Principal::user(User {
        account: AccountId::new(account).unwrap(),
        path: "/".to_owned(),
        name: UserName::new(name).unwrap(),
        id: format!("AIDAEXAMPLE{}", name.to_uppercase()),
    })
}

/// A question that is easy to vary.
#[derive(Debug, Clone)]
struct Ask {
    principal: Principal,
    action: String,
    resource: String,
    context: Values,
    identity: Vec<String>,
    resource_policies: Vec<String>,
    session_policies: Option<Vec<String>>,
}

impl Default for Ask {
    fn default() -> Self {
        Self {
            principal: user(ACCOUNT, "alice"),
            action: "codeartifact:ReadFromRepository".to_owned(),
            resource: REPOSITORY.to_owned(),
            context: Vec::new(),
            identity: Vec::new(),
            resource_policies: Vec::new(),
            session_policies: None,
        }
    }
}

impl Ask {
    fn verdict_of(&self, evaluator: &Evaluator) -> Verdict {
        let shared = |texts: &[String]| texts.iter().map(|text| Arc::from(text.as_str())).collect::<Vec<Arc<str>>>();
        evaluator.evaluate(&AccessQuestion {
            principal: &self.principal,
            action: &self.action,
            resource: &self.resource,
            context: &self.context,
            identity_policies: &shared(&self.identity),
            resource_policies: &shared(&self.resource_policies),
            session_policies: self.session_policies.as_deref().map(shared).as_deref(),
        })
    }

    fn verdict(&self) -> Verdict {
        self.verdict_of(&Evaluator::new())
    }
}

/// What an identity policy of one statement says; single quotes in it stand for double ones.
fn statement(members: &str, ask: Ask) -> Verdict {
    let document = format!("{{'Version': '2012-10-17', 'Statement': [{{{members}}}]}}").replace('\'', "\"");
    let evaluator = Evaluator::new();
    evaluator.validate(PolicyKind::Identity, &document).unwrap_or_else(|error| panic!("{document}: {error}"));
    Ask { identity: vec![document], ..ask }.verdict_of(&evaluator)
}

/// Whether a condition holds in a context.
fn condition_holds(condition: &str, context: &[(&'static str, &[&str])]) -> bool {
    let context: Values =
        context.iter().map(|(key, values)| (*key, values.iter().map(|value| (*value).to_owned()).collect())).collect();
    let members = format!("'Effect': 'Allow', 'Action': '*', 'Resource': '*', 'Condition': {{{condition}}}");
    statement(&members, Ask { context, ..Ask::default() }).identity == Effect::Allow
}
