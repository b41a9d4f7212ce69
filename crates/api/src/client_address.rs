//! Where a request comes from.

use std::net::{IpAddr, SocketAddr};

use http::request::Parts;
use ipnet::IpNet;

/// Whom the server accepted the connection from; it puts this into the request's extensions.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// The client's address: the peer's, or what trusted proxies say of it in `X-Forwarded-For`. That header is
/// read from its end: each proxy adds whom it got the request from, and whatever stands before the first
/// address that is no trusted proxy was made up by that one or passed on by it.
pub(crate) fn client_address(head: &Parts, trusted: &[IpNet]) -> Option<IpAddr> {
    let peer = head.extensions.get::<Peer>()?.0.ip().to_canonical();
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    if !is_trusted(&peer) {
        return Some(peer);
    }
    let mut nearest = peer;
    let lines = head.headers.get_all("x-forwarded-for");
    let lines: Vec<&str> = lines.iter().filter_map(|line| line.to_str().ok()).collect();
    for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        let Ok(address) = hop.trim().parse::<IpAddr>() else {
            break;
        };
        nearest = address.to_canonical();
        if !is_trusted(&nearest) {
            break;
        }
    }
    Some(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    #[test]
    fn only_trusted_proxies_tell_where_a_request_comes_from() {
        let trusted = ["10.0.0.0/8".parse().expect("a network")];
        let cases: [(&str, &[&str], &str); 7] = [
            ("192.0.2.1:1", &[], "192.0.2.1"),
            ("192.0.2.1:1", &["198.51.100.7"], "192.0.2.1"),
            ("10.0.0.1:1", &["198.51.100.7"], "198.51.100.7"),
            (
                "10.0.0.1:1",
                &["1.1.1.1, 198.51.100.7, 10.0.0.2"],
                "198.51.100.7",
            ),
            ("10.0.0.1:1", &["1.1.1.1", "198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1:1", &["198.51.100.7, unknown"], "10.0.0.1"),
            (
                "[::ffff:10.0.0.1]:1",
                &["::ffff:198.51.100.7"],
                "198.51.100.7",
            ),
        ];
        for (peer, lines, expected) in cases {
            let mut request = Request::builder();
            for line in lines {
                request = request.header("x-forwarded-for", *line);
            }
            let peer = Peer(peer.parse().expect("an address"));
            let (head, ()) = request
                .extension(peer)
                .body(())
                .expect("a request")
                .into_parts();
            let found = client_address(&head, &trusted);
            assert_eq!(
                found.map(|found| found.to_string()).as_deref(),
                Some(expected)
            );
        }
    }
}
