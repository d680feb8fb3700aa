//! Bundler and gem. Neither runs a helper.

use super::edit::{quoted, set_yaml};
use super::{Home, Plan, Repository};

pub(super) fn bundler(repository: &Repository, home: &Home) -> Plan {
    let path = home.folder("BUNDLE_USER_CONFIG", ".bundle/config");
    // As `bundle config` spells the keys of hosts.
    let host = repository.authority().split(':').next().unwrap_or_default();
    let key = format!("BUNDLE_{}", host.replace('.', "__").replace('-', "___").to_uppercase());
    let credentials = quoted(&format!("aws:{}", repository.token));
    let mirror = quoted(&repository.endpoint_with_token(""));
    let keep_public = repository.keep_public;
    let plan = Plan::new().file(path, move |text| {
        let mut entries = vec![(key.as_str(), credentials.clone())];
        if !keep_public {
            entries.push(("BUNDLE_MIRROR__ALL", mirror.clone()));
        }
        set_yaml(if text.is_empty() { "---\n" } else { text }, &entries)
    });
    plan.note(format!("In a Gemfile: source {}", quoted(repository.endpoint.as_str()))).token_ends()
}

pub(super) fn gem(repository: &Repository, home: &Home) -> Plan {
    let credentials = quoted(&format!("Bearer {}", repository.token));
    let source = quoted(&repository.endpoint_with_token(""));
    let keep_public = repository.keep_public;
    let mut plan = Plan::new().file(home.path.join(".gem/credentials"), move |text| {
        let text = if text.is_empty() { "---\n" } else { text };
        set_yaml(text, &[(":larder", credentials.clone())])
    });
    if !keep_public {
        plan = plan.file(home.folder("GEMRC", ".gemrc"), move |text| {
            let text = if text.is_empty() { "---\n" } else { text };
            set_yaml(text, &[(":sources", format!("[{source}]"))])
        });
    }
    plan.note(format!("Publish with: gem push --key larder --host {} NAME.gem", repository.endpoint)).token_ends()
}

#[cfg(test)]
mod tests {
    use super::super::Client;
    use super::super::testing::edited;

    #[test]
    fn keys_are_spelled_as_the_clients_spell_them() {
        let bundler = edited(Client::Bundler, "---\nBUNDLE_JOBS: \"4\"\n");
        assert_eq!(
            bundler,
            "---\nBUNDLE_JOBS: \"4\"\nBUNDLE_LARDER__TEST: \"aws:to.ken\"\n\
             BUNDLE_MIRROR__ALL: \"http://aws:to.ken@larder.test:5273/d/my-domain-111122223333/ruby/my.repo/\"\n"
        );
        assert_eq!(edited(Client::Gem, ""), "---\n:larder: \"Bearer to.ken\"\n");
    }
}
