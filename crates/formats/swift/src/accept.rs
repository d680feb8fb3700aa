//! Which form and version of the protocol a client asks for (SE-0292 section 3.5).

use http::header::ACCEPT;
use http::{HeaderMap, StatusCode};

use crate::error::SwiftError;

/// The vendor's media type, before version and form.
const VENDOR: &str = "application/vnd.swift.registry";

/// The forms of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Swift,
    Zip,
}

impl Form {
    /// The suffix of the vendor's media type, and the type that the answer has.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Json => ("json", "application/json"),
            Self::Swift => ("swift", "text/x-swift"),
            Self::Zip => ("zip", "application/zip"),
        }
    }

    /// Whether a media range, lower case and without parameters, admits it.
    fn is_admitted_by(self, range: &str) -> bool {
        let (suffix, media_type) = self.names();
        let group = media_type.split('/').next().unwrap_or_default();
        match range.strip_prefix(VENDOR) {
            Some(rest) => rest.split_once('+').is_none_or(|(_, asked)| asked == suffix),
            None => range == "*/*" || range == media_type || range.strip_suffix("/*") == Some(group),
        }
    }
}

/// A request's `Accept`, of this version of the protocol.
#[derive(Debug)]
pub(crate) struct Accept {
    /// Media ranges, lower case, without parameters; empty if the client does not mind.
    ranges: Vec<String>,
}

impl Accept {
    /// Reads it.
    ///
    /// # Errors
    /// 400 if it asks for nothing but other versions of the protocol.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, SwiftError> {
        let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let ranges: Vec<String> = values
            .flat_map(|value| value.split(','))
            .map(|range| range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
            .filter(|range| !range.is_empty())
            .collect();
        let (spoken, unknown): (Vec<String>, Vec<String>) = ranges.into_iter().partition(|range| is_spoken(range));
        match unknown.first() {
            Some(asked) if spoken.is_empty() => Err(SwiftError::bad_request(format!(
                "'{}' asks for a version of the registry protocol that is not spoken here; this server speaks version 1: \
                 {VENDOR}.v1+json",
                crate::names::printable(asked)
            ))),
            _ => Ok(Self { ranges: spoken }),
        }
    }

    /// Whether the client would rather have this form than another that the same address may stand for.
    pub(crate) fn names(&self, form: Form) -> bool {
        let (suffix, media_type) = form.names();
        self.ranges.iter().any(|range| {
            range == media_type
                || range
                    .strip_prefix(VENDOR)
                    .and_then(|rest| rest.split_once('+'))
                    .is_some_and(|(_, asked)| asked == suffix)
        })
    }

    /// Checks that the answer is of a form that the client takes.
    ///
    /// # Errors
    /// 415 naming the form.
    pub(crate) fn check(&self, form: Form) -> Result<(), SwiftError> {
        if self.ranges.is_empty() || self.ranges.iter().any(|range| form.is_admitted_by(range)) {
            return Ok(());
        }
        let (suffix, media_type) = form.names();
        Err(SwiftError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!("this is {media_type}; accept {VENDOR}.v1+{suffix}"),
        ))
    }
}

/// Whether a range is not of another version than 1. One without a version is of any.
fn is_spoken(range: &str) -> bool {
    match range.strip_prefix(VENDOR).map(|rest| rest.split('+').next().unwrap_or_default()) {
        None => true,
        Some(version) => matches!(version, "" | ".v1"),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn status(accept: &[&str], form: Form) -> u16 {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(ACCEPT, HeaderValue::from_str(value).unwrap());
        }
        match Accept::read(&headers).and_then(|accept| accept.check(form)) {
            Ok(()) => 200,
            Err(error) => error.status.as_u16(),
        }
    }

    #[test]
    fn the_clients_own_ranges_and_general_ones_are_admitted() {
        for accept in [
            &[][..],
            &["*/*"],
            &["application/*"],
            &["application/json"],
            &["application/vnd.swift.registry.v1+json"],
            &["Application/VND.swift.registry.V1+JSON; charset=utf-8"],
            &["application/vnd.swift.registry.v1"],
            &["application/vnd.swift.registry+json"],
            &["application/vnd.swift.registry"],
            &["application/vnd.swift.registry.v2+json, application/vnd.swift.registry.v1+json"],
            &["text/html", "*/*;q=0.1"],
        ] {
            assert_eq!(status(accept, Form::Json), 200, "{accept:?}");
        }
        assert_eq!(status(&["text/*"], Form::Swift), 200);
    }

    #[test]
    fn another_version_is_400_and_another_form_415() {
        for accept in [
            "application/vnd.swift.registry.v2+json",
            "application/vnd.swift.registry.v10",
            "application/vnd.swift.registry.vx+zip",
        ] {
            assert_eq!(status(&[accept], Form::Json), 400, "{accept}");
        }
        for accept in ["application/vnd.swift.registry.v1+zip", "application/vnd.swift.registry.v1+swift", "text/html"]
        {
            assert_eq!(status(&[accept], Form::Json), 415, "{accept}");
        }
        assert_eq!(status(&["application/vnd.swift.registry.v1+json"], Form::Zip), 415);
        assert_eq!(status(&["application/vnd.swift.registry.v1+json"], Form::Swift), 415);
    }
}
