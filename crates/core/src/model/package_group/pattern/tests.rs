use proptest::prelude::*;

use super::*;
use crate::model::PackageFormat::{Maven, Npm, Pypi};

fn pattern(text: &str) -> PackageGroupPattern {
    PackageGroupPattern::new(text).unwrap_or_else(|rule| panic!("{text}: {rule}"))
}

fn key(path: &str) -> PackageKey {
    let parts: Vec<_> = path.split('/').collect();
    let [_, format, namespace, name] = parts.as_slice() else { panic!("{path}") };
    PackageKey::new(format.parse().unwrap(), Some(*namespace).filter(|text| !text.is_empty()), name).unwrap()
}

fn matches(text: &str, path: &str) -> Option<AssociationType> {
    pattern(text).matches(&PackagePath::new(&key(path)))
}

/// The group of a package by the definition: of all patterns that match, the greatest.
fn associated<'a>(groups: &'a [PackageGroupPattern], key: &PackageKey) -> Option<(&'a str, AssociationType)> {
    let path = PackagePath::new(key);
    let found = groups.iter().filter_map(|group| Some((group.specificity(&path)?, group)));
    found.max_by(|(a, _), (b, _)| a.0.cmp(&b.0)).map(|((_, strength), group)| (group.as_str(), strength))
}

/// The same through the keys that an index is asked for.
fn looked_up<'a>(groups: &'a [PackageGroupPattern], key: &PackageKey) -> Option<(&'a str, AssociationType)> {
    let candidates = PackagePath::new(key).candidates();
    let found: Vec<_> = groups.iter().filter(|group| candidates.contains(&group.folded_text())).cloned().collect();
    let (text, strength) = associated(&found, key)?;
    groups.iter().find(|group| group.as_str() == text).map(|group| (group.as_str(), strength))
}

#[test]
fn the_six_documented_forms_are_patterns() {
    for text in [
        "/*",
        "/npm/*",
        "/maven/com.anycompany~",
        "/npm/space/*",
        "/npm//*",
        "/npm/space/anycompany~",
        "/npm//react~",
        "/maven/org.apache.logging.log4j/log4j-core$",
        "/npm//react$",
        "/pypi//requests$",
        "/nuget//newtonsoft.json~",
        "/npm/space/foo-*",
        "/npm//foo$$",
        "/npm//foo~$",
    ] {
        assert_eq!(pattern(text).to_string(), text);
    }
}

#[test]
fn what_breaks_the_grammar_is_refused() {
    let long = format!("/npm//{}$", "a".repeat(256));
    for text in [
        "",
        "/",
        "*",
        "npm/*",
        "/~",
        "/$",
        "/npm",
        "/npm*",
        "/npm~",
        "/npm/foo",
        "/npm/foo$",
        "/npm/foo*",
        "/npm//foo",
        "/npm//$",
        "/npm//~",
        "/npm//foo-~",
        "/npm//foo*",
        "/npm/a/b/c$",
        "/npm/a/b/*",
        "/cobol/*",
        "/NPM/*",
        "/python//requests$",
        "/pypi/ns/*",
        "/pypi/ns~",
        "/maven//*",
        "/maven//artifact$",
        "/generic//x~",
        "/pypi//Requests$",
        "/pypi//my_package$",
        "/pypi//my.package~",
        "/nuget//Newtonsoft.Json$",
        "/swift/Apple/*",
        "/npm//a b$",
        "/npm//a\u{0}$",
        "/npm//a\u{200b}$",
        "/npm//a#b$",
        &long,
    ] {
        assert!(PackageGroupPattern::new(text).is_err(), "{text}");
    }
}

