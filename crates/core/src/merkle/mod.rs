//! Merkle trees over a log (RFC 9162 section 2.1, hashes as in RFC 6962) and the text forms of what is signed about
//! them (C2SP `tlog-checkpoint` and `signed-note`). Pure: no storage, no clock, no keys.
//!
//! Hashes are kept in tiles of 256 (C2SP `tlog-tiles`): tile `position` of level 0 holds the hashes of the leaves
//! `256 * position ..`, each tile of a level above the roots of 256 full tiles below. Only the last tile of a level is
//! ever partial, so adding a leaf touches one tile per level, and any hash of the tree is read from one tile.

mod edge;
mod note;
mod proof;

use std::ops::Range;

use sha2::{Digest as _, Sha256};

pub use edge::{Edge, FullTile};
pub use note::{Checkpoint, KeyName, SignedCheckpoint};
pub use proof::{consistency, inclusion};

/// A hash of the tree.
pub type Hash = [u8; 32];

/// Hashes in a full tile.
pub const TILE: usize = 256;
/// log2 of [`TILE`].
pub const TILE_HEIGHT: u32 = 8;

/// The hash of a leaf's bytes.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(leaf).finalize().into()
}

/// The hash of an inner node.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The root of the tree without leaves.
#[must_use]
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// The root over the roots of [`perfect`] subtrees, left to right.
#[must_use]
pub fn fold(roots: &[Hash]) -> Hash {
    let Some((last, rest)) = roots.split_last() else { return empty_root() };
    rest.iter().rev().fold(*last, |right, left| node_hash(left, &right))
}

/// The root over a power of two of hashes.
#[must_use]
pub fn perfect_root(hashes: &[Hash]) -> Hash {
    let mut level = hashes.to_vec();
    while level.len() > 1 {
        level = level.chunks(2).map(|pair| if let [l, r] = pair { node_hash(l, r) } else { pair[0] }).collect();
    }
    level.first().copied().unwrap_or_else(empty_root)
}

/// A perfect subtree: the leaves `index << height .. (index + 1) << height`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Node {
    pub height: u32,
    pub index: u64,
}

impl Node {
    /// Which tile its hash is made of: level and position, and which of the tile's hashes.
    #[must_use]
    pub fn place(self) -> (u32, u64, Range<usize>) {
        let (level, above) = (self.height / TILE_HEIGHT, self.height % TILE_HEIGHT);
        let first = self.index << above;
        let start = usize::try_from(first % TILE as u64).unwrap_or(0);
        (level, first / TILE as u64, start..start + (1 << above))
    }
}

/// The perfect subtrees, left to right, that make up a subtree of RFC 9162: its start is a multiple of the power of two
/// that is no smaller than its length, or it starts at 0.
#[must_use]
pub fn perfect(range: Range<u64>) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let aligned = if at == 0 { 63 } else { at.trailing_zeros() };
        let height = aligned.min((range.end - at).ilog2());
        nodes.push(Node { height, index: at >> height });
        at += 1 << height;
    }
    nodes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// MTH of RFC 9162 2.1.1, word for word.
    fn naive_root(leaves: &[Vec<u8>]) -> Hash {
        match leaves {
            [] => empty_root(),
            [leaf] => leaf_hash(leaf),
            leaves => {
                let k = leaves.len().next_power_of_two() / 2;
                node_hash(&naive_root(&leaves[..k]), &naive_root(&leaves[k..]))
            }
        }
    }

    fn leaves(count: usize) -> Vec<Vec<u8>> {
        (0..count).map(|number| number.to_string().into_bytes()).collect()
    }

    fn root_of(leaves: &[Vec<u8>], range: &Range<u64>) -> Hash {
        let at = |n: u64| usize::try_from(n).unwrap();
        naive_root(&leaves[at(range.start)..at(range.end)])
    }

    #[test]
    fn hashes_are_those_of_the_rfc() {
        // The tree heads that other implementations of RFC 6962 test with.
        assert_eq!(hex::encode(empty_root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(hex::encode(leaf_hash(b"")), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
        let inputs: [&[u8]; 8] = [
            b"",
            &[0x00],
            &[0x10],
            &[0x20, 0x21],
            &[0x30, 0x31],
            &[0x40, 0x41, 0x42, 0x43],
            &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            &[0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f],
        ];
        let mut edge = Edge::default();
        for input in inputs {
            edge.append(leaf_hash(input), &mut Vec::new());
        }
        assert_eq!(hex::encode(edge.root()), "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
    }

    proptest! {
        #[test]
        fn an_edge_has_the_root_of_its_leaves(count in 0usize..1500) {
            let leaves = leaves(count);
            let mut edge = Edge::default();
            let mut full = Vec::new();
            for leaf in &leaves {
                edge.append(leaf_hash(leaf), &mut full);
            }
            prop_assert_eq!(edge.root(), naive_root(&leaves));
            prop_assert_eq!(full.len(), count / TILE);
            let again = Edge::new(edge.size(), edge.levels().to_vec()).unwrap();
            prop_assert_eq!(again.root(), edge.root());
        }

        #[test]
        fn a_subtree_is_folded_from_perfect_ones(count in 1u64..300) {
            let leaves = leaves(300);
            let roots: Vec<Hash> = perfect(0..count)
                .into_iter()
                .map(|node| root_of(&leaves, &(node.index << node.height..(node.index + 1) << node.height)))
                .collect();
            prop_assert_eq!(fold(&roots), root_of(&leaves, &(0..count)));
        }

        #[test]
        fn a_node_is_in_one_tile(height in 0u32..30, index in 0u64..5000) {
            let (level, position, range) = Node { height, index }.place();
            prop_assert!(range.end <= TILE);
            let first = (position * TILE as u64 + range.start as u64) << (level * TILE_HEIGHT);
            prop_assert_eq!(first, index << height);
        }
    }
}
