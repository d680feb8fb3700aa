//! Patterns of package groups (reference 4.4) and what they match (4.5).

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::super::names::check_coordinate;
use super::super::{NamespaceRule, PackageFormat, PackageKey};
use super::AssociationType;
use super::fold::fold;
use super::word::{begins, ends_in_word, is_other, prefixes};
use crate::error::Invalid;

/// Characters of a pattern (reference 1.2).
const LENGTH: std::ops::RangeInclusive<usize> = 2..=520;

/// Which packages a group is for. Parsed once; compared by its text, in which case counts.
#[derive(Clone)]
pub struct PackageGroupPattern {
    text: Box<str>,
    scope: Scope,
    /// The scope of all variants.
    folded: Scope,
}

/// What a pattern says, from the most general to the most specific.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Scope {
    All,
    Format(PackageFormat),
    /// Namespaces that begin so.
    Namespaces(PackageFormat, String),
    Namespace(PackageFormat, String),
    /// Names of one namespace that begin so.
    Names(PackageFormat, String, String),
    Package(PackageFormat, String, String),
}

/// How specific a pattern is for one package: of two that match it, the greater one is associated with it. Longer
/// patterns come before shorter ones, whether they match strongly or not: a variant never falls back to a more general
/// group. Of patterns that are variants of each other, the one that matches strongly wins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Specificity {
    level: u8,
    folded_length: usize,
    strong: bool,
    length: usize,
    /// Nothing else tells two weak matches apart.
    text: Reverse<Box<str>>,
}

impl PackageGroupPattern {
    /// `/*`: everything.
    #[must_use]
    pub fn root() -> Self {
        Self { text: "/*".into(), scope: Scope::All, folded: Scope::All }
    }

    /// Reads a pattern.
    ///
    /// # Errors
    /// [`Invalid`] with the rule of the grammar that was broken.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        if !LENGTH.contains(&text.chars().count()) || text.chars().any(|c| is_other(c) || c.is_whitespace()) {
            return Err(Invalid::new(
                "a package group pattern has 2 to 520 characters, none of them white space or control characters",
            ));
        }
        let scope = Scope::parse(text)?;
        let folded = scope.fold();
        Ok(Self { text: text.into(), scope, folded })
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is `/*`.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.scope == Scope::All
    }

    /// The format that its packages have; `None` for the root.
    #[must_use]
    pub fn format(&self) -> Option<PackageFormat> {
        self.scope.format()
    }

    /// The key under which a group is found whatever variant of a package is asked for: see
    /// [`PackagePath::candidates`].
    #[must_use]
    pub fn folded_text(&self) -> String {
        self.folded.text()
    }

    /// How the pattern matches a package, if it does.
    #[must_use]
    pub fn matches(&self, package: &PackagePath<'_>) -> Option<AssociationType> {
        let key = package.key;
        if self.scope.matches(key.format(), key.namespace().unwrap_or(""), key.name()) {
            Some(AssociationType::Strong)
        } else if self.folded.matches(key.format(), &package.namespace, &package.name) {
            Some(AssociationType::Weak)
        } else {
            None
        }
    }

    /// How the pattern matches a package and how specific it is for it, if it matches.
    #[must_use]
    pub fn specificity(&self, package: &PackagePath<'_>) -> Option<(Specificity, AssociationType)> {
        let association = self.matches(package)?;
        let specificity = Specificity {
            level: self.scope.level(),
            folded_length: self.folded.length(),
            strong: association == AssociationType::Strong,
            length: self.scope.length(),
            text: Reverse(self.text.clone()),
        };
        Some((specificity, association))
    }

    /// Whether it is another pattern that matches, strongly, all that `other` matches strongly.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.scope != other.scope && self.scope.covers(&other.scope)
    }

    /// The texts of all patterns that could cover this one. Their number depends on this one's length only.
    #[must_use]
    pub fn candidate_ancestors(&self) -> Vec<String> {
        let mut found = BTreeSet::from(["/*".to_owned()]);
        let (namespace, name) = match &self.scope {
            Scope::All => return Vec::new(),
            Scope::Format(_) => ("", ""),
            Scope::Namespaces(_, namespace) | Scope::Namespace(_, namespace) => (namespace.as_str(), ""),
            Scope::Names(_, namespace, name) | Scope::Package(_, namespace, name) => {
                (namespace.as_str(), name.as_str())
            }
        };
        if let Some(format) = self.format() {
            found.insert(Scope::Format(format).text());
            for prefix in prefixes(namespace) {
                found.insert(Scope::Namespaces(format, prefix.to_owned()).text());
            }
            found.insert(Scope::Namespace(format, namespace.to_owned()).text());
            for prefix in prefixes(name) {
                found.insert(Scope::Names(format, namespace.to_owned(), prefix.to_owned()).text());
            }
        }
        found.remove(self.as_str());
        found.into_iter().collect()
    }

    /// Of two patterns that cover a third, the more specific one is the greater.
    #[must_use]
    pub fn compare_ancestors(&self, other: &Self) -> Ordering {
        (self.scope.level(), self.scope.length()).cmp(&(other.scope.level(), other.scope.length()))
    }

    /// What the texts of all patterns begin with that this one covers.
    #[must_use]
    pub fn stem(&self) -> &str {
        &self.text[..self.text.len() - 1]
    }

    /// Which folded paths of packages (see [`PackagePath::folded_text`]) it can match at all.
    #[must_use]
    pub fn folded_range(&self) -> FoldedRange {
        let mut text = self.folded.text();
        text.pop();
        match self.folded {
            Scope::Package(..) => FoldedRange::One(text),
            _ => FoldedRange::Prefix(text),
        }
    }
}

