//! What the four batch operations take: which versions, at which revisions, in which status.

use std::collections::BTreeMap;

use larder_core::error::{Error, Invalid, Result};
use larder_core::model::{Revision, VersionStatus, VersionText};
use larder_core::ports::{BatchSelection, VersionSelector};
use serde::Deserialize;

use super::query::{checked, missing, parse_enum};

/// Versions per call (reference 7.4).
const LIMIT: usize = 100;
/// The longest revision, in characters (reference 1.2).
const REVISION_LIMIT: usize = 50;

/// The members of a batch body that several operations share.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BatchBody {
    pub(super) versions: Option<Vec<String>>,
    pub(super) version_revisions: Option<BTreeMap<String, String>>,
    pub(super) expected_status: Option<String>,
}

impl BatchBody {
    /// The selection of an operation that always takes `versions`. `version` applies the format's rules.
    ///
    /// # Errors
    /// [`Error::Validation`] for no or too many versions, and for revisions of other versions.
    pub(super) fn selection(self, version: impl Fn(&VersionText) -> Result<VersionText>) -> Result<BatchSelection> {
        let versions = self.versions.ok_or_else(|| missing("versions"))?;
        let pinned = self.version_revisions.map(|revisions| pinned(revisions, &version)).transpose()?;
        let mut selectors = self::versions(versions, &version)?;
        if let Some(mut pinned) = pinned {
            for selector in &mut selectors {
                let found = pinned.iter().position(|other| other.version == selector.version);
                selector.revision = found.and_then(|at| pinned.swap_remove(at).revision);
            }
            if !pinned.is_empty() || selectors.iter().any(|selector| selector.revision.is_none()) {
                let message = "the keys of versionRevisions must be the same versions as those in versions";
                return Err(Error::validation("versionRevisions", message));
            }
        }
        let expected_status = self.expected_status.map(|text| parse_status("expectedStatus", &text)).transpose()?;
        Ok(BatchSelection { versions: selectors, expected_status })
    }

    /// The versions of a copy, which takes exactly one of `versions` and `versionRevisions`.
    ///
    /// # Errors
    /// [`Error::Validation`] for both or neither, and for no or too many versions.
    pub(super) fn either(self, version: impl Fn(&VersionText) -> Result<VersionText>) -> Result<Vec<VersionSelector>> {
        match (self.versions, self.version_revisions) {
            (Some(versions), None) => self::versions(versions, &version),
            (None, Some(revisions)) => pinned(revisions, &version),
            (Some(_), Some(_)) | (None, None) => {
                Err(Error::validation("versions", "exactly one of versions and versionRevisions must be given"))
            }
        }
    }
}

/// Reads a status.
///
/// # Errors
/// [`Error::Validation`] naming `member`.
pub(super) fn parse_status(member: &'static str, text: &str) -> Result<VersionStatus> {
    let values = VersionStatus::ALL.map(|status| (status.as_str(), status));
    checked(member, text, |text| parse_enum(&values, text))
}

/// Versions in the order given, each once.
fn versions(
    versions: Vec<String>,
    version: &impl Fn(&VersionText) -> Result<VersionText>,
) -> Result<Vec<VersionSelector>> {
    check_count("versions", versions.len())?;
    let mut selectors: Vec<VersionSelector> = Vec::with_capacity(versions.len());
    for text in versions {
        let version = version(&checked("versions", &text, str::parse::<VersionText>)?)?;
        if selectors.iter().all(|known| known.version != version) {
            selectors.push(VersionSelector { version, revision: None });
        }
    }
    Ok(selectors)
}

fn pinned(
    revisions: BTreeMap<String, String>,
    version: &impl Fn(&VersionText) -> Result<VersionText>,
) -> Result<Vec<VersionSelector>> {
    check_count("versionRevisions", revisions.len())?;
    let selector = |(text, revision): (String, String)| {
        let version = version(&checked("versionRevisions", &text, str::parse::<VersionText>)?)?;
        let revision = checked("versionRevisions", &revision, parse_revision)?;
        Ok(VersionSelector { version, revision: Some(revision) })
    };
    revisions.into_iter().map(selector).collect()
}

