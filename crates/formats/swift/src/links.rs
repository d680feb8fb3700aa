//! `Link` headers. SwiftPM splits them at commas and semicolons without looking at quotes, and wants exactly the
//! parameters that the protocol gives each relation, in its order (protocol reference 5.1).

use std::fmt::Write as _;

/// A header that is being put together.
#[derive(Debug, Default)]
pub(crate) struct Links(String);

impl Links {
    /// Adds an address of this relation.
    pub(crate) fn add(&mut self, url: &str, relation: &str) {
        self.separate();
        let _ = write!(self.0, "<{url}>; rel=\"{relation}\"");
    }

    /// Adds a variant of a manifest.
    pub(crate) fn add_manifest(&mut self, url: &str, file: &str, tools_version: &str) {
        self.separate();
        let _ =
            write!(self.0, "<{url}>; rel=\"alternate\"; filename=\"{file}\"; swift-tools-version=\"{tools_version}\"");
    }

    fn separate(&mut self) {
        if !self.0.is_empty() {
            self.0.push_str(", ");
        }
    }

    /// The header's value; `None` if there is nothing to say.
    pub(crate) fn value(self) -> Option<String> {
        (!self.0.is_empty()).then_some(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_have_the_parameters_that_clients_count() {
        let mut links = Links::default();
        links.add("https://h/a/B/1.0.0", "latest-version");
        links.add_manifest("https://h/a/B/1.0.0/Package.swift?swift-version=5.9", "Package@swift-5.9.swift", "5.9");
        let value = links.value().unwrap();
        assert_eq!(
            value,
            "<https://h/a/B/1.0.0>; rel=\"latest-version\", \
             <https://h/a/B/1.0.0/Package.swift?swift-version=5.9>; rel=\"alternate\"; \
             filename=\"Package@swift-5.9.swift\"; swift-tools-version=\"5.9\""
        );
        let counts: Vec<usize> = value.split(',').map(|link| link.split(';').count()).collect();
        assert_eq!(counts, [2, 4]);
        assert_eq!(Links::default().value(), None);
    }
}
