//! What a session is asked to be given, checked: policies, tags, duration.

use std::sync::Arc;
use std::time::Duration;

use super::{SHORTEST, StsError};
use crate::access::ConditionValue;
use crate::error::Error;
use crate::model::{RoleSession, SessionName, SessionScope, SessionTag, Tag};
use crate::ports::{PolicyEvaluator, PolicyKind};

/// The longest session of a role, whatever the role allows.
pub(super) const ROLE_SESSION_LONGEST: Duration = Duration::from_secs(43_200);
/// The lifetime when the caller names none.
pub(super) const ROLE_SESSION_DEFAULT: Duration = Duration::from_secs(3600);
/// The longest session of a role that another role's session assumes.
pub(super) const CHAINED_LONGEST: Duration = Duration::from_secs(3600);
/// The most managed policies passed as session policies.
const POLICY_ARNS: usize = 10;
/// The most session tags.
const TAGS: usize = 50;
/// What policies and tags may take together, in characters: 100 % of `PackedPolicySize`.
const PACKED_CHARACTERS: usize = 2048;

/// A tag as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedTag {
    pub key: String,
    pub value: String,
}

/// What the session of a role is asked to be given.
#[derive(Debug, Clone)]
pub struct SessionRequest {
    pub name: SessionName,
    pub duration: Option<Duration>,
    /// An inline session policy.
    pub policy: Option<String>,
    /// Managed policies as session policies.
    pub policy_arns: Vec<String>,
    pub tags: Vec<RequestedTag>,
    pub transitive_tag_keys: Vec<String>,
    pub source_identity: Option<SessionName>,
}

impl SessionRequest {
    /// Without anything but a name.
    #[must_use]
    pub fn new(name: SessionName) -> Self {
        Self {
            name,
            duration: None,
            policy: None,
            policy_arns: Vec::new(),
            tags: Vec::new(),
            transitive_tag_keys: Vec::new(),
            source_identity: None,
        }
    }

    /// The lifetime, within what every role allows.
    pub(super) fn duration(&self) -> Result<Duration, StsError> {
        let duration = self.duration.unwrap_or(ROLE_SESSION_DEFAULT);
        check_duration(duration, ROLE_SESSION_LONGEST).map(|()| duration)
    }

    /// What the session gets, with what it inherits from the calling session.
    pub(super) fn scope(
        &self,
        caller: Option<&RoleSession>,
        policies: &dyn PolicyEvaluator,
    ) -> Result<SessionScope, StsError> {
        if let Some(policy) = &self.policy {
            policies
                .validate(PolicyKind::Identity, policy)
                .map_err(|invalid| StsError::MalformedPolicyDocument(invalid.to_string()))?;
        }
        if self.policy_arns.len() > POLICY_ARNS {
            let message = format!("at most {POLICY_ARNS} managed policies can be session policies");
            return Err(Error::validation("PolicyArns", message).into());
        }
        let inherited = caller.iter().flat_map(|session| &session.scope.tags).filter(|tag| tag.transitive);
        let mut tags: Vec<SessionTag> = inherited.cloned().collect();
        check_tags(&self.tags, &self.transitive_tag_keys, &tags)?;
        let transitive = |key: &str| self.transitive_tag_keys.iter().any(|named| named.eq_ignore_ascii_case(key));
        tags.extend(self.tags.iter().map(|tag| SessionTag {
            key: tag.key.clone(),
            value: tag.value.clone(),
            transitive: transitive(&tag.key),
        }));
        let source_identity = self.source_identity(caller)?;
        Ok(SessionScope {
            policy: self.policy.as_deref().map(Arc::from),
            policy_arns: self.policy_arns.clone(),
            tags,
            source_identity,
            provider: None,
        })
    }

    /// Once set, it stays through all roles that are assumed from there on.
    fn source_identity(&self, caller: Option<&RoleSession>) -> Result<Option<String>, StsError> {
        let inherited = caller.and_then(|session| session.scope.source_identity.as_deref());
        match (inherited, &self.source_identity) {
            (Some(inherited), Some(asked)) if inherited != asked.as_str() => {
                let message = "SourceIdentity cannot be changed: the calling session has another one";
                Err(Error::validation("SourceIdentity", message).into())
            }
            (Some(inherited), _) => Ok(Some(inherited.to_owned())),
            (None, asked) => Ok(asked.as_ref().map(ToString::to_string)),
        }
    }

