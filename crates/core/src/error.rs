//! The closed list of failures, protocol-free. Protocols translate it once, at their edge.

use std::borrow::Cow;
use std::fmt;

use crate::refusal::{Refusal, RefusalCode};

/// What most functions of this crate return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a [`Error::ResourceNotFound`] or [`Error::Conflict`] is about, in AWS's words (reference 1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResourceType {
    Domain,
    Repository,
    Package,
    PackageVersion,
    Asset,
    /// Policies, users, keys, connections and other things for which the API has no resource type.
    Other,
}

impl ResourceType {
    /// The spelling in AWS error bodies; `None` where the API has no word.
    #[must_use]
    pub fn as_aws(self) -> Option<&'static str> {
        match self {
            Self::Domain => Some("domain"),
            Self::Repository => Some("repository"),
            Self::Package => Some("package"),
            Self::PackageVersion => Some("package-version"),
            Self::Asset => Some("asset"),
            Self::Other => None,
        }
    }
}

/// Why a request was not valid (reference 1.4, `ValidationExceptionReason`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValidationReason {
    CannotParse,
    EncryptionKeyError,
    FieldValidationFailed,
    UnknownOperation,
    Other,
}

impl ValidationReason {
    /// The spelling in AWS error bodies.
    #[must_use]
    pub fn as_aws(self) -> &'static str {
        match self {
            Self::CannotParse => "CANNOT_PARSE",
            Self::EncryptionKeyError => "ENCRYPTION_KEY_ERROR",
            Self::FieldValidationFailed => "FIELD_VALIDATION_FAILED",
            Self::UnknownOperation => "UNKNOWN_OPERATION",
            Self::Other => "OTHER",
        }
    }
}

/// Why an upload or write was refused with [`Error::Conflict`] ; formats choose status by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConflictKind {
    /// The resource exists already.
    Exists,
    /// The same coordinate exists with other bytes.
    OtherBytes,
    /// The version is reachable in an upstream repository or public registry (reference 3.5).
    ExistsUpstream,
    /// The optimistic lock (a revision) did not match.
    Revision,
    /// The state of the resource does not allow it (a domain with repositories, a sealed version).
    State,
}

/// The failures of Larder.
#[derive(Debug)]
pub enum Error {
    /// Nothing there, or hidden: `refusal` says by which rule, if it is one that this caller may know.
    ResourceNotFound {
        resource_type: ResourceType,
        resource_id: String,
        message: String,
        refusal: Option<Box<Refusal>>,
    },
    /// The write contradicts what is stored.
    Conflict { kind: ConflictKind, resource_type: ResourceType, resource_id: String, message: String },
    /// The caller's credentials are not of a kind that may do this; no policy was asked.
    AccessDenied { message: String },
    /// A policy forbids it: IAM, origin controls, a package group, a minimum age. Never says more than the caller may
    /// know.
    Refused(Box<Refusal>),
    /// The input is wrong; `field` names the member.
    Validation { field: Cow<'static, str>, reason: ValidationReason, message: String },
    /// A limit of reference 7.4 is reached.
    QuotaExceeded { resource_type: ResourceType, resource_id: String, message: String },
    /// The input is larger than allowed.
    TooLarge { message: String },
    /// Slow down; seconds until a retry makes sense.
    Throttled { retry_after_seconds: u32 },
    /// A public registry was needed and did not do its part: unreachable, slow, refusing or lying.
    Upstream { message: String, retry_after_seconds: Option<u32> },
    /// Something Larder depends on is away for the moment (database, object store, full disk); retrying is right.
    Unavailable { message: String, source: Source },
    /// A defect or an unknown cause. The source is logged, never sent.
    Internal { source: Source },
}

/// The cause behind an error, kept for the log.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

impl Error {
    /// A missing resource.
    pub fn not_found(resource_type: ResourceType, resource_id: impl Into<String>, message: impl Into<String>) -> Self {
        Self::ResourceNotFound {
            resource_type,
            resource_id: resource_id.into(),
            message: message.into(),
            refusal: None,
        }
    }

    /// A resource that a rule hides: answered as a missing one, with the rule's sentence.
    pub fn hidden(resource_type: ResourceType, resource_id: impl Into<String>, refusal: Refusal) -> Self {
        Self::ResourceNotFound {
            resource_type,
            resource_id: resource_id.into(),
            message: refusal.to_string(),
            refusal: Some(Box::new(refusal)),
        }
    }

    /// A conflict with what is stored.
    pub fn conflict(
        kind: ConflictKind,
        resource_type: ResourceType,
        resource_id: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self::Conflict { kind, resource_type, resource_id: resource_id.into(), message: message.into() }
    }

    /// A member that breaks its rule.
    pub fn validation(field: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::Validation {
            field: field.into(),
            reason: ValidationReason::FieldValidationFailed,
            message: message.into(),
        }
    }

    /// A defect or unknown cause.
    pub fn internal(source: impl Into<Source>) -> Self {
        Self::Internal { source: source.into() }
    }

    /// Whether this is a [`Error::ResourceNotFound`].
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::ResourceNotFound { .. })
    }

    /// The policy's refusal, if this is one.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) | Self::ResourceNotFound { refusal: Some(refusal), .. } => Some(refusal),
            _ => None,
        }
    }

    /// The code under which answers name the rule that refused.
    #[must_use]
    pub fn denial(&self) -> Option<RefusalCode> {
        match self {
            Self::AccessDenied { .. } => Some(RefusalCode::IamCredentials),
            other => other.refusal().map(Refusal::code),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ResourceNotFound { message, .. }
            | Self::Conflict { message, .. }
            | Self::AccessDenied { message }
            | Self::Validation { message, .. }
            | Self::QuotaExceeded { message, .. }
            | Self::TooLarge { message }
            | Self::Upstream { message, .. }
            | Self::Unavailable { message, .. } => f.write_str(message),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Throttled { retry_after_seconds } => {
                write!(f, "rate exceeded, retry in {retry_after_seconds} s")
            }
            Self::Internal { .. } => {
                f.write_str("internal error; the server's log has the cause under this request id")
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unavailable { source, .. } | Self::Internal { source } => Some(source.as_ref()),
            _ => None,
        }
    }
}

/// A value that breaks the rule of its type. Becomes [`Error::Validation`] once the field's name is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub Cow<'static, str>);

impl Invalid {
    /// The sentence to show.
    pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self(message.into())
    }

    /// Names the field that holds the value.
    #[must_use]
    pub fn in_field(self, field: impl Into<Cow<'static, str>>) -> Error {
        Error::validation(field, self.0.into_owned())
    }
}
