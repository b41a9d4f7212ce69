//! What goes wrong in an exchange: a stable slug for machines, plain words for people.
//!
//! No message quotes a path, a query, a header or a body.

use std::io;

use domain::destination::RefusedAddress;
use h2::Reason;
use rustls::{AlertDescription, CertificateError};

use crate::client::Phase;

/// Why an exchange has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The host name has no address.
    #[error("the host name could not be resolved: {0}")]
    Resolve(String),
    /// An address of the host may not be reached; nothing was connected to.
    #[error(transparent)]
    Refused(#[from] RefusedAddress),
    /// No address accepted a connection.
    #[error("{0}")]
    Connect(ConnectFault),
    /// No protected connection came about.
    #[error("{0}")]
    Tls(#[from] TlsFault),
    /// The deadline passed before the head of an answer had come.
    #[error("the deadline passed while {0}")]
    TimedOut(Phase),
    /// What came back is no HTTP answer within our bounds, or the request cannot be expressed in it.
    #[error("{0}")]
    Protocol(ProtocolFault),
    /// The connection was closed or reset before the head of an answer had come.
    #[error("the connection was closed before an answer came")]
    Closed,
}

/// Why no connection came about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectFault {
    /// Nothing listens there.
    #[error("the connection was refused: nothing listens on that port")]
    Refused,
    /// No route leads there.
    #[error("the host or its network is unreachable")]
    Unreachable,
    /// The operating system stopped trying.
    #[error("the host did not answer the attempt to connect")]
    NoAnswer,
    /// This machine has run out of files, ports or memory: no fault of the receiver.
    #[error("this machine has no free socket: {0}")]
    OutOfSockets(String),
    /// Anything else, in the operating system's words.
    #[error("the connection could not be made: {0}")]
    Other(String),
}

/// Why a connection could not be protected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsFault {
    /// The certificate's time is over.
    #[error("the certificate has expired")]
    Expired,
    /// The certificate's time has not begun.
    #[error("the certificate is not valid yet")]
    NotValidYet,
    /// The certificate is for other hosts.
    #[error("the certificate is not for this host")]
    WrongHost,
    /// No trusted authority signed the certificate.
    #[error("the certificate was not issued by a trusted authority, or lacks an intermediate one")]
    UnknownIssuer,
    /// The receiver asks for a certificate of ours.
    #[error("the receiver requires a client certificate")]
    ClientCertificateRequired,
    /// What answers there does not speak TLS.
    #[error("the receiver does not speak TLS on this port")]
    NotTls,
    /// The connection ended during the handshake.
    #[error("the connection was closed during the TLS handshake")]
    Closed,
    /// Anything else, in the library's words.
    #[error("the TLS handshake failed: {0}")]
    Other(String),
}

/// Why bytes did not make an exchange.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolFault {
    /// The bytes that came are no HTTP answer.
    #[error("what came back is not an HTTP answer: {0}")]
    NotHttp(String),
    /// The head of the answer exceeds our bounds.
    #[error("the headers of the answer are too many or too long")]
    HeadTooLarge,
    /// The receiver gave this one exchange up, or the connection before it came to it (HTTP/2).
    #[error("the receiver broke off the exchange: {0}")]
    BrokenOff(String),
    /// The URL cannot be written into an HTTP request.
    #[error("the callback URL cannot be written into an HTTP request")]
    Request,
    /// Anything else, in the library's words.
    #[error("the exchange failed: {0}")]
    Other(String),
}

impl Fault {
    /// A stable name for records, filters and metrics.
    pub fn slug(&self) -> &'static str {
        match self {
            Fault::Resolve(_) => "name-not-resolved",
            Fault::Refused(_) => "address-refused",
            Fault::Connect(fault) => fault.slug(),
            Fault::Tls(fault) => fault.slug(),
            Fault::TimedOut(_) => "timed-out",
            Fault::Protocol(ProtocolFault::NotHttp(_)) => "answer-not-http",
            Fault::Protocol(ProtocolFault::HeadTooLarge) => "answer-head-too-large",
            Fault::Protocol(ProtocolFault::BrokenOff(_)) => "exchange-broken-off",
            Fault::Protocol(ProtocolFault::Request) => "request-not-expressible",
            Fault::Protocol(ProtocolFault::Other(_)) => "exchange-failed",
            Fault::Closed => "connection-closed",
        }
    }
}

impl ConnectFault {
    fn slug(&self) -> &'static str {
        match self {
            ConnectFault::Refused => "connection-refused",
            ConnectFault::Unreachable => "host-unreachable",
            ConnectFault::NoAnswer => "connect-no-answer",
            ConnectFault::OutOfSockets(_) => "out-of-sockets",
            ConnectFault::Other(_) => "connect-failed",
        }
    }
}

