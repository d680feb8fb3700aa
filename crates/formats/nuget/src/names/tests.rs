use proptest::prelude::*;

use super::*;

#[test]
fn an_id_is_words_joined_by_single_dots_and_hyphens() {
    for good in ["a", "A.B", "Newtonsoft.Json", "a-b.c_d", "_x", "3d", &"x".repeat(100)] {
        assert_eq!(package_key(good).unwrap().name(), good.to_ascii_lowercase());
    }
    for bad in ["", ".", "a..b", "a.", "-a", "a.-b", "a b", "a/b", "..", "日本", "Пакет", "a\u{0}", &"x".repeat(101)]
    {
        assert!(check_id(bad).is_err(), "{bad}");
    }
}

#[test]
fn one_version_has_many_spellings_and_one_key() {
    for (spelling, key) in [
        ("1", "1.0.0"),
        ("1.0", "1.0.0"),
        ("1.01.1", "1.1.1"),
        ("1.0.0.0", "1.0.0"),
        ("1.0.0.1", "1.0.0.1"),
        ("1.0.7+r3456", "1.0.7"),
        ("01.2.3-Beta.01+x", "1.2.3-beta.01"),
        (" 1.0-RC1 ", "1.0.0-rc1"),
        ("1.0-a-b", "1.0.0-a-b"),
        ("2147483647.0", "2147483647.0.0"),
    ] {
        assert_eq!(normalize_version(spelling).unwrap().as_str(), key, "{spelling}");
    }
    let wrong = [
        "",
        "v1.0",
        "1.0.",
        ".1",
        "1..2",
        "1.2.3.4.5",
        "1.0-",
        "1.0-a..b",
        "1.0+",
        "1.0-a_b",
        "2147483648",
        "1.x",
        "-1",
    ];
    for bad in wrong {
        assert!(Version::parse(bad).is_err(), "{bad}");
    }
    assert!(Version::parse(&format!("1.0-{}", "a".repeat(300))).is_err());
}

#[test]
fn versions_stand_in_nugets_order() {
    let ordered = [
        "0.9",
        "1.0.0-0",
        "1.0.0-2",
        "1.0.0-10",
        "1.0.0-99999999999",
        "1.0.0-alpha",
        "1.0.0-ALPHA.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-Beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.0.0.1",
        "1.0.1",
        "1.10",
        "2.0-a",
        "2.0",
    ];
    for (at, low) in ordered.iter().enumerate() {
        for high in &ordered[at + 1..] {
            assert_eq!(compare_versions(low, high), Ordering::Less, "{low} {high}");
        }
    }
    assert_eq!(compare_versions("1.0-BETA", "1.0.0-beta+x"), Ordering::Equal);
    assert_eq!(compare_versions("no version", "0.0"), Ordering::Less);
}

#[test]
fn what_old_clients_cannot_read_is_semver_2() {
    let is = |text: &str| Version::parse(text).unwrap().is_semver2();
    assert!(is("1.0.0-a.1") && is("1.0.0+b") && !is("1.0.0-a1") && !is("1.0.0.1"));
    let range = |text: &str| VersionRange::parse(text).unwrap().is_semver2();
    assert!(range("[1.0-a.1, 2.0)") && range("(,2.0-a.1]") && !range("[1.0, 2.0)") && !range(""));
}

#[test]
fn ranges_are_shown_in_interval_notation() {
    for (text, shown) in [
        ("", "(, )"),
        ("1.0", "[1.0.0, )"),
        ("[1.0]", "[1.0.0]"),
        ("[1.0,2.0)", "[1.0.0, 2.0.0)"),
        ("(1.0, )", "(1.0.0, )"),
        ("(,1.0]", "(, 1.0.0]"),
        ("[1.0.0-Beta, 2]", "[1.0.0-Beta, 2.0.0]"),
        ("[,]", "(, )"),
    ] {
        assert_eq!(VersionRange::parse(text).unwrap().to_string(), shown, "{text}");
    }
    for bad in ["1.*", "[1.0", "(1.0)", "[2.0,1.0]", "(1.0,1.0)", "[]", "[1,2,3]", "1.0,2.0", "x"] {
        assert!(VersionRange::parse(bad).is_err(), "{bad}");
    }
}

fn any_version() -> impl Strategy<Value = String> {
    let number = prop_oneof![0_u32..4, Just(2_147_483_647_u32)];
    let label = prop_oneof!["[0-9]{1,3}", "[a-cA-C-]{1,2}", Just("99999999999".to_owned())];
    let numbers = prop::collection::vec(number, 1..=4);
    let labels = prop::collection::vec(label, 0..3);
    (numbers, labels, prop::option::of("[a-z0-9]{1,3}")).prop_map(|(numbers, labels, build)| {
        let numbers: Vec<_> = numbers.iter().map(u32::to_string).collect();
        let mut text = numbers.join(".");
        if !labels.is_empty() {
            text += &format!("-{}", labels.join("."));
        }
        build.map_or(text.clone(), |build| format!("{text}+{build}"))
    })
}

proptest! {
    #[test]
    fn the_order_of_versions_is_total(a in any_version(), b in any_version(), c in any_version()) {
        prop_assert_eq!(compare_versions(&a, &b), compare_versions(&b, &a).reverse());
        if compare_versions(&a, &b) != Ordering::Greater && compare_versions(&b, &c) != Ordering::Greater {
            prop_assert_ne!(compare_versions(&a, &c), Ordering::Greater);
        }
    }

    #[test]
    fn a_key_is_its_own_key_and_stands_where_its_version_stands(a in any_version(), b in any_version()) {
        let key = normalize_version(&a).unwrap();
        prop_assert_eq!(normalize_version(key.as_str()).unwrap(), key.clone());
        prop_assert_eq!(compare_versions(key.as_str(), &b), compare_versions(&a, &b));
        prop_assert_eq!(Version::parse(&Version::parse(&a).unwrap().full()).unwrap(), Version::parse(&a).unwrap());
    }

    #[test]
    fn a_shown_range_is_read_as_itself(a in any_version(), b in any_version(), open in any::<bool>()) {
        let (low, high) = if compare_versions(&a, &b) == Ordering::Less { (a, b) } else { (b, a) };
        let text = if open { format!("[{low},)") } else { format!("[{low},{high}]") };
        let range = VersionRange::parse(&text).unwrap();
        prop_assert_eq!(VersionRange::parse(&range.to_string()).unwrap(), range);
    }
}
