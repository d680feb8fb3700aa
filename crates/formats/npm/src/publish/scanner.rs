//! Takes a publish body apart while it arrives: the Base64 text of its attachments on one side, everything else, still
//! JSON, on the other. Pure; knows nothing of streams.
//!
//! The scanner follows the structure only as far as it has to in order to find `_attachments.NAME.data`. It does not
//! check the rest: whoever collects the text parses it afterwards, which refuses whatever was not JSON.

use larder_core::error::Invalid;

/// Deeper nesting is refused (protocols 0.6).
pub(super) const DEPTH_LIMIT: usize = 64;
/// A member name that has to be known is not longer.
const KEY_LIMIT_BYTES: usize = 4 << 10;

/// A part of the body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// JSON text. All of it together is the body with every streamed string empty.
    Text(&'a [u8]),
    /// The content of this attachment's `data` follows.
    AttachmentStart(String),
    /// Base64 digits.
    Data(&'a [u8]),
    /// The content is complete.
    AttachmentEnd,
}

/// The state between two chunks.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    state: State,
    open: Vec<Container>,
    /// The next string is a member name.
    expects_key: bool,
    /// The member whose value comes next, of a container that is [`Role`]d.
    key: Vec<u8>,
    saw_attachments: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Structure,
    String {
        is_key: bool,
        escaped: bool,
    },
    /// The opening quote of streamed content was passed on.
    BeforeData,
    Data,
    /// Behind a backslash within streamed content.
    DataEscape,
    AfterData,
}

#[derive(Debug)]
struct Container {
    is_object: bool,
    role: Role,
}

/// Where a container stands.
#[derive(Debug, PartialEq, Eq)]
enum Role {
    Root,
    Attachments,
    Attachment { name: String, has_data: bool },
    Other,
}

/// Attachments whose `data` is text of its own and not Base64.
#[must_use]
pub(crate) fn is_bundle(name: &str) -> bool {
    name.ends_with(".sigstore")
}

impl Scanner {
    /// Takes the next piece off the front of `input`: how many bytes it took, and the piece. It has to be called again
    /// with the rest, until the rest is empty and no piece comes.
    ///
    /// # Errors
    /// [`Invalid`] when the body is nested too deeply, has an attachment twice or escapes in Base64.
    pub(crate) fn next<'a>(&mut self, input: &'a [u8]) -> Result<(usize, Option<Piece<'a>>), Invalid> {
        match self.state {
            State::BeforeData => {
                self.state = State::Data;
                let name = match self.open.last() {
                    Some(Container { role: Role::Attachment { name, .. }, .. }) => name.clone(),
                    _ => String::new(),
                };
                Ok((0, Some(Piece::AttachmentStart(name))))
            }
            State::AfterData => {
                // The closing quote goes to the text.
                let Some(quote) = input.get(..1) else { return Ok((0, None)) };
                self.state = State::Structure;
                Ok((1, Some(Piece::Text(quote))))
            }
            State::Data | State::DataEscape => self.data(input),
            State::Structure | State::String { .. } => self.text(input),
        }
    }

    fn data<'a>(&mut self, input: &'a [u8]) -> Result<(usize, Option<Piece<'a>>), Invalid> {
        let Some(first) = input.first() else { return Ok((0, None)) };
        if self.state == State::DataEscape {
            // Some JSON writers escape every slash.
            if *first != b'/' {
                return Err(Invalid::new("the data of an attachment is not Base64"));
            }
            self.state = State::Data;
            return Ok((1, Some(Piece::Data(&input[..1]))));
        }
        match first {
            b'"' => {
                self.state = State::AfterData;
                Ok((0, Some(Piece::AttachmentEnd)))
            }
            b'\\' => {
                self.state = State::DataEscape;
                Ok((1, None))
            }
            _ => {
                let end = input.iter().position(|b| matches!(b, b'"' | b'\\')).unwrap_or(input.len());
                Ok((end, Some(Piece::Data(&input[..end]))))
            }
        }
    }

    fn text<'a>(&mut self, input: &'a [u8]) -> Result<(usize, Option<Piece<'a>>), Invalid> {
        for (at, byte) in input.iter().enumerate() {
            match self.state {
                State::String { is_key, escaped } => self.string_byte(*byte, is_key, escaped)?,
                _ => self.structure_byte(*byte)?,
            }
            if self.state == State::BeforeData {
                return Ok((at + 1, Some(Piece::Text(&input[..=at]))));
            }
        }
        Ok((input.len(), (!input.is_empty()).then_some(Piece::Text(input))))
    }

    fn string_byte(&mut self, byte: u8, is_key: bool, escaped: bool) -> Result<(), Invalid> {
        if byte == b'"' && !escaped {
            self.state = State::Structure;
            return Ok(());
        }
        if is_key {
            if self.key.len() >= KEY_LIMIT_BYTES {
                return Err(Invalid::new("the body has a member name of more than 4 KiB"));
            }
            self.key.push(byte);
        }
        self.state = State::String { is_key, escaped: byte == b'\\' && !escaped };
        Ok(())
    }

    fn structure_byte(&mut self, byte: u8) -> Result<(), Invalid> {
        match byte {
            b'{' | b'[' => {
                if self.open.len() == DEPTH_LIMIT {
                    return Err(Invalid::new(format!("the body is nested more than {DEPTH_LIMIT} levels deep")));
                }
                let role = if byte == b'{' { self.child_role()? } else { Role::Other };
                self.open.push(Container { is_object: byte == b'{', role });
                self.expects_key = byte == b'{';
            }
            b'}' | b']' => {
                self.open.pop();
                self.expects_key = false;
            }
            b',' => self.expects_key = self.open.last().is_some_and(|top| top.is_object),
            b':' => self.expects_key = false,
            b'"' => self.open_string()?,
            _ => {}
        }
        Ok(())
    }

    fn open_string(&mut self) -> Result<(), Invalid> {
        let is_data = !self.expects_key && {
            let key = std::mem::take(&mut self.key);
            match self.open.last_mut() {
                Some(Container { role: Role::Attachment { name, has_data }, .. })
                    if !is_bundle(name) && decoded(&key)? == "data" =>
                {
                    if *has_data {
                        return Err(Invalid::new(format!("the attachment '{name}' has its data twice")));
                    }
                    *has_data = true;
                    true
                }
                _ => false,
            }
        };
        self.state = if is_data {
            State::BeforeData
        } else {
            let known = self.open.last().is_some_and(|top| top.role != Role::Other);
            self.key.clear();
            State::String { is_key: self.expects_key && known, escaped: false }
        };
        Ok(())
    }

    /// What an object is that opens here.
    fn child_role(&mut self) -> Result<Role, Invalid> {
        let key = std::mem::take(&mut self.key);
        match self.open.last().map(|top| &top.role) {
            None => Ok(Role::Root),
            Some(Role::Root) if decoded(&key)? == "_attachments" => {
                if std::mem::replace(&mut self.saw_attachments, true) {
                    return Err(Invalid::new("the body has '_attachments' twice"));
                }
                Ok(Role::Attachments)
            }
            Some(Role::Attachments) => Ok(Role::Attachment { name: decoded(&key)?, has_data: false }),
            Some(_) => Ok(Role::Other),
        }
    }
}

/// A member name without its escapes.
fn decoded(raw: &[u8]) -> Result<String, Invalid> {
    let quoted = [b"\"", raw, b"\""].concat();
    serde_json::from_slice(&quoted).map_err(|_| Invalid::new("the body has a member name that is not JSON"))
}

#[cfg(test)]
mod tests;
