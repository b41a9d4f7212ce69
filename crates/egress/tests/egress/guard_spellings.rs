//! Every way to write a refused address: none is connected to, and none is even looked up.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use domain::destination::CallbackUrl;

use crate::guard::{answer_ok, client_with, scripted};
use crate::receiver::{Receiver, post};

/// What URL parsers, resolvers and `inet_aton` between them take for 127.0.0.1 or `::1`.
const LOOPBACK: &[&str] = &[
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.1.",
    "127.0.1",
    "127.0x1",
    "127.0.0x1",
    "127.01",
    "127.000.000.001",
    "127.0.0.01",
    "0177.0.0.1",
    "0177.0.0.01",
    "0177.1",
    "00177.0.0.1",
    "0000000177.0.0.1",
    "0x7f.0.0.1",
    "0x7F.0.0.1",
    "0X7f.1",
    "0x7f.0x0.0x0.0x1",
    "0x7f.00.0x0.01",
    "0x7f000001",
    "0X7F000001",
    "0x0000007f000001",
    "2130706433",
    "2130706433.",
    "017700000001",
    "0017700000001",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "127.0.0.%31",
    "%32130706433",
    "１２７.０.０.１",
    "127．0．0．1",
    "127。0。0。1",
    "127｡0｡0｡1",
    "①②⑦.⓪.⓪.①",
    "𝟏𝟐𝟕.𝟎.𝟎.𝟏",
    "¹²⁷.⁰.⁰.¹",
    "０ｘ7f.1",
    "127.0.0.1\u{ad}",
    "1\u{200b}27.0.0.1",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.b.localhost",
    "loc%61lhost",
    "ｌｏｃａｌｈｏｓｔ",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    "local\u{ad}host",
    "[::1]",
    "[0::1]",
    "[::0:1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[::0.0.0.1]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[::ffff:127.0.0.1]",
    "[::FFFF:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[0:0:0:0:0:ffff:7f00:0001]",
    "[::ffff:0:7f00:1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::127.0.0.1]",
    "[64:ff9b:1:7f00:0:100::]",
    "[2002:7f00:1::]",
    "[2002:7f00:0001::7f00:1]",
    "[2001:0:7f00:1::]",
    "[2001:0:53aa:64c:0:0:80ff:fffe]",
    "0",
    "0.0",
    "0x",
    "0x0",
    "0.0.0.0",
    "000000000000",
    "[::]",
    "[::ffff:0:0]",
    "[::ffff:0.0.0.0]",
];

/// The same tricks with other networks that are nobody's business.
const ELSEWHERE: &[&str] = &[
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "169.16689662",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::]",
    "[fd00:ec2::254]",
    "10.1",
    "012.0.0.1",
    "0xa.1",
    "[::ffff:10.0.0.1]",
    "[64:ff9b::10.0.0.1]",
    "[2002:a00:1::]",
    "[2001:0:0:0:0:0:f5ff:fffe]",
    "192.168.257",
    "3232235777",
    "172.16.1",
    "100.64.1",
    "[fc00::1]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
];

/// Not even addresses to a URL parser, though some resolvers would take them.
const UNREADABLE: &[&str] = &[
    "127.0.0.1%00",
    "127.0.0.1%20",
    "127.0.0.1%09",
    "[::1%25lo]",
    "[fe80::1%25eth0]",
    "[::ffff:127.1]",
    "[::ffff:0x7f.0.0.1]",
    "[v1.::1]",
    "127.0.0.256",
    "127.0.0.0.1",
    "0x100000000",
    "4294967296",
    "0400.0.0.1",
    "127.0.0.08",
];

#[tokio::test]
async fn every_spelling_of_a_refused_address_is_refused_without_a_connection() {
    let (resolver, asked) = scripted(vec![vec!["127.0.0.1"]]);
    let client = client_with("", resolver);
    let receiver = Receiver::start(answer_ok).await;
    let port = receiver.address.port();
    // The same port on every address of this machine that a spelling could mean.
    let mut canaries = vec![receiver];
    for host in ["[::1]", "127.0.0.2"] {
        let address: SocketAddr = format!("{host}:{port}").parse().expect("an address");
        if std::net::TcpListener::bind(address).is_ok() {
            canaries.push(Receiver::start_at(address, answer_ok).await);
        }
    }
    for host in LOOPBACK.iter().chain(ELSEWHERE) {
        for scheme in ["http", "https"] {
            let text = format!("{scheme}://{host}:{port}/hook");
            let url = CallbackUrl::parse(&text).unwrap_or_else(|fault| panic!("{text}: {fault}"));
            let exchange = post(&client, &url).await;
            let fault = exchange.result.expect_err(host);
            assert_eq!(fault.slug(), "address-refused", "{text}");
            assert_eq!(exchange.address, None, "{text}");
        }
    }
    for host in UNREADABLE {
        let text = format!("http://{host}:{port}/hook");
        assert!(CallbackUrl::parse(&text).is_err(), "{text}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0, "none is a name");
    for canary in canaries {
        assert_eq!(canary.connections(), 0, "{}", canary.address);
    }
}

#[tokio::test]
async fn a_name_that_hides_a_refused_address_is_refused_by_what_it_leads_to() {
    let receiver = Receiver::start(answer_ok).await;
    let port = receiver.address.port();
    for (name, address) in [
        ("127.0.0.1.nip.example", "127.0.0.1"),
        ("0x7f.1.example", "::ffff:127.0.0.1"),
        ("1.0.0.127.in-addr.arpa", "127.0.0.1"),
        ("localhost.example", "::1"),
        ("127.0.0.1..", "127.0.0.1"),
        ("metadata.google.internal", "169.254.169.254"),
    ] {
        let (resolver, _) = scripted(vec![vec![address]]);
        let client = client_with("", resolver);
        let Ok(url) = CallbackUrl::parse(&format!("http://{name}:{port}/")) else {
            continue;
        };
        let exchange = post(&client, &url).await;
        let fault = exchange.result.expect_err(name);
        assert_eq!(fault.slug(), "address-refused", "{name}");
    }
    assert_eq!(receiver.connections(), 0);
}
