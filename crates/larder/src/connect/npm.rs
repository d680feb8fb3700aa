//! npm and its kin. npm has no helper; pnpm runs a program that prints the header, and yarn has neither.

use super::edit::{quoted, set_lines, set_yaml};
use super::{Home, Plan, Repository, shell_word};

pub(super) fn npm(repository: &Repository, home: &Home) -> Plan {
    let path = home.folder("NPM_CONFIG_USERCONFIG", ".npmrc");
    let lines = [
        ("registry".to_owned(), repository.endpoint.to_string()),
        (format!("{}:_authToken", repository.npm_scope()), repository.token.clone()),
    ];
    Plan::new().file(path, move |text| Ok(set_lines(text, "=", &lines))).token_ends()
}

pub(super) fn pnpm(repository: &Repository, home: &Home) -> Plan {
    let script = home.config("larder").join(format!("pnpm-{}", repository.id()));
    let words: Vec<_> = repository.helper.command("header").iter().map(|word| shell_word(word)).collect();
    let lines = [
        ("registry".to_owned(), repository.endpoint.to_string()),
        (format!("{}:tokenHelper", repository.npm_scope()), script.to_string_lossy().into_owned()),
    ];
    Plan::new()
        .file(home.folder("NPM_CONFIG_USERCONFIG", ".npmrc"), move |text| Ok(set_lines(text, "=", &lines)))
        .helper(script, format!("#!/bin/sh\nexec {}\n", words.join(" ")))
        .note("pnpm asks larder for a token whenever it runs.")
}

pub(super) fn yarn(repository: &Repository, home: &Home) -> Plan {
    let mut entries = vec![
        ("npmRegistryServer", quoted(repository.endpoint.as_str())),
        ("npmAlwaysAuth", "true".to_owned()),
        ("npmAuthToken", quoted(&repository.token)),
    ];
    if repository.endpoint.scheme() == "http" {
        let host = repository.endpoint.host_str().unwrap_or_default();
        entries.push(("unsafeHttpWhitelist", format!("[{}]", quoted(host))));
    }
    Plan::new().file(home.path.join(".yarnrc.yml"), move |text| set_yaml(text, &entries)).token_ends()
}

#[cfg(test)]
mod tests {
    use super::super::Client;
    use super::super::testing::{edited, home, repository};

    #[test]
    fn the_registry_is_replaced_and_other_settings_stay() {
        let after = edited(Client::Npm, "registry=http://other.test/\nfund=false\n");
        assert_eq!(
            after,
            "fund=false\nregistry=http://larder.test:5273/d/my-domain-111122223333/npm/my.repo/\n\
             //larder.test:5273/d/my-domain-111122223333/npm/my.repo/:_authToken=to.ken\n"
        );
        let after = edited(Client::Yarn, "npmRegistryServer: \"http://other.test/\"\nnodeLinker: node-modules\n");
        assert!(after.starts_with("nodeLinker: node-modules\nnpmRegistryServer: \"http://larder.test"), "{after}");
        assert!(after.contains("unsafeHttpWhitelist: [\"larder.test\"]\n"), "{after}");
    }

    #[test]
    fn pnpm_runs_a_script_of_one_word() {
        let (_folder, home) = home();
        let plan = Client::Pnpm.plan(&repository(Client::Pnpm), &home);
        let script = (plan.steps[1].edit)("").unwrap();
        assert_eq!(script, "#!/bin/sh\nexec '/usr/bin/larder' 'credential' 'header' '--domain' 'my-domain'\n");
        assert!(plan.steps[1].executable);
    }
}
