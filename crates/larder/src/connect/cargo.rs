//! cargo: a registry with a credential provider, so that tokens renew by themselves (`larder credential cargo`).

use super::edit::{checked_toml, quoted, quoted_list, set_in_section};
use super::{Home, Plan, Repository};

/// The name of the public registry in cargo's configuration.
const PUBLIC: &str = "crates-io";

pub(super) fn plan(repository: &Repository, home: &Home) -> Plan {
    let folder = home.folder("CARGO_HOME", ".cargo");
    // The name without extension is the older one, and wins if both are there.
    let old = folder.join("config");
    let path = if old.is_file() { old } else { folder.join("config.toml") };
    let name = repository.id();
    let section = format!("registries.{name}");
    let index = quoted(&format!("sparse+{}", repository.endpoint));
    let mut provider = repository.helper.command("cargo");
    provider.extend(["--repository".to_owned(), repository.name.clone()]);
    let (provider, keep_public) = (quoted_list(&provider), repository.keep_public);
    let title = quoted(&name);
    let plan = Plan::new().file(path, move |text| {
        let text = set_in_section(text, &section, "index", &index);
        let mut text = set_in_section(&text, &section, "credential-provider", &provider);
        if !keep_public {
            text = set_in_section(&text, "registry", "default", &title);
            text = set_in_section(&text, &format!("source.{PUBLIC}"), "replace-with", &title);
        }
        checked_toml(text)
    });
    plan.note(format!(
        "cargo asks larder for a token whenever it needs one. Publish with: cargo publish --registry {name}"
    ))
}

#[cfg(test)]
mod tests {
    use super::super::Client;
    use super::super::testing::edited;

    #[test]
    fn a_registry_with_a_provider_takes_the_place_of_the_public_one() {
        let before = "[net]\nretry = 2\n\n[source.crates-io]\nreplace-with = 'other'\n";
        let after: toml::Table = edited(Client::Cargo, before).parse().unwrap();
        assert_eq!(after["net"]["retry"].as_integer(), Some(2));
        assert_eq!(after["source"]["crates-io"]["replace-with"].as_str(), Some("my-domain-my-repo"));
        let registry = &after["registries"]["my-domain-my-repo"];
        assert_eq!(
            registry["index"].as_str(),
            Some("sparse+http://larder.test:5273/d/my-domain-111122223333/cargo/my.repo/")
        );
        assert_eq!(registry["credential-provider"].as_array().map(Vec::len), Some(7));
    }
}
