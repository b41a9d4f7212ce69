//! SMTP, by lettre.

use lettre::transport::smtp::Error;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::response::Code;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use url::Url;

use crate::message::Message;
use crate::transport::{BadTransport, SendFault, reason};

/// Refusals that are about our account at the mail server (RFC 4954 section 6) and pass once somebody mends it.
const ACCOUNT_CODES: [u16; 4] = [530, 534, 535, 538];

/// A mail server. Each mail has a connection of its own: mails are few, and a kept one dies unseen.
pub(crate) struct Smtp(AsyncSmtpTransport<Tokio1Executor>);

impl Smtp {
    pub(crate) fn new(url: &Url, extra_ca_pem: Option<&[u8]>) -> Result<Smtp, BadTransport> {
        let mut builder =
            AsyncSmtpTransport::<Tokio1Executor>::from_url(url.as_str()).map_err(bad)?;
        if let Some(pem) = extra_ca_pem {
            let host = url.host_str().unwrap_or_default().to_owned();
            let trusted = TlsParameters::builder(host)
                .add_root_certificate(Certificate::from_pem(pem).map_err(bad)?)
                .build()
                .map_err(bad)?;
            let wanted = url.query_pairs().find(|(name, _)| name == "tls");
            builder = match (url.scheme(), wanted.as_ref().map(|(_, value)| &**value)) {
                ("smtps", _) => builder.tls(Tls::Wrapper(trusted)),
                (_, Some("required")) => builder.tls(Tls::Required(trusted)),
                (_, Some(_)) => builder.tls(Tls::Opportunistic(trusted)),
                (_, None) => builder,
            };
        }
        Ok(Smtp(builder.build()))
    }

    /// Connects, and signs in where the setting says so.
    pub(crate) async fn check(&self) -> Result<(), SendFault> {
        match self.0.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(SendFault::Passing("it takes no mails now".to_owned())),
            Err(error) => Err(fault(&error)),
        }
    }

    pub(crate) async fn send(&self, message: &Message) -> Result<(), SendFault> {
        let sent = self.0.send(message.to_mime()?).await;
        sent.map(|_| ()).map_err(|error| fault(&error))
    }
}

fn bad(error: Error) -> BadTransport {
    BadTransport(error.to_string())
}

/// A 5xx is this mail's end, unless it is about us.
fn fault(error: &Error) -> SendFault {
    let text = reason(&error.to_string());
    let is_account = error.status().is_some_and(is_about_us);
    if error.is_permanent() && !is_account {
        SendFault::Final(text)
    } else {
        SendFault::Passing(text)
    }
}

fn is_about_us(code: Code) -> bool {
    ACCOUNT_CODES.contains(&u16::from(code))
}
