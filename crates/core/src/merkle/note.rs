//! Checkpoints as text: C2SP `tlog-checkpoint`, signed as C2SP `signed-note` with Ed25519 (signature type 1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest as _, Sha256};

use super::Hash;
use crate::model::Timestamp;

/// The signature type of Ed25519 in notes.
const ED25519: u8 = 1;
/// A longer note is nobody's checkpoint.
const LONGEST_BYTES: usize = 16 << 10;

/// What is said about a log at one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: the first line.
    pub origin: String,
    /// Leaves.
    pub size: u64,
    pub root: Hash,
    /// When it was made: an extension line of the note.
    pub at: Timestamp,
}

/// The name of a key and its public half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyName {
    pub name: String,
    pub public: [u8; 32],
}

/// A checkpoint with signatures, as it was read; nothing is verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    pub checkpoint: Checkpoint,
    /// The text that is signed.
    pub body: String,
    /// Name, key id, signature.
    pub signatures: Vec<(String, [u8; 4], Vec<u8>)>,
}

impl Checkpoint {
    /// The text that is signed.
    #[must_use]
    pub fn body(&self) -> String {
        format!("{}\n{}\n{}\ntime {}\n", self.origin, self.size, BASE64.encode(self.root), self.at.rfc3339())
    }

    /// The note with one signature of [`Checkpoint::body`].
    #[must_use]
    pub fn note(&self, key: &KeyName, signature: &[u8; 64]) -> String {
        let signed: Vec<u8> = key.id().iter().chain(signature).copied().collect();
        format!("{}\n\u{2014} {} {}\n", self.body(), key.name, BASE64.encode(signed))
    }

    fn parse(body: &str) -> Option<Self> {
        let mut lines = body.strip_suffix('\n')?.split('\n');
        let origin = lines.next().filter(|origin| !origin.is_empty())?.to_owned();
        let digits = lines.next()?;
        let size: u64 = digits.parse().ok()?;
        let root = BASE64.decode(lines.next()?).ok()?.try_into().ok()?;
        let at = lines.find_map(|line| line.strip_prefix("time ")).and_then(Timestamp::parse_rfc3339)?;
        (size.to_string() == digits).then_some(Self { origin, size, root, at })
    }
}

impl KeyName {
    /// The first bytes of the hash that a signature names its key by.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let hash = Sha256::new().chain_update(&self.name).chain_update([b'\n', ED25519]).chain_update(self.public);
        let hash: Hash = hash.finalize().into();
        [hash[0], hash[1], hash[2], hash[3]]
    }

    /// The verifier key: `NAME+ID+KEY`.
    #[must_use]
    pub fn verifier(&self) -> String {
        let key: Vec<u8> = std::iter::once(ED25519).chain(self.public).collect();
        format!("{}+{}+{}", self.name, hex::encode(self.id()), BASE64.encode(key))
    }
}

impl SignedCheckpoint {
    /// Reads a note; `None` if it is none, or not of a checkpoint.
    #[must_use]
    pub fn parse(note: &str) -> Option<Self> {
        if note.len() > LONGEST_BYTES {
            return None;
        }
        let at = note.rfind("\n\n")?;
        let (body, signatures) = (&note[..=at], &note[at + 2..]);
        let signatures = signatures.strip_suffix('\n')?.split('\n').map(|line| {
            let (name, signed) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
            let signed = BASE64.decode(signed).ok()?;
            let (id, signature) = signed.split_first_chunk::<4>()?;
            Some((name.to_owned(), *id, signature.to_vec()))
        });
        Some(Self {
            checkpoint: Checkpoint::parse(body)?,
            body: body.to_owned(),
            signatures: signatures.collect::<Option<_>>()?,
        })
    }

    /// The signature by a key, if there is one.
    #[must_use]
    pub fn signature_by(&self, key: &KeyName) -> Option<&[u8]> {
        let id = key.id();
        let by = |(name, other, _): &&(String, [u8; 4], Vec<u8>)| *name == key.name && *other == id;
        self.signatures.iter().find(by).map(|(_, _, signature)| signature.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn checkpoint() -> Checkpoint {
        Checkpoint { origin: "larder/a1".to_owned(), size: 3, root: [7; 32], at: Timestamp(1_700_000_000_000) }
    }

    #[test]
    fn a_note_is_read_as_it_was_written() {
        let key = KeyName { name: "larder/a1".to_owned(), public: [9; 32] };
        let note = checkpoint().note(&key, &[5; 64]);
        let signed = SignedCheckpoint::parse(&note).expect("a note");
        assert_eq!((&signed.checkpoint, &signed.body), (&checkpoint(), &checkpoint().body()));
        assert_eq!(signed.signature_by(&key), Some([5; 64].as_slice()));
        assert_eq!(signed.signature_by(&KeyName { public: [8; 32], ..key }), None);
    }

    #[test]
    fn the_key_id_is_that_of_the_specification() {
        // The example of C2SP signed-note: its verifier key names the id that the hash gives.
        let verifier = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let bytes = BASE64.decode(verifier.rsplit('+').next().unwrap()).unwrap();
        let key = KeyName { name: "PeterNeumann".to_owned(), public: bytes[1..].try_into().unwrap() };
        assert_eq!(key.verifier(), verifier);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a-z0-9\n\u{2014} =+/]{0,200}") {
            let _ = SignedCheckpoint::parse(&text);
            let _ = SignedCheckpoint::parse(&format!("{}\n{text}", checkpoint().body()));
        }
    }
}
