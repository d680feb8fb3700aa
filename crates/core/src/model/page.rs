//! Keyset pages (reference 1.7).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::Invalid;

/// A page of a list and where the next one starts. A page of a list that is filtered may hold fewer items than asked
/// for, or none, and have a next one: so many rows were looked at that the search goes on with another call.
#[derive(Debug, Clone)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// `None` on the last page.
    pub next: Option<PageToken>,
}

impl<T> Page<T> {
    /// Cuts a result that was read with one row more than asked for.
    #[must_use]
    pub fn cut(mut items: Vec<T>, limit: usize, key: impl Fn(&T) -> Vec<String>) -> Self {
        let next = if items.len() > limit {
            items.truncate(limit);
            items.last().map(|last| PageToken(key(last)))
        } else {
            None
        };
        Self { items, next }
    }

    /// Converts the items.
    #[must_use]
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), next: self.next }
    }
}

/// What of a list is wanted.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// Rows per page, at least 1.
    pub limit: usize,
    /// Where the last page ended.
    pub after: Option<PageToken>,
}

impl PageRequest {
    /// The first page.
    #[must_use]
    pub fn first(limit: usize) -> Self {
        Self { limit, after: None }
    }

    /// The n-th key of the position, or `""` on the first page, which sorts before every name.
    #[must_use]
    pub fn key(&self, n: usize) -> &str {
        self.after.as_ref().and_then(|token| token.0.get(n)).map_or("", String::as_str)
    }
}

/// The last row's keys. Clients see base64 of a JSON array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageToken(pub Vec<String>);

impl PageToken {
    /// The opaque form.
    #[must_use]
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&self.0).unwrap_or_default())
    }

    /// Reads what [`PageToken::encode`] wrote.
    ///
    /// # Errors
    /// [`Invalid`] when it is not such a token.
    pub fn decode(text: &str) -> Result<Self, Invalid> {
        let invalid = || Invalid::new("the pagination token is malformed; repeat the call without it");
        if text.len() > 2000 {
            return Err(invalid());
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        serde_json::from_slice(&bytes).map(Self).map_err(|_| invalid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_round_trip_and_garbage_is_refused() {
        let token = PageToken(vec!["npm".into(), "ünïcode".into(), String::new()]);
        assert_eq!(PageToken::decode(&token.encode()), Ok(token));
        for bad in ["", "!!", "e30", &"a".repeat(3000)] {
            assert!(PageToken::decode(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_page_is_last_when_no_row_is_left_over() {
        let page = Page::cut(vec!["a", "b", "c"], 2, |s| vec![(*s).to_owned()]);
        assert_eq!(page.items, ["a", "b"]);
        assert_eq!(page.next, Some(PageToken(vec!["b".into()])));
        assert!(Page::cut(vec!["a", "b"], 2, |s| vec![(*s).to_owned()]).next.is_none());
    }
}
