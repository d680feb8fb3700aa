//! How many lines a package format takes, and how many all of them share: the table in docs/adding-a-format.md.

use std::fs;
use std::path::Path;

use crate::process::{Context, Failure, Result, root};

pub(crate) const HELP: &str = "\
cargo xtask lines

Counts the lines of code of every format and of what the formats share, and puts the table into docs/adding-a-format.md.
`cargo xtask check` fails if a format has no row there. Blank lines and comments do not count; tests count by themselves.";

const PAGE: &str = "docs/adding-a-format.md";
const BEGIN: &str = "<!-- lines:begin -->\n";
const END: &str = "<!-- lines:end -->";

/// What is shared: the folder of a crate and what it is to a format.
const SHARED: [(&str, &str); 6] = [
    ("core", "model, rules, ports"),
    ("http", "requests, answers, the server loop"),
    ("store", "SQL and blobs"),
    ("external", "requests to public registries"),
    ("archive", "zip files, names in archives"),
    ("formatkit", "handlers in tests"),
];

/// Lines of a crate.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Lines {
    code: usize,
    tests: usize,
}

/// Writes the table into the page.
pub(crate) fn write() -> Result {
    let page = root().join(PAGE);
    let old = fs::read_to_string(&page).context(page.display())?;
    fs::write(&page, insert(&old, &table()?)?).context(page.display())
}

/// Fails if a format is not in the table. Figures may be those of an earlier day.
pub(crate) fn check() -> Result {
    let page = fs::read_to_string(root().join(PAGE)).context(PAGE)?;
    let missing: Vec<String> =
        formats()?.into_iter().filter(|format| !page.contains(&format!("\n| {format} |"))).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure(format!("{PAGE} has no lines of {}: run `cargo xtask lines`", missing.join(", "))))
}

fn insert(page: &str, table: &str) -> Result<String> {
    let (before, rest) = page.split_once(BEGIN).ok_or_else(|| Failure(format!("{PAGE} has no line {BEGIN}")))?;
    let (_, after) = rest.split_once(END).ok_or_else(|| Failure(format!("{PAGE} has no line {END}")))?;
    Ok(format!("{before}{BEGIN}{table}{END}{after}"))
}

fn formats() -> Result<Vec<String>> {
    let folder = root().join("crates/formats");
    let entries = fs::read_dir(&folder).context(folder.display())?;
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).filter(|name| name != ".").collect();
    names.sort();
    Ok(names)
}

fn table() -> Result<String> {
    let mut out = "| of its own | code | tests |\n|---|---:|---:|\n".to_owned();
    let mut total = Lines::default();
    for format in formats()? {
        let lines = of_crate(&root().join("crates/formats").join(&format))?;
        total = Lines { code: total.code + lines.code, tests: total.tests + lines.tests };
        out.push_str(&format!("| {format} | {} | {} |\n", lines.code, lines.tests));
    }
    out.push_str(&format!("| all formats | {} | {} |\n\n", total.code, total.tests));
    out.push_str("| shared by all | code | tests | |\n|---|---:|---:|---|\n");
    for (name, what) in SHARED {
        let lines = of_crate(&root().join("crates").join(name))?;
        out.push_str(&format!("| {name} | {} | {} | {what} |\n", lines.code, lines.tests));
    }
    Ok(out)
}

fn of_crate(folder: &Path) -> Result<Lines> {
    let mut lines = Lines::default();
    for part in ["src", "tests"] {
        let part = folder.join(part);
        if part.is_dir() {
            add_folder(&part, &mut lines)?;
        }
    }
    Ok(lines)
}

fn add_folder(folder: &Path, lines: &mut Lines) -> Result {
    for entry in fs::read_dir(folder).context(folder.display())? {
        let path = entry.context(folder.display())?.path();
        if path.is_dir() {
            add_folder(&path, lines)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).context(path.display())?;
            let found = of_text(&text);
            let is_test = path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs");
            *lines = match is_test {
                true => Lines { tests: lines.tests + found.code + found.tests, ..*lines },
                false => Lines { code: lines.code + found.code, tests: lines.tests + found.tests },
            };
        }
    }
    Ok(())
}

/// A module of tests at the end of a file counts as tests.
fn of_text(text: &str) -> Lines {
    let mut lines = Lines::default();
    let mut is_test = false;
    let mut after_attribute = false;
    for line in text.lines().map(str::trim) {
        is_test |= after_attribute && line.starts_with("mod ") && line.ends_with('{');
        after_attribute = line == "#[cfg(test)]";
        if line.is_empty() || line.starts_with("//") {
            continue;
        }
        if is_test {
            lines.tests += 1;
        } else {
            lines.code += 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_blanks_do_not_count_and_tests_count_by_themselves() {
        let text =
            "//! Page.\n\nfn a() {}\n// why\n#[cfg(test)]\nmod samples;\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n";
        assert_eq!(of_text(text), Lines { code: 4, tests: 3 });
    }

    #[test]
    fn the_table_goes_between_its_marks() {
        let page = format!("a\n{BEGIN}old\n{END}\nb\n");
        assert_eq!(insert(&page, "new\n").ok(), Some(format!("a\n{BEGIN}new\n{END}\nb\n")));
        assert!(insert("a\n", "new\n").is_err());
    }
}
