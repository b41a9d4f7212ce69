//! Whom the load is for: a running server on this machine, unless another is meant.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use http::HeaderValue;
use url::Url;

/// A server, and how to be let in.
#[derive(Clone, Debug)]
pub struct Target {
    /// Where it listens.
    pub node: Node,
    /// Where the other nodes of its database listen that take a share of the load.
    pub others: Vec<Node>,
    /// The token of an application that may do all.
    pub token: String,
    /// Its data folder, if known.
    pub folder: Option<PathBuf>,
}

/// One process that serves.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its name for the `host` header.
    pub host: HeaderValue,
    /// Its process, if known.
    pub pid: Option<u32>,
}

impl Target {
    /// The server of this URL; see [`Node::new`].
    ///
    /// # Errors
    /// As that.
    pub fn new(url: &str, token: &str, pid: Option<u32>, allow_remote: bool) -> Result<Target> {
        Ok(Target {
            node: Node::new(url, pid, allow_remote)?,
            others: Vec::new(),
            token: token.to_owned(),
            folder: None,
        })
    }

    /// All its nodes.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        std::iter::once(&self.node).chain(&self.others)
    }
}

impl Node {
    /// The process that serves at this URL.
    ///
    /// # Errors
    /// The URL is no plain `http://HOST:PORT`, its name has no address, or the address is beyond this
    /// machine and that was not allowed.
    pub fn new(url: &str, pid: Option<u32>, allow_remote: bool) -> Result<Node> {
        let parsed = Url::parse(url);
        let parsed =
            parsed.with_context(|| format!("--url {url} is no URL; write http://HOST:PORT"))?;
        if parsed.scheme() != "http"
            || !matches!(parsed.path(), "" | "/")
            || parsed.query().is_some()
        {
            bail!("--url {url} is not measured; write http://HOST:PORT, without path and TLS");
        }
        let host = parsed.host_str().unwrap_or_default();
        let port = parsed.port().unwrap_or(80);
        // The brackets of an IPv6 address belong to the URL, not to the name.
        let name = host.trim_start_matches('[').trim_end_matches(']');
        let mut addresses = (name, port)
            .to_socket_addrs()
            .with_context(|| format!("--url {url}: the name has no address"))?;
        let address = addresses.next();
        let address = address.with_context(|| format!("--url {url}: the name has no address"))?;
        if !address.ip().is_loopback() && !allow_remote {
            bail!("--url {url} is another machine; add --allow-remote if its owner agrees");
        }
        Ok(Node {
            address,
            host: HeaderValue::from_str(&format!("{host}:{port}"))?,
            pid,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_addresses_of_this_machine_are_targets() {
        let cases = [
            ("http://127.0.0.1:8080", Ok("127.0.0.1:8080")),
            ("http://127.0.0.1:8080/", Ok("127.0.0.1:8080")),
            ("http://[::1]:81", Ok("[::1]:81")),
            ("http://127.0.0.1", Ok("127.0.0.1:80")),
            ("https://127.0.0.1:8080", Err("without path and TLS")),
            ("http://127.0.0.1:8080/api", Err("without path and TLS")),
            ("127.0.0.1:8080", Err("http://HOST:PORT")),
            ("http://192.0.2.1:8080", Err("--allow-remote")),
        ];
        for (url, expected) in cases {
            match (Target::new(url, "t", None, false), expected) {
                (Ok(target), Ok(host)) => {
                    assert_eq!(target.node.host, host);
                    assert_eq!(target.node.address.to_string(), host);
                }
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
                (result, expected) => panic!("{url}: {result:?}, expected {expected:?}"),
            }
        }
        assert!(Target::new("http://192.0.2.1:8080", "t", None, true).is_ok());
    }
}