    /// How much of the room for policies and tags is taken, in percent; `None` if none is.
    pub(super) fn packed_percent(&self) -> Result<Option<usize>, StsError> {
        let policy = self.policy.as_ref().map_or(0, |policy| policy.chars().count());
        let arns: usize = self.policy_arns.iter().map(String::len).sum();
        let tags: usize = self.tags.iter().map(|tag| tag.key.chars().count() + tag.value.chars().count()).sum();
        let taken = policy + arns + tags;
        if taken > PACKED_CHARACTERS {
            let percent = taken * 100 / PACKED_CHARACTERS;
            return Err(StsError::PackedPolicyTooLarge(format!(
                "Packed size of session tags and session policies consumes {percent}% of allotted space."
            )));
        }
        Ok((taken > 0).then(|| (taken * 100).div_ceil(PACKED_CHARACTERS)))
    }

    /// The condition keys of the request.
    pub(super) fn context(&self, scope: &SessionScope) -> Vec<ConditionValue> {
        let mut context = vec![("sts:RoleSessionName".to_owned(), vec![self.name.to_string()])];
        if let Some(identity) = &scope.source_identity {
            context.push(("sts:SourceIdentity".to_owned(), vec![identity.clone()]));
        }
        for tag in &self.tags {
            context.push((format!("aws:RequestTag/{}", tag.key), vec![tag.value.clone()]));
        }
        if !self.tags.is_empty() {
            context.push(("aws:TagKeys".to_owned(), self.tags.iter().map(|tag| tag.key.clone()).collect()));
        }
        let transitive: Vec<String> =
            scope.tags.iter().filter(|tag| tag.transitive).map(|tag| tag.key.clone()).collect();
        if !transitive.is_empty() {
            context.push(("sts:TransitiveTagKeys".to_owned(), transitive));
        }
        context
    }
}

/// Checks a lifetime.
pub(super) fn check_duration(duration: Duration, longest: Duration) -> Result<(), StsError> {
    if (SHORTEST..=longest).contains(&duration) {
        return Ok(());
    }
    let (given, shortest, longest) = (duration.as_secs(), SHORTEST.as_secs(), longest.as_secs());
    let rule = if duration < SHORTEST {
        format!("Member must have value greater than or equal to {shortest}")
    } else {
        format!("Member must have value less than or equal to {longest}")
    };
    let message = format!(
        "1 validation error detected: Value '{given}' at 'durationSeconds' failed to satisfy constraint: {rule}"
    );
    Err(Error::validation("DurationSeconds", message).into())
}

fn check_tags(tags: &[RequestedTag], transitive: &[String], inherited: &[SessionTag]) -> Result<(), StsError> {
    let refuse = |message: String| Err(Error::validation("Tags", message).into());
    if tags.len() > TAGS {
        return refuse(format!("a session has at most {TAGS} tags"));
    }
    for (index, tag) in tags.iter().enumerate() {
        if tag.key.len() >= 4 && tag.key.as_bytes()[..4].eq_ignore_ascii_case(b"aws:") {
            return refuse("Tag keys that begin with aws: are reserved".to_owned());
        }
        Tag::new(tag.key.clone(), tag.value.clone())
            .map_err(|invalid| Error::validation("Tags", invalid.to_string()))?;
        if tags[..index].iter().any(|earlier| earlier.key.eq_ignore_ascii_case(&tag.key)) {
            return refuse("Duplicate tag keys found. Please note that Tag keys are case insensitive.".to_owned());
        }
        if inherited.iter().any(|earlier| earlier.key.eq_ignore_ascii_case(&tag.key)) {
            return refuse(format!(
                "One of the specified session tag keys can't be set because it conflicts with a transitive tag key from the calling session: {}",
                tag.key
            ));
        }
    }
    match transitive.iter().find(|key| !tags.iter().any(|tag| tag.key.eq_ignore_ascii_case(key))) {
        Some(key) => refuse(format!("The specified transitive tag key must be included in the requested tags: {key}")),
        None => Ok(()),
    }
}
