//! Proofs that somebody who holds a checkpoint can check without trusting Larder.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;

use super::{SealedJournal, parse};
use crate::error::{Error, ResourceType, Result};
use crate::merkle::{KeyName, consistency, inclusion};

/// That a record is a leaf of the log.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InclusionProof {
    pub leaf_index: u64,
    /// The bytes that are hashed, which are JSON.
    pub leaf: String,
    /// Base64 hashes, from the leaf to the root.
    pub proof: Vec<String>,
    /// The signed note that the proof leads to.
    pub checkpoint: String,
}

/// That a log begins with an earlier one.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsistencyProof {
    pub from: u64,
    pub to: u64,
    /// Base64 hashes in the order of RFC 9162.
    pub proof: Vec<String>,
    /// The signed note of the larger tree.
    pub checkpoint: String,
}

impl SealedJournal {
    /// The newest checkpoint, as a signed note, with the key's verifier if the key is at hand.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] while nothing is sealed.
    pub async fn checkpoint(&self) -> Result<(String, Option<String>)> {
        let note = self.store.newest_checkpoint().await?.ok_or_else(|| {
            Error::not_found(
                ResourceType::Other,
                "checkpoint",
                "nothing of the journal is sealed yet; a server seals it",
            )
        })?;
        let origin = parse(&note)?.checkpoint.origin;
        let key = self.signer.as_ref().map(|signer| KeyName { name: origin, public: signer.public_key() });
        Ok((note, key.map(|key| key.verifier())))
    }

    /// Proves that a record is in the log.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] for a record that is not there or not sealed.
    pub async fn prove(&self, sequence: i64) -> Result<InclusionProof> {
        let missing = |why: &str| {
            let message = format!("journal record {sequence} {why}");
            Error::not_found(ResourceType::Other, sequence.to_string(), message)
        };
        let record = self.store.find_record(sequence).await?.ok_or_else(|| missing("does not exist"))?;
        let leaf_index = record.leaf.ok_or_else(|| missing("is not sealed yet"))?;
        let (checkpoint, _) = self.checkpoint().await?;
        let size = parse(&checkpoint)?.checkpoint.size;
        let path = inclusion(leaf_index, size).ok_or_else(|| missing("is newer than the newest checkpoint"))?;
        let leaf = String::from_utf8(record.leaf_bytes()).map_err(Error::internal)?;
        Ok(InclusionProof { leaf_index, leaf, proof: self.hashes(path).await?, checkpoint })
    }

    /// Proves that the newest log begins with the one of `from` leaves.
    ///
    /// # Errors
    /// [`Error::Validation`] for more leaves than there are, or none.
    pub async fn prove_consistency(&self, from: u64) -> Result<ConsistencyProof> {
        let (checkpoint, _) = self.checkpoint().await?;
        let to = parse(&checkpoint)?.checkpoint.size;
        let path = consistency(from, to)
            .ok_or_else(|| Error::validation("from", format!("the log has {to} records; from must be 1 to {to}")))?;
        Ok(ConsistencyProof { from, to, proof: self.hashes(path).await?, checkpoint })
    }

    async fn hashes(&self, ranges: Vec<std::ops::Range<u64>>) -> Result<Vec<String>> {
        let mut hashes = Vec::with_capacity(ranges.len());
        for range in ranges {
            hashes.push(BASE64.encode(self.root_of(range).await?));
        }
        Ok(hashes)
    }
}
