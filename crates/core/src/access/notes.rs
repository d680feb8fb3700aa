//! What is noted of a request while it is answered: by its server, what it said of itself, for the journal; by
//! [`super::Access::authorize`], what was asked for, for the audit log.

use std::cell::RefCell;
use std::sync::Arc;

use super::Action;

tokio::task_local! {
    static NOTES: RequestNotes;
}

/// The notes of one request; they travel with the task that answers it.
#[derive(Default)]
pub struct RequestNotes {
    /// `{"method":…,"uri":…,"userAgent":…}`, for requests that may write.
    client: Option<Arc<str>>,
    asked: RefCell<Option<Arc<Asked>>>,
}

/// The first thing that was decided about: the action and the ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub action: &'static str,
    pub resource: String,
}

impl RequestNotes {
    /// Runs `answering`; answers what it asked for, too. `client` becomes a part of what it writes to the journal.
    pub async fn scope<F: Future>(client: Option<Arc<str>>, answering: F) -> (F::Output, Option<Arc<Asked>>) {
        let notes = Self { client, asked: RefCell::new(None) };
        NOTES
            .scope(notes, async {
                let answer = answering.await;
                let asked = NOTES.try_with(|notes| notes.asked.borrow_mut().take()).ok().flatten();
                (answer, asked)
            })
            .await
    }

    /// What the request of this task said of itself.
    pub(super) fn client() -> Option<Arc<str>> {
        NOTES.try_with(|notes| notes.client.clone()).ok().flatten()
    }

    /// Notes what is asked for, if that is wanted and nothing was noted before.
    pub(super) fn ask(action: Action, resource: impl FnOnce() -> String) {
        // Without a request there is nobody who reads the note.
        let _ = NOTES.try_with(|notes| {
            let mut asked = notes.asked.borrow_mut();
            if asked.is_none() {
                *asked = Some(Arc::new(Asked { action: action.name(), resource: resource() }));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_thing_that_is_asked_for_is_noted() {
        let answering = async {
            RequestNotes::ask(Action::ReadFromRepository, || "a".to_owned());
            RequestNotes::ask(Action::DeletePackage, || "b".to_owned());
            RequestNotes::client()
        };
        let (client, asked) = RequestNotes::scope(Some("c".into()), answering).await;
        assert_eq!(client.as_deref(), Some("c"));
        assert_eq!(asked.as_deref(), Some(&Asked { action: "ReadFromRepository", resource: "a".to_owned() }));
        RequestNotes::ask(Action::DeletePackage, || unreachable!("nobody wants to know"));
    }
}
