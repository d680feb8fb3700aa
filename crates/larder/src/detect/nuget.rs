//! NuGet's sources: asked of dotnet, else read from the user's nuget.config.

use std::fs;

use url::Url;

use super::xml;
use super::{Found, ask, home, registry, split_credentials};

/// Where NuGet keeps the user's configuration.
const FILES: [&str; 3] = [".nuget/NuGet/NuGet.Config", ".config/NuGet/NuGet.Config", ".nuget/NuGet/nuget.config"];

pub(super) fn detect() -> Result<Vec<Found>, String> {
    let asked = ask("dotnet", &["nuget", "list", "source", "--format", "Short"]);
    let (addresses, source) = match &asked {
        Ok(printed) => (listed(printed), "dotnet nuget list source"),
        Err(why) => {
            let files = FILES.iter().filter_map(|file| fs::read_to_string(home()?.join(file)).ok());
            let text = files.into_iter().next().ok_or_else(|| why.clone())?;
            (configured(&text)?, "nuget.config")
        }
    };
    let address = only(&addresses)?;
    Ok(vec![registry("public:nuget-org", split_credentials(address), source)?])
}

/// The folder of the only version 3 source: addresses of a connection end with a slash.
fn only(addresses: &[Url]) -> Result<Url, String> {
    let mut indexes = addresses.iter().filter(|url| url.path().ends_with("/index.json"));
    match (indexes.next(), indexes.next()) {
        (Some(index), None) => index.join("./").map_err(|error| error.to_string()),
        (None, _) => Err("it has no source with a service index".to_owned()),
        (Some(_), Some(_)) => Err("it has several sources, and nobody knows which is the public one".to_owned()),
    }
}

/// Lines such as `E https://…`: enabled sources.
fn listed(printed: &str) -> Vec<Url> {
    printed.lines().filter_map(|line| Url::parse(line.trim().strip_prefix("E ")?.trim()).ok()).collect()
}

/// `packageSources` that are not disabled.
fn configured(text: &str) -> Result<Vec<Url>, String> {
    let document = xml::parse(text.trim_start_matches('\u{feff}'))?;
    let disabled: Vec<_> = document
        .at(&["configuration", "disabledPackageSources", "add"])
        .into_iter()
        .filter(|source| source.attribute("value") == Some("true"))
        .filter_map(|source| source.attribute("key"))
        .collect();
    let sources = document.at(&["configuration", "packageSources", "add"]).into_iter();
    let enabled = sources.filter(|source| !source.attribute("key").is_some_and(|key| disabled.contains(&key)));
    Ok(enabled.filter_map(|source| Url::parse(source.attribute("value")?).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"<configuration><packageSources><clear/>
        <add key="a" value="https://packages.test/v3/index.json" protocolVersion="3"/>
        <add key="b" value="https://old.test/v3/index.json"/><add key="c" value="/srv/packages"/></packageSources>
        <disabledPackageSources><add key="b" value="true"/></disabledPackageSources></configuration>"#;

    #[test]
    fn the_only_enabled_service_index_counts() {
        let found = configured(CONFIG).unwrap();
        assert_eq!(only(&found).unwrap().as_str(), "https://packages.test/v3/");
        assert!(only(&configured(&CONFIG.replace("\"true\"", "\"false\"")).unwrap()).is_err());
        let printed = "E https://packages.test/v3/index.json\nD https://old.test/v3/index.json\nE /srv/packages\n";
        assert_eq!(only(&listed(printed)).unwrap().as_str(), "https://packages.test/v3/");
        assert!(only(&[]).is_err());
    }
}
