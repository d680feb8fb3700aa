//! Batch calls over versions of one package: status, disposal, deletion (reference 2.7). All of the versions are
//! checked first; if one fails, the others are skipped and nothing changes.

use larder_core::error::ValidationReason;
use larder_core::model::{
    Package, PackageId, PackageVersion, Revision, VersionFailure, VersionFailureCode, VersionStatus, VersionText,
};
use larder_core::ports::{BatchOutcome, BatchSelection, VersionSelector};
use larder_core::{Error, Result};

use super::Transaction;
use super::journal::VersionChange;
use super::places::Place;

/// What a batch call does to each version.
#[derive(Clone, Copy)]
enum Step {
    SetStatus(VersionStatus),
    Dispose,
    Delete,
}

impl Step {
    /// The status that a version has afterwards.
    fn target(self) -> VersionStatus {
        match self {
            Self::SetStatus(status) => status,
            Self::Dispose => VersionStatus::Disposed,
            Self::Delete => VersionStatus::Deleted,
        }
    }
}

/// A failure of one version.
pub(super) fn failed(code: VersionFailureCode, message: impl Into<String>) -> VersionFailure {
    VersionFailure { code, message: message.into() }
}

/// The transitions of reference 2.7. What it leaves open is allowed: archiving and disposing an unfinished version, and
/// disposing a disposed one, which does nothing.
fn may_become(from: VersionStatus, to: VersionStatus) -> bool {
    use VersionStatus::{Archived, Deleted, Disposed, Published, Unfinished, Unlisted};
    match (from, to) {
        (_, Deleted | Disposed) => from != Deleted,
        (Unfinished | Published | Unlisted | Archived, Published | Unlisted | Archived) => true,
        (_, Unfinished) | (Disposed | Deleted, Published | Unlisted | Archived) => false,
    }
}

fn check(
    version: Option<&PackageVersion>,
    selector: &VersionSelector,
    expected: Option<VersionStatus>,
    target: VersionStatus,
) -> Result<(), VersionFailure> {
    let text = &selector.version;
    let Some(version) = version else {
        return Err(failed(VersionFailureCode::NotFound, format!("Could not find version {text}")));
    };
    if let Some(expected) = expected
        && expected != version.status
    {
        let message = format!("current status: {}, expected status: {expected}", version.status);
        return Err(failed(VersionFailureCode::MismatchedStatus, message));
    }
    if let Some(expected) = &selector.revision
        && *expected != version.revision
    {
        let message = format!("current revision: {}, expected revision: {expected}", version.revision);
        return Err(failed(VersionFailureCode::MismatchedRevision, message));
    }
    if !may_become(version.status, target) {
        let message = format!("version {text} is {} and cannot become {target}", version.status);
        return Err(failed(VersionFailureCode::NotAllowed, message));
    }
    Ok(())
}

/// If any failed: each failure, and `skipped` for the rest.
pub(super) fn all_or_nothing<'a, T: 'a>(
    checked: impl IntoIterator<Item = (&'a VersionText, &'a Result<T, VersionFailure>)> + Clone,
    skipped: impl Fn(&VersionText) -> String,
) -> Option<BatchOutcome> {
    checked.clone().into_iter().any(|(_, result)| result.is_err()).then(|| {
        checked
            .into_iter()
            .map(|(version, result)| {
                let failure = match result {
                    Err(failure) => failure.clone(),
                    Ok(_) => failed(VersionFailureCode::Skipped, skipped(version)),
                };
                (version.clone(), Err(failure))
            })
            .collect()
    })
}

