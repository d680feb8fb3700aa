//! What every blob store has to do, stamped on each of them: `blob_suite!(local)`.

use std::future::Future;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use larder_core::Error;
use larder_core::model::{Clock as _, DomainId, Sha256, SystemClock, Timestamp};
use larder_core::ports::{Blob, BlobStore, ByteRange, KEPT_FOR, StagedBlob};

use super::digesting::Digesting;

/// A store to test, with the folder it stages in. Dropping it removes everything.
pub(super) struct Fixture {
    pub(super) blobs: Arc<dyn BlobStore>,
    pub(super) staging: PathBuf,
    pub(super) _kept: Box<dyn std::any::Any + Send>,
}

pub(super) const DOMAIN: DomainId = DomainId(7);

/// Later than anything was stored.
pub(super) const ANY_TIME: Timestamp = Timestamp(i64::MAX);

pub(super) async fn staged(blobs: &dyn BlobStore, bytes: &[u8]) -> StagedBlob {
    let mut staging = blobs.stage().await.unwrap();
    for piece in bytes.chunks(100_000) {
        staging.write(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    staging.finish().await.unwrap()
}

pub(super) async fn stored(blobs: &dyn BlobStore, domain: DomainId, bytes: &[u8]) -> Sha256 {
    let staged = staged(blobs, bytes).await;
    let sha256 = staged.digests.sha256;
    blobs.commit(domain, staged).await.unwrap();
    sha256
}

/// Reads as a server does: the range is applied here, except to a stream.
pub(super) async fn read(blobs: &dyn BlobStore, domain: DomainId, sha256: Sha256, range: Option<ByteRange>) -> Vec<u8> {
    let part = |all: &[u8]| match range {
        Some(range) => {
            let (start, length) = (usize::try_from(range.start).unwrap(), usize::try_from(range.length).unwrap());
            all[start..start + length].to_vec()
        }
        None => all.to_vec(),
    };
    match blobs.open(domain, sha256, range).await.unwrap() {
        Blob::Memory(bytes) => part(&bytes),
        Blob::File(mut file) => {
            let range = range.unwrap_or(ByteRange { start: 0, length: u64::MAX });
            file.seek(SeekFrom::Start(range.start)).unwrap();
            let mut bytes = Vec::new();
            file.take(range.length).read_to_end(&mut bytes).unwrap();
            bytes
        }
        Blob::Stream(stream) => stream.map_ok(|piece| piece.to_vec()).try_concat().await.expect("the stream ends well"),
    }
}

/// Bytes that differ at every offset a test looks at.
pub(super) fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Runs an async test. `None`: this machine cannot have such a store, and the fixture said so.
pub(super) fn run<F: Future<Output = ()>>(fixture: Option<Fixture>, test: impl FnOnce(Arc<Fixture>) -> F) {
    let Some(fixture) = fixture.map(Arc::new) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(test(Arc::clone(&fixture)));
}

pub(super) fn staging_files(fixture: &Fixture) -> usize {
    std::fs::read_dir(&fixture.staging).unwrap().count()
}

pub(super) async fn a_committed_blob_is_read_back_whole_and_in_ranges(fixture: Arc<Fixture>) {
    for length in [0, 1, 1000, 300_000, 3_000_000] {
        let bytes = noise(length, length as u64);
        let sha256 = stored(&*fixture.blobs, DOMAIN, &bytes).await;
        assert_eq!(fixture.blobs.size(DOMAIN, sha256).await.unwrap(), Some(length as u64));
        assert!(read(&*fixture.blobs, DOMAIN, sha256, None).await == bytes, "{length} bytes");
        if length > 10 {
            let range = ByteRange { start: length as u64 / 3, length: length as u64 / 2 };
            let expected = &bytes[length / 3..length / 3 + length / 2];
            assert!(read(&*fixture.blobs, DOMAIN, sha256, Some(range)).await == expected, "part of {length} bytes");
            let last = ByteRange { start: length as u64 - 1, length: 1 };
            assert_eq!(read(&*fixture.blobs, DOMAIN, sha256, Some(last)).await, bytes[length - 1..]);
        }
    }
    assert_eq!(staging_files(&fixture), 0);
}

pub(super) async fn a_range_can_be_the_first_thing_read(fixture: Arc<Fixture>) {
    let bytes = noise(500_000, 1);
    let sha256 = stored(&*fixture.blobs, DOMAIN, &bytes).await;
    let range = ByteRange { start: 17, length: 400_000 };
    assert!(read(&*fixture.blobs, DOMAIN, sha256, Some(range)).await == bytes[17..400_017]);
}

pub(super) async fn a_missing_blob_is_not_found(fixture: Arc<Fixture>) {
    let missing = Sha256([9; 32]);
    assert!(matches!(fixture.blobs.open(DOMAIN, missing, None).await, Err(Error::ResourceNotFound { .. })));
    assert_eq!(fixture.blobs.size(DOMAIN, missing).await.unwrap(), None);
    assert!(!fixture.blobs.delete(DOMAIN, missing, ANY_TIME).await.unwrap());
}

pub(super) async fn domains_do_not_share_blobs(fixture: Arc<Fixture>) {
    let sha256 = stored(&*fixture.blobs, DOMAIN, b"mine").await;
    assert!(fixture.blobs.open(DomainId(8), sha256, None).await.is_err_and(|error| error.is_not_found()));
    stored(&*fixture.blobs, DomainId(8), b"mine").await;
    assert!(fixture.blobs.delete(DOMAIN, sha256, ANY_TIME).await.unwrap());
    assert_eq!(read(&*fixture.blobs, DomainId(8), sha256, None).await, b"mine");
}

pub(super) async fn committing_the_same_bytes_again_keeps_them_and_leaves_no_staging(fixture: Arc<Fixture>) {
    let bytes = noise(400_000, 2);
    let first = stored(&*fixture.blobs, DOMAIN, &bytes).await;
    let second = stored(&*fixture.blobs, DOMAIN, &bytes).await;
    assert_eq!(first, second);
    assert_eq!(staging_files(&fixture), 0);
    assert!(read(&*fixture.blobs, DOMAIN, first, None).await == bytes);
}

pub(super) async fn concurrent_commits_of_the_same_bytes_all_succeed(fixture: Arc<Fixture>) {
    let bytes = noise(300_000, 3);
    let mut staged_blobs = Vec::new();
    for _ in 0..8 {
        staged_blobs.push(staged(&*fixture.blobs, &bytes).await);
    }
    let sha256 = staged_blobs[0].digests.sha256;
    let commits: Vec<_> = staged_blobs
        .into_iter()
        .map(|staged| {
            let blobs = Arc::clone(&fixture.blobs);
            tokio::spawn(async move {
                blobs.commit(DOMAIN, staged).await.unwrap();
                read(&*blobs, DOMAIN, sha256, None).await.len()
            })
        })
        .collect();
    for commit in commits {
        assert_eq!(commit.await.unwrap(), bytes.len(), "an acknowledged commit is readable");
    }
    assert_eq!(staging_files(&fixture), 0);
    assert_eq!(fixture.blobs.list(None, 10).await.unwrap().len(), 1);
}

pub(super) async fn a_deleted_blob_is_gone(fixture: Arc<Fixture>) {
    let sha256 = stored(&*fixture.blobs, DOMAIN, b"short-lived").await;
    assert_eq!(read(&*fixture.blobs, DOMAIN, sha256, None).await, b"short-lived");
    assert!(fixture.blobs.delete(DOMAIN, sha256, ANY_TIME).await.unwrap());
    assert!(fixture.blobs.open(DOMAIN, sha256, None).await.is_err_and(|error| error.is_not_found()));
    assert_eq!(fixture.blobs.size(DOMAIN, sha256).await.unwrap(), None);
}

/// Until the stores' clocks, one of which counts whole seconds, are certainly past what was stored before.
async fn a_new_instant() -> Timestamp {
    tokio::time::sleep(Duration::from_millis(2100)).await;
    SystemClock.now()
}

pub(super) async fn only_what_was_stored_before_the_cutoff_is_deleted(fixture: Arc<Fixture>) {
    let blobs = &*fixture.blobs;
    let (kept, again) = (stored(blobs, DOMAIN, b"kept").await, stored(blobs, DOMAIN, b"again").await);
    assert!(!blobs.delete(DOMAIN, kept, Timestamp(0)).await.unwrap());
    let cutoff = a_new_instant().await;
    stored(blobs, DOMAIN, b"again").await;
    assert!(!blobs.delete(DOMAIN, again, cutoff).await.unwrap(), "what was stored again is new");
    assert_eq!(read(blobs, DOMAIN, again, None).await, b"again");
    assert!(blobs.delete(DOMAIN, kept, cutoff).await.unwrap());
    assert_eq!(blobs.size(DOMAIN, kept).await.unwrap(), None);
    assert!(!blobs.delete(DOMAIN, kept, cutoff).await.unwrap());
}

pub(super) async fn a_commit_survives_a_deletion_at_the_same_time(fixture: Arc<Fixture>) {
    let contents: Vec<Vec<u8>> = (0..60).map(|n| noise(2000, n)).collect();
    let mut addresses = Vec::new();
    for bytes in &contents {
        addresses.push(stored(&*fixture.blobs, DOMAIN, bytes).await);
    }
    let cutoff = a_new_instant().await;
    let collector = {
        let (blobs, addresses) = (Arc::clone(&fixture.blobs), addresses.clone());
        tokio::spawn(async move {
            let mut removed = 0;
            for _ in 0..3 {
                for sha256 in &addresses {
                    removed += u32::from(blobs.delete(DOMAIN, *sha256, cutoff).await.unwrap());
                }
            }
            removed
        })
    };
    // From the end, so that the two meet.
    for (bytes, sha256) in contents.iter().zip(&addresses).rev() {
        stored(&*fixture.blobs, DOMAIN, bytes).await;
        assert_eq!(fixture.blobs.size(DOMAIN, *sha256).await.unwrap(), Some(2000), "committed, and there");
    }
    assert!(collector.await.unwrap() > 0, "the collector came too late to get in the way");
    for (bytes, sha256) in contents.iter().zip(&addresses) {
        assert!(read(&*fixture.blobs, DOMAIN, *sha256, None).await == *bytes, "committed, and there to the end");
    }
}

pub(super) async fn dropped_staging_leaves_nothing(fixture: Arc<Fixture>) {
    let mut unfinished = fixture.blobs.stage().await.unwrap();
    unfinished.write(Bytes::from_static(b"never finished")).await.unwrap();
    let finished = staged(&*fixture.blobs, b"never committed").await;
    let sha256 = finished.digests.sha256;
    assert_eq!(staging_files(&fixture), 2);
    drop(unfinished);
    drop(finished);
    assert_eq!(staging_files(&fixture), 0);
    assert_eq!(fixture.blobs.size(DOMAIN, sha256).await.unwrap(), None);
}

pub(super) async fn what_is_kept_goes_on_where_it_stopped(fixture: Arc<Fixture>) {
    let blobs = &*fixture.blobs;
    let mut begun = blobs.stage_kept("ab-12").await.unwrap();
    begun.write(Bytes::from_static(b"first, ")).await.unwrap();
    assert!(blobs.stage_kept("ab-12").await.is_err(), "the name is taken");
    drop(begun);
    assert_eq!(blobs.sweep_staging(Duration::ZERO).await.unwrap(), 0, "as at a start");
    let mut resumed = blobs.resume_kept("ab-12").await.unwrap().unwrap();
    assert_eq!(resumed.len(), 7);
    resumed.write(Bytes::from_static(b"second")).await.unwrap();
    let staged = resumed.finish().await.unwrap();
    assert_eq!(staged.digests, Digesting::of(b"first, second").0);
    let sha256 = staged.digests.sha256;
    blobs.commit(DOMAIN, staged).await.unwrap();
    assert!(read(blobs, DOMAIN, sha256, None).await == b"first, second");
    blobs.stage_kept("ab-12").await.unwrap().discard();
    assert!(blobs.resume_kept("ab-12").await.unwrap().is_none());
    for wrong in ["", "../x", "a/b", "kept"] {
        assert!(blobs.stage_kept(wrong).await.is_err(), "{wrong}");
    }
    assert_eq!(staging_files(&fixture), 0);
}

pub(super) async fn what_is_kept_is_not_kept_for_ever(fixture: Arc<Fixture>) {
    let blobs = &*fixture.blobs;
    drop(blobs.stage_kept("ab").await.unwrap());
    let file = std::fs::File::open(fixture.staging.join("kept-ab")).unwrap();
    file.set_modified(SystemTime::now() - KEPT_FOR).unwrap();
    assert!(blobs.resume_kept("ab").await.unwrap().is_none());
    assert_eq!(blobs.sweep_staging(Duration::ZERO).await.unwrap(), 1);
    assert_eq!(staging_files(&fixture), 0);
}

pub(super) async fn what_is_held_is_committed_like_what_was_staged(fixture: Arc<Fixture>) {
    let bytes = Bytes::from(noise(20_000, 4));
    let (held, staged) = (fixture.blobs.hold(bytes.clone()).unwrap(), staged(&*fixture.blobs, &bytes).await);
    let sha256 = held.digests.sha256;
    assert_eq!((&held.digests, held.blake2b_256), (&staged.digests, staged.blake2b_256));
    assert!(held.bytes().is_none_or(|held| *held == bytes));
    drop(staged);
    fixture.blobs.commit(DOMAIN, held).await.unwrap();
    assert!(read(&*fixture.blobs, DOMAIN, sha256, None).await == bytes);
    let never_committed = fixture.blobs.hold(Bytes::from_static(b"never committed")).unwrap();
    drop(never_committed);
    assert_eq!(staging_files(&fixture), 0);
    assert_eq!(fixture.blobs.list(None, 10).await.unwrap().len(), 1);
}

pub(super) async fn what_was_written_is_readable_while_staging_grows(fixture: Arc<Fixture>) {
    let mut staging = fixture.blobs.stage().await.unwrap();
    assert!(staging.is_empty());
    let mut expected = Vec::new();
    for (n, length) in [1, 70_000, 13, 600_000].into_iter().enumerate() {
        let piece = noise(length, n as u64);
        expected.extend_from_slice(&piece);
        staging.write(Bytes::from(piece)).await.unwrap();
        assert_eq!(staging.len(), expected.len() as u64);
        assert!(std::fs::read(staging.path()).unwrap() == expected, "after {} bytes", expected.len());
    }
    let staged = staging.finish().await.unwrap();
    assert_eq!(staged.digests.size_bytes, expected.len() as u64);
    assert!(std::fs::read(staged.path()).unwrap() == expected);
}

pub(super) async fn sweeping_removes_only_what_is_old_enough(fixture: Arc<Fixture>) {
    let mut left_behind = Vec::new();
    for n in 0..3 {
        let path = fixture.staging.join(format!("left-behind-{n}"));
        std::fs::write(&path, b"x").unwrap();
        left_behind.push(path);
    }
    let old = SystemTime::now() - Duration::from_secs(7200);
    std::fs::File::options().write(true).open(&left_behind[0]).unwrap().set_modified(old).unwrap();
    assert_eq!(fixture.blobs.sweep_staging(Duration::from_secs(3600)).await.unwrap(), 1);
    assert!(!left_behind[0].exists());
    assert_eq!(fixture.blobs.sweep_staging(Duration::ZERO).await.unwrap(), 2);
    assert_eq!(staging_files(&fixture), 0);
}

pub(super) async fn listing_pages_through_every_blob_once_and_in_order(fixture: Arc<Fixture>) {
    let mut expected = Vec::new();
    for domain in [DomainId(2), DomainId(10), DomainId(1)] {
        for n in 0..9_u8 {
            let bytes = vec![n; usize::from(n)];
            expected.push((domain, stored(&*fixture.blobs, domain, &bytes).await, u64::from(n)));
        }
    }
    expected.sort();
    for limit in [1, 4, 9, 1000] {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = fixture.blobs.list(after, limit).await.unwrap();
            assert!(page.len() <= limit);
            let Some(last) = page.last() else { break };
            after = Some((last.0, last.1));
            assert!(page.iter().all(|blob| blob.3.0 > 1_700_000_000_000), "time of storing in milliseconds");
            found.extend(page.into_iter().map(|(domain, sha256, size_bytes, _)| (domain, sha256, size_bytes)));
        }
        assert_eq!(found, expected, "in pages of {limit}");
    }
}

/// Stamps the suite on a store; a function `fixture() -> Option<Fixture>` makes one.
macro_rules! blob_suite {
    ($store:ident) => {
        mod $store {
            use super::fixture;
            $crate::blob::suite::blob_suite! { @tests
                a_committed_blob_is_read_back_whole_and_in_ranges
                a_range_can_be_the_first_thing_read
                a_missing_blob_is_not_found
                domains_do_not_share_blobs
                committing_the_same_bytes_again_keeps_them_and_leaves_no_staging
                concurrent_commits_of_the_same_bytes_all_succeed
                a_deleted_blob_is_gone
                only_what_was_stored_before_the_cutoff_is_deleted
                a_commit_survives_a_deletion_at_the_same_time
                dropped_staging_leaves_nothing
                what_is_kept_goes_on_where_it_stopped
                what_is_kept_is_not_kept_for_ever
                what_is_held_is_committed_like_what_was_staged
                what_was_written_is_readable_while_staging_grows
                sweeping_removes_only_what_is_old_enough
                listing_pages_through_every_blob_once_and_in_order
            }
        }
    };
    (@tests $($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                $crate::blob::suite::run(fixture(), $crate::blob::suite::$name);
            }
        )*
    };
}
pub(super) use blob_suite;
