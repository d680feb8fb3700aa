//! XML as POMs and metadata have it, read strictly and with bounds: no document type, no entities but XML's own five and
//! characters by number, at most [`DEPTH_LIMIT`] levels and [`ELEMENTS_LIMIT`] elements.

use larder_core::error::Invalid;
use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// Nesting of elements (protocol reference 0.6).
const DEPTH_LIMIT: usize = 64;
/// A package of 100,000 versions is far below.
const ELEMENTS_LIMIT: usize = 500_000;

/// An element with what is in it; attributes, comments and processing instructions are passed over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element {
    /// Without prefix.
    pub(crate) name: String,
    /// All text directly in it, trimmed.
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    /// Reads a document; what is not UTF-8 is taken for Latin-1, which old POMs are in.
    ///
    /// # Errors
    /// [`Invalid`] saying what is wrong with it.
    pub(crate) fn parse(document: &[u8]) -> Result<Self, Invalid> {
        match std::str::from_utf8(document) {
            Ok(text) => read(text.strip_prefix('\u{feff}').unwrap_or(text)),
            Err(_) => read(&document.iter().copied().map(char::from).collect::<String>()),
        }
    }

    /// The first child of that name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The children of the first child `list`, of the name `item`.
    pub(crate) fn items<'a>(&'a self, list: &str, item: &'a str) -> impl Iterator<Item = &'a Self> {
        let list = self.child(list).into_iter();
        list.flat_map(|list| &list.children).filter(move |child| child.name == item)
    }

    /// The text of the first child of that name, if there is any.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str()).filter(|text| !text.is_empty())
    }
}

fn read(text: &str) -> Result<Element, Invalid> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut elements = 0_usize;
    loop {
        let event = reader.read_event().map_err(|error| Invalid::new(format!("it is no XML: {error}")))?;
        match event {
            Event::Start(start) => {
                count(&mut elements)?;
                if open.len() >= DEPTH_LIMIT {
                    return Err(Invalid::new(format!("its elements are nested more than {DEPTH_LIMIT} deep")));
                }
                refuse_second(&root)?;
                open.push(named(&start));
            }
            Event::Empty(start) => {
                count(&mut elements)?;
                refuse_second(&root)?;
                close(named(&start), &mut open, &mut root);
            }
            // That the names fit is checked by the reader.
            Event::End(_) => {
                if let Some(element) = open.pop() {
                    close(element, &mut open, &mut root);
                }
            }
            Event::Text(text) => add_text(&mut open, &text)?,
            Event::CData(text) => add_text(&mut open, &text)?,
            Event::GeneralRef(reference) => {
                let character = resolve(&reference)?;
                add_text(&mut open, character.encode_utf8(&mut [0; 4]))?;
            }
            Event::DocType(_) => return Err(Invalid::new("it has a document type (DOCTYPE), which is not allowed")),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => break,
        }
    }
    if let Some(element) = open.last() {
        return Err(Invalid::new(format!("element '{}' is not closed", shorten(&element.name))));
    }
    root.ok_or_else(|| Invalid::new("it has no element"))
}

fn count(elements: &mut usize) -> Result<(), Invalid> {
    *elements += 1;
    if *elements > ELEMENTS_LIMIT {
        return Err(Invalid::new(format!("it has more than {ELEMENTS_LIMIT} elements")));
    }
    Ok(())
}

fn refuse_second(root: &Option<Element>) -> Result<(), Invalid> {
    match root {
        Some(_) => Err(Invalid::new("it has more than one root element")),
        None => Ok(()),
    }
}

fn named(start: &BytesStart<'_>) -> Element {
    let name = start.name();
    let name: &str = name.as_ref();
    Element { name: name.rsplit(':').next().unwrap_or(name).to_owned(), ..Element::default() }
}

fn close(mut element: Element, open: &mut [Element], root: &mut Option<Element>) {
    let trimmed = element.text.trim();
    if trimmed.len() != element.text.len() {
        element.text = trimmed.to_owned();
    }
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None => *root = Some(element),
    }
}

fn add_text(open: &mut [Element], text: &str) -> Result<(), Invalid> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err(Invalid::new("it has text outside its root element")),
    }
    Ok(())
}

fn resolve(reference: &BytesRef<'_>) -> Result<char, Invalid> {
    let name: &str = reference;
    let unknown = || Invalid::new(format!("entity '&{};' is not allowed", shorten(name)));
    if reference.is_char_ref() {
        return reference.resolve_char_ref().ok().flatten().ok_or_else(unknown);
    }
    match name {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(unknown()),
    }
}

fn shorten(name: &str) -> String {
    name.chars().take(40).filter(|c| !c.is_control()).collect()
}

/// Text as it stands between tags. Control characters, which XML 1.0 cannot hold, become `?`.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            c if c.is_control() && !matches!(c, '\t' | '\n' | '\r') => escaped.push('?'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_with_their_text() {
        let text = "\u{feff}<?xml version=\"1.0\"?><!-- c --><m:a xmlns:m='x'><b> one &amp; <![CDATA[<two>]]>&#33; </b><c/></m:a>\n";
        let root = Element::parse(text.as_bytes()).unwrap();
        assert_eq!((root.name.as_str(), root.value("b"), root.value("c")), ("a", Some("one & <two>!"), None));
        assert!(root.child("c").is_some());
        let latin = Element::parse(b"<a><b>caf\xe9</b></a>").unwrap();
        assert_eq!(latin.value("b"), Some("café"));
    }

    #[test]
    fn what_is_dangerous_or_broken_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(65), "</a>".repeat(65));
        let many = format!("<r>{}</r>", "<a/>".repeat(ELEMENTS_LIMIT));
        for bad in [
            "",
            "text",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>text",
            "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
            "<a>&x;</a>",
            "<a>&#xFFFFFFFF;</a>",
            "<a>&nbsp;</a>",
            &deep,
            &many,
            "<html><br></html>",
        ] {
            assert!(Element::parse(bad.as_bytes()).is_err(), "{}", &bad[..bad.len().min(60)]);
        }
    }

    #[test]
    fn escaped_text_is_read_back() {
        let text = "a<b>&\"'é\u{1}";
        let root = Element::parse(format!("<a>{}</a>", escape(text)).as_bytes()).unwrap();
        assert_eq!(root.text, "a<b>&\"'é?");
    }
}
