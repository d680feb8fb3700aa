//! The suite against a real S3 server, and what only a server that misbehaves can show.

mod scripted;
mod server;

use std::sync::atomic::{AtomicUsize, Ordering};

use larder_external::{Client, ClientSettings};
use larder_testkit::ObjectStore;

use super::*;
use crate::blob::digesting::Digesting;
use crate::blob::suite::{DOMAIN, Fixture, blob_suite, noise, read, run, staged, staging_files, stored};
use scripted::Scripted;
pub(super) use scripted::{answer, settings};
use server::server;

/// A store in a bucket of its own.
fn fixture() -> Option<Fixture> {
    let server = server()?;
    Some(fixture_in(server, server.bucket()))
}

fn fixture_in(server: &ObjectStore, bucket: String) -> Fixture {
    let settings = S3Settings { bucket, prefix: "some/prefix".to_owned(), ..settings(server.endpoint()) };
    let transport = Arc::new(Client::new(ClientSettings::default()));
    let staging = tempfile::tempdir().unwrap();
    let blobs = S3Blobs::open(&settings, staging.path(), transport, SmallBlobs::default()).unwrap();
    Fixture { blobs: Arc::new(blobs), staging: staging.path().to_owned(), _kept: Box::new(staging) }
}

blob_suite!(s3);

#[test]
fn a_large_blob_goes_up_in_parts() {
    run(fixture(), |fixture| async move {
        // Four parts and a bit.
        let bytes = noise(64 * 1024 * 1024 + 17, 9);
        let sha256 = stored(&*fixture.blobs, DOMAIN, &bytes).await;
        assert_eq!(fixture.blobs.size(DOMAIN, sha256).await.unwrap(), Some(bytes.len() as u64));
        assert!(read(&*fixture.blobs, DOMAIN, sha256, None).await == bytes);
        let across = ByteRange { start: 16 * 1024 * 1024 - 5, length: 10 };
        assert_eq!(read(&*fixture.blobs, DOMAIN, sha256, Some(across)).await, bytes[16 * 1024 * 1024 - 5..][..10]);
        assert_eq!(staging_files(&fixture), 0);
    });
}

#[test]
fn objects_that_are_no_blobs_are_not_listed() {
    let Some(server) = server() else { return };
    let bucket = server.bucket();
    for foreign in ["some/prefix/blobs/notes", "some/prefix/blobs/0/ba/x", "elsewhere"] {
        server.put(&format!("{bucket}/{foreign}"), b"x");
    }
    run(Some(fixture_in(server, bucket)), |fixture| async move {
        let sha256 = stored(&*fixture.blobs, DOMAIN, b"abc").await;
        // In pages of one, foreign keys fill whole pages.
        let listed = fixture.blobs.list(None, 1).await.unwrap();
        assert_eq!(listed.iter().map(|blob| blob.1).collect::<Vec<_>>(), [sha256]);
    });
}

#[test]
fn a_missing_bucket_is_a_failure_that_names_it() {
    let Some(server) = server() else { return };
    run(Some(fixture_in(server, "no-such-bucket".to_owned())), |fixture| async move {
        let staged = staged(&*fixture.blobs, b"abc").await;
        let error = fixture.blobs.commit(DOMAIN, staged).await.expect_err("there is no bucket");
        let Error::Internal { source } = error else { panic!("{error:?}") };
        assert!(source.to_string().contains("make the bucket no-such-bucket"), "{source}");
    });
}

/// A store over scripted answers, which does not pause.
fn scripted(script: Scripted) -> (Arc<Scripted>, Option<Fixture>) {
    let script = Arc::new(script);
    let staging = tempfile::tempdir().unwrap();
    let (settings, transport) = (settings("http://s3.example"), Arc::clone(&script) as Arc<dyn HttpTransport>);
    let blobs = S3Blobs::open_pausing(&settings, staging.path(), transport, SmallBlobs::default(), [Duration::ZERO; 3]);
    let blobs = Arc::new(blobs.unwrap());
    let fixture = Fixture { blobs, staging: staging.path().to_owned(), _kept: Box::new(staging) };
    (script, Some(fixture))
}

#[test]
fn a_busy_store_is_asked_again_and_the_body_sent_again() {
    let puts = AtomicUsize::new(0);
    let (script, fixture) = scripted(Scripted::new(move |ask| match ask.split(' ').next() {
        Some("PUT") if puts.fetch_add(1, Ordering::SeqCst) < 2 => answer(503, &[], "<Error><Code>SlowDown</Code>"),
        Some("PUT") => answer(200, &[], ""),
        _ => answer(404, &[], ""),
    }));
    run(fixture, |fixture| async move {
        stored(&*fixture.blobs, DOMAIN, &noise(600_000, 1)).await;
    });
    assert_eq!(script.asked().iter().filter(|ask| ask.starts_with("PUT")).count(), 3);
}

