//! The query of a request.

use percent_encoding::percent_decode_str;

use crate::error::GenericError;

/// What may be asked for. Parameters that mean nothing here are left alone: people add some to get around caches.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Parameters {
    pub(crate) namespace: Option<String>,
    /// More assets follow.
    pub(crate) unfinished: Option<bool>,
    /// `?uploads`: begins an upload in pieces.
    pub(crate) begins_upload: bool,
    /// The upload in pieces that is meant.
    pub(crate) upload: Option<String>,
    /// `sha256:…`, what an upload in pieces ends with.
    pub(crate) digest: Option<String>,
    /// `?finish`: the version is complete.
    pub(crate) finish: bool,
}

impl Parameters {
    /// Reads the part after `?`.
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, GenericError> {
        let mut read = Self::default();
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = || {
                percent_decode_str(value)
                    .decode_utf8()
                    .map(std::borrow::Cow::into_owned)
                    .map_err(|_| GenericError::bad_request(format!("the parameter {name} is not UTF-8")))
            };
            match name {
                "namespace" => once(&mut read.namespace, name, value()?)?,
                "unfinished" => once(&mut read.unfinished, name, boolean(name, &value()?)?)?,
                "upload" => once(&mut read.upload, name, value()?)?,
                "digest" => once(&mut read.digest, name, value()?)?,
                "uploads" => read.begins_upload = boolean(name, &value()?)?,
                "finish" => read.finish = boolean(name, &value()?)?,
                _ => {}
            }
        }
        Ok(read)
    }
}

fn once<T>(place: &mut Option<T>, name: &str, value: T) -> Result<(), GenericError> {
    if place.replace(value).is_some() {
        return Err(GenericError::bad_request(format!("the parameter {name} is given twice")));
    }
    Ok(())
}

/// A parameter without a value is set.
fn boolean(name: &str, value: &str) -> Result<bool, GenericError> {
    match value {
        "" | "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(GenericError::bad_request(format!("the parameter {name} is 'true' or 'false'"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_and_others_left_alone() {
        let read = Parameters::parse(Some("unfinished=false&namespace=a%20b&t=123&&uploads")).unwrap();
        assert_eq!((read.unfinished, read.namespace.as_deref(), read.begins_upload), (Some(false), Some("a b"), true));
        assert_eq!(Parameters::parse(None).unwrap(), Parameters::default());
        for bad in ["unfinished=yes", "namespace=a&namespace=b", "namespace=%ff", "finish=2"] {
            assert!(Parameters::parse(Some(bad)).is_err(), "{bad}");
        }
    }
}
