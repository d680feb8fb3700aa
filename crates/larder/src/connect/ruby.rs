//! Bundler and gem. Neither runs a helper.

use std::path::PathBuf;

use super::edit::{quoted, set_yaml};
use super::{Home, Plan, Repository};

pub(super) fn bundler(repository: &Repository, home: &Home) -> Plan {
    let path = (home.variables)("BUNDLE_USER_CONFIG")
        .map_or_else(|| home.folder("BUNDLE_USER_HOME", ".bundle").join("config"), PathBuf::from);
    // As `bundle config` spells the keys of hosts.
    let host = repository.endpoint.host_str().unwrap_or_default();
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
    // Newer RubyGems reads its settings with a parser of its own, which knows no `[…]`.
    let sources = format!("\n- {}", quoted(&repository.endpoint_with_token("")));
    let keep_public = repository.keep_public;
    let path = of_these(home.path.join(".gem/credentials"), home.data("gem/credentials"));
    let mut plan = Plan::new().file(path, move |text| {
        let text = if text.is_empty() { "---\n" } else { text };
        set_yaml(text, &[(":larder", credentials.clone())])
    });
    if !keep_public {
        // What the variable names is read last, and the last of several files wins.
        let named = (home.variables)("GEMRC").and_then(|files| std::env::split_paths(&files).last());
        let path = named.unwrap_or_else(|| of_these(home.path.join(".gemrc"), home.config("gem/gemrc")));
        plan = plan.file(path, move |text| {
            let text = if text.is_empty() { "---\n" } else { text };
            set_yaml(text, &[(":sources", sources.clone())])
        });
    }
    plan.note(format!("Publish with: gem push --key larder --host {} NAME.gem", repository.endpoint)).token_ends()
}

/// The file in the home, unless only the one in the folders of XDG is there: RubyGems reads that one if there is no other.
fn of_these(in_home: PathBuf, of_xdg: PathBuf) -> PathBuf {
    if !in_home.exists() && of_xdg.exists() { of_xdg } else { in_home }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Client;
    use super::super::testing::{edited, home, repository};

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

    #[test]
    fn files_of_xdg_are_changed_where_there_are_no_others() {
        let (folder, home) = home();
        let paths = || {
            let plan = Client::Gem.plan(&repository(Client::Gem), &home);
            plan.steps.iter().map(|step| step.path.strip_prefix(folder.path()).unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(paths(), [Path::new(".gem/credentials"), Path::new(".gemrc")]);
        for file in [".config/gem/gemrc", ".local/share/gem/credentials"] {
            std::fs::create_dir_all(folder.path().join(file).parent().unwrap()).unwrap();
            std::fs::write(folder.path().join(file), "---\n").unwrap();
        }
        assert_eq!(paths(), [Path::new(".local/share/gem/credentials"), Path::new(".config/gem/gemrc")]);
        std::fs::write(folder.path().join(".gemrc"), "---\n").unwrap();
        assert_eq!(paths()[1], Path::new(".gemrc"));
    }
}
