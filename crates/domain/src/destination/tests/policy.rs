//! Every special-purpose network at its edges, and the allow list.

use std::net::IpAddr;

use super::super::{CallbackUrl, EgressPolicy};

fn is_allowed(policy: &EgressPolicy, address: &str) -> bool {
    policy.check(address.parse().expect(address)).is_ok()
}

/// First and last address of each network, then the addresses just outside and whether those are public.
const EDGES: &[(&str, &str, &str, &str)] = &[
    // (first, last, a neighbour that is public, another; "-" where the neighbour is reserved too)
    ("0.0.0.0", "0.255.255.255", "-", "1.0.0.0"),
    ("10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0"),
    (
        "100.64.0.0",
        "100.127.255.255",
        "100.63.255.255",
        "100.128.0.0",
    ),
    (
        "127.0.0.0",
        "127.255.255.255",
        "126.255.255.255",
        "128.0.0.0",
    ),
    (
        "168.63.129.16",
        "168.63.129.16",
        "168.63.129.15",
        "168.63.129.17",
    ),
    (
        "169.254.0.0",
        "169.254.255.255",
        "169.253.255.255",
        "169.255.0.0",
    ),
    (
        "172.16.0.0",
        "172.31.255.255",
        "172.15.255.255",
        "172.32.0.0",
    ),
    ("192.0.0.0", "192.0.0.255", "191.255.255.255", "192.0.1.0"),
    ("192.0.2.0", "192.0.2.255", "192.0.1.255", "192.0.3.0"),
    (
        "192.31.196.0",
        "192.31.196.255",
        "192.31.195.255",
        "192.31.197.0",
    ),
    (
        "192.52.193.0",
        "192.52.193.255",
        "192.52.192.255",
        "192.52.194.0",
    ),
    (
        "192.88.99.0",
        "192.88.99.255",
        "192.88.98.255",
        "192.88.100.0",
    ),
    (
        "192.168.0.0",
        "192.168.255.255",
        "192.167.255.255",
        "192.169.0.0",
    ),
    (
        "192.175.48.0",
        "192.175.48.255",
        "192.175.47.255",
        "192.175.49.0",
    ),
    (
        "198.18.0.0",
        "198.19.255.255",
        "198.17.255.255",
        "198.20.0.0",
    ),
    (
        "198.51.100.0",
        "198.51.100.255",
        "198.51.99.255",
        "198.51.101.0",
    ),
    (
        "203.0.113.0",
        "203.0.113.255",
        "203.0.112.255",
        "203.0.114.0",
    ),
    ("224.0.0.0", "239.255.255.255", "223.255.255.255", "-"),
    ("240.0.0.0", "255.255.255.255", "-", "-"),
    ("::", "::ffff:ffff", "-", "-"),
    (
        "64:ff9b:1::",
        "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
        "-",
        "-",
    ),
    ("100::", "100::ffff:ffff:ffff:ffff", "-", "-"),
    ("100:0:0:1::", "100:0:0:1:ffff:ffff:ffff:ffff", "-", "-"),
    (
        "::1:0:0:0",
        "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "-",
        "2000::",
    ),
    (
        "2001::",
        "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2000:ffff::",
        "2001:200::",
    ),
    (
        "2001:db8::",
        "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:db7::",
        "2001:db9::",
    ),
    (
        "2002::",
        "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:ffff::",
        "2003::",
    ),
    (
        "2620:4f:8000::",
        "2620:4f:8000:ffff:ffff:ffff:ffff:ffff",
        "2620:4f:7fff::",
        "2620:4f:8001::",
    ),
    (
        "3fff::",
        "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
        "3ffe:ffff::",
        "3fff:1000::",
    ),
    (
        "4000::",
        "5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "3fff:ffff::",
        "-",
    ),
    (
        "5f00::",
        "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "-",
        "-",
    ),
    (
        "fc00::",
        "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "-",
        "-",
    ),
    (
        "fe80::",
        "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "-",
        "-",
    ),
    (
        "fec0::",
        "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "-",
        "-",
    ),
    (
        "ff00::",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "-",
        "-",
    ),
];

#[test]
fn every_reserved_network_is_refused_to_its_edges_and_no_further() {
    let policy = EgressPolicy::default();
    for (first, last, before, after) in EDGES {
        assert!(!is_allowed(&policy, first), "{first} is reserved");
        assert!(!is_allowed(&policy, last), "{last} is reserved");
        for neighbour in [before, after].into_iter().filter(|text| **text != "-") {
            assert!(is_allowed(&policy, neighbour), "{neighbour} is public");
        }
    }
}

