//! Maven's settings: credentials, a mirror of everything, and a profile that knows the repository, with snapshots.

use super::settings_xml::{Addition, add, escape};
use super::{Home, Plan, Repository};

const EMPTY: &str = "<settings xmlns=\"http://maven.apache.org/SETTINGS/1.0.0\">\n</settings>\n";

pub(super) fn plan(repository: &Repository, home: &Home) -> Plan {
    let id = escape(&repository.id());
    let url = escape(repository.endpoint.as_str());
    let mut additions: Vec<Addition> = vec![(
        "servers",
        format!(
            "    <server>\n      <id>{id}</id>\n      <username>aws</username>\n      <password>{}</password>\n    </server>\n",
            escape(&repository.token)
        ),
    )];
    if !repository.keep_public {
        additions.push((
            "mirrors",
            format!(
                "    <mirror>\n      <id>{id}</id>\n      <mirrorOf>*</mirrorOf>\n      <url>{url}</url>\n    </mirror>\n"
            ),
        ));
    }
    additions.push(("profiles", profile(&id, &url)));
    let plan = Plan::new().file(home.path.join(".m2/settings.xml"), move |text| {
        add(if text.trim().is_empty() { EMPTY } else { text }, "settings", &additions)
    });
    plan.note(format!(
        "Deploy with: mvn deploy -DaltDeploymentRepository={id}::default::{}\n(without '::default' from \
         maven-deploy-plugin 3 on), or name the id {id} in the project's distributionManagement.",
        repository.endpoint
    ))
    .token_ends()
}

fn profile(id: &str, url: &str) -> String {
    let repository = |kind: &str| {
        format!(
            "        <{kind}>\n          <id>{id}</id>\n          <url>{url}</url>\n          \
             <releases><enabled>true</enabled></releases>\n          <snapshots><enabled>true</enabled></snapshots>\n        \
             </{kind}>\n"
        )
    };
    format!(
        "    <profile>\n      <id>{id}</id>\n      <activation><activeByDefault>true</activeByDefault></activation>\n      \
         <repositories>\n{}      </repositories>\n      <pluginRepositories>\n{}      </pluginRepositories>\n    \
         </profile>\n",
        repository("repository"),
        repository("pluginRepository"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::Client;
    use super::super::testing::edited;

    #[test]
    fn settings_gain_a_server_a_mirror_and_a_profile() {
        for before in ["", "<settings><offline>false</offline><servers/></settings>"] {
            let after = edited(Client::Maven, before);
            for part in [
                "<id>my-domain-my-repo</id>",
                "<mirrorOf>*</mirrorOf>",
                "<password>to.ken</password>",
                "activeByDefault",
            ] {
                assert!(after.contains(part), "{part}: {after}");
            }
            assert_eq!(after.contains("<offline>false</offline>"), !before.is_empty());
        }
    }
}
