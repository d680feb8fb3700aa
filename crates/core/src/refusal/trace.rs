//! What a decision looked at, in which order: written down by the functions that decide, when somebody asks.

use super::RefusalCode;

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What kind of thing: `repository-policy`, `package-group`, `cooldown`.
    pub looked_at: &'static str,
    /// Which one.
    pub name: String,
    /// What it says.
    pub found: String,
    /// Under which code it refuses, if it does.
    pub refuses: Option<RefusalCode>,
}

impl Step {
    /// A thing and what it says.
    #[must_use]
    pub fn new(looked_at: &'static str, name: impl Into<String>, found: impl Into<String>) -> Self {
        Self { looked_at, name: name.into(), found: found.into(), refuses: None }
    }

    /// With the code under which it refuses.
    #[must_use]
    pub fn refusing(self, code: RefusalCode) -> Self {
        Self { refuses: Some(code), ..self }
    }
}

/// Steps, if they are wanted. Writing nothing down costs nothing.
#[derive(Debug, Default)]
pub(crate) struct Trace(Option<Vec<Step>>);

impl Trace {
    /// Nobody asks.
    pub(crate) fn off() -> Self {
        Self(None)
    }

    /// Somebody asks.
    pub(crate) fn on() -> Self {
        Self(Some(Vec::new()))
    }

    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Writes a step down.
    pub(crate) fn note(&mut self, step: impl FnOnce() -> Step) {
        if let Some(steps) = &mut self.0 {
            steps.push(step());
        }
    }

    pub(crate) fn into_steps(self) -> Vec<Step> {
        self.0.unwrap_or_default()
    }
}
