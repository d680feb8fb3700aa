//! Signatures (SE-0391): detached CMS, checked for its outermost form and size, and kept as it is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use larder_core::error::Invalid;

/// The one signature format there is.
pub(crate) const FORMAT: &str = "cms-1.0.0";
/// In base64 a signature has to fit into a header, which clients bound at 16 KiB.
const LIMIT_BYTES: usize = 12 << 10;
/// The object identifier of signed data (RFC 5652 section 5.1): 1.2.840.113549.1.7.2, as DER writes it.
const SIGNED_DATA: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];

/// Checks a signature's form and answers it in base64, as it is kept.
///
/// # Errors
/// [`Invalid`] if it is too large or not one CMS message of signed data.
pub(crate) fn check(signature: &[u8]) -> Result<String, Invalid> {
    if signature.len() > LIMIT_BYTES {
        return Err(Invalid::new(format!("a signature has at most {LIMIT_BYTES} bytes")));
    }
    if !is_signed_data(signature) {
        return Err(Invalid::new("the signature is not signed data in CMS form (RFC 5652, DER)"));
    }
    Ok(STANDARD.encode(signature))
}

/// A sequence that fills the bytes and begins with the identifier.
fn is_signed_data(der: &[u8]) -> bool {
    let [0x30, first, rest @ ..] = der else { return false };
    let (length, content) = match *first {
        0x80 => return false,
        length @ 0..=0x7f => (usize::from(length), rest),
        more => {
            let Some((bytes, content)) =
                rest.split_at_checked(usize::from(more & 0x7f)).filter(|(bytes, _)| bytes.len() <= 4)
            else {
                return false;
            };
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), content)
        }
    };
    content.len() == length && content.starts_with(&SIGNED_DATA)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The outermost form of a signature, around so many bytes.
    pub(crate) fn signature(content: usize) -> Vec<u8> {
        let length = u16::try_from(SIGNED_DATA.len() + content).unwrap();
        let mut der = vec![0x30, 0x82];
        der.extend(length.to_be_bytes());
        der.extend(SIGNED_DATA);
        der.extend(std::iter::repeat_n(0xa0, content));
        der
    }

    #[test]
    fn signed_data_is_kept_in_base64_and_anything_else_refused() {
        assert_eq!(STANDARD.decode(check(&signature(300)).unwrap()).unwrap(), signature(300));
        let mut longer = signature(10);
        longer.push(0);
        let mut other = signature(10);
        other[14] = 1;
        for bad in [&b""[..], b"0", b"\x30\x80", b"not a signature", &longer, &other, &signature(12 << 10)] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
    }
}
