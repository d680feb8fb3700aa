//! Small XML documents as trees, with bounds. No DTD, so no entities but XML's own five and character references
//! (protocol reference 0.6).

use larder_core::error::Invalid;
use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

const DEPTH_LIMIT: usize = 64;
const ELEMENTS_LIMIT: usize = 200_000;

/// An element. Names are without prefix: manifests come in a dozen namespaces.
#[derive(Debug, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Element>,
    text: String,
}

impl Element {
    /// The text, without blanks around it; `None` if there is no other.
    #[must_use]
    pub(crate) fn text(&self) -> Option<&str> {
        Some(self.text.trim()).filter(|text| !text.is_empty())
    }

    /// An attribute by its local name.
    #[must_use]
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(have, _)| have == name).map(|(_, value)| value.trim())
    }

    /// The children of a name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first child of a name.
    #[must_use]
    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }
}

/// Reads a document; answers its root element.
///
/// # Errors
/// [`Invalid`] if it is not well-formed, has a DTD, or is deeper or has more elements than any manifest.
pub(crate) fn parse(document: &[u8]) -> Result<Element, Invalid> {
    let text = decode(document)?;
    let mut reader = Reader::from_str(&text);
    reader.config_mut().check_end_names = true;
    // The first one holds the root.
    let mut open = vec![Element::default()];
    let mut elements = 0;
    loop {
        let event = reader.read_event().map_err(|error| wrong(&error.to_string()))?;
        match event {
            Event::Start(start) => {
                elements += 1;
                if open.len() > DEPTH_LIMIT || elements > ELEMENTS_LIMIT {
                    return Err(wrong("it is too deep or has too many elements"));
                }
                open.push(element(&start)?);
            }
            Event::Empty(start) => {
                elements += 1;
                if elements > ELEMENTS_LIMIT {
                    return Err(wrong("it has too many elements"));
                }
                let element = element(&start)?;
                top(&mut open)?.children.push(element);
            }
            Event::End(_) => {
                let closed = open.pop().unwrap_or_default();
                top(&mut open)?.children.push(closed);
            }
            Event::Text(text) => top(&mut open)?.text.push_str(&text.xml10_content()),
            Event::CData(text) => top(&mut open)?.text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => {
                let character = resolve(&reference)?;
                top(&mut open)?.text.push(character);
            }
            Event::DocType(_) => return Err(wrong("it has a DTD")),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    match (open.len(), open.pop()) {
        (1, Some(document)) if document.children.len() == 1 && document.text().is_none() => {
            document.children.into_iter().next().ok_or_else(|| wrong("it is empty"))
        }
        _ => Err(wrong("it is not one whole element")),
    }
}

fn wrong(why: &str) -> Invalid {
    Invalid::new(format!("not a well-formed XML document: {why}"))
}

fn top(open: &mut [Element]) -> Result<&mut Element, Invalid> {
    open.last_mut().ok_or_else(|| wrong("an element ends that never began"))
}

fn element(start: &BytesStart<'_>) -> Result<Element, Invalid> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| wrong(&error.to_string()))?;
        let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0);
        let value = value.map_err(|error| wrong(&error.to_string()))?;
        attributes.push((attribute.key.local_name().as_ref().to_owned(), value.into_owned()));
    }
    Ok(Element { name: start.local_name().as_ref().to_owned(), attributes, ..Element::default() })
}

fn resolve(reference: &BytesRef<'_>) -> Result<char, Invalid> {
    if let Some(character) = reference.resolve_char_ref().map_err(|error| wrong(&error.to_string()))? {
        return Ok(character);
    }
    match &*reference.xml10_content() {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "apos" => Ok('\''),
        "quot" => Ok('"'),
        name => Err(wrong(&format!("entity '{}' is not defined", super::names::printable(name)))),
    }
}

/// UTF-8, or UTF-16 with its mark, as some old tools write.
fn decode(document: &[u8]) -> Result<String, Invalid> {
    let wide = |bytes: &[u8], read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| read([pair[0], pair[1]])).collect();
        String::from_utf16(&units).map_err(|_| wrong("its text is not UTF-16"))
    };
    match document {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] | rest => {
            std::str::from_utf8(rest).map(str::to_owned).map_err(|_| wrong("its text is not UTF-8"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_becomes_a_tree_without_prefixes() {
        let root = parse("\u{feff}<?xml version=\"1.0\"?><!-- c --><p:a xmlns:p='x' y='1 &amp; 2'>x &lt;&#65;<![CDATA[<]]><b/><c>t</c></p:a>".as_bytes()).unwrap();
        assert_eq!((root.name.as_str(), root.text(), root.attribute("y")), ("a", Some("x <A<"), Some("1 & 2")));
        assert_eq!(root.children.iter().map(|child| child.name.as_str()).collect::<Vec<_>>(), ["b", "c"]);
        let wide: Vec<u8> = "\u{feff}<a>é</a>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(parse(&wide).unwrap().text(), Some("é"));
    }

    #[test]
    fn what_is_not_one_plain_element_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(100), "</a>".repeat(100));
        for bad in [
            "",
            "text",
            "<a>",
            "<a></b>",
            "</a>",
            "<a/><b/>",
            "<a/>text",
            "<a>&x;</a>",
            "<a b='&x;'/>",
            "<a b='1' b='2'/>",
            "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
            "<!DOCTYPE a><a/>",
            &deep,
        ] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(parse(b"<a>\xff</a>").is_err());
    }
}
