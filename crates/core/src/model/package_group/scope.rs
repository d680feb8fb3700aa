//! The six forms of patterns (reference 4.4).

use super::super::names::check_coordinate;
use super::super::{NamespaceRule, PackageFormat};
use super::fold::fold;
use super::word::{begins, ends_in_word};
use crate::error::Invalid;

/// What a pattern says, from the most general to the most specific.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scope {
    All,
    Format(PackageFormat),
    /// Namespaces that begin so.
    Namespaces(PackageFormat, String),
    Namespace(PackageFormat, String),
    /// Names of one namespace that begin so.
    Names(PackageFormat, String, String),
    Package(PackageFormat, String, String),
}

impl Scope {
    /// Reads a pattern by the grammar.
    pub(super) fn parse(text: &str) -> Result<Self, Invalid> {
        const FORMS: &str = "a package group pattern is one of /*, /FORMAT/*, /FORMAT/NAMESPACE~, /FORMAT/NAMESPACE/*, \
                             /FORMAT/NAMESPACE/NAME~ and /FORMAT/NAMESPACE/NAME$";
        let forms = || Invalid::new(FORMS);
        if text == "/*" {
            return Ok(Self::All);
        }
        let body = text.strip_prefix('/').ok_or_else(forms)?;
        let (end, terminator) =
            body.char_indices().next_back().filter(|(_, c)| "*$~".contains(*c)).ok_or_else(forms)?;
        let parts: Vec<&str> = body[..end].split('/').collect();
        let format = |text: &str| text.parse::<PackageFormat>();
        match (parts.as_slice(), terminator) {
            ([name, ""], '*') => Ok(Self::Format(format(name)?)),
            ([name, prefix], '*' | '~') => {
                let format = format(name)?;
                if format.namespace_rule() == NamespaceRule::None {
                    return Err(no_namespace(format));
                }
                check_prefix(format, prefix, terminator)?;
                Ok(Self::Namespaces(format, (*prefix).to_owned()))
            }
            ([name, namespace, rest], _) => {
                let format = format(name)?;
                check_namespace(format, namespace)?;
                let namespace = (*namespace).to_owned();
                if rest.is_empty() && terminator == '*' {
                    return Ok(Self::Namespace(format, namespace));
                }
                if terminator == '$' {
                    check_part(format, rest)?;
                    return Ok(Self::Package(format, namespace, (*rest).to_owned()));
                }
                check_prefix(format, rest, terminator)?;
                Ok(Self::Names(format, namespace, (*rest).to_owned()))
            }
            _ => Err(forms()),
        }
    }

    /// The format of what it matches; `None` for everything.
    pub(super) fn format(&self) -> Option<PackageFormat> {
        match self {
            Self::All => None,
            Self::Format(format)
            | Self::Namespaces(format, _)
            | Self::Namespace(format, _)
            | Self::Names(format, ..)
            | Self::Package(format, ..) => Some(*format),
        }
    }

    /// The scope of all variants.
    pub(super) fn fold(&self) -> Self {
        match self {
            Self::All => Self::All,
            Self::Format(format) => Self::Format(*format),
            Self::Namespaces(format, prefix) => Self::Namespaces(*format, fold(prefix)),
            Self::Namespace(format, namespace) => Self::Namespace(*format, fold(namespace)),
            Self::Names(format, namespace, prefix) => Self::Names(*format, fold(namespace), fold(prefix)),
            Self::Package(format, namespace, name) => Self::Package(*format, fold(namespace), fold(name)),
        }
    }

    /// As a pattern, except that a prefix may end with `~` where a pattern must have `*`.
    pub(super) fn text(&self) -> String {
        match self {
            Self::All => "/*".to_owned(),
            Self::Format(format) => format!("/{format}/*"),
            Self::Namespaces(format, prefix) => format!("/{format}/{prefix}{}", terminator(prefix)),
            Self::Namespace(format, namespace) => format!("/{format}/{namespace}/*"),
            Self::Names(format, namespace, prefix) => format!("/{format}/{namespace}/{prefix}{}", terminator(prefix)),
            Self::Package(format, namespace, name) => format!("/{format}/{namespace}/{name}$"),
        }
    }

