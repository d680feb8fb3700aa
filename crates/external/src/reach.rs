//! Which IP addresses are public, from the registries of special-purpose addresses (RFC 6890 and its successors).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far an address reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The Internet.
    Public,
    /// A machine or network that is somebody's own: loopback, private use, shared (carrier-grade NAT), unique local,
    /// benchmarking, documentation, reserved. An operator may run a registry or a gateway there; nobody else may send
    /// Larder there.
    Internal,
    /// Nothing that a name may lead to, whoever gave the name: link-local with the metadata services of clouds,
    /// multicast, broadcast, unspecified, and IPv6 forms that hide an IPv4 address.
    Never,
}

const V4: [(Ipv4Addr, u32, Reach); 22] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, Reach::Never),
    (Ipv4Addr::new(10, 0, 0, 0), 8, Reach::Internal),
    (Ipv4Addr::new(100, 100, 100, 200), 32, Reach::Never), // a cloud's metadata service
    (Ipv4Addr::new(100, 64, 0, 0), 10, Reach::Internal),
    (Ipv4Addr::new(127, 0, 0, 0), 8, Reach::Internal),
    (Ipv4Addr::new(168, 63, 129, 16), 32, Reach::Never), // a cloud's metadata service
    (Ipv4Addr::new(169, 254, 0, 0), 16, Reach::Never),
    (Ipv4Addr::new(172, 16, 0, 0), 12, Reach::Internal),
    (Ipv4Addr::new(192, 0, 0, 192), 32, Reach::Never), // a cloud's metadata service
    (Ipv4Addr::new(192, 0, 0, 0), 24, Reach::Internal),
    (Ipv4Addr::new(192, 0, 2, 0), 24, Reach::Internal),
    (Ipv4Addr::new(192, 31, 196, 0), 24, Reach::Internal),
    (Ipv4Addr::new(192, 52, 193, 0), 24, Reach::Internal),
    (Ipv4Addr::new(192, 88, 99, 0), 24, Reach::Internal),
    (Ipv4Addr::new(192, 168, 0, 0), 16, Reach::Internal),
    (Ipv4Addr::new(192, 175, 48, 0), 24, Reach::Internal),
    (Ipv4Addr::new(198, 18, 0, 0), 15, Reach::Internal),
    (Ipv4Addr::new(198, 51, 100, 0), 24, Reach::Internal),
    (Ipv4Addr::new(203, 0, 113, 0), 24, Reach::Internal),
    (Ipv4Addr::new(224, 0, 0, 0), 4, Reach::Never), // multicast
    (Ipv4Addr::BROADCAST, 32, Reach::Never),
    (Ipv4Addr::new(240, 0, 0, 0), 4, Reach::Internal),
];

const V6: [(Ipv6Addr, u32, Reach); 17] = [
    (Ipv6Addr::LOCALHOST, 128, Reach::Internal),
    (Ipv6Addr::UNSPECIFIED, 80, Reach::Never), // unspecified, IPv4-compatible and IPv4-mapped
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48, Reach::Internal), // NAT64 of a local network
    (Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), 128, Reach::Never), // a cloud's metadata service
    (Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254), 128, Reach::Never), // a cloud's metadata service
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, Reach::Internal),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, Reach::Never),
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10, Reach::Internal),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, Reach::Never),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32, Reach::Never), // Teredo
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, Reach::Internal), // benchmarking, ORCHID
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, Reach::Internal),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, Reach::Never), // 6to4
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48, Reach::Internal),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, Reach::Internal),
    (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3, Reach::Public), // the rest of what is assigned to be global
    (Ipv6Addr::UNSPECIFIED, 0, Reach::Internal),                    // never assigned
];

/// NAT64: a public IPv4 address as an IPv6-only network sees it (RFC 6052).
const NAT64: Ipv6Addr = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0);

