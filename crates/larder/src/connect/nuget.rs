//! NuGet's configuration: a source with its credentials in clear text, as `aws codeartifact login` writes it outside
//! Windows.

use super::settings_xml::{Addition, add, escape};
use super::{Home, Plan, Repository};

const EMPTY: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<configuration>\n</configuration>\n";

pub(super) fn plan(repository: &Repository, home: &Home) -> Plan {
    // An element has this name too, so it has letters, digits and hyphens only.
    let name = escape(&repository.id());
    let index = format!("{}v3/index.json", repository.endpoint);
    let insecure = if repository.endpoint.scheme() == "http" { " allowInsecureConnections=\"true\"" } else { "" };
    let clear = if repository.keep_public { "" } else { "    <clear />\n" };
    let additions: Vec<Addition> = vec![
        (
            "packageSources",
            format!("{clear}    <add key=\"{name}\" value=\"{}\" protocolVersion=\"3\"{insecure} />\n", escape(&index)),
        ),
        (
            "packageSourceCredentials",
            format!(
                "    <{name}>\n      <add key=\"Username\" value=\"aws\" />\n      \
                 <add key=\"ClearTextPassword\" value=\"{}\" />\n    </{name}>\n",
                escape(&repository.token)
            ),
        ),
    ];
    let plan = Plan::new().file(home.path.join(".nuget/NuGet/NuGet.Config"), move |text| {
        add(if text.trim().is_empty() { EMPTY } else { text }, "configuration", &additions)
    });
    plan.note(format!("Publish with: dotnet nuget push NAME.nupkg --source {name} --api-key TOKEN")).token_ends()
}

#[cfg(test)]
mod tests {
    use super::super::Client;
    use super::super::testing::edited;

    #[test]
    fn a_source_and_its_credentials_are_added() {
        let before =
            "\u{feff}<configuration><packageSources><add key=\"a\" value=\"b\" /></packageSources></configuration>";
        let after = edited(Client::Nuget, before);
        assert!(after.contains("v3/index.json\" protocolVersion=\"3\" allowInsecureConnections=\"true\""), "{after}");
        assert!(after.starts_with("\u{feff}<configuration>"), "{after}");
        assert!(after.contains("<my-domain-my-repo>"), "{after}");
        assert!(after.contains("<add key=\"a\" value=\"b\" />"), "{after}");
        assert!(edited(Client::Nuget, "").starts_with("<?xml"));
    }
}
