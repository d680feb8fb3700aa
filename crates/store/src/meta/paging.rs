//! Keyset pages: prefixes as ranges, numbers in page tokens, and pages of lists that are filtered while being read.

use larder_core::model::{Page, PageRequest, PageToken};
use larder_core::{Error, Result};

/// Rows that one page of a filtered list looks at, at most. A page that found less than asked for by then is cut short
/// and tells where to go on, so that a filter which almost nothing passes costs many small pages, not one long scan.
pub(super) const EXAMINED: usize = 5000;

/// The last character there is sorts after every name, which has 255 characters at most.
const LAST: char = char::MAX;

/// The least text that sorts after everything that starts with `prefix`. UTF-8 sorts as its code points do.
pub(super) fn end_of_prefix(prefix: &str) -> String {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        if let Some(next) = (last..=LAST).nth(1) {
            chars.push(next);
            return chars.into_iter().collect();
        }
    }
    LAST.to_string().repeat(256)
}

/// Where a list begins that is restricted to a prefix and ordered by the n-th key: at the prefix, or right after the
/// position. Nothing stored lies between a text and the same with a control character appended.
pub(super) fn start(page: &PageRequest, n: usize, prefix: &str) -> String {
    match page.key(n) {
        "" => prefix.to_owned(),
        key => format!("{key}\u{1}"),
    }
}

/// The n-th key of a page's position as a number; `first` on the first page.
pub(super) fn number(page: &PageRequest, n: usize, first: i64) -> Result<i64> {
    match page.key(n) {
        "" => Ok(first),
        key => key.parse().map_err(|_| {
            Error::validation("nextToken", "the pagination token is of another list; repeat the call without it")
        }),
    }
}

/// How many rows to read for a page: one more than asked for, which tells whether there is a next page.
pub(super) fn rows(limit: usize) -> i64 {
    i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX)
}

/// A page of a list that is filtered while it is read, chunk by chunk.
pub(super) struct Filtered<T> {
    limit: usize,
    examined: usize,
    items: Vec<T>,
    last: Option<PageToken>,
}

impl<T> Filtered<T> {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit: limit.max(1), examined: 0, items: Vec::new(), last: None }
    }

    /// How many rows the next chunk should have.
    pub(super) fn chunk(&self) -> usize {
        self.limit.saturating_add(1).clamp(1, EXAMINED)
    }

    /// Takes a chunk of `asked` rows or less, in list order, with each row's key. Answers the page when it is complete,
    /// else where the next chunk starts.
    pub(super) fn take(
        &mut self,
        chunk: Vec<T>,
        asked: usize,
        passes: impl Fn(&T) -> bool,
        key: impl Fn(&T) -> Vec<String>,
    ) -> Result<Page<T>, PageRequest> {
        let exhausted = chunk.len() < asked;
        for row in chunk {
            if self.items.len() == self.limit && passes(&row) {
                return Ok(self.page());
            }
            self.examined += 1;
            self.last = Some(PageToken(key(&row)));
            if passes(&row) {
                self.items.push(row);
            }
        }
        if exhausted {
            self.last = None;
            return Ok(self.page());
        }
        if self.examined >= EXAMINED {
            return Ok(self.page());
        }
        Err(PageRequest { limit: self.limit, after: self.last.clone() })
    }

    fn page(&mut self) -> Page<T> {
        Page { items: std::mem::take(&mut self.items), next: self.last.take() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_prefix_is_a_range(prefix in "\\PC{0,3}", text in "\\PC{0,6}", rest in "\\PC{0,3}") {
            let inside = |text: &str| *text >= *prefix && *text < *end_of_prefix(&prefix);
            prop_assert_eq!(inside(&text), text.starts_with(&prefix));
            let longer = format!("{prefix}{rest}");
            prop_assert!(inside(&longer));
        }
    }

    #[test]
    fn ends_of_odd_prefixes() {
        assert_eq!(end_of_prefix("a\u{10FFFF}"), "b");
        assert_eq!(end_of_prefix("\u{D7FF}"), "\u{E000}");
        assert!(*end_of_prefix("") > *"\u{10FFFF}");
    }

    fn read_all(rows: usize, limit: usize, passes: impl Fn(&usize) -> bool) -> (Vec<usize>, usize) {
        let (mut found, mut pages, mut after) = (Vec::new(), 0, None::<usize>);
        loop {
            let mut page = Filtered::new(limit);
            let mut from = after.map_or(0, |row| row + 1);
            let page = loop {
                let asked = page.chunk();
                let chunk: Vec<usize> = (from..rows).take(asked).collect();
                match page.take(chunk, asked, &passes, |row| vec![row.to_string()]) {
                    Ok(page) => break page,
                    Err(next) => from = next.key(0).parse::<usize>().expect("a number") + 1,
                }
            };
            assert!(page.items.len() <= limit);
            pages += 1;
            found.extend(page.items);
            match page.next {
                Some(next) => after = Some(next.0[0].parse().expect("a number")),
                None => return (found, pages),
            }
        }
    }

    #[test]
    fn a_filtered_list_is_complete_and_its_pages_are_bounded() {
        for limit in [1, 2, 7, 1000] {
            let expected: Vec<usize> = (0..23_000).filter(|row| row % 1000 == 3).collect();
            let (found, _) = read_all(23_000, limit, |row| row % 1000 == 3);
            assert_eq!(found, expected, "limit {limit}");
        }
        let (found, pages) = read_all(23_000, 10, |_| false);
        assert!(found.is_empty());
        assert_eq!(pages, 5);
        assert_eq!(read_all(10, 5, |_| true), ((0..10).collect(), 2));
    }
}