#[test]
fn the_refusal_names_the_narrowest_network() {
    let cases = [
        ("127.0.0.1", "127.0.0.0/8", "loopback"),
        ("0.0.0.0", "0.0.0.0/8", "\"this network\", unspecified"),
        (
            "169.254.169.254",
            "169.254.169.254/32",
            "a cloud metadata service",
        ),
        ("169.254.169.253", "169.254.0.0/16", "link-local"),
        (
            "100.100.100.200",
            "100.100.100.200/32",
            "a cloud metadata service",
        ),
        (
            "100.100.100.201",
            "100.64.0.0/10",
            "shared by carrier-grade NAT",
        ),
        ("255.255.255.255", "255.255.255.255/32", "broadcast"),
        ("255.255.255.254", "240.0.0.0/4", "reserved"),
        ("::", "::/128", "unspecified"),
        ("::1", "::1/128", "loopback"),
        (
            "::7f00:1",
            "::/96",
            "for IPv4-compatible addresses, deprecated",
        ),
        (
            "fd00:ec2::254",
            "fd00:ec2::254/128",
            "a cloud metadata service",
        ),
        ("fd00:ec2::253", "fc00::/7", "private (unique local)"),
        ("2001:0:1::", "2001::/32", "for Teredo tunnels"),
        ("2001:2::1", "2001:2::/48", "for benchmarking"),
        ("2001:20::1", "2001::/23", "for IETF protocol assignments"),
        ("2002:7f00:1::", "2002::/16", "for 6to4 tunnels, deprecated"),
        ("9000::1", "8000::/1", "not given out as public addresses"),
    ];
    for (address, network, why) in cases {
        let address: IpAddr = address.parse().expect(address);
        let refused = EgressPolicy::default()
            .check(address)
            .expect_err("is reserved");
        assert_eq!(
            (refused.network.to_string().as_str(), refused.why),
            (network, why),
            "{address}"
        );
        assert_eq!(refused.address, address);
    }
}

#[test]
fn ipv4_in_ipv6_clothes_is_judged_as_ipv4() {
    let cases = [
        ("::ffff:127.0.0.1", false),
        ("::ffff:10.1.2.3", false),
        ("::ffff:8.8.8.8", true),
        ("64:ff9b::127.0.0.1", false),
        ("64:ff9b::169.254.169.254", false),
        ("64:ff9b::8.8.8.8", true),
        ("64:ff9b::1:0:0", false),
    ];
    for (address, expected) in cases {
        assert_eq!(
            is_allowed(&EgressPolicy::default(), address),
            expected,
            "{address}"
        );
    }
}

#[test]
fn an_allowed_network_is_reached_whatever_the_spelling_and_nothing_else_is() {
    let policy = EgressPolicy::parse_allow("127.0.0.0/8, ::1,10.1.2.3/16").expect("is well-formed");
    let allowed: Vec<String> = policy.allow().iter().map(ToString::to_string).collect();
    assert_eq!(allowed, ["127.0.0.0/8", "::1/128", "10.1.2.3/16"]);
    for address in [
        "127.0.0.1",
        "::ffff:127.0.0.1",
        "::1",
        "10.1.255.255",
        "64:ff9b::10.1.0.0",
    ] {
        assert!(is_allowed(&policy, address), "{address}");
    }
    for address in [
        "10.2.0.0",
        "::2",
        "169.254.169.254",
        "::127.0.0.1",
        "192.168.0.1",
    ] {
        assert!(!is_allowed(&policy, address), "{address}");
    }
}

#[test]
fn an_allow_list_is_read_strictly() {
    assert_eq!(EgressPolicy::parse_allow(""), Ok(EgressPolicy::default()));
    assert_eq!(EgressPolicy::parse_allow("  "), Ok(EgressPolicy::default()));
    let cases = [
        ("10.0.0.0/33", "10.0.0.0/33"),
        ("127.0.0.1,localhost", "localhost"),
        ("127.0.0.1,", ""),
        ("10.0.0.0-10.0.0.9", "10.0.0.0-10.0.0.9"),
        ("*", "*"),
    ];
    for (text, entry) in cases {
        let fault = EgressPolicy::parse_allow(text).expect_err(text);
        assert_eq!(fault.entry, entry, "{text}");
    }
}

#[test]
fn localhost_goes_to_the_loopback_addresses_that_are_allowed() {
    let cases: [(&str, &[&str]); 4] = [
        ("", &[]),
        ("127.0.0.0/8", &["127.0.0.1"]),
        ("::1", &["::1"]),
        ("127.0.0.1,::1", &["127.0.0.1", "::1"]),
    ];
    for (allow, expected) in cases {
        let policy = EgressPolicy::parse_allow(allow).expect(allow);
        let addresses = policy.localhost().unwrap_or_default();
        let addresses: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
        assert_eq!(addresses, expected, "allow {allow:?}");
        for name in [
            "localhost",
            "LOCALHOST",
            "localhost.",
            "api.localhost",
            "a.b.localhost.",
        ] {
            let url = CallbackUrl::parse(&format!("http://{name}/")).expect(name);
            assert_eq!(
                policy.check_url(&url).is_ok(),
                !expected.is_empty(),
                "{name}, {allow:?}"
            );
        }
    }
}

#[test]
fn other_names_pass_until_they_are_resolved() {
    for name in [
        "example.com",
        "localhost.example.com",
        "mylocalhost",
        "internal",
    ] {
        let url = CallbackUrl::parse(&format!("https://{name}/")).expect(name);
        assert_eq!(EgressPolicy::default().check_url(&url), Ok(()), "{name}");
    }
}
