//! pip's `index-url`, else the index built into pip, which also names the host that its files are on.

use url::Url;

use super::{Found, ask, registry, split_credentials};
use crate::config::RegistryTable;

/// Prints the built-in index and the host of its files, one per line.
const BUILT_IN: &str =
    "from pip._internal.models.index import PyPI as p; print(p.simple_url); print('https://' + p.file_storage_domain)";

pub(super) fn detect() -> Result<Found, String> {
    let python = ["python3", "python"]
        .into_iter()
        .find(|python| ask(python, &["-m", "pip", "--version"]).is_ok())
        .ok_or("neither python3 nor python has pip")?;
    let settings = ask(python, &["-m", "pip", "config", "list"])?;
    let (answer, allow_hosts, source) = match configured(&settings) {
        Some(url) => (url, Vec::new(), "pip config list".to_owned()),
        None => {
            let answer = ask(python, &["-c", BUILT_IN])?;
            let mut lines = answer.lines().map(str::to_owned);
            let url = lines.next().ok_or("pip does not say which index it uses")?;
            (url, lines.collect(), "pip's built-in index".to_owned())
        }
    };
    let url = Url::parse(&answer).map_err(|_| format!("pip's index '{answer}' is not a URL"))?;
    let table = RegistryTable { allow_hosts, ..split_credentials(url) };
    registry("public:pypi", table, &source)
}

/// The index that pip's settings name: a variable before a command's section before the global one.
fn configured(settings: &str) -> Option<String> {
    let value = |key: &str| {
        settings.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            (name == key).then(|| value.trim_matches(['\'', '"']).to_owned())
        })
    };
    [":env:.index-url", "install.index-url", "global.index-url"].into_iter().find_map(value)
}

#[cfg(test)]
mod tests {
    use super::configured;

    #[test]
    fn a_variable_wins_over_the_global_setting() {
        let settings = "global.index-url='http://a.test/simple/'\n:env:.index-url='http://b.test/simple/'";
        assert_eq!(configured(settings).as_deref(), Some("http://b.test/simple/"));
        assert_eq!(configured("global.cert='x'"), None);
    }
}
