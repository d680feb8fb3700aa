//! Why a version is served or refused: the decision made again, by the functions that make it, with what they looked at.

mod asking;

use std::sync::Arc;

use serde_json::json;

use super::finding::{Hit, Wanted};
use super::view::Dependencies;
use super::{Downloads, Publishing};
use crate::access::{Access, Action, Caller, PackageTarget, RepositoryTarget};
use crate::error::{Error, Result};
use crate::model::{PackageKey, VersionText};
use crate::ports::MetadataStore;
use crate::refusal::{Refusal, RefusalCode, Step, Trace};

pub use asking::Asking;

/// What is to be explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// Reading the version through a package manager's endpoint.
    Read,
    /// Publishing it.
    Publish,
}

/// How it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Allowed,
    Refused,
    /// No rule stands against it, and nobody has it.
    NotFound,
    /// A public registry that might have it does not answer.
    Unknown,
}

impl Outcome {
    /// `allowed`, `refused`, `not-found`, `unknown`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Refused => "refused",
            Self::NotFound => "not-found",
            Self::Unknown => "unknown",
        }
    }
}

/// A decision with all that was looked at for it.
#[derive(Debug, Clone)]
pub struct Explanation {
    pub outcome: Outcome,
    /// What decided: the sentence that a client is told, or where the version comes from.
    pub sentence: String,
    /// The rule that refused.
    pub refusal: Option<Refusal>,
    /// In the order in which it was looked at.
    pub steps: Vec<Step>,
    /// What would change it.
    pub changes: Vec<String>,
    /// What was taken for granted, because it cannot be known of somebody who is only named.
    pub assumptions: Vec<String>,
}

impl Explanation {
    /// As programs read it.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let parameters = self.refusal.as_ref().map(Refusal::parameters).unwrap_or_default().iter();
        let parameters: serde_json::Map<_, _> =
            parameters.map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect();
        let steps = self.steps.iter().map(|step| {
            json!({
                "lookedAt": step.looked_at,
                "name": step.name,
                "found": step.found,
                "refuses": step.refuses.map(RefusalCode::as_str),
            })
        });
        json!({
            "outcome": self.outcome.as_str(),
            "code": self.refusal.as_ref().map(|refusal| refusal.code().as_str()),
            "sentence": self.sentence,
            "parameters": parameters,
            "steps": steps.collect::<Vec<_>>(),
            "changes": self.changes,
            "assumptions": self.assumptions,
        })
    }
}

/// Explains decisions. Nothing is fetched, retained or published by that, but index documents of public registries are
/// refreshed as for any reader.
pub struct Explain {
    pub(super) access: Arc<Access>,
    pub(super) downloads: Arc<Downloads>,
    pub(super) publishing: Arc<Publishing>,
    pub(super) store: Arc<dyn MetadataStore>,
}

impl Explain {
    /// Explains what `asking` would be answered. Whoever asks was found to have rights to be told.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn explain(
        &self,
        asking: &Asking,
        target: &RepositoryTarget,
        package: &PackageKey,
        version: &VersionText,
        request: Request,
    ) -> Result<Explanation> {
        let caller = asking.caller();
        let mut trace = Trace::on();
        let decided = match request {
            Request::Read => self.read(caller, target, package, version, &mut trace).await,
            Request::Publish => self.publish(caller, target, package, version, &mut trace).await,
        };
        let steps = trace.into_steps();
        let explanation = |outcome, sentence, refusal: Option<Refusal>| {
            let changes = refusal.as_ref().map(Refusal::advice).unwrap_or_default();
            let assumptions = asking.assumptions().to_vec();
            Ok(Explanation { outcome, sentence, refusal, steps, changes, assumptions })
        };
        match decided {
            Ok(sentence) => explanation(Outcome::Allowed, sentence, None),
            Err(error) => match (error.refusal().cloned(), &error) {
                (Some(refusal), _) => explanation(Outcome::Refused, refusal.sentence().to_owned(), Some(refusal)),
                (None, Error::ResourceNotFound { .. }) => explanation(Outcome::NotFound, error.to_string(), None),
                (None, Error::Conflict { .. }) => explanation(Outcome::Refused, error.to_string(), None),
                (None, Error::Upstream { .. }) => explanation(Outcome::Unknown, error.to_string(), None),
                (None, _) => Err(error),
            },
        }
    }

    async fn read(
        &self,
        caller: &Caller,
        target: &RepositoryTarget,
        package: &PackageKey,
        version: &VersionText,
        trace: &mut Trace,
    ) -> Result<String> {
        let allowed = self.access.explain(caller, Action::ReadFromRepository, target.clone(), trace).await?;
        let start = &allowed.target().repository;
        let mut depends_on = Dependencies::begin(&self.downloads.views.control).await?;
        let wanted = Wanted { start, key: package, version, asset: None };
        Ok(match self.downloads.find(wanted, &mut depends_on, trace).await? {
            Hit::Stored { repository, .. } if repository == start.id => {
                format!("repository '{}' holds the version", start.name)
            }
            Hit::Stored { repository, .. } => {
                let holder = self.store.find_repository_by_id(repository).await?;
                let name = holder.map_or_else(String::new, |holder| holder.name.to_string());
                format!("repository '{name}' holds the version; '{}' retains it when it is fetched", start.name)
            }
            Hit::Offered { repository, connection, .. } => {
                format!("it comes from {connection} through repository '{}'", repository.name)
            }
        })
    }

    async fn publish(
        &self,
        caller: &Caller,
        target: &RepositoryTarget,
        package: &PackageKey,
        version: &VersionText,
        trace: &mut Trace,
    ) -> Result<String> {
        let target = PackageTarget::new(target, package.clone());
        let allowed = self.access.explain(caller, Action::PublishPackageVersion, target, trace).await?;
        let repository = &allowed.target().repository;
        let known = self.store.find_package(repository.id, package).await?;
        self.publishing.explain_origin(&allowed, known.as_ref(), version, trace).await?;
        Ok(format!("'{package}' may be published to repository '{}'", repository.name))
    }
}
