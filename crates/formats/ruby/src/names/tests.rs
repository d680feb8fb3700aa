use proptest::prelude::*;

use super::*;

#[test]
fn numbers_are_ordered_as_rubygems_orders_them() {
    let ascending = [
        "not a version",
        "0.9",
        "1.0.0.a",
        "1.0.0.a.2",
        "1.0.0.a10",
        "1.0.0.b",
        "1.0.0.rc1",
        "1",
        "1.0.1",
        "1.2",
        "1.10",
    ];
    for pair in ascending.windows(2) {
        assert_eq!(compare_versions(pair[0], pair[1]), Ordering::Less, "{pair:?}");
    }
    for (a, b) in [("1", "1.0"), ("1.0", "1.0.0"), ("01.2", "1.2"), ("1.a", "1.0.a"), ("1.0.a10", "1.a.10")] {
        assert_eq!(compare_numbers(a, b), Ordering::Equal, "{a} {b}");
    }
    assert_eq!(compare_versions("1.0", "1.0-java"), Ordering::Less);
    assert_eq!(compare_versions("1.0-x86_64-linux", "1.0.1"), Ordering::Less);
}

#[test]
fn all_texts_of_a_version_have_one_canonical_text() {
    for text in ["1", "1.0", "1.0.0", "01.0", "1.000-ruby"] {
        assert_eq!(canonical_version(text), "1");
    }
    assert_eq!(canonical_version("1.0.a10.0-x86_64-linux"), "1.a.10-x86_64-linux");
    assert_eq!(canonical_version("1.0.1"), "1..1");
    assert_eq!(canonical_version("0"), "");
    assert_eq!(canonical_version("0-java"), "-java");
}

#[test]
fn names_have_a_letter_and_no_sign_at_their_ends() {
    for good in ["a", "rails", "a-b_c.d", "2a", "RedCloth"] {
        assert!(gem_key(good).is_ok(), "{good}");
    }
    for bad in ["", "1", "-a", "a-", ".a", "a.gem", "a.json", "a b", "a/b", "ä", "a\n", &"a".repeat(101)] {
        assert!(gem_key(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_platform_is_part_of_the_version() {
    assert_eq!(version_text("1.0", "ruby").unwrap().as_str(), "1.0");
    assert_eq!(version_text("1.0", "x86_64-linux-gnu").unwrap().as_str(), "1.0-x86_64-linux-gnu");
    for (number, platform) in [("1.0-a", "ruby"), ("", "ruby"), ("a", "ruby"), ("1..0", "ruby"), ("1", ""), ("1", "1x")]
    {
        assert!(version_text(number, platform).is_err(), "{number} {platform}");
    }
}

#[test]
fn a_file_name_is_read_in_every_way_that_gives_a_gem() {
    let read = |full| readings(full).into_iter().map(|(key, v)| format!("{} {v}", key.name())).collect::<Vec<_>>();
    assert_eq!(read("foo-bar-1.0-x86_64-linux"), ["foo-bar 1.0-x86_64-linux"]);
    assert_eq!(read("a-1-x-2"), ["a-1-x 2", "a 1-x-2"]);
    assert!(read("foo").is_empty());
}

proptest! {
    #[test]
    fn the_order_is_total(a in "[0-9a-c.-]{0,8}", b in "[0-9a-c.-]{0,8}", c in "[0-9a-c.-]{0,8}") {
        prop_assert_eq!(compare_versions(&a, &b), compare_versions(&b, &a).reverse());
        prop_assert_eq!(compare_versions(&a, &b) == Ordering::Equal, a == b);
        if compare_versions(&a, &b).is_le() && compare_versions(&b, &c).is_le() {
            prop_assert!(compare_versions(&a, &c).is_le());
        }
    }

    #[test]
    fn versions_are_the_same_when_their_canonical_texts_are(
        a in "[0-2a]{1,2}(\\.[0-2a]{1,2}){0,3}(-java|-a-1)?",
        b in "[0-2a]{1,2}(\\.[0-2a]{1,2}){0,3}(-java|-a-1)?",
    ) {
        let ((number_a, platform_a), (number_b, platform_b)) = (split(&a), split(&b));
        let same = compare_numbers(number_a, number_b).is_eq() && platform_a == platform_b;
        prop_assert_eq!(canonical_version(&a) == canonical_version(&b), same);
        let zeros = format!("{number_a}.00-{platform_a}");
        prop_assert_eq!(canonical_version(&zeros), canonical_version(&a));
    }

    #[test]
    fn every_full_name_is_read_back(name in "[a-z][a-z0-9_-]{0,6}[a-z]", number in "[0-9]{1,2}(\\.[0-9a-z]{1,3}){0,3}") {
        let found = readings(&format!("{name}-{number}"));
        prop_assert!(found.iter().any(|(key, version)| key.name() == name && version.as_str() == number));
    }
}
