//! Which versions of public registries are held back, and by which rule (see [`Cooldown`]).
//!
//! A version comes from a public registry through the repository that owns the connection and through every repository
//! between it and the one that was asked. Each of them may have a rule, and the strictest counts. A version that a
//! repository stores has passed that repository's rule for good; the rules of those between it and the asked one still
//! count.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use moka::sync::Cache;

use super::registry_index::RegistryIndexes;
use super::{Control, Formats};
use crate::error::{Error, Result};
use crate::model::{
    Arn, Clock, Cooldown, ExternalConnection, Held, OriginType, PackageKey, PackageVersion, ReleaseTime, Repository,
    RepositoryId, RepositoryName, Timestamp, VersionText,
};
use crate::ports::{HostedPackage, MetadataStore, Sightings, StoredIndex};
use crate::refusal::Refusal;

/// Versions of one index whose age is asked for beyond the index, and how many at once.
const DATED: usize = 256;
const DATED_AT_ONCE: usize = 8;

/// Finds and applies the rules.
pub(crate) struct Cooldowns {
    pub(super) store: Arc<dyn MetadataStore>,
    pub(super) control: Arc<Control>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) formats: Formats,
    pub(super) indexes: Arc<RegistryIndexes>,
    pub(super) region: Arc<str>,
    pub(super) repositories: Cache<RepositoryId, (u64, Option<Arc<Cooldown>>)>,
}

/// Whose rule it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetBy {
    Repository(RepositoryName),
    /// A package group, by its pattern.
    Group(Arc<str>),
}

impl std::fmt::Display for SetBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Repository(name) => write!(f, "repository '{name}'"),
            Self::Group(pattern) => write!(f, "package group '{pattern}'"),
        }
    }
}

/// A rule on the way of a package.
#[derive(Debug, Clone)]
pub struct AppliedRule {
    pub set_by: SetBy,
    pub cooldown: Arc<Cooldown>,
    /// The package is one of those that the rule is not for.
    pub exempt: bool,
}

/// All rules on the way of a package, those of the asked repository first.
#[derive(Debug, Clone, Default)]
pub struct Rules(Vec<AppliedRule>);

/// A version that is held back.
#[derive(Debug, Clone)]
pub struct Withheld {
    /// As its source spells it.
    pub version: String,
    pub released: ReleaseTime,
    pub set_by: SetBy,
    pub held: Held,
}

impl Rules {
    /// Each of them, also those that exempt the package.
    #[must_use]
    pub fn all(&self) -> &[AppliedRule] {
        &self.0
    }

    fn are_none(&self) -> bool {
        self.0.iter().all(|rule| rule.exempt)
    }

    /// What holds a version back the longest, if anything does.
    #[must_use]
    pub fn judge(&self, released: ReleaseTime, now: Timestamp) -> Option<(&SetBy, Held)> {
        let held = self.0.iter().filter(|rule| !rule.exempt).filter_map(|rule| {
            let held = rule.cooldown.judge(released, now)?;
            Some((&rule.set_by, held))
        });
        // The first of equals: the nearest to whoever asks.
        held.reduce(|first, next| {
            let longer = match (first.1.until(), next.1.until()) {
                (Some(first), Some(next)) => next > first,
                (Some(_), None) => true,
                (None, _) => false,
            };
            if longer { next } else { first }
        })
    }
}

impl Withheld {
    /// What the client is told.
    #[must_use]
    pub fn refusal(&self, package: &PackageKey, now: Timestamp) -> Refusal {
        Refusal::cooldown(package, self, now)
    }
}

/// An index without what is held back.
pub(crate) struct Gated {
    /// Its body is `None` if nothing is left of it.
    pub(crate) index: Arc<StoredIndex>,
    pub(crate) withheld: Vec<Withheld>,
}

impl Gated {
    /// What is held back of a version: of its files, the one that has to wait longest.
    pub(crate) fn of_version(&self, version: &VersionText) -> Option<Withheld> {
        let of_it = self.withheld.iter().filter(|held| held.version == version.as_str());
        // A source may spell it otherwise.
        let held = last_to_pass(of_it).or_else(|| last_to_pass(self.withheld.iter()))?;
        Some(Withheld { version: version.to_string(), ..held.clone() })
    }
}

/// Of several versions the one that passes last; one that never does comes before all.
fn last_to_pass<'a>(withheld: impl Iterator<Item = &'a Withheld>) -> Option<&'a Withheld> {
    withheld.max_by_key(|withheld| withheld.held.until().map_or(i64::MAX, |until| until.0))
}

