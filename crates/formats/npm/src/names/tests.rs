use proptest::prelude::*;

use super::*;

fn key(text: &str) -> PackageKey {
    package_key(text).expect(text)
}

#[test]
fn all_spellings_of_a_scoped_path_name_the_same_package() {
    for path in [&["@s/n", "-", "n-1.0.0.tgz"][..], &["@s", "n", "-", "n-1.0.0.tgz"]] {
        assert_eq!(join_scope(path, &mut String::new()), ["@s/n", "-", "n-1.0.0.tgz"]);
    }
    for path in [&["-", "package", "@s/n", "dist-tags"][..], &["-", "package", "@s", "n", "dist-tags"]] {
        assert_eq!(join_scope(path, &mut String::new()), ["-", "package", "@s/n", "dist-tags"]);
    }
    for other in [&["left-pad"][..], &["@s"], &[], &["-"], &["-", "package"], &["a", "@s", "n"]] {
        assert_eq!(join_scope(other, &mut String::new()), other);
    }
}

#[test]
fn old_names_can_be_read_but_not_published() {
    for old in ["JSONStream", "_", "-", "node.extend~", "@S/x", "node_modules", "hello!", "(x)"] {
        assert!(package_key(old).is_ok(), "{old}");
        assert!(check_new_name(old).is_err(), "{old}");
    }
}

#[test]
fn new_names_follow_the_rules_of_the_public_registry() {
    let long = "a".repeat(214);
    for good in ["a", "left-pad", "a.b_c", "@s/n", "3d", &long] {
        assert!(check_new_name(good).is_ok(), "{good}");
    }
    let too_long = "a".repeat(215);
    for bad in [
        "",
        "Capital",
        "@S/x",
        "@s/X",
        "..",
        "a/../b",
        "a\0",
        "@a/b/c",
        "@a",
        "@/b",
        "@a/",
        ".hidden",
        "_private",
        "-dash",
        "@s/.x",
        "@s/_x",
        "@.s/x",
        "a b",
        " a",
        "a ",
        "ä",
        "a%2fb",
        "favicon.ico",
        "what?",
        &too_long,
    ] {
        assert!(check_new_name(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn the_version_in_a_file_name_starts_after_the_whole_name() {
    let cases = [
        ("n", "n-1.0.0.tgz", Some("1.0.0")),
        ("es6-2015-1", "es6-2015-1-1.2.3-rc.1.tgz", Some("1.2.3-rc.1")),
        ("@s/n", "n-1.0.0.tgz", Some("1.0.0")),
        ("@s/n", "@s/n-1.0.0.tgz", Some("1.0.0")),
        ("@s/n", "@t/n-1.0.0.tgz", None),
        ("n", "@s/n-1.0.0.tgz", None),
        ("n", "m-1.0.0.tgz", None),
        ("n", "n-.tgz", None),
        ("n", "n-1.0.0.zip", None),
    ];
    for (package, file, version) in cases {
        assert_eq!(version_of_file(&key(package), file), version, "{package} {file}");
    }
}

#[test]
fn build_metadata_is_not_part_of_the_coordinate() {
    for text in ["1.0.0", "1.0.0+a", "1.0.0+b.7"] {
        assert_eq!(coordinate(text).expect(text).as_str(), "1.0.0");
    }
    assert_eq!(coordinate("0.1alpha+x").expect("an old version").as_str(), "0.1alpha+x");
    assert_eq!(tarball_file(&key("@s/n"), "1.0.0+a"), "n-1.0.0.tgz");
}

#[test]
fn versions_order_as_semver_says() {
    let ordered = [
        "junk",
        "0.0.1-alpha",
        "0.0.1",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.0.1",
        "1.2.0",
        "1.10.0",
        "2.0.0",
    ];
    for pair in ordered.windows(2) {
        assert_eq!(compare_versions(pair[0], pair[1]), Ordering::Less, "{pair:?}");
    }
}

#[test]
fn latest_without_a_tag_is_the_highest_release() {
    assert_eq!(highest(["1.0.0", "2.0.0-rc.1", "1.9.0"]), Some("1.9.0"));
    assert_eq!(highest(["1.0.0-a", "1.0.0-b", "junk"]), Some("1.0.0-b"));
    assert_eq!(highest([]), None);
}

#[test]
fn a_tag_that_reads_as_a_range_is_refused() {
    for good in ["latest", "beta", "next-11", "release_candidate", "rc"] {
        assert!(check_tag(good).is_ok(), "{good}");
    }
    for bad in ["1", "1.0.0", "v1", "v1.2", "^1.0.0", ">=2", "1.x", "*", "x", "", "a b", "a/b"] {
        assert!(check_tag(bad).is_err(), "{bad}");
    }
}

fn version_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{1,2}\\.[0-9]{1,2}\\.[0-9]{1,2}(-[a-c0-9]{1,2}(\\.[a-c0-9]{1,2}){0,2})?(\\+[a-c]{1,2})?",
        "[a-c0-9.+-]{1,6}",
    ]
}

proptest! {
    #[test]
    fn the_order_of_versions_is_total(a in version_text(), b in version_text(), c in version_text()) {
        prop_assert_eq!(compare_versions(&a, &b), compare_versions(&b, &a).reverse());
        prop_assert_eq!(compare_versions(&a, &b) == Ordering::Equal, a == b);
        let mut sorted = [a, b, c];
        sorted.sort_by(|x, y| compare_versions(x, y));
        prop_assert_ne!(compare_versions(&sorted[0], &sorted[2]), Ordering::Greater);
    }

    #[test]
    fn a_coordinate_is_its_own_coordinate(text in version_text()) {
        let once = coordinate(&text).expect("no white space or slash");
        prop_assert_eq!(coordinate(once.as_str()).expect("still valid"), once);
    }

    #[test]
    fn names_read_back_as_they_are_displayed(text in "(@[a-zA-Z0-9_-][a-zA-Z0-9._-]{0,8}/)?[a-zA-Z0-9_-][a-zA-Z0-9._~-]{0,8}") {
        let key = package_key(&text).expect("valid");
        prop_assert_eq!(display_name(&key), text);
        let file = tarball_file(&key, "1.2.3-rc.1");
        prop_assert_eq!(version_of_file(&key, &file), Some("1.2.3-rc.1"));
    }

    #[test]
    fn whatever_may_be_published_may_be_read(text in "\\PC{0,20}") {
        if check_new_name(&text).is_ok() {
            prop_assert!(package_key(&text).is_ok());
        }
        let _ = join_scope(&text.split('/').collect::<Vec<_>>(), &mut String::new());
    }
}
