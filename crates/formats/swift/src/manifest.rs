//! Manifests: `Package.swift` and its variants for versions of the tools (SE-0292 section 4.3, SE-0152). A manifest is a
//! program; only its first line is read.

use larder_core::error::Invalid;

/// The manifest that every package has.
pub(crate) const PLAIN: &str = "Package.swift";
/// What variants' names begin and end with.
const VARIANT: (&str, &str) = ("Package@swift-", ".swift");
/// The first line is within so many bytes.
const HEAD_BYTES: usize = 4096;
/// What the first line says before the version.
const LABEL: &str = "swift-tools-version";

/// A version of the tools, as compared: what is missing is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ToolsVersion([u64; 3]);

impl ToolsVersion {
    /// Reads `5`, `5.9` or `5.9.0`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut numbers = [0; 3];
        for (at, part) in text.split('.').enumerate() {
            let is_number = (1..=9).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
            *numbers.get_mut(at).filter(|_| is_number)? = part.parse().ok()?;
        }
        Some(Self(numbers))
    }
}

/// The version in the name of a variant, as it is written: `5.9` of `Package@swift-5.9.swift`.
#[must_use]
pub(crate) fn variant(file_name: &str) -> Option<&str> {
    let version = file_name.strip_prefix(VARIANT.0)?.strip_suffix(VARIANT.1)?;
    ToolsVersion::parse(version).map(|_| version)
}

/// The version of the tools that a manifest is written for: `5.9` of `// swift-tools-version:5.9`. Blank lines may come
/// first and blanks anywhere in the line, as newer tools have it; what follows a semicolon is for other programs.
///
/// # Errors
/// [`Invalid`] quoting the rule.
pub(crate) fn tools_version(manifest: &[u8]) -> Result<String, Invalid> {
    let head = String::from_utf8_lossy(&manifest[..manifest.len().min(HEAD_BYTES)]);
    let line = head.trim_start_matches('\u{feff}').trim_start().lines().next().unwrap_or_default();
    let version = read_line(line).ok_or_else(|| {
        Invalid::new("a manifest begins with a line such as '// swift-tools-version:5.9', and this one does not")
    })?;
    Ok(version.to_owned())
}

fn read_line(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("//")?.trim_start();
    let (label, rest) = rest.split_at_checked(LABEL.len())?;
    let rest = label.eq_ignore_ascii_case(LABEL).then_some(rest)?.trim_start().strip_prefix(':')?;
    let specification = rest.split(';').next().unwrap_or_default().trim();
    // A suffix as in `5.9-dev` is allowed and does not count.
    let end = specification.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(specification.len());
    let (version, suffix) = specification.split_at(end);
    let is_suffix = suffix.is_empty()
        || (suffix.starts_with(['-', '+'])
            && suffix.len() > 1
            && suffix[1..].bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+')));
    (is_suffix && version.contains('.') && ToolsVersion::parse(version).is_some()).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_the_first_line_in_every_accepted_form() {
        for (manifest, version) in [
            ("// swift-tools-version:5.9\nimport PackageDescription", "5.9"),
            ("//swift-tools-version:5.3", "5.3"),
            ("// swift-tools-version: 5.10.1\r\nimport", "5.10.1"),
            ("\n\n//  Swift-Tools-Version : 6.0 ; more", "6.0"),
            ("\u{feff}// swift-tools-version:5.9", "5.9"),
            ("// swift-tools-version:6.1-dev", "6.1"),
            ("// swift-tools-version:5.9\n// signature: cms-1.0.0;QUJD", "5.9"),
        ] {
            assert_eq!(tools_version(manifest.as_bytes()).as_deref(), Ok(version), "{manifest}");
        }
    }

    #[test]
    fn other_first_lines_are_refused() {
        for manifest in [
            "",
            "import PackageDescription\n// swift-tools-version:5.9",
            "// swift-tools-version",
            "// swift-tools-version:",
            "// swift-tools-version:5",
            "// swift-tools-version:five",
            "// swift-tools-version:5.9.0.1",
            "// swift-tools-version:5..9",
            "// swift-tools-version:5.9 x",
            "// swift-tools-version:5.9-",
            "/ swift-tools-version:5.9",
            "# swift-tools-version:5.9",
            "// swift-tools-vérsion:5.9",
        ] {
            assert!(tools_version(manifest.as_bytes()).is_err(), "{manifest:?}");
        }
        assert!(tools_version(&[0xff, 0xfe]).is_err());
    }

    #[test]
    fn variants_are_told_by_their_names_and_compared_by_number() {
        assert_eq!(variant("Package@swift-5.9.swift"), Some("5.9"));
        assert_eq!(variant("Package@swift-6.swift"), Some("6"));
        for other in [
            "Package.swift",
            "Package@swift-.swift",
            "Package@swift-5.9",
            "package@swift-5.swift",
            "Package@swift-5.9-x.swift",
        ] {
            assert_eq!(variant(other), None, "{other}");
        }
        assert_eq!(ToolsVersion::parse("5.9"), ToolsVersion::parse("5.9.0"));
        assert_ne!(ToolsVersion::parse("5.9"), ToolsVersion::parse("5.10"));
        for bad in ["", "5.", "5.9.0.0", "a", "5.9999999999", "-1"] {
            assert_eq!(ToolsVersion::parse(bad), None, "{bad}");
        }
    }
}
