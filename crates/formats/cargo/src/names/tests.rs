use proptest::prelude::*;

use super::*;

#[test]
fn index_files_are_where_cargo_looks_for_them() {
    for (name, path) in [
        ("a", "1/a"),
        ("ab", "2/ab"),
        ("abc", "3/a/abc"),
        ("Abc", "3/a/abc"),
        ("abcd", "ab/cd/abcd"),
        ("Foo-Bar", "fo/o-/foo-bar"),
        ("foo_bar", "fo/o_/foo_bar"),
    ] {
        assert_eq!(index_path(name), path);
        let segments: Vec<&str> = path.split('/').collect();
        assert_eq!(of_index_path(&segments), Some(&*name.to_ascii_lowercase()));
    }
    assert_eq!(prefix("Foo-Bar"), "Fo/o-");
}

#[test]
fn a_path_that_does_not_fit_the_name_leads_nowhere() {
    for path in ["fo/ob/bar", "3/b/abc", "1/ab", "2/a", "abcd", "ab/abcd", "ab/cd/x/abcd", "ab/cd/ab.d", "3/a/a/abc"] {
        let segments: Vec<&str> = path.split('/').collect();
        assert_eq!(of_index_path(&segments), None, "{path}");
    }
    assert_eq!(of_index_path(&["FO", "ob", "FooBar"]), Some("FooBar"));
}

#[test]
fn names_follow_the_rule_and_new_ones_are_not_reserved() {
    for good in ["a", "Foo-Bar_9", &"a".repeat(64)] {
        assert!(check_new_name(good).is_ok(), "{good}");
    }
    for bad in ["", "9a", "-a", "_a", "a.b", "a b", "ä", "a/b", &"a".repeat(65)] {
        assert!(check_name(bad).is_err(), "{bad}");
    }
    for reserved in ["NUL", "com1", "aux", "std", "Core", "proc-macro"] {
        assert!(check_name(reserved).is_ok() && check_new_name(reserved).is_err(), "{reserved}");
    }
    assert!(is_dependency_name("_hidden") && !is_dependency_name("-x") && !is_dependency_name(""));
}

#[test]
fn twins_differ_in_their_signs_only() {
    assert_eq!(twins("Foo-Bar"), ["foo_bar"]);
    let mut all = twins("a-b_c");
    all.sort();
    assert_eq!(all, ["a-b-c", "a_b-c", "a_b_c"]);
    assert!(twins("plain").is_empty());
    assert_eq!(twins("a-b-c-d-e-f-g"), ["a_b_c_d_e_f_g"]);
    assert_eq!(twins("a-b-c_d-e-f-g").len(), 2);
}

#[test]
fn versions_are_keyed_without_build_metadata() {
    assert_eq!(version_key("1.2.3-rc.1+build.5").unwrap().as_str(), "1.2.3-rc.1");
    for bad in ["1.2", "v1.2.3", "01.2.3", "1.2.3-01", "", "latest", "1.2.3+"] {
        assert!(version_key(bad).is_err(), "{bad}");
    }
}

#[test]
fn the_order_is_that_of_semantic_versioning() {
    let ordered = ["not a version", "0.9.9", "1.0.0-alpha", "1.0.0-alpha.2", "1.0.0-alpha.10", "1.0.0", "1.10.0"];
    for pair in ordered.windows(2) {
        assert_eq!(compare_versions(pair[0], pair[1]), Ordering::Less, "{pair:?}");
    }
    assert_eq!(compare_versions("1.0.0+a", "1.0.0+b"), Ordering::Equal);
}

fn any_version() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{1,3}\\.[0-9]{1,2}\\.[0-9]{1,2}(-[a-z0-9]{1,3}(\\.[a-z0-9]{1,2}){0,2})?(\\+[a-z0-9]{1,3})?",
        "[ -~]{0,8}",
    ]
}

proptest! {
    #[test]
    fn every_name_is_found_at_its_own_path(name in "[A-Za-z][A-Za-z0-9_-]{0,63}") {
        let path = index_path(&name);
        let segments: Vec<&str> = path.split('/').collect();
        prop_assert_eq!(of_index_path(&segments), Some(&*name.to_ascii_lowercase()));
        prop_assert_eq!(path.to_ascii_lowercase(), path.clone());
        let key = crate_key(&name).unwrap();
        prop_assert_eq!(index_path(key.name()), path);
    }

    #[test]
    fn no_name_is_found_at_two_paths(name in "[a-z][a-z0-9_-]{0,7}", folder in "[a-z0-9_-]{1,3}(/[a-z0-9_-]{1,3})?") {
        let path = format!("{folder}/{name}");
        let segments: Vec<&str> = path.split('/').collect();
        prop_assert_eq!(of_index_path(&segments).is_some(), path == index_path(&name));
    }

    #[test]
    fn twins_are_mutual(name in "[a-z][a-z_-]{0,3}") {
        for twin in twins(&name) {
            prop_assert!(twins(&twin).contains(&name));
            prop_assert!(is_twin(&twin, &name));
        }
    }

    #[test]
    fn comparing_is_a_total_order(a in any_version(), b in any_version(), c in any_version()) {
        prop_assert_eq!(compare_versions(&a, &b), compare_versions(&b, &a).reverse());
        prop_assert_eq!(compare_versions(&a, &a), Ordering::Equal);
        if compare_versions(&a, &b).is_le() && compare_versions(&b, &c).is_le() {
            prop_assert!(compare_versions(&a, &c).is_le());
        }
    }

    #[test]
    fn a_key_is_a_version_and_its_own_key(text in any_version()) {
        if let Ok(key) = version_key(&text) {
            prop_assert_eq!(version_key(key.as_str()).unwrap(), key.clone());
            prop_assert_eq!(compare_versions(&text, key.as_str()), Ordering::Equal);
        }
    }
}
