//! Until when a certificate is valid: a walk through its first fields (RFC 5280 section 4.1), which no library at hand
//! gives out.

use larder_core::model::Timestamp;
use time::{Date, Month, PrimitiveDateTime, Time};

use super::Identity;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The end of the validity of the certificate that is shown first; `None` if it is malformed.
pub(super) fn not_after(identity: &Identity) -> Option<Timestamp> {
    of_certificate(identity.chain.first()?)
}

/// The end of a certificate's validity, from its DER.
pub(super) fn of_certificate(der: &[u8]) -> Option<Timestamp> {
    let (certificate, _) = take(der, SEQUENCE)?;
    let (fields, _) = take(certificate, SEQUENCE)?;
    let fields = take(fields, VERSION).map_or(fields, |(_, rest)| rest);
    let (_, fields) = take(fields, INTEGER)?;
    let (_, fields) = take(fields, SEQUENCE)?;
    let (_, fields) = take(fields, SEQUENCE)?;
    let (validity, _) = take(fields, SEQUENCE)?;
    let (_, end) = take_time(validity)?;
    take_time(end).map(|(time, _)| time)
}

/// The content of an element of this kind, and what follows it.
fn take(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    (found == tag).then(|| rest.split_at_checked(length)).flatten()
}

/// `YYMMDDhhmmssZ`, of the years 1950 to 2049, or `YYYYMMDDhhmmssZ`.
fn take_time(der: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (text, rest) = take(der, UTC_TIME).or_else(|| take(der, GENERALIZED_TIME))?;
    let digits = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let is_short = digits.len() == 12;
    if !(is_short || digits.len() == 14) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, others) = digits.split_at(digits.len() - 10);
    let year: i32 = year.parse().ok()?;
    let year = if is_short { year + if year < 50 { 2000 } else { 1900 } } else { year };
    let pair = |n: usize| others[2 * n..2 * n + 2].parse::<u8>().ok();
    let date = Date::from_calendar_date(year, Month::try_from(pair(0)?).ok()?, pair(1)?).ok()?;
    let time = Time::from_hms(pair(2)?, pair(3)?, pair(4)?).ok()?;
    let seconds = PrimitiveDateTime::new(date, time).assume_utc().unix_timestamp();
    Some((Timestamp(seconds.checked_mul(1000)?), rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair};
    use time::OffsetDateTime;

    use super::*;

    fn certificate(not_after: i64) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        params.not_after = OffsetDateTime::from_unix_timestamp(not_after).expect("a time");
        params.self_signed(&KeyPair::generate().expect("a key")).expect("a certificate").der().to_vec()
    }

    #[test]
    fn the_end_is_read_in_both_forms_of_time() {
        for seconds in [1_800_000_000, 2_524_607_999, 2_524_608_000, 64_000_000_000] {
            assert_eq!(of_certificate(&certificate(seconds)), Some(Timestamp(seconds * 1000)));
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = of_certificate(&bytes);
        }

        #[test]
        fn no_change_of_a_certificate_makes_it_panic(at in 0_usize..120, byte in any::<u8>(), end in 0_usize..400) {
            let mut der = certificate(1_800_000_000);
            der[at] = byte;
            der.truncate(end);
            let _ = of_certificate(&der);
        }
    }
}
