use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use larder_core::model::{DomainId, Sha256};
use larder_core::ports::{BlobStore as _, HttpTransport, IncomingResponse, OutgoingRequest};
use tokio::sync::Notify;

use super::super::tests::{answer, settings};
use super::super::{S3Blobs, SmallBlobs};
use super::*;
use crate::blob::suite::{ANY_TIME, DOMAIN, staged, stored};

/// An object store in memory, whose clock the test turns and which can be stopped before a removal.
#[derive(Default)]
struct Memory {
    objects: Mutex<BTreeMap<String, (Bytes, SystemTime)>>,
    seconds: AtomicU64,
    lists: AtomicUsize,
    /// What happens to the removal of a blob.
    removal: Mutex<Removal>,
    removal_came: Notify,
    removal_may_go_on: Notify,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum Removal {
    #[default]
    Works,
    Waits,
    Fails,
}

impl Memory {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.seconds.load(Ordering::SeqCst))
    }

    fn pass(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    fn put(&self, key: &str, bytes: Bytes) {
        self.objects.lock().unwrap().insert(key.to_owned(), (bytes, self.now()));
    }

    fn keys_below(&self, folder: &str) -> Vec<String> {
        self.objects.lock().unwrap().keys().filter(|key| key.starts_with(folder)).cloned().collect()
    }

    fn list(&self, prefix: &str) -> String {
        let objects = self.objects.lock().unwrap();
        let listed = objects.iter().filter(|(key, _)| key.starts_with(prefix)).map(|(key, (_, at))| {
            let at = Timestamp(0).plus(at.duration_since(UNIX_EPOCH).unwrap()).rfc3339();
            format!(
                "<Contents><Key>{key}</Key><LastModified>{at}</LastModified><ETag>x</ETag><Size>0</Size></Contents>"
            )
        });
        let listed: String = listed.collect();
        format!("<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{listed}</ListBucketResult>")
    }
}

#[async_trait]
impl HttpTransport for Memory {
    async fn send(&self, request: OutgoingRequest) -> Result<IncomingResponse> {
        let url = url::Url::parse(&request.url).unwrap();
        let key = url.path().trim_start_matches("/bucket/").to_owned();
        let prefix = url.query_pairs().find(|(name, _)| name == "prefix").map(|(_, prefix)| prefix.into_owned());
        match (request.method, prefix) {
            ("GET", Some(prefix)) => {
                let list = self.list(&prefix);
                self.lists.fetch_add(1, Ordering::SeqCst);
                answer(200, &[], &list)
            }
            ("PUT", _) => {
                let body = request.body.unwrap().stream.map_ok(|bytes| bytes.to_vec()).try_concat().await.unwrap();
                self.put(&key, body.into());
                answer(200, &[], "")
            }
            ("DELETE", _) => {
                let removal = if key.starts_with("blobs/") { *self.removal.lock().unwrap() } else { Removal::Works };
                if removal == Removal::Fails {
                    return answer(500, &[], "");
                }
                if removal == Removal::Waits {
                    self.removal_came.notify_one();
                    self.removal_may_go_on.notified().await;
                }
                self.objects.lock().unwrap().remove(&key);
                answer(204, &[], "")
            }
            ("HEAD", _) => match self.objects.lock().unwrap().get(&key) {
                Some((bytes, at)) => {
                    let (length, at) = (bytes.len().to_string(), httpdate::fmt_http_date(*at));
                    answer(200, &[("content-length", &length), ("last-modified", &at)], "")
                }
                None => answer(404, &[], ""),
            },
            other => panic!("{other:?} is not asked here"),
        }
    }
}

