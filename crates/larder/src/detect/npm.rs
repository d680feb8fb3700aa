//! npm's `registry` setting; it has a built-in default.

use larder_core::model::ExternalConnection;
use url::Url;

use super::{Found, ask};
use crate::config::RegistryEntry;

pub(super) fn detect() -> Result<Found, String> {
    let answer = ask("npm", &["config", "get", "registry"])?;
    let url = Url::parse(&answer).map_err(|_| format!("npm's registry setting '{answer}' is not a URL"))?;
    Ok(Found {
        connection: ExternalConnection::parse("public:npmjs").map_err(|error| error.to_string())?,
        entry: RegistryEntry::Url(url.to_string()),
        source: "npm config get registry".to_owned(),
    })
}
