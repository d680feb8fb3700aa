//! How the outcome of a batch looks.

use larder_core::ports::BatchOutcome;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// The answer of copy, update status, dispose and delete: both maps are there even when empty.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::codeartifact) struct BatchOutput {
    successful_versions: InOrder<SuccessShape>,
    failed_versions: InOrder<FailureShape>,
}

#[derive(Debug, Serialize)]
struct SuccessShape {
    revision: String,
    status: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FailureShape {
    error_code: &'static str,
    error_message: String,
}

impl BatchOutput {
    pub(in crate::codeartifact) fn new(outcome: BatchOutcome) -> Self {
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for (version, result) in outcome {
            let version = version.to_string();
            match result {
                Ok((revision, status)) => {
                    successful.push((version, SuccessShape { revision: revision.0, status: status.as_str() }));
                }
                Err(failure) => failed.push((
                    version,
                    FailureShape { error_code: failure.code.as_aws(), error_message: failure.message },
                )),
            }
        }
        Self { successful_versions: InOrder(successful), failed_versions: InOrder(failed) }
    }
}

/// A JSON object whose members keep their order.
#[derive(Debug)]
struct InOrder<V>(Vec<(String, V)>);

impl<V: Serialize> Serialize for InOrder<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
