//! What is a callback URL, and which spellings mean a refused address.

use super::super::{CALLBACK_URL_CHARS_MAX, CallbackUrl, EgressPolicy, UrlFault};

#[test]
fn a_url_is_taken_apart_for_connecting() {
    // (text, authority, target, port, tls)
    let cases = [
        ("https://example.com", "example.com", "/", 443, true),
        ("http://example.com:80/a", "example.com", "/a", 80, false),
        (
            "HTTPS://Example.COM:8443/a/../b?q=1&r",
            "example.com:8443",
            "/b?q=1&r",
            8443,
            true,
        ),
        (
            "http://[2606:4700::1]:81/?x",
            "[2606:4700::1]:81",
            "/?x",
            81,
            false,
        ),
        (
            "https://bücher.example/ü",
            "xn--bcher-kva.example",
            "/%C3%BC",
            443,
            true,
        ),
        ("http://example.com/@me", "example.com", "/@me", 80, false),
    ];
    for (text, authority, target, port, is_tls) in cases {
        let url = CallbackUrl::parse(text).expect(text);
        assert_eq!(url.as_str(), text, "is shown as given");
        assert_eq!(url.to_string(), text);
        let parsed = (url.authority(), url.target(), url.port(), url.is_tls());
        assert_eq!(parsed, (authority, target, port, is_tls), "{text}");
        assert_eq!(
            (url.origin().port, url.origin().is_tls),
            (port, is_tls),
            "{text}"
        );
    }
}

#[test]
fn what_is_no_callback_url_is_refused_with_its_reason() {
    let cases = [
        ("", UrlFault::NotHttp),
        ("example.com/hook", UrlFault::NotHttp),
        ("/hook", UrlFault::NotHttp),
        ("//example.com", UrlFault::NotHttp),
        ("ftp://example.com", UrlFault::NotHttp),
        ("file:///etc/passwd", UrlFault::NotHttp),
        ("gopher://example.com", UrlFault::NotHttp),
        ("javascript:alert(1)//://", UrlFault::NotHttp),
        ("http:example.com", UrlFault::NotHttp),
        ("http:/example.com", UrlFault::NotHttp),
        ("http://", UrlFault::NoHost),
        ("http:///example.com", UrlFault::NoHost),
        ("http://\\example.com", UrlFault::NoHost),
        ("http://:80/", UrlFault::NoHost),
        ("http://?q", UrlFault::NoHost),
        ("http://\u{ad}/", UrlFault::NoHost),
        ("http://user@example.com", UrlFault::UserInfo),
        ("http://user:word@example.com", UrlFault::UserInfo),
        ("http://@example.com", UrlFault::UserInfo),
        ("http://:@example.com", UrlFault::UserInfo),
        ("http://example.com#part", UrlFault::Fragment),
        ("http://example.com/#", UrlFault::Fragment),
        ("http://example.com:0/", UrlFault::PortZero),
        ("http://example.com:65536/", UrlFault::Port),
        ("http://example.com:x/", UrlFault::Port),
        (" http://example.com", UrlFault::Blank),
        ("http://example.com/a b", UrlFault::Blank),
        ("http://exam\tple.com", UrlFault::Blank),
        ("http://example.com/\r\nx: y", UrlFault::Blank),
        ("http://example.com/\u{0}", UrlFault::Blank),
        ("http://[::1", UrlFault::Host),
        ("http://[fe80::1%25eth0]/", UrlFault::Host),
        ("http://1.2.3.4.5/", UrlFault::Host),
        ("http://256.0.0.1/", UrlFault::Host),
        ("http://4294967296/", UrlFault::Host),
        ("http://exa<mple/", UrlFault::Host),
    ];
    for (text, fault) in cases {
        assert_eq!(CallbackUrl::parse(text).err(), Some(fault), "{text:?}");
    }
}

