//! Identifiers and their patterns (reference 1.2).

use std::fmt;

use crate::error::Invalid;

/// Declares a validated text type: `Display`, `FromStr`, `AsRef<str>`, ordering and hashing by text.
macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Box<str>);

        impl $name {
            /// Parses the value, checking the pattern.
            ///
            /// # Errors
            /// [`Invalid`] with the rule that was broken.
            pub fn new(text: impl Into<String>) -> Result<Self, Invalid> {
                let text = text.into();
                $check(&text)?;
                Ok(Self(text.into_boxed_str()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
        impl std::str::FromStr for $name {
            type Err = Invalid;
            fn from_str(text: &str) -> Result<Self, Invalid> {
                Self::new(text)
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}
pub(crate) use text_type;

text_type!(
    /// An AWS account: 12 digits.
    AccountId,
    check_account
);
text_type!(
    /// A domain's name: 2 to 50 of lower-case letters, digits and `-`.
    DomainName,
    check_domain
);
text_type!(
    /// A repository's name: 2 to 100 of letters, digits, `.`, `_`, `-`.
    RepositoryName,
    check_repository
);
text_type!(
    /// An IAM user's name: 1 to 64 of letters, digits and `+=,.@_-`.
    UserName,
    check_user
);

fn check_account(text: &str) -> Result<(), Invalid> {
    if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(());
    }
    Err(Invalid::new("an account id is 12 digits"))
}

fn check_domain(text: &str) -> Result<(), Invalid> {
    let bytes = text.as_bytes();
    let body = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-';
    if (2..=50).contains(&bytes.len())
        && bytes[0].is_ascii_lowercase()
        && bytes.iter().all(body)
        && bytes[bytes.len() - 1] != b'-'
    {
        return Ok(());
    }
    Err(Invalid::new(
        "a domain name has 2 to 50 lower-case letters, digits and hyphens, starts with a letter and does not end with a hyphen",
    ))
}

fn check_repository(text: &str) -> Result<(), Invalid> {
    let bytes = text.as_bytes();
    let body = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if (2..=100).contains(&bytes.len()) && bytes[0].is_ascii_alphanumeric() && bytes.iter().all(body) {
        return Ok(());
    }
    Err(Invalid::new(
        "a repository name has 2 to 100 letters, digits, dots, underscores and hyphens and starts with a letter or digit",
    ))
}

fn check_user(text: &str) -> Result<(), Invalid> {
    let body = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b);
    if (1..=64).contains(&text.len()) && text.bytes().all(body) {
        return Ok(());
    }
    Err(Invalid::new("a user name has 1 to 64 letters, digits and any of +=,.@_-"))
}

/// The rule shared by namespaces, package names and versions: 1 to 255 characters, none of `#`, `/` or white space.
pub(crate) fn check_coordinate(text: &str) -> Result<(), Invalid> {
    let length = text.chars().count();
    if (1..=255).contains(&length) && !text.chars().any(|c| c == '#' || c == '/' || c.is_whitespace() || c.is_control())
    {
        return Ok(());
    }
    Err(Invalid::new("must have 1 to 255 characters and no '#', '/' or white space"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domain_names_follow_the_pattern() {
        for good in ["ab", "my-domain", "a1", &"a".repeat(50)] {
            assert!(DomainName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "a", "1a", "my_domain", "My", "ab-", "-ab", "a b", &"a".repeat(51)] {
            assert!(DomainName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn repository_names_follow_the_pattern() {
        for good in ["ab", "My.Repo_1-x", "1a", &"a".repeat(100)] {
            assert!(RepositoryName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "a", "_a", ".a", "a/b", "a b", "ä1", &"a".repeat(101)] {
            assert!(RepositoryName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn accounts_are_twelve_digits() {
        assert!(AccountId::new("123456789012").is_ok());
        for bad in ["12345678901", "1234567890123", "12345678901a", ""] {
            assert!(AccountId::new(bad).is_err(), "{bad}");
        }
    }
}
