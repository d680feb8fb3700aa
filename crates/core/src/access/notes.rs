//! What is noted of a request while it is answered: by its server, what it said of itself, for the journal; by
//! [`super::Access::authorize`], what was asked for, and by the store, whether a journal record tells of it, for the
//! audit log.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use serde::Serialize;

use super::Action;
use crate::model::{PackageKey, VersionText};

tokio::task_local! {
    static NOTES: RequestNotes;
}

/// The notes of one request; they travel with the task that answers it.
#[derive(Default)]
pub struct RequestNotes {
    /// `None` for requests that are not expected to write.
    client: Option<RequestClient>,
    /// Whether anybody wants to know what was asked for.
    wants_asked: bool,
    asked: RefCell<Option<Arc<Asked>>>,
    written: Cell<bool>,
}

/// What a request said of itself, as journal records keep it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestClient {
    pub method: String,
    /// Decoded, without query and without tokens.
    pub uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

/// The first thing that was decided about: the action and the ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub action: &'static str,
    /// Whether the action leaves everything as it is.
    pub reads: bool,
    pub resource: String,
}

impl RequestNotes {
    /// For a request; `client` becomes a part of what it writes to the journal.
    #[must_use]
    pub fn new(client: Option<RequestClient>, wants_asked: bool) -> Self {
        Self { wants_asked: wants_asked || client.is_some(), client, ..Self::default() }
    }

    /// Runs what answers the request.
    pub fn scope<F: Future>(self, answering: F) -> impl Future<Output = F::Output> {
        NOTES.scope(self, answering)
    }

    /// What was asked for by the request of this task.
    #[must_use]
    pub fn asked() -> Option<Arc<Asked>> {
        NOTES.try_with(|notes| notes.asked.borrow().clone()).ok().flatten()
    }

    /// Whether a journal record tells of the request of this task.
    #[must_use]
    pub fn is_written() -> bool {
        NOTES.try_with(|notes| notes.written.get()).unwrap_or(false)
    }

    /// Notes that a journal record tells of the request of this task.
    pub fn note_written() {
        // Without a request, nobody reads the note.
        let _ = NOTES.try_with(|notes| notes.written.set(true));
    }

    /// What the request of this task said of itself and what it asked for, as JSON.
    pub(super) fn client() -> Option<Arc<str>> {
        #[derive(Serialize)]
        struct Told<'a> {
            #[serde(flatten)]
            client: &'a RequestClient,
            #[serde(skip_serializing_if = "Option::is_none")]
            resource: Option<&'a str>,
        }
        let told = NOTES.try_with(|notes| {
            let asked = notes.asked.borrow();
            let resource = asked.as_ref().map(|asked| asked.resource.as_str());
            notes.client.as_ref().and_then(|client| serde_json::to_string(&Told { client, resource }).ok())
        });
        told.ok().flatten().map(Arc::from)
    }

    /// Notes of which package something is read: the right to read is a right to the repository.
    pub(crate) fn about(key: &PackageKey, version: Option<&VersionText>) {
        let _ = NOTES.try_with(|notes| {
            let mut asked = notes.asked.borrow_mut();
            let Some(asked) = asked.as_mut() else { return };
            let Some((before, repository)) = asked.resource.split_once(":repository/") else { return };
            let (format, namespace, name) = (key.format(), key.namespace().unwrap_or(""), key.name());
            let version = version.map(|version| format!("#{version}")).unwrap_or_default();
            let resource = format!("{before}:package/{repository}/{format}/{namespace}/{name}{version}");
            Arc::make_mut(asked).resource = resource;
        });
    }

    /// Notes what is asked for, if that is wanted and nothing was noted before.
    pub(super) fn ask(action: Action, resource: impl FnOnce() -> String) {
        let _ = NOTES.try_with(|notes| {
            let mut asked = notes.asked.borrow_mut();
            if notes.wants_asked && asked.is_none() {
                *asked = Some(Arc::new(Asked { action: action.name(), reads: action.is_read(), resource: resource() }));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_thing_that_is_asked_for_is_noted() {
        let client = RequestClient { method: "PUT".to_owned(), uri: "/x".to_owned(), user_agent: None };
        RequestNotes::new(Some(client), false)
            .scope(async {
                RequestNotes::ask(Action::PublishPackageVersion, || "a".to_owned());
                RequestNotes::ask(Action::DeletePackage, || "b".to_owned());
                let asked = RequestNotes::asked();
                assert_eq!(
                    asked.map(|asked| (asked.action, asked.resource.clone())),
                    Some(("PublishPackageVersion", "a".to_owned()))
                );
                assert_eq!(RequestNotes::client().as_deref(), Some(r#"{"method":"PUT","uri":"/x","resource":"a"}"#));
                assert!(!RequestNotes::is_written());
                RequestNotes::note_written();
                assert!(RequestNotes::is_written());
            })
            .await;
        RequestNotes::new(None, false)
            .scope(async { RequestNotes::ask(Action::DeletePackage, || unreachable!("nobody wants to know")) })
            .await;
        assert!(!RequestNotes::is_written());
    }
}