/// When the first of these passes.
pub(crate) fn next_to_pass(withheld: &[Withheld]) -> Option<Timestamp> {
    withheld.iter().filter_map(|withheld| withheld.held.until()).min()
}

impl Cooldowns {
    /// The rules on a way, given the repositories on it, the asked one first.
    pub(crate) async fn rules(&self, way: &[Arc<Repository>], package: &PackageKey) -> Result<Rules> {
        let mut rules = Vec::new();
        for repository in way {
            if let Some(cooldown) = self.of_repository(repository).await? {
                let exempt = cooldown.exempts(package);
                let set_by = SetBy::Repository(repository.name.clone());
                rules.push(AppliedRule { set_by, cooldown, exempt });
            }
        }
        Ok(Rules(rules))
    }

    async fn of_repository(&self, repository: &Repository) -> Result<Option<Arc<Cooldown>>> {
        let generation = self.control.generation().await?;
        if let Some((seen, rule)) = self.repositories.get(&repository.id)
            && seen == generation
        {
            return Ok(rule);
        }
        let arn = Arn::repository(&self.region, &repository.domain_owner, &repository.domain_name, &repository.name);
        let rule = Cooldown::of_tags(&self.store.list_tags(arn.as_str()).await?).map(Arc::new);
        self.repositories.insert(repository.id, (generation, rule.clone()));
        Ok(rule)
    }

    /// Takes out of an index, or another document, of a public registry what the rules hold back.
    ///
    /// # Errors
    /// [`Error::Upstream`] if it does not parse, and when the database does not answer.
    pub(crate) async fn gate_index(
        &self,
        rules: &Rules,
        (owner, connection): (RepositoryId, ExternalConnection),
        package: &PackageKey,
        document: &PackageKey,
        index: Arc<StoredIndex>,
    ) -> Result<Gated> {
        if rules.are_none() || index.body.is_none() {
            return Ok(Gated { index, withheld: Vec::new() });
        }
        let mut sightings = self.store.find_sightings(owner, connection, package).await?;
        let mut gated = self.gate(rules, package, &index, &sightings, HashMap::new()).await?;
        let undated = |gated: &Gated| gated.withheld.iter().any(|held| held.released.instant().is_none());
        if undated(&gated) && package != document {
            // The package's own index may have been seen before, or be old itself.
            let own = self.indexes.get(owner, connection, package).await;
            if own.is_ok() {
                sightings = self.store.find_sightings(owner, connection, package).await?;
                gated = self.gate(rules, package, &index, &sightings, HashMap::new()).await?;
            }
        }
        let dates = self.dates((owner, connection), package, &gated.withheld).await?;
        if !dates.is_empty() {
            gated = self.gate(rules, package, &index, &sightings, dates).await?;
        }
        Ok(gated)
    }

