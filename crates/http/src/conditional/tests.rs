use http::HeaderValue;
use proptest::prelude::*;

use super::*;

/// Sun, 06 Nov 1994 08:49:37 GMT, and a bit.
const MODIFIED: Timestamp = Timestamp(784_111_777_250);

fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
}

fn known(etag: &str) -> Validators<'_> {
    Validators { etag: Some(etag), last_modified: Some(MODIFIED) }
}

fn part(start: u64, length: u64) -> Requested {
    Requested::Part(ByteRange { start, length })
}

#[test]
fn a_request_without_validators_is_never_answered_with_304() {
    assert!(!not_modified(&HeaderMap::new(), known("\"a\"")));
}

#[test]
fn if_none_match_reads_lists_stars_and_weak_tags() {
    for list in ["\"a\"", "*", "W/\"a\"", "\"x\", \"a\"", "\"x,y\",W/\"a\"", " , \"a\" ", "a", "x, a"] {
        assert!(not_modified(&headers(&[(IF_NONE_MATCH, list)]), known("\"a\"")), "{list}");
    }
    for list in ["\"b\"", "", "\"a", "\"x,a\"", "\"a-gz\"", "W/\"b\""] {
        assert!(!not_modified(&headers(&[(IF_NONE_MATCH, list)]), known("\"a\"")), "{list}");
    }
    let mut two = headers(&[(IF_NONE_MATCH, "\"x\"")]);
    two.append(IF_NONE_MATCH, HeaderValue::from_static("\"a\""));
    assert!(not_modified(&two, known("\"a\"")), "a list may be spread over two headers");
}

#[test]
fn if_none_match_overrides_if_modified_since() {
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    assert!(not_modified(&headers(&[(IF_MODIFIED_SINCE, date)]), known("\"a\"")));
    assert!(!not_modified(&headers(&[(IF_MODIFIED_SINCE, date), (IF_NONE_MATCH, "\"b\"")]), known("\"a\"")));
}

#[test]
fn if_modified_since_compares_whole_seconds() {
    for (date, expected) in [
        ("Sun, 06 Nov 1994 08:49:36 GMT", false),
        ("Sun, 06 Nov 1994 08:49:37 GMT", true),
        ("Sunday, 06-Nov-94 08:49:38 GMT", true),
        ("yesterday", false),
    ] {
        assert_eq!(not_modified(&headers(&[(IF_MODIFIED_SINCE, date)]), known("\"a\"")), expected, "{date}");
    }
    let undated = Validators { etag: Some("\"a\""), last_modified: None };
    assert!(!not_modified(&headers(&[(IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:37 GMT")]), undated));
}

#[test]
fn single_ranges_are_read_and_clipped() {
    for (range, expected) in [
        ("bytes=0-0", part(0, 1)),
        ("bytes=2-5", part(2, 4)),
        ("bytes=2-", part(2, 8)),
        ("bytes=2-99", part(2, 8)),
        ("bytes=2-99999999999999999999999", part(2, 8)),
        ("bytes=-3", part(7, 3)),
        ("bytes=-99", part(0, 10)),
        ("Bytes = 1 - 2", part(1, 2)),
        ("bytes=10-", Requested::Unsatisfiable),
        ("bytes=99999999999999999999999-", Requested::Unsatisfiable),
        ("bytes=-0", Requested::Unsatisfiable),
        ("bytes=5-2", Requested::Whole),
        ("bytes=0-1,4-5", Requested::Whole),
        ("bytes=-", Requested::Whole),
        ("bytes=a-b", Requested::Whole),
        ("bytes=+1-2", Requested::Whole),
        ("bytes=1-2-3", Requested::Whole),
        ("lines=1-2", Requested::Whole),
        ("bytes", Requested::Whole),
    ] {
        assert_eq!(requested_range(&headers(&[(RANGE, range)]), known("\"a\""), 10), expected, "{range}");
    }
    assert_eq!(requested_range(&headers(&[(RANGE, "bytes=0-")]), known("\"a\""), 0), Requested::Unsatisfiable);
}

#[test]
fn if_range_lets_a_part_through_only_for_the_same_bytes() {
    for (condition, expected) in [
        ("\"a\"", part(0, 1)),
        ("\"b\"", Requested::Whole),
        ("W/\"a\"", Requested::Whole),
        ("Sun, 06 Nov 1994 08:49:37 GMT", part(0, 1)),
        ("Sun, 06 Nov 1994 08:49:38 GMT", Requested::Whole),
        ("nonsense", Requested::Whole),
    ] {
        let headers = headers(&[(RANGE, "bytes=0-0"), (IF_RANGE, condition)]);
        assert_eq!(requested_range(&headers, known("\"a\""), 10), expected, "{condition}");
    }
}

proptest! {
    #[test]
    fn a_part_lies_within_the_size(range in "bytes=[0-9]{0,3}-[0-9]{0,3}(,[0-9]{1,2}-)?", size in 0_u64..1000) {
        if let Requested::Part(range) = requested_range(&headers(&[(RANGE, &range)]), known("\"a\""), size) {
            prop_assert!(range.length > 0 && range.start + range.length <= size);
        }
    }

    #[test]
    fn a_list_matches_exactly_when_it_holds_the_tag(tags in proptest::collection::vec("[a-c]{1,2}", 0..6)) {
        let list = tags.iter().map(|tag| format!("\"{tag}\"")).collect::<Vec<_>>().join(", ");
        let held = tags.iter().any(|tag| tag == "ab");
        prop_assert_eq!(not_modified(&headers(&[(IF_NONE_MATCH, &list)]), known("\"ab\"")), held);
    }
}
