//! Asking documents: explicit deny, allow, or nothing said.

use std::sync::Arc;

use larder_core::error::Invalid;
use larder_core::model::Principal;
use larder_core::ports::{AccessQuestion, Effect, Grant, PolicyEvaluator, PolicyKind, TrustQuestion, Verdict};
use moka::sync::Cache;

use super::context::Context;
use super::document::{Document, StatementEffect};
use super::principal::Asking;

/// How much text of parsed documents is remembered, in bytes, for each kind. Parsed, it takes several times that.
const REMEMBERED_BYTES: u64 = 2 * 1024 * 1024;

/// Parsed documents by their text; `None` for those that do not parse.
type Documents = Cache<Arc<str>, Option<Arc<Document>>>;

/// Evaluates IAM policies and remembers parsed documents.
pub struct Evaluator {
    identity: Documents,
    resource: Documents,
    trust: Documents,
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
        Self { identity: documents(), resource: documents(), trust: documents() }
    }

    fn document(&self, kind: PolicyKind, text: &Arc<str>) -> Option<Arc<Document>> {
        let documents = match kind {
            PolicyKind::Identity => &self.identity,
            PolicyKind::Resource => &self.resource,
            PolicyKind::Trust => &self.trust,
        };
        // Looked up by reference first, as nearly always it is there.
        documents
            .get(&**text)
            .unwrap_or_else(|| documents.get_with(Arc::clone(text), || Document::parse(kind, text).ok().map(Arc::new)))
    }

    fn side(&self, kind: PolicyKind, texts: &[Arc<str>], facts: &Facts<'_>, context: &Context<'_>) -> Effect {
        self.granting_side(kind, texts, facts, context, Grant::Account).0
    }

    /// What one side says, and how it names whom it allows. Allowing statements are looked at until one names the
    /// principal as strongly as `wanted`.
    fn granting_side(
        &self,
        kind: PolicyKind,
        texts: &[Arc<str>],
        facts: &Facts<'_>,
        context: &Context<'_>,
        wanted: Grant,
    ) -> (Effect, Grant) {
        let (mut effect, mut grant) = (Effect::Silent, Grant::Account);
        for text in texts {
            let Some(document) = self.document(kind, text) else { return (Effect::Deny, grant) };
            for statement in &document.statements {
                // Once something allows, only a deny can change the answer.
                let undecided = effect == Effect::Silent || grant < wanted;
                let matters = statement.effect == StatementEffect::Deny || undecided;
                if matters && statement.applies(facts, context) {
                    match statement.effect {
                        StatementEffect::Deny => return (Effect::Deny, grant),
                        StatementEffect::Allow => {
                            effect = Effect::Allow;
                            grant = grant.max(statement.grant(facts));
                        }
                    }
                }
            }
        }
        (effect, grant)
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
        let facts = Facts::new(question.principal, question.action, question.resource);
        let identity = self.side(PolicyKind::Identity, question.identity_policies, &facts, &context);
        let limits = question.session_policies;
        let wanted = if limits.is_some() { Grant::Session } else { Grant::Account };
        let resources = question.resource_policies;
        let (resource, grant) = self.granting_side(PolicyKind::Resource, resources, &facts, &context, wanted);
        let verdict = |identity, resource| {
            let varies = context.varies();
            Verdict { identity, resource, varies }
        };
        let Some(session_policies) = limits else { return verdict(identity, resource) };
        let session = self.side(PolicyKind::Identity, session_policies, &facts, &context);
        let limited =
            |effect| if effect == Effect::Allow && session != Effect::Allow { Effect::Silent } else { effect };
        let identity = if session == Effect::Deny { Effect::Deny } else { limited(identity) };
        let resource = if grant == Grant::Session { resource } else { limited(resource) };
        verdict(identity, resource)
    }

    fn evaluate_trust(&self, question: &TrustQuestion<'_>) -> (Effect, Grant) {
        let context = Context::new(question.context);
        let facts = Facts::new(question.principal, question.action, "*");
        let texts = std::slice::from_ref(question.trust_policy);
        self.granting_side(PolicyKind::Trust, texts, &facts, &context, Grant::Principal)
    }
}

/// The question, as every statement asks it.
pub(super) struct Facts<'a> {
    pub(super) asking: Asking<'a>,
    pub(super) resource: &'a str,
    pub(super) lower_case_action: String,
}

impl<'a> Facts<'a> {
    fn new(principal: &'a Principal, action: &str, resource: &'a str) -> Self {
        Self { asking: Asking::new(principal), resource, lower_case_action: action.to_ascii_lowercase() }
    }
}