impl Reach {
    /// How far this address reaches.
    pub(crate) fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        let within = |base: Ipv4Addr, prefix: u32| (address.to_bits() ^ base.to_bits()) >> (32 - prefix) == 0;
        V4.iter().find(|(base, prefix, _)| within(*base, *prefix)).map_or(Self::Public, |row| row.2)
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        let within = |base: Ipv6Addr, prefix: u32| {
            (address.to_bits() ^ base.to_bits()).checked_shr(128 - prefix).is_none_or(|differing| differing == 0)
        };
        if within(NAT64, 96) {
            let [.., a, b, c, d] = address.octets();
            return Self::of_v4(Ipv4Addr::new(a, b, c, d));
        }
        V6.iter().find(|(base, prefix, _)| within(*base, *prefix)).map_or(Self::Internal, |row| row.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_reach_as_far_as_the_registries_say() {
        let table = [
            ("1.1.1.1", Reach::Public),
            ("93.184.216.34", Reach::Public),
            ("100.63.255.255", Reach::Public),
            ("100.128.0.0", Reach::Public),
            ("172.15.255.255", Reach::Public),
            ("172.32.0.0", Reach::Public),
            ("192.0.1.0", Reach::Public),
            ("223.255.255.255", Reach::Public),
            ("2606:4700:4700::1111", Reach::Public),
            ("64:ff9b::101:101", Reach::Public),
            ("127.0.0.1", Reach::Internal),
            ("127.255.255.254", Reach::Internal),
            ("10.0.0.1", Reach::Internal),
            ("172.16.0.1", Reach::Internal),
            ("172.31.255.255", Reach::Internal),
            ("192.168.1.1", Reach::Internal),
            ("100.64.0.1", Reach::Internal),
            ("100.127.255.255", Reach::Internal),
            ("198.18.0.1", Reach::Internal),
            ("198.19.255.255", Reach::Internal),
            ("::1", Reach::Internal),
            ("fc00::1", Reach::Internal),
            ("fdff:ffff::1", Reach::Internal),
            ("fec0::1", Reach::Internal),
            ("64:ff9b::7f00:1", Reach::Internal),
            ("64:ff9b:1::1", Reach::Internal),
            ("0.0.0.0", Reach::Never),
            ("0.1.2.3", Reach::Never),
            ("169.254.169.254", Reach::Never),
            ("169.254.0.1", Reach::Never),
            ("168.63.129.16", Reach::Never),
            ("100.100.100.200", Reach::Never),
            ("192.0.0.192", Reach::Never),
            ("192.0.2.1", Reach::Internal),
            ("198.51.100.1", Reach::Internal),
            ("203.0.113.1", Reach::Internal),
            ("192.88.99.1", Reach::Internal),
            ("224.0.0.1", Reach::Never),
            ("239.255.255.255", Reach::Never),
            ("240.0.0.1", Reach::Internal),
            ("255.255.255.255", Reach::Never),
            ("::", Reach::Never),
            ("::127.0.0.1", Reach::Never),
            ("::ffff:127.0.0.1", Reach::Never),
            ("::ffff:169.254.169.254", Reach::Never),
            ("::ffff:1.1.1.1", Reach::Never),
            ("64:ff9b::a9fe:a9fe", Reach::Never),
            ("fe80::1", Reach::Never),
            ("fd00:ec2::254", Reach::Never),
            ("ff02::1", Reach::Never),
            ("100::1", Reach::Internal),
            ("2001::1", Reach::Never),
            ("2001:db8::1", Reach::Internal),
            ("2002:7f00:1::", Reach::Never),
            ("3fff::1", Reach::Internal),
            ("5f00::1", Reach::Internal),
            ("4000::1", Reach::Internal),
        ];
        for (address, reach) in table {
            assert_eq!(Reach::of(address.parse().unwrap()), reach, "{address}");
        }
    }

    proptest! {
        #[test]
        fn what_the_standard_library_calls_special_is_not_public(bits: u32, high: u64, low: u64) {
            let v4 = Ipv4Addr::from_bits(bits);
            if v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_multicast() || v4.is_broadcast()
                || v4.is_documentation() || v4.is_unspecified() {
                prop_assert_ne!(Reach::of_v4(v4), Reach::Public);
            }
            let v6 = Ipv6Addr::from_bits(u128::from(high) << 64 | u128::from(low));
            if v6.is_loopback() || v6.is_multicast() || v6.is_unspecified() || v6.is_unique_local()
                || v6.is_unicast_link_local() {
                prop_assert_ne!(Reach::of_v6(v6), Reach::Public);
            }
            prop_assert_eq!(Reach::of_v6(v4.to_ipv6_mapped()), Reach::Never);
            prop_assert_eq!(Reach::of_v6(v4.to_ipv6_compatible()) == Reach::Public, false);
        }
    }
}
