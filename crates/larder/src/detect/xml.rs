//! Small configuration files in XML, as trees.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// No client's settings are deeper.
const DEPTH_LIMIT: usize = 64;

/// An element, its names without prefix.
#[derive(Debug, Default)]
pub(super) struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Element>,
    text: String,
}

impl Element {
    /// The elements at the end of a path.
    pub(super) fn at(&self, path: &[&str]) -> Vec<&Self> {
        let mut found = vec![self];
        for name in path {
            found =
                found.into_iter().flat_map(|element| &element.children).filter(|child| child.name == *name).collect();
        }
        found
    }

    /// The text of the first child of a name, without blanks around it.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let child = self.children.iter().find(|child| child.name == name)?;
        Some(child.text()).filter(|text| !text.is_empty())
    }

    /// Its text, without blanks around it.
    pub(super) fn text(&self) -> &str {
        self.text.trim()
    }

    /// An attribute.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }
}

/// Reads a document; answers what holds its root element. References to entities other than XML's own are left out.
pub(super) fn parse(document: &str) -> Result<Element, String> {
    let mut reader = Reader::from_str(document);
    let mut open = vec![Element::default()];
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) if open.len() > DEPTH_LIMIT => {
                return Err(format!("<{}> is too deep", start.local_name().as_ref()));
            }
            Event::Start(start) => open.push(element(&start)),
            Event::Empty(start) => {
                let element = element(&start);
                open.last_mut().ok_or("nothing is open")?.children.push(element);
            }
            Event::End(_) => {
                let closed = open.pop().unwrap_or_default();
                open.last_mut().ok_or("an element ends that never began")?.children.push(closed);
            }
            Event::Text(text) => open.last_mut().ok_or("nothing is open")?.text.push_str(&text.xml10_content()),
            Event::CData(text) => open.last_mut().ok_or("nothing is open")?.text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => {
                let name = reference.xml10_content().into_owned();
                let known = quick_xml::escape::resolve_predefined_entity(&name).unwrap_or_default();
                open.last_mut().ok_or("nothing is open")?.text.push_str(known);
            }
            Event::Eof => break,
            Event::DocType(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
    match (open.len(), open.pop()) {
        (1, Some(document)) => Ok(document),
        _ => Err("an element is not closed".to_owned()),
    }
}

fn element(start: &BytesStart<'_>) -> Element {
    let attributes = start.attributes().flatten().filter_map(|attribute| {
        let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok()?;
        Some((attribute.key.local_name().as_ref().to_owned(), value.into_owned()))
    });
    Element { attributes: attributes.collect(), name: start.local_name().as_ref().to_owned(), ..Element::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_as_a_tree() {
        let document =
            parse("<?xml version='1.0'?><a><b c='1 &amp; 2'> x &amp; <![CDATA[<y>]]></b><!-- n --><b/></a>").unwrap();
        let found = document.at(&["a", "b"]);
        assert_eq!((found.len(), found[0].text(), found[0].attribute("c")), (2, "x & <y>", Some("1 & 2")));
        assert_eq!(document.at(&["a"])[0].value("b"), Some("x & <y>"));
        for bad in ["<a>", "</a>", "<a></b>", &"<a>".repeat(100)] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