#[test]
fn the_length_is_counted_in_characters() {
    let longest = format!(
        "http://example.com/{}",
        "ü".repeat(CALLBACK_URL_CHARS_MAX - 19)
    );
    assert!(CallbackUrl::parse(&longest).is_ok());
    assert_eq!(
        CallbackUrl::parse(&format!("{longest}a")).err(),
        Some(UrlFault::TooLong)
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn every_spelling_of_a_refused_address_is_seen_through() {
    let hosts = [
        // IPv4 loopback: dotted, decimal, octal, hexadecimal, shortened, escaped, full-width, with a dot.
        "127.0.0.1",
        "127.0.0.1.",
        "127.255.255.254",
        "2130706433",
        "017700000001",
        "0x7f000001",
        "0x7F.1",
        "0x7f.0x0.0x0.0x1",
        "0177.0.0.1",
        "0177.0.0.01",
        "127.1",
        "127.0.1",
        "127.0x1",
        "%31%32%37.0.0.1",
        "１２７.０.０.１",
        "127。0。0。1",
        "①②⑦.⓪.⓪.①",
        "0",
        "0x0",
        "0.0.0.0",
        "00000177.1",
        "127.65530",
        "0x7f.0.1",
        "2130706433.",
        // Private, link-local, metadata, shared.
        "10.0.0.1",
        "167772161",
        "0xa000001",
        "012.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "3232235777",
        "0xc0a80101",
        "192.168.257",
        "100.64.0.1",
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "169.254.43518",
        "169.16689662",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "4294967295",
        "240.0.0.1",
        "192.0.2.1",
        "203.0.113.9",
        "192.88.99.1",
        // IPv6, and IPv4 inside it.
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[0000::0001]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:7f00:1]",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[::ffff:10.0.0.1]",
        "[::127.0.0.1]",
        "[::7f00:1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::169.254.169.254]",
        "[64:ff9b:1::1]",
        "[2002:7f00:1::]",
        "[2002:a9fe:a9fe::1]",
        "[2001::1]",
        "[2001:0:53aa:64c:0:0:80ff:fffe]",
        "[fe80::1]",
        "[febf::1]",
        "[fec0::1]",
        "[fc00::1]",
        "[fd12:3456::1]",
        "[fd00:ec2::254]",
        "[ff02::1]",
        "[2001:db8::1]",
        "[3fff::1]",
        "[5f00::1]",
        "[100::1]",
        "[FE80::1]",
        "[::FFFF:0:127.0.0.1]",
        // Names that always mean loopback.
        "localhost",
        "LocalHost",
        "localhost.",
        "a.localhost",
        "ｌｏｃａｌｈｏｓｔ",
        "loc%61lhost",
    ];
    for host in hosts {
        for (scheme, port) in [("http", ""), ("https", ":8443")] {
            let text = format!("{scheme}://{host}{port}/hook");
            let url = CallbackUrl::parse(&text).unwrap_or_else(|fault| panic!("{text}: {fault}"));
            assert!(EgressPolicy::default().check_url(&url).is_err(), "{text}");
        }
    }
}

#[test]
fn a_public_literal_passes() {
    for host in [
        "8.8.8.8",
        "134744072",
        "[2606:4700:4700::1111]",
        "[::ffff:8.8.8.8]",
    ] {
        let url = CallbackUrl::parse(&format!("http://{host}/")).expect(host);
        assert!(url.literal_address().is_some(), "{host}");
        assert_eq!(EgressPolicy::default().check_url(&url), Ok(()), "{host}");
    }
}

#[test]
fn serde_keeps_the_text_and_refuses_what_is_no_url() {
    let json = r#""https://Example.com:443/a?b""#;
    let url: CallbackUrl = serde_json::from_str(json).expect("is a URL");
    assert_eq!(serde_json::to_string(&url).expect("is a string"), json);
    let fault = serde_json::from_str::<CallbackUrl>(r#""nowhere""#).expect_err("is no URL");
    assert!(fault.to_string().contains("https://"), "{fault}");
}

#[test]
fn debug_output_holds_no_path_and_no_query() {
    let url = CallbackUrl::parse("https://example.com/secret?token=secret").expect("is a URL");
    assert_eq!(format!("{url:?}"), "CallbackUrl(https://example.com:443/…)");
}
