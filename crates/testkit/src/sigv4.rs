//! Signing requests to the AWS side, written from the specification of Signature Version 4 and sharing no code with the
//! server, so that the two check each other.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::http::Request;

/// An access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    pub id: String,
    pub secret: String,
}

/// Whom and for what a request is signed.
#[derive(Debug, Clone)]
pub struct Signer {
    pub key: AccessKey,
    pub region: String,
    pub service: String,
    /// Seconds added to the clock.
    pub clock_offset: i64,
}

impl Signer {
    /// A signer for the `codeartifact` service in `us-east-1`.
    #[must_use]
    pub fn new(key: AccessKey) -> Self {
        Self { key, region: "us-east-1".to_owned(), service: "codeartifact".to_owned(), clock_offset: 0 }
    }

    /// Adds `x-amz-date`, `x-amz-content-sha256` and `authorization`.
    ///
    /// # Panics
    /// If the clock of this machine stands before 1970.
    pub fn sign(&self, request: Request) -> Request {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
        let stamp = timestamp(now.saturating_add_signed(self.clock_offset));
        let payload = hex::encode(Sha256::digest(request.body_bytes()));
        let request = request.header("x-amz-date", &stamp).header("x-amz-content-sha256", &payload);
        let scope = format!("{}/{}/{}/aws4_request", &stamp[..8], self.region, self.service);
        let (canonical, names) = canonical_request(&request, &payload);
        let hash = hex::encode(Sha256::digest(canonical.as_bytes()));
        let signature =
            hex::encode(mac(&self.signing_key(&stamp[..8]), &format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hash}")));
        let credential = format!("{}/{scope}", self.key.id);
        request.header(
            "authorization",
            format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"),
        )
    }

    fn signing_key(&self, day: &str) -> Vec<u8> {
        let key = mac(format!("AWS4{}", self.key.secret).as_bytes(), day);
        let key = mac(&key, &self.region);
        let key = mac(&key, &self.service);
        mac(&key, "aws4_request")
    }
}

/// The canonical request and the names of its signed headers.
fn canonical_request(request: &Request, payload: &str) -> (String, String) {
    let (path, query) = request.target().split_once('?').unwrap_or((request.target(), ""));
    let mut parameters: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    parameters.sort();
    let query: Vec<String> = parameters.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut headers: Vec<(String, String)> =
        request.headers().iter().map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect();
    headers.push(("host".to_owned(), request.host()));
    headers.sort();
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(";");
    let mut lines = String::new();
    for (name, value) in &headers {
        let _ = writeln!(lines, "{name}:{value}");
    }
    // Paths of the API hold nothing that would be escaped a second time.
    let canonical = format!("{}\n{path}\n{}\n{lines}\n{names}\n{payload}", request.method(), query.join("&"));
    (canonical, names)
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// `20261122T214500Z` for seconds since 1970.
fn timestamp(seconds: u64) -> String {
    let (day, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(day);
    format!("{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

/// Year, month and day of a day since 1970 (H. Hinnant, "chrono-compatible low-level date algorithms").
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_in_the_form_of_aws() {
        assert_eq!(timestamp(1_440_938_160), "20150830T123600Z");
        assert_eq!(timestamp(951_827_696), "20000229T123456Z");
    }

    /// The key of AWS's own worked example.
    #[test]
    fn the_signing_key_is_that_of_the_documentation() {
        let key = AccessKey { id: String::new(), secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned() };
        let signer = Signer { service: "iam".to_owned(), ..Signer::new(key) };
        let expected = "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9";
        assert_eq!(hex::encode(signer.signing_key("20150830")), expected);
    }
}
