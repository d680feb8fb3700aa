//! pip, uv and poetry. None has a helper of its own that could be told a command; keyring would have to be installed.

use super::edit::{append, checked_toml, quoted, set_in_section};
use super::{Home, Plan, Repository};

/// What the index is called.
const NAME: &str = "larder";

pub(super) fn pip(repository: &Repository, home: &Home) -> Plan {
    let path = home.folder("PIP_CONFIG_FILE", ".config/pip/pip.conf");
    let index = repository.endpoint_with_token("simple/");
    Plan::new().file(path, move |text| Ok(set_in_section(text, "global", "index-url", &index))).token_ends()
}

pub(super) fn uv(repository: &Repository, home: &Home) -> Plan {
    let path = home.folder("UV_CONFIG_FILE", ".config/uv/uv.toml");
    let (index, upload) = (repository.endpoint_with_token("simple/"), repository.endpoint_with_token(""));
    let is_default = !repository.keep_public;
    let plan = Plan::new().file(path, move |text| {
        let block = format!(
            "[[index]]\nname = \"{NAME}\"\nurl = {}\npublish-url = {}\ndefault = {is_default}\n",
            quoted(&index),
            quoted(&upload)
        );
        checked_toml(append(text, &block))
    });
    plan.note(format!("Publish with: uv publish --index {NAME}")).token_ends()
}

pub(super) fn poetry(repository: &Repository, home: &Home) -> Plan {
    let folder = home.folder("POETRY_CONFIG_DIR", ".config/pypoetry");
    let (token, upload) = (quoted(&repository.token), quoted(repository.endpoint.as_str()));
    let source = format!(
        "[[tool.poetry.source]]\nname = \"{NAME}\"\nurl = {}\npriority = \"{}\"\n",
        quoted(&format!("{}simple/", repository.endpoint)),
        if repository.keep_public { "supplemental" } else { "primary" },
    );
    let plan = Plan::new()
        .file(folder.join("auth.toml"), move |text| {
            let section = format!("http-basic.{NAME}");
            let text = set_in_section(text, &section, "password", &token);
            checked_toml(set_in_section(&text, &section, "username", "\"aws\""))
        })
        .file(folder.join("config.toml"), move |text| {
            checked_toml(set_in_section(text, &format!("repositories.{NAME}"), "url", &upload))
        });
    let plan = plan.note(format!("Publish with: poetry publish --build --repository {NAME}")).token_ends();
    let project = home.project.join("pyproject.toml");
    if project.is_file() {
        return plan.file(project, move |text| checked_toml(append(text, &source)));
    }
    plan.note(format!("poetry keeps sources in each project's pyproject.toml:\n\n{source}"))
}

#[cfg(test)]
mod tests {
    use super::super::Client;
    use super::super::testing::edited;

    #[test]
    fn indexes_carry_the_token() {
        let address = "http://aws:to.ken@larder.test:5273/d/my-domain-111122223333/pypi/my.repo/simple/";
        let pip = edited(Client::Pip, "[global]\nindex-url = http://other.test/\ntimeout = 5\n");
        assert_eq!(pip, format!("[global]\nindex-url = {address}\ntimeout = 5\n"));
        let uv: toml::Table = edited(Client::Uv, "offline = false\n").parse().unwrap();
        assert_eq!(uv["index"][0]["url"].as_str(), Some(address));
        let poetry: toml::Table = edited(Client::Poetry, "[http-basic.other]\nusername = 'x'\n").parse().unwrap();
        assert_eq!(poetry["http-basic"]["larder"]["password"].as_str(), Some("to.ken"));
        assert_eq!(poetry["http-basic"]["other"]["username"].as_str(), Some("x"));
    }
}
