//! The networks that deliveries never reach unless allowed: one table.
//!
//! Sources: the IANA special-purpose address registries for IPv4 and IPv6 (RFC 6890 and its
//! successors), the IPv6 address space registry (only 2000::/3 is given out as global unicast), and the
//! well-known addresses at which cloud providers serve the credentials of a machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// The well-known prefix under which a translator reaches IPv4 hosts (RFC 6052 section 2.1).
pub(super) const NAT64_PREFIX: Ipv6Net =
    Ipv6Net::new_assert(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// The first network of the table that holds the address, with what it is for.
pub(super) fn reserved_network(address: IpAddr) -> Option<(IpNet, &'static str)> {
    RESERVED
        .iter()
        .find(|(network, _)| network.contains(&address))
        .copied()
}

/// Narrower networks stand before the wider ones that hold them, for the better reason.
const RESERVED: &[(IpNet, &str)] = &[
    (v4([0, 0, 0, 0], 8), "\"this network\", unspecified"),
    (v4([10, 0, 0, 0], 8), "private"),
    (v4([100, 100, 100, 200], 32), "a cloud metadata service"),
    (v4([100, 64, 0, 0], 10), "shared by carrier-grade NAT"),
    (v4([127, 0, 0, 0], 8), "loopback"),
    (v4([168, 63, 129, 16], 32), "a cloud metadata service"),
    (v4([169, 254, 169, 254], 32), "a cloud metadata service"),
    (v4([169, 254, 0, 0], 16), "link-local"),
    (v4([172, 16, 0, 0], 12), "private"),
    (v4([192, 0, 0, 0], 24), "for IETF protocol assignments"),
    (v4([192, 0, 2, 0], 24), "for documentation"),
    (v4([192, 31, 196, 0], 24), "for AS112 name servers"),
    (v4([192, 52, 193, 0], 24), "for multicast tunnels"),
    (v4([192, 88, 99, 0], 24), "for 6to4 relays, deprecated"),
    (v4([192, 168, 0, 0], 16), "private"),
    (v4([192, 175, 48, 0], 24), "for AS112 name servers"),
    (v4([198, 18, 0, 0], 15), "for benchmarking"),
    (v4([198, 51, 100, 0], 24), "for documentation"),
    (v4([203, 0, 113, 0], 24), "for documentation"),
    (v4([224, 0, 0, 0], 4), "multicast"),
    (v4([255, 255, 255, 255], 32), "broadcast"),
    (v4([240, 0, 0, 0], 4), "reserved"),
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 128), "unspecified"),
    (v6([0, 0, 0, 0, 0, 0, 0, 1], 128), "loopback"),
    (
        v6([0, 0, 0, 0, 0, 0, 0, 0], 96),
        "for IPv4-compatible addresses, deprecated",
    ),
    (
        v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48),
        "for local IPv4 translation",
    ),
    (v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64), "discard-only"),
    (v6([0x100, 0, 0, 1, 0, 0, 0, 0], 64), "a dummy prefix"),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32), "for Teredo tunnels"),
    (v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48), "for benchmarking"),
    (
        v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
        "for IETF protocol assignments",
    ),
    (
        v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
        "for documentation",
    ),
    (
        v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),
        "for 6to4 tunnels, deprecated",
    ),
    (
        v6([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48),
        "for AS112 name servers",
    ),
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), "for documentation"),
    (v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16), "for segment routing"),
    (
        v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128),
        "a cloud metadata service",
    ),
    (
        v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7),
        "private (unique local)",
    ),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), "link-local"),
    (
        v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10),
        "site-local, deprecated",
    ),
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), "multicast"),
    (
        v6([0, 0, 0, 0, 0, 0, 0, 0], 3),
        "not given out as public addresses",
    ),
    (
        v6([0x4000, 0, 0, 0, 0, 0, 0, 0], 2),
        "not given out as public addresses",
    ),
    (
        v6([0x8000, 0, 0, 0, 0, 0, 0, 0], 1),
        "not given out as public addresses",
    ),
];

const fn v4([a, b, c, d]: [u8; 4], prefix_bits: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix_bits))
}

const fn v6([a, b, c, d, e, f, g, h]: [u16; 8], prefix_bits: u8) -> IpNet {
    IpNet::V6(Ipv6Net::new_assert(
        Ipv6Addr::new(a, b, c, d, e, f, g, h),
        prefix_bits,
    ))
}
