//! Gathering what a decision depends on, and combining accounts (reference 5.6).

use std::sync::Arc;

use moka::sync::Cache;

use super::context::{ConditionValue, borrowed, tag};
use super::refused::Refused;
use super::remembered::Decisions;
use super::{Action, Allowed, Caller, PolicyScope, Repeats, RequestNotes, ServerTarget, Target, Via};
use crate::error::{Error, ResourceType, Result};
use crate::model::{AccountId, Clock, Domain, DomainId, DomainName, PrincipalKind, Repository, RepositoryName, Tag};
use crate::ports::{AccessQuestion, Effect, MetadataStore, PolicyEvaluator, Varies, Verdict};
use crate::refusal::{Refusal, RefusalCode, Step, Trace};
use crate::services::Control;

/// A value and the control generation it was read under.
pub(super) type AtGeneration<T> = (u64, T);
/// Policy documents.
pub(super) type Documents = Arc<[Arc<str>]>;

/// A yes or no.
struct Decision {
    /// Why not, if not.
    refusal: Option<Refusal>,
    /// What of the request was looked at.
    varies: Varies,
}

impl Decision {
    /// One that every request meets.
    fn always(refusal: Option<Refusal>) -> Self {
        Self { refusal, varies: Varies::Never }
    }
}

/// Finds domains and repositories and decides who may do what with them. Everything it remembers is tied to the
/// control generation, so that a policy change, a deleted user or a removed repository counts from the next request on.
pub struct Access {
    pub(super) control: Arc<Control>,
    pub(super) store: Arc<dyn MetadataStore>,
    pub(super) policies: Arc<dyn PolicyEvaluator>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) region: Arc<str>,
    domains: Cache<(AccountId, DomainName), AtGeneration<Arc<Domain>>>,
    repositories: Cache<(DomainId, RepositoryName), AtGeneration<Arc<Repository>>>,
    /// By the id of a user or role; session policies by the key of the session.
    pub(super) identity_policies: Cache<String, AtGeneration<Documents>>,
    /// By the id of a user.
    pub(super) user_tags: Cache<String, AtGeneration<Arc<[Tag]>>>,
    decisions: Decisions,
}

impl Access {
    /// Wires it up. `region` stands in every ARN.
    #[must_use]
    pub fn new(
        control: Arc<Control>,
        store: Arc<dyn MetadataStore>,
        policies: Arc<dyn PolicyEvaluator>,
        clock: Arc<dyn Clock>,
        region: Arc<str>,
    ) -> Self {
        Self {
            control,
            store,
            policies,
            clock,
            region,
            domains: Cache::new(10_000),
            repositories: Cache::new(50_000),
            identity_policies: Cache::new(50_000),
            user_tags: Cache::new(50_000),
            decisions: Decisions::new(),
        }
    }

    /// The region in ARNs.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Finds a domain.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] in AWS's words.
    pub async fn get_domain(&self, owner: &AccountId, name: &DomainName) -> Result<Arc<Domain>> {
        let generation = self.control.generation().await?;
        let key = (owner.clone(), name.clone());
        if let Some((seen, domain)) = self.domains.get(&key)
            && seen == generation
        {
            return Ok(domain);
        }
        let domain = self.store.find_domain(owner, name).await?.map(Arc::new).ok_or_else(|| {
            Error::not_found(
                ResourceType::Domain,
                name.as_str(),
                format!("Domain not found. Domain '{name}' owned by account '{owner}' does not exist"),
            )
        })?;
        self.domains.insert(key, (generation, Arc::clone(&domain)));
        Ok(domain)
    }

    /// Finds a repository of a domain.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`].
    pub async fn get_repository(&self, domain: &Domain, name: &RepositoryName) -> Result<Arc<Repository>> {
        let generation = self.control.generation().await?;
        let key = (domain.id, name.clone());
        if let Some((seen, repository)) = self.repositories.get(&key)
            && seen == generation
        {
            return Ok(repository);
        }
        let repository = self.store.find_repository(domain.id, name).await?.map(Arc::new).ok_or_else(|| {
            Error::not_found(
                ResourceType::Repository,
                format!("{}/{}/{name}", domain.owner, domain.name),
                format!("Repository not found. Repository '{name}' in domain '{}' does not exist", domain.name),
            )
        })?;
        self.repositories.insert(key, (generation, Arc::clone(&repository)));
        Ok(repository)
    }