impl Transaction<'_> {
    pub(super) async fn update_versions_status(
        &mut self,
        package: PackageId,
        selection: &BatchSelection,
        target: VersionStatus,
    ) -> Result<BatchOutcome> {
        if !matches!(target, VersionStatus::Published | VersionStatus::Unlisted | VersionStatus::Archived) {
            return Err(Error::Validation {
                field: "targetStatus".into(),
                reason: ValidationReason::FieldValidationFailed,
                message: format!("targetStatus must be Published, Unlisted or Archived, not {target}"),
            });
        }
        self.run_batch(package, selection, Step::SetStatus(target)).await
    }

    pub(super) async fn dispose_versions(
        &mut self,
        package: PackageId,
        selection: &BatchSelection,
    ) -> Result<BatchOutcome> {
        self.run_batch(package, selection, Step::Dispose).await
    }

    pub(super) async fn delete_versions(
        &mut self,
        package: PackageId,
        selection: &BatchSelection,
    ) -> Result<BatchOutcome> {
        self.run_batch(package, selection, Step::Delete).await
    }

    async fn run_batch(&mut self, id: PackageId, selection: &BatchSelection, step: Step) -> Result<BatchOutcome> {
        let (package, place) = self.lock_package(id).await?;
        let mut checked: Vec<(&VersionText, Result<PackageVersion, VersionFailure>)> = Vec::new();
        for selector in &selection.versions {
            if checked.iter().any(|(version, _)| **version == selector.version) {
                // Named twice: once is enough.
                continue;
            }
            let found = self.find_version_of(id, &selector.version).await?;
            let result = check(found.as_ref(), selector, selection.expected_status, step.target());
            let result = match (result, found) {
                (Ok(()), Some(version)) => Ok(version),
                (Err(failure), _) => Err(failure),
                (Ok(()), None) => return Err(Error::internal("a version that is missing passed its check")),
            };
            checked.push((&selector.version, result));
        }
        let results = checked.iter().map(|(version, result)| (*version, result));
        if let Some(outcome) = all_or_nothing(results, |version| format!("version {version} is skipped")) {
            return Ok(outcome);
        }
        let mut outcome = Vec::new();
        let mut changed = false;
        for (text, version) in checked {
            let version = version.map_err(|failure| Error::internal(failure.message))?;
            let (revision, moved) = self.run_step(&package, &place, &version, step).await?;
            changed |= moved;
            outcome.push((text.clone(), Ok((revision, step.target()))));
        }
        if changed {
            self.touch_package(id).await?;
        }
        Ok(outcome)
    }

    /// Takes the step for one version; answers its last revision and whether anything changed.
    async fn run_step(
        &mut self,
        package: &Package,
        place: &Place,
        version: &PackageVersion,
        step: Step,
    ) -> Result<(Revision, bool)> {
        let target = step.target();
        if version.status == target {
            return Ok((version.revision.clone(), false));
        }
        let revision = match step {
            Step::SetStatus(_) | Step::Delete => version.revision.clone(),
            // The revision stands for the assets, and these are gone.
            Step::Dispose => Revision::of_version(&version.metadata, []),
        };
        match step {
            Step::SetStatus(_) => self.update_version(version.id, target, &revision).await?,
            Step::Dispose => {
                self.delete_assets(place.domain, version.id).await?;
                self.update_version(version.id, target, &revision).await?;
            }
            Step::Delete => {
                self.delete_version(place.domain, version.id).await?;
                self.delete_dist_tags_of(package.id, &version.version).await?;
            }
        }
        let change = VersionChange {
            before: Some((version.status, &version.revision)),
            after: (target != VersionStatus::Deleted).then_some((target, &revision)),
            assets_removed: if matches!(step, Step::SetStatus(_)) { 0 } else { version.assets.len() },
            ..VersionChange::default()
        };
        self.record_version(place, &package.key, &version.version, &change).await?;
        Ok((revision, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transitions_are_those_of_the_reference() {
        use VersionStatus::{Archived, Deleted, Disposed, Published, Unfinished, Unlisted};
        for from in [Unfinished, Published, Unlisted, Archived] {
            for to in [Published, Unlisted, Archived, Disposed, Deleted] {
                assert!(may_become(from, to), "{from} to {to}");
            }
            assert!(!may_become(from, Unfinished), "{from}");
        }
        for to in [Published, Unlisted, Archived, Unfinished] {
            assert!(!may_become(Disposed, to), "{to}");
        }
        assert!(may_become(Disposed, Deleted));
    }
}
