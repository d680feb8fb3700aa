//! Evaluating IAM policies: parsing and matching are `auth`'s work, combining accounts is [`crate::access`]'s.

use std::sync::Arc;

use crate::error::Invalid;
use crate::model::Principal;

/// What a policy hangs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PolicyKind {
    /// On a user: no `Principal` element.
    Identity,
    /// On a domain or repository: `Principal` required.
    Resource,
    /// On a role, saying who may assume it: `Principal` required, no `Resource`, actions of STS only.
    Trust,
}

/// Parses and evaluates policy documents. Pure but for a cache of parsed documents.
pub trait PolicyEvaluator: Send + Sync + 'static {
    /// Checks a document before it is stored: grammar, element names, `Principal` where it must be, known actions.
    ///
    /// # Errors
    /// [`Invalid`] saying where and what.
    fn validate(&self, kind: PolicyKind, document: &str) -> Result<(), Invalid>;

    /// Answers the question. A stored document that does not parse counts as denying everything.
    fn evaluate(&self, question: &AccessQuestion<'_>) -> Verdict;

    /// What the trust policy of a role says to who wants to assume it, and how it names who is allowed. Evaluators that
    /// know no roles allow nobody.
    fn evaluate_trust(&self, _question: &TrustQuestion<'_>) -> (Effect, Grant) {
        (Effect::Silent, Grant::Account)
    }
}

/// May this principal do that to this resource?
#[derive(Debug)]
pub struct AccessQuestion<'a> {
    pub principal: &'a Principal,
    /// `codeartifact:ReadFromRepository`
    pub action: &'a str,
    /// The resource's ARN, or `*` for actions without one.
    pub resource: &'a str,
    /// Condition keys and values; key names compare without case.
    pub context: &'a [(&'a str, Vec<String>)],
    /// The principal's own policies.
    pub identity_policies: &'a [Arc<str>],
    /// The policies of the domain and repository that are consulted for this action.
    pub resource_policies: &'a [Arc<str>],
    /// The session policies, if the principal is a session that was given some: they limit what both sides above allow,
    /// but for what a resource policy grants to just this session.
    pub session_policies: Option<&'a [Arc<str>]>,
}

/// May this principal assume that role?
#[derive(Debug)]
pub struct TrustQuestion<'a> {
    pub principal: &'a Principal,
    /// `sts:AssumeRole`
    pub action: &'a str,
    /// Condition keys and values; key names compare without case.
    pub context: &'a [(&'a str, Vec<String>)],
    pub trust_policy: &'a Arc<str>,
}

/// How a statement names whom it allows, the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grant {
    /// By its account: whom exactly, that account's own policies say.
    Account,
    /// By its own ARN or id, a role's for its sessions, or as anybody.
    Principal,
    /// By the ARN of just this session.
    Session,
}

/// What one side says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Deny,
    Allow,
    /// No statement applies.
    Silent,
}

/// What else a decision about a principal, an action and a resource looked at: whatever it may change with while no
/// policy changes. The least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Varies {
    /// Nothing: every request is answered alike.
    Never,
    /// Where the request came from and whether it was encrypted, `aws:SourceIp` and `aws:SecureTransport`.
    WithPeer,
    /// Time, tags or another circumstance of this one request.
    WithRequest,
}

/// What the policies say, side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    pub identity: Effect,
    pub resource: Effect,
    /// The conditions that were looked at: for which requests the answer may be remembered.
    pub varies: Varies,
}

impl Verdict {
    /// Nothing was said.
    pub const SILENT: Self = Self { identity: Effect::Silent, resource: Effect::Silent, varies: Varies::Never };
}
