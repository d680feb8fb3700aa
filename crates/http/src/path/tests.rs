use proptest::prelude::*;

use super::*;

const NPM: PathRules = PathRules { scoped_slash: true, long_last_segment: true };

fn parse(raw: &str) -> Result<Vec<String>, BadPath> {
    RequestPath::parse(raw, PathRules::default()).map(|path| path.segments().to_vec())
}

#[test]
fn segments_are_decoded_once_after_splitting() {
    assert_eq!(parse("/a/b%20c/%C3%A9+x").unwrap(), ["a", "b c", "é+x"]);
    assert_eq!(parse("/100%2525").unwrap(), ["100%25"]);
}

#[test]
fn one_trailing_slash_is_kept_as_a_flag() {
    let path = RequestPath::parse("/simple/requests/", PathRules::default()).unwrap();
    assert_eq!((path.as_strs().as_slice(), path.trailing_slash()), (&["simple", "requests"][..], true));
    let path = RequestPath::parse("/simple", PathRules::default()).unwrap();
    assert!(!path.trailing_slash());
    let root = RequestPath::parse("/", PathRules::default()).unwrap();
    assert!(root.segments().is_empty() && root.trailing_slash());
    let nothing = RequestPath::parse("", PathRules::default()).unwrap();
    assert!(nothing.segments().is_empty() && !nothing.trailing_slash());
}

#[test]
fn what_the_reference_refuses_is_refused() {
    for (raw, why) in [
        ("a", BadPath::NotAbsolute),
        ("*", BadPath::NotAbsolute),
        ("//a", BadPath::EmptySegment),
        ("/a//b", BadPath::EmptySegment),
        ("/a//", BadPath::EmptySegment),
        ("/.", BadPath::DotSegment),
        ("/a/../b", BadPath::DotSegment),
        ("/a/%2e%2E/b", BadPath::DotSegment),
        ("/a/.%2e", BadPath::DotSegment),
        ("/a%00", BadPath::Control),
        ("/a%0d%0a", BadPath::Control),
        ("/a%7f", BadPath::Control),
        ("/a%C2%85", BadPath::Control),
        ("/a\\b", BadPath::Backslash),
        ("/a%5cb", BadPath::Backslash),
        ("/a%2fb", BadPath::EncodedSlash),
        ("/@a%2Fb", BadPath::EncodedSlash),
        ("/%252e%252e/a", BadPath::DoubleEncoded),
        ("/a%252Fb", BadPath::DoubleEncoded),
        ("/a%255Cb", BadPath::DoubleEncoded),
        ("/a;v=1/b", BadPath::Parameters),
        ("/..;/a", BadPath::Parameters),
        ("/a%", BadPath::BadEscape),
        ("/a%2", BadPath::BadEscape),
        ("/a%zz", BadPath::BadEscape),
        ("/%ff", BadPath::NotUtf8),
        ("/%c0%ae", BadPath::NotUtf8),
    ] {
        assert_eq!(parse(raw), Err(why), "{raw}");
    }
}

#[test]
fn lengths_are_bounded() {
    assert!(parse(&format!("/{}", "a".repeat(255))).is_ok());
    assert_eq!(parse(&format!("/{}", "a".repeat(256))), Err(BadPath::SegmentTooLong));
    let long = "/a".repeat(4096);
    assert!(parse(&long).is_ok());
    assert_eq!(parse(&format!("{long}/")), Err(BadPath::TooLong));
}

#[test]
fn a_scoped_name_keeps_its_slash_only_where_the_format_allows_it() {
    let segments = |raw| RequestPath::parse(raw, NPM).map(|path| path.segments().to_vec());
    assert_eq!(segments("/@scope%2fname/1.0.0").unwrap(), ["@scope/name", "1.0.0"]);
    assert_eq!(segments("/%40scope%2Fname").unwrap(), ["@scope/name"]);
    assert_eq!(segments("/@scope/name").unwrap(), ["@scope", "name"]);
    for (raw, why) in [
        ("/scope%2fname", BadPath::EncodedSlash),
        ("/@a%2fb%2fc", BadPath::EncodedSlash),
        ("/@%2fb", BadPath::EncodedSlash),
        ("/@a%2f", BadPath::EmptySegment),
        ("/@a%2f..", BadPath::DotSegment),
        ("/@a%252fb", BadPath::DoubleEncoded),
    ] {
        assert_eq!(segments(raw), Err(why), "{raw}");
    }
}

#[test]
fn only_the_last_segment_may_be_long_and_only_where_the_format_allows_it() {
    let token = "t".repeat(2000);
    let logout = format!("/-/user/token/{token}");
    assert_eq!(parse(&logout), Err(BadPath::SegmentTooLong));
    assert_eq!(RequestPath::parse(&logout, NPM).unwrap().segments()[3], token);
    assert_eq!(RequestPath::parse(&format!("/{token}/a"), NPM), Err(BadPath::SegmentTooLong));
}

#[test]
fn a_prefix_can_be_taken_before_the_rules_are_known() {
    let mut raw = RawPath::new("/d/dom-123456789012/npm/repo/@a%2fb").unwrap();
    let prefix: Vec<_> = (0..4).map(|_| raw.next_segment().unwrap().unwrap()).collect();
    assert_eq!(prefix, ["d", "dom-123456789012", "npm", "repo"]);
    assert_eq!(raw.finish(NPM).unwrap().segments(), ["@a/b"]);
}

fn escape(segment: &str) -> String {
    segment.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

proptest! {
    #[test]
    fn no_accepted_segment_is_dangerous(raw in "/([a-c.%/;@\\\\]|%2[eEfF5]|%5[cC]|%0[0-9]){0,12}", scoped in any::<bool>()) {
        let rules = PathRules { scoped_slash: scoped, ..PathRules::default() };
        if let Ok(path) = RequestPath::parse(&raw, rules) {
            for segment in path.segments() {
                prop_assert!(!segment.is_empty() && segment != "." && segment != "..");
                prop_assert!(!segment.contains(['\\', '\0']));
                prop_assert!(!segment.contains('/') || (scoped && segment.starts_with('@')));
                prop_assert!(!segment.split('/').any(|part| part.is_empty() || part == "." || part == ".."));
            }
        }
    }

    #[test]
    fn escaping_every_byte_names_the_same_segments(
        segments in proptest::collection::vec("[a-zA-Z0-9@+~!$é ][a-zA-Z0-9._@+~!$é -]{0,8}", 1..5),
    ) {
        let escaped: String = segments.iter().map(|segment| format!("/{}", escape(segment))).collect();
        prop_assert_eq!(parse(&escaped).unwrap(), segments);
    }
}
