//! `[audit]` of `larder.toml`.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::audit::FileLimits;
use crate::data_dir::DataDir;

/// The audit log; without the section there is none.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct AuditSection {
    /// Where its files are [default: `audit` in the data directory].
    pub(crate) folder: Option<PathBuf>,
    /// Whether requests that read and succeed are recorded [default: true].
    pub(crate) reads: Option<bool>,
    /// A file that has grown as large is ended, as is one of an earlier day [default: 100 MiB].
    pub(crate) file_bytes: Option<u64>,
    /// Days for which ended files are kept [default: all].
    pub(crate) keep_days: Option<u32>,
    /// How large ended files may be together before the oldest go [default: as they are].
    pub(crate) keep_bytes: Option<u64>,
}

/// The section, settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AuditSettings {
    pub(crate) folder: PathBuf,
    pub(crate) reads: bool,
    pub(crate) limits: FileLimits,
}

impl AuditSection {
    /// Settles the section.
    pub(super) fn settle(self, data_dir: &DataDir) -> AuditSettings {
        AuditSettings {
            folder: self.folder.unwrap_or_else(|| data_dir.audit()),
            reads: self.reads.unwrap_or(true),
            limits: FileLimits {
                file_bytes: self.file_bytes.unwrap_or(100 << 20),
                keep: self.keep_days.map(|days| Duration::from_secs(u64::from(days) * 24 * 3600)),
                keep_bytes: self.keep_bytes,
            },
        }
    }
}
