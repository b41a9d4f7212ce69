//! The callback URL: shown exactly as it was given, connected to exactly as it was parsed.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use url::{Host, Url};

/// The longest callback URL, in characters: what servers and proxies commonly accept.
pub const CALLBACK_URL_CHARS_MAX: usize = 2_048;

/// An absolute http or https URL with a host and without user info or fragment.
///
/// It is parsed as browsers parse URLs (WHATWG), so that every spelling of an IPv4 address
/// (decimal, octal, hexadecimal, shortened) becomes the address that it means. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct CallbackUrl(Arc<Parts>);

#[derive(PartialEq, Eq, Hash)]
struct Parts {
    text: Box<str>,
    origin: Origin,
    authority: Box<str>,
    target: Box<str>,
}

/// What connections are shared by: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Whether the scheme is https.
    pub is_tls: bool,
    /// The host as parsed: lower-case ASCII name, or the literal address.
    pub host: Host,
    /// The port given, else 80 or 443.
    pub port: u16,
}

/// Why a text is no callback URL; the message says what to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlFault {
    /// Longer than [`CALLBACK_URL_CHARS_MAX`].
    #[error("is longer than {CALLBACK_URL_CHARS_MAX} characters; give a shorter URL")]
    TooLong,
    /// Does not begin with `http://` or `https://`.
    #[error("must be an absolute URL that begins with https:// or http://")]
    NotHttp,
    /// Holds blanks or control characters, which a parser would silently drop.
    #[error("holds a blank or a control character; write a blank as %20 and remove the others")]
    Blank,
    /// Nothing stands between the scheme and the path.
    #[error("names no host; write for example https://example.com/path")]
    NoHost,
    /// A user name or password stands before the host.
    #[error("holds a user name or password; send it as a header of the subscription instead")]
    UserInfo,
    /// Has a part after `#`, which is never sent.
    #[error("ends in a fragment, which is never sent; remove the # and what follows")]
    Fragment,
    /// Port 0, which nothing can listen on.
    #[error("names port 0, which cannot be connected to; give the port of the receiver")]
    PortZero,
    /// The host is neither a host name nor an address.
    #[error("names an invalid host; give a host name, an IPv4 address, or an IPv6 address in []")]
    Host,
    /// The port is no number from 1 to 65535.
    #[error("names an invalid port; give a number from 1 to 65535")]
    Port,
    /// Something else that the URL standard does not allow.
    #[error("is no valid URL; write for example https://example.com/path")]
    Syntax,
}

impl CallbackUrl {
    /// Parses an absolute http or https URL.
    ///
    /// # Errors
    /// The first [`UrlFault`] found; none of them quotes the text, which may hold secrets.
    pub fn parse(text: &str) -> Result<CallbackUrl, UrlFault> {
        if text.chars().nth(CALLBACK_URL_CHARS_MAX).is_some() {
            return Err(UrlFault::TooLong);
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(UrlFault::Blank);
        }
        check_authority(text)?;
        let url = Url::parse(text).map_err(fault_of)?;
        if url.fragment().is_some() {
            return Err(UrlFault::Fragment);
        }
        let host = url.host().ok_or(UrlFault::NoHost)?.to_owned();
        let port = url.port_or_known_default().ok_or(UrlFault::NotHttp)?;
        if port == 0 {
            return Err(UrlFault::PortZero);
        }
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_string(),
        };
        let target = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let origin = Origin {
            is_tls: url.scheme() == "https",
            host,
            port,
        };
        Ok(CallbackUrl(Arc::new(Parts {
            text: text.into(),
            origin,
            authority: authority.into(),
            target: target.into(),
        })))
    }

    /// The text exactly as it was given.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// The host as parsed.
    pub fn host(&self) -> &Host {
        &self.0.origin.host
    }

    /// The port given, else 80 or 443.
    pub fn port(&self) -> u16 {
        self.0.origin.port
    }

    /// Whether the scheme is https.
    pub fn is_tls(&self) -> bool {
        self.0.origin.is_tls
    }

    /// The address, when the host is one rather than a name.
    pub fn literal_address(&self) -> Option<IpAddr> {
        match self.host() {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(IpAddr::V4(*address)),
            Host::Ipv6(address) => Some(IpAddr::V6(*address)),
        }
    }

    /// Whether the host is `localhost` or below it: always loopback (RFC 6761 section 6.3).
    pub fn is_localhost(&self) -> bool {
        let Host::Domain(name) = self.host() else {
            return false;
        };
        let name = name.strip_suffix('.').unwrap_or(name);
        name == "localhost" || name.ends_with(".localhost")
    }

    /// What connections to this URL are shared by.
    pub fn origin(&self) -> &Origin {
        &self.0.origin
    }

    /// The value of the `Host` header: the host, and the port unless it is the scheme's own.
    pub fn authority(&self) -> &str {
        &self.0.authority
    }

    /// Path and query as they stand in the request line (RFC 9112 section 3.2.1).
    pub fn target(&self) -> &str {
        &self.0.target
    }
}

/// Judges what the lenient parser would repair or drop without a word: a missing `//`, surplus
/// slashes before the host, and an empty user name.
fn check_authority(text: &str) -> Result<(), UrlFault> {
    let (scheme, rest) = text.split_once("://").ok_or(UrlFault::NotHttp)?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return Err(UrlFault::NotHttp);
    }
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(UrlFault::UserInfo);
    }
    if authority.is_empty() || authority.starts_with(':') {
        return Err(UrlFault::NoHost);
    }
    Ok(())
}

fn fault_of(error: url::ParseError) -> UrlFault {
    use url::ParseError as E;
    match error {
        E::EmptyHost => UrlFault::NoHost,
        E::InvalidPort => UrlFault::Port,
        E::IdnaError
        | E::InvalidIpv4Address
        | E::InvalidIpv6Address
        | E::InvalidDomainCharacter => UrlFault::Host,
        _ => UrlFault::Syntax,
    }
}

impl TryFrom<String> for CallbackUrl {
    type Error = UrlFault;

    fn try_from(text: String) -> Result<CallbackUrl, UrlFault> {
        CallbackUrl::parse(&text)
    }
}

impl Serialize for CallbackUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl fmt::Display for CallbackUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// Shows the origin only: paths and queries of callback URLs often hold secrets.
impl fmt::Debug for CallbackUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "CallbackUrl({}/…)", self.0.origin)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "https" } else { "http" };
        write!(out, "{scheme}://{}:{}", self.host, self.port)
    }
}
