//! XML as query services answer it: elements in elements, and lists of `member`.

/// Elements, written one after the other.
#[derive(Debug, Default)]
pub(crate) struct Xml {
    text: String,
    depth: usize,
}

impl Xml {
    /// Below so many elements.
    pub(super) fn at_depth(depth: usize) -> Self {
        Self { text: String::new(), depth }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// `<name>text</name>`.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.indent();
        for part in ["<", name, ">", &escape(text), "</", name, ">\n"] {
            self.text.push_str(part);
        }
    }

    /// As [`Xml::text`], if there is a text.
    pub(crate) fn optional(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// `<name>`, what `content` writes, `</name>`.
    pub(crate) fn nested(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.indent();
        for part in ["<", name, ">\n"] {
            self.text.push_str(part);
        }
        self.depth += 1;
        content(self);
        self.depth -= 1;
        self.indent();
        for part in ["</", name, ">\n"] {
            self.text.push_str(part);
        }
    }

    fn indent(&mut self) {
        for _ in 0..self.depth {
            self.text.push_str("  ");
        }
    }
}

/// Text as XML holds it. Characters that XML 1.0 cannot hold at all become `?`.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\r' | '\t' => escaped.push(character),
            character if character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}') => escaped.push('?'),
            character => escaped.push(character),
        }
    }
    escaped
}
