//! YAML as plain data: no objects are made, tags are kept as text, aliases are refused, depth and size are bounded
//! (protocols 6.4). What the tags mean is for [`crate::gemspec`] to decide.

use larder_core::error::Invalid;
use saphyr_parser::{Event, Parser};

/// How deep collections may lie in each other.
const DEPTH: usize = 64;
/// Values of one document, so that small text does not become a large tree.
const NODES: usize = 500_000;

/// A value with its tag, such as `!ruby/object:Gem::Version`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) tag: Option<String>,
    pub(crate) value: Value,
}

/// What it is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// Text, and whether it was plain: not in quotes, so that it may be a number or null.
    Scalar(String, bool),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// The text of a scalar; none for null.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text, true) if matches!(&**text, "" | "~" | "null" | "Null" | "NULL") => None,
            Value::Scalar(text, _) => Some(text),
            _ => None,
        }
    }

    /// The members of a list; none of anything else.
    pub(crate) fn list(&self) -> &[Self] {
        if let Value::List(list) = &self.value { list } else { &[] }
    }

    /// The members of a mapping; none of anything else.
    pub(crate) fn map(&self) -> &[(Self, Self)] {
        if let Value::Map(map) = &self.value { map } else { &[] }
    }

    /// A member of a mapping.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        self.map().iter().find(|(key, _)| key.text() == Some(name)).map(|(_, value)| value)
    }
}

/// A collection that is being read.
struct Open {
    tag: Option<String>,
    is_map: bool,
    members: Vec<Node>,
}

/// Reads the one document of a text.
///
/// # Errors
/// [`Invalid`] with what is wrong.
pub(crate) fn parse(text: &str) -> Result<Node, Invalid> {
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    let mut nodes = 0;
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|error| Invalid::new(format!("the YAML cannot be read: {error}")))?;
        nodes += 1;
        if nodes > NODES || open.len() > DEPTH {
            return Err(Invalid::new("the YAML has too many values, or lies too deep"));
        }
        let tag_of = |tag: Option<std::borrow::Cow<'_, saphyr_parser::Tag>>| {
            tag.map(|tag| format!("{}{}", tag.handle, tag.suffix))
        };
        let done = match event {
            Event::Alias(_) => return Err(Invalid::new("the YAML has an alias")),
            Event::Scalar(value, style, _, tag) => {
                let plain = style == saphyr_parser::ScalarStyle::Plain;
                Node { tag: tag_of(tag), value: Value::Scalar(value.into_owned(), plain) }
            }
            Event::SequenceStart(_, tag) => {
                open.push(Open { tag: tag_of(tag), is_map: false, members: Vec::new() });
                continue;
            }
            Event::MappingStart(_, tag) => {
                open.push(Open { tag: tag_of(tag), is_map: true, members: Vec::new() });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(ended) => close(ended),
                None => return Err(Invalid::new("the YAML ends a collection that it did not begin")),
            },
            Event::DocumentStart(_) if root.is_some() => {
                return Err(Invalid::new("the YAML has more than one document"));
            }
            _ => continue,
        };
        match open.last_mut() {
            Some(outer) => outer.members.push(done),
            None => root = Some(done),
        }
    }
    root.ok_or_else(|| Invalid::new("the YAML is empty"))
}

fn close(ended: Open) -> Node {
    let Open { tag, is_map, members } = ended;
    if !is_map {
        return Node { tag, value: Value::List(members) };
    }
    let mut pairs = Vec::with_capacity(members.len() / 2);
    let mut members = members.into_iter();
    while let (Some(key), Some(value)) = (members.next(), members.next()) {
        pairs.push((key, value));
    }
    Node { tag, value: Value::Map(pairs) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tagged_mappings_are_plain_data() {
        let node = parse("--- !ruby/object:Gem::Specification\nname: a\nlist:\n- '1'\n- ~\n").unwrap();
        assert_eq!(node.tag.as_deref(), Some("!ruby/object:Gem::Specification"));
        assert_eq!(node.get("name").and_then(Node::text), Some("a"));
        let list = node.get("list").unwrap().list();
        assert_eq!((list[0].text(), list[1].text()), (Some("1"), None));
    }

    #[test]
    fn aliases_depth_and_second_documents_are_refused() {
        let deep = "[".repeat(100) + &"]".repeat(100);
        for bad in ["a: &x 1\nb: *x\n", &deep, "--- a\n--- b\n", "", "a: [1", "\t: %"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
