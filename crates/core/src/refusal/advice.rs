//! What would change a refusal, as commands of the AWS CLI where there is one.

use super::{Refusal, RefusalCode};

impl Refusal {
    /// What would change it, the most likely first.
    #[must_use]
    pub fn advice(&self) -> Vec<String> {
        let of = |name: &str| {
            let found = self.parameters.iter().find(|(known, _)| *known == name);
            found.map_or("?", |(_, value)| value.as_str())
        };
        match self.code {
            RefusalCode::IamNotAllowed => vec![
                format!(
                    "a statement that allows {} on {} in a policy of {}",
                    of("action"),
                    of("resource"),
                    of("principal")
                ),
                format!("the same in the policy of the domain or repository, with {} as Principal", of("principal")),
            ],
            RefusalCode::IamIdentityDeny => {
                vec![format!("a policy of {} that does not deny {}", of("principal"), of("action"))]
            }
            RefusalCode::IamSessionPolicy => vec!["a session with another session policy".to_owned()],
            RefusalCode::IamDomainDeny => {
                vec!["aws codeartifact put-domain-permissions-policy without the deny".to_owned()]
            }
            RefusalCode::IamRepositoryDeny => {
                vec!["aws codeartifact put-repository-permissions-policy without the deny".to_owned()]
            }
            RefusalCode::IamTokenScope | RefusalCode::IamCredentials => {
                vec!["another token: aws codeartifact get-authorization-token".to_owned()]
            }
            RefusalCode::OriginPublish => vec![format!(
                "aws codeartifact put-package-origin-configuration with publish=ALLOW for {} in {}",
                of("package"),
                of("repository")
            )],
            RefusalCode::OriginUpstream => vec![format!(
                "aws codeartifact put-package-origin-configuration with upstream=ALLOW for {} in {}",
                of("package"),
                of("repository")
            )],
            RefusalCode::OriginLookAlike => vec!["another name".to_owned()],
            RefusalCode::GroupPublish | RefusalCode::GroupExternalUpstream | RefusalCode::GroupInternalUpstream => {
                vec![format!(
                    "aws codeartifact update-package-group-origin-configuration of '{}' with another {}",
                    of("setBy"),
                    of("restriction")
                )]
            }
            RefusalCode::GroupVariant => {
                vec![format!("aws codeartifact create-package-group with the pattern '/{}$'", of("package"))]
            }
            RefusalCode::CooldownTooYoung | RefusalCode::CooldownAgeUnknown | RefusalCode::CooldownAfterCutOff => {
                let wait = self.parameters.iter().find(|(name, _)| *name == "until");
                let wait = wait.map(|(_, until)| format!("waiting until {until}"));
                let exempt =
                    format!("'/{}' in the tag larder:minimum-release-age-exempt of {}", of("package"), of("setBy"));
                let lift =
                    format!("another tag larder:minimum-release-age or larder:newest-release of {}", of("setBy"));
                wait.into_iter().chain([exempt, lift]).collect()
            }
            RefusalCode::StatusArchived => {
                vec!["aws codeartifact update-package-versions-status --target-status Published".to_owned()]
            }
            RefusalCode::StatusDisposed => vec!["another version".to_owned()],
            RefusalCode::StatusUnfinished => vec!["the rest of its assets, by whoever publishes it".to_owned()],
        }
    }
}
