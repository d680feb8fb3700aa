//! Asking documents: explicit deny, allow, or nothing said.

use std::sync::Arc;

use larder_core::error::Invalid;
use larder_core::ports::{AccessQuestion, Effect, PolicyEvaluator, PolicyKind, Verdict};
use moka::sync::Cache;

use super::context::Context;
use super::document::{Document, StatementEffect};

/// How much text of parsed documents is remembered, in bytes, for each kind. Parsed, it takes several times that.
const REMEMBERED_BYTES: u64 = 2 * 1024 * 1024;

/// Parsed documents by their text; `None` for those that do not parse.
type Documents = Cache<Arc<str>, Option<Arc<Document>>>;

/// Evaluates IAM policies and remembers parsed documents.
pub struct Evaluator {
    identity: Documents,
    resource: Documents,
}

impl Evaluator {
    /// With nothing remembered yet.
    #[must_use]
    pub fn new() -> Self {
        let documents = || {
            Cache::builder()
                .weigher(|text: &Arc<str>, _| u32::try_from(text.len()).unwrap_or(u32::MAX))
                .max_capacity(REMEMBERED_BYTES)
                .build()
        };
        Self { identity: documents(), resource: documents() }
    }

    fn document(&self, kind: PolicyKind, text: &Arc<str>) -> Option<Arc<Document>> {
        let documents = match kind {
            PolicyKind::Identity => &self.identity,
            PolicyKind::Resource => &self.resource,
        };
        // Looked up by reference first, as nearly always it is there.
        documents
            .get(&**text)
            .unwrap_or_else(|| documents.get_with(Arc::clone(text), || Document::parse(kind, text).ok().map(Arc::new)))
    }

    fn side(&self, kind: PolicyKind, texts: &[Arc<str>], facts: &Facts<'_>, context: &Context<'_>) -> Effect {
        let mut effect = Effect::Silent;
        for text in texts {
            let Some(document) = self.document(kind, text) else { return Effect::Deny };
            for statement in &document.statements {
                // Once something allows, only a deny can change the answer.
                let matters = statement.effect == StatementEffect::Deny || effect == Effect::Silent;
                if matters && statement.applies(facts, context) {
                    match statement.effect {
                        StatementEffect::Deny => return Effect::Deny,
                        StatementEffect::Allow => effect = Effect::Allow,
                    }
                }
            }
        }
        effect
    }
}

impl Default for Evaluator {
    fn default() -> Self {
        Self::new()
    }
}

impl PolicyEvaluator for Evaluator {
    fn validate(&self, kind: PolicyKind, document: &str) -> Result<(), Invalid> {
        let parsed = Document::parse(kind, document)?;
        parsed.check_names(kind).map_err(Invalid::new)
    }

    fn evaluate(&self, question: &AccessQuestion<'_>) -> Verdict {
        let context = Context::new(question.context);
        let facts = Facts {
            question,
            principal_arn: question.principal.arn().to_string(),
            lower_case_action: question.action.to_ascii_lowercase(),
        };
        let identity = self.side(PolicyKind::Identity, question.identity_policies, &facts, &context);
        let resource = self.side(PolicyKind::Resource, question.resource_policies, &facts, &context);
        Verdict { identity, resource, depends_on_request: context.depends_on_request() }
    }
}

/// The question, and what every statement asks of it.
pub(super) struct Facts<'a> {
    pub(super) question: &'a AccessQuestion<'a>,
    pub(super) principal_arn: String,
    pub(super) lower_case_action: String,
}
