//! Entry points for fuzzers: none of them may panic, whatever the bytes.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use larder_core::model::{
    AccountId, DomainId, DomainName, ExternalConnection, PackageKey, Repository, RepositoryId, RepositoryName,
    Timestamp, VersionText,
};
use larder_core::ports::{Format as _, StoredIndex};
use larder_core::services::Layer;

use crate::index::{self, Form, Sources};
use crate::json::Members;
use crate::publish::Scanner;
use crate::{Npm, archive, attestations, details, names};

/// Reads a tarball.
pub fn fuzz_tarball(data: &[u8]) {
    // Whether it is one is not the question here, nor below.
    let _ = archive::read_stream(data, data.len() as u64);
}

/// Reads the tar inside a tarball: its checksums let few mutations of the gzip through.
pub fn fuzz_tar(data: &[u8]) {
    let _ = archive::read_tar(data);
}

/// Takes a publish body apart, in pieces whose sizes are in its first byte.
pub fn fuzz_publish_body(data: &[u8]) {
    let Some((size, body)) = data.split_first() else { return };
    let mut scanner = Scanner::default();
    for mut chunk in body.chunks(usize::from(*size).max(1)) {
        loop {
            match scanner.next(chunk) {
                Ok((0, None)) | Err(_) => break,
                Ok((count, _)) => chunk = &chunk[count..],
            }
        }
    }
}

/// Reads a public registry's document as index and renders it.
pub fn fuzz_packument(data: &[u8]) {
    let Ok(key) = names::package_key("n") else { return };
    let index = StoredIndex {
        body: Some(bytes::Bytes::copy_from_slice(data)),
        content_type: String::new(),
        etag: None,
        last_modified: None,
        checked_at: Timestamp(0),
        revision: 0,
    };
    let _ = Npm.check_index(&key, &index);
    for version in Npm.index_versions(&key, &index).unwrap_or_default() {
        promise(&key, &index, &version);
    }
    render(&key, index);
}

/// Renders the document in every form.
fn render(key: &PackageKey, index: StoredIndex) {
    let (Ok(account), Ok(domain), Ok(name)) =
        (AccountId::new("123456789012"), DomainName::new("domain"), RepositoryName::new("repository"))
    else {
        return;
    };
    let Ok(connection) = ExternalConnection::parse("public:npmjs") else { return };
    let repository = Arc::new(Repository {
        id: RepositoryId(1),
        domain: DomainId(1),
        domain_owner: account.clone(),
        domain_name: domain,
        name,
        administrator: account,
        description: None,
        created_at: Timestamp(0),
        upstreams: Vec::new(),
        external_connection: Some(connection),
        policy: None,
    });
    let layers = [Layer::Registry { repository, connection, index: Arc::new(index) }];
    let sources = Sources { repository: RepositoryId(1), key, layers: &layers, upstream_tags_win: false };
    for form in [Form::Full, Form::Abbreviated, Form::DistTags, Form::Manifest("latest".to_owned())] {
        if let Ok(rendered) = index::render(&sources, &form, "http://localhost", &|_| None) {
            assert!(Members::parse(&rendered.body).is_some(), "what is rendered is JSON");
        }
    }
}

fn promise(key: &PackageKey, index: &StoredIndex, version: &VersionText) {
    if let Ok(Some(promise)) = Npm.promise(key, index, version)
        && let Some(manifest) = Members::parse(&promise.metadata)
    {
        details::details(&manifest, promise.display_name);
    }
}

/// Reads names, versions, file names and tags.
pub fn fuzz_names(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let segments: Vec<&str> = text.split('/').collect();
    let mut scoped = String::new();
    if let [name, rest @ ..] = &names::join_scope(&segments, &mut scoped)[..]
        && let Ok(key) = names::package_key(name)
    {
        let _ = names::check_new_name(name);
        for file in rest {
            let _ = names::version_of_file(&key, file);
            let _ = names::coordinate(file);
            let _ = names::check_tag(file);
            let _ = names::compare_versions(file, &text);
        }
    }
}

/// Reads a provenance bundle.
pub fn fuzz_provenance(data: &[u8]) {
    let _ = attestations::check_bundle(&String::from_utf8_lossy(data), "@s/n", "1.0.0", &[0; 64]);
    let _ = attestations::answer(data);
}
