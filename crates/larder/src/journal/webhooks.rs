//! The configured receivers of events.

use std::sync::Arc;

use larder_core::services::{EventHook, Events, Services};
use larder_external::{Client, Webhook};

use crate::cli::{Failure, Outcome};
use crate::config::WebhookSettings;

/// Wires the receivers; `None` if there are none.
pub(crate) fn events(
    settings: &[WebhookSettings],
    services: &Services,
    client: &Client,
    node: String,
) -> Outcome<Option<Events>> {
    let mut hooks = Vec::with_capacity(settings.len());
    for webhook in settings {
        let headers = webhook.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let sender = Webhook::new(client.clone(), &webhook.url, &webhook.secret, headers)
            .map_err(|error| Failure::new(format!("webhook {}: {error}", webhook.name)))?;
        hooks.push(EventHook {
            name: webhook.name.clone(),
            filter: webhook.filter.clone(),
            sender: Arc::new(sender),
            retry: webhook.retry.clone(),
        });
    }
    let events = Events::new(Arc::clone(&services.store), Arc::clone(&services.clock), node, hooks);
    Ok((!settings.is_empty()).then_some(events))
}