    /// Decides, and proves a yes.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub async fn authorize<T: Target>(&self, caller: &Caller, action: Action, target: T) -> Result<Allowed<T>> {
        self.authorize_with(caller, action, target, &[]).await
    }

    /// As [`Access::authorize`], with condition values that only this request knows: request tags, token duration.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub async fn authorize_with<T: Target>(
        &self,
        caller: &Caller,
        action: Action,
        target: T,
        request_context: &[(String, Vec<String>)],
    ) -> Result<Allowed<T>> {
        RequestNotes::ask(action, || target.arn(&self.region).as_str().to_owned());
        let decision = self.decide(caller, action, &target, request_context, &mut Trace::off()).await?;
        if let Some(refusal) = decision.refusal {
            return Err(refusal.into());
        }
        let actor = caller.actor(action.name(), self.clock.now());
        let repeats = match caller.via {
            Via::Token { expires_at, .. } if decision.varies <= Varies::WithPeer => {
                Some(Repeats { until: expires_at, same_peer: decision.varies == Varies::WithPeer })
            }
            _ => None,
        };
        Ok(Allowed { target, principal: caller.principal.clone(), actor, repeats })
    }

    /// As [`Access::authorize`], writing down what was looked at. Nothing is remembered of it.
    ///
    /// # Errors
    /// As [`Access::authorize`].
    pub(crate) async fn explain<T: Target>(
        &self,
        caller: &Caller,
        action: Action,
        target: T,
        trace: &mut Trace,
    ) -> Result<Allowed<T>> {
        let decision = self.decide(caller, action, &target, &[], trace).await?;
        match decision.refusal {
            Some(refusal) => Err(refusal.into()),
            None => {
                let actor = caller.actor(action.name(), self.clock.now());
                Ok(Allowed { target, principal: caller.principal.clone(), actor, repeats: None })
            }
        }
    }

    /// Writes down what each side's policies say.
    fn note_policies<T: Target>(&self, target: &T, question: &AccessQuestion<'_>, verdict: Verdict, trace: &mut Trace) {
        let action = question.action;
        let say = |effect| match effect {
            Effect::Deny => format!("denies {action}"),
            Effect::Allow => format!("allows {action}"),
            Effect::Silent => format!("says nothing about {action}"),
        };
        let step = |kind, name, effect, code| {
            let step = Step::new(kind, name, say(effect));
            if effect == Effect::Deny { step.refusing(code) } else { step }
        };
        let principal = question.principal.arn().to_string();
        trace.note(|| step("identity-policy", principal, verdict.identity, RefusalCode::IamIdentityDeny));
        let of_domain = policy_of_domain(target);
        let alone = |policies: &[Arc<str>]| {
            let question = AccessQuestion { identity_policies: &[], resource_policies: policies, ..*question };
            self.policies.evaluate(&question).resource
        };
        let (of_domain, of_repository): (Vec<_>, Vec<_>) =
            question.resource_policies.iter().cloned().partition(|policy| of_domain.contains(policy));
        if let Some(domain) = target.domain() {
            let name = domain.name.to_string();
            trace.note(|| match of_domain.as_slice() {
                [] => Step::new("domain-policy", name, "there is none"),
                policies => step("domain-policy", name, alone(policies), RefusalCode::IamDomainDeny),
            });
        }
        if let Some(repository) = target.repository() {
            let name = repository.name.to_string();
            trace.note(|| match of_repository.as_slice() {
                [] => Step::new("repository-policy", name, "there is none"),
                policies => step("repository-policy", name, alone(policies), RefusalCode::IamRepositoryDeny),
            });
        }
    }

    /// Allows whoever can run commands on the data directory to manage accounts, users, keys and identity policies.
    /// `operation` is for the journal, spelled as IAM spells it: `CreateUser`.
    ///
    /// # Errors
    /// [`Error::AccessDenied`] for callers that came over the network.
    pub fn authorize_machine(&self, caller: &Caller, operation: &'static str) -> Result<Allowed<ServerTarget>> {
        if caller.via != Via::Machine {
            return Err(Error::AccessDenied {
                message: format!("User: {} is not authorized to perform: iam:{operation}", caller.principal.arn()),
            });
        }
        let actor = caller.actor(operation, self.clock.now());
        Ok(Allowed { target: ServerTarget, principal: caller.principal.clone(), actor, repeats: None })
    }

    async fn decide<T: Target>(
        &self,
        caller: &Caller,
        action: Action,
        target: &T,
        request_context: &[(String, Vec<String>)],
        trace: &mut Trace,
    ) -> Result<Decision> {
        // A token opens one domain only, and a read-only one does not write.
        let refused = Refused { caller, action, resource: target.arn(&self.region) };
        if let Via::Token { domain, read_only, .. } = &caller.via {
            if target.domain().is_some_and(|target| target.id != *domain) {
                return Ok(Decision::always(Some(refused.by_token("the authorization token opens another domain"))));
            }
            if *read_only && action != Action::ReadFromRepository {
                return Ok(Decision::always(Some(refused.by_token("the authorization token is for reading only"))));
            }
        }
        match &caller.principal.kind {
            PrincipalKind::User(_) | PrincipalKind::AssumedRole(_) => {}
            // It may assume a role, which is not decided here, and nothing else.
            PrincipalKind::WebIdentity(_) => {
                let found = "an identity from outside has no policies";
                trace.note(|| Step::new("identity-policy", caller.principal.arn().to_string(), found));
                return Ok(Decision::always(Some(refused.by_policies(target, Verdict::SILENT, false))));
            }
            // Whoever can run commands on the data directory owns everything in it.
            PrincipalKind::System => {
                let found = "the machine's owner may do everything";
                trace.note(|| Step::new("identity-policy", caller.principal.arn().to_string(), found));
                return Ok(Decision::always(None));
            }
        }
        let generation = self.control.generation().await?;
        let repeated = target
            .repository()
            .map(|repository| repository.id)
            .filter(|_| action == Action::ReadFromRepository && request_context.is_empty() && !trace.is_on());
        if let Some(repository) = repeated
            && let Some(varies) = self.decisions.find(caller, action, repository, generation)
        {
            return Ok(Decision { refusal: None, varies });
        }

        let identity = self.identity_policies(&caller.principal, generation).await?;
        let session = self.session_policies(&caller.principal, generation).await?;
        let resource = resource_policies(action.scope(), target);
        let context = self.context(caller, action, target, request_context, generation).await?;
        let context = borrowed(&context);
        let question = AccessQuestion {
            principal: &caller.principal,
            action: action.as_iam(),
            resource: refused.resource.as_str(),
            context: &context,
            identity_policies: &identity,
            resource_policies: &resource,
            session_policies: session.as_deref(),
        };
        let verdict = self.policies.evaluate(&question);
        if trace.is_on() {
            self.note_policies(target, &question, verdict, trace);
        }
        let allows = |verdict| combine(&caller.principal.account, action.scope(), target, verdict);
        if !allows(verdict) {
            let unlimited = AccessQuestion { session_policies: None, ..question };
            if session.is_some() && allows(self.policies.evaluate(&unlimited)) {
                trace.note(|| {
                    let found = format!("does not allow {}", action.as_iam());
                    Step::new("session-policy", caller.principal.arn().to_string(), found)
                        .refusing(RefusalCode::IamSessionPolicy)
                });
                let refusal = Some(refused.by_session_policy());
                return Ok(Decision { refusal, varies: verdict.varies });
            }
            let domain_denies = verdict.resource == Effect::Deny && {
                let domain = policy_of_domain(target);
                let alone = AccessQuestion { identity_policies: &[], resource_policies: &domain, ..unlimited };
                self.policies.evaluate(&alone).resource == Effect::Deny
            };
            let refusal = Some(refused.by_policies(target, verdict, domain_denies));
            return Ok(Decision { refusal, varies: verdict.varies });
        }
        if let Some(repository) = repeated {
            self.decisions.put(caller, action, repository, generation, verdict.varies);
        }
        Ok(Decision { refusal: None, varies: verdict.varies })
    }

    /// The condition keys of reference 5.5 that have a value here.
    async fn context<T: Target>(
        &self,
        caller: &Caller,
        action: Action,
        target: &T,
        request_context: &[ConditionValue],
        generation: u64,
    ) -> Result<Vec<ConditionValue>> {
        let mut context = self.caller_context(caller, generation).await?;
        if action == Action::GetServiceBearerToken {
            context.push(("sts:AWSServiceName".to_owned(), vec!["codeartifact.amazonaws.com".to_owned()]));
        }
        if let Some(domain) = target.domain() {
            context.push(("aws:ResourceAccount".to_owned(), vec![domain.owner.to_string()]));
        }
        if let Some(tagged) = target.tagged(&self.region) {
            for Tag { key, value } in self.store.list_tags(tagged.as_str()).await? {
                context.push(tag("aws:ResourceTag", &key, &value));
            }
        }
        context.extend_from_slice(request_context);
        Ok(context)
    }
}

