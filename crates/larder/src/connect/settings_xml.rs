//! Additions to a configuration in XML that leave the rest of it as it is.

use quick_xml::Reader;
use quick_xml::events::Event;

/// What is added: the name of a section of the root element, and the text inside it.
pub(super) type Addition = (&'static str, String);

const BYTE_ORDER_MARK: char = '\u{feff}';

/// Where a section's content begins, or how it is made to have one.
enum Place {
    /// After this byte.
    Inside(usize),
    /// `<section/>`, these bytes.
    Empty(usize, usize),
    Missing,
}

/// Adds to the sections of the document's root, at their beginning, so that what is added comes first.
///
/// # Errors
/// When the document is not well-formed or has another root.
pub(super) fn add(document: &str, root: &str, additions: &[Addition]) -> Result<String, String> {
    // .NET writes a mark of the byte order in front.
    let plain = document.trim_start_matches(BYTE_ORDER_MARK);
    let mark = &document[..document.len() - plain.len()];
    let mut text = plain.to_owned();
    for (section, content) in additions {
        let (place, end) = find(&text, root, section)?;
        match place {
            Place::Inside(at) => text.insert_str(at, &format!("\n{content}")),
            Place::Empty(from, to) => {
                text.replace_range(from..to, &format!("<{section}>\n{content}  </{section}>"));
            }
            Place::Missing => text.insert_str(end, &format!("  <{section}>\n{content}  </{section}>\n")),
        }
    }
    Ok(format!("{mark}{text}"))
}

/// The section's place and where the root's end tag begins.
fn find(document: &str, root: &str, section: &str) -> Result<(Place, usize), String> {
    let mut reader = Reader::from_str(document);
    let mut open: Vec<String> = Vec::new();
    let mut place = Place::Missing;
    loop {
        let from = position(&reader);
        let event = reader.read_event().map_err(|error| format!("it is not XML: {error}"))?;
        let to = position(&reader);
        match event {
            Event::Start(start) => {
                let name = start.local_name().as_ref().to_owned();
                if open.is_empty() && name != root {
                    return Err(format!("its root is <{name}>, not <{root}>"));
                }
                if open.len() == 1 && name == section && matches!(place, Place::Missing) {
                    place = Place::Inside(to);
                }
                open.push(name);
            }
            Event::Empty(start) => {
                let is_section = open.len() == 1 && start.local_name().as_ref() == section;
                if is_section && matches!(place, Place::Missing) {
                    place = Place::Empty(from, to);
                }
            }
            Event::End(_) => {
                open.pop();
                if open.is_empty() {
                    return Ok((place, from));
                }
            }
            Event::Eof => return Err(format!("it has no <{root}>…</{root}>")),
            _ => {}
        }
    }
}

fn position(reader: &Reader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}

/// Text as it stands in an element or attribute.
pub(super) fn escape(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_gain_what_is_added_and_the_rest_stays() {
        let added = |document: &str| add(document, "settings", &[("servers", "    <server/>\n".to_owned())]);
        assert_eq!(
            added("<settings>\n  <!-- <servers> -->\n  <servers>\n  </servers>\n</settings>\n").unwrap(),
            "<settings>\n  <!-- <servers> -->\n  <servers>\n    <server/>\n\n  </servers>\n</settings>\n"
        );
        assert_eq!(
            added("<settings xmlns=\"x\"><servers/></settings>").unwrap(),
            "<settings xmlns=\"x\"><servers>\n    <server/>\n  </servers></settings>"
        );
        assert_eq!(
            added("<settings><a><servers/></a></settings>").unwrap(),
            "<settings><a><servers/></a>  <servers>\n    <server/>\n  </servers>\n</settings>"
        );
        for bad in ["", "<project></project>", "<settings>", "<settings><a></settings>"] {
            assert!(added(bad).is_err(), "{bad}");
        }
    }
}
