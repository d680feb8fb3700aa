//! What was there before a client was connected, so that it can be put back.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::{Client, Home, Plan};
use crate::cli::{Failure, Outcome};
use crate::data_dir::write_private;

/// The files of one client.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Record {
    files: Vec<File>,
}

#[derive(Debug, Serialize, Deserialize)]
struct File {
    path: PathBuf,
    /// `None`: there was none.
    original: Option<Original>,
    /// What `connect` made of it, in base64: if it is something else now, somebody has changed it since.
    written: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Original {
    /// Base64.
    content: String,
    mode: u32,
}

impl Record {
    /// Writes a client's files. Those that were written before are made anew of what was there at first.
    pub(crate) fn write(client: Client, plan: &Plan, home: &Home) -> Outcome<Vec<PathBuf>> {
        let place = place(client, home);
        let known = Self::read(&place)?.unwrap_or_default();
        for file in &known.files {
            file.check_untouched(client)?;
        }
        let mut record = Self::default();
        let mut contents = Vec::new();
        for step in &plan.steps {
            // Through a link, which stays: dotfiles are often kept elsewhere.
            let path = fs::canonicalize(&step.path).unwrap_or_else(|_| step.path.clone());
            let original = match known.files.iter().find(|file| file.path == path) {
                Some(file) => file.original.as_ref().map(Original::copy),
                None => Original::of(&path)?,
            };
            let before = original.as_ref().map_or(Ok(Vec::new()), Original::bytes)?;
            let unchanged = |why: &str| Failure::new(format!("{} is left as it is: {why}", path.display()));
            let before = String::from_utf8(before).map_err(|_| unchanged("it is not UTF-8"))?;
            let after = (step.edit)(&before).map_err(|why| unchanged(&why))?;
            record.files.push(File { path: path.clone(), original, written: STANDARD.encode(&after) });
            contents.push((path, after, step.executable));
        }
        // Whatever happens from here on can be undone.
        write_private(
            &place,
            &serde_json::to_string_pretty(&record).map_err(|error| Failure::new(error.to_string()))?,
        )?;
        let mut written = Vec::new();
        for (path, content, executable) in contents {
            write_private(&path, &content).map_err(|error| in_file(&path, &error))?;
            if executable {
                fs::set_permissions(&path, fs::Permissions::from_mode(0o700))?;
            }
            written.push(path);
        }
        Ok(written)
    }

    /// Puts back what was there. A file that somebody has changed since is left, and so is everything else.
    pub(crate) fn undo(client: Client, home: &Home) -> Outcome<Vec<PathBuf>> {
        let place = place(client, home);
        let Some(record) = Self::read(&place)? else {
            return Err(Failure::new(format!("{} is not connected by `larder connect --write`", client.name())));
        };
        for file in &record.files {
            file.check_untouched(client)?;
        }
        for file in &record.files {
            file.restore().map_err(|error| in_file(&file.path, &error))?;
        }
        fs::remove_file(&place)?;
        Ok(record.files.into_iter().map(|file| file.path).collect())
    }

    fn read(place: &Path) -> Outcome<Option<Self>> {
        let text = match fs::read_to_string(place) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(in_file(place, &error)),
        };
        let read = serde_json::from_str(&text);
        read.map(Some).map_err(|error| Failure::new(format!("{} cannot be read: {error}", place.display())))
    }
}

impl File {
    /// As `connect` left it, or as it was before, if that was interrupted.
    fn check_untouched(&self, client: Client) -> Outcome<()> {
        let now = Original::of(&self.path)?;
        let content = now.as_ref().map(|now| now.content.as_str());
        if content == Some(&self.written) || content == self.original.as_ref().map(|original| original.content.as_str())
        {
            return Ok(());
        }
        Err(Failure::new(format!(
            "{} was changed since {} was connected; take your change out of it, or put it in order by hand and remove the \
             record of what was there",
            self.path.display(),
            client.name()
        )))
    }

    fn restore(&self) -> io::Result<()> {
        let Some(original) = &self.original else {
            return match fs::remove_file(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        };
        let content = STANDARD.decode(&original.content).map_err(io::Error::other)?;
        let folder = self.path.parent().unwrap_or_else(|| Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        io::Write::write_all(&mut file, &content)?;
        file.as_file().set_permissions(fs::Permissions::from_mode(original.mode))?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        Ok(())
    }
}

impl Original {
    fn of(path: &Path) -> Outcome<Option<Self>> {
        let content = match fs::read(path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(in_file(path, &error)),
        };
        let mode = fs::metadata(path)?.permissions().mode() & 0o7777;
        Ok(Some(Self { content: STANDARD.encode(content), mode }))
    }

    fn bytes(&self) -> Outcome<Vec<u8>> {
        STANDARD.decode(&self.content).map_err(|error| Failure::new(format!("the record cannot be read: {error}")))
    }

    fn copy(&self) -> Self {
        Self { content: self.content.clone(), mode: self.mode }
    }
}

fn place(client: Client, home: &Home) -> PathBuf {
    home.records().join(format!("{}.json", client.name()))
}

fn in_file(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::home;
    use super::*;

    fn plan(path: PathBuf) -> Plan {
        Plan::new().file(path, |text| Ok(format!("{text}ours\n")))
    }

    #[test]
    fn what_was_there_comes_back_byte_for_byte_with_its_mode() {
        let (folder, home) = home();
        let (old, new) = (folder.path().join("old"), folder.path().join("sub/new"));
        fs::write(&old, "theirs").unwrap();
        fs::set_permissions(&old, fs::Permissions::from_mode(0o640)).unwrap();
        let both = || plan(old.clone()).file(new.clone(), |text| Ok(format!("{text}ours\n")));
        for _ in 0..2 {
            Record::write(Client::Npm, &both(), &home).unwrap();
            assert_eq!(fs::read_to_string(&old).unwrap(), "theirsours\n");
            assert_eq!(fs::metadata(&old).unwrap().permissions().mode() & 0o777, 0o600);
        }
        Record::undo(Client::Npm, &home).unwrap();
        assert_eq!(fs::read_to_string(&old).unwrap(), "theirs");
        assert_eq!(fs::metadata(&old).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(!new.exists());
        assert!(Record::undo(Client::Npm, &home).is_err());
    }

    #[test]
    fn a_file_that_somebody_has_changed_since_is_left() {
        let (folder, home) = home();
        let path = folder.path().join("file");
        Record::write(Client::Npm, &plan(path.clone()), &home).unwrap();
        fs::write(&path, "changed").unwrap();
        assert!(Record::undo(Client::Npm, &home).is_err());
        assert!(Record::write(Client::Npm, &plan(path.clone()), &home).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "changed");
    }

    #[test]
    fn an_edit_that_is_refused_changes_nothing() {
        let (folder, home) = home();
        let path = folder.path().join("file");
        let refused = plan(path.clone()).file(folder.path().join("other"), |_| Err("no".to_owned()));
        assert!(Record::write(Client::Npm, &refused, &home).is_err());
        assert!(!path.exists());
        assert!(Record::undo(Client::Npm, &home).is_err());
    }
}
