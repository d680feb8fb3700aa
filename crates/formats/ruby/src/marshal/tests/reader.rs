//! Reading Marshal 4.8, as far as gemspecs and lists of them need it: trees that compare equal if Ruby would load equal
//! objects. Panics on anything else.

use std::collections::BTreeMap;

/// An object of Ruby's.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Nil,
    Bool(bool),
    Int(usize),
    Text(String),
    Symbol(String),
    List(Vec<Value>),
    Map(Vec<(Value, Value)>),
    /// With its instance variables.
    Object(String, BTreeMap<String, Value>),
    /// One that makes itself of another.
    Made(String, Box<Value>),
    /// One that makes itself of bytes, with instance variables; of a gemspec, what is in the bytes.
    Dumped(String, Vec<u8>, BTreeMap<String, Value>),
}

impl Value {
    /// What clients make no difference of: Ruby has nil, an empty text or an empty list for what a gemspec does not say; a
    /// platform as text is one to them; and dependencies say again what they require, for RubyGems before 1.3.
    pub(super) fn simplified(self) -> Self {
        match self {
            Self::Text(text) if text.is_empty() => Self::Nil,
            Self::List(list) if list.is_empty() => Self::Nil,
            Self::List(list) => Self::List(list.into_iter().map(Self::simplified).collect()),
            Self::Made(class, of) => Self::Made(class, Box::new(of.simplified())),
            Self::Object(class, parts) if class == "Gem::Platform" => {
                let parts = ["@cpu", "@os", "@version"].map(|part| parts[part].clone());
                let texts =
                    parts.into_iter().filter_map(|part| if let Self::Text(text) = part { Some(text) } else { None });
                Self::Text(texts.collect::<Vec<_>>().join("-"))
            }
            Self::Object(class, mut variables) if class == "Gem::Dependency" => {
                if let Some(again) = variables.remove("@version_requirements") {
                    assert_eq!(again, variables["@requirement"]);
                }
                Self::Object(class, variables)
            }
            other => other,
        }
    }
}

/// Reads a document to its last byte.
pub(super) fn read(bytes: &[u8]) -> Value {
    let rest = bytes.strip_prefix(&[4, 8]).expect("version 4.8");
    let mut reader = Reader { rest, symbols: Vec::new(), objects: Vec::new() };
    let value = reader.value();
    assert!(reader.rest.is_empty(), "bytes behind the end: {:?}", reader.rest);
    value
}

struct Reader<'a> {
    rest: &'a [u8],
    symbols: Vec<String>,
    /// What links name, in the order in which it begins.
    objects: Vec<Value>,
}

impl Reader<'_> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.rest.split_first().expect("more bytes");
        self.rest = rest;
        *first
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        let (taken, rest) = self.rest.split_at(count);
        self.rest = rest;
        taken.to_vec()
    }

    fn count(&mut self) -> usize {
        match self.byte() {
            0 => 0,
            length @ 1..=4 => {
                let bytes = self.take(usize::from(length));
                bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
            }
            small @ 6..=127 => usize::from(small) - 5,
            other => panic!("a negative count: {other}"),
        }
    }

    fn bytes(&mut self) -> Vec<u8> {
        let count = self.count();
        self.take(count)
    }

    fn symbol(&mut self) -> String {
        match self.byte() {
            b':' => {
                let name = String::from_utf8(self.bytes()).expect("UTF-8");
                self.symbols.push(name.clone());
                name
            }
            b';' => {
                let number = self.count();
                self.symbols[number].clone()
            }
            other => panic!("no symbol: {other}"),
        }
    }

    fn variables(&mut self) -> BTreeMap<String, Value> {
        (0..self.count()).map(|_| (self.symbol(), self.value())).collect()
    }

    /// Keeps a place for an object that begins here.
    fn place(&mut self) -> usize {
        self.objects.push(Value::Nil);
        self.objects.len() - 1
    }

    fn value(&mut self) -> Value {
        match self.rest[0] {
            b':' | b';' => return Value::Symbol(self.symbol()),
            b'@' => {
                self.byte();
                let number = self.count();
                // The document itself is number 0.
                return self.objects[number].clone();
            }
            _ => {}
        }
        match self.byte() {
            b'0' => Value::Nil,
            b'T' => Value::Bool(true),
            b'F' => Value::Bool(false),
            b'i' => Value::Int(self.count()),
            b'I' => self.with_variables(),
            b'u' => self.dumped(false),
            kind => {
                let place = self.place();
                let value = match kind {
                    b'[' => Value::List((0..self.count()).map(|_| self.value()).collect()),
                    b'{' => Value::Map((0..self.count()).map(|_| (self.value(), self.value())).collect()),
                    b'U' => Value::Made(self.symbol(), Box::new(self.value())),
                    b'o' => Value::Object(self.symbol(), self.variables()),
                    other => panic!("a kind of value that gemspecs have not: {other}"),
                };
                self.objects[place] = value.clone();
                value
            }
        }
    }

    fn with_variables(&mut self) -> Value {
        match self.byte() {
            b'"' => {
                let place = self.place();
                let text = Value::Text(String::from_utf8(self.bytes()).expect("UTF-8"));
                // Its encoding: of what is in gemspecs, all say the same of the same bytes.
                assert!(self.variables().keys().eq(["E"]));
                self.objects[place] = text.clone();
                text
            }
            b'u' => self.dumped(true),
            other => panic!("a kind of value that gemspecs have no variables of: {other}"),
        }
    }

    fn dumped(&mut self, has_variables: bool) -> Value {
        let class = self.symbol();
        let bytes = self.bytes();
        let variables = if has_variables { self.variables() } else { BTreeMap::new() };
        let value = if class == "Gem::Specification" {
            Value::Made(class, Box::new(read(&bytes)))
        } else {
            Value::Dumped(class, bytes, variables)
        };
        self.objects.push(value.clone());
        value
    }
}
