//! Reading the values that conditions compare: numbers, instants, addresses.

use std::net::IpAddr;

use ipnet::IpNet;
use larder_core::model::Timestamp;

/// A decimal number.
pub(super) fn number(text: &str) -> Option<f64> {
    let plain = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    text.bytes().all(plain).then(|| text.parse().ok()).flatten().filter(|number: &f64| number.is_finite())
}

/// `true` or `false`, whatever the case.
pub(super) fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// An instant in one of the W3C's ISO 8601 forms (`2026`, `2026-03`, `2026-03-04`, `2026-03-04T05:06Z`,
/// `2026-03-04T05:06:07.8+01:00`) or in seconds since 1970. Four digits are a year.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    if text.len() != 4 && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse::<i64>().ok()?.checked_mul(1000).map(Timestamp);
    }
    let (date, time) = text.split_once('T').unwrap_or((text, "00:00Z"));
    let date = match date.len() {
        4 => format!("{date}-01-01"),
        7 => format!("{date}-01"),
        _ => date.to_owned(),
    };
    let (clock, zone) = time.split_at(time.find(['Z', '+', '-'])?);
    let seconds = if clock.len() == 5 { ":00" } else { "" };
    Timestamp::parse_rfc3339(&format!("{date}T{clock}{seconds}{zone}"))
}

/// An address; IPv4 written as IPv6 counts as IPv4.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// A network in CIDR form, or one address.
pub(super) fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| address(text).map(IpNet::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_in_all_forms() {
        for (text, same_as) in [
            ("2026", "2026-01-01T00:00:00Z"),
            ("2026-03", "2026-03-01T00:00:00Z"),
            ("2026-03-04", "2026-03-04T00:00:00Z"),
            ("2026-03-04T05:06Z", "2026-03-04T05:06:00Z"),
            ("2026-03-04T05:06:07Z", "2026-03-04T05:06:07Z"),
            ("2026-03-04T05:06:07.25+01:00", "2026-03-04T04:06:07.250Z"),
            ("1772600767", "2026-03-04T05:06:07Z"),
            ("0", "1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(instant(text), Timestamp::parse_rfc3339(same_as), "{text}");
        }
        for text in ["", "today", "2026-3-4", "2026-03-04T05:06", "2026-02-30", "99999999999999999999", "é026", "-5"] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_plain_and_finite() {
        assert_eq!(number("-1.5e3"), Some(-1500.0));
        for text in ["", "inf", "NaN", "1e999", "0x10", "1 "] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn networks_may_be_addresses_and_have_host_bits() {
        let inside = |net: &str, ip: &str| network(net).unwrap().contains(&address(ip).unwrap());
        assert!(inside("203.0.113.7/24", "203.0.113.9"));
        assert!(!inside("203.0.113.7", "203.0.113.9"));
        assert!(inside("203.0.113.0/24", "::ffff:203.0.113.9"));
        assert!(inside("2001:db8::/32", "2001:db8:1::1"));
        assert!(!inside("0.0.0.0/0", "::1"));
        assert_eq!(network("203.0.113.0/33"), None);
    }
}
