//! Which subtrees a proof is made of (RFC 9162, 2.1.3 and 2.1.4), in the order in which they stand in it.

use std::ops::Range;

/// The largest power of two that is smaller than `length`, which is at least 2.
fn split(length: u64) -> u64 {
    1 << (length - 1).ilog2()
}

/// The inclusion proof of a leaf in a tree of `size`; `None` if there is no such leaf.
#[must_use]
pub fn inclusion(leaf: u64, size: u64) -> Option<Vec<Range<u64>>> {
    if leaf >= size {
        return None;
    }
    let mut path = Vec::new();
    let mut range = 0..size;
    while range.end - range.start > 1 {
        let middle = range.start + split(range.end - range.start);
        let (inside, sibling) = if leaf < middle {
            (range.start..middle, middle..range.end)
        } else {
            (middle..range.end, range.start..middle)
        };
        path.push(sibling);
        range = inside;
    }
    path.reverse();
    Some(path)
}

/// The proof that a tree of `size` begins with one of `before`; `None` unless `0 < before <= size`.
#[must_use]
pub fn consistency(before: u64, size: u64) -> Option<Vec<Range<u64>>> {
    if before == 0 || before > size {
        return None;
    }
    let mut path = Vec::new();
    let mut range = 0..size;
    while range.end != before {
        let middle = range.start + split(range.end - range.start);
        if before <= middle {
            path.push(middle..range.end);
            range = range.start..middle;
        } else {
            path.push(range.start..middle);
            range = middle..range.end;
        }
    }
    // Whoever knows the older tree knows the root of all of it.
    if range.start > 0 {
        path.push(range);
    }
    path.reverse();
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proofs_are_those_of_the_rfc() {
        // RFC 9162 2.1.5, the tree of seven leaves.
        let ranges = |list: &[(u64, u64)]| Some(list.iter().map(|(start, end)| *start..*end).collect::<Vec<_>>());
        assert_eq!(inclusion(0, 7), ranges(&[(1, 2), (2, 4), (4, 7)]));
        assert_eq!(inclusion(3, 7), ranges(&[(2, 3), (0, 2), (4, 7)]));
        assert_eq!(inclusion(4, 7), ranges(&[(5, 6), (6, 7), (0, 4)]));
        assert_eq!(inclusion(6, 7), ranges(&[(4, 6), (0, 4)]));
        assert_eq!(consistency(3, 7), ranges(&[(2, 3), (3, 4), (0, 2), (4, 7)]));
        assert_eq!(consistency(4, 7), ranges(&[(4, 7)]));
        assert_eq!(consistency(6, 7), ranges(&[(4, 6), (6, 7), (0, 4)]));
        assert_eq!(consistency(7, 7), ranges(&[]));
        assert_eq!((inclusion(7, 7), consistency(0, 7), consistency(8, 7)), (None, None, None));
    }
}
