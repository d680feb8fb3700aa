use super::*;
use crate::blob::suite::{ANY_TIME, DOMAIN, Fixture, blob_suite, read, run, staged, staging_files, stored};

fn fixture() -> Option<Fixture> {
    let root = tempfile::tempdir().unwrap();
    let blobs = LocalBlobs::open(root.path(), SmallBlobs::default()).unwrap();
    Some(Fixture { blobs: Arc::new(blobs), staging: root.path().join("staging"), _kept: Box::new(root) })
}

blob_suite!(local);

/// A disk that notes its steps and can fail at one of them.
#[derive(Default)]
struct NotingDisk {
    steps: Mutex<Vec<String>>,
    fails_at: Option<&'static str>,
}

impl NotingDisk {
    fn note(&self, step: &str, path: &Path) -> io::Result<()> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.steps.lock().unwrap().push(format!("{step} {name}"));
        if self.fails_at == Some(step) { Err(ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl Disk for NotingDisk {
    fn sync_file(&self, file: &File, path: &Path) -> io::Result<()> {
        let staged = path.parent().is_some_and(|folder| folder.ends_with("staging"));
        self.note(if staged { "flush staged" } else { "flush other" }, Path::new("file"))?;
        SystemDisk.sync_file(file, path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.note("rename to", to)?;
        SystemDisk.rename(from, to)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.note("flush folder", path)?;
        SystemDisk.sync_folder(path)
    }
}

fn noting(fails_at: Option<&'static str>) -> (Arc<NotingDisk>, Fixture) {
    let root = tempfile::tempdir().unwrap();
    // The folders are made by a disk that works.
    LocalBlobs::open(root.path(), SmallBlobs::default()).unwrap();
    let disk = Arc::new(NotingDisk { steps: Mutex::default(), fails_at });
    let path = root.path().canonicalize().unwrap();
    let lock = FolderLock::open(path.join("lock")).unwrap();
    let folder = BlobFolder::new(path.join("blobs"), lock, Arc::clone(&disk) as Arc<dyn Disk>);
    let staging = root.path().join("staging");
    let blobs = LocalBlobs {
        staging: StagingFolder::open(staging.clone()).unwrap(),
        folder: Arc::new(folder),
        cache: SmallBlobCache::new(SmallBlobs::default()),
    };
    (disk, Fixture { blobs: Arc::new(blobs), staging, _kept: Box::new(root) })
}

#[test]
fn a_blob_is_flushed_before_it_is_visible_and_its_folders_before_it_is_acknowledged() {
    let (disk, fixture) = noting(None);
    run(Some(fixture), |fixture| async move {
        let first = stored(&*fixture.blobs, DOMAIN, b"abc").await.hex();
        let steps = std::mem::take(&mut *disk.steps.lock().unwrap());
        let expected = [
            "flush folder blobs".to_owned(),
            "flush folder 7".to_owned(),
            "flush staged file".to_owned(),
            format!("rename to {first}"),
            "flush folder ba".to_owned(),
        ];
        assert_eq!(steps, expected);

        stored(&*fixture.blobs, DOMAIN, b"abc").await;
        let again = std::mem::take(&mut *disk.steps.lock().unwrap());
        assert_eq!(again, expected[2..], "what is there is put there again");

        let held = fixture.blobs.hold(Bytes::from_static(b"abc")).unwrap();
        fixture.blobs.commit(DOMAIN, held).await.unwrap();
        let held = std::mem::take(&mut *disk.steps.lock().unwrap());
        assert_eq!(held, expected[2..], "from memory as from a file");
    });
}

#[test]
fn a_full_disk_leaves_nothing_visible() {
    for step in ["flush staged", "rename to"] {
        let (_disk, fixture) = noting(Some(step));
        run(Some(fixture), |fixture| async move {
            let held = fixture.blobs.hold(Bytes::from_static(b"abc")).unwrap();
            for staged in [staged(&*fixture.blobs, b"abc").await, held] {
                let sha256 = staged.digests.sha256;
                let error = fixture.blobs.commit(DOMAIN, staged).await.expect_err("the disk is full");
                assert!(matches!(&error, Error::Unavailable { message, .. } if message.contains("full")), "{error:?}");
                assert_eq!(fixture.blobs.size(DOMAIN, sha256).await.unwrap(), None);
                assert_eq!(staging_files(&fixture), 0);
            }
        });
    }
}

#[test]
fn a_blob_of_the_wrong_length_is_replaced_by_the_right_bytes() {
    run(fixture(), |fixture| async move {
        let root = fixture.staging.parent().unwrap().to_owned();
        let sha256 = stored(&*fixture.blobs, DOMAIN, b"abc").await;
        let path = root.join("blobs/7/ba").join(sha256.hex());
        fs::write(&path, b"a").unwrap();
        assert!(matches!(fixture.blobs.open(DOMAIN, sha256, None).await, Err(Error::Internal { .. })));
        stored(&*fixture.blobs, DOMAIN, b"abc").await;
        assert_eq!(fs::read(&path).unwrap(), b"abc");
        assert_eq!(read(&*fixture.blobs, DOMAIN, sha256, None).await, b"abc");
    });
}

#[test]
fn small_blobs_are_served_from_memory_and_large_ones_from_the_file() {
    run(fixture(), |fixture| async move {
        let small = stored(&*fixture.blobs, DOMAIN, &[1; 1000]).await;
        let large = stored(&*fixture.blobs, DOMAIN, &[1; 300_000]).await;
        assert!(matches!(fixture.blobs.open(DOMAIN, small, None).await, Ok(Blob::Memory(_))));
        assert!(matches!(fixture.blobs.open(DOMAIN, large, None).await, Ok(Blob::File(_))));
    });
}

#[test]
fn what_is_not_a_blob_is_not_listed() {
    run(fixture(), |fixture| async move {
        let root = fixture.staging.parent().unwrap().to_owned();
        let sha256 = stored(&*fixture.blobs, DOMAIN, b"abc").await;
        fs::write(root.join("blobs/7/ba/notes.txt"), b"x").unwrap();
        fs::write(root.join("blobs/README"), b"x").unwrap();
        fs::create_dir(root.join("blobs/lost+found")).unwrap();
        let listed = fixture.blobs.list(None, 10).await.unwrap();
        assert_eq!(listed.iter().map(|blob| blob.1).collect::<Vec<_>>(), [sha256]);
    });
}

#[cfg(unix)]
#[test]
fn files_and_folders_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    run(fixture(), |fixture| async move {
        let root = fixture.staging.parent().unwrap().to_owned();
        let sha256 = stored(&*fixture.blobs, DOMAIN, b"abc").await;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        for folder in ["staging", "blobs", "blobs/7", "blobs/7/ba"] {
            assert_eq!(mode(&root.join(folder)), 0o700, "{folder}");
        }
        assert_eq!(mode(&root.join("blobs/7/ba").join(sha256.hex())), 0o600);
    });
}

#[cfg(unix)]
#[test]
fn a_link_planted_in_place_of_a_folder_or_blob_is_not_followed() {
    use std::os::unix::fs::symlink;
    for planted in ["blobs/7", "blobs/7/ba", "blobs/7/ba/BLOB"] {
        run(fixture(), |fixture| async move {
            let root = fixture.staging.parent().unwrap().to_owned();
            let elsewhere = tempfile::tempdir().unwrap();
            let abc = staged(&*fixture.blobs, b"abc").await;
            let sha256 = abc.digests.sha256;
            let link = root.join(planted.replace("BLOB", &sha256.hex()));
            fs::create_dir_all(link.parent().unwrap()).unwrap();
            let tail: PathBuf = match planted {
                "blobs/7" => ["ba", &sha256.hex()].iter().collect(),
                "blobs/7/ba" => sha256.hex().into(),
                _ => "target".into(),
            };
            let victim = elsewhere.path().join(tail);
            fs::create_dir_all(victim.parent().unwrap()).unwrap();
            fs::write(&victim, b"precious").unwrap();
            symlink(if planted.ends_with("BLOB") { &victim } else { elsewhere.path() }, &link).unwrap();

            assert!(fixture.blobs.open(DOMAIN, sha256, None).await.is_err(), "reading through {planted}");
            assert!(fixture.blobs.commit(DOMAIN, abc).await.is_err(), "writing through {planted}");
            // Removing takes the link itself at most.
            let _ = fixture.blobs.delete(DOMAIN, sha256, ANY_TIME).await;
            assert_eq!(fs::read(&victim).unwrap(), b"precious", "removing through {planted}");
        });
    }
}

#[cfg(unix)]
#[test]
fn sweeping_removes_a_link_and_not_what_it_points_to() {
    run(fixture(), |fixture| async move {
        let elsewhere = tempfile::tempdir().unwrap();
        let victim = elsewhere.path().join("precious");
        fs::write(&victim, b"x").unwrap();
        std::os::unix::fs::symlink(&victim, fixture.staging.join("link")).unwrap();
        assert_eq!(fixture.blobs.sweep_staging(Duration::ZERO).await.unwrap(), 1);
        assert!(victim.exists());
    });
}

#[test]
fn a_store_that_is_opened_leaves_the_uploads_of_another_alone() {
    run(fixture(), |fixture| async move {
        let root = fixture.staging.parent().unwrap();
        let running = staged(&*fixture.blobs, b"abc").await;
        let other = LocalBlobs::open(root, SmallBlobs::default()).unwrap();
        assert_eq!(other.sweep_staging(Duration::ZERO).await.unwrap(), 0);
        fixture.blobs.commit(DOMAIN, running).await.unwrap();

        let abandoned = fixture.staging.join("abandoned");
        fs::write(&abandoned, b"x").unwrap();
        let old = SystemTime::now() - Duration::from_secs(25 * 3600);
        File::options().write(true).open(&abandoned).unwrap().set_modified(old).unwrap();
        assert_eq!(other.sweep_staging(Duration::ZERO).await.unwrap(), 1);
        assert!(!abandoned.exists());
    });
}

#[test]
fn a_url_names_the_folder() {
    let root = tempfile::tempdir().unwrap();
    let url = url::Url::from_directory_path(root.path().join("data")).unwrap();
    crate::blob::open_storage(url.as_str(), &crate::blob::StorageOptions::default()).unwrap();
    assert!(root.path().join("data/blobs").is_dir());
    for wrong in ["ftp://x/y", "not a url", "file://host/path"] {
        let refused = crate::blob::open_storage(wrong, &crate::blob::StorageOptions::default());
        assert!(matches!(refused, Err(Error::Validation { .. })), "{wrong}");
    }
}

#[tokio::test]
async fn a_small_blob_that_was_damaged_is_not_served() {
    let Some(fixture) = fixture() else { return };
    let committed = stored(&*fixture.blobs, DOMAIN, b"right").await;
    let root = fixture.staging.parent().unwrap().to_owned();
    // Nothing is in memory yet, as after a restart.
    let blobs = LocalBlobs::open(&root, SmallBlobs::default()).unwrap();
    let path = blobs.folder.address(DOMAIN, committed);
    fs::remove_file(&path).unwrap();
    fs::write(&path, b"wrong").unwrap();
    let Err(Error::Internal { source }) = blobs.open(DOMAIN, committed, None).await else { panic!("it was served") };
    assert!(source.to_string().contains("damaged"), "{source}");
}
