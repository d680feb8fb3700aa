//! What lies where in the data directory.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The folder that holds everything of an embedded Larder.
#[derive(Debug, Clone)]
pub(crate) struct DataDir(PathBuf);

impl DataDir {
    /// At this path, which need not exist yet.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Makes the folder, readable by its owner only.
    pub(crate) fn create(&self) -> io::Result<()> {
        create_private_dir(&self.0)
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The SQLite database.
    pub(crate) fn database(&self) -> PathBuf {
        self.0.join("larder.db")
    }

    /// Blobs and staging.
    pub(crate) fn storage(&self) -> PathBuf {
        self.0.join("storage")
    }

    /// Where uploads wait for an object store.
    pub(crate) fn staging(&self) -> PathBuf {
        self.0.join("staging")
    }

    /// The optional configuration.
    pub(crate) fn config_file(&self) -> PathBuf {
        self.0.join("larder.toml")
    }

    /// Detected or set addresses of public registries.
    pub(crate) fn external_file(&self) -> PathBuf {
        self.0.join("external-connections.toml")
    }

    /// The files of the audit log.
    pub(crate) fn audit(&self) -> PathBuf {
        self.0.join("audit")
    }

    /// The key that signs the journal's checkpoints.
    pub(crate) fn journal_key(&self) -> PathBuf {
        self.0.join("journal").join("key")
    }

    /// What this node is called in leases.
    pub(crate) fn node_name(&self) -> PathBuf {
        self.0.join("journal").join("node")
    }

    /// The newest checkpoint of the journal.
    pub(crate) fn journal_checkpoint(&self) -> PathBuf {
        self.0.join("journal").join("checkpoint")
    }

    /// The local authority's and the server's certificates and keys.
    pub(crate) fn tls(&self) -> PathBuf {
        self.0.join("tls")
    }

    /// The administrator's keys in AWS's file format.
    pub(crate) fn aws_credentials(&self) -> PathBuf {
        self.0.join("aws").join("credentials")
    }

    /// Region and endpoint in AWS's file format.
    pub(crate) fn aws_config(&self) -> PathBuf {
        self.0.join("aws").join("config")
    }
}

/// Creates a folder and its parents; the folder itself gets mode 0700.
pub(crate) fn create_private_dir(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file whole: readers see the old or the new content, never a part. Mode 0600.
pub(crate) fn write_private(path: &Path, content: &str) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    create_private_dir(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.as_file().set_permissions(fs::Permissions::from_mode(0o600))?;
    file.write_all(content.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
