//! Package groups: which packages may enter a domain's repositories, and how (reference 4).

mod association;
mod fold;
mod lineage;
mod pattern;
mod word;

use super::{DomainId, Timestamp};

pub use association::Association;
pub use fold::{FOLD_VERSION, fold};
pub use lineage::{EffectiveRestriction, Lineage};
pub use pattern::{FoldedRange, PackageGroupPattern, PackagePath, Specificity};

/// A package group's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageGroupId(pub i64);

/// A package group. Its pattern is its name in the domain.
#[derive(Debug, Clone)]
pub struct PackageGroup {
    pub id: PackageGroupId,
    pub domain: DomainId,
    /// The nearest group that covers this one; `None` for the root.
    pub parent: Option<PackageGroupId>,
    pub pattern: PackageGroupPattern,
    pub contact_info: Option<String>,
    pub description: Option<String>,
    pub created_at: Timestamp,
    /// In the order of [`RestrictionType::ALL`].
    pub restrictions: [Restriction; 3],
}

impl PackageGroup {
    /// The group's own setting.
    #[must_use]
    pub fn restriction(&self, restriction: RestrictionType) -> Restriction {
        self.restrictions[restriction as usize]
    }
}

/// A group's own setting of one way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restriction {
    pub mode: RestrictionMode,
    /// How many repositories are on its list of allowed ones.
    pub repositories_count: u64,
}

/// A way in (reference 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RestrictionType {
    /// Direct publishing into a repository.
    Publish,
    /// Ingestion from a public registry into the repository that owns the external connection.
    ExternalUpstream,
    /// Retention from another repository of the domain into the one that was asked.
    InternalUpstream,
}

impl RestrictionType {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Publish, Self::ExternalUpstream, Self::InternalUpstream];

    /// `PUBLISH`, `EXTERNAL_UPSTREAM`, `INTERNAL_UPSTREAM`.
    #[must_use]
    pub fn as_aws(self) -> &'static str {
        match self {
            Self::Publish => "PUBLISH",
            Self::ExternalUpstream => "EXTERNAL_UPSTREAM",
            Self::InternalUpstream => "INTERNAL_UPSTREAM",
        }
    }
}

/// Where a way in is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RestrictionMode {
    /// In every repository of the domain.
    Allow,
    /// In the listed repositories.
    AllowSpecificRepositories,
    /// Nowhere.
    Block,
    /// As the first ancestor says that does not inherit.
    Inherit,
}

impl RestrictionMode {
    /// All modes.
    pub const ALL: [Self; 4] = [Self::Allow, Self::AllowSpecificRepositories, Self::Block, Self::Inherit];

    /// `ALLOW`, `ALLOW_SPECIFIC_REPOSITORIES`, `BLOCK`, `INHERIT`.
    #[must_use]
    pub fn as_aws(self) -> &'static str {
        match self {
            Self::Allow => "ALLOW",
            Self::AllowSpecificRepositories => "ALLOW_SPECIFIC_REPOSITORIES",
            Self::Block => "BLOCK",
            Self::Inherit => "INHERIT",
        }
    }

    /// Reads the API's spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_aws() == text)
    }
}

/// How a package belongs to its group (reference 4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AssociationType {
    /// The pattern matches the package's path.
    Strong,
    /// It matches a variant of it only: the package is blocked entirely.
    Weak,
}

impl AssociationType {
    /// `STRONG`, `WEAK`.
    #[must_use]
    pub fn as_aws(self) -> &'static str {
        match self {
            Self::Strong => "STRONG",
            Self::Weak => "WEAK",
        }
    }
}
