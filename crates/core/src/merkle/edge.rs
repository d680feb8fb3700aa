//! The right edge of a growing tree: all that is needed to add leaves and to know the root.

use super::{Hash, TILE, TILE_HEIGHT, fold, perfect_root};

/// The partial tile of each level, from the leaves up. A few kilobytes, whatever the size of the tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    levels: Vec<Vec<Hash>>,
}

/// A tile that will not change any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FullTile {
    pub level: u32,
    pub position: u64,
    pub hashes: Vec<Hash>,
}

impl Edge {
    /// The edge of a tree of `size` leaves; `None` if the levels do not hold as many hashes as that size needs.
    #[must_use]
    pub fn new(size: u64, levels: Vec<Vec<Hash>>) -> Option<Self> {
        let fits =
            (0..8).all(|level| levels.get(level as usize).map_or(0, Vec::len) as u64 == Self::length(size, level));
        (fits && levels.len() <= 8).then_some(Self { size, levels })
    }

    /// How many hashes the partial tile of a level holds.
    #[must_use]
    pub fn length(size: u64, level: u32) -> u64 {
        size.checked_shr(TILE_HEIGHT * level).unwrap_or(0) % TILE as u64
    }

    /// Where the partial tile of a level stands.
    #[must_use]
    pub fn position(size: u64, level: u32) -> u64 {
        size.checked_shr(TILE_HEIGHT * (level + 1)).unwrap_or(0)
    }

    /// Leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The hashes of each partial tile; empty where the last tile is full.
    #[must_use]
    pub fn levels(&self) -> &[Vec<Hash>] {
        &self.levels
    }

    /// Adds a leaf; tiles that it fills are put to `full`.
    pub fn append(&mut self, leaf: Hash, full: &mut Vec<FullTile>) {
        self.size += 1;
        let mut hash = leaf;
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::with_capacity(TILE));
            }
            self.levels[level].push(hash);
            if self.levels[level].len() < TILE {
                return;
            }
            let hashes = std::mem::take(&mut self.levels[level]);
            hash = perfect_root(&hashes);
            let level = u32::try_from(level).unwrap_or(u32::MAX);
            full.push(FullTile { level, position: Self::position(self.size, level) - 1, hashes });
        }
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut roots = Vec::new();
        for hashes in self.levels.iter().rev() {
            let mut rest = hashes.as_slice();
            while !rest.is_empty() {
                let (run, after) = rest.split_at(1 << rest.len().ilog2());
                roots.push(perfect_root(run));
                rest = after;
            }
        }
        fold(&roots)
    }
}