/// See [`PackageGroupPattern::folded_range`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoldedRange {
    One(String),
    Prefix(String),
}

/// A package's coordinate with its folded form, as patterns are matched against it.
#[derive(Debug, Clone)]
pub struct PackagePath<'a> {
    key: &'a PackageKey,
    namespace: String,
    name: String,
}

impl<'a> PackagePath<'a> {
    /// Folds the coordinate.
    #[must_use]
    pub fn new(key: &'a PackageKey) -> Self {
        Self { key, namespace: fold(key.namespace().unwrap_or("")), name: fold(key.name()) }
    }

    /// The folded path: `/npm//foo.bar`. Variants have the same one.
    #[must_use]
    pub fn folded_text(&self) -> String {
        format!("/{}/{}/{}", self.key.format(), self.namespace, self.name)
    }

    /// The [`PackageGroupPattern::folded_text`] of every pattern that could match, strongly or weakly. Their number
    /// depends on the length of the coordinate only.
    #[must_use]
    pub fn candidates(&self) -> Vec<String> {
        let format = self.key.format();
        let mut found = BTreeSet::from([Scope::All.text(), Scope::Format(format).text()]);
        let namespaces = |prefix: String| Scope::Namespaces(format, prefix).text();
        let names = |prefix: String| Scope::Names(format, self.namespace.clone(), prefix).text();
        found.extend(prefixes(&self.namespace).map(str::to_owned).map(namespaces));
        found.extend(prefixes(&self.name).map(str::to_owned).map(names));
        // Words may end elsewhere before folding than after it, but not in ASCII.
        let namespace = self.key.namespace().unwrap_or("");
        if !namespace.is_ascii() {
            found.extend(prefixes(namespace).map(fold).map(namespaces));
        }
        if !self.key.name().is_ascii() {
            found.extend(prefixes(self.key.name()).map(fold).map(names));
        }
        found.insert(Scope::Namespace(format, self.namespace.clone()).text());
        found.insert(Scope::Package(format, self.namespace.clone(), self.name.clone()).text());
        found.into_iter().collect()
    }
}

impl Scope {
    fn parse(text: &str) -> Result<Self, Invalid> {
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

    fn format(&self) -> Option<PackageFormat> {
        match self {
            Self::All => None,
            Self::Format(format)
            | Self::Namespaces(format, _)
            | Self::Namespace(format, _)
            | Self::Names(format, ..)
            | Self::Package(format, ..) => Some(*format),
        }
    }

    fn fold(&self) -> Self {
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
    fn text(&self) -> String {
        match self {
            Self::All => "/*".to_owned(),
            Self::Format(format) => format!("/{format}/*"),
            Self::Namespaces(format, prefix) => format!("/{format}/{prefix}{}", terminator(prefix)),
            Self::Namespace(format, namespace) => format!("/{format}/{namespace}/*"),
            Self::Names(format, namespace, prefix) => format!("/{format}/{namespace}/{prefix}{}", terminator(prefix)),
            Self::Package(format, namespace, name) => format!("/{format}/{namespace}/{name}$"),
        }
    }

    fn level(&self) -> u8 {
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
    fn length(&self) -> usize {
        match self {
            Self::Namespaces(_, prefix) | Self::Names(_, _, prefix) => prefix.chars().count(),
            Self::All | Self::Format(_) | Self::Namespace(..) | Self::Package(..) => 0,
        }
    }

    fn matches(&self, format: PackageFormat, namespace: &str, name: &str) -> bool {
        self.format().is_none_or(|own| own == format)
            && match self {
                Self::All | Self::Format(_) => true,
                Self::Namespaces(_, prefix) => begins(namespace, prefix),
                Self::Namespace(_, own) => own == namespace,
                Self::Names(_, own, prefix) => own == namespace && begins(name, prefix),
                Self::Package(_, own, own_name) => own == namespace && own_name == name,
            }
    }

    fn covers(&self, other: &Self) -> bool {
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
fn terminator(prefix: &str) -> char {
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

impl PartialEq for PackageGroupPattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for PackageGroupPattern {}

impl fmt::Display for PackageGroupPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for PackageGroupPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl FromStr for PackageGroupPattern {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests;
