//! Addresses as keys of objects. Pure.

use larder_core::model::{DomainId, Sha256};

/// The keys below a prefix.
#[derive(Debug)]
pub(super) struct Keys {
    /// Of blobs; ends in a slash.
    folder: String,
    /// Of marks; ends in a slash.
    marks: String,
}

impl Keys {
    /// `prefix` is empty or a path without slashes at its ends.
    pub(super) fn new(prefix: &str) -> Self {
        let below = |name: &str| if prefix.is_empty() { format!("{name}/") } else { format!("{prefix}/{name}/") };
        Self { folder: below("blobs"), marks: below("condemned") }
    }

    /// What all keys start with.
    pub(super) fn folder(&self) -> &str {
        &self.folder
    }

    pub(super) fn of(&self, domain: DomainId, sha256: Sha256) -> String {
        let name = sha256.hex();
        format!("{}{:019}/{}/{name}", self.folder, domain.0, &name[..2])
    }

    /// What the keys of a blob's marks start with (see `removal.rs`).
    pub(super) fn marks_of(&self, domain: DomainId, sha256: Sha256) -> String {
        format!("{}{:019}/{}/", self.marks, domain.0, sha256.hex())
    }

    /// The address; `None` for a key that [`Keys::of`] does not make.
    pub(super) fn parse(&self, key: &str) -> Option<(DomainId, Sha256)> {
        let (domain, rest) = key.strip_prefix(&self.folder)?.split_once('/')?;
        let address = (DomainId(domain.parse().ok()?), Sha256::from_hex(rest.split_once('/')?.1).ok()?);
        (self.of(address.0, address.1) == key).then_some(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn foreign_keys_are_no_addresses() {
        let keys = Keys::new("larder");
        let key = keys.of(DomainId(7), Sha256([0xab; 32]));
        assert_eq!(key, format!("larder/blobs/0000000000000000007/ab/{}", "ab".repeat(32)));
        for foreign in ["", "larder/blobs/", "larder/blobs/7/ab/x", &key.to_uppercase(), &key[1..], &format!("{key}/x")]
        {
            assert_eq!(keys.parse(foreign), None, "{foreign}");
        }
    }

    proptest! {
        #[test]
        fn keys_order_as_addresses_do_and_read_back(a in (0..i64::MAX, any::<[u8; 32]>()), b in (0..i64::MAX, any::<[u8; 32]>())) {
            let keys = Keys::new("");
            let (a, b) = ((DomainId(a.0), Sha256(a.1)), (DomainId(b.0), Sha256(b.1)));
            prop_assert_eq!(keys.of(a.0, a.1).cmp(&keys.of(b.0, b.1)), a.cmp(&b));
            prop_assert_eq!(keys.parse(&keys.of(a.0, a.1)), Some(a));
        }
    }
}
