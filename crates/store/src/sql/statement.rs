//! SQL text, written once for both databases.

use std::sync::OnceLock;

/// A statement: PostgreSQL's text with `$n` parameters, and SQLite's, which says `?n`, made at first use.
pub(crate) struct Sql {
    name: &'static str,
    text: &'static str,
    sqlite: OnceLock<Box<str>>,
}

impl Sql {
    /// Made by [`statements!`].
    pub(crate) const fn new(name: &'static str, text: &'static str) -> Self {
        Self { name, text, sqlite: OnceLock::new() }
    }

    /// Module and constant, for messages.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// The text as PostgreSQL reads it.
    pub(crate) fn postgres(&self) -> &'static str {
        self.text
    }

    /// The text as SQLite reads it: a bare `$1` there is a *name*, numbered by first appearance.
    pub(crate) fn sqlite(&self) -> &str {
        self.sqlite.get_or_init(|| self.text.replace('$', "?").into_boxed_str())
    }
}

/// Declares the statements of a module and lists them in `STATEMENTS`. A `$` stands before parameter numbers only.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)*) => {
        $(
            $(#[$doc])*
            static $name: $crate::sql::Sql =
                $crate::sql::Sql::new(concat!(module_path!(), "::", stringify!($name)), $text);
        )*
        /// Every statement of this module.
        pub(super) static STATEMENTS: &[&$crate::sql::Sql] = &[$(&$name),*];
    };
}
pub(crate) use statements;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_gets_numbered_parameters() {
        static SWAPPED: Sql = Sql::new("test", "SELECT $2, $1");
        assert_eq!(SWAPPED.sqlite(), "SELECT ?2, ?1");
        assert_eq!(SWAPPED.postgres(), "SELECT $2, $1");
    }
}