    /// From the most general (0) to the most specific form.
    pub(super) fn level(&self) -> u8 {
        match self {
            Self::All => 0,
            Self::Format(_) => 1,
            Self::Namespaces(..) => 2,
            Self::Namespace(..) => 3,
            Self::Names(..) => 4,
            Self::Package(..) => 5,
        }
    }

    /// Characters of the prefix: what tells scopes of one level apart that match the same package.
    pub(super) fn length(&self) -> usize {
        match self {
            Self::Namespaces(_, prefix) | Self::Names(_, _, prefix) => prefix.chars().count(),
            Self::All | Self::Format(_) | Self::Namespace(..) | Self::Package(..) => 0,
        }
    }

    /// Whether it matches a coordinate; no namespace is empty.
    pub(super) fn matches(&self, format: PackageFormat, namespace: &str, name: &str) -> bool {
        self.format().is_none_or(|own| own == format)
            && match self {
                Self::All | Self::Format(_) => true,
                Self::Namespaces(_, prefix) => begins(namespace, prefix),
                Self::Namespace(_, own) => own == namespace,
                Self::Names(_, own, prefix) => own == namespace && begins(name, prefix),
                Self::Package(_, own, own_name) => own == namespace && own_name == name,
            }
    }

    /// Whether it matches all that the other matches.
    pub(super) fn covers(&self, other: &Self) -> bool {
        if self.format().is_some() && self.format() != other.format() {
            return false;
        }
        match (self, other) {
            (Self::All, _) => true,
            (Self::Format(_), other) => *other != Self::All,
            (
                Self::Namespaces(_, prefix),
                Self::Namespaces(_, other)
                | Self::Namespace(_, other)
                | Self::Names(_, other, _)
                | Self::Package(_, other, _),
            ) => begins(other, prefix),
            (
                Self::Namespace(_, own),
                Self::Namespace(_, other) | Self::Names(_, other, _) | Self::Package(_, other, _),
            ) => own == other,
            (Self::Names(_, own, prefix), Self::Names(_, namespace, other) | Self::Package(_, namespace, other)) => {
                own == namespace && begins(other, prefix)
            }
            (Self::Package(..), Self::Package(..)) => self == other,
            _ => false,
        }
    }
}

/// How a prefix ends: `~` after a word, `*` after any other character.
pub(super) fn terminator(prefix: &str) -> char {
    if ends_in_word(prefix) { '~' } else { '*' }
}

fn no_namespace(format: PackageFormat) -> Invalid {
    Invalid::new(format!("packages of format {format} have no namespace: leave it empty, as in /{format}//NAME$"))
}

fn check_namespace(format: PackageFormat, namespace: &str) -> Result<(), Invalid> {
    match (format.namespace_rule(), namespace.is_empty()) {
        (NamespaceRule::None, false) => Err(no_namespace(format)),
        (NamespaceRule::Required, true) => {
            Err(Invalid::new(format!("packages of format {format} need a namespace, as in /{format}/NAMESPACE/*")))
        }
        (_, true) => Ok(()),
        (_, false) => check_part(format, namespace),
    }
}

/// A prefix that ends as its terminator wants it.
fn check_prefix(format: PackageFormat, prefix: &str, given: char) -> Result<(), Invalid> {
    check_part(format, prefix)?;
    match (given, terminator(prefix)) {
        ('*', '~') => {
            Err(Invalid::new("'*' stands for all values of a part or follows punctuation; after a word, end with '~'"))
        }
        ('~', '*') => Err(Invalid::new("'~' must follow a letter or number; after another character, end with '*'")),
        _ => Ok(()),
    }
}

/// A namespace, name or the beginning of one: what such a part may hold, in its format's normalized form.
fn check_part(format: PackageFormat, part: &str) -> Result<(), Invalid> {
    check_coordinate(part).map_err(|rule| Invalid::new(format!("a part of a package group pattern {rule}")))?;
    let normalized = match format {
        PackageFormat::Pypi => {
            !part.contains(['_', '.']) && !part.contains("--") && !part.contains(|c: char| c.is_ascii_uppercase())
        }
        PackageFormat::Nuget | PackageFormat::Swift => part == part.to_lowercase(),
        _ => true,
    };
    if normalized {
        return Ok(());
    }
    Err(Invalid::new(format!("'{part}' must be in the normalized form of {format} packages")))
}
