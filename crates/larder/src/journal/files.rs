//! The key that signs checkpoints and the newest checkpoint, outside of the database.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use larder_auth::checkpoint_key::CheckpointKey;
use larder_core::Error;
use larder_core::ports::{Signer, Witness};

use crate::cli::{Failure, Outcome};
use crate::data_dir::{DataDir, write_private};

/// Reads the key; `None` if there is none.
pub(crate) fn load_key(data_dir: &DataDir) -> Outcome<Option<Arc<dyn Signer>>> {
    let path = data_dir.journal_key();
    let Some(text) = read(&path)? else { return Ok(None) };
    let key = BASE64.decode(text.trim()).ok().and_then(|bytes| CheckpointKey::from_pkcs8(&bytes).ok());
    let key = key.ok_or_else(|| Failure::new(format!("{} holds no key of the journal", path.display())))?;
    Ok(Some(Arc::new(key)))
}

/// Makes the key if there is none.
pub(crate) fn make_key(data_dir: &DataDir) -> Outcome<()> {
    let path = data_dir.journal_key();
    if path.exists() {
        return Ok(());
    }
    let key = CheckpointKey::generate().map_err(|_| Failure::new("no randomness for the journal's key"))?;
    Ok(write_private(&path, &format!("{}\n", BASE64.encode(key)))?)
}

/// What this node is called in leases; made once, so that a restarted node goes on with its own leases.
pub(crate) fn node_name(data_dir: &DataDir) -> Outcome<String> {
    let path = data_dir.node_name();
    if let Some(name) = read(&path)? {
        return Ok(name.trim().to_owned());
    }
    let number = getrandom::u64().map_err(|error| Failure::new(format!("no randomness: {error}")))?;
    let name = format!("node-{number:016x}");
    write_private(&path, &name)?;
    Ok(name)
}

fn read(path: &Path) -> io::Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
    }
}

/// Keeps the newest checkpoint in a file.
pub(crate) struct FileWitness(PathBuf);

impl FileWitness {
    /// In the data directory.
    pub(crate) fn new(data_dir: &DataDir) -> Self {
        Self(data_dir.journal_checkpoint())
    }
}

fn unavailable(error: io::Error) -> Error {
    Error::Unavailable {
        message: "the file of the journal's checkpoint cannot be used".to_owned(),
        source: error.into(),
    }
}

impl Witness for FileWitness {
    fn read(&self) -> larder_core::Result<Option<String>> {
        read(&self.0).map_err(unavailable)
    }

    fn write(&self, note: &str) -> larder_core::Result<()> {
        write_private(&self.0, note).map_err(unavailable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_read_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let data_dir = DataDir::new(folder.path().join("data"));
        assert!(load_key(&data_dir).expect("read").is_none());
        make_key(&data_dir).expect("made");
        let key = load_key(&data_dir).expect("read").expect("there");
        make_key(&data_dir).expect("kept");
        assert_eq!(load_key(&data_dir).expect("read").expect("there").public_key(), key.public_key());
    }

    #[test]
    fn the_witness_keeps_the_last_note() {
        let folder = tempfile::tempdir().expect("a folder");
        let witness = FileWitness::new(&DataDir::new(folder.path().to_owned()));
        assert_eq!(witness.read().expect("read"), None);
        witness.write("one").expect("written");
        witness.write("two").expect("written");
        assert_eq!(witness.read().expect("read").as_deref(), Some("two"));
    }
}
