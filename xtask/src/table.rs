//! The coverage table of the AWS operations in the README, which the boto3 test makes.

use std::fs;
use std::path::PathBuf;

use crate::metadata::target_directory;
use crate::process::{Context, Failure, Result, root};

const BEGIN: &str = "<!-- operations:begin -->\n";
const END: &str = "<!-- operations:end -->";

/// Puts the table that the last run made into the README.
pub(crate) fn write() -> Result {
    let readme = root().join("README.md");
    let new = with_table()?;
    fs::write(&readme, new).context(readme.display())
}

/// Fails if the README holds another table than the last run made.
pub(crate) fn check() -> Result {
    let readme = root().join("README.md");
    let old = fs::read_to_string(&readme).context(readme.display())?;
    if old == with_table()? {
        return Ok(());
    }
    Err(Failure::new("the coverage table in README.md is not the one that the boto3 test made: run `cargo xtask e2e`"))
}

/// Where the test puts the table.
pub(crate) fn made() -> Result<PathBuf> {
    Ok(target_directory()?.join("coverage.md"))
}

fn with_table() -> Result<String> {
    let readme = root().join("README.md");
    let old = fs::read_to_string(&readme).context(readme.display())?;
    let made = made()?;
    let table = fs::read_to_string(&made).context(made.display())?;
    insert(&old, &table).ok_or_else(|| Failure(format!("README.md has no lines `{}` and `{END}`", BEGIN.trim_end())))
}

fn insert(readme: &str, table: &str) -> Option<String> {
    let (before, rest) = readme.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{table}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_replaces_what_is_between_the_markers() {
        let readme = format!("a\n{BEGIN}old\n{END}\nb\n");
        assert_eq!(insert(&readme, "new\n"), Some(format!("a\n{BEGIN}new\n{END}\nb\n")));
        assert_eq!(insert("no markers", "new\n"), None);
    }
}
