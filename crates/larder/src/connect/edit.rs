//! Changes to text files that leave the rest as it is: lines with keys, sections, lists.

/// Sets `key = value` lines before any section, `separator` between them. A key that is there is replaced.
pub(super) fn set_lines(text: &str, separator: &str, lines: &[(String, String)]) -> String {
    let key_of = |line: &str| line.split_once(separator.trim()).map(|(key, _)| key.trim().to_owned());
    let mut kept: Vec<String> = text
        .lines()
        .filter(|line| key_of(line).is_none_or(|key| !lines.iter().any(|(name, _)| *name == key)))
        .map(str::to_owned)
        .collect();
    kept.extend(lines.iter().map(|(key, value)| format!("{key}{separator}{value}")));
    joined(&kept)
}

/// Sets a key of a `[section]`, in TOML or INI: the line is replaced, or added at the section's beginning, or with the
/// section at the end. A value that goes over several lines is none that is replaced here.
pub(super) fn set_in_section(text: &str, section: &str, key: &str, value: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let line = format!("{key} = {value}");
    let Some(start) = lines.iter().position(|line| is_section(line, section)) else {
        if lines.last().is_some_and(|last| !last.trim().is_empty()) {
            lines.push(String::new());
        }
        lines.extend([format!("[{section}]"), line]);
        return joined(&lines);
    };
    let inside = &lines[start + 1..];
    let length = inside.iter().position(|line| line.trim_start().starts_with('[')).unwrap_or(inside.len());
    let same_key = |line: &String| line.split_once('=').is_some_and(|(name, _)| name.trim() == key);
    match inside[..length].iter().position(same_key) {
        Some(at) => lines[start + 1 + at] = line,
        None => lines.insert(start + 1, line),
    }
    joined(&lines)
}

fn is_section(line: &str, section: &str) -> bool {
    let line = line.split('#').next().unwrap_or_default().trim();
    line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).is_some_and(|name| name.trim() == section)
}

/// Adds a block at the end.
pub(super) fn append(text: &str, block: &str) -> String {
    let gap = if text.is_empty() || text.ends_with("\n\n") {
        ""
    } else if text.ends_with('\n') {
        "\n"
    } else {
        "\n\n"
    };
    format!("{text}{gap}{block}")
}

/// Sets top-level keys of a YAML mapping; what lies below a key that is there goes with it. A document that is more
/// than one block mapping is refused.
pub(super) fn set_yaml(text: &str, entries: &[(&str, String)]) -> Result<String, String> {
    let mut kept = Vec::new();
    let mut dropping = false;
    for line in text.lines() {
        let is_nested =
            line.starts_with([' ', '\t']) || line.starts_with("- ") || line == "-" || line.trim().is_empty();
        if !is_nested {
            if line.starts_with(['{', '[', '%']) || (line.starts_with("---") && !kept.is_empty()) {
                return Err("it is not a plain YAML mapping, which is all that is changed here".to_owned());
            }
            let key = yaml_key(line);
            dropping = entries.iter().any(|(name, _)| *name == key || name.trim_matches('"') == key);
        }
        if !dropping {
            kept.push(line.to_owned());
        }
    }
    kept.extend(entries.iter().map(|(key, value)| format!("{key}: {value}")));
    Ok(joined(&kept))
}

/// A line's key, without quotes; symbols of Ruby begin with a colon.
fn yaml_key(line: &str) -> &str {
    let end = line.char_indices().skip(1).find(|(_, character)| *character == ':').map_or(0, |(at, _)| at);
    line[..end].trim().trim_matches(['"', '\''])
}

/// A string of TOML, YAML or JSON.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A list of strings of TOML or JSON.
pub(super) fn quoted_list(words: &[String]) -> String {
    format!("[{}]", words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", "))
}

/// Checks that what came out is TOML, whatever was there.
pub(super) fn checked_toml(text: String) -> Result<String, String> {
    match text.parse::<toml::Table>() {
        Ok(_) => Ok(text),
        Err(error) => Err(format!("the change would not be TOML any more: {}", error.message())),
    }
}

fn joined(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_replaced_where_it_is_and_added_where_it_is_not() {
        let set = |text: &str| set_in_section(text, "registry", "default", "\"b\"");
        assert_eq!(set(""), "[registry]\ndefault = \"b\"\n");
        assert_eq!(set("[net]\nretry = 2\n"), "[net]\nretry = 2\n\n[registry]\ndefault = \"b\"\n");
        assert_eq!(
            set("[registry] # mine\ntoken = 1\ndefault = \"a\"\n[net]\ndefault = 3\n"),
            "[registry] # mine\ntoken = 1\ndefault = \"b\"\n[net]\ndefault = 3\n"
        );
        assert_eq!(set("[registry]\n[net]\n"), "[registry]\ndefault = \"b\"\n[net]\n");
    }

    #[test]
    fn lines_with_a_key_are_replaced_and_others_kept() {
        let lines = [("registry".to_owned(), "http://b/".to_owned())];
        assert_eq!(
            set_lines("; note\nregistry = http://a/\nother=1", "=", &lines),
            "; note\nother=1\nregistry=http://b/\n"
        );
    }

    #[test]
    fn a_yaml_key_goes_with_what_lies_below_it() {
        let entries = [("hosts", "[\"b\"]".to_owned())];
        assert_eq!(
            set_yaml("a: 1\nhosts:\n  - x\n- y\n\nb:\n  hosts: 2\n", &entries).unwrap(),
            "a: 1\nb:\n  hosts: 2\nhosts: [\"b\"]\n"
        );
        assert!(set_yaml("{a: 1}\n", &entries).is_err());
        assert!(set_yaml("a: 1\n---\nb: 2\n", &entries).is_err());
    }
}
