//! Reading JSON request bodies.

use larder_core::error::{Error, Invalid, Result, ValidationReason};
use larder_core::model::Tag;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::query::{checked, missing};

/// Reads a body; one that is absent has no members. Members that the operation does not know are ignored.
///
/// # Errors
/// [`Error::Validation`] for what is not a JSON object or holds a member of another type.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    let refused = |why: &dyn std::fmt::Display| Error::Validation {
        field: "body".into(),
        reason: ValidationReason::CannotParse,
        message: format!("the request body is not a JSON object that this operation can read: {why}"),
    };
    match body.trim_ascii() {
        [] => serde_json::from_slice(b"{}"),
        object @ [b'{', ..] => serde_json::from_slice(object),
        // serde would read an array as the members in their order.
        _ => return Err(refused(&"it does not start with '{'")),
    }
    .map_err(|error| refused(&error))
}

/// A member that must be there.
///
/// # Errors
/// [`Error::Validation`] if it is missing or breaks its rule.
pub(super) fn get<T>(
    member: &'static str,
    text: Option<&str>,
    parse: impl FnOnce(&str) -> Result<T, Invalid>,
) -> Result<T> {
    checked(member, text.ok_or_else(|| missing(member))?, parse)
}

/// A member that may be there.
///
/// # Errors
/// [`Error::Validation`] if it breaks its rule.
pub(super) fn get_optional<T>(
    member: &'static str,
    text: Option<&str>,
    parse: impl FnOnce(&str) -> Result<T, Invalid>,
) -> Result<Option<T>> {
    text.map(|text| checked(member, text, parse)).transpose()
}

/// A tag as it stands in a body.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct BodyTag {
    key: Option<String>,
    value: Option<String>,
}

/// Checks tags one by one; what concerns them as a set is the service's.
///
/// # Errors
/// [`Error::Validation`] for a tag without key or value or one that breaks its rule.
pub(super) fn tags(tags: Option<Vec<BodyTag>>) -> Result<Vec<Tag>> {
    let tag = |tag: BodyTag| match (tag.key, tag.value) {
        (Some(key), Some(value)) => Tag::new(key, value).map_err(|rule| rule.in_field("tags")),
        (None, _) => Err(missing("tags.member.key")),
        (_, None) => Err(missing("tags.member.value")),
    };
    tags.unwrap_or_default().into_iter().map(tag).collect()
}

/// Checks a description: at most 1000 characters, none of them control, format or unassigned ones.
///
/// # Errors
/// [`Invalid`] with that rule.
pub(super) fn parse_description(text: &str) -> Result<String, Invalid> {
    if text.chars().count() <= 1000 && !text.chars().any(super::characters::is_other) {
        return Ok(text.to_owned());
    }
    Err(Invalid::new("Member must have at most 1000 characters and no control characters"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Body {
        description: Option<String>,
    }

    #[test]
    fn an_absent_body_and_null_members_are_empty() {
        for body in ["", "  ", "{}", r#"{"description":null}"#, r#"{"other":1}"#] {
            assert_eq!(parse::<Body>(body.as_bytes()).unwrap().description, None, "{body}");
        }
    }

    #[test]
    fn what_is_not_json_or_of_another_type_cannot_be_parsed() {
        for body in ["{", "[1]", r#"["a"]"#, "nonsense", r#"{"description":1}"#, "\u{feff}{}", "{}x"] {
            let error = parse::<Body>(body.as_bytes()).unwrap_err();
            assert!(matches!(error, Error::Validation { reason: ValidationReason::CannotParse, .. }), "{body}");
        }
    }

    #[test]
    fn tags_need_key_and_value() {
        let read = |json: &str| tags(Some(serde_json::from_str(json).unwrap()));
        assert_eq!(read(r#"[{"key":"a","value":""}]"#).unwrap(), [Tag { key: "a".into(), value: String::new() }]);
        for bad in [r#"[{"key":"a"}]"#, r#"[{"value":"a"}]"#, r#"[{"key":"aws:a","value":"b"}]"#] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn descriptions_have_at_most_1000_characters() {
        assert!(parse_description("").is_ok());
        assert!(parse_description(&"ä".repeat(1000)).is_ok());
        assert!(parse_description(&"a".repeat(1001)).is_err());
        assert!(parse_description("a\u{0}b").is_err());
        assert!(parse_description("a\u{200b}b").is_err());
    }
}