impl TlsFault {
    fn slug(&self) -> &'static str {
        match self {
            TlsFault::Expired => "certificate-expired",
            TlsFault::NotValidYet => "certificate-not-valid-yet",
            TlsFault::WrongHost => "certificate-wrong-host",
            TlsFault::UnknownIssuer => "certificate-unknown-issuer",
            TlsFault::ClientCertificateRequired => "client-certificate-required",
            TlsFault::NotTls => "not-tls",
            TlsFault::Closed => "tls-closed",
            TlsFault::Other(_) => "tls-failed",
        }
    }
}

impl From<io::Error> for ConnectFault {
    fn from(error: io::Error) -> ConnectFault {
        use io::ErrorKind as Kind;
        match error.kind() {
            Kind::ConnectionRefused => ConnectFault::Refused,
            Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::NetworkDown => {
                ConnectFault::Unreachable
            }
            Kind::TimedOut => ConnectFault::NoAnswer,
            Kind::AddrNotAvailable | Kind::OutOfMemory | Kind::QuotaExceeded => {
                ConnectFault::OutOfSockets(error.to_string())
            }
            _ if is_out_of_files(&error) => ConnectFault::OutOfSockets(error.to_string()),
            _ => ConnectFault::Other(error.to_string()),
        }
    }
}

/// ENFILE and EMFILE, which the standard library has no stable kind for; the same on every Unix.
fn is_out_of_files(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(23 | 24))
}

impl From<io::Error> for TlsFault {
    /// Reads what tokio-rustls reports: TLS errors come wrapped in I/O errors.
    fn from(error: io::Error) -> TlsFault {
        if let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
            return TlsFault::from(inner);
        }
        match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe => TlsFault::Closed,
            _ => TlsFault::Other(error.to_string()),
        }
    }
}

impl From<&rustls::Error> for TlsFault {
    fn from(error: &rustls::Error) -> TlsFault {
        use rustls::Error as E;
        match error {
            E::InvalidCertificate(fault) => of_certificate(fault),
            E::InvalidMessage(_) => TlsFault::NotTls,
            E::AlertReceived(AlertDescription::CertificateRequired) => {
                TlsFault::ClientCertificateRequired
            }
            other => TlsFault::Other(other.to_string()),
        }
    }
}

fn of_certificate(fault: &CertificateError) -> TlsFault {
    use CertificateError as E;
    match fault {
        E::Expired | E::ExpiredContext { .. } => TlsFault::Expired,
        E::NotValidYet | E::NotValidYetContext { .. } => TlsFault::NotValidYet,
        E::NotValidForName | E::NotValidForNameContext { .. } => TlsFault::WrongHost,
        // A stranger that bears a trusted authority's name shows by its signature only.
        E::UnknownIssuer | E::BadSignature => TlsFault::UnknownIssuer,
        other => TlsFault::Other(other.to_string()),
    }
}

impl From<hyper::Error> for Fault {
    /// Reads hyper's errors of a request whose answer's head has not come.
    fn from(error: hyper::Error) -> Fault {
        if error.is_parse_too_large() {
            return Fault::Protocol(ProtocolFault::HeadTooLarge);
        }
        if error.is_parse() {
            return Fault::Protocol(ProtocolFault::NotHttp(error.to_string()));
        }
        if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
            return Fault::Closed;
        }
        if let Some(io) = source_of(&error) {
            return of_broken_connection(io);
        }
        match source_of(&error) {
            Some(http2) => of_http2(http2),
            None => Fault::Protocol(ProtocolFault::Other(error.to_string())),
        }
    }
}

/// Whether the receiver says that it has not processed this request (RFC 9113 section 8.7): it refused
/// the stream, or was going away and counts the stream among those that it has not seen.
pub(crate) fn was_not_processed(error: &hyper::Error) -> bool {
    source_of(error).is_some_and(|error: &h2::Error| {
        error.is_remote() && (error.is_go_away() || error.reason() == Some(Reason::REFUSED_STREAM))
    })
}

fn source_of<E: std::error::Error + 'static>(error: &hyper::Error) -> Option<&E> {
    std::error::Error::source(error).and_then(|source| source.downcast_ref())
}

/// Tells what the receiver gave up from what we did not take of it. The library's own words would
/// quote what the receiver says about its going away.
fn of_http2(error: &h2::Error) -> Fault {
    let reason = error.reason().unwrap_or(Reason::INTERNAL_ERROR);
    let words = || reason.description().to_owned();
    Fault::Protocol(if error.is_remote() {
        ProtocolFault::BrokenOff(words())
    } else if error.is_library() && error.is_reset() {
        // The library says no more than this of headers that are too long.
        ProtocolFault::NotHttp("a rule is broken, or the headers are too many or too long".into())
    } else if error.is_library() {
        ProtocolFault::NotHttp(words())
    } else {
        ProtocolFault::Other(words())
    })
}

fn of_broken_connection(error: &io::Error) -> Fault {
    if let Some(tls) = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>())
    {
        return Fault::Tls(TlsFault::from(tls));
    }
    match error.kind() {
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => Fault::Closed,
        _ => Fault::Protocol(ProtocolFault::Other(error.to_string())),
    }
}