fn check_count(member: &'static str, count: usize) -> Result<()> {
    if (1..=LIMIT).contains(&count) {
        return Ok(());
    }
    Err(Error::validation(member, format!("{member} must have between 1 and {LIMIT} versions, not {count}")))
}

/// Reads a version's revision.
///
/// # Errors
/// [`Invalid`] unless it has 1 to 50 characters and no white space.
pub(super) fn parse_revision(text: &str) -> Result<Revision, Invalid> {
    if (1..=REVISION_LIMIT).contains(&text.chars().count()) && !text.contains(char::is_whitespace) {
        return Ok(Revision(text.to_owned()));
    }
    Err(Invalid::new(format!("Member must have 1 to {REVISION_LIMIT} characters and no white space")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> BatchBody {
        serde_json::from_str(json).unwrap()
    }

    fn select(json: &str) -> Result<BatchSelection> {
        read(json).selection(|version| Ok(version.clone()))
    }

    fn pairs(selectors: &[VersionSelector]) -> Vec<(&str, Option<&str>)> {
        selectors.iter().map(|one| (one.version.as_str(), one.revision.as_ref().map(Revision::as_str))).collect()
    }

    #[test]
    fn versions_keep_their_order_and_count_once() {
        let selection = select(r#"{"versions":["2.0.0","1.0.0","2.0.0"],"expectedStatus":"Unlisted"}"#).unwrap();
        assert_eq!(pairs(&selection.versions), [("2.0.0", None), ("1.0.0", None)]);
        assert_eq!(selection.expected_status, Some(VersionStatus::Unlisted));
    }

    #[test]
    fn revisions_pin_the_versions_they_name() {
        let selection = select(r#"{"versions":["1","2"],"versionRevisions":{"2":"b","1":"a"}}"#).unwrap();
        assert_eq!(pairs(&selection.versions), [("1", Some("a")), ("2", Some("b"))]);
    }

    #[test]
    fn bad_selections_are_refused() {
        let many: Vec<_> = (0..101).map(|n| format!("\"{n}\"")).collect();
        let many = format!("{{\"versions\":[{}]}}", many.join(","));
        for (json, member) in [
            ("{}", "versions"),
            (r#"{"versions":[]}"#, "versions"),
            (&many, "versions"),
            (r#"{"versions":["a b"]}"#, "versions"),
            (r#"{"versions":["1"],"versionRevisions":{"2":"b"}}"#, "versionRevisions"),
            (r#"{"versions":["1"],"versionRevisions":{"1":"a","2":"b"}}"#, "versionRevisions"),
            (r#"{"versions":["1","2"],"versionRevisions":{"1":"a"}}"#, "versionRevisions"),
            (r#"{"versions":["1"],"versionRevisions":{"1":""}}"#, "versionRevisions"),
            (r#"{"versions":["1"],"expectedStatus":"published"}"#, "expectedStatus"),
        ] {
            let error = select(json).unwrap_err();
            assert!(matches!(&error, Error::Validation { field, .. } if field == member), "{json}: {error:?}");
        }
    }

    #[test]
    fn a_copy_takes_versions_or_revisions_but_not_both() {
        let either = |json: &str| read(json).either(|version| Ok(version.clone()));
        assert_eq!(pairs(&either(r#"{"versions":["1"]}"#).unwrap()), [("1", None)]);
        assert_eq!(pairs(&either(r#"{"versionRevisions":{"1":"a"}}"#).unwrap()), [("1", Some("a"))]);
        assert!(either("{}").is_err());
        assert!(either(r#"{"versions":["1"],"versionRevisions":{"1":"a"}}"#).is_err());
    }
}
