//! Where events go.

use async_trait::async_trait;

use crate::model::Timestamp;

/// Sends events to one receiver.
#[async_trait]
pub trait EventSender: Send + Sync + 'static {
    /// Sends one event. A sentence on failure: no answer in time, or an answer that does not say that it was taken.
    async fn send(&self, message: &EventMessage) -> Result<(), String>;
}

/// An event on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventMessage {
    /// The same whenever it is sent.
    pub id: String,
    /// When it is sent.
    pub at: Timestamp,
    /// JSON.
    pub body: String,
}
