//! In front of a public registry.

use larder_core::access::Action;

use super::*;
use crate::versions::Whole;

#[tokio::test]
async fn gems_of_the_registry_are_listed_as_it_lists_them_and_fetched_once() {
    let server = Server::start().await;
    let line = offer(&server.registry, "rack", "3.0.0");
    server.push(gem("ours", "1.0.0", "ruby")).await.expect(200);
    let info = server.text("my-repo/info/rack").await;
    assert_eq!(info, format!("---\n{line}\n"));
    let versions = server.text("my-repo/versions").await;
    assert!(
        versions.starts_with(&format!("created_at: 2024\n---\nrack 3.0.0 {}\nours 1.0.0 ", md5(&info))),
        "{versions}"
    );
    assert_eq!(server.text("my-repo/names").await, "---\nours\nrack\n");
    let file = server.get("my-repo/gems/rack-3.0.0.gem").await.expect(200);
    assert_eq!(file.body, gem("rack", "3.0.0", "ruby"));
    server.settle().await;
    server.registry.set_down(true);
    server.get("my-repo/gems/rack-3.0.0.gem").await.expect(200);
    server.get("my-repo/quick/Marshal.4.8/rack-3.0.0.gemspec.rz").await.expect(200);
    let info = server.text("my-repo/info/rack").await;
    let versions = server.text("my-repo/versions").await;
    assert!(versions.contains(&format!("rack 3.0.0 {}\n", md5(&info))), "{versions}");
}

#[tokio::test]
async fn a_list_is_good_until_the_registry_is_asked_again() {
    let server = Server::start().await;
    offer(&server.registry, "rack", "3.0.0");
    server.push(gem("ours", "1.0.0", "ruby")).await.expect(200);
    let target = server.target("my-repo").await;
    let allowed = server.services.access.authorize(&machine(), Action::ReadFromRepository, target).await.unwrap();
    for which in [Whole::Versions, Whole::Names] {
        let document = server.routes.document(&allowed, which).await.ok().unwrap();
        let until = document.fresh_until.expect("a registry had a say");
        assert!(server.services.clock.now() < until);
    }
}

#[tokio::test]
async fn a_gemspec_of_the_registry_is_read_from_its_gem() {
    let server = Server::start().await;
    offer(&server.registry, "rack", "3.0.0");
    server.get("my-repo/quick/Marshal.4.8/rack-3.0.0.gemspec.rz").await.expect(200);
}

#[tokio::test]
async fn what_is_pushed_here_hides_what_the_registry_has_later() {
    let server = Server::start().await;
    server.push(gem("ours", "1.0.0", "ruby")).await.expect(200);
    offer(&server.registry, "ours", "99.0.0");
    assert_eq!(server.text("my-repo/info/ours").await.lines().count(), 2);
    assert!(!server.text("my-repo/versions").await.contains("99.0.0"));
    server.get("my-repo/gems/ours-99.0.0.gem").await.expect(404);
}

#[tokio::test]
async fn a_gem_that_is_not_what_was_promised_is_never_kept() {
    let server = Server::start().await;
    offer(&server.registry, "rack", "3.0.0");
    server.registry.put("gems/rack-3.0.0.gem", gem("rack", "4.0.0", "ruby"));
    let key = crate::names::gem_key("rack").unwrap();
    let (caller, target) = (machine(), server.target("my-repo").await);
    let read = Action::ReadFromRepository;
    let allowed = server.services.access.authorize(&caller, read, target).await.unwrap();
    let version = larder_core::model::VersionText::new("3.0.0").unwrap();
    let file = crate::asset::file_name("rack", "3.0.0").unwrap();
    let opened = server.services.downloads.open(&allowed, &key, &version, &file).await;
    drop(opened);
    server.settle().await;
    let repository = server.target("ruby-store").await.repository.id;
    assert!(server.services.store.find_version(repository, &key, &version).await.unwrap().is_none());
}
