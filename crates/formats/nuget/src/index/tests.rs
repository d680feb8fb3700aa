use std::io::Read as _;

use serde_json::Value;

use super::*;

const URLS: Urls<'_> = Urls { base: "http://larder.test/nuget/repo" };

fn numbered(count: usize) -> MergedPackage {
    let versions: Vec<_> = (0..count).map(|number| format!("1.{number}.0")).collect();
    MergedPackage::of("Acme.Lib", &versions.iter().map(String::as_str).collect::<Vec<_>>())
}

fn read(rendered: Result<Rendered>) -> Value {
    let rendered = rendered.unwrap();
    if !rendered.headers.iter().any(|(name, value)| *name == "content-encoding" && value == "gzip") {
        return serde_json::from_slice(&rendered.body).unwrap();
    }
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(&rendered.body[..]).read_to_end(&mut plain).unwrap();
    serde_json::from_slice(&plain).unwrap()
}

fn is_missing(rendered: &Result<Rendered>) -> bool {
    matches!(rendered, Err(Error::ResourceNotFound { .. }))
}

#[test]
fn pages_stand_in_the_index_while_they_are_few() {
    for (count, pages, inlined) in
        [(1, 1, true), (64, 1, true), (65, 2, true), (127, 2, true), (128, 2, false), (200, 4, false)]
    {
        for hive in Hive::ALL {
            let index = read(render_registration(&numbered(count), hive, URLS));
            let items = index["items"].as_array().unwrap();
            assert_eq!((items.len(), index["count"].as_u64()), (pages, Some(pages as u64)), "{count} in {hive:?}");
            assert_eq!(items.iter().all(|page| page["items"].is_array()), inlined, "{count} in {hive:?}");
            let total: u64 = items.iter().filter_map(|page| page["count"].as_u64()).sum();
            assert_eq!(total, count as u64);
        }
    }
}

#[test]
fn a_page_holds_what_lies_between_its_bounds_wherever_pages_begin_now() {
    let package = numbered(200);
    let page = |lower: &str, upper: &str| render_page(&package, Hive::GzipSemVer2, URLS, (lower, upper));
    let asked = read(page("1.64.0", "1.127.0"));
    assert_eq!(
        (asked["count"].as_u64(), asked["items"][0]["catalogEntry"]["version"].as_str()),
        (Some(64), Some("1.64.0"))
    );
    assert_eq!(read(page("1.60.0", "1.130.0"))["count"], 71, "bounds of an older index");
    assert!(
        is_missing(&page("2.0.0", "3.0.0")) && is_missing(&page("one", "two")) && is_missing(&page("1.9.0", "1.1.0"))
    );
    let all = numbered(400);
    assert!(is_missing(&render_page(&all, Hive::Plain, URLS, ("0.0.0", "9.0.0"))), "nobody gets all in one page");
}

#[test]
fn hives_for_old_clients_do_not_know_semver_2() {
    let package = MergedPackage::of("Acme.Lib", &["1.0.0", "2.0.0-a.1", "3.0.0+b"]);
    for hive in Hive::ALL {
        let index = read(render_registration(&package, hive, URLS));
        let shown = if hive.shows_semver2() { 3 } else { 1 };
        assert_eq!(index["items"][0]["count"], shown, "{hive:?}");
        let version = VersionText::new("2.0.0-a.1").unwrap();
        assert_eq!(is_missing(&render_leaf(&package, hive, URLS, &version)), !hive.shows_semver2());
    }
    let new_only = MergedPackage::of("Acme.Lib", &["1.0.0+b"]);
    assert!(is_missing(&render_registration(&new_only, Hive::Gzip, URLS)));
    assert_eq!(read(render_versions(&new_only)), serde_json::json!({"versions": ["1.0.0"]}));
    assert!(is_missing(&render_versions(&MergedPackage::of("Acme.Lib", &[]))));
}

#[test]
fn an_unlisted_version_says_so_in_both_ways() {
    let mut package = MergedPackage::of("Acme.Lib", &["1.0.0"]);
    package.versions[0].is_listed = false;
    let leaf = read(render_leaf(&package, Hive::Plain, URLS, &VersionText::new("1.0.0").unwrap()));
    assert_eq!((&leaf["listed"], leaf["published"].as_str().map(|at| &at[..4])), (&Value::Bool(false), Some("1900")));
    assert_eq!(
        leaf["packageContent"],
        "http://larder.test/nuget/repo/v3/flatcontainer/acme.lib/1.0.0/acme.lib.1.0.0.nupkg"
    );
}
