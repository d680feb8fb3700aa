//! Path ⇄ namespace, package, version, asset (protocol reference 8.3).

use larder_core::model::{AssetName, PackageKey, VersionText};
use larder_core::ports::Format as _;
use larder_http::RequestPath;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::GenericError;
use crate::format::Generic;
use crate::names::{LATEST, NO_NAMESPACE, asset_name};

/// What stays as it is in a segment.
const SEGMENT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'+').remove(b'@');

/// A package as an address names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PackageAddress {
    pub(crate) key: PackageKey,
}

/// What lies behind an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// The version's text is as it was sent: it may be `latest`.
    Version { package: PackageAddress, version: String },
    /// The asset's name as it was sent.
    Asset { package: PackageAddress, version: String, asset: String },
}

/// A version to be read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VersionAddress {
    pub(crate) package: PackageAddress,
    pub(crate) version: VersionText,
}

/// An asset to be read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AssetAddress {
    pub(crate) of: VersionAddress,
    pub(crate) asset: AssetName,
}

impl Address {
    /// Tells by depth and by the slash at the end what is meant; `namespace` is the one of the query.
    pub(crate) fn parse(path: &RequestPath, namespace: Option<&str>) -> Result<Self, GenericError> {
        let segments = path.as_strs();
        let (inside, package, version, asset) = match (&segments[..], path.trailing_slash()) {
            ([package, version], _) => (None, package, version, None),
            ([inside, package, version], true) => (Some(*inside), package, version, None),
            ([package, version, asset], false) => (None, package, version, Some(*asset)),
            ([inside, package, version, asset], false) => (Some(*inside), package, version, Some(*asset)),
            _ => {
                return Err(GenericError::not_found(
                    "nothing is at this depth: an asset is {package}/{version}/{asset} or \
                     {namespace}/{package}/{version}/{asset}, and a version's list ends with '/'",
                ));
            }
        };
        let namespace = match (inside, namespace) {
            (Some(_), Some(_)) => {
                return Err(GenericError::bad_request(
                    "the namespace is given twice: in the path and as ?namespace=; leave one away",
                ));
            }
            (Some(NO_NAMESPACE), _) | (_, Some(NO_NAMESPACE)) => {
                return Err(GenericError::bad_request(
                    "'_' stands for no namespace in the API; here such packages are addressed without one: \
                     {package}/{version}/{asset}",
                ));
            }
            (inside, given) => inside.or(given),
        };
        let package = PackageAddress::new(namespace, package)?;
        let version = (*version).to_owned();
        Ok(match asset {
            Some(asset) => Self::Asset { package, version, asset: asset.to_owned() },
            None => Self::Version { package, version },
        })
    }
}

impl PackageAddress {
    fn new(namespace: Option<&str>, name: &str) -> Result<Self, GenericError> {
        Ok(Self { key: Generic.package_key(Some(namespace.unwrap_or(NO_NAMESPACE)), name)? })
    }

    /// Below the repository, with a slash at its end.
    fn path(&self) -> String {
        let name = encode(self.key.name());
        match self.key.namespace() {
            None | Some(NO_NAMESPACE) => format!("{name}/"),
            Some(namespace) => format!("{}/{name}/", encode(namespace)),
        }
    }

    /// One of its versions. `latest` is none.
    pub(crate) fn version(self, version: &str) -> Result<VersionAddress, GenericError> {
        if version == LATEST {
            return Err(GenericError::bad_request(
                "'latest' is no version of its own: it stands for the newest published one when assets are read",
            ));
        }
        Ok(VersionAddress { package: self, version: Generic.version(version)? })
    }
}

impl VersionAddress {
    /// Below the repository, with a slash at its end.
    pub(crate) fn path(&self) -> String {
        format!("{}{}/", self.package.path(), encode(self.version.as_str()))
    }

    /// One of its assets. A name that some systems do not tell from another, without the dot at its end, is refused.
    pub(crate) fn asset(self, name: &str) -> Result<AssetAddress, GenericError> {
        if name.ends_with('.') {
            return Err(GenericError::bad_request("an asset's name does not end with a dot"));
        }
        Ok(AssetAddress { asset: asset_name(name)?, of: self })
    }
}

impl AssetAddress {
    /// Below the repository.
    pub(crate) fn path(&self) -> String {
        format!("{}{}", self.of.path(), encode(self.asset.as_str()))
    }
}

/// One segment.
pub(crate) fn encode(segment: &str) -> String {
    utf8_percent_encode(segment, SEGMENT).to_string()
}

#[cfg(test)]
mod tests {
    use larder_http::PathRules;
    use proptest::prelude::*;

    use super::*;

    fn parse(path: &str, namespace: Option<&str>) -> Result<Address, GenericError> {
        Address::parse(&RequestPath::parse(path, PathRules::default()).unwrap(), namespace)
    }

    #[test]
    fn depth_tells_a_namespace_from_a_package() {
        let Ok(Address::Asset { package, version, asset }) = parse("/p/1.0/f", None) else { panic!("an asset") };
        assert_eq!((package.key.namespace(), package.key.name(), &*version, &*asset), (Some("_"), "p", "1.0", "f"));
        let inside = parse("/n/p/1.0/f", None).unwrap();
        assert_eq!(parse("/p/1.0/f", Some("n")).unwrap(), inside);
        assert!(matches!(parse("/p/1.0/", None), Ok(Address::Version { .. })));
        assert!(matches!(parse("/p/1.0", None), Ok(Address::Version { .. })));
        assert!(matches!(parse("/n/p/1.0/", None), Ok(Address::Version { .. })));
        for wrong in ["/", "/p", "/p/", "/n/p/1.0/f/", "/a/b/c/d/e"] {
            assert_eq!(parse(wrong, None).unwrap_err().status, 404, "{wrong}");
        }
        for (path, namespace) in [("/n/p/1.0/f", Some("n")), ("/_/p/1.0/f", None), ("/p/1.0/f", Some("_"))] {
            assert_eq!(parse(path, namespace).unwrap_err().status, 400, "{path}");
        }
    }

    proptest! {
        #[test]
        fn an_address_is_read_back_as_it_was_written(name in "[a-zA-Z0-9 é数~!@^&()_+{};,`-]{1,12}", inside: bool) {
            let package = PackageAddress::new(inside.then_some("team"), "tool").unwrap();
            if let Ok(address) = package.clone().version("1.0+x").unwrap().asset(&name) {
                let read = parse(&format!("/{}", address.path()), None).unwrap();
                prop_assert_eq!(read, Address::Asset { package, version: "1.0+x".to_owned(), asset: name });
            }
        }
    }
}
