//! Reading the gemspec out of a gem that is still arriving.

use larder_core::error::Invalid;
use tar::Header;

use super::{MEMBER_LIMIT_BYTES, METADATA, check_member, missing};

/// Headers and contents of a tar fill whole blocks.
const BLOCK_BYTES: usize = 512;

/// Finds `metadata.gz` among the members of a gem, of which it is given the bytes as they come. It holds a header, or
/// that member, and nothing else of what it was given.
#[derive(Debug)]
pub(crate) struct Peek(State);

#[derive(Debug)]
enum State {
    /// The part of a header that is there.
    Header(Vec<u8>),
    /// So many bytes of another member, and of what fills its last block, are to come.
    Passing(u64),
    /// `metadata.gz`, of which so many bytes are to come.
    Reading(Vec<u8>, usize),
    Found,
}

impl Peek {
    /// Before the first byte.
    pub(crate) fn new() -> Self {
        Self(State::Header(Vec::with_capacity(BLOCK_BYTES)))
    }

    /// Takes the next bytes; answers `metadata.gz`, as it is packed, once, when its last byte is among them.
    ///
    /// # Errors
    /// [`Invalid`] as soon as it is clear that this is no gem.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) -> Result<Option<Vec<u8>>, Invalid> {
        loop {
            match &mut self.0 {
                State::Found => return Ok(None),
                State::Reading(content, 0) => {
                    let content = std::mem::take(content);
                    self.0 = State::Found;
                    return Ok(Some(content));
                }
                _ if bytes.is_empty() => return Ok(None),
                State::Header(block) => {
                    block.extend_from_slice(take(&mut bytes, BLOCK_BYTES - block.len()));
                    if block.len() == BLOCK_BYTES {
                        self.0 = after_header(block)?;
                    }
                }
                State::Passing(left) => {
                    let passed = take(&mut bytes, usize::try_from(*left).unwrap_or(usize::MAX)).len();
                    *left -= passed as u64;
                    if *left == 0 {
                        *self = Self::new();
                    }
                }
                State::Reading(content, left) => {
                    let read = take(&mut bytes, *left);
                    content.extend_from_slice(read);
                    *left -= read.len();
                }
            }
        }
    }
}

/// What follows a header.
fn after_header(block: &[u8]) -> Result<State, Invalid> {
    if block.iter().all(|byte| *byte == 0) {
        return Err(missing(METADATA));
    }
    let header = Header::from_byte_slice(block);
    let unreadable = || Invalid::new("the gem is not a readable tar");
    // The sum is made with blanks in its own place.
    let outside = block.iter().enumerate().filter(|(at, _)| !(148..156).contains(at));
    let sum: u32 = outside.map(|(_, byte)| u32::from(*byte)).sum::<u32>() + 8 * u32::from(b' ');
    if header.cksum().ok() != Some(sum) {
        return Err(unreadable());
    }
    let size_bytes = header.entry_size().map_err(|_| unreadable())?;
    if check_member(header, size_bytes)? == METADATA {
        debug_assert!(size_bytes <= MEMBER_LIMIT_BYTES);
        let left = usize::try_from(size_bytes).map_err(|_| unreadable())?;
        return Ok(State::Reading(Vec::new(), left));
    }
    let left = size_bytes.checked_next_multiple_of(BLOCK_BYTES as u64).ok_or_else(unreadable)?;
    Ok(if left == 0 { Peek::new().0 } else { State::Passing(left) })
}

/// Cuts off at most so many bytes.
fn take<'a>(bytes: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (taken, rest) = bytes.split_at(count.min(bytes.len()));
    *bytes = rest;
    taken
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{gem, gzip, members_of, tar};
    use super::*;

    /// Gives it the bytes in pieces of these sizes, over and over; answers what it found and after how many bytes.
    fn peek(bytes: &[u8], sizes: &[usize]) -> Result<Option<(Vec<u8>, usize)>, Invalid> {
        let mut peek = Peek::new();
        let (mut at, mut sizes) = (0, sizes.iter().cycle());
        while at < bytes.len() {
            let end = (at + sizes.next().unwrap()).min(bytes.len());
            if let Some(found) = peek.push(&bytes[at..end])? {
                assert_eq!(peek.push(&bytes[end..]).unwrap(), None, "it is found once");
                return Ok(Some((found, end)));
            }
            at = end;
        }
        Ok(None)
    }

    #[test]
    fn the_gemspec_is_known_when_its_last_byte_is_there() {
        let bytes = gem("foo", "1.0.0", "ruby");
        let metadata = members_of(&bytes).remove(METADATA).unwrap();
        let needed = BLOCK_BYTES + metadata.len();
        assert_eq!(peek(&bytes, &[1]).unwrap(), Some((metadata, needed)));
        assert_eq!(peek(&bytes[..needed - 1], &[100]).unwrap(), None);
    }

    #[test]
    fn what_is_no_gem_is_known_at_its_first_header() {
        let mut changed = gem("foo", "1.0.0", "ruby");
        changed[3] ^= 1;
        for (what, bytes) in [
            ("zeros", vec![0; 4096]),
            ("text", b"no archive ".repeat(100)),
            ("another file", tar(&[("a", b"a")])),
            ("a changed header", changed),
        ] {
            assert!(peek(&bytes[..BLOCK_BYTES], &[64]).is_err(), "{what}");
        }
    }

    proptest! {
        #[test]
        fn pieces_and_the_order_of_members_make_no_difference(
            data in proptest::collection::vec(any::<u8>(), 0..2000),
            metadata in proptest::collection::vec(any::<u8>(), 0..2000),
            order in Just(vec![0, 1, 2]).prop_shuffle(),
            sizes in proptest::collection::vec(1_usize..1500, 1..20),
        ) {
            let packed = gzip(b"x");
            let members: [(&str, &[u8]); 3] =
                [(METADATA, &metadata), ("data.tar.gz", &data), ("checksums.yaml.gz", &packed)];
            let ordered: Vec<_> = order.iter().map(|at| members[*at]).collect();
            let found = peek(&tar(&ordered), &sizes).unwrap().map(|(found, _)| found);
            prop_assert_eq!(found, Some(metadata));
        }
    }
}