/// A store that holds one blob, put there a while ago.
async fn one_old_blob() -> (Arc<Memory>, Arc<S3Blobs>, Sha256, tempfile::TempDir) {
    let memory = Arc::new(Memory::default());
    let staging = tempfile::tempdir().unwrap();
    let transport = Arc::clone(&memory) as Arc<dyn HttpTransport>;
    let settings = settings("http://s3.example");
    let opened =
        S3Blobs::open_pausing(&settings, staging.path(), transport, SmallBlobs::default(), [Duration::ZERO; 3]);
    let blobs = Arc::new(opened.unwrap());
    let sha256 = stored(&*blobs, DOMAIN, b"abc").await;
    memory.pass(100_000);
    (memory, blobs, sha256, staging)
}

fn mark_of(domain: DomainId, sha256: Sha256, name: &str) -> String {
    format!("condemned/{:019}/{sha256}/{name}", domain.0)
}

#[tokio::test]
async fn a_commit_between_the_collectors_look_and_its_removal_puts_the_blob_there_again() {
    let (memory, blobs, sha256, _staging) = one_old_blob().await;
    *memory.removal.lock().unwrap() = Removal::Waits;
    let collector = Arc::clone(&blobs);
    let collector = tokio::spawn(async move { collector.delete(DOMAIN, sha256, ANY_TIME).await });
    let came = tokio::time::timeout(Duration::from_secs(60), memory.removal_came.notified()).await;
    came.expect("the collector removes what is old");

    let again = staged(&*blobs, b"abc").await;
    let looks = memory.lists.load(Ordering::SeqCst);
    let publisher = Arc::clone(&blobs);
    let publisher = tokio::spawn(async move { publisher.commit(DOMAIN, again).await });
    while memory.lists.load(Ordering::SeqCst) < looks + 2 {
        tokio::task::yield_now().await;
    }
    assert!(!publisher.is_finished(), "the publisher waits for the removal that it sees coming");
    memory.removal_may_go_on.notify_one();

    assert!(collector.await.unwrap().unwrap());
    publisher.await.unwrap().unwrap();
    assert_eq!(blobs.size(DOMAIN, sha256).await.unwrap(), Some(3));
    assert!(memory.keys_below("condemned/").is_empty());
}

#[tokio::test]
async fn collectors_of_the_same_blob_give_way_to_each_other() {
    let (memory, blobs, sha256, _staging) = one_old_blob().await;
    let rival = mark_of(DOMAIN, sha256, "rival");
    memory.put(&rival, Bytes::new());
    assert!(!blobs.delete(DOMAIN, sha256, ANY_TIME).await.unwrap());
    assert_eq!(memory.keys_below("condemned/"), [rival]);
    assert_eq!(blobs.size(DOMAIN, sha256).await.unwrap(), Some(3));
}

#[tokio::test]
async fn a_mark_that_a_collector_left_behind_is_removed_after_an_hour() {
    let (memory, blobs, sha256, _staging) = one_old_blob().await;
    memory.put(&mark_of(DOMAIN, sha256, "left-behind"), Bytes::new());
    memory.pass(3601);
    assert!(blobs.delete(DOMAIN, sha256, ANY_TIME).await.unwrap());
    assert!(memory.keys_below("").is_empty());
}

#[tokio::test]
async fn a_removal_whose_outcome_is_not_known_is_not_repeated_and_leaves_its_mark() {
    let (memory, blobs, sha256, _staging) = one_old_blob().await;
    *memory.removal.lock().unwrap() = Removal::Fails;
    assert!(matches!(blobs.delete(DOMAIN, sha256, ANY_TIME).await, Err(Error::Unavailable { .. })));
    assert_eq!(memory.keys_below("condemned/").len(), 1);
}

#[tokio::test]
async fn an_object_is_as_new_as_the_last_moment_of_its_second() {
    let (_memory, blobs, sha256, _staging) = one_old_blob().await;
    // Stored in the first second of 1970.
    assert!(!blobs.delete(DOMAIN, sha256, Timestamp(999)).await.unwrap());
    assert!(blobs.delete(DOMAIN, sha256, Timestamp(1000)).await.unwrap());
}
