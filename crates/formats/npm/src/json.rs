//! JSON objects as lists of members that are not parsed any further. Documents of many megabytes are taken apart and put
//! together again from slices of their text, so that what Larder does not rewrite stays exactly as it was, numbers,
//! escapes and lone surrogates included.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of an object, in order. A name may stand twice; the last one counts, as in JavaScript.
#[derive(Debug, Default, Clone)]
pub(crate) struct Members<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Members<'a> {
    /// Reads an object; `None` for anything else.
    pub(crate) fn parse(json: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    /// As [`Members::parse`], of a value that was set aside.
    pub(crate) fn of(value: &'a RawValue) -> Option<Self> {
        serde_json::from_str(value.get()).ok()
    }

    /// The member's value.
    pub(crate) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    /// The member's value if it is a string.
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).and_then(text)
    }

    /// Names and values in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, value)| (&**name, *value))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(Name(name)) = map.next_key()? {
                    members.push((name, map.next_value()?));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

/// A member's name, copied only if it has escapes.
#[derive(serde::Deserialize)]
pub(crate) struct Name<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// The value if it is a string.
pub(crate) fn text(value: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Name<'_>>(value.get()).ok().map(|name| name.0)
}

/// Whether containers nest deeper than `limit` in what is JSON already.
pub(crate) fn is_deeper_than(json: &[u8], limit: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > limit {
            return true;
        }
    }
    false
}

/// Writes an object member by member.
pub(crate) struct ObjectWriter<'o> {
    out: &'o mut Vec<u8>,
    is_empty: bool,
}

impl<'o> ObjectWriter<'o> {
    /// Opens it.
    pub(crate) fn new(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, is_empty: true }
    }

    /// Writes a name; the value is to be appended to what this returns.
    pub(crate) fn value(&mut self, name: &str) -> &mut Vec<u8> {
        if !std::mem::take(&mut self.is_empty) {
            self.out.push(b',');
        }
        write_string(self.out, name);
        self.out.push(b':');
        self.out
    }

    /// A value that is JSON already.
    pub(crate) fn raw(&mut self, name: &str, json: &str) {
        self.value(name).extend_from_slice(json.as_bytes());
    }

    /// A string.
    pub(crate) fn string(&mut self, name: &str, text: &str) {
        write_string(self.value(name), text);
    }

    /// Closes it.
    pub(crate) fn end(self) {
        self.out.push(b'}');
    }
}

/// Appends a string with its quotes and escapes.
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    if text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\') {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        out.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn members_keep_the_text_of_their_values() {
        let json = r#"{"a":1.0e+2,"b":"\ud800","a" : {"x":[1, 2]} ,"\u0063":null}"#;
        let members = Members::parse(json.as_bytes()).expect("an object");
        assert_eq!(members.get("a").map(RawValue::get), Some(r#"{"x":[1, 2]}"#));
        assert_eq!(members.get("b").map(RawValue::get), Some(r#""\ud800""#));
        assert_eq!(members.get("c").map(RawValue::get), Some("null"));
        assert_eq!(members.text("b"), None);
        let mut out = Vec::new();
        let mut object = ObjectWriter::new(&mut out);
        members.iter().for_each(|(name, value)| object.raw(name, value.get()));
        object.end();
        assert_eq!(String::from_utf8(out).expect("text"), r#"{"a":1.0e+2,"b":"\ud800","a":{"x":[1, 2]},"c":null}"#);
        assert!(Members::parse(b"[1]").is_none());
        assert!(Members::parse(b"{\"a\":1} x").is_none());
    }

    #[test]
    fn brackets_in_strings_do_not_nest() {
        assert!(!is_deeper_than(br#"{"a\\":"[[[{{{\"[[[","b":[[1],[2]]}"#, 3));
        assert!(is_deeper_than(br#"{"b":[[[1]]]}"#, 3));
    }

    proptest! {
        #[test]
        fn written_strings_read_back(text in "(\\PC|[\"\\\\\u{0}-\u{1f}]){0,20}") {
            let mut out = Vec::new();
            write_string(&mut out, &text);
            prop_assert_eq!(serde_json::from_slice::<String>(&out).expect("a string"), text);
        }
    }
}
