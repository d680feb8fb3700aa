//! The sentences, rule by rule.

use super::{Refusal, RefusalCode};
use crate::model::{
    ExternalConnection, Held, PackageKey, ReleaseTime, RepositoryName, Timestamp, VersionStatus, VersionText, spoken,
};
use crate::services::Withheld;

/// The rule of a package group that refused: which group the package belongs to, and where its mode comes from.
#[derive(Debug, Clone, Copy)]
pub struct GroupRule<'a> {
    /// The pattern of the package's group.
    pub group: &'a str,
    /// The pattern of the group that sets the mode: this one, or the ancestor that it inherits from.
    pub set_by: &'a str,
    /// The effective mode as the API spells it.
    pub mode: &'a str,
}

impl Refusal {
    /// The package's origin configuration blocks publishing.
    #[must_use]
    pub fn origin_publish(package: &PackageKey, repository: &RepositoryName) -> Self {
        let sentence = format!(
            "publishing '{package}' to repository '{repository}' is blocked by the package's origin configuration \
             (publish=BLOCK), usual for packages whose versions come from upstream; who may \
             PutPackageOriginConfiguration can allow it"
        );
        Self::new(RefusalCode::OriginPublish, sentence).with("package", package).with("repository", repository)
    }

    /// The package's origin configuration blocks what comes from upstream.
    #[must_use]
    pub fn origin_upstream(package: &PackageKey, repository: &RepositoryName) -> Self {
        let sentence = format!(
            "taking '{package}' from upstream into repository '{repository}' is blocked by the package's origin \
             configuration (upstream=BLOCK); who may PutPackageOriginConfiguration can allow it"
        );
        Self::new(RefusalCode::OriginUpstream, sentence).with("package", package).with("repository", repository)
    }

    /// The name could be mistaken for `twin`, which is published here.
    #[must_use]
    pub fn origin_look_alike(name: &str, twin: &str) -> Self {
        let sentence = format!(
            "'{name}' looks like '{twin}', which is published here; choose a name that cannot be mistaken for it"
        );
        Self::new(RefusalCode::OriginLookAlike, sentence).with("package", name).with("twin", twin)
    }

    /// The package group does not let the package be published.
    #[must_use]
    pub fn group_publish(package: &PackageKey, repository: &RepositoryName, rule: GroupRule<'_>) -> Self {
        let what = format!("publishing '{package}' to repository '{repository}'");
        Self::by_group(RefusalCode::GroupPublish, &what, "PUBLISH", rule)
            .with("package", package)
            .with("repository", repository)
    }

    /// The package group does not let the package be taken from a public registry.
    #[must_use]
    pub fn group_external_upstream(
        package: &PackageKey,
        repository: &RepositoryName,
        connection: ExternalConnection,
        rule: GroupRule<'_>,
    ) -> Self {
        let what = format!("taking '{package}' from {connection} into repository '{repository}'");
        Self::by_group(RefusalCode::GroupExternalUpstream, &what, "EXTERNAL_UPSTREAM", rule)
            .with("package", package)
            .with("repository", repository)
            .with("externalConnection", connection)
    }

    /// The package group does not let the package be taken from the repository `source`.
    #[must_use]
    pub fn group_internal_upstream(
        package: &PackageKey,
        repository: &RepositoryName,
        source: &RepositoryName,
        rule: GroupRule<'_>,
    ) -> Self {
        let what = format!("taking '{package}' from repository '{source}' into repository '{repository}'");
        Self::by_group(RefusalCode::GroupInternalUpstream, &what, "INTERNAL_UPSTREAM", rule)
            .with("package", package)
            .with("repository", repository)
            .with("source", source)
    }

    /// The name is a variant of what a group stands for.
    #[must_use]
    pub fn group_variant(package: &PackageKey, group: &str) -> Self {
        let sentence = format!(
            "'{package}' is a variant of what package group '{group}' stands for and is blocked entirely; who may \
             CreatePackageGroup can give exactly this name a group of its own"
        );
        Self::new(RefusalCode::GroupVariant, sentence).with("package", package).with("packageGroup", group)
    }

