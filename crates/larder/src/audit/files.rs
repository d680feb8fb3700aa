//! The files: one that grows, and earlier ones with the instant of their end in the name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use larder_core::model::Timestamp;
use serde_json::Value;

use crate::data_dir::{create_private_dir, write_private};

/// The file that grows.
const CURRENT: &str = "audit.jsonl";
/// Which leaf of the journal is next.
const CURSOR: &str = "cursor";
/// As far back as the last lines are read after a crash. What is written between two cursors is smaller.
const TAIL_BYTES: u64 = 32 << 20;
const DAY_MS: i64 = 24 * 3600 * 1000;

/// When a file ends and when it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileLimits {
    /// A file that has grown as large is ended; so is one of an earlier day (UTC).
    pub(crate) file_bytes: u64,
    /// Earlier files that are older are removed.
    pub(crate) keep: Option<Duration>,
    /// The oldest files are removed while all earlier ones together are larger.
    pub(crate) keep_bytes: Option<u64>,
}

/// The files of one folder, opened for appending.
pub(crate) struct AuditFiles {
    folder: PathBuf,
    limits: FileLimits,
    current: File,
    bytes: u64,
    /// The day (since 1970) of the current file's first line.
    day: i64,
    /// The next leaf of the journal to write; `None` before the first.
    cursor: Option<u64>,
}

