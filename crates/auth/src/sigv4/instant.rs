//! The time of a signature: `20150830T123600Z`, or the date of a `Date` header.

use larder_core::model::Timestamp;
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc2822;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::SignatureError;

const BASIC: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]T[hour][minute][second]Z");

/// The moment a request was signed, whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Instant(Timestamp);

impl Instant {
    /// The second that `at` lies in.
    pub(super) fn new(at: Timestamp) -> Self {
        Self(Timestamp(at.seconds().saturating_mul(1000)))
    }

    /// Reads the ISO 8601 basic form and nothing else.
    ///
    /// # Errors
    /// [`SignatureError::Incomplete`].
    pub(super) fn parse_basic(text: &str) -> Result<Self, SignatureError> {
        read_basic(text).ok_or_else(|| unreadable(text))
    }

    /// Reads the value of a `Date` header: the basic form, an HTTP date, or the mail form (`… -0000`) that botocore
    /// writes there.
    ///
    /// # Errors
    /// [`SignatureError::Incomplete`].
    pub(super) fn parse_date_header(text: &str) -> Result<Self, SignatureError> {
        if let Some(instant) = read_basic(text) {
            return Ok(instant);
        }
        let date = OffsetDateTime::parse(text, &Rfc2822).map_err(|_| unreadable(text))?;
        let seconds = date.unix_timestamp();
        Ok(Self(Timestamp(seconds.saturating_mul(1000))))
    }

    /// The instant.
    pub(super) fn timestamp(self) -> Timestamp {
        self.0
    }

    /// `20150830T123600Z`, as it stands in the string to sign.
    pub(super) fn basic(self) -> String {
        let date = OffsetDateTime::from_unix_timestamp(self.0.seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        format!(
            "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
            date.year(),
            u8::from(date.month()),
            date.day(),
            date.hour(),
            date.minute(),
            date.second()
        )
    }

    /// `20150830`, as it stands in the credential scope.
    pub(super) fn date(self) -> String {
        let mut text = self.basic();
        text.truncate(8);
        text
    }
}

fn read_basic(text: &str) -> Option<Instant> {
    let digits = |range: std::ops::Range<usize>| text.as_bytes()[range].iter().all(u8::is_ascii_digit);
    if text.len() != 16 || !digits(0..8) || !digits(9..15) {
        return None;
    }
    let date = PrimitiveDateTime::parse(text, &BASIC).ok()?;
    Some(Instant(Timestamp(date.assume_utc().unix_timestamp().saturating_mul(1000))))
}

fn unreadable(text: &str) -> SignatureError {
    SignatureError::Incomplete(format!(
        "Date must be in ISO-8601 'basic format'. Got '{text}'; expected the form 20150830T123600Z."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_basic_form_round_trips() {
        for text in ["20150830T123600Z", "19700101T000000Z", "20240229T235959Z"] {
            assert_eq!(Instant::parse_basic(text).map(Instant::basic).as_deref(), Ok(text));
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for text in
            ["", "20150830T123600", "2015-08-30T12:36:00Z", "20150230T123600Z", "20150830T243600Z", "2015083éT12360Z"]
        {
            assert!(Instant::parse_basic(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_date_header_may_be_an_http_or_mail_date() {
        for text in ["Sun, 30 Aug 2015 12:36:00 GMT", "Sun, 30 Aug 2015 12:36:00 -0000", "20150830T123600Z"] {
            assert_eq!(Instant::parse_date_header(text), Instant::parse_basic("20150830T123600Z"), "{text}");
        }
        assert!(Instant::parse_date_header("yesterday").is_err());
    }
}