#[test]
fn the_documented_examples_of_matching() {
    use AssociationType::{Strong, Weak};
    for (text, path, expected) in [
        ("/*", "/npm//react", Some(Strong)),
        ("/npm/*", "/npm//react", Some(Strong)),
        ("/npm/*", "/pypi//react", None),
        ("/npm//*", "/npm//react", Some(Strong)),
        ("/npm//*", "/npm/space/react", None),
        ("/npm/space/*", "/npm/space/aui.components", Some(Strong)),
        ("/npm/space/foo~", "/npm/space/foo", Some(Strong)),
        ("/npm/space/foo~", "/npm/space/foo-bar", Some(Strong)),
        ("/npm/space/foo~", "/npm/space/foo.x", Some(Strong)),
        ("/npm/space/foo~", "/npm/space/food", None),
        ("/npm/space/foo~", "/npm/space/fooBar", None),
        ("/npm/space/foo-*", "/npm/space/foo-bar", Some(Strong)),
        ("/npm/space/foo-*", "/npm/space/foo", None),
        ("/npm/space/foo-*", "/npm/space/foo.bar", Some(Weak)),
        ("/maven/com.anycompany~", "/maven/com.anycompany.tools/app", Some(Strong)),
        ("/maven/com.anycompany~", "/maven/com.anycompanytools/app", None),
        ("/npm//foo-bar$", "/npm//foo-bar", Some(Strong)),
        ("/npm//foo-bar$", "/npm//foo.bar", Some(Weak)),
        ("/npm//foo-bar$", "/npm//foo..bar", Some(Weak)),
        ("/npm//foo-bar$", "/npm//foo_bar", Some(Weak)),
        ("/npm//foo-bar$", "/npm//foobar", None),
        ("/npm//foo-bar$", "/npm//foo-bar2", None),
        ("/npm//AsyncStorage$", "/npm//asyncstorage", Some(Weak)),
        ("/npm/space/*", "/npm/Space/x", Some(Weak)),
        ("/npm//react$", "/npm//re\u{430}ct", Some(Weak)),
    ] {
        assert_eq!(matches(text, path), expected, "{text} {path}");
    }
}

#[test]
fn the_most_specific_pattern_is_associated() {
    use AssociationType::{Strong, Weak};
    let groups: Vec<_> =
        ["/*", "/npm/*", "/npm/space/*", "/npm//AsyncStorage$", "/npm//asyncStorage$", "/npm//lib~", "/npm//lib-ui~"]
            .map(pattern)
            .into();
    for (path, expected) in [
        ("/npm//react", ("/npm/*", Strong)),
        ("/npm/space/aui.components", ("/npm/space/*", Strong)),
        ("/pypi//react", ("/*", Strong)),
        ("/npm//AsyncStorage", ("/npm//AsyncStorage$", Strong)),
        ("/npm//asyncStorage", ("/npm//asyncStorage$", Strong)),
        // The weak match on the more specific group wins over the strong one on the general one.
        ("/npm//asyncstorage", ("/npm//AsyncStorage$", Weak)),
        ("/npm//lib-uix", ("/npm//lib~", Strong)),
        ("/npm//lib-ui-x", ("/npm//lib-ui~", Strong)),
        ("/npm//LIB_UI", ("/npm//lib-ui~", Weak)),
        ("/npm/SPACE/x", ("/npm/space/*", Weak)),
    ] {
        assert_eq!(associated(&groups, &key(path)), Some(expected), "{path}");
        assert_eq!(looked_up(&groups, &key(path)), Some(expected), "{path}");
    }
}

#[test]
fn a_pattern_covers_what_is_a_proper_part_of_it() {
    for (general, specific) in [
        ("/*", "/npm/*"),
        ("/npm/*", "/npm/space/*"),
        ("/npm/*", "/npm//*"),
        ("/npm/*", "/npm/sp~"),
        ("/npm/sp~", "/npm/sp-x~"),
        ("/npm/sp~", "/npm/sp/*"),
        ("/npm/sp~", "/npm/sp-*"),
        ("/npm/sp-*", "/npm/sp-x/lib$"),
        ("/npm/space/*", "/npm/space/lib~"),
        ("/npm/space/lib~", "/npm/space/lib-a~"),
        ("/npm/space/lib~", "/npm/space/lib$"),
    ] {
        assert!(pattern(general).covers(&pattern(specific)), "{general} {specific}");
        assert!(!pattern(specific).covers(&pattern(general)), "{specific} {general}");
    }
    for (one, other) in [
        ("/npm/*", "/npm/*"),
        ("/npm/*", "/pypi/*"),
        ("/npm/sp~", "/npm/space/*"),
        ("/npm/space/*", "/npm/Space/x$"),
        ("/npm/space/lib~", "/npm/space/library$"),
        ("/npm//*", "/npm/space/*"),
    ] {
        assert!(!pattern(one).covers(&pattern(other)), "{one} {other}");
    }
}

/// Names of few letters, so that they meet.
fn part() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop::sample::select(vec![
            "a", "b", "A", "-", ".", "_", "+", "1", "\u{430}", "\u{301}", "\u{212e}", "\u{df}", "ss",
        ]),
        1..6,
    )
    .prop_map(|letters| letters.concat())
}

fn coordinate() -> impl Strategy<Value = PackageKey> {
    (prop::option::of(part()), part(), prop::bool::ANY).prop_map(|(namespace, name, npm)| match (npm, namespace) {
        (true, namespace) => PackageKey::new(Npm, namespace.as_deref(), &name).unwrap(),
        (false, namespace) => PackageKey::new(Maven, Some(namespace.as_deref().unwrap_or("ns")), &name).unwrap(),
    })
}