impl AuditFiles {
    /// Opens the folder, removes the line that a crash left unfinished, and finds out how far the journal was written.
    pub(crate) fn open(folder: &Path, limits: FileLimits, now: Timestamp) -> io::Result<Self> {
        create_private_dir(folder)?;
        let path = folder.join(CURRENT);
        let mut current = open_current(&path)?;
        let (whole, last_leaf) = read_tail(&mut current)?;
        current.set_len(whole)?;
        current.seek(SeekFrom::End(0))?;
        let known = match fs::read_to_string(folder.join(CURSOR)) {
            Ok(text) => text.trim().parse().ok(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let cursor = known.max(last_leaf.map(|leaf| leaf + 1));
        let changed = fs::metadata(&path)?.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let day = if whole == 0 { now.0 / DAY_MS } else { i64::try_from(changed.as_millis()).unwrap_or(0) / DAY_MS };
        Ok(Self { folder: folder.to_owned(), limits, current, bytes: whole, day, cursor })
    }

    /// The next leaf of the journal to write.
    pub(crate) fn cursor(&self) -> Option<u64> {
        self.cursor
    }

    /// Appends lines, flushed to the disk when it returns; `cursor` is the next leaf after them.
    pub(crate) fn append(&mut self, lines: &str, cursor: u64, now: Timestamp) -> io::Result<()> {
        self.rotate(now)?;
        if !lines.is_empty() {
            let written = self.current.write_all(lines.as_bytes()).and_then(|()| self.current.sync_data());
            if let Err(error) = written {
                // What is repeated later must not follow half a line.
                self.current.set_len(self.bytes)?;
                return Err(error);
            }
            self.bytes += lines.len() as u64;
        }
        if self.cursor != Some(cursor) {
            write_private(&self.folder.join(CURSOR), &cursor.to_string())?;
            self.cursor = Some(cursor);
        }
        Ok(())
    }

    /// Ends the current file if it is time. The cursor stands behind all of its lines then.
    fn rotate(&mut self, now: Timestamp) -> io::Result<()> {
        let today = now.0 / DAY_MS;
        if self.bytes == 0 {
            self.day = today;
        }
        if self.bytes < self.limits.file_bytes && self.day == today {
            return Ok(());
        }
        let instant = now.rfc3339().replace([':', '.'], "-");
        let ended = (0..)
            .map(|number| self.folder.join(format!("audit-{instant}-{number:03}.jsonl")))
            .find(|path| !path.exists());
        let ended = ended.ok_or_else(|| io::Error::other("no name is free"))?;
        fs::rename(self.folder.join(CURRENT), ended)?;
        self.current = open_current(&self.folder.join(CURRENT))?;
        (self.bytes, self.day) = (0, today);
        self.remove_old(now)
    }

    fn remove_old(&self, now: Timestamp) -> io::Result<()> {
        let mut total = 0;
        // Newest first.
        for path in list(&self.folder)?.into_iter().rev().filter(|path| !path.ends_with(CURRENT)) {
            let data = fs::metadata(&path)?;
            total += data.len();
            let age = now.system_time().duration_since(data.modified()?).unwrap_or_default();
            let old = self.limits.keep.is_some_and(|keep| age > keep);
            if old || self.limits.keep_bytes.is_some_and(|most| total > most) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

/// The files of a folder, oldest first, the current one last.
pub(crate) fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("audit-") && name.ends_with(".jsonl") {
            paths.push(path);
        }
    }
    paths.sort_unstable();
    let current = folder.join(CURRENT);
    if current.exists() {
        paths.push(current);
    }
    Ok(paths)
}

fn open_current(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    OpenOptions::new().read(true).create(true).append(true).mode(0o600).open(path)
}

/// How many bytes are whole lines, and the last leaf among the last of them.
fn read_tail(file: &mut File) -> io::Result<(u64, Option<u64>)> {
    let length = file.seek(SeekFrom::End(0))?;
    let start = length.saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut tail)?;
    let whole = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let leaf = |line: &[u8]| -> Option<u64> {
        serde_json::from_slice::<Value>(line).ok()?["additionalEventData"]["leafIndex"].as_u64()
    };
    let last = tail[..whole].rsplit(|byte| *byte == b'\n').find_map(leaf);
    Ok((start + whole as u64, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp(20_000 * DAY_MS + DAY_MS / 2);

    fn limits() -> FileLimits {
        FileLimits { file_bytes: 200, keep: None, keep_bytes: Some(400) }
    }

    fn line(leaf: u64) -> String {
        format!("{{\"additionalEventData\":{{\"leafIndex\":{leaf}}},\"x\":\"{}\"}}\n", "y".repeat(40))
    }

    fn all(folder: &Path) -> String {
        list(folder).unwrap().iter().map(|path| fs::read_to_string(path).unwrap()).collect()
    }

    #[test]
    fn an_unfinished_line_is_removed_and_the_cursor_found_in_the_lines() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = AuditFiles::open(folder.path(), limits(), NOON).unwrap();
        assert_eq!(files.cursor(), None);
        files.append(&line(0), 1, NOON).unwrap();
        // Written, but the cursor was not; then half a line.
        let mut file = OpenOptions::new().append(true).open(folder.path().join(CURRENT)).unwrap();
        file.write_all(format!("{}{{\"read\":1}}\n{{\"half", line(1)).as_bytes()).unwrap();
        let files = AuditFiles::open(folder.path(), limits(), NOON).unwrap();
        assert_eq!(files.cursor(), Some(2));
        assert_eq!(all(folder.path()), format!("{}{}{{\"read\":1}}\n", line(0), line(1)));
    }

    #[test]
    fn files_end_by_size_and_day_and_the_oldest_go() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = AuditFiles::open(folder.path(), FileLimits { keep_bytes: None, ..limits() }, NOON).unwrap();
        for leaf in 0..6 {
            files.append(&line(leaf), leaf + 1, NOON).unwrap();
        }
        let by_size = list(folder.path()).unwrap().len();
        assert!((2..=3).contains(&by_size), "{by_size}");
        files.append(&line(6), 7, NOON.plus(Duration::from_secs(13 * 3600))).unwrap();
        assert_eq!(list(folder.path()).unwrap().len(), by_size + 1);
        assert_eq!(all(folder.path()), (0..7).map(line).collect::<String>());
        files.limits = limits();
        for leaf in 7..30 {
            files.append(&line(leaf), leaf + 1, NOON.plus(Duration::from_secs(13 * 3600))).unwrap();
        }
        let text = all(folder.path());
        assert!(text.len() < 1000 && text.ends_with(&line(29)), "{}", text.len());
    }
}
