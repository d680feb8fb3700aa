//! The sources of RubyGems, which has one built in.

use url::Url;

use super::{Found, ask, registry, split_credentials};

pub(super) fn detect() -> Result<Vec<Found>, String> {
    let printed = ask("gem", &["sources", "--list"])?;
    let source = source(&printed).ok_or("gem names no source on the network, or several")?;
    Ok(vec![registry("public:ruby-gems-org", split_credentials(source), "gem sources --list")?])
}

/// The only address that is listed. Which of several is the public one, nobody knows.
fn source(printed: &str) -> Option<Url> {
    let mut found = printed
        .lines()
        .filter_map(|line| Url::parse(line.trim()).ok())
        .filter(|url| matches!(url.scheme(), "http" | "https"));
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_source_counts() {
        let heading = "*** CURRENT SOURCES ***\n\n";
        assert_eq!(source(&format!("{heading}https://gems.test/\n")).unwrap().as_str(), "https://gems.test/");
        assert_eq!(source(heading), None);
        assert_eq!(source(&format!("{heading}https://gems.test/\nhttps://own.test/\n")), None);
    }
}
