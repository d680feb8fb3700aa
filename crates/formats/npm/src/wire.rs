//! What clients send, fields as on the wire. Answers are small and written where they are given.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::Members;

/// The body of `PUT /{package}`: a publish, or the whole document with changed metadata (protocols 1.4).
#[derive(Debug, Deserialize)]
pub(crate) struct PackageBody<'a> {
    #[serde(rename = "_id")]
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    #[serde(rename = "dist-tags", borrow)]
    pub(crate) tags: Option<Members<'a>>,
    #[serde(borrow)]
    pub(crate) versions: Option<Members<'a>>,
    #[serde(rename = "_attachments")]
    pub(crate) attachments: Option<BTreeMap<String, Attachment>>,
    #[serde(borrow)]
    pub(crate) readme: Option<&'a RawValue>,
}

/// A file in the body. `data` of the tarball was taken out on the way in.
#[derive(Debug, Deserialize)]
pub(crate) struct Attachment {
    pub(crate) data: Option<String>,
    /// Bytes of the decoded file; of a provenance bundle, UTF-16 units of its text.
    pub(crate) length: Option<u64>,
}

/// `PUT /-/user/org.couchdb.user:{name}`.
#[derive(Deserialize)]
pub(crate) struct Login {
    pub(crate) name: String,
    pub(crate) password: String,
}

/// `POST /-/npm/v1/tokens`.
#[derive(Deserialize)]
pub(crate) struct NewToken {
    pub(crate) password: String,
    #[serde(default)]
    pub(crate) readonly: bool,
    #[serde(default)]
    pub(crate) cidr_whitelist: Option<Vec<String>>,
    pub(crate) name: Option<String>,
}
