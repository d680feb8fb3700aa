//! Patterns of package groups (reference 4.4) and what they match (4.5).

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::super::{PackageFormat, PackageKey};
use super::AssociationType;
use super::fold::fold;
use super::scope::Scope;
use super::word::{is_other, prefixes};
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
