//! Addresses of this server's own resources. All lie below `v3/`, the folder of the service index: clients send their
//! credentials there and nowhere else (protocol reference 4.1).

use larder_core::model::{PackageKey, VersionText};

use crate::names;

/// The three registration hives, and the address under which CodeArtifact's users know the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hive {
    /// For the oldest clients: plain, without SemVer 2.
    Plain,
    /// In gzip, without SemVer 2.
    Gzip,
    /// In gzip, with everything.
    GzipSemVer2,
    /// With everything, in gzip for those who accept it: CodeArtifact's address, for scripts.
    Negotiated,
}

impl Hive {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Plain, Self::Gzip, Self::GzipSemVer2, Self::Negotiated];

    /// Its folder below `v3/`.
    #[must_use]
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Plain => "registration",
            Self::Gzip => "registration-gz",
            Self::GzipSemVer2 => "registration-gz-semver2",
            Self::Negotiated => "registration4",
        }
    }

    /// The hive of a folder.
    #[must_use]
    pub(crate) fn of(folder: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hive| hive.folder() == folder)
    }

    /// Whether it is answered in gzip, asked or not.
    #[must_use]
    pub(crate) fn is_gzip(self) -> bool {
        matches!(self, Self::Gzip | Self::GzipSemVer2)
    }

    /// Whether it shows versions that need SemVer 2.
    #[must_use]
    pub(crate) fn shows_semver2(self) -> bool {
        matches!(self, Self::GzipSemVer2 | Self::Negotiated)
    }
}

/// Where the resources of one repository are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Urls<'a> {
    /// The repository's address, without trailing slash.
    pub(crate) base: &'a str,
}

impl Urls<'_> {
    /// A resource, by its path below `v3/`.
    #[must_use]
    pub(crate) fn resource(&self, path: &str) -> String {
        format!("{}/v3/{path}", self.base)
    }

    /// A package's registration.
    #[must_use]
    pub(crate) fn registration(&self, hive: Hive, id: &str) -> String {
        format!("{}/v3/{}/{id}/index.json", self.base, hive.folder())
    }

    /// A page of it.
    #[must_use]
    pub(crate) fn page(&self, hive: Hive, id: &str, lower: &str, upper: &str) -> String {
        format!("{}/v3/{}/{id}/page/{lower}/{upper}.json", self.base, hive.folder())
    }

    /// A version's registration.
    #[must_use]
    pub(crate) fn leaf(&self, hive: Hive, id: &str, version: &VersionText) -> String {
        format!("{}/v3/{}/{id}/{version}.json", self.base, hive.folder())
    }

    /// A version's package. Ids and versions need no escapes.
    #[must_use]
    pub(crate) fn content(&self, key: &PackageKey, version: &VersionText) -> String {
        let file = names::package_file(key, version).map(|file| file.to_string()).unwrap_or_default();
        format!("{}/v3/flatcontainer/{}/{version}/{file}", self.base, key.name())
    }

    /// A version's README.
    #[must_use]
    pub(crate) fn readme(&self, key: &PackageKey, version: &VersionText) -> String {
        format!("{}/v3/flatcontainer/{}/{version}/readme", self.base, key.name())
    }
}