/// A pattern of any form.
fn any_pattern() -> impl Strategy<Value = PackageGroupPattern> {
    (coordinate(), 0..6_u8).prop_map(|(key, form)| {
        let (format, namespace, name) = (key.format(), key.namespace().unwrap_or(""), key.name());
        let prefix = |text: &str| format!("{text}{}", terminator(text));
        let text = match form {
            0 => "/*".to_owned(),
            1 => format!("/{format}/*"),
            2 if !namespace.is_empty() => format!("/{format}/{}", prefix(namespace)),
            2 | 3 => format!("/{format}/{namespace}/*"),
            4 => format!("/{format}/{namespace}/{}", prefix(name)),
            _ => format!("/{format}/{namespace}/{name}$"),
        };
        pattern(&text)
    })
}

/// The strong match, from the pattern's text alone and the definition of a word.
fn naive_match(text: &str, key: &PackageKey) -> bool {
    let path = format!("/{}/{}/{}", key.format(), key.namespace().unwrap_or(""), key.name());
    let stem = &text[..text.len() - 1];
    let word = |c: char| c.is_alphanumeric() || c == '\u{301}';
    match text.chars().last() {
        Some('$') => path == stem,
        _ => path.strip_prefix(stem).is_some_and(|rest| {
            let ends_in_word = stem.trim_end_matches('\u{301}').ends_with(char::is_alphanumeric);
            !ends_in_word || !rest.starts_with(word)
        }),
    }
}

proptest! {
    #[test]
    fn the_index_finds_what_the_definition_finds(
        groups in prop::collection::vec(any_pattern(), 1..12), key in coordinate(),
    ) {
        prop_assert_eq!(looked_up(&groups, &key), associated(&groups, &key));
    }

    #[test]
    fn strong_matches_are_those_of_the_texts(group in any_pattern(), key in coordinate()) {
        let strong = group.matches(&PackagePath::new(&key)) == Some(AssociationType::Strong);
        prop_assert_eq!(strong, naive_match(group.as_str(), &key), "{} {}", group, key);
    }

    #[test]
    fn a_pattern_is_read_as_it_was_written(group in any_pattern()) {
        prop_assert_eq!(PackageGroupPattern::new(group.as_str()).unwrap(), group.clone());
        prop_assert_eq!(group.scope.text(), group.as_str());
    }

    #[test]
    fn covering_is_matching_all_that_the_other_matches(
        one in any_pattern(), other in any_pattern(), keys in prop::collection::vec(coordinate(), 20),
    ) {
        if one.covers(&other) {
            prop_assert!(!other.covers(&one));
            prop_assert!(other.as_str().starts_with(one.stem()));
            prop_assert!(other.candidate_ancestors().iter().any(|text| text == one.as_str()));
            for key in &keys {
                let strong = |pattern: &PackageGroupPattern| {
                    pattern.matches(&PackagePath::new(key)) == Some(AssociationType::Strong)
                };
                prop_assert!(!strong(&other) || strong(&one), "{} {} {}", one, other, key);
            }
        }
    }

    #[test]
    fn what_matches_lies_in_the_folded_range(group in any_pattern(), key in coordinate()) {
        let path = PackagePath::new(&key);
        if group.matches(&path).is_some() {
            let inside = match group.folded_range() {
                FoldedRange::One(text) => path.folded_text() == text,
                FoldedRange::Prefix(text) => path.folded_text().starts_with(&text),
            };
            prop_assert!(inside);
        }
    }

    #[test]
    fn variants_belong_to_the_same_group_or_have_their_own(name in "[a-zA-Z]{1,4}[-._]{1,3}[a-z]{1,3}") {
        let exact = pattern(&format!("/npm//{name}$"));
        for variant in [name.to_uppercase(), name.replace(['-', '.', '_'], "-"), name.replace('a', "\u{430}")] {
            let key = PackageKey::new(Npm, None, &variant).unwrap();
            let expected = if variant == name { AssociationType::Strong } else { AssociationType::Weak };
            prop_assert_eq!(exact.matches(&PackagePath::new(&key)), Some(expected));
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,20}") {
        let _ = PackageGroupPattern::new(&text);
    }
}

#[test]
fn python_names_are_matched_in_their_normalized_form() {
    let key = PackageKey::new(Pypi, None, "my-package").unwrap();
    assert_eq!(pattern("/pypi//my-package$").matches(&PackagePath::new(&key)), Some(AssociationType::Strong));
}
