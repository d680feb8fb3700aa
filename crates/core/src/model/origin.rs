//! Where versions come from and what may come in (reference 4.1).

use super::{ExternalConnection, RepositoryName};

/// May versions be published directly?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AllowPublish {
    Allow,
    Block,
}

/// May versions be taken from upstream repositories and external connections?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AllowUpstream {
    Allow,
    Block,
}

/// A package's origin settings in one repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OriginRestrictions {
    pub publish: AllowPublish,
    pub upstream: AllowUpstream,
}

impl OriginRestrictions {
    /// What a package gets when its first version is published here: no upstream may add to it.
    pub const PUBLISHED: Self = Self { publish: AllowPublish::Allow, upstream: AllowUpstream::Block };
    /// What a package gets when its first version is ingested or retained: nobody may publish under its name.
    pub const INGESTED: Self = Self { publish: AllowPublish::Block, upstream: AllowUpstream::Allow };
    /// Nothing is blocked: the package's group decides.
    pub const OPEN: Self = Self { publish: AllowPublish::Allow, upstream: AllowUpstream::Allow };
}

/// How a version entered the domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OriginType {
    Internal,
    External,
    Unknown,
}

impl OriginType {
    /// `INTERNAL`, `EXTERNAL`, `UNKNOWN`.
    #[must_use]
    pub fn as_aws(self) -> &'static str {
        match self {
            Self::Internal => "INTERNAL",
            Self::External => "EXTERNAL",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// Reads the API's spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Internal, Self::External, Self::Unknown].into_iter().find(|origin| origin.as_aws() == text)
    }
}

/// The first way a version entered the domain; carried unchanged into every retained or copied instance.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum EntryPoint {
    Repository(RepositoryName),
    ExternalConnection(ExternalConnection),
}

/// A version's origin.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    pub entry_point: EntryPoint,
}

impl Origin {
    /// Published to a repository of the domain.
    #[must_use]
    pub fn internal(repository: RepositoryName) -> Self {
        Self { entry_point: EntryPoint::Repository(repository) }
    }

    /// Ingested through an external connection.
    #[must_use]
    pub fn external(connection: ExternalConnection) -> Self {
        Self { entry_point: EntryPoint::ExternalConnection(connection) }
    }

    /// Its type.
    #[must_use]
    pub fn origin_type(&self) -> OriginType {
        match self.entry_point {
            EntryPoint::Repository(_) => OriginType::Internal,
            EntryPoint::ExternalConnection(_) => OriginType::External,
        }
    }
}