    async fn gate(
        &self,
        rules: &Rules,
        package: &PackageKey,
        index: &Arc<StoredIndex>,
        sightings: &Sightings,
        dates: HashMap<String, Timestamp>,
    ) -> Result<Gated> {
        let format = Arc::clone(self.formats.get(package.format())?);
        let (rules, package, index) = (rules.clone(), package.clone(), Arc::clone(index));
        let (sightings, now) = (sightings.clone(), self.clock.now());
        let work = move || {
            // Whatever the document lists was published before it was last changed.
            let bound = index.last_modified.as_deref().and_then(Timestamp::parse_http_date);
            let withheld = RefCell::new(Vec::new());
            let mut gate = |version: &str, released: ReleaseTime| {
                let released = match dates.get(version) {
                    Some(date) => ReleaseTime::PublishedAt(*date),
                    None => released.or_known_since(bound).or_known_since(sightings.get(version).copied()),
                };
                let Some((set_by, held)) = rules.judge(released, now) else { return true };
                let (version, set_by) = (version.to_owned(), set_by.clone());
                withheld.borrow_mut().push(Withheld { version, released, set_by, held });
                false
            };
            let rest = format.withhold(&package, &index, &mut gate).map_err(|error| Error::Upstream {
                message: format!("the public registry's index of {package} cannot be read: {error}"),
                retry_after_seconds: None,
            })?;
            Ok(Gated { index: rest.map_or(index, Arc::new), withheld: withheld.into_inner() })
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
    }

    /// When versions were published whose age the index does not say, from documents of their own, the newest first.
    async fn dates(
        &self,
        (owner, connection): (RepositoryId, ExternalConnection),
        package: &PackageKey,
        withheld: &[Withheld],
    ) -> Result<HashMap<String, Timestamp>> {
        let format = self.formats.get(package.format())?;
        let undated = withheld.iter().rev().filter(|held| matches!(held.held, Held::AgeUnknown { .. }));
        let documents = undated.take(DATED).filter_map(|held| {
            let version = VersionText::new(held.version.as_str()).ok()?;
            Some((held.version.clone(), format.dating_document(package, &version)?))
        });
        let dates = stream::iter(documents.collect::<Vec<_>>()).map(|(version, document)| async move {
            // A date does not change, so that a document may be as old as it likes.
            let held = self.store.find_index(owner, connection, &document).await?;
            let index = match held.filter(|index| index.body.is_some()) {
                Some(index) => Some(Arc::new(index)),
                None => match self.indexes.get(owner, connection, &document).await {
                    Ok(current) => Some(current.index),
                    Err(Error::Upstream { .. }) => None,
                    Err(error) => return Err(error),
                },
            };
            let date = index.and_then(|index| Timestamp::parse_http_date(index.last_modified.as_deref()?));
            Ok(date.map(|date| (version, date)))
        });
        let dates: Vec<Result<Option<(String, Timestamp)>>> = dates.buffer_unordered(DATED_AT_ONCE).collect().await;
        dates.into_iter().filter_map(Result::transpose).collect()
    }

    /// Takes out of a package that a repository on the way stores what the rules before it hold back.
    pub(crate) fn gate_hosted(&self, rules: &Rules, package: &mut HostedPackage) -> Vec<Withheld> {
        let mut withheld = Vec::new();
        if !rules.are_none() {
            package.versions.retain(|version| {
                let held = self.judge_stored(rules, version);
                let passes = held.is_none();
                withheld.extend(held);
                passes
            });
        }
        withheld
    }

    /// Whether the rules before the repository that stores a version hold it back. What was published to a repository of
    /// the domain is nobody else's.
    pub(crate) fn judge_stored(&self, rules: &Rules, version: &PackageVersion) -> Option<Withheld> {
        if version.origin.origin_type() == OriginType::Internal {
            return None;
        }
        let released = ReleaseTime::of(version.source_published_at).or_known_since(Some(version.first_seen_at));
        let (set_by, held) = rules.judge(released, self.clock.now())?;
        Some(Withheld { version: version.version.to_string(), released, set_by: set_by.clone(), held })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Tag;

    const DAY: i64 = 86_400_000;

    fn rules(ages: &[(u64, bool)]) -> Rules {
        let rule = |(number, (days, exempt)): (usize, &(u64, bool))| AppliedRule {
            set_by: SetBy::Repository(RepositoryName::new(format!("repository-{number}")).unwrap()),
            cooldown: Arc::new(
                Cooldown::of_tags(&[Tag::new(Cooldown::MINIMUM_AGE, format!("{days}d")).unwrap()]).unwrap(),
            ),
            exempt: *exempt,
        };
        Rules(ages.iter().enumerate().map(rule).collect())
    }

    proptest! {
        #[test]
        fn the_strictest_rule_that_does_not_exempt_the_package_counts(
            ages in proptest::collection::vec((1_u64..30, any::<bool>()), 0..5),
            age in 0_i64..40,
        ) {
            let naive = ages.iter().filter(|(_, exempt)| !exempt).map(|(days, _)| *days).max();
            let now = Timestamp(100 * DAY);
            let published = Timestamp(now.0 - age * DAY);
            let rules = rules(&ages);
            let judged = rules.judge(ReleaseTime::PublishedAt(published), now);
            let expected = naive.filter(|days| i64::try_from(*days).unwrap() > age);
            prop_assert_eq!(judged.is_some(), expected.is_some());
            if let (Some((set_by, held)), Some(days)) = (judged, expected) {
                let days = i64::try_from(days).unwrap();
                prop_assert_eq!(held.until(), Some(Timestamp(published.0 + days * DAY)));
                let first = ages.iter().position(|(of, exempt)| !exempt && i64::try_from(*of).unwrap() == days).unwrap();
                prop_assert_eq!(set_by.to_string(), format!("repository 'repository-{first}'"));
            }
        }
    }
}