    fn by_group(code: RefusalCode, what: &str, kind: &str, rule: GroupRule<'_>) -> Self {
        let GroupRule { group, set_by, mode } = rule;
        let inherited = if group == set_by { String::new() } else { format!(", inherited from '{set_by}'") };
        let sentence = format!(
            "{what} is refused by package group '{group}' ({kind}={mode}{inherited}); who may \
             UpdatePackageGroupOriginConfiguration can allow it"
        );
        Self::new(code, sentence)
            .with("packageGroup", group)
            .with("restriction", kind)
            .with("mode", mode)
            .with("setBy", set_by)
    }

    /// A rule on the age of versions from public registries holds the version back.
    #[must_use]
    pub fn cooldown(package: &PackageKey, withheld: &Withheld, now: Timestamp) -> Self {
        let Withheld { version, released, set_by, held } = withheld;
        let when = match released {
            ReleaseTime::PublishedAt(at) => {
                format!("was published at its source on {}, {} ago", seconds(*at), spoken(now.since(*at)))
            }
            ReleaseTime::KnownSince(at) => {
                format!("has no publication time at its source and is known to be there since {}", seconds(*at))
            }
            ReleaseTime::Unknown => "has no publication time at its source and counts as young".to_owned(),
        };
        let (code, rule) = match held {
            Held::TooYoung { minimum_age, .. } => {
                (RefusalCode::CooldownTooYoung, format!("takes versions that are {} old", spoken(*minimum_age)))
            }
            Held::AgeUnknown { minimum_age: Some(minimum_age), .. } => {
                (RefusalCode::CooldownAgeUnknown, format!("takes versions that are {} old", spoken(*minimum_age)))
            }
            Held::AgeUnknown { minimum_age: None, .. } => {
                (RefusalCode::CooldownAgeUnknown, "takes only versions from before its emergency line".to_owned())
            }
            Held::AfterCutOff { newest } => {
                (RefusalCode::CooldownAfterCutOff, format!("takes nothing published after {}", seconds(*newest)))
            }
            Held::Unreadable => {
                (RefusalCode::CooldownAgeUnknown, "has a minimum age that cannot be read and takes nothing".to_owned())
            }
        };
        let until = held.until().map(|until| format!(", so this one from {} on", seconds(until))).unwrap_or_default();
        let sentence = format!(
            "version '{version}' of '{package}' {when}; {set_by} {rule}{until}; who may TagResource there can exempt \
             the package"
        );
        let mut refusal =
            Self::new(code, sentence).with("package", package).with("version", version).with("setBy", set_by);
        if let ReleaseTime::PublishedAt(at) = released {
            refusal = refusal.with("publishedAt", at);
        }
        if let ReleaseTime::KnownSince(at) = released {
            refusal = refusal.with("knownSince", at);
        }
        match held.until() {
            Some(until) => refusal.with("until", until),
            None => refusal,
        }
    }

    /// The version's status hides it; `None` for a status that does not.
    #[must_use]
    pub fn status(
        package: &PackageKey,
        version: &VersionText,
        repository: &RepositoryName,
        status: VersionStatus,
    ) -> Option<Self> {
        let (code, why) = match status {
            VersionStatus::Archived => {
                (RefusalCode::StatusArchived, "archived; who may UpdatePackageVersionsStatus can publish it again")
            }
            VersionStatus::Disposed => {
                (RefusalCode::StatusDisposed, "disposed: its assets are gone for good, another version has to do")
            }
            VersionStatus::Unfinished => {
                (RefusalCode::StatusUnfinished, "unfinished: whoever publishes it has not uploaded all of it yet")
            }
            VersionStatus::Published | VersionStatus::Unlisted | VersionStatus::Deleted => return None,
        };
        let sentence = format!("version '{version}' of '{package}' in repository '{repository}' is {why}");
        Some(
            Self::new(code, sentence)
                .with("package", package)
                .with("version", version)
                .with("repository", repository)
                .with("status", status),
        )
    }
}

/// An instant to the second, as people read it.
fn seconds(at: Timestamp) -> String {
    let text = at.rfc3339();
    format!("{}Z", text.split('.').next().unwrap_or_default())
}
