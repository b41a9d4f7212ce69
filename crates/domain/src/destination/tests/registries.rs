//! The egress policy against the registries of special addresses, entry by entry, as IANA lists them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::super::EgressPolicy;

/// IANA IPv4 Special-Purpose Address Registry, and multicast.
const IPV4: &[&str] = &[
    "0.0.0.0/8",
    "0.0.0.0/32",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.0.0/29",
    "192.0.0.8/32",
    "192.0.0.9/32",
    "192.0.0.10/32",
    "192.0.0.170/32",
    "192.0.0.171/32",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.88.99.2/32",
    "192.168.0.0/16",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "255.255.255.255/32",
];

/// IANA IPv6 Special-Purpose Address Registry, but for the two prefixes that stand for IPv4 addresses.
const IPV6: &[&str] = &[
    "::1/128",
    "::/128",
    "64:ff9b:1::/48",
    "100::/64",
    "100:0:0:1::/64",
    "2001::/23",
    "2001::/32",
    "2001:1::1/128",
    "2001:1::2/128",
    "2001:1::3/128",
    "2001:2::/48",
    "2001:3::/32",
    "2001:4:112::/48",
    "2001:10::/28",
    "2001:20::/28",
    "2001:30::/28",
    "2001:db8::/32",
    "2002::/16",
    "2620:4f:8000::/48",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
];

/// Prefixes whose last 32 bits are the IPv4 address that is reached.
const IPV4_IN_IPV6: &[&str] = &["::ffff:0:0", "64:ff9b::"];

fn networks(texts: &[&str]) -> Vec<IpNet> {
    let parse = |text: &&str| text.parse().expect(text);
    texts.iter().map(parse).collect()
}

/// First, last, and addresses within, a third and a half of the way.
fn samples(network: &IpNet) -> [IpAddr; 4] {
    let (first, last) = (bits(network.network()), bits(network.broadcast()));
    let size = last - first;
    [first, last, first + size / 3, first + size / 2].map(|bits| address(bits, network))
}

/// The addresses just before and just behind, where there are any.
fn neighbours(network: &IpNet) -> Vec<IpAddr> {
    let end = match network {
        IpNet::V4(_) => u128::from(u32::MAX),
        IpNet::V6(_) => u128::MAX,
    };
    let before = bits(network.network()).checked_sub(1);
    let behind = bits(network.broadcast())
        .checked_add(1)
        .filter(|bits| *bits <= end);
    let both = before.into_iter().chain(behind);
    both.map(|bits| address(bits, network)).collect()
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn address(bits: u128, like: &IpNet) -> IpAddr {
    match like {
        IpNet::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(bits).expect("32 bits"))),
        IpNet::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(bits)),
    }
}

fn is_allowed(address: IpAddr) -> bool {
    EgressPolicy::default().check(address).is_ok()
}

#[test]
fn every_entry_of_the_registries_is_refused_and_its_public_neighbours_are_not() {
    let given_out: IpNet = "2000::/3".parse().expect("a network");
    let entries = [networks(IPV4), networks(IPV6)].concat();
    let is_special = |address: &IpAddr| {
        entries.iter().any(|network| network.contains(address))
            || (address.is_ipv6() && !given_out.contains(address))
    };
    let mut public_neighbours = 0;
    for network in &entries {
        for address in samples(network) {
            assert!(!is_allowed(address), "{address} of {network}");
        }
        for address in neighbours(network) {
            assert_eq!(
                is_allowed(address),
                !is_special(&address),
                "{address} by {network}"
            );
            public_neighbours += usize::from(!is_special(&address));
        }
    }
    assert!(public_neighbours > 30, "{public_neighbours} are public");
}

#[test]
fn an_ipv4_address_is_judged_alike_in_the_clothes_of_ipv6() {
    for prefix in IPV4_IN_IPV6 {
        let prefix: Ipv6Addr = prefix.parse().expect(prefix);
        for network in networks(IPV4) {
            for address in [samples(&network).to_vec(), neighbours(&network)].concat() {
                let dressed = IpAddr::V6(Ipv6Addr::from_bits(prefix.to_bits() | bits(address)));
                assert_eq!(is_allowed(dressed), is_allowed(address), "{dressed}");
            }
        }
    }
}
