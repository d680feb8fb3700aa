//! `[[webhooks]]` of `larder.toml`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use larder_core::services::{EventFilter, EventRetry};
use serde::Deserialize;

use super::ConfigError;

/// One receiver of events.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct WebhookSection {
    /// Under which its place in the log is kept; lower-case letters, digits and hyphens.
    pub(crate) name: String,
    pub(crate) url: String,
    /// `whsec_` and base64 of 24 to 64 bytes.
    pub(crate) secret: Option<String>,
    /// A file that holds the secret instead.
    pub(crate) secret_file: Option<PathBuf>,
    /// Further headers of every request.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// Only events of these domains, repositories, formats; all without the key.
    #[serde(default)]
    pub(crate) domains: Vec<String>,
    #[serde(default)]
    pub(crate) repositories: Vec<String>,
    #[serde(default)]
    pub(crate) formats: Vec<String>,
    /// Attempts until an event is put aside as dead.
    pub(crate) attempts: Option<u32>,
    /// Milliseconds from the first attempt to the second; then twice as many each time.
    pub(crate) first_retry_ms: Option<u64>,
}

/// A receiver, settled but for what the outgoing client checks.
#[derive(Clone)]
pub(crate) struct WebhookSettings {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) secret: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) filter: EventFilter,
    pub(crate) retry: EventRetry,
}

impl std::fmt::Debug for WebhookSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookSettings").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Settles the sections.
pub(super) fn webhooks(sections: Vec<WebhookSection>) -> Result<Vec<WebhookSettings>, ConfigError> {
    let mut settled: Vec<WebhookSettings> = Vec::new();
    for section in sections {
        let name = section.name;
        let fits = (1..=64).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !fits {
            return Err(ConfigError(format!("[[webhooks]] name '{name}' must be 1 to 64 of a-z, 0-9 and -")));
        }
        if settled.iter().any(|other| other.name == name) {
            return Err(ConfigError(format!("[[webhooks]] name '{name}' is used twice")));
        }
        let secret = match (section.secret, section.secret_file) {
            (Some(secret), None) => secret,
            (None, Some(path)) => std::fs::read_to_string(&path)
                .map(|text| text.trim().to_owned())
                .map_err(|error| ConfigError(format!("webhook {name}: {}: {error}", path.display())))?,
            _ => return Err(ConfigError(format!("webhook {name} needs secret or secret-file, one of them"))),
        };
        settled.push(WebhookSettings {
            name,
            url: section.url,
            secret,
            headers: section.headers,
            filter: EventFilter {
                domains: section.domains,
                repositories: section.repositories,
                formats: section.formats,
            },
            retry: EventRetry {
                attempts: section.attempts.unwrap_or(12).max(1),
                first: Duration::from_millis(section.first_retry_ms.unwrap_or(1000)),
            },
        });
    }
    Ok(settled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<WebhookSettings>, ConfigError> {
        #[derive(Deserialize)]
        struct File {
            webhooks: Vec<WebhookSection>,
        }
        webhooks(toml::from_str::<File>(text).expect("sections").webhooks)
    }

    #[test]
    fn a_webhook_is_settled_with_its_defaults() {
        let hooks = read("[[webhooks]]\nname = \"ci\"\nurl = \"http://a.test/\"\nsecret = \"s\"\nformats = [\"npm\"]")
            .expect("valid");
        assert_eq!((hooks[0].name.as_str(), hooks[0].retry.attempts), ("ci", 12));
        assert_eq!(hooks[0].filter.formats, ["npm"]);
        assert!(!format!("{hooks:?}").contains("\"s\""), "secrets are not printed");
    }

    #[test]
    fn wrong_names_and_missing_secrets_are_errors() {
        let base = "[[webhooks]]\nurl = \"http://a.test/\"\n";
        for rest in ["name = \"CI\"\nsecret = \"s\"", "name = \"ci\""] {
            assert!(read(&format!("{base}{rest}")).is_err(), "{rest}");
        }
        let twice = format!("{base}name = \"ci\"\nsecret = \"s\"\n{base}name = \"ci\"\nsecret = \"s\"");
        assert!(read(&twice).expect_err("twice").0.contains("twice"));
    }
}
