//! Entry points for fuzzers: none of them may panic, whatever the bytes. The stored corpus is in `fuzz-corpus/`.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::task::{Context, Poll};

use async_trait::async_trait;
use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue};
use larder_archive::Limits;
use larder_core::error::Result;
use larder_core::model::{Digests, Sha256};
use larder_core::ports::{StagedBlob, Staging};
use larder_http::fuzzing::Scratch;

use crate::accept::Accept;
use crate::metadata::PackageMetadata;
use crate::publish::form;
use crate::{archive, cms, manifest, names, scm_url};

/// Reads a source archive.
pub fn fuzz_archive(data: &[u8]) {
    let Ok(file) = Scratch::write(data) else { return };
    let limits = Limits { unpacked_bytes: 1 << 20, ..Limits::default() };
    // A refusal is as good as contents.
    let _ = archive::read(file.path(), &limits);
}

/// Reads the first line of a manifest.
pub fn fuzz_manifest(data: &[u8]) {
    if let Ok(version) = manifest::tools_version(data) {
        assert!(version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'), "{version}");
    }
    let _ = manifest::variant(&String::from_utf8_lossy(data));
}

/// Reads the form of a publish, in pieces; the boundary is `frontier`.
pub fn fuzz_publish_form(data: &[u8]) {
    let pieces: Vec<_> = data.chunks(61).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let body = Box::pin(futures_util::stream::iter(pieces));
    let staging = Box::new(Nowhere(0));
    let _ = run(form::read(body, "frontier".to_owned(), staging, 1 << 20));
}

/// Reads the publisher's metadata.
pub fn fuzz_metadata(data: &[u8]) {
    if let Ok((metadata, _)) = PackageMetadata::parse(data) {
        let _ = metadata.details("a.b", None);
    }
}

/// Reads a scope, a name, a version and the address of a source repository.
pub fn fuzz_names(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (scope, rest) = text.split_once('.').unwrap_or((&text, "b"));
    let _ = (names::package_key(scope, rest), names::parse_version(rest));
    let _ = (names::compare_versions(scope, rest), names::is_stable(rest));
    let _ = (scm_url::normalize(&text), scm_url::is_linkable(&text));
}

/// Reads an `Accept` header.
pub fn fuzz_accept(data: &[u8]) {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(data) {
        headers.insert(ACCEPT, value);
    }
    let _ = Accept::read(&headers);
}

/// Checks a signature.
pub fn fuzz_signature(data: &[u8]) {
    let _ = cms::check(data);
}

/// Runs what waits for nothing but its turn.
fn run<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    let mut context = Context::from_waker(std::task::Waker::noop());
    loop {
        if let Poll::Ready(done) = work.as_mut().poll(&mut context) {
            return done;
        }
    }
}

/// A staging file that keeps nothing but its length.
struct Nowhere(u64);

#[async_trait]
impl Staging for Nowhere {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.0 += bytes.len() as u64;
        Ok(())
    }

    fn len(&self) -> u64 {
        self.0
    }

    fn path(&self) -> &Path {
        Path::new("")
    }

    async fn finish(self: Box<Self>) -> Result<StagedBlob> {
        let digests =
            Digests { md5: [0; 16], sha1: [0; 20], sha256: Sha256([0; 32]), sha512: [0; 64], size_bytes: self.0 };
        Ok(StagedBlob::new(PathBuf::new(), digests, [0; 32]))
    }
}

#[cfg(test)]
mod tests;