/// The domain's policy, if it has one.
fn policy_of_domain<T: Target>(target: &T) -> Vec<Arc<str>> {
    let policy = target.domain().and_then(|domain| domain.policy.as_ref());
    policy.map(|(text, _)| Arc::clone(text)).into_iter().collect()
}

fn resource_policies<T: Target>(scope: PolicyScope, target: &T) -> Vec<Arc<str>> {
    let domain = policy_of_domain(target);
    let repository =
        target.repository().and_then(|repository| repository.policy.as_ref()).map(|(text, _)| Arc::clone(text));
    match scope {
        PolicyScope::Account | PolicyScope::DomainPolicy => Vec::new(),
        PolicyScope::Domain | PolicyScope::RepositoryPolicy => domain,
        PolicyScope::Repository => domain.into_iter().chain(repository).collect(),
    }
}

/// Reference 5.6: a deny anywhere wins; in the owner's account one allow of either side is enough; in the repository
/// administrator's account the identity's allow is enough for that repository; everybody else needs both.
fn combine<T: Target>(account: &AccountId, scope: PolicyScope, target: &T, verdict: Verdict) -> bool {
    if verdict.identity == Effect::Deny || verdict.resource == Effect::Deny {
        return false;
    }
    let identity = verdict.identity == Effect::Allow;
    let resource = verdict.resource == Effect::Allow;
    let Some(domain) = target.domain() else { return identity };
    if *account == domain.owner {
        return identity || resource;
    }
    let administers = matches!(scope, PolicyScope::Repository | PolicyScope::RepositoryPolicy)
        && target.repository().is_some_and(|repository| repository.administrator == *account);
    if administers { identity } else { identity && resource }
}
