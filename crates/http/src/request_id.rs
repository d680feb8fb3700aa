//! The id of each request, in its answer (`x-amzn-RequestId`), in the log and in the journal.

use std::cell::Cell;
use std::fmt;

/// A random UUID (version 4). Not a secret: it comes from a fast generator, seeded once per thread.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId([u8; 36]);

thread_local! {
    static STATE: Cell<u64> = Cell::new(seed());
}

fn seed() -> u64 {
    // Without the system's randomness the time and the place of a local are different enough for telling requests apart.
    getrandom::u64().unwrap_or_else(|_| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        since.as_secs().rotate_left(32) ^ u64::from(since.subsec_nanos()) ^ (std::ptr::from_ref(&since).addr() as u64)
    })
}

tokio::task_local! {
    static CURRENT: RequestId;
}

/// SplitMix64.
fn next() -> u64 {
    let state = STATE.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
    STATE.set(state);
    let mut mixed = state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl RequestId {
    /// A new id.
    #[must_use]
    pub fn random() -> Self {
        let mut random = [0; 16];
        random[..8].copy_from_slice(&next().to_be_bytes());
        random[8..].copy_from_slice(&next().to_be_bytes());
        random[6] = random[6] & 0x0f | 0x40;
        random[8] = random[8] & 0x3f | 0x80;
        let mut text = [b'-'; 36];
        let mut at = 0;
        for (index, byte) in random.into_iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                at += 1;
            }
            text[at] = HEX[usize::from(byte >> 4)];
            text[at + 1] = HEX[usize::from(byte & 0x0f)];
            at += 2;
        }
        Self(text)
    }

    /// The id of the request that this task answers, for log lines about failures whose answer names it.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(|id| *id).ok()
    }

    /// Runs `answering` as the request with this id.
    pub(crate) fn scope<F: Future>(self, answering: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, answering)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_version_4_uuids_and_differ() {
        let mut seen = HashSet::new();
        for _ in 0..10_000 {
            let id = RequestId::random();
            let text = id.as_str();
            let parts: Vec<usize> = text.split('-').map(str::len).collect();
            assert_eq!(parts, [8, 4, 4, 4, 12], "{text}");
            assert!(text.bytes().all(|byte| byte == b'-' || matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{text}");
            assert!(text.as_bytes()[14] == b'4' && b"89ab".contains(&text.as_bytes()[19]), "{text}");
            assert!(seen.insert(text.to_owned()), "{text} came twice");
        }
    }

    #[test]
    fn threads_count_from_different_seeds() {
        let here = RequestId::random();
        let there = std::thread::spawn(RequestId::random).join().unwrap();
        assert_ne!(here, there);
    }
}
