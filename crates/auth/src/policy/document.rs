//! A policy document, parsed.

use larder_core::ports::{Grant, PolicyKind};

use super::condition::Condition;
use super::context::Context;
use super::evaluate::Facts;
use super::known;
use super::pattern::ActionPattern;
use super::principal::Entry;
use super::variables::Template;

/// A policy.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) statements: Vec<Statement>,
}

/// What a statement does when it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StatementEffect {
    Allow,
    Deny,
}

/// An element and its `Not…` twin.
#[derive(Debug)]
pub(super) enum Listed<T> {
    /// Any of these.
    Only(Vec<T>),
    /// None of these.
    AllBut(Vec<T>),
}

impl<T> Listed<T> {
    fn includes(&self, fits: impl Fn(&T) -> bool) -> bool {
        match self {
            Self::Only(items) => items.iter().any(fits),
            Self::AllBut(items) => !items.iter().any(fits),
        }
    }

    fn items(&self) -> &[T] {
        match self {
            Self::Only(items) | Self::AllBut(items) => items,
        }
    }
}

/// One statement.
#[derive(Debug)]
pub(super) struct Statement {
    /// Where it stands in the document.
    pub(super) path: String,
    pub(super) effect: StatementEffect,
    /// Absent in identity policies, where the principal is whom the policy hangs on.
    pub(super) principals: Option<Listed<Entry>>,
    pub(super) actions: Listed<ActionPattern>,
    pub(super) resources: Listed<Template>,
    pub(super) conditions: Vec<Condition>,
}

impl Statement {
    /// Whether it is about this request. Conditions come last: what is decided without them holds for every request.
    pub(super) fn applies(&self, facts: &Facts<'_>, context: &Context<'_>) -> bool {
        let meant = |entry: &Entry| entry.matches(&facts.asking).is_some();
        self.principals.as_ref().is_none_or(|principals| principals.includes(meant))
            && self.actions.includes(|pattern| pattern.matches(&facts.lower_case_action))
            && self.resources.includes(|template| template.matches(facts.resource, context))
            && self.conditions.iter().all(|condition| condition.holds(context))
    }

    /// How it names whom it is about, which it must be: the strongest of its entries that fit.
    pub(super) fn grant(&self, facts: &Facts<'_>) -> Grant {
        match &self.principals {
            Some(Listed::Only(entries)) => {
                entries.iter().filter_map(|entry| entry.matches(&facts.asking)).max().unwrap_or(Grant::Account)
            }
            Some(Listed::AllBut(_)) | None => Grant::Account,
        }
    }
}

impl Document {
    /// Checks what only new documents must fulfil: actions exist, condition keys are supported.
    ///
    /// # Errors
    /// Where and what.
    pub(super) fn check_names(&self, kind: PolicyKind) -> Result<(), String> {
        for statement in &self.statements {
            let element = match statement.actions {
                Listed::Only(_) => "Action",
                Listed::AllBut(_) => "NotAction",
            };
            for action in statement.actions.items() {
                known::check_action(kind, &action.source)
                    .map_err(|what| format!("{}.{element}: {what}", statement.path))?;
            }
            for condition in &statement.conditions {
                known::check_key(&condition.key).map_err(|what| format!("{}.Condition: {what}", statement.path))?;
            }
        }
        Ok(())
    }
}
