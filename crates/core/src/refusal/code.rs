//! The names of the rules that refuse.

use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Which rule refused. The texts are stable: scripts and dashboards may match them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum RefusalCode {
            $($(#[$doc])* $name,)*
        }

        impl RefusalCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// As answers carry it: `cooldown-too-young`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

codes! {
    /// No policy allows the action, or the caller may not know more than that.
    IamNotAllowed = "iam-not-allowed",
    /// A policy of the caller itself denies it.
    IamIdentityDeny = "iam-identity-deny",
    /// The policy that the caller's session was begun with does not allow it.
    IamSessionPolicy = "iam-session-policy",
    /// The domain's policy denies it.
    IamDomainDeny = "iam-domain-deny",
    /// The repository's policy denies it.
    IamRepositoryDeny = "iam-repository-deny",
    /// The token opens another domain, or is for reading only.
    IamTokenScope = "iam-token-scope",
    /// These credentials are not of a kind that may do this, whatever policies say.
    IamCredentials = "iam-credentials",
    /// The package's origin configuration blocks publishing (reference 4.1).
    OriginPublish = "origin-publish",
    /// The package's origin configuration blocks what comes from upstream (reference 4.1).
    OriginUpstream = "origin-upstream",
    /// The name could be mistaken for one that is published here.
    OriginLookAlike = "origin-look-alike",
    /// The package group does not let the package be published here (reference 4.3).
    GroupPublish = "group-publish",
    /// The package group does not let the package be taken from a public registry here.
    GroupExternalUpstream = "group-external-upstream",
    /// The package group does not let the package be taken from another repository of the domain here.
    GroupInternalUpstream = "group-internal-upstream",
    /// The name is a variant of what a package group stands for (a weak match, reference 4.5).
    GroupVariant = "group-variant",
    /// The version was published at its source too short a time ago.
    CooldownTooYoung = "cooldown-too-young",
    /// Nobody knows when the version was published at its source, so it counts as young.
    CooldownAgeUnknown = "cooldown-age-unknown",
    /// The version was published at its source after the instant that a rule names as the last.
    CooldownAfterCutOff = "cooldown-after-cut-off",
    /// The version is archived.
    StatusArchived = "status-archived",
    /// The version is disposed: its assets are gone.
    StatusDisposed = "status-disposed",
    /// The version is not finished yet.
    StatusUnfinished = "status-unfinished",
}

impl RefusalCode {
    /// The code with this text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for RefusalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
