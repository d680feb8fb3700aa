//! Ranges of versions, as a manifest states its dependencies.

use std::fmt;

use larder_core::error::Invalid;

use super::{Version, printable};

/// A range in interval notation: `[1.0.0, 2.0.0)`. A missing bound is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VersionRange {
    low: Option<Version>,
    includes_low: bool,
    high: Option<Version>,
    includes_high: bool,
}

impl VersionRange {
    /// Reads `1.0` (at least), `[1.0]` (exactly) or an interval; nothing at all is every version.
    ///
    /// # Errors
    /// [`Invalid`] for anything else, an empty interval and floating versions, which no package may state.
    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        let wrong = || Invalid::new(format!("'{}' is not a range of versions", printable(text)));
        let trimmed = text.trim();
        let all = Self { low: None, includes_low: false, high: None, includes_high: false };
        if trimmed.is_empty() {
            return Ok(all);
        }
        let Some(inner) = trimmed.strip_prefix(['[', '(']) else {
            return Ok(Self { low: Some(Version::parse(trimmed)?), includes_low: true, ..all });
        };
        let includes_low = trimmed.starts_with('[');
        let includes_high = trimmed.ends_with(']');
        let inner = inner.strip_suffix([']', ')']).ok_or_else(wrong)?;
        let bound = |text: &str| match text.trim() {
            "" => Ok(None),
            version => Version::parse(version).map(Some),
        };
        let (low, high) = match inner.split_once(',') {
            Some((low, high)) => (bound(low)?, bound(high)?),
            None if includes_low && includes_high => {
                let exact = bound(inner)?.ok_or_else(wrong)?;
                (Some(exact.clone()), Some(exact))
            }
            None => return Err(wrong()),
        };
        if let (Some(low), Some(high)) = (&low, &high)
            && (low > high || (low == high && !(includes_low && includes_high)))
        {
            return Err(wrong());
        }
        Ok(Self {
            includes_low: includes_low && low.is_some(),
            includes_high: includes_high && high.is_some(),
            low,
            high,
        })
    }

    /// Whether clients from before SemVer 2 cannot read it.
    #[must_use]
    pub(crate) fn is_semver2(&self) -> bool {
        [&self.low, &self.high].into_iter().flatten().any(Version::is_semver2)
    }
}

/// The normalized form, as registrations have it.
impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(low), Some(high)) = (&self.low, &self.high)
            && low == high
        {
            return write!(f, "[{}]", low.normalized());
        }
        f.write_str(if self.includes_low { "[" } else { "(" })?;
        if let Some(low) = &self.low {
            f.write_str(&low.normalized())?;
        }
        f.write_str(", ")?;
        if let Some(high) = &self.high {
            f.write_str(&high.normalized())?;
        }
        f.write_str(if self.includes_high { "]" } else { ")" })
    }
}
