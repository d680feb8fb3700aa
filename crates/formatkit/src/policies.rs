use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use larder_core::error::Invalid;
use larder_core::ports::{AccessQuestion, Effect, PolicyEvaluator, PolicyKind, Varies, Verdict};

/// Everything is allowed but what a test denies. The machine's owner is asked nothing.
#[derive(Default)]
pub struct Policies {
    denied: Mutex<HashSet<&'static str>>,
}

impl Policies {
    /// From now on no user may do this.
    pub fn deny(&self, action: &'static str) {
        self.denied().insert(action);
    }

    fn denied(&self) -> MutexGuard<'_, HashSet<&'static str>> {
        self.denied.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PolicyEvaluator for Policies {
    fn validate(&self, _kind: PolicyKind, _document: &str) -> Result<(), Invalid> {
        Ok(())
    }

    fn evaluate(&self, question: &AccessQuestion<'_>) -> Verdict {
        let identity = if self.denied().contains(question.action) { Effect::Deny } else { Effect::Allow };
        Verdict { identity, resource: Effect::Silent, varies: Varies::WithRequest }
    }
}
