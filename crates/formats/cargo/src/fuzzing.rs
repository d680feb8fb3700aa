//! Entry points for fuzzers: none of them may panic, whatever the bytes. The stored corpus is in `fuzz-corpus/`.

use bytes::Bytes;
use larder_core::model::{AssetName, PackageFormat, PackageKey, Timestamp, VersionText};
use larder_core::ports::{Format as _, StoredIndex};
use larder_http::fuzzing::Scratch;

use crate::line::{self, Head, Line};
use crate::publish::frame::{Frame, Piece};
use crate::{CargoFormat, archive, external, names, publish};

/// Takes a publish apart, in one piece and byte by byte: both ways say the same.
pub fn fuzz_publish(data: &[u8]) {
    let whole = read_frame(data, data.len().max(1));
    assert_eq!(whole, read_frame(data, 1), "the size of the chunks matters");
    if let Some((json, _)) = whole {
        // A refusal is as good as a publish.
        let _ = publish::check_json(&json);
    }
}

/// JSON and file of a body that comes in chunks of a size; `None` if it is refused.
fn read_frame(data: &[u8], size: usize) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut frame = Frame::new(1 << 20);
    let (mut json, mut file) = (Vec::new(), Vec::new());
    for chunk in data.chunks(size) {
        let mut chunk = Bytes::copy_from_slice(chunk);
        while let Some(piece) = frame.take(&mut chunk).ok()? {
            match piece {
                Piece::Json(bytes) => json = bytes,
                Piece::Crate(bytes) => file.extend_from_slice(&bytes),
            }
        }
    }
    frame.finish().ok()?;
    Some((json, file))
}

/// Reads the JSON of a publish.
pub fn fuzz_publish_json(data: &[u8]) {
    let _ = publish::check_json(data);
}

/// Reads a `.crate` file as an upload and as a registry's file.
pub fn fuzz_crate(data: &[u8]) {
    let Ok(file) = Scratch::write(data) else { return };
    let _ = archive::check(file.path(), "foo", "1.0.0");
    if let Ok(name) = AssetName::new("foo-1.0.0.crate") {
        let _ = CargoFormat::default().inspect(&name, file.path());
    }
}

/// Reads an index file, as a registry sends it and as it is stored.
pub fn fuzz_index(data: &[u8]) {
    let _ = external::check_file("foo", data);
    for raw in line::lines(data) {
        if let Ok(head) = Head::parse(raw) {
            let _ = (head.version_key(), head.published_at(), head.sha256());
            let _ = names::compare_versions(&head.vers, "1.0.0");
        }
        let _ = Line::parse(raw).map(|line| (line.dependencies(), line.all_features()));
        if let Ok(yanked) = line::with_yanked(raw, true) {
            assert!(Head::parse(&yanked).is_ok_and(|head| head.is_yanked()) || Head::parse(raw).is_err());
        }
    }
    let Ok(package) = PackageKey::new(PackageFormat::Cargo, None, "foo") else { return };
    let index = StoredIndex {
        body: Some(Bytes::copy_from_slice(data)),
        content_type: String::new(),
        etag: None,
        last_modified: None,
        checked_at: Timestamp(0),
        revision: 0,
    };
    let format = CargoFormat::default();
    let _ = (format.check_index(&package, &index), format.index_versions(&package, &index));
    if let Ok(version) = VersionText::new("1.0.0") {
        let _ = format.promise(&package, &index, &version);
    }
}

/// Reads a registry's `config.json` and fills the template that is in it.
pub fn fuzz_config(data: &[u8]) {
    if let Ok(template) = external::read_config(data) {
        let url = external::file_url(&template, "Foo-Bar", "1.0.0+b", &"0".repeat(64));
        assert!(url.starts_with("http"));
    }
}

/// Reads names, versions and index paths.
pub fn fuzz_names(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let segments: Vec<&str> = text.split('/').collect();
    if let Some(name) = names::of_index_path(&segments) {
        assert!(names::index_path(name).eq_ignore_ascii_case(&text));
    }
    let _ = (names::check_new_name(&text), names::version_key(&text), names::printable(&text));
    if let Ok(key) = names::crate_key(&text) {
        assert!(names::twins(key.name()).len() <= 16);
    }
}

#[cfg(test)]
mod tests;
