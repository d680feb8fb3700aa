//! Gradle: an init script, which is a program and so asks for a token by itself.

use super::{Home, Plan, Repository};

pub(super) fn plan(repository: &Repository, home: &Home) -> Plan {
    let path = home.folder("GRADLE_USER_HOME", ".gradle").join("init.d/larder.gradle");
    let words: Vec<_> = repository.helper.command("token").iter().map(|word| groovy(word)).collect();
    let url = groovy(repository.endpoint.as_str());
    let others = if repository.keep_public { "" } else { REMOVE_OTHERS };
    let script =
        SCRIPT.replace("@HELPER@", &words.join(", ")).replace("@URL@", &url).replace("@REMOVE_OTHERS@", others);
    Plan::new().file(path, move |_| Ok(script.clone())).note(
        "Gradle asks larder for a token whenever it runs. A build that publishes finds address and token as larderUrl \
         and larderToken:\n  publishing { repositories { maven { url larderUrl; credentials { username 'aws'; password \
         larderToken } } } }",
    )
}

/// A string of Groovy in which nothing is replaced.
fn groovy(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

const REMOVE_OTHERS: &str = "    repositories.all { if (it.name != 'larder') { repositories.remove(it) } }\n";

const SCRIPT: &str = "\
// Written by `larder connect gradle`; taken away by `larder connect gradle --undo`.
def larderAddress = @URL@
def askLarder = {
    def process = [@HELPER@].execute()
    def printed = new StringBuilder()
    def errors = new StringBuilder()
    process.waitForProcessOutput(printed, errors)
    if (process.exitValue() != 0) {
        throw new GradleException(\"no token for ${larderAddress}: ${errors}\")
    }
    printed.toString().trim()
}
def token = askLarder()
def useLarder = { repositories ->
    repositories.maven {
        name = 'larder'
        url = larderAddress
        if (it.hasProperty('allowInsecureProtocol')) {
            allowInsecureProtocol = larderAddress.startsWith('http:')
        }
        credentials {
            username = 'aws'
            password = token
        }
    }
@REMOVE_OTHERS@}
settingsEvaluated { settings ->
    useLarder(settings.pluginManagement.repositories)
    if (settings.hasProperty('dependencyResolutionManagement')) {
        useLarder(settings.dependencyResolutionManagement.repositories)
    }
}
allprojects { project ->
    project.ext.larderUrl = larderAddress
    project.ext.larderToken = token
    useLarder(project.buildscript.repositories)
    useLarder(project.repositories)
}
";

#[cfg(test)]
mod tests {
    use super::super::Client;
    use super::super::testing::edited;

    #[test]
    fn the_script_runs_the_helper_and_nothing_in_it_is_left_open() {
        let script = edited(Client::Gradle, "");
        assert!(
            script.contains("['/usr/bin/larder', 'credential', 'token', '--domain', 'my-domain'].execute()"),
            "{script}"
        );
        assert!(!script.contains('@'), "{script}");
        assert!(!script.contains("to.ken"));
        assert_eq!(super::groovy(r"a'b\c"), r"'a\'b\\c'");
    }
}