#[test]
fn a_store_that_stays_away_is_unavailable_and_the_staged_file_is_removed() {
    let (script, fixture) = scripted(Scripted::new(|_| answer(500, &[], "")));
    run(fixture, |fixture| async move {
        let staged = staged(&*fixture.blobs, b"abc").await;
        let sha256 = staged.digests.sha256;
        assert!(matches!(fixture.blobs.commit(DOMAIN, staged).await, Err(Error::Unavailable { .. })));
        assert!(matches!(fixture.blobs.open(DOMAIN, sha256, None).await, Err(Error::Unavailable { .. })));
        assert_eq!(staging_files(&fixture), 0);
    });
    assert_eq!(script.asked().len(), 8, "four attempts each");
}

#[test]
fn refused_credentials_are_not_asked_about_again_and_not_called_missing() {
    let (script, fixture) = scripted(Scripted::new(|_| answer(403, &[], "<Error><Code>AccessDenied</Code></Error>")));
    run(fixture, |fixture| async move {
        let Err(Error::Internal { source }) = fixture.blobs.open(DOMAIN, Sha256([1; 32]), None).await else {
            panic!("refused is neither found nor missing")
        };
        assert_eq!(source.to_string(), "the object store answered 403 AccessDenied to GET");
    });
    assert_eq!(script.asked().len(), 1);
}

const CREATED: &str = "<InitiateMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                       <Bucket>b</Bucket><Key>k</Key><UploadId>7</UploadId></InitiateMultipartUploadResult>";

/// Answers as S3 does until the upload is put together, which fails with this document.
fn failing_at_the_end(ask: &str, size_afterwards: Option<&str>) -> Result<IncomingResponse> {
    match ask.split_once(' ') {
        Some(("POST", rest)) if rest.contains("?uploads") => answer(200, &[], CREATED),
        Some(("POST", _)) => answer(200, &[], "<Error><Code>InternalError</Code></Error>"),
        Some(("PUT", _)) => answer(200, &[("etag", "\"1\"")], ""),
        Some(("HEAD", _)) => match size_afterwards {
            Some(size) => answer(200, &[("content-length", size)], ""),
            None => answer(404, &[], ""),
        },
        _ => answer(204, &[], ""),
    }
}

#[test]
fn an_upload_in_parts_that_fails_is_aborted() {
    let (script, fixture) = scripted(Scripted::new(|ask| failing_at_the_end(ask, None)));
    run(fixture, |fixture| async move {
        let staged = staged(&*fixture.blobs, &vec![0; 64 * 1024 * 1024 + 1]).await;
        let error = fixture.blobs.commit(DOMAIN, staged).await.expect_err("the end failed");
        assert!(
            matches!(&error, Error::Unavailable { source, .. } if source.to_string() == "InternalError"),
            "{error:?}"
        );
        assert_eq!(staging_files(&fixture), 0);
    });
    let asked = script.asked();
    assert_eq!(asked.iter().filter(|ask| ask.starts_with("PUT")).count(), 5);
    assert!(asked.last().unwrap().starts_with("DELETE"), "{asked:?}");
    assert!(asked.last().unwrap().contains("uploadId"), "{asked:?}");
}

#[test]
fn an_upload_whose_last_answer_was_lost_is_found_complete() {
    let heads = AtomicUsize::new(0);
    let (script, fixture) = scripted(Scripted::new(move |ask| {
        let first = ask.starts_with("HEAD") && heads.fetch_add(1, Ordering::SeqCst) == 0;
        failing_at_the_end(ask, (!first).then_some("67108865"))
    }));
    run(fixture, |fixture| async move {
        stored(&*fixture.blobs, DOMAIN, &vec![0; 64 * 1024 * 1024 + 1]).await;
    });
    assert!(!script.asked().iter().any(|ask| ask.starts_with("DELETE")));
}

#[test]
fn an_answer_without_the_asked_range_is_not_served() {
    let (_script, fixture) = scripted(Scripted::new(|_| answer(200, &[], "all of it")));
    run(fixture, |fixture| async move {
        let range = Some(ByteRange { start: 1, length: 2 });
        assert!(matches!(fixture.blobs.open(DOMAIN, Sha256([1; 32]), range).await, Err(Error::Internal { .. })));
    });
}

#[test]
fn small_blobs_are_fetched_once() {
    let (script, fixture) = scripted(Scripted::new(|_| answer(200, &[], "small")));
    run(fixture, |fixture| async move {
        let sha256 = Digesting::of(b"small").0.sha256;
        for _ in 0..3 {
            assert_eq!(read(&*fixture.blobs, DOMAIN, sha256, None).await, b"small");
        }
        let other = fixture.blobs.open(DOMAIN, Sha256([1; 32]), None).await;
        assert!(matches!(other, Err(Error::Internal { .. })), "other bytes than those of the address");
    });
    assert_eq!(script.asked().len(), 2);
}

#[test]
fn a_url_of_s3_needs_a_folder_and_a_client() {
    let refused = crate::blob::open_storage("s3://larder/x", &crate::blob::StorageOptions::default());
    assert!(matches!(refused, Err(Error::Validation { .. })));
}
