use proptest::prelude::*;

use super::*;

#[test]
fn spellings_of_a_project_normalize_to_one() {
    for spelling in ["Foo.Bar", "foo_bar", "FOO-bar", "foo-._-bar"] {
        assert_eq!(normalize(spelling), "foo-bar", "{spelling}");
    }
}

#[test]
fn project_names_follow_the_rule() {
    for good in ["a", "A1", "zope.interface", "a-b_c.d", "0"] {
        assert!(check_project(good).is_ok(), "{good}");
    }
    for bad in ["", "-a", "a-", "_a", "a b", "a\n", "ä", "a/b", "a\u{200b}b", "."] {
        assert!(check_project(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn look_alike_names_are_found_nearest_first_and_bounded() {
    assert_eq!(confusable_names("f0"), ["fo"]);
    assert_eq!(confusable_names("al"), ["a1", "ai"]);
    assert!(confusable_names("lib1").contains(&"1ibi".to_owned()));
    assert!(confusable_names("abc").is_empty());
    let many = confusable_names(&"lo".repeat(100));
    assert_eq!((many.len(), many[0].starts_with("1o")), (256, true));
}

#[test]
fn versions_normalize_as_pep_440_says() {
    for (spelling, normal) in [
        ("v1.0", "1.0"),
        ("1.0-1", "1.0.post1"),
        ("1.0RC1", "1.0rc1"),
        ("1.0.0", "1.0.0"),
        ("1!2", "1!2"),
        ("1+A_b", "1+a.b"),
    ] {
        assert_eq!(normalize_version(spelling).unwrap().as_str(), normal);
    }
    for bad in ["", "one", "1.0-", "1.0\n\0", "1..0"] {
        assert!(normalize_version(bad).is_err(), "{bad:?}");
    }
    assert_eq!(Release::of("1.0"), Release::of("v1.0.0"));
}

#[test]
fn equal_versions_are_found_in_every_usual_spelling() {
    let of = |text: &str| -> Vec<String> {
        spellings(&VersionText::new(text).unwrap()).iter().map(ToString::to_string).collect()
    };
    assert_eq!(of("1.0"), ["1.0", "1", "1.0.0", "1.0.0.0"]);
    assert_eq!(of("1!1.2rc1"), ["1!1.2rc1", "1!1.2.0rc1", "1!1.2.0.0rc1"]);
    assert_eq!(of("0"), ["0", "0.0", "0.0.0", "0.0.0.0"]);
    assert_eq!(of("1.2.3.4.5"), ["1.2.3.4.5"]);
    assert_eq!(of("nonsense"), ["nonsense"]);
}

#[test]
fn versions_order_as_pep_440_says() {
    let ordered = ["nonsense", "1.0.dev1", "1.0a1", "1.0b1", "1.0rc1", "1.0", "1.0+local", "1.0.post1", "1.1", "1!0.1"];
    for pair in ordered.windows(2) {
        assert_eq!(compare_versions(pair[0], pair[1]), Ordering::Less, "{pair:?}");
    }
}

#[test]
fn wheel_and_sdist_names_say_their_release() {
    let wheel = Distribution::parse("Foo_Bar-1.0-1build-py3-none-any.whl", "foo-bar").unwrap();
    assert_eq!(
        (wheel.kind, wheel.version.as_str(), wheel.python_tag.as_str()),
        (DistributionKind::Wheel, "1.0", "py3")
    );
    let sdist = Distribution::parse("foo-bar-1.0.tar.gz", "Foo.Bar").unwrap();
    assert_eq!((sdist.name.as_str(), sdist.version.as_str()), ("foo-bar", "1.0"));
    assert_eq!(sdist.kind.file_type(), "sdist");
}

#[test]
fn file_names_that_lie_are_refused() {
    for bad in [
        "../foo-1.0.tar.gz",
        "a\\foo-1.0.tar.gz",
        "foo-1.0.tar.gz\0",
        "foo-1.0\n.tar.gz",
        "foo\u{202e}-1.0.tar.gz",
        "foo\u{200b}-1.0.tar.gz",
        ".foo-1.0.tar.gz",
        "foo-1.0.egg",
        "foo-1.0.win32.exe",
        "foo-1.0.tar.bz2",
        "bar-1.0.tar.gz",
        "foo-latest.tar.gz",
        "foo.tar.gz",
        "foo-1.0-py3-none.whl",
        "foo-1.0-x-py3-none-any.whl",
        "foo-1.0--none-any.whl",
        "foo-one-py3-none-any.whl",
    ] {
        assert!(Distribution::parse(bad, "foo").is_err(), "{bad:?}");
    }
}

#[test]
fn versions_of_registry_files_are_read_from_their_names() {
    for (file, version) in [
        ("foo_bar-1.0-py3-none-any.whl", "1.0"),
        ("foo-bar-1.0rc1.tar.gz", "1.0rc1"),
        ("Foo.Bar-1.0.zip", "1.0"),
        ("foo_bar-1.0-py2.7.egg", "1.0"),
        ("foo-bar-1.0.win32-py2.7.exe", "1.0"),
        ("foo-bar-2004d.tar.gz", "2004d"),
        ("foo-bar-1.0-1.tar.gz", "1.0.post1"),
    ] {
        assert_eq!(version_of_upstream_file("foo-bar", file).unwrap().as_str(), version, "{file}");
    }
    for unknown in ["foo_bar.whl", "other-1.0.tar.gz", "foo-bar-1.0.txt", "foo-bar-.tar.gz"] {
        assert_eq!(version_of_upstream_file("foo-bar", unknown), None, "{unknown}");
    }
}

fn version_text() -> impl Strategy<Value = String> {
    (
        prop::option::of(0..3u8),
        prop::collection::vec(0..4u8, 1..4),
        prop::option::of((prop::sample::select(vec!["a", "b", "rc"]), 0..3u8)),
        prop::option::of(0..3u8),
        prop::option::of(0..3u8),
        prop::option::of("[a-z0-9]{1,3}"),
    )
        .prop_map(|(epoch, release, pre, post, dev, local)| {
            let mut text = epoch.map(|epoch| format!("{epoch}!")).unwrap_or_default();
            text += &release.iter().map(ToString::to_string).collect::<Vec<_>>().join(".");
            text += &pre.map(|(kind, n)| format!("{kind}{n}")).unwrap_or_default();
            text += &post.map(|n| format!(".post{n}")).unwrap_or_default();
            text += &dev.map(|n| format!(".dev{n}")).unwrap_or_default();
            text + &local.map(|local| format!("+{local}")).unwrap_or_default()
        })
}

proptest! {
    #[test]
    fn normalizing_a_name_twice_changes_nothing_more(name in "[A-Za-z0-9._-]{1,20}") {
        let once = normalize(&name);
        prop_assert_eq!(normalize(&once), once);
    }

    #[test]
    fn normalizing_a_version_twice_changes_nothing_more(version in version_text()) {
        let once = normalize_version(&version).unwrap();
        prop_assert_eq!(normalize_version(once.as_str()).unwrap(), once);
    }

    #[test]
    fn the_order_of_versions_is_total(a in version_text(), b in version_text(), c in version_text()) {
        prop_assert_eq!(compare_versions(&a, &b), compare_versions(&b, &a).reverse());
        if compare_versions(&a, &b).is_le() && compare_versions(&b, &c).is_le() {
            prop_assert!(compare_versions(&a, &c).is_le());
        }
        prop_assert_eq!(compare_versions(&a, &a), Ordering::Equal);
    }

    #[test]
    fn a_zero_more_is_the_same_release(release in prop::collection::vec(0..9u8, 1..4)) {
        let text = release.iter().map(ToString::to_string).collect::<Vec<_>>().join(".");
        prop_assert_eq!(Release::of(&text), Release::of(&format!("{text}.0")));
    }

    #[test]
    fn no_file_name_makes_the_parsers_panic(name in ".{0,40}") {
        let _ = Distribution::parse(&name, "foo");
        let _ = version_of_upstream_file("foo", &name);
    }
}
