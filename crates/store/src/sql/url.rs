//! Where the metadata lives.

use std::fmt;
use std::path::PathBuf;

use larder_core::error::Invalid;

/// A database's address. `Debug` and `Display` hide the password.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file; created if it is not there.
    Sqlite(PathBuf),
    /// `postgres://…` with everything that libpq allows there but TLS.
    Postgres(String),
}

impl DatabaseUrl {
    /// Reads `sqlite:/path/to/file`, a bare path, or `postgres://…`.
    ///
    /// # Errors
    /// [`Invalid`] for an empty path or another scheme.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        let path = match text.strip_prefix("sqlite:") {
            // sqlite:///absolute and sqlite:/absolute are the same file.
            Some(rest) => rest.strip_prefix("//").unwrap_or(rest),
            None if text.contains("://") => {
                return Err(Invalid::new("a database is 'sqlite:/path/to/file', a path, or 'postgres://…'"));
            }
            None => text,
        };
        if path.is_empty() {
            return Err(Invalid::new("the database's path is empty"));
        }
        Ok(Self::Sqlite(PathBuf::from(path)))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(text) => match url::Url::parse(text) {
                Ok(mut url) => {
                    if url.password().is_some() {
                        // Fails for URLs without a host only, which have no password.
                        let _ = url.set_password(Some("***"));
                    }
                    url.set_query(None);
                    write!(f, "{url}")
                }
                Err(_) => f.write_str("postgres://…"),
            },
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_urls_are_told_apart() {
        for (text, path) in [
            ("sqlite:/data/larder.db", "/data/larder.db"),
            ("sqlite:///data/larder.db", "/data/larder.db"),
            ("sqlite:larder.db", "larder.db"),
            ("data/larder.db", "data/larder.db"),
        ] {
            assert_eq!(DatabaseUrl::parse(text), Ok(DatabaseUrl::Sqlite(path.into())), "{text}");
        }
        assert!(matches!(DatabaseUrl::parse("postgresql://db/larder"), Ok(DatabaseUrl::Postgres(_))));
        for bad in ["", "sqlite:", "sqlite://", "mysql://db/larder"] {
            assert!(DatabaseUrl::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn passwords_are_not_printed() {
        let url = DatabaseUrl::parse("postgres://larder:hunter2@db/larder?password=hunter2").expect("a URL");
        assert_eq!(format!("{url:?}"), "postgres://larder:***@db/larder");
    }
}
